"""One real day of a call centre: the definitions give the numbers that are expected of its log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import streams
from streams.core.facts import Fact, LegEnded, VisitAnswered, VisitLeft, VisitOffered
from streams.core.kpi import Level, Oldest, Value
from streams.core.measure import Amounts, CutKey, Post, compile_measures
from streams.core.partials import RunningSegment
from streams.core.posting import generate_post
from streams.core.terms import Terms
from streams.kpis import ALL_KPIS, ALL_MEASURES

DAY = Path(streams.__file__).parent / "data" / "one_day"
EXPECTED = json.loads((DAY / "expected.json").read_text())["by_queue"]
VALUES = {
    "offered": "contacts_offered",
    "answered": "contacts_answered",
    "abandoned": "contacts_abandoned",
    "abandoned_5s": "contacts_abandoned_short",
    "abandonment_ratio": "abandonment_ratio",
    "asa_s": "answer_speed_mean",
    "mean_talk_s": "talk_time_mean",
    "sl_answered_20": "service_level_answered",
    "sl_late_ab_20": "service_level_late_ab",
    "sl_neg_20": "service_level_neg",
    "sl_pos_20": "service_level_pos",
    "sl_short_pos_20": "service_level_short_pos",
}
NUMERATORS = {
    "wait_answered_s": "answer_speed_mean",
    "wait_abandoned_s": "abandonment_wait_mean",
    "talk_s": "talk_time_mean",
    "answered_20s": "service_level_neg",
}


def facts() -> Iterator[Fact]:
    """The log's facts, in the dumbest way: this log has no transfer, no re-entry and no gap."""
    entered = {}
    for line in (DAY / "queue_log").read_text().splitlines():
        time, call, queue, _, verb, *parameters = line.split("|")
        at = int(time) * 1000
        if verb == "ENTERQUEUE":
            entered[call] = at
            yield VisitOffered(queue, "voice", at, False, False)
        elif verb == "CONNECT":
            wait = int(parameters[0]) * 1000
            yield VisitAnswered(queue, "voice", entered[call], at, wait)
        elif verb == "ABANDON":
            wait = int(parameters[2]) * 1000
            yield VisitLeft(queue, "voice", entered[call], at, wait, "abandoned")
        else:
            yield LegEnded(queue, "voice", at, int(parameters[1]) * 1000, 0, "agent")


def added_up(post: Post) -> dict[CutKey, Amounts]:
    """Cut key -> what the whole day adds up to."""
    running = RunningSegment("contacts/0")
    for fact in facts():
        post(fact, 1, running.cell)
    totals: dict[CutKey, Amounts] = {}
    for partial in running.take_changed():
        sums = totals.setdefault(partial.cut, {})
        for name, amount in partial.amounts.items():
            sums[name] = sums.get(name, 0) + amount
    return totals


@pytest.fixture(scope="module", params=[compile_measures, generate_post])
def day(request: pytest.FixtureRequest) -> dict[CutKey, Amounts]:
    compiled: Callable[..., Post] = request.param
    return added_up(compiled(ALL_MEASURES, Terms()))


def evaluate(name: str, amounts: Amounts) -> Value | None:
    formula = next(k.formula for k in ALL_KPIS if k.name == name)
    assert not isinstance(formula, Level | Oldest)
    return formula.compiled()(amounts, -1)


@pytest.mark.parametrize("queue", EXPECTED)
def test_every_number_of_every_queue_comes_out_exactly(
    day: dict[CutKey, Amounts], queue: str
) -> None:
    cut = ("channel", "voice") if queue == "__all__" else ("queue", queue, "voice")
    expected: dict[str, Any] = EXPECTED[queue]
    for key, name in VALUES.items():
        found = evaluate(name, day[cut])
        assert found is not None
        assert found.value == expected.get(key, 0), name
    for key, name in NUMERATORS.items():
        found = evaluate(name, day[cut])
        assert (found.numerator if found else 0) == expected.get(key, 0), name
    still_open = evaluate("contacts_open", day[cut])
    assert still_open is not None
    assert still_open.value == 0
