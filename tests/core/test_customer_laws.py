"""Laws of one customer: what a contact is in the light of the others is found by comparing it with
every other one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.customer import KEEP_MS, Seen, facts, latest, settle, too_old
from streams.core.facts import ContactFollowed, ContactSeen, SelfServed
from streams.core.signed import difference, standing
from streams.core.terms import DAY_MS
from tests.builders import T0, Signed
from tests.simulation.who_came_again import of_one

DAYS = (0, 0.5, 0.999, 1, 1.001, 7, 7.5, 30, 30.5, 40)
ZONE = "Europe/Berlin"


@st.composite
def told(draw: st.DrawFn) -> list[Seen]:
    """Records of a few contacts, several versions of each, in any order."""
    rows = [
        draw(a_record(contact, position))
        for contact in ("c1", "c2", "c3", "c4")
        for position in range(draw(st.integers(0, 3)))
    ]
    order = draw(st.permutations(rows))
    return [row._replace(offset=offset) for offset, row in enumerate(order)]


@st.composite
def a_record(draw: st.DrawFn, contact: str, position: int) -> Seen:
    at = T0 + round(draw(st.sampled_from(DAYS)) * DAY_MS)
    if draw(st.integers(0, 4)) == 0:
        return Seen(0, contact, position, None, None, T0)
    issue, reason = draw(st.sampled_from((None, "bill", "other"))), draw(st.sampled_from("ab"))
    queue, agent = draw(st.sampled_from((None, "none", "PS"))), draw(st.sampled_from((None, "Ann")))
    human, ours, before, contained, arrives = (draw(st.booleans()) for _ in range(5))
    served = at - draw(st.sampled_from((0, 5_000))) if draw(st.booleans()) or not arrives else None
    return Seen(
        0, contact, position, at if arrives else None, draw(st.sampled_from(("voice", "chat"))),
        T0, queue, issue, agent, reason, human, ours and before, before, served, contained,
    )  # fmt: skip


def posted(records: Sequence[Seen]) -> list[Signed]:
    """What is said when the records come one by one."""
    said: list[Signed] = []
    for count in range(len(records)):
        before, now = records[:count], records[: count + 1]
        said += difference(standing(facts(before)), standing(facts(now)))
    return said


@given(told())
def test_each_contact_is_what_comparing_it_with_every_other_one_says(records: list[Seen]) -> None:
    expected = standing(of_one(list(latest(records).values()), ZONE))
    assert difference(standing(facts(records, ZONE)), expected) == []


@given(told())
def test_what_is_said_one_by_one_adds_up_to_what_all_records_mean(records: list[Seen]) -> None:
    assert difference(posted(records), standing(facts(records))) == []


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


@pytest.mark.parametrize(("days", "kept"), [(0, True), (89, True), (91, False)])
def test_contacts_long_past_are_forgotten(days: int, kept: bool) -> None:
    old = Seen(0, "old", 0, T0, "voice", T0)
    new = Seen(1, "new", 0, T0 + days * DAY_MS, "voice", T0)
    assert (old in settle([old, new], 2)) is kept
    assert KEEP_MS == 90 * DAY_MS


@given(st.data())
def test_what_is_forgotten_changes_nothing_that_is_said_of_what_is_still_taken(
    data: st.DataObject,
) -> None:
    """A customer's records over a year, settled between any two of them.  What takes a forgotten
    contact back changes nothing any more."""
    days = st.sampled_from((0, 0, 10, 25, 40, 59, 61, 89, 91, 120))
    records, now_ms = list[Seen](), T0
    for r in data.draw(told()):
        later_ms = data.draw(days) * DAY_MS
        arrived, served = (
            None if at is None else at + later_ms for at in (r.arrived_ms, r.self_service_ms)
        )
        now_ms = max(now_ms, arrived or 0, served or 0)
        records.append(r._replace(arrived_ms=arrived, self_service_ms=served, told_ms=now_ms))
    kept, taken, said = list[Seen](), list[Seen](), list[Signed]()
    for record in records:
        kept = settle(kept, record.offset)
        gone = {r.contact for r in taken} - {r.contact for r in kept}
        if too_old(record, kept) or record.contact in gone:
            continue
        said += difference(standing(facts(kept)), standing(facts([*kept, record])))
        kept, taken = [*kept, record], [*taken, record]
    assert difference(said, standing(facts(taken))) == []


@pytest.mark.parametrize("changed", [{"reason": "bill"}, {"ours": True}, {"arrived_ms": None}])
def test_a_repeat_is_still_one_when_it_is_corrected_after_two_months(
    changed: dict[str, Any],
) -> None:
    days = (0, 25, 80)
    told = [Seen(i, str(i), 0, T0 + day * DAY_MS, "voice", T0) for i, day in enumerate(days)]
    again = told[1]._replace(offset=3, position=1, told_ms=T0 + 81 * DAY_MS, **changed)
    assert not too_old(again, told)
    gone = standing(facts(settle(told, 3)))
    said = difference(gone, standing(facts([*settle(told, 3), again])))
    assert difference(standing(facts(told)), standing(facts([*told, again]))) == said


def test_nothing_is_taken_of_a_contact_that_may_be_forgotten() -> None:
    """Forgotten and told of again it would count twice."""
    old, new = (Seen(0, "a", 0, T0, "voice", T0), Seen(1, "b", 0, T0 + 61 * DAY_MS, "voice", T0))
    assert too_old(old._replace(position=1, reason="bill"), [new])
    assert too_old(old._replace(position=1, arrived_ms=None, told_ms=new.told_ms), [old, new])
    assert not too_old(new, [old])


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
        ContactSeen("voice", T0, False, False, False),
        ContactSeen("chat", second_ms, *within),
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


# -- first-contact resolution


def dealt_with(contact: str, days: float, **known: Any) -> Seen:
    at = T0 + round(days * DAY_MS)
    return Seen(0, contact, 0, at, "voice", T0, "PS", human=True)._replace(**known)


def resolved(*records: Seen) -> dict[int, ContactFollowed]:
    """Days after the first -> what followed."""
    found = [fact for fact in facts(records) if isinstance(fact, ContactFollowed)]
    return {(fact.arrived_ms - T0) // DAY_MS: fact for fact in found}


@pytest.mark.parametrize(("days", "again"), [(7, 7), (30, 30), (30.001, None)])
def test_the_next_contact_counts_against_it_for_30_days(days: float, again: int | None) -> None:
    found = resolved(dealt_with("a", 0), dealt_with("b", days))
    assert found[0].again_ms == (None if again is None else again * DAY_MS)


def test_an_abandoned_call_counts_against_it_and_is_itself_not_judged() -> None:
    found = resolved(dealt_with("a", 0), dealt_with("b", 1, human=False), dealt_with("c", 3))
    assert {day: fact.again_ms for day, fact in found.items()} == {0: DAY_MS, 3: None}


def test_a_call_of_ours_is_neither_a_repeat_nor_repeated() -> None:
    found = resolved(dealt_with("a", 0), dealt_with("b", 1, ours=True), dealt_with("c", 3))
    assert {day: fact.again_ms for day, fact in found.items()} == {0: 3 * DAY_MS, 3: None}


def test_an_issue_of_unknown_type_is_like_no_other() -> None:
    bills = [dealt_with(c, d, issue_type="bill") for c, d in (("a", 0), ("d", 5))]
    others = [dealt_with("b", 1), dealt_with("c", 2, issue_type="other"), dealt_with("e", 6)]
    found = resolved(*bills, *others)
    assert [found[day].same_ms for day in (0, 1, 2, 5, 6)] == [5 * DAY_MS, None, None, None, None]


def test_what_a_customer_says_counts_against_the_last_contact_that_was_dealt_with() -> None:
    found = resolved(
        dealt_with("a", 0), dealt_with("b", 1), dealt_with("c", 2, human=False),
        dealt_with("d", 3, before=True),
    )  # fmt: skip
    assert {day: fact.doubted for day, fact in found.items()} == {0: False, 1: True, 3: False}
    late = resolved(dealt_with("a", 0), dealt_with("b", 31, before=True))
    assert not late[0].doubted


@pytest.mark.parametrize(
    ("hours", "known", "confirmed"),
    [(24, {}, False), (24.001, {}, True), (5, {"human": False}, False),
     (5, {"human": False, "queue": "none"}, True), (5, {"ours": True}, True)],
)  # fmt: skip
def test_who_wants_a_person_within_a_day_was_not_served_by_a_machine(
    hours: float, known: dict[str, Any], confirmed: bool
) -> None:
    bot = Seen(0, "a", 0, T0, "chat", T0, "none", self_service_ms=T0, contained=True)
    back = dealt_with("b", hours / 24, **known)
    found = [fact for fact in facts([bot, back]) if isinstance(fact, SelfServed)]
    assert found == [SelfServed("chat", T0, confirmed)]
