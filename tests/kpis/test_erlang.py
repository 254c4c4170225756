"""Queues whose answer is known: Erlang C and Erlang A through all five stages.

Three things are compared, each by what it can be held to:

* the closed forms with published numbers, to the last digit published;
* a simulated queue with the closed forms, within four standard errors of a long run (batch means);
* the pipeline with the very calls it was sent, exactly, and with the closed forms, within four
  standard errors of a run of that length: those of the long run times the root of how much longer
  it is.  (A short run of a busy queue does not know its own error: the jam it did not have is not
  in its batches.)

T is the wait of one of the calls, so whether it is inclusive makes a difference.  In every other
hour it is 0: then the visits not answered in T are those that waited.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from math import sqrt
from statistics import mean, stdev
from typing import Any, NamedTuple

import pytest

from streams.core.terms import DAY_MS, HOUR_MS, Dated, QueueTerms, Terms
from tests.erlang import Queue, erlang
from tests.pipeline import Pipeline
from tests.simulated_queue import Call, log_lines, simulate

START_MS = 1_791_158_400_000
"""A whole hour: 2026-10-05T00:00:00Z."""
LONG, SHORT = 200_000, 6_000
BATCHES = 40
SIGMAS = 4
RATE = 100 / 1800
QUEUES = {
    "erlang-c": Queue(RATE, 1 / 180, 14),
    "erlang-c-calm": Queue(RATE, 1 / 36, 4),
    "erlang-a": Queue(RATE, 1 / 180, 10, 120),
}
"""The published ones: 100 calls in half an hour of 180 s each, for 14 agents; and for 10, with
callers whose patience lasts 2 minutes on average.  Between them a queue that forgets sooner, so
that a short run says more about it."""


@pytest.mark.parametrize(
    ("agents", "patience_s", "published"),
    [
        (14, None, {"waits": 0.174132, "service_level": 0.888350, "occupancy": 0.714286}),
        (10, 120, {"waits": 0.496853, "abandons": 0.137464, "occupancy": 0.862536}),
        (14, 120, {"waits": 0.126976, "abandons": 0.022839, "occupancy": 0.697972}),
    ],
)
def test_the_closed_forms_are_the_published_ones(
    agents: int, patience_s: float | None, published: dict[str, float]
) -> None:
    found = erlang(Queue(RATE, 1 / 180, agents, patience_s), 20)._asdict()
    assert {name: round(found[name], 6) for name in published} == published
    waits: dict[Any, float] = {(14, None): 7.83594, (10, 120): 16.4957, (14, 120): 2.74071}
    assert found["wait_s"] == pytest.approx(waits[agents, patience_s], rel=5e-6)


def test_the_closed_forms_agree_with_each_other() -> None:
    patient = QUEUES["erlang-c"]
    nearly = erlang(patient._replace(patience_s=1e8), 20)
    assert nearly == pytest.approx(erlang(patient, 20), abs=1e-4)
    impatient = QUEUES["erlang-a"]
    at_once, for_ever = erlang(impatient, 0), erlang(impatient, 1e5)
    assert at_once.service_level == pytest.approx(1 - at_once.waits)
    assert for_ever.service_level == pytest.approx(1 - for_ever.abandons)
    assert at_once.abandons * 120 == pytest.approx(at_once.wait_s)


# -- the queue, simulated


class Estimate(NamedTuple):
    """A mean over calls, and its standard error by batch means."""

    value: float
    error: float


def estimate(calls: Sequence[Call], of: Callable[[Sequence[Call]], float]) -> Estimate:
    """Calls that follow one another are alike; batches of thousands hardly are."""
    size = len(calls) // BATCHES
    batches = [of(calls[i * size : (i + 1) * size]) for i in range(BATCHES)]
    return Estimate(mean(batches), stdev(batches) / sqrt(BATCHES))


def answered(calls: Iterable[Call]) -> list[Call]:
    return [call for call in calls if call.talk_ms is not None]


def wait_s(calls: Sequence[Call]) -> float:
    return mean(call.wait_ms for call in calls) / 1000


def answered_in(calls: Sequence[Call], threshold_ms: int) -> int:
    return sum(call.wait_ms <= threshold_ms for call in answered(calls))


@cache
def estimates(name: str) -> dict[str, Estimate]:
    """The figures of a long run; T is 20 s."""
    queue = QUEUES[name]
    figures: dict[str, Callable[[Sequence[Call]], float]] = {
        "waits": lambda calls: mean(call.wait_ms > 0 for call in calls),
        "service_level": lambda calls: answered_in(calls, 20_000) / len(calls),
        "abandons": lambda calls: 1 - len(answered(calls)) / len(calls),
        "answer_speed_s": lambda calls: wait_s(answered(calls)),
        "wait_s": wait_s,
        "occupancy": lambda calls: busy(calls, queue.agents),
    }
    calls = simulate(queue, LONG, 1, START_MS)
    return {figure: estimate(calls, of) for figure, of in figures.items()}


def busy(calls: Sequence[Call], agents: int) -> float:
    """Talk time over the time of all agents while these calls came."""
    talk_ms = sum(call.talk_ms or 0 for call in calls)
    return talk_ms / (agents * (calls[-1].entered_ms - calls[0].entered_ms))


@pytest.mark.parametrize("name", QUEUES)
def test_the_simulated_queue_comes_to_the_closed_form(name: str) -> None:
    wanted = erlang(QUEUES[name], 20)._asdict()
    for figure, found in estimates(name).items():
        assert abs(found.value - wanted[figure]) <= SIGMAS * found.error, (figure, found, wanted)
        assert found.error <= 0.06 * wanted[figure], (figure, found)


# -- and sent through the stages


class Run(NamedTuple):
    """The calls, T of every other hour, and what the pipeline makes of them."""

    calls: list[Call]
    threshold_ms: int
    sums: Counter[tuple[str, str, str]]

    def quotient(self, kpi: str, hours: str = "all") -> tuple[float, float]:
        """Numerator and denominator of a ratio or mean over these hours."""
        return self.sums[kpi, hours, "numerator"], self.sums[kpi, hours, "denominator"]

    def ratio(self, kpi: str, hours: str = "all") -> float:
        over, under = self.quotient(kpi, hours)
        return over / under


def hours_of(time_ms: int) -> str:
    return "at T" if (time_ms - START_MS) // HOUR_MS % 2 == 0 else "at 0"


@cache
def run(name: str) -> Run:
    queue = QUEUES[name]
    calls = simulate(queue, SHORT, 2, START_MS)
    waits = [c.wait_ms for c in answered(calls) if hours_of(c.entered_ms) == "at T"]
    threshold_ms = min(waits, key=lambda wait_ms: abs(wait_ms - 20_000))
    ended_ms = max(call.gone_ms for call in calls)
    hours = range(START_MS, ended_ms, HOUR_MS)
    dated = [Dated(h, QueueTerms(threshold_ms if hours_of(h) == "at T" else 0)) for h in hours]
    pipeline = Pipeline("asterisk_queue_log", Terms(queues={name: dated}))
    pipeline.lines(log_lines(calls, name, queue.agents))
    pipeline.tick(ended_ms + DAY_MS)
    assert not pipeline.letters
    return Run(calls, threshold_ms, summed(pipeline.results()))


def summed(results: Iterable[dict[str, Any]]) -> Counter[tuple[str, str, str]]:
    """Numerators and denominators of the queue's hours, added up by KPI and kind of hour."""
    sums: Counter[tuple[str, str, str]] = Counter()
    for row in results:
        if row["window"]["kind"] != "hour" or row["key"].keys() == {"channel"}:
            continue
        hour = int(row["window"]["start"][11:13])
        for hours in ("all", "at T" if hour % 2 == 0 else "at 0"):
            for part in ("numerator", "denominator"):
                sums[row["kpi"], hours, part] += row[part] or 0
    return sums


