"""The journey as a table: events in, what they add up to out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import permutations
from typing import get_args

import pytest

from streams.core import events as ev
from streams.core.contact import Contact, Kept
from streams.core.facts import VisitAnswered, VisitLeft
from streams.core.measure import Amounts
from streams.core.order import fold
from streams.core.pseudonym import no_pseudonym
from streams.core.vocabulary import LeftOutcome, NotAdmitted
from streams.sources import SOURCES
from tests.builders import (
    DURATION_MAX_MS,
    TERMS,
    Cells,
    Signed,
    Story,
    record,
    story,
    summed,
    total,
)

CONSULTED = """\
1717397259|1717397243.239826|1501|NONE|ENTERQUEUE||9031396745|1
1717397271|1717397243.239826|1501|PJSIP/7009|CONNECT|12|1717397259.239827|11
1717397390|1717397390.239830|1509|NONE|ENTERQUEUE||7009|1
1717397391|1717397390.239830|1501|PJSIP/7009|ATTENDEDTRANSFER|APP|Queue|12|120|1
1717397397|1717397243.239826|1509|PJSIP/7051|CONNECT|7|1717397390.239831|6
1717397570|1717397243.239826|1509|PJSIP/7051|COMPLETEAGENT|7|173|1
"""
"""asterisk#759: the consult leg's id reports the transfer, under the first queue's name."""


def decoded(lines: str) -> list[ev.ContactEvent]:
    events: list[ev.ContactEvent] = []
    for line in lines.splitlines():
        found = SOURCES["asterisk_queue_log"].decode(record(line.encode()), no_pseudonym)
        events += [e for e in found if isinstance(e, ev.ContactEvent)]
    return events


def told(events: Iterable[ev.ContactEvent]) -> Cells:
    """What the events add up to, each contact told its own in the order given."""
    contacts: dict[str, Contact] = {}
    said: list[Signed] = []
    for offset, event in enumerate(events):
        contact = contacts.setdefault(event.contact, Contact(TERMS))
        said += contact.add(Kept(offset, event.time, b""), event)
    return summed(said)


def amounts(told_by: Story, cut: tuple[str, ...] = ("queue", "PS", "voice")) -> Amounts:
    return total(told(told_by.events), cut)


def only(found: Amounts, *names: str) -> tuple[int, ...]:
    return tuple(found.get(name, 0) for name in names)


def in_every_order(events: Sequence[ev.ContactEvent]) -> Cells:
    """What they add up to; the same in whatever order they are told."""
    found = told(events)
    for again in permutations(events):
        assert told(again) == found
    return found


# -- asterisk#759


def test_a_consulted_transfer_is_one_contact_and_two_answered_visits() -> None:
    found = in_every_order(decoded(CONSULTED))
    everything = total(found, ("channel", "voice"))
    names = ("contacts_arrived", "contacts_offered", "contacts_answered", "legs_ended")
    assert only(everything, *names) == (1, 2, 2, 2)
    assert only(everything, "contacts_transferred_attended", "legs_transferred") == (1, 1)
    assert everything["talk_ms"] == 120_000 + 173_000
    assert everything["cohort_answer_wait_ms"] == 12_000 + 7_000
    assert only(everything, "cohort_left", "durations_refused") == (0, 0)


def test_a_consulted_transfer_is_counted_in_the_queues_it_went_through() -> None:
    found = told(decoded(CONSULTED))
    first, second = (total(found, ("queue", q, "voice")) for q in ("1501", "1509"))
    names = ("contacts_arrived", "contacts_offered", "contacts_answered", "talk_ms")
    assert only(first, *names) == (1, 1, 1, 120_000)
    assert only(second, *names) == (0, 1, 1, 173_000)


def test_a_consulted_transfer_leaves_no_visit_open() -> None:
    by_contact: dict[str, list[ev.ContactEvent]] = {}
    for event in decoded(CONSULTED):
        by_contact.setdefault(event.contact, []).append(event)
    journeys = [fold(events, TERMS).journey for events in by_contact.values()]
    assert len(journeys) == 2
    assert not any(journey.open for journey in journeys)


# -- ways to leave


