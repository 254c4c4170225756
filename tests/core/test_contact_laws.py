"""Laws of one contact: the order in which its events come, and how often, is of no importance.

The oracle is the fold of the whole list, sorted once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core import events as ev
from streams.core.contact import Contact, Kept, difference
from streams.core.facts import VisitAnswered, VisitLeft
from streams.core.journey import Journey
from streams.core.order import fold
from tests.builders import DURATION_MAX_MS, Signed, record, summed, total
from tests.core.strategies import contacts, hostile, realistic, told_again


def kept(event: ev.ContactEvent, offset: int) -> Kept:
    said = record(event, offset)
    assert said.value is not None
    return Kept(offset, said.timestamp, said.value)


def absorbed(events: Iterable[ev.ContactEvent]) -> tuple[Contact, list[Signed]]:
    """A contact that was told the events one by one, and all it said; repeats are dropped by id."""
    contact = Contact(DURATION_MAX_MS)
    said: list[Signed] = []
    for offset, event in enumerate(events):
        if event.id not in contact.ids:
            said += contact.add(kept(event, offset), event, DURATION_MAX_MS)
    return contact, said


def picture(journey: Journey) -> tuple[object, ...]:
    """All of a journey that can be seen from outside, besides what it said."""
    visits = [[getattr(v, field) for field in v.__slots__] for v in journey.visits]
    return visits, journey.arrived, journey.customer, journey.wrap_since


@given(st.data())
def test_any_order_and_any_repetition_adds_up_to_the_same(data: st.DataObject) -> None:
    events = data.draw(contacts)
    _, said = absorbed(data.draw(told_again(events)))
    assert summed(said) == summed(fold(events, DURATION_MAX_MS).out)


@given(st.data())
def test_what_is_said_step_by_step_is_what_a_fold_of_the_whole_list_says(
    data: st.DataObject,
) -> None:
    contact = Contact(DURATION_MAX_MS)
    said: list[Signed] = []
    for offset, event in enumerate(data.draw(contacts)):
        said += contact.add(kept(event, offset), event, DURATION_MAX_MS)
        whole = fold(contact.events, DURATION_MAX_MS)
        assert picture(contact.journey) == picture(whole)
        assert difference(said, whole.out) == []


@given(contacts)
def test_a_restored_contact_is_the_contact_that_was_stored(events: list[ev.ContactEvent]) -> None:
    contact, said = absorbed(events)
    restored = Contact(DURATION_MAX_MS)
    restored.refold(list(zip(contact.kept, contact.events, strict=True)), DURATION_MAX_MS)
    for field in ("kept", "events", "ids", "position", "last_ms", "heard_ms"):
        assert getattr(restored, field) == getattr(contact, field), field
    assert picture(restored.journey) == picture(contact.journey)
    assert difference(said, restored.journey.out) == []


@given(contacts)
def test_offered_is_answered_and_left_and_open(events: list[ev.ContactEvent]) -> None:
    contact, said = absorbed(events)
    for queue in ("PS", "IN"):
        amounts = total(summed(said), ("queue", queue, "voice"))
        visits = [v for v in contact.journey.visits if v.queue == queue]
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
    amounts = total(summed(said), ("channel", "voice"))
    counted = amounts.get("contacts_arrived", 0)
    assert counted == (1 if amounts.get("contacts_offered", 0) else 0)


@given(contacts)
def test_a_visit_is_answered_or_left_and_never_both(events: list[ev.ContactEvent]) -> None:
    journey = fold(events, DURATION_MAX_MS)
    for visit in journey.visits:
        assert visit.answered_ms is None or visit.left is None
        assert visit.waiting + visit.handling <= 1


@given(contacts)
def test_a_contact_is_open_once_in_a_queue_at_most(events: list[ev.ContactEvent]) -> None:
    journey = fold(events, DURATION_MAX_MS)
    queues = [visit.queue for visit in journey.visits if visit.open]
    assert len(queues) == len(set(queues))


@given(st.one_of(realistic(), hostile()))
def test_durations_that_are_believed_are_possible(events: list[ev.ContactEvent]) -> None:
    for fact, _ in fold(events, DURATION_MAX_MS).out:
        if isinstance(fact, VisitAnswered | VisitLeft):
            assert fact.wait_ms is None or 0 <= fact.wait_ms <= DURATION_MAX_MS


@given(st.data())
def test_events_of_one_millisecond_have_one_order(data: st.DataObject) -> None:
    events = data.draw(hostile(max_size=6))
    at_once = [type(e)(**{**_fields(e), "time": events[0].time}) for e in events]
    again = data.draw(st.permutations(at_once))
    assert fold(again, DURATION_MAX_MS).out == fold(at_once, DURATION_MAX_MS).out


def _fields(event: ev.ContactEvent) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


@pytest.mark.parametrize("sign", [1, -1])
def test_a_difference_is_empty_for_the_same_sums_in_another_order(sign: int) -> None:
    a, b = VisitLeft("PS", "voice", 0, 1, 1, "key"), VisitLeft("PS", "voice", 0, 1, 1, "empty")
    assert difference([(a, 1), (b, sign)], [(b, sign), (a, 1)]) == []
    assert difference([(a, 1)], [(b, sign)]) == [(b, sign), (a, -1)]
