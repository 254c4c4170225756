"""Published numbers (ICMI, Cisco) by amounts and by facts, and the corners of every formula."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from streams.core.agent_facts import StateSlice
from streams.core.facts import (
    ContactArrived,
    EntryRefused,
    Fact,
    LegEnded,
    OfferFailed,
    Transferred,
    ValueRefused,
    VisitAnswered,
    VisitLeft,
    VisitOffered,
    WrapUpDone,
)
from streams.core.kpi import Level, Oldest, Total, Value
from streams.core.measure import Amounts, CutKey, compile_measures
from streams.core.terms import Dated, QueueTerms, Terms
from streams.kpis import ALL_KPIS, ALL_MEASURES

KPIS = {k.name: k for k in ALL_KPIS}
QUEUE: CutKey = ("queue", "PS", "voice")


def evaluate(name: str, amounts: Amounts) -> Value | None:
    formula = KPIS[name].formula
    assert not isinstance(formula, Level | Oldest)
    return formula.compiled()(amounts, -1)


def value(name: str, amounts: Amounts) -> Any:
    found = evaluate(name, amounts)
    return None if found is None else found.value


def posted(facts: Iterable[Fact], terms: Terms | None = None, cut: CutKey = QUEUE) -> Amounts:
    """What the facts add up to over all minutes of one cut."""
    cells: dict[tuple[CutKey, int], Amounts] = {}
    post = compile_measures(ALL_MEASURES, terms or Terms())
    for fact in facts:
        post(fact, 1, lambda key, minute: cells.setdefault((key, minute), {}))
    total: Amounts = {}
    for (key, _), amounts in cells.items():
        for name, amount in amounts.items() if key == cut else ():
            total[name] = total.get(name, 0) + amount
    return total


def answered(wait_s: float | None, count: int = 1, entered_ms: int = 0) -> list[Fact]:
    wait = None if wait_s is None else int(wait_s * 1000)
    at = entered_ms + (wait or 0)
    return [
        VisitOffered("PS", "voice", entered_ms, False, False),
        VisitAnswered("PS", "voice", entered_ms, at, wait),
    ] * count


def left(wait_s: float, count: int = 1, outcome: str = "abandoned") -> list[Fact]:
    wait = int(wait_s * 1000)
    return [
        VisitOffered("PS", "voice", 0, False, False),
        VisitLeft("PS", "voice", 0, wait, wait, outcome),
    ] * count


# ans=1000, ab=60, ans in 20 s=860, ab in 20 s=20 (10 of them within 5 s), late ab=40
ICMI_AMOUNTS: Amounts = {
    "cohort_answered": 1000,
    "cohort_answered_in_threshold": 860,
    "cohort_left": 60,
    "cohort_abandoned": 60,
    "cohort_abandoned_in_threshold": 20,
    "cohort_abandoned_short": 10,
}
ICMI_FACTS = [
    *answered(20, 860), *answered(21, 140), *left(5, 10), *left(20, 10), *left(20.001, 40),
]  # fmt: skip
ICMI = [
    ("pos", 83.02), ("answered", 86.00), ("neg", 81.13), ("late_ab", 82.69), ("short_pos", 82.08),
    ("short_excl", 81.90), ("offered", 81.13), ("removed", 83.02),
]  # fmt: skip
CISCO_FACTS = [*answered(20, 70), *left(20, 10), *answered(30, 20)]
CISCO = [("late_ab", 77.8), ("neg", 70), ("pos", 80)]


@pytest.mark.parametrize("amounts", [ICMI_AMOUNTS, posted(ICMI_FACTS)], ids=["amounts", "facts"])
@pytest.mark.parametrize(("variant", "percent"), ICMI)
def test_icmi_vectors(amounts: Amounts, variant: str, percent: float) -> None:
    assert round(100 * value(f"service_level_{variant}", amounts), 2) == percent


@pytest.mark.parametrize(("variant", "percent"), CISCO)
def test_cisco_vectors(variant: str, percent: float) -> None:
    assert round(100 * value(f"service_level_{variant}", posted(CISCO_FACTS)), 1) == percent


def test_other_ways_to_leave_count_in_two_variants_only() -> None:
    facts = [*answered(1, 6), *left(1, 1), *left(1, 2, "callback"), *left(1, 1, "timeout")]
    amounts = posted(facts)
    assert value("service_level_neg", amounts) == 6 / 7
    assert value("service_level_offered", amounts) == 6 / 10
    assert value("service_level_removed", amounts) == (6 + 1 + 2) / 10
    assert value("abandonment_ratio", amounts) == 1 / 10
    assert value("abandonment_ratio_short_excluded", amounts) == 0 / 9
    late = posted([*answered(1, 1), *left(21, 1, "callback")])
    assert value("service_level_removed", late) == 1 / 2


def test_without_anything_below_the_line_there_is_no_value() -> None:
    nothing = posted([VisitOffered("PS", "voice", 0, False, False)])
    for kpi in ALL_KPIS:
        if kpi.unit in ("ratio", "seconds") and not isinstance(kpi.formula, Level | Oldest):
            found = kpi.formula.compiled()(nothing, -1)
            assert found is None or isinstance(kpi.formula, Total)
    assert value("contacts_open", nothing) == 1
    assert value("contacts_abandoned", nothing) == 0


def test_all_abandoned_at_once_leaves_variants_undefined_not_perfect() -> None:
    amounts = posted(left(3, 5))
    assert value("service_level_late_ab", amounts) is None
    assert value("service_level_short_excl", amounts) is None
    assert value("service_level_answered", amounts) is None
    assert value("abandonment_ratio_short_excluded", amounts) is None
    assert value("service_level_neg", amounts) == 0
    assert value("abandonment_ratio", amounts) == 1
    assert value("contacts_abandoned_short", amounts) == 5


def test_a_wait_that_is_not_believed_is_no_hit_and_in_no_mean() -> None:
    amounts = posted([*answered(10, 2), *answered(None, 1)])
    assert value("service_level_answered", amounts) == 2 / 3
    assert evaluate("answer_speed_mean", amounts) == Value(10.0, 20, 2)
    assert value("answer_wait_distribution", amounts) == 2


def test_thresholds_are_those_in_force_when_the_visit_began() -> None:
    terms = Terms(queues={"PS": [Dated(0, QueueTerms(20_000)), Dated(60_000, QueueTerms(30_000))]})
    before = posted(answered(25, entered_ms=59_999), terms)
    after = posted(answered(25, entered_ms=60_000), terms)
    assert value("service_level_pos", before) == 0
    assert value("service_level_pos", after) == 1


def test_an_answer_in_the_next_interval_is_an_event_there_and_a_hit_here() -> None:
    cells: dict[tuple[CutKey, int], Amounts] = {}
    post = compile_measures(ALL_MEASURES, Terms())
    for fact in answered(15, entered_ms=50_000):
        post(fact, 1, lambda key, minute: cells.setdefault((key, minute), {}))
    first, second = cells[QUEUE, 0], cells[QUEUE, 1]
    assert value("service_level_pos", first) == 1
    assert value("service_level_pos", second) is None
    assert value("contacts_offered", first) == 1
    assert value("contacts_answered", first) == 0
    assert value("contacts_answered", second) == 1
    assert value("contacts_open", first) == value("contacts_open", second) == 0


def test_what_is_posted_and_taken_back_leaves_nothing() -> None:
    cells: dict[tuple[CutKey, int], Amounts] = {}
    post = compile_measures(ALL_MEASURES, Terms())
    for sign in (1, -1):
        for fact in ICMI_FACTS:
            post(fact, sign, lambda key, minute: cells.setdefault((key, minute), {}))
    assert all(amount == 0 for amounts in cells.values() for amount in amounts.values())


def test_answer_waits_by_bucket_and_percentile() -> None:
    amounts = posted([*answered(0), *answered(5), *answered(5.001), *answered(4000)])
    found = evaluate("answer_wait_distribution", amounts)
    assert found is not None
    assert found.buckets is not None
    assert found.buckets[:3] == ((5.0, 2), (10.0, 1), (15.0, 0))
    assert found.buckets[-1] == (None, 1)
    assert value("answer_wait_p50", amounts) == 5
    assert value("answer_wait_p90", amounts) is None


def test_handle_time_is_talk_hold_and_wrap_up_over_legs() -> None:
    facts: list[Fact] = [
        LegEnded("PS", "voice", 0, 100_000, 20_000, "customer"),
        LegEnded("PS", "voice", 0, 0, 0, "agent"),
        LegEnded("PS", "voice", 0, None, 9_000_000, "agent"),
        WrapUpDone("PS", "voice", 0, 30_000),
        WrapUpDone("PS", "voice", 0, None),
        ValueRefused("PS", "voice", 0, "talk_ms"),
    ]
    amounts = posted(facts)
    assert value("legs_ended", amounts) == 3
    assert evaluate("talk_time_mean", amounts) == Value(50.0, 100, 2)
    assert value("hold_time_mean", amounts) == 10
    assert value("wrap_up_time_mean", amounts) == 30
    assert value("handle_time_mean", amounts) == (100 + 20 + 30) / 2
    assert value("durations_refused", amounts) == 1


def test_transfers_offers_and_refusals() -> None:
    facts: list[Fact] = [
        LegEnded("PS", "voice", 0, 1, 0, "transfer"),
        LegEnded("PS", "voice", 0, 1, 0, "agent"),
        Transferred("PS", "voice", 0, "blind"),
        OfferFailed("PS", "voice", 0, "no_answer"),
        OfferFailed("PS", "voice", 0, "rejected"),
        EntryRefused("PS", "voice", 0, "full"),
    ]
    amounts = posted(facts)
    assert value("transfer_ratio", amounts) == 1 / 2
    assert value("contacts_transferred_blind", amounts) == 1
    assert value("offers_failed", amounts) == 2
    assert value("offers_failed_no_answer", amounts) == 1
    assert value("entries_refused_full", amounts) == 1


def test_entries_and_contacts() -> None:
    facts: list[Fact] = [
        ContactArrived("PS", "voice", 0),
        VisitOffered("PS", "voice", 0, False, True),
        VisitOffered("PS", "voice", 1, True, False),
    ]
    amounts = posted(facts)
    names = ("contacts_arrived", "contacts_offered", "repeat_entries", "inferred_entries")
    assert [value(name, amounts) for name in names] == [1, 2, 1, 1]


def test_time_in_a_state_is_in_seconds() -> None:
    amounts = posted([StateSlice("Ann", "idle", None, 0, 500, 60_000)], cut=("staff",))
    assert evaluate("agent_state_time_idle", amounts) == Value(59.5, 59.5, None)
    assert value("agent_state_time_talking", amounts) == 0