@pytest.mark.parametrize("outcome", get_args(LeftOutcome))
def test_every_way_to_leave_is_counted_as_itself_and_ends_the_visit(outcome: str) -> None:
    found = amounts(story().queued(0).left(9, outcome))
    left = {n for n in found if n.startswith(("contacts_left", "contacts_abandoned"))}
    own = {"contacts_abandoned"} if outcome == "abandoned" else {f"contacts_left_{outcome}"}
    assert left == own
    assert only(found, "contacts_offered", "cohort_left", "contacts_answered") == (1, 1, 0)


@pytest.mark.parametrize(
    ("ended_by", "counted"),
    [("customer", "contacts_abandoned"), ("system", "contacts_left_system")],
)
def test_the_end_of_a_waiting_contact_ends_its_visit(ended_by: str, counted: str) -> None:
    found = amounts(story().queued(0).tell(ev.Ended, 9, ended_by=ended_by))
    assert only(found, counted, "cohort_left") == (1, 1)


def test_the_end_of_a_contact_with_an_agent_ends_the_leg() -> None:
    found = amounts(story().queued(0).answered(10).tell(ev.Ended, 70, ended_by="customer"))
    assert only(found, "legs_ended", "talk_ms", "cohort_left") == (1, 60_000, 0)


@pytest.mark.parametrize("reason", get_args(NotAdmitted))
def test_an_entry_the_queue_refused_is_no_visit(reason: str) -> None:
    found = amounts(story().tell(ev.QueueRefused, 0, queue="PS", reason=reason))
    assert found == {f"entries_refused_{reason}": 1}


# -- entering again


def test_the_same_queue_again_is_a_second_visit_of_one_contact() -> None:
    found = amounts(story().queued(0).left(10, "timeout").queued(20).answered(25).handled(85))
    names = ("contacts_arrived", "contacts_offered", "repeat_entries", "contacts_answered")
    assert only(found, *names) == (1, 2, 1, 1)
    assert only(found, "contacts_left_timeout", "talk_ms") == (1, 60_000)


def test_leaving_and_entering_again_in_one_second_is_told_apart_in_any_order() -> None:
    again = story().queued(0).left(10, "timeout").queued(10).answered(10).handled(40)
    found = total(in_every_order(again.events))
    assert only(found, "contacts_offered", "contacts_left_timeout") == (2, 1)
    assert only(found, "contacts_answered", "legs_ended", "inferred_entries") == (1, 1, 0)


def test_entering_a_queue_while_waiting_in_it_gives_the_first_visit_up() -> None:
    found = amounts(story().queued(0).queued(30).answered(40).handled(50))
    names = ("contacts_offered", "contacts_left_lost", "contacts_answered")
    assert only(found, *names) == (2, 1, 1)


# -- offers


def test_each_unanswered_offer_counts_and_changes_nothing_else() -> None:
    told_by = story().queued(0)
    for at in (5, 12, 12, 20):
        told_by.tell(ev.OfferEnded, at, queue="PS", agent="Ann")
    found = amounts(told_by.answered(30).handled(60))
    assert only(found, "offers_failed_no_answer", "contacts_answered") == (4, 1)
    assert found["cohort_answer_wait_ms"] == 30_000


def test_an_offer_that_names_no_queue_belongs_to_the_one_waited_in() -> None:
    found = amounts(story().queued(0).tell(ev.OfferEnded, 5, agent="Ann"))
    assert found["offers_failed_no_answer"] == 1


# -- logs with holes


def test_an_answer_without_an_entry_infers_the_entry_from_the_wait() -> None:
    journey = fold(story().answered(30, wait_ms=12_000).events, TERMS).journey
    facts = [fact for fact, _ in journey.out if isinstance(fact, VisitAnswered)]
    assert [(f.answered_ms - f.entered_ms, f.wait_ms) for f in facts] == [(12_000, 12_000)]
    assert amounts(story().answered(30, wait_ms=12_000))["inferred_entries"] == 1


def test_an_entry_dated_after_its_answer_is_no_second_visit() -> None:
    told_by = story().answered(5).queued(10).handled(65)
    for events in permutations(told_by.events):
        found = total(told(events))
        names = ("contacts_offered", "inferred_entries", "contacts_answered", "durations_refused")
        assert only(found, *names) == (1, 0, 1, 1)
        assert only(found, "cohort_answer_waits", "legs_ended", "contacts_left_lost") == (0, 1, 0)


