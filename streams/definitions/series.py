"""What the exporter's series can come to, from the definitions.

One pair of queue and channel costs at most ``per_pair`` series, each queue ``per_queue`` more, and
what knows no queue ``fixed`` in all.  A worker shows at most ``metrics.label_sets_max`` pairs, so
there is a bound whatever the platforms send.  The worker's own metrics (partitions, lag, seals)
come on top; they grow with its partitions, not with queues.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod
from typing import NamedTuple, get_args

from streams.core.kpi import NOW, WINDOWS, Kpi
from streams.core.measure import QUEUE, Cut
from streams.core.vocabulary import CHANNELS, Direction, Stage
from streams.core.window import FIXED
from streams.kpis import ALL_KPIS
from streams.kpis.agents import STATES
from streams.metrics import COUNTERS, HISTOGRAMS

HOURS = 24
VALUES: Mapping[str, int] = {
    "channel": len(CHANNELS),
    "state": len(STATES),
    "direction": len(get_args(Direction)),
    "stage": len(get_args(Stage)),
}
"""How many values a label has at most; a queue's are capped instead."""


class Series(NamedTuple):
    """Series at most; see the module.  They add up part by part."""

    per_pair: int = 0
    per_queue: int = 0
    fixed: int = 0

    def plus(self, other: Series) -> Series:
        return Series(*(mine + its for mine, its in zip(self, other, strict=True)))

    def at_most(self, pairs: int) -> int:
        """The bound for so many pairs: each of them may be a queue of its own."""
        return pairs * (self.per_pair + self.per_queue) + self.fixed


def series(kpis: Iterable[Kpi] = ALL_KPIS, windows: Iterable[str] = WINDOWS) -> Series:
    """The bound for these KPIs in these windows, counters and histograms included."""
    shown = (*windows, *NOW)
    kpis = tuple(kpi for kpi in kpis if kpi.metric is not None)
    total = _counted().plus(_window_times(kpis, shown)).plus(_revisions(kpis, shown))
    for kpi in kpis:
        total = total.plus(_of_cut(kpi.cuts[0], _places(kpi.windows, shown)))
    return total


def _of_cut(cut: Cut, count: int) -> Series:
    if cut == QUEUE:
        return Series(per_pair=count)
    values = prod(VALUES[name] for name in cut.dimensions if name != "queue")
    if "queue" in cut.dimensions:
        return Series(per_queue=count * values)
    return Series(fixed=count * values)


def _places(windows: Iterable[str], shown: Iterable[str]) -> int:
    """Rows of one KPI and key: windows of the clock are shown open and closed."""
    return sum(2 if kind in FIXED else 1 for kind in set(windows) & set(shown))


def _revisions(kpis: Iterable[Kpi], shown: Iterable[str]) -> Series:
    """One for each label set that a gauge of the cut can have; see ``revision_families``."""
    windows: dict[tuple[Cut, bool], set[str]] = {}
    for kpi in kpis:
        windows.setdefault((kpi.cuts[0], kpi.windows == NOW), set()).update(kpi.windows)
    total = Series()
    for (cut, _), kinds in windows.items():
        total = total.plus(_of_cut(cut, _places(kinds, shown)))
    return total


def _window_times(kpis: Iterable[Kpi], shown: Iterable[str]) -> Series:
    """The end of every window shown, and how far it was computed."""
    kinds = {kind for kpi in kpis if kpi.cuts[0] == QUEUE for kind in kpi.windows} - set(NOW)
    return Series(per_pair=2 * _places(kinds, shown))


def _counted() -> Series:
    """Counters, each with its corrections, histograms, the hours of the day, the threshold."""
    counters = sum(len(counter.measures) for counter in COUNTERS)
    histograms = sum(len(h.buckets.bounds_ms) + 3 for h in HISTOGRAMS)
    return Series(per_pair=2 * counters + histograms + HOURS, per_queue=1)
