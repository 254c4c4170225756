"""The terms, cuts and KPIs that the tests of the board share.

Times are minutes after ``MINUTE``, ten minutes before a local midnight in Berlin.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from streams.core.facts import VisitAnswered
from streams.core.kpi import NOW, Count, Distribution, Kpi, Level, Mean, Oldest, Ratio
from streams.core.measure import CHANNEL, QUEUE, CutKey, Measure
from streams.core.terms import HOUR_MS, MINUTE_MS, Dated, QueueTerms, Terms

GRACE_MS = 2 * MINUTE_MS
BERLIN = "Europe/Berlin"
START_MS = int(datetime(2026, 3, 28, 22, 50, tzinfo=UTC).timestamp()) * 1000
"""Ten minutes before the local midnight of a day of 23 hours."""
MINUTE = START_MS // MINUTE_MS

A: CutKey = ("queue", "A", "voice")
B: CutKey = ("queue", "B", "voice")
VOICE: CutKey = ("channel", "voice")
CUTS = (A, B, VOICE)
TERMS = Terms(QueueTerms(), {"A": [Dated(0, QueueTerms(zone=BERLIN))]}, grace_ms=GRACE_MS)
ZONES = {A: BERLIN, B: "UTC", VOICE: "UTC"}

RIPE_MS = 45 * MINUTE_MS
"""How long the last of the KPIs takes to mature."""
WAIT = Measure("wait", VisitAnswered, "answered_ms", "waits", "wait_ms", bounds_ms=(10_000, 20_000))
AMOUNTS = ("offered", "answered", "wait_ms", "wait:0", "wait:1", "wait:2", "ripe")


def kpi(name: str, formula: Any, windows: tuple[str, ...] | None = None) -> Kpi:
    """With a gauge, by queue and channel."""
    cuts = (QUEUE, CHANNEL)
    made = Kpi(name, "test", "A test.", "contacts", formula, "event", cuts, metric=f"cc_{name}")
    return made if windows is None else made._replace(windows=windows)


KPIS = (
    kpi("offered", Count(("offered",))),
    kpi("missed", Count(("offered", "-answered"))),
    kpi("level", Ratio(("answered",), ("offered",))),
    kpi("speed", Mean(("wait_ms",), ("answered",))),
    kpi("waits", Distribution(WAIT)),
    kpi("ripe", Ratio(("ripe",), ("offered",)), ("hour",))._replace(matures_ms=20 * MINUTE_MS),
    kpi("riper", Ratio(("answered",), ("offered",)), ("hour",))._replace(matures_ms=RIPE_MS),
    kpi("waiting", Level("waiting"), NOW),
    kpi("longest", Oldest("oldest_ms"), NOW),
)
SUMMED = KPIS[:7]
"""The KPIs of windows; the others are levels."""

KEEP_MS = 26 * HOUR_MS
