"""Laws of one customer: who is a repeat is decided by comparing every contact with every other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.customer import KEEP_MS, Seen, facts, latest, settle
from streams.core.facts import ContactSeen
from streams.core.signed import difference
from streams.core.terms import DAY_MS
from tests.builders import T0, Signed
from tests.simulation.oracle import repeats

DAYS = (0, 0.5, 0.999, 1, 1.001, 7, 7.5, 30, 30.5, 40)


@st.composite
def told(draw: st.DrawFn) -> list[Seen]:
    """Records of a few contacts, several versions of each, in any order."""
    rows: list[Seen] = []
    for contact in ("c1", "c2", "c3", "c4"):
        for position in range(draw(st.integers(0, 3))):
            days = draw(st.sampled_from(DAYS))
            at = None if draw(st.integers(0, 4)) == 0 else T0 + round(days * DAY_MS)
            rows.append(Seen(0, contact, position, at, None if at is None else "voice", T0))
    order = draw(st.permutations(rows))
    return [row._replace(offset=offset) for offset, row in enumerate(order)]


def posted(records: Sequence[Seen]) -> list[Signed]:
    """What is said when the records come one by one."""
    said: list[Signed] = []
    for count in range(len(records)):
        before, now = records[:count], records[: count + 1]
        said += difference([(f, 1) for f in facts(before)], [(f, 1) for f in facts(now)])
    return said


@given(told())
def test_repeats_are_those_that_follow_another_contact_soon_enough(records: list[Seen]) -> None:
    assert sorted(facts(records)) == sorted(repeats(list(latest(records).values())))


@given(told())
def test_what_is_said_one_by_one_adds_up_to_what_all_records_mean(records: list[Seen]) -> None:
    assert difference(posted(records), [(f, 1) for f in facts(records)]) == []


@given(st.data())
def test_the_order_and_repetition_of_records_is_of_no_importance(data: st.DataObject) -> None:
    records = data.draw(told())
    again = data.draw(st.lists(st.sampled_from(records), max_size=6)) if records else []
    shuffled = data.draw(st.permutations([*records, *again]))
    assert facts(shuffled) == facts(records)


@given(told(), st.integers(0, 12))
def test_settling_changes_nothing_that_is_said(records: list[Seen], start: int) -> None:
    settled = settle(records, start)
    assert facts(settled) == facts(records)
    assert settle(settled, start) == settled
    assert [r for r in records if r.offset >= start] == [r for r in settled if r.offset >= start]


@given(told(), st.integers(0, 12))
def test_an_outdated_record_stays_outdated_after_settling(records: list[Seen], start: int) -> None:
    known = latest(settle(records, start))
    for record in records:
        if record.offset < start:
            assert known[record.contact].position >= record.position


@pytest.mark.parametrize(("days", "kept"), [(0, True), (59, True), (61, False)])
def test_contacts_long_past_are_forgotten(days: int, kept: bool) -> None:
    old = Seen(0, "old", 0, T0, "voice", T0)
    new = Seen(1, "new", 0, T0 + days * DAY_MS, "voice", T0)
    assert (old in settle([old, new], 2)) is kept
    assert KEEP_MS == 60 * DAY_MS


@pytest.mark.parametrize(
    ("days", "within"),
    [(0.9, (True, True, True)), (1, (True, True, True)), (1.1, (False, True, True)),
     (7, (False, True, True)), (30, (False, False, True)), (30.1, (False, False, False))],
)  # fmt: skip
def test_a_repeat_within_w_days_includes_the_last_instant(
    days: float, within: tuple[bool, bool, bool]
) -> None:
    second_ms = T0 + round(days * DAY_MS)
    both = [Seen(0, "a", 0, T0, "voice", T0), Seen(1, "b", 0, second_ms, "chat", T0)]
    assert facts(both) == [
        ContactSeen("voice", T0, False, False, False), ContactSeen("chat", second_ms, *within),
    ]  # fmt: skip


def test_an_earlier_contact_that_is_heard_of_later_turns_the_first_into_a_repeat() -> None:
    second = Seen(0, "b", 0, T0 + DAY_MS, "voice", T0)
    first = Seen(1, "a", 0, T0, "voice", T0)
    signs = {fact: sign for fact, sign in posted([second, first])}  # noqa: C416
    assert signs[ContactSeen("voice", T0, False, False, False)] == 1
    assert signs[ContactSeen("voice", T0 + DAY_MS, True, True, True)] == 1


def test_a_contact_that_turns_out_to_be_a_consult_leg_is_taken_back() -> None:
    leg = Seen(0, "a", 0, T0, "voice", T0)
    assert facts([leg, Seen(1, "a", 1, None, None, T0)]) == []
