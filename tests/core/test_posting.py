"""Posting a fact: the generated code does what the definition says, cell by cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core import facts
from streams.core.agent_facts import StateSlice
from streams.core.facts import Fact, StagePassed, VisitAnswered, VisitLeft
from streams.core.measure import (
    CHANNEL,
    QUEUE,
    STAFF,
    Amounts,
    CutKey,
    Is,
    Known,
    Measure,
    Post,
    Within,
    compile_measures,
    rolled_up,
)
from streams.core.posting import generate_post
from streams.core.terms import Dated, QueueTerms, Terms
from streams.core.vocabulary import LeftOutcome
from streams.kpis import ALL_MEASURES
from tests.builders import T0

WORDS = ("PS", "IN", "voice", "abandoned", "no_answer", "blind", "idle", "transfer", "callback")
BORDERS = (0, 1, 4_999, 5_000, 5_001, 20_000, 20_001, 30_000, 3_600_000, 3_600_001)
TIMES = st.sampled_from([T0 + shift for shift in (-1, 0, 1, 59_999, 60_000, 3_600_000)])


def asked_words() -> dict[str, list[str]]:
    """The words that some measure asks a field for."""
    found: dict[str, list[str]] = {}
    for condition in (c for measure in ALL_MEASURES for c in measure.where):
        values = (getattr(condition, "value", None), *getattr(condition, "values", ()))
        words = [value for value in values if isinstance(value, str)]
        if words:
            found.setdefault(getattr(condition, "field", ""), []).extend(words)
    return {field: sorted(set(words)) for field, words in found.items()}


ASKED = asked_words()


def values_of(name: str, hint: Any) -> st.SearchStrategy[Any]:
    if hint is bool:
        return st.booleans()
    asked = ASKED.get(name)
    if hint is str:
        words = st.sampled_from((*WORDS, *get_args(LeftOutcome)))
        return st.sampled_from(asked) | words if asked else words
    if hint == str | None:
        return st.none() | st.sampled_from(WORDS)
    known: st.SearchStrategy[Any] = (
        TIMES if name in TIME_FIELDS else st.one_of(st.sampled_from(BORDERS), st.integers(0, 10**7))
    )
    return known if hint is int else st.one_of(st.none(), known)


TIME_FIELDS = frozenset(
    (
        "entered_ms",
        "answered_ms",
        "left_ms",
        "ended_ms",
        "at_ms",
        "from_ms",
        "until_ms",
        "created_ms",
        "solved_ms",
    )
)


def facts_of(kind: type) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind, vars(facts))
    return st.builds(kind, *(values_of(name, hints[name]) for name in kind._fields))  # type: ignore[attr-defined]


FACTS: st.SearchStrategy[Fact] = st.one_of([facts_of(kind) for kind in get_args(Fact)])
TERMS = Terms(
    QueueTerms(20_000, 5_000),
    {"PS": [Dated(0, QueueTerms(10_000, 1_000)), Dated(T0, QueueTerms(30_000, 4_999))]},
)


def long_wait(fact: Any, terms: Terms) -> bool:
    return fact.wait_ms is not None and bool(fact.wait_ms > 100)


ODD: tuple[Measure, ...] = (
    Measure("plain", VisitLeft, "left_ms", ""),
    Measure("summed", VisitLeft, "left_ms", "", value="wait_ms"),
    Measure("own condition", VisitLeft, "left_ms", "", where=(long_wait,)),
    Measure("two", VisitLeft, "entered_ms", "", where=(Is("outcome", "key"), Known("wait_ms"))),
    Measure("within", VisitAnswered, "entered_ms", "", where=(Within("wait_ms", "threshold_ms"),)),
    Measure("buckets", VisitAnswered, "entered_ms", "", value="wait_ms", bounds_ms=(0, 5_000)),
    Measure("one cut", VisitAnswered, "answered_ms", "", cuts=(CHANNEL,)),
    Measure("turned", VisitAnswered, "answered_ms", "", cuts=(CHANNEL, QUEUE)),
    Measure("property", StateSlice, "from_ms", "", value="duration_ms", cuts=(STAFF,)),
)
"""Definitions that no KPI has (yet)."""

Touched = set[tuple[CutKey, int]]


def posted(post: Post, signed: list[tuple[Fact, int]]) -> tuple[dict[Any, Amounts], Touched]:
    """The sums, rolled up, and the cells that were asked for: asking marks them as changed."""
    cells: dict[tuple[CutKey, int], Amounts] = {}
    touched: Touched = set()

    totals: dict[tuple[CutKey, int], tuple[CutKey, int]] = {}

    def cell(cut: CutKey, minute: int, total: str | None = None) -> Amounts:
        touched.add((cut, minute))
        if total is not None:
            totals[cut, minute] = (rolled_up(cut, total), minute)
        return cells.setdefault((cut, minute), {})

    for fact, sign in signed:
        post(fact, sign, cell)
    for part, total in totals.items():
        touched.add(total)
        sums = cells.setdefault(total, {})
        for name, amount in cells[part].items():
            sums[name] = sums.get(name, 0) + amount
    return cells, touched


UNKNOWN = (
    Measure("passed", StagePassed, "entered_ms", ""),
    Measure("of them given up", StagePassed, "entered_ms", "", where=(Is("abandoned", True),)),
)
"""A queue that may not be known: the channel counts what no queue does."""
QUEUE_ONLY = (
    Measure("both", VisitLeft, "left_ms", ""),
    Measure("queue only", VisitLeft, "left_ms", "", cuts=(QUEUE,)),
)
"""The channel is not the sum of its queues."""
DEFINED = pytest.mark.parametrize(
    "measures",
    [ALL_MEASURES, ODD, UNKNOWN, QUEUE_ONLY],
    ids=["all", "odd", "queue unknown", "queue only"],
)


@DEFINED
def test_generated_code_posts_what_the_definition_says(measures: tuple[Measure, ...]) -> None:
    by_definition, generated = (make(measures, TERMS) for make in MAKERS)

    @given(st.lists(st.tuples(FACTS, st.sampled_from((1, -1, 2))), max_size=8))
    def same(signed: list[tuple[Fact, int]]) -> None:
        assert posted(generated, signed) == posted(by_definition, signed)

    same()


MAKERS: tuple[Callable[[tuple[Measure, ...], Terms], Post], ...] = (
    compile_measures,
    generate_post,
)


@pytest.mark.parametrize("make", MAKERS)
def test_posting_a_fact_and_taking_it_back_leaves_nothing(make: Callable[..., Post]) -> None:
    post = make(ALL_MEASURES, TERMS)

    @given(FACTS)
    def nothing(fact: Fact) -> None:
        cells, _ = posted(post, [(fact, 1), (fact, -1)])
        assert not any(amount for cell in cells.values() for amount in cell.values())

    nothing()


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("entered_ms", "wait_ms", "counts"),
    [(T0 - 1, 10_000, 1), (T0 - 1, 10_001, 0), (T0, 30_000, 1), (T0, 30_001, 0), (T0, None, 0)],
)
def test_a_threshold_is_inclusive_and_the_one_in_force_when_the_visit_began(
    make: Callable[..., Post], entered_ms: int, wait_ms: int | None, counts: int
) -> None:
    answered = VisitAnswered("PS", "voice", entered_ms, T0 + 50_000, wait_ms)
    cells, _ = posted(make(ODD, TERMS), [(answered, 1)])
    found = cells.get((("queue", "PS", "voice"), entered_ms // 60_000), {})
    assert found.get("within", 0) == counts


@pytest.mark.parametrize("make", MAKERS)
def test_a_fact_that_adds_nothing_touches_no_cell(make: Callable[..., Post]) -> None:
    only = (Measure("keys", VisitLeft, "left_ms", "", where=(Is("outcome", "key"),)),)
    empty = VisitLeft("PS", "voice", T0, T0, 0, "empty")
    assert posted(make(only, TERMS), [(empty, 1)]) == ({}, set())