def test_an_end_without_an_answer_infers_the_answer_and_the_entry() -> None:
    found = amounts(story().handled(100, wait_ms=10_000, talk_ms=60_000))
    names = ("contacts_offered", "inferred_entries", "contacts_answered", "legs_ended")
    assert only(found, *names) == (1, 1, 1, 1)
    assert only(found, "talk_ms", "cohort_answer_wait_ms") == (60_000, 10_000)


def test_an_end_after_an_entry_infers_only_the_answer() -> None:
    found = amounts(story().queued(0).handled(100, talk_ms=60_000))
    assert only(found, "contacts_offered", "inferred_entries", "contacts_answered") == (1, 0, 1)
    assert found["cohort_answer_wait_ms"] == 40_000


def test_leaving_without_an_entry_infers_the_entry() -> None:
    found = amounts(story().left(30, wait_ms=12_000))
    names = ("contacts_offered", "inferred_entries", "contacts_abandoned")
    assert only(found, *names) == (1, 1, 1)


def test_a_second_report_of_one_leg_infers_no_second_visit() -> None:
    ended = story().queued(0).answered(10).handled(70, talk_ms=60_000)
    found = amounts(ended.handled(70, talk_ms=60_000))
    assert only(found, "contacts_offered", "contacts_answered", "legs_ended") == (1, 1, 1)


def test_an_answer_by_the_next_agent_ends_the_leg_before() -> None:
    going_on = story().queued(0).answered(10).answered(100, "IN", wait_ms=5_000)
    journey = fold(going_on.events, TERMS).journey
    assert [v.queue for v in journey.visits if v.handling] == ["IN"]


def test_a_leg_whose_end_is_not_told_is_a_leg_of_unknown_length() -> None:
    going_on = story().queued(0).answered(10).answered(100, "IN", wait_ms=5_000).handled(160, "IN")
    names = ("cohort_contacts_handled", "cohort_contact_legs", "cohort_contacts_handled_timed")
    assert only(amounts(going_on), *names) == (1, 2, 0)
    told_late = going_on.handled(90, talk_ms=80_000)
    assert only(amounts(told_late), *names) == (1, 2, 1)
    assert amounts(told_late)["cohort_contact_handle_ms"] == 140_000
    lost = story().queued(0).answered(10).tell(ev.Lost, 99, reason="silence")
    assert only(amounts(lost), *names) == (1, 1, 0)


# -- durations that cannot be true


@pytest.mark.parametrize("wait_ms", [-1, -60_000, DURATION_MAX_MS + 1, 2**52])
def test_a_wait_that_cannot_be_true_counts_the_visit_and_not_the_wait(wait_ms: int) -> None:
    found = amounts(story().queued(0).answered(10, wait_ms=wait_ms).handled(20))
    assert only(found, "contacts_answered", "cohort_answered", "durations_refused") == (1, 1, 1)
    assert only(found, "cohort_answer_waits", "cohort_answer_wait_ms") == (0, 0)
    assert only(found, "cohort_answered_in_threshold") == (0,)


@pytest.mark.parametrize("talk_ms", [-1, DURATION_MAX_MS + 1])
def test_a_talk_time_that_cannot_be_true_counts_the_leg_and_not_the_time(talk_ms: int) -> None:
    found = amounts(story().queued(0).answered(10).handled(20, talk_ms=talk_ms))
    assert only(found, "legs_ended", "legs_timed", "talk_ms") == (1, 0, 0)
    assert found["durations_refused"] == 1


@pytest.mark.parametrize("edge_ms", [0, DURATION_MAX_MS])
def test_durations_at_the_edge_are_believed(edge_ms: int) -> None:
    told_by = story().queued(0).answered(10, wait_ms=edge_ms).handled(20, talk_ms=edge_ms)
    found = amounts(told_by)
    assert only(found, "cohort_answer_waits", "legs_timed", "durations_refused") == (1, 1, 0)


