"""Speed of answer: how long answered visits had waited.

An immediate answer (0 s) belongs in the mean; abandoned waits have a mean of their own
(``abandonment``).  A visit counts in the interval it was offered in, like the service level, so
that the two can be read side by side.

Percentiles come from fixed buckets, so they add up over queues, days and workers: the value is the
upper bound of the bucket, never better than its width, and there is none beyond an hour.
"""

from __future__ import annotations

from streams.core.facts import VisitAnswered
from streams.core.kpi import Distribution, Kpi, Mean, Quantile
from streams.core.measure import Known, Measure

BOUNDS_MS = tuple(
    s * 1000 for s in (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1800, 3600)
)
"""Buckets: the thresholds in use in service levels, then coarser.  Others are another meaning."""

WAIT_MS = Measure(
    "cohort_answer_wait_ms",
    VisitAnswered,
    "entered_ms",
    "waits of answered visits in ms, at the time they began",
    value="wait_ms",
)
WAITS = Measure(
    "cohort_answer_waits",
    VisitAnswered,
    "entered_ms",
    "answered visits whose wait is known, at the time they began",
    where=(Known("wait_ms"),),
)
WAIT = Measure(
    "cohort_answer_wait",
    VisitAnswered,
    "entered_ms",
    "waits of answered visits by length, at the time they began",
    value="wait_ms",
    bounds_ms=BOUNDS_MS,
)

MEASURES = (WAIT_MS, WAITS, WAIT)


def _quantile(percent: int) -> Kpi:
    return Kpi(
        name=f"answer_wait_p{percent}",
        family="speed",
        help=f"Within this time {percent} % of the answered visits were answered: "
        "the upper bound of the bucket that holds it.",
        unit="seconds",
        formula=Quantile(WAIT, percent / 100),
        attribution="cohort",
    )


KPIS = (
    Kpi(
        name="answer_speed_mean",
        family="speed",
        help="ASA: the wait of answered visits over their number, immediate answers included. "
        "Amazon average queue answer time; Asterisk's holdtime is a smoothed figure and not this.",
        unit="seconds",
        formula=Mean((WAIT_MS.name,), (WAITS.name,)),
        attribution="cohort",
        metric="cc_window_answer_speed_mean_seconds",
    ),
    Kpi(
        name="answer_wait_distribution",
        family="speed",
        help="Answered visits by how long they had waited; a bucket holds waits up to and "
        "including its bound.",
        unit="contacts",
        formula=Distribution(WAIT),
        attribution="cohort",
    ),
    _quantile(50),
    _quantile(90),
    _quantile(95),
)
