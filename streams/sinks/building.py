"""Metric families with samples, made of what was counted and of what a worker says of itself."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from streams import __version__, metrics
from streams.core.measure import CutKey, bucket_names
from streams.metrics import Family, WorkerView


def empty(family: Family) -> Any:
    """An empty prometheus_client family; Any, because their ``add_metric`` differ."""
    if family.kind == "counter":
        return CounterMetricFamily(family.name, family.help, labels=family.labels)
    if family.kind == "histogram":
        return HistogramMetricFamily(family.name, family.help, labels=family.labels)
    return GaugeMetricFamily(family.name, family.help, labels=family.labels)


def single(family: Family, value: float) -> Metric:
    metric: Metric = empty(family)
    metric.add_sample(family.name, {}, value)
    return metric


def counter(
    made_of: metrics.Counter, cuts: Iterable[CutKey], counted: Tally[tuple[CutKey, str]]
) -> Metric:
    metric = empty(made_of.family)
    for cut in cuts:
        for measure, labels in made_of.measures.items():
            metric.add_metric((*cut[1:], *labels), counted[cut, measure])
    return metric  # type: ignore[no-any-return]


def histogram(
    made_of: metrics.Histogram, cuts: Iterable[CutKey], counted: Tally[tuple[CutKey, str]]
) -> Metric:
    metric = empty(made_of.family)
    borders = [str(ms / 1000) for ms in made_of.buckets.bounds_ms] + ["+Inf"]
    names = bucket_names(made_of.buckets)
    for cut in cuts:
        buckets, total = [], 0
        for border, name in zip(borders, names, strict=True):
            total += counted[cut, name]
            buckets.append((border, total))
        metric.add_metric(cut[1:], buckets, counted[cut, made_of.sum_ms.name] / 1000)
    return metric  # type: ignore[no-any-return]


_CORRECTABLE = frozenset(name for counter in metrics.COUNTERS for name in counter.measures)


def corrections(cuts: Iterable[CutKey], taken_back: Tally[tuple[CutKey, str]]) -> Metric:
    """Only of what is exported as a counter: cohorts and buckets would say the same thing again."""
    metric, shown = empty(metrics.CORRECTIONS), set(cuts)
    for (cut, measure), count in taken_back.items():
        if cut in shown and measure in _CORRECTABLE:
            metric.add_metric((*cut[1:], measure), count)
    return metric  # type: ignore[no-any-return]


def worker_metrics(view: WorkerView) -> Iterator[Metric]:
    build, state = empty(metrics.BUILD), empty(metrics.WORKER_STATE)
    build.add_metric((__version__,), 1)
    for name in metrics.WORKER_STATES:
        state.add_metric((name,), float(name == view.state))
    yield build
    yield state
    for field, family in metrics.WORKER.items():
        yield _worker_metric(family, getattr(view, field), 1000 if field.endswith("_ms") else 1)


def _worker_metric(family: Family, values: Any, per: int) -> Metric:
    metric = empty(family)
    rows = values if isinstance(values, Mapping) else {(): values}
    for key, value in rows.items():
        labels = key if isinstance(key, tuple) else (key,)
        metric.add_metric([str(label) for label in labels], value / per)
    return metric  # type: ignore[no-any-return]