@pytest.mark.parametrize("name", QUEUES)
def test_the_pipeline_counts_the_very_calls_it_was_sent(name: str) -> None:
    calls, threshold_ms, _ = run(name)
    assert threshold_ms == pytest.approx(20_000, abs=200)
    for hours, limit_ms in (("at T", threshold_ms), ("at 0", 0)):
        of_hours = [call for call in calls if hours_of(call.entered_ms) == hours]
        in_time = answered_in(of_hours, limit_ms)
        assert run(name).quotient("service_level_neg", hours) == (in_time, len(of_hours))
        assert in_time > answered_in(of_hours, limit_ms - 1), "T itself must be among them"
    waited_s = sum(call.wait_ms for call in answered(calls)) / 1000
    given_up = [call for call in calls if call.talk_ms is None]
    assert run(name).quotient("answer_speed_mean") == pytest.approx(
        (waited_s, len(answered(calls)))
    )
    if name == "erlang-a":
        assert run(name).quotient("abandonment_ratio") == (len(given_up), len(calls))
        gave_up_s = sum(call.wait_ms for call in given_up) / 1000
        assert run(name).quotient("abandonment_wait_mean") == pytest.approx(
            (gave_up_s, len(given_up))
        )


@pytest.mark.parametrize("name", QUEUES)
def test_agents_are_as_busy_as_their_calls(name: str) -> None:
    calls, _, sums = run(name)
    busy_s = sum(call.talk_ms or 0 for call in calls) / 1000
    there_s = (max(call.gone_ms for call in calls) - calls[0].entered_ms) / 1000
    talking = sums["agent_state_time_talking", "all", "numerator"]
    idle = sums["agent_state_time_idle", "all", "numerator"]
    assert talking == pytest.approx(busy_s)
    assert talking + idle == pytest.approx(there_s * QUEUES[name].agents)


@pytest.mark.parametrize("name", QUEUES)
def test_the_pipeline_comes_to_the_closed_form(name: str) -> None:
    found = run(name)
    wanted = erlang(QUEUES[name], found.threshold_ms / 1000)._asdict()
    waited, count = found.quotient("answer_speed_mean")
    gave_up, others = found.quotient("abandonment_wait_mean")
    talking = found.sums["agent_state_time_talking", "all", "numerator"]
    idle = found.sums["agent_state_time_idle", "all", "numerator"]
    half, whole = sqrt(LONG / (SHORT / 2)), sqrt(LONG / SHORT)
    figures = {
        "service_level": (found.ratio("service_level_neg", "at T"), half),
        "waits": (1 - found.ratio("service_level_neg", "at 0"), half),
        "abandons": (found.ratio("abandonment_ratio"), whole),
        "answer_speed_s": (waited / count, whole),
        "wait_s": ((waited + gave_up) / (count + others), whole),
        "occupancy": (talking / (talking + idle), whole),
    }
    for figure, (value, longer) in figures.items():
        error = estimates(name)[figure].error * longer
        assert abs(value - wanted[figure]) <= SIGMAS * error, (figure, value, error, wanted)
