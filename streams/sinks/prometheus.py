"""KPIs and the worker as Prometheus metrics, built anew at each scrape from what the worker owns.

Nothing is kept between scrapes but which label sets were admitted: a row that is gone, or a
partition that was revoked, is gone from the next scrape, and Prometheus marks it stale at once.

The scrape runs in a thread of its own while the worker changes its dictionaries.  Each is copied in
one step before it is read; a copy that meets a change half-way is tried again.
"""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any, NamedTuple, Protocol

from prometheus_client import (
    CollectorRegistry,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import (
    Metric,
)
from prometheus_client.registry import Collector

from streams import metrics
from streams.core.judging import MachineKey, Shown
from streams.core.kpi import NOW, WINDOWS, Kpi
from streams.core.measure import QUEUE, CutKey
from streams.core.rows import Row, RowKey
from streams.core.terms import Terms
from streams.kpis import ALL_KPIS
from streams.metrics import Family, WorkerView
from streams.sinks.building import (
    corrections,
    counter,
    empty,
    histogram,
    single,
    worker_metrics,
)
from streams.sinks.copying import copied
from streams.sinks.targets import target_metrics

LABEL_SETS_MAX = 100
"""Pairs of queue and channel; ``streams.definitions.series`` computes what one costs."""

Place = tuple[str, ...]
"""Label values that cost series: (queue, channel), or (queue,) where there is no channel."""


_Latest = dict[tuple[str, ...], tuple[int, int]]
"""Labels of a window -> its end and the newest update of its rows, in ms."""
_Revisions = dict[tuple[CutKey, str, str], int]
"""(Cut key, kind of window, state) -> revision."""


class BoardRows(Protocol):
    """What the exporter reads of a board stage; ``counted`` and ``corrections`` never fall."""

    @property
    def rows(self) -> Mapping[RowKey, Row]: ...
    @property
    def counted(self) -> Mapping[tuple[CutKey, str], int]: ...
    @property
    def corrections(self) -> Mapping[tuple[CutKey, str], int]: ...
    @property
    def hours(self) -> Mapping[tuple[CutKey, int], int]: ...
    @property
    def revisions(self) -> Mapping[tuple[CutKey, str, str], int]: ...
    @property
    def targets(self) -> Mapping[MachineKey, Shown]: ...


class _Gauge(NamedTuple):
    """How the rows of one KPI become samples."""

    family: Family
    cut: str
    windowed: bool
    constant: tuple[str, ...]


class _Snapshot(NamedTuple):
    """One moment of all boards.  A row in two boards (a move is under way) is the newer one."""

    rows: dict[RowKey, Row]
    counted: Tally[tuple[CutKey, str]]
    corrections: Tally[tuple[CutKey, str]]
    hours: dict[tuple[CutKey, int], int]
    revisions: _Revisions
    targets: dict[MachineKey, Shown]


_CUTS_WITH_QUEUE = frozenset(
    cut.name for k in ALL_KPIS for cut in k.cuts if cut.dimensions[:1] == ("queue",)
)


class _Admission:
    """Which places are exported: first those of the scrape before, then new ones in order."""

    def __init__(self, places_max: int) -> None:
        self._places_max = places_max
        self.places: frozenset[Place] = frozenset()
        self.queues: frozenset[str] = frozenset()

    def admit(self, wanted: frozenset[Place]) -> None:
        kept = self.places & wanted
        room = max(0, self._places_max - len(kept))
        self.places = kept | frozenset(sorted(wanted - kept)[:room])
        self.queues = frozenset(place[0] for place in self.places)

    def allows(self, cut: CutKey) -> bool:
        """A cut without a queue always; one with a queue and no channel goes with its queue."""
        if cut[0] == QUEUE.name:
            return cut[1:] in self.places
        return cut[0] not in _CUTS_WITH_QUEUE or cut[1] in self.queues


class KpiCollector(Collector):
    """A prometheus_client collector over the board stages a worker owns.

    ``boards`` and ``worker`` are asked at each scrape.  ``windows`` are the kinds of windows shown;
    ``label_sets_max`` bounds the pairs of queue and channel: those beyond it are left out, not
    merged, and counted.  ``clock`` (seconds) only looks up the terms in force now.
    """

    def __init__(
        self,
        boards: Callable[[], Iterable[BoardRows]],
        worker: Callable[[], WorkerView] = WorkerView,
        terms: Terms | None = None,
        *,
        kpis: Iterable[Kpi] = ALL_KPIS,
        windows: Iterable[str] = WINDOWS,
        label_sets_max: int = LABEL_SETS_MAX,
        clock: Callable[[], float] = time.time,
    ) -> None:
        kpis = tuple(kpis)
        self._boards = boards
        self._worker = worker
        self._terms = terms or Terms()
        self._windows = frozenset((*windows, *NOW))
        self._clock = clock
        self._families = tuple(metrics.all_families(kpis))
        self._gauges = _gauges(kpis)
        self._revisions = _revisions(kpis)
        self._admission = _Admission(label_sets_max)

    def describe(self) -> list[Metric]:
        """Every metric without samples: for clashes of names and the ``name[]`` filter."""
        return [empty(family) for family in self._families]

    @property
    def gauge_names(self) -> frozenset[str]:
        """The gauges of KPIs: what ``collect_gauges`` can be asked for."""
        return frozenset(gauge.family.name for gauge in self._gauges.values())

    def collect_gauges(self, names: Set[str]) -> Iterator[Metric]:
        """Some gauges and nothing else: a fraction of the time, for who looks often."""
        seen = _snapshot(self._boards())
        self._admission.admit(_places(seen))
        gauges = {name: g for name, g in self._gauges.items() if g.family.name in names}
        built, _ = self._gauge_metrics(seen.rows, gauges, Tally())
        yield from built

    def collect(self) -> Iterator[Metric]:
        began = time.perf_counter()
        seen = _snapshot(self._boards())
        self._admission.admit(_places(seen))
        dropped = Tally[str]()
        collected = [
            *self._kpi_metrics(seen, dropped),
            *self._counter_metrics(seen, dropped),
            self._intraday(seen, dropped),
            *target_metrics(seen.targets, self._admission.allows, dropped),
            *worker_metrics(self._worker()),
        ]
        yield from collected
        yield single(metrics.LABEL_SETS, len(self._admission.places))
        yield single(metrics.DROPPED, dropped.total())
        yield single(metrics.COLLECT_SECONDS, time.perf_counter() - began)

    # -- gauges

    def _kpi_metrics(self, seen: _Snapshot, dropped: Tally[str]) -> list[Metric]:
        built, latest = self._gauge_metrics(seen.rows, self._gauges, dropped)
        return [
            *built,
            *_window_times(latest),
            *self._revision_metrics(seen.revisions, dropped),
            self._thresholds(),
        ]

    def _gauge_metrics(
        self, rows: Mapping[RowKey, Row], gauges: Mapping[str, _Gauge], dropped: Tally[str]
    ) -> tuple[list[Metric], _Latest]:
        built = {g.family.name: empty(g.family) for g in gauges.values()}
        latest: _Latest = {}
        for (name, cut, window, state), row in rows.items():
            gauge = gauges.get(name)
            if gauge is None or cut[0] != gauge.cut or window not in self._windows:
                continue
            if not self._admission.allows(cut):
                dropped["rows"] += 1
                continue
            labels = cut[1:]
            if gauge.windowed:
                labels = (*labels, window, state)
                if cut[0] == QUEUE.name:  # the windows' times have its labels, and no other cut's
                    times = (row.end_ms, row.updated_mark_ms)
                    latest[labels] = max(latest.get(labels, (0, -1)), times)
            built[gauge.family.name].add_metric((*labels, *gauge.constant), row.value)
        return list(built.values()), latest

    def _revision_metrics(self, revisions: _Revisions, dropped: Tally[str]) -> list[Metric]:
        built = {family.name: empty(family) for family in self._revisions.values()}
        for (cut, window, state), revision in revisions.items():
            family = self._revisions.get((cut[0], window))
            if family is None or window not in self._windows:
                continue
            if not self._admission.allows(cut):
                dropped["revisions"] += 1
                continue
            labels = cut[1:] if window in NOW else (*cut[1:], window, state)
            built[family.name].add_metric(labels, revision)
        return list(built.values())

    def _thresholds(self) -> Metric:
        metric, now_ms = empty(metrics.THRESHOLD), int(self._clock() * 1000)
        for queue in sorted(self._admission.queues):
            metric.add_metric((queue,), self._terms.at(queue, now_ms).threshold_ms / 1000)
        return metric  # type: ignore[no-any-return]

    def _intraday(self, seen: _Snapshot, dropped: Tally[str]) -> Metric:
        metric = empty(metrics.INTRADAY)
        for (cut, hour), count in seen.hours.items():
            if cut[0] == QUEUE.name and self._admission.allows(cut):
                metric.add_metric((*cut[1:], f"{hour:02d}"), count)
            else:
                dropped["hours"] += cut[0] == QUEUE.name
        return metric  # type: ignore[no-any-return]

    # -- counters

    def _counter_metrics(self, seen: _Snapshot, dropped: Tally[str]) -> list[Metric]:
        """All counters of the places shown, at 0 too: one born at 1 shows no increase."""
        cuts = [(QUEUE.name, *place) for place in sorted(self._admission.places) if len(place) == 2]
        left_out = {cut for cut, _ in seen.counted if cut[0] == QUEUE.name} - set(cuts)
        built = [counter(one, cuts, seen.counted) for one in metrics.COUNTERS]
        built += [histogram(one, cuts, seen.counted) for one in metrics.HISTOGRAMS]
        built.append(corrections(cuts, seen.corrections))
        dropped["counters"] += len(left_out) * COUNTED_SERIES_PER_PLACE
        return built


COUNTED_SERIES_PER_PLACE = sum(len(c.measures) for c in metrics.COUNTERS) + sum(
    len(h.buckets.bounds_ms) + 3 for h in metrics.HISTOGRAMS
)
"""Counters and histograms of one pair of queue and channel, in series, without corrections."""


class _Registry(CollectorRegistry):
    """A registry that does not build everything to answer for a few gauges (``?name[]=...``)."""

    def __init__(self, kpis: KpiCollector) -> None:
        super().__init__()
        self._kpis = kpis
        self.register(kpis)

    def restricted_registry(self, names: Iterable[str]) -> Any:
        wanted = frozenset(names)
        if wanted <= self._kpis.gauge_names:
            return _Gauges(self._kpis, wanted)
        return super().restricted_registry(wanted)


class _Gauges(Collector):
    """Some gauges alone."""

    def __init__(self, kpis: KpiCollector, names: frozenset[str]) -> None:
        self._kpis = kpis
        self._names = names

    def collect(self) -> Iterator[Metric]:
        return self._kpis.collect_gauges(self._names)


def registry(collector: KpiCollector) -> CollectorRegistry:
    """A registry of our metrics and the process's own (memory, CPU, open files; Linux only).

    Also switches ``_created`` series off for the whole process: they would double all counters.
    """
    disable_created_metrics()  # type: ignore[no-untyped-call]
    made = _Registry(collector)
    ProcessCollector(registry=made)
    PlatformCollector(registry=made)
    return made


# -- reading


def _snapshot(boards: Iterable[BoardRows]) -> _Snapshot:
    seen = _Snapshot({}, Tally(), Tally(), {}, {}, {})
    for board in boards:
        for key, row in copied(board.rows).items():
            known = seen.rows.get(key)
            if known is None or known.updated_mark_ms < row.updated_mark_ms:
                seen.rows[key] = row
        seen.counted.update(copied(board.counted))
        seen.corrections.update(copied(board.corrections))
        seen.hours.update(copied(board.hours))
        for at, revision in copied(board.revisions).items():
            seen.revisions[at] = max(revision, seen.revisions.get(at, -1))
        seen.targets.update(copied(board.targets))
    return seen


def _places(seen: _Snapshot) -> frozenset[Place]:
    """Every queue and channel there is, and queues that only have agents."""
    cuts = {cut for _, cut, _, _ in seen.rows} | {cut for cut, _ in seen.counted}
    # While a partition is being taken over these are there before the first rows.
    cuts |= {cut for cut, _, _ in seen.revisions} | {cut for _, cut in seen.targets}
    places: set[Place] = {cut[1:] for cut in cuts if cut[0] == QUEUE.name}
    queues = {place[0] for place in places}
    others = {cut[1] for cut in cuts if cut[0] in _CUTS_WITH_QUEUE and cut[0] != QUEUE.name}
    return frozenset(places | {(queue,) for queue in others - queues})


# -- building


def _gauges(kpis: Iterable[Kpi]) -> dict[str, _Gauge]:
    kpis = tuple(kpis)
    families = metrics.kpi_families(kpis)
    return {
        k.name: _Gauge(
            families[k.metric],
            k.cuts[0].name,
            k.windows != NOW,
            tuple(v for _, v in k.labels),
        )
        for k in kpis
        if k.metric is not None
    }


def _revisions(kpis: Iterable[Kpi]) -> dict[tuple[str, str], Family]:
    """(Cut, kind of window) -> the gauge that tells what is shown of it."""
    kpis = tuple(kpis)
    families = metrics.revision_families(kpis)
    return {
        (k.cuts[0].name, kind): families[k.metric]
        for k in kpis
        if k.metric is not None
        for kind in k.windows
    }


def _window_times(latest: _Latest) -> tuple[Metric, Metric]:
    ends, updates = empty(metrics.WINDOW_END), empty(metrics.WINDOW_UPDATED)
    for labels, (end_ms, updated_ms) in latest.items():
        ends.add_metric(labels, end_ms / 1000)
        if updated_ms >= 0:  # there is a mark
            updates.add_metric(labels, updated_ms / 1000)
    return ends, updates
