"""What the workers' /metrics say: the gauges of KPIs, who owns what, lag, and nobody's number.

Counters begin again with each process, so after a crash only gauges can be exact: they are compared
with what the boards, folded offline, would show.  The sum over all workers is what Prometheus sees.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.request import urlopen

from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from streams import metrics
from streams.core.kpi import Oldest
from streams.kpis import ALL_KPIS
from streams.sinks.prometheus import KpiCollector
from tests.chaos.checks.violation import Violation
from tests.chaos.expected import Expected
from tests.chaos.stories import PHONE_PREFIX

TIMEOUT_SECONDS = 10
Labels = tuple[tuple[str, str], ...]
Series = tuple[str, Labels]
At = tuple[str, int]
LAG, ABSORBED = "cc_worker_lag_records", "cc_worker_absorbed_offset"
ASSIGNED = "cc_worker_assigned_partitions"
AGES = frozenset(k.metric for k in ALL_KPIS if k.metric and isinstance(k.formula, Oldest))
EXACT = (set(metrics.kpi_families(ALL_KPIS)) | {metrics.INTRADAY.name}) - AGES
"""Gauges with one right value at a time."""


class Scraped(NamedTuple):
    """One worker's /metrics, as text and by series."""

    text: str
    series: Mapping[Series, float]


def scrape(url: str) -> Scraped:
    """Ask one worker; nothing if it does not answer."""
    try:
        with urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
            return parsed(answer.read().decode())
    except OSError:
        return Scraped("", {})


def parsed(text: str) -> Scraped:
    """The text of a scrape, taken apart."""
    samples = (s for family in text_string_to_metric_families(text) for s in family.samples)
    return Scraped(text, {(s.name, tuple(sorted(s.labels.items()))): s.value for s in samples})


def violations(
    expected: Expected,
    scraped: Sequence[Scraped],
    first: Mapping[At, int],
    last: Mapping[At, int],
) -> Iterator[Violation]:
    """``first`` and ``last``: where the logs ended before and after the scrape."""
    yield from _gauges(expected, scraped)
    yield from _owners(expected, scraped)
    yield from _progress(expected, scraped, first, last)
    for worker in scraped:
        if not worker.text:
            yield Violation("metrics.unreachable", "a worker does not answer")
        if PHONE_PREFIX in worker.text:
            yield Violation("metrics.private", "a caller's number")


def _gauges(expected: Expected, scraped: Sequence[Scraped]) -> Iterator[Violation]:
    wanted, found = _exact(shown(expected)), dict[Series, float]()
    for worker in scraped:
        for series, value in _exact(worker.series).items():
            if series in found:
                yield Violation("metrics.twice", f"{_named(series)} in two workers")
            found[series] = value
    for series in wanted.keys() | found.keys():
        if series not in found:
            yield Violation("metrics.missing", _named(series))
        elif series not in wanted:
            yield Violation("metrics.unexpected", f"{_named(series)}: {found[series]}")
        elif found[series] != wanted[series]:
            detail = f"{_named(series)}: {found[series]}, not {wanted[series]}"
            yield Violation("metrics.wrong", detail)


def shown(expected: Expected) -> dict[Series, float]:
    """What one worker that owns everything would show."""
    registry = CollectorRegistry()
    registry.register(KpiCollector(lambda: expected.boards, terms=expected.shape.terms))
    samples = (sample for family in registry.collect() for sample in family.samples)
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for s in samples}


def _exact(series: Mapping[Series, float]) -> dict[Series, float]:
    return {at: value for at, value in series.items() if at[0] in EXACT}


def _owners(expected: Expected, scraped: Sequence[Scraped]) -> Iterator[Violation]:
    """Every partition of every topic has one owner."""
    owned: Counter[str] = Counter()
    for worker in scraped:
        for (name, labels), value in worker.series.items():
            if name == ASSIGNED:
                owned[dict(labels)["topic"]] += int(value)
    for folded in expected.folded.values():
        if owned[folded.topic] != expected.shape.partitions:
            detail = f"{folded.topic}: {owned[folded.topic]} owned of {expected.shape.partitions}"
            yield Violation("metrics.owners", detail)


def _progress(
    expected: Expected,
    scraped: Sequence[Scraped],
    first: Mapping[At, int],
    last: Mapping[At, int],
) -> Iterator[Violation]:
    """All was absorbed, and the lag that is shown is what is missing to the end: nothing."""
    absorbed, lag = _by_partition(scraped, ABSORBED), _by_partition(scraped, LAG)
    for folded in expected.folded.values():
        for partition in range(expected.shape.partitions):
            at = (folded.topic, partition)
            taken = absorbed.get(at, -1) + 1
            if not first[at] <= taken <= last[at]:
                detail = f"{at[0]}[{at[1]}] absorbed up to {taken} of {first[at]} to {last[at]}"
                yield Violation("metrics.absorbed", detail)
            if first[at] and lag.get(at, -1) != 0:
                yield Violation("metrics.lag", f"{at[0]}[{at[1]}] shows a lag of {lag.get(at)}")


def _by_partition(scraped: Sequence[Scraped], wanted: str) -> dict[At, int]:
    found = {}
    for worker in scraped:
        for (name, labels), value in worker.series.items():
            if name == wanted:
                place = dict(labels)
                found[place["topic"], int(place["partition"])] = int(value)
    return found


def _named(series: Series) -> str:
    name, labels = series
    return f"{name}{{{', '.join(f'{label}={value}' for label, value in labels)}}}"
