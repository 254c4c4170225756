"""What is behind a number: the rows add up to it, and each says why it counts or does not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.explaining import AGAINST, COUNTED, OUT, Asked, Facts, Row, asked, parts, rows_of
from streams.core.facts import Fact, VisitAnswered, VisitLeft, VisitOffered
from streams.core.kpi import Kpi, Level, Oldest, linear
from streams.core.measure import QUEUE, Amounts, Cut
from streams.core.terms import Terms
from streams.core.window import Span
from streams.kpis import ALL_KPIS, ALL_MEASURES
from tests.builders import T0, summed
from tests.core.test_posting import FACTS, TERMS

SUMS = [kpi for kpi in ALL_KPIS if not isinstance(kpi.formula, Level | Oldest)]
HOUR = Span("hour", T0, T0 + 3_600_000)
KPIS = {kpi.name: kpi for kpi in SUMS}


def question(kpi: Kpi, cut: Cut = QUEUE, values: tuple[str, ...] = ("PS", "voice")) -> Asked:
    return asked(kpi, cut, (cut.name, *values), HOUR, ALL_MEASURES)


def held(*facts: Fact) -> Facts:
    return {(type(fact), fact): 1 for fact in facts}


def rows(name: str, *facts: Fact) -> list[Row]:
    return list(rows_of(question(KPIS[name]), "c1", held(*facts), Terms()))


# -- the law


@given(st.data())
def test_the_rows_of_any_facts_add_up_to_what_was_posted(data: st.DataObject) -> None:
    kpi = data.draw(st.sampled_from(SUMS))
    told = data.draw(st.lists(FACTS, max_size=8))
    terms = Terms(TERMS.default, {}, agents_named=True)
    cells = summed([(fact, 1) for fact in told], terms=terms)
    here = [cut for cut, minute in cells if T0 <= minute * 60_000 < HOUR.end_ms]
    for cut in kpi.cuts:
        for key in {key for key in here if key[0] == cut.name}:
            posted = [
                amounts
                for (at, minute), amounts in cells.items()
                if at == key and T0 <= minute * 60_000 < HOUR.end_ms
            ]
            counts: dict[Any, int] = {}
            for fact in told:
                counts[type(fact), fact] = counts.get((type(fact), fact), 0) + 1
            found = list(rows_of(question(kpi, cut, key[1:]), "c1", counts, terms))
            for name in kpi.formula.reads():
                expected = sum(amounts.get(name, 0) for amounts in posted)
                assert sum(row.amounts.get(name, 0) for row in found) == expected, name
            over, under = parts(kpi.formula)
            amounts = added(found)
            assert sum(row.numerator for row in found) == linear(over, amounts)
            assert sum(row.denominator for row in found) == linear(under, amounts)


def added(found: list[Row]) -> Amounts:
    amounts: Amounts = {}
    for row in found:
        for name, amount in row.amounts.items():
            amounts[name] = amounts.get(name, 0) + amount
    return amounts


@pytest.mark.parametrize("kpi", SUMS, ids=[kpi.name for kpi in SUMS])
def test_every_kpi_of_sums_has_its_measures_and_its_parts(kpi: Kpi) -> None:
    found = question(kpi)
    assert kpi.formula.reads() <= {t.lstrip("-") for part in parts(kpi.formula) for t in part}
    assert found.measures


def test_a_level_has_no_parts() -> None:
    with pytest.raises(ValueError, match="not a sum"):
        parts(Level("waiting"))


# -- reasons, one visit each: entered at T0 + at seconds, waited so long


def offered(at: int = 0, queue: str = "PS") -> VisitOffered:
    return VisitOffered(queue, "voice", T0 + at * 1000, False, False)


def answered(wait: int, at: int = 0) -> VisitAnswered:
    return VisitAnswered("PS", "voice", T0 + at * 1000, T0 + (at + wait) * 1000, wait * 1000)


def left(wait: int | None, outcome: str = "abandoned", at: int = 0) -> VisitLeft:
    waited_ms = None if wait is None else wait * 1000
    begun_ms = T0 + at * 1000
    return VisitLeft("PS", "voice", begun_ms, begun_ms + (waited_ms or 0), waited_ms, outcome)


@pytest.mark.parametrize(
    ("kpi", "end", "verdict", "numbers", "why"),
    [
        ("contacts_abandoned", left(9), COUNTED, (1, 0), "abandoned visits"),
        ("contacts_abandoned", left(9, "timeout"), OUT, (0, 0),
         "outcome is timeout, not abandoned"),
        ("contacts_abandoned", answered(9), OUT, (0, 0), "did not leave unanswered"),
        ("contacts_abandoned", None, OUT, (0, 0), "did not leave unanswered"),
        ("contacts_abandoned", left(5, at=3_598), OUT, (0, 0), "left in another window"),
        ("contacts_abandoned_short", left(9), OUT, (0, 0), "wait 9 s > S 5 s"),
        ("abandonment_ratio", left(9), COUNTED, (1, 1),
         "abandoned visits, at the time they began"),
        ("abandonment_ratio", answered(9), AGAINST, (0, 1), "did not leave unanswered"),
        ("abandonment_ratio", left(9, "key"), AGAINST, (0, 1), "outcome is key, not abandoned"),
        ("abandonment_ratio", left(9, at=-5), OUT, (0, 0), "entered in another window"),
        ("service_level_pos", answered(20), COUNTED, (1, 1),
         "visits answered within T, at the time they began"),
        ("service_level_pos", answered(25), AGAINST, (0, 1), "wait 25 s > T 20 s"),
        ("service_level_pos", left(21), AGAINST, (0, 1), "wait 21 s > T 20 s"),
        ("service_level_pos", left(9, "timeout"), OUT, (0, 0),
         "outcome is timeout, not abandoned"),
        ("service_level_short_excl", left(5), OUT, (0, 0),
         "taken out: visits abandoned within S, at the time they began"),
        ("service_level_short_excl", left(None), AGAINST, (0, 1), "was not answered"),
        ("contacts_abandoned_short", left(None), OUT, (0, 0),
         "wait is not known, or cannot be true"),
        ("answer_speed_mean", answered(0), COUNTED, (0, 1), None),
        ("answer_speed_mean", answered(7), COUNTED, (7_000, 1), None),
    ],
)  # fmt: skip
def test_a_visit_says_what_it_is_to_a_kpi(
    kpi: str, end: Any, verdict: str, numbers: tuple[int, int], why: str | None
) -> None:
    entered = offered() if end is None else offered((end.entered_ms - T0) // 1000)
    (row,) = rows(kpi, entered, *([end] if end else []))
    assert (row.verdict, (row.numerator, row.denominator)) == (verdict, numbers)
    assert why is None or row.why == (why,)


def test_a_contact_that_comes_back_has_a_row_for_each_visit() -> None:
    facts = (offered(0), left(9), offered(60), answered(5, 60))
    first, second = rows("abandonment_ratio", *facts)
    assert (first.verdict, second.verdict) == (COUNTED, AGAINST)
    assert {kind for kind, _ in second.facts} == {VisitOffered, VisitAnswered}


def test_a_contact_without_a_visit_or_a_fact_of_the_kpi_has_no_row() -> None:
    assert rows("contacts_abandoned", answered(9)) == []
