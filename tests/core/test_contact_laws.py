"""Laws of one contact: the order in which its events come, and how often, is of no importance.

The oracle is the fold of the whole list, sorted once.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core import events as ev
from streams.core.contact import Contact, Kept
from streams.core.course import Course
from streams.core.facts import VisitAnswered, VisitLeft
from streams.core.order import fold
from streams.core.signed import difference
from tests.builders import DURATION_MAX_MS, TERMS, Signed, ms, record, story, summed, total
from tests.core.strategies import contacts, hostile, realistic, told_again


def kept(event: ev.ContactEvent, offset: int) -> Kept:
    said = record(event, offset)
    assert said.value is not None
    return Kept(offset, said.timestamp, said.value)


def absorbed(events: Iterable[ev.ContactEvent]) -> tuple[Contact, list[Signed]]:
    """A contact that was told the events one by one, and all it said; repeats are dropped by id."""
    contact = Contact(TERMS)
    said: list[Signed] = []
    for offset, event in enumerate(events):
        if not contact.knows(event):
            said += contact.add(kept(event, offset), event)
    return contact, said


def picture(course: Course) -> tuple[object, ...]:
    """All of a contact that can be seen from outside, besides what it said."""
    journey, about = course.journey, course.about
    visits = [[getattr(v, field) for field in v.__slots__] for v in journey.visits]
    known = [getattr(about, field) for field in about.__slots__]
    return visits, journey.arrived, journey.wrap_since, known, course.levels()


@given(st.data())
def test_any_order_and_any_repetition_adds_up_to_the_same(data: st.DataObject) -> None:
    events = data.draw(contacts)
    _, said = absorbed(data.draw(told_again(events)))
    assert summed(said) == summed(fold(events, TERMS).said)


@given(st.data())
def test_what_is_said_step_by_step_is_what_a_fold_of_the_whole_list_says(
    data: st.DataObject,
) -> None:
    contact = Contact(TERMS)
    said: list[Signed] = []
    for offset, event in enumerate(data.draw(contacts)):
        if contact.knows(event):
            continue
        said += contact.add(kept(event, offset), event)
        whole = fold(contact.events, TERMS)
        assert picture(contact.course) == picture(whole)
        assert difference(said, whole.said) == []


def test_a_call_that_is_assigned_to_a_queue_after_its_menu_has_arrived() -> None:
    """Whether it arrived is told of its self-service, which itself heard nothing new."""
    told = story().tell(ev.StageEntered, 0, stage="ivr").tell(ev.Assigned, 5, queue="PS")
    _, in_order = absorbed(told.events)
    _, reversed_ = absorbed(told.events[::-1])
    assert summed(in_order) == summed(reversed_) == summed(fold(told.events, TERMS).said)


@given(contacts)
def test_a_restored_contact_is_the_contact_that_was_stored(events: list[ev.ContactEvent]) -> None:
    contact, said = absorbed(events)
    restored = Contact(TERMS)
    restored.refold(list(zip(contact.kept, contact.events, strict=True)))
    for field in ("kept", "events", "ids", "position", "last_ms", "heard_ms"):
        assert getattr(restored, field) == getattr(contact, field), field
    assert picture(restored.course) == picture(contact.course)
    assert difference(said, restored.course.said) == []


@given(contacts)
def test_offered_is_answered_and_left_and_open(events: list[ev.ContactEvent]) -> None:
    contact, said = absorbed(events)
    for queue in ("PS", "IN"):
        amounts = total(summed(said), ("queue", queue, contact.channel))
        excluded = contact.course.about.excluded
        visits = [v for v in contact.course.journey.visits if v.queue == queue and not excluded]
        ended = amounts.get("cohort_answered", 0) + amounts.get("cohort_left", 0)
        waiting = sum(v.waiting for v in visits)
        assert amounts.get("contacts_offered", 0) == ended + waiting


@given(contacts)
def test_no_sum_of_a_contact_is_negative(events: list[ev.ContactEvent]) -> None:
    _, said = absorbed(events)
    for cell in summed(said).values():
        assert min(cell.values()) > 0


@given(contacts)
def test_a_contact_arrives_once_or_not_at_all(events: list[ev.ContactEvent]) -> None:
    _, said = absorbed(events)
    called = total(summed(said), ("channel", "voice"))
    assert called.get("contacts_arrived", 0) == (1 if called.get("contacts_offered", 0) else 0)
    wrote = total(summed(said), ("channel", "chat"))
    assert wrote.get("contacts_arrived", 0) in (
        (1,) if wrote.get("contacts_offered", 0) else (0, 1)
    )


@given(contacts)
def test_a_visit_is_answered_or_left_and_never_both(events: list[ev.ContactEvent]) -> None:
    journey = fold(events, TERMS).journey
    for visit in journey.visits:
        assert visit.answered_ms is None or visit.left is None
        assert visit.waiting + visit.handling <= 1


@given(contacts)
def test_a_contact_is_open_once_in_a_queue_at_most(events: list[ev.ContactEvent]) -> None:
    journey = fold(events, TERMS).journey
    queues = [visit.queue for visit in journey.visits if visit.open]
    assert len(queues) == len(set(queues))


@given(st.one_of(realistic(), hostile()))
def test_durations_that_are_believed_are_possible(events: list[ev.ContactEvent]) -> None:
    for fact, _ in fold(events, TERMS).out:
        if isinstance(fact, VisitAnswered | VisitLeft):
            assert fact.wait_ms is None or 0 <= fact.wait_ms <= DURATION_MAX_MS


@given(st.data())
def test_events_of_one_millisecond_have_one_order(data: st.DataObject) -> None:
    events = data.draw(hostile(max_size=6))
    at_once = [type(e)(**{**_fields(e), "time": events[0].time}) for e in events]
    again = data.draw(st.permutations(at_once))
    assert fold(again, TERMS).out == fold(at_once, TERMS).out


def _fields(event: ev.ContactEvent) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


@pytest.mark.parametrize("sign", [1, -1])
def test_a_difference_is_empty_for_the_same_sums_in_another_order(sign: int) -> None:
    a, b = VisitLeft("PS", "voice", 0, 1, 1, "key"), VisitLeft("PS", "voice", 0, 1, 1, "empty")
    assert difference([(a, 1), (b, sign)], [(b, sign), (a, 1)]) == []
    assert difference([(a, 1)], [(b, sign)]) == [(b, sign), (a, -1)]


def test_the_latest_version_of_an_event_counts_whatever_the_order() -> None:
    told = story().queued(0).answered(10, wait_ms=10_000)
    records = [
        ev.Handled(
            id="record", source="pbx", contact="c1", time=ms(100), queue="PS", talk_ms=talk_ms,
            version=version,
        )
        for version, talk_ms in enumerate((90_000, 60_000, 30_000))
    ]  # fmt: skip
    for order in permutations([*told.events, *records]):
        _, said = absorbed(order)
        amounts = total(summed(said), ("queue", "PS", "voice"))
        assert (amounts["legs_ended"], amounts["talk_ms"]) == (1, 30_000)


def test_what_a_restore_cuts_off_gives_way_to_what_it_had_replaced() -> None:
    early, late = (story().queued(0).handled(60, id="r", version=v) for v in (1, 2))
    contact, _ = absorbed([*early.events, late.events[-1]])
    restored = Contact(TERMS)
    restored.refold(list(zip(contact.kept, contact.events, strict=True))[:-1])
    assert picture(restored.course) == picture(absorbed(early.events)[0].course)