def test_an_unbelievable_wait_does_not_move_an_inferred_entry() -> None:
    journey = fold(story().answered(30, wait_ms=-5_000).events, TERMS).journey
    visit = journey.visits[0]
    assert visit.entered_ms == visit.answered_ms


def test_holding_is_taken_out_of_the_talk_time() -> None:
    told_by = story().queued(0).answered(10).tell(ev.Held, 20).tell(ev.Resumed, 50)
    found = amounts(told_by.handled(100))
    assert only(found, "talk_ms", "hold_ms") == (60_000, 30_000)


def test_wrap_up_is_timed_by_its_events_or_by_the_platform() -> None:
    ended = story().queued(0).answered(10).handled(20)
    by_events = ended.tell(ev.WrapUpStarted, 20).tell(ev.WrapUpEnded, 65)
    assert amounts(by_events)["wrap_up_ms"] == 45_000
    by_platform = story().queued(0).answered(10).handled(20)
    by_platform.tell(ev.WrapUpEnded, 65, wrap_up_ms=40_000)
    assert amounts(by_platform)["wrap_up_ms"] == 40_000


# -- what un-happens


def test_an_abandonment_that_un_happens_is_taken_back() -> None:
    given_up = story().queued(0).left(10)
    assert amounts(given_up)["contacts_abandoned"] == 1
    back = given_up.tell(ev.QueueResumed, 15, queue="PS").answered(30).handled(90)
    found = amounts(back)
    assert only(found, "contacts_abandoned", "cohort_abandoned", "cohort_left") == (0, 0, 0)
    assert only(found, "contacts_offered", "contacts_answered") == (1, 1)
    assert found["cohort_answer_wait_ms"] == 30_000


def test_coming_back_after_entering_anew_takes_nothing_back() -> None:
    anew = story().queued(0).left(10).queued(20).tell(ev.QueueResumed, 25, queue="PS")
    found = amounts(anew.answered(30))
    names = ("contacts_offered", "contacts_abandoned", "contacts_answered")
    assert only(found, *names) == (2, 1, 1)
    assert not fold(anew.handled(40).events, TERMS).open


def test_it_is_taken_back_in_whatever_order_it_is_heard() -> None:
    back = story().queued(0).left(10).tell(ev.QueueResumed, 15, queue="PS").answered(30)
    found = total(in_every_order(back.events))
    assert only(found, "contacts_abandoned", "cohort_left", "contacts_answered") == (0, 0, 1)


def test_a_lost_contact_that_speaks_again_was_not_lost() -> None:
    lost = story().queued(0).tell(ev.Lost, 100, reason="silence")
    assert amounts(lost)["contacts_left_lost"] == 1
    found = amounts(lost.answered(200).handled(260))
    assert only(found, "contacts_left_lost", "contacts_answered", "legs_ended") == (0, 1, 1)


def test_a_leg_that_was_lost_still_gets_its_end() -> None:
    found = amounts(story().queued(0).answered(10).tell(ev.Lost, 50, reason="silence").handled(70))
    assert only(found, "legs_ended", "talk_ms", "cohort_left") == (1, 60_000, 0)


def test_an_exit_after_an_answer_contradicts_it_and_loses() -> None:
    found = amounts(story().queued(0).answered(10).left(20).handled(70))
    assert only(found, "contacts_answered", "cohort_left", "legs_ended") == (1, 0, 1)


def test_a_parked_visit_comes_back_if_the_story_goes_on_under_its_id() -> None:
    consult = story("consult", "IN").queued(0).transferred(5, "PS", kind="attended")
    assert total(told(consult.events), ("queue", "IN", "voice")) == {}
    goes_on = amounts(consult.answered(10).handled(20), ("queue", "IN", "voice"))
    names = ("contacts_arrived", "contacts_offered", "contacts_answered")
    assert only(goes_on, *names) == (1, 1, 1)


def test_a_contact_that_left_says_when_it_entered_and_when_it_left() -> None:
    journey = fold(story().queued(3).left(9).events, TERMS).journey
    left = [fact for fact, _ in journey.out if isinstance(fact, VisitLeft)]
    assert [f.left_ms - f.entered_ms for f in left] == [6_000]
    assert [f.wait_ms for f in left] == [6_000]
