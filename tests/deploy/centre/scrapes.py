"""What Prometheus would have scraped, as OpenMetrics with times: history for ``promtool``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from streams.sinks.prometheus import KpiCollector
from tests.deploy.centre.floor import Floor

JOB = "contact-streams"
Sample = tuple[str, dict[str, str], float]
"""Name, labels, value."""
PROCESS = {
    "up": lambda seconds: 1.0,
    "scrape_duration_seconds": lambda seconds: 0.08,
    "process_resident_memory_bytes": lambda seconds: 2.1e8 + seconds % 3_600 * 2_000,
    "process_cpu_seconds_total": lambda seconds: seconds * 0.12,
}
"""What is not in our collector; made up."""
_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def record(
    floor: Floor,
    times_ms: Iterable[int],
    path: Path,
    happens: Callable[[int], None] = lambda time_ms: None,
    only: frozenset[str] | None = None,
) -> None:
    """Go through the times and write down each scrape; ``happens`` may meddle before each.
    ``only``: the metrics that are kept; None: all."""
    collectors = floor.collectors()
    with path.open("w", encoding="utf-8") as file:
        for time_ms in times_ms:
            floor.advance(time_ms)
            happens(time_ms)
            for instance, collector in collectors.items():
                _write(file, _kept(collector, time_ms, only), instance, time_ms)
        file.write("# EOF\n")


def _kept(collector: KpiCollector, time_ms: int, only: frozenset[str] | None) -> Iterator[Sample]:
    samples = _samples(collector, time_ms)
    return (sample for sample in samples if only is None or sample[0] in only)


def _write(file: IO[str], samples: Iterable[Sample], instance: str, time_ms: int) -> None:
    target = {"job": JOB, "instance": instance}
    when = f"{time_ms / 1000:.3f}"
    for name, labels, value in samples:
        texts = (f'{k}="{str(v).translate(_ESCAPED)}"' for k, v in {**labels, **target}.items())
        file.write(f"{name}{{{','.join(texts)}}} {float(value)!r} {when}\n")


def _samples(collector: KpiCollector, time_ms: int) -> Iterator[Sample]:
    for metric in collector.collect():
        for sample in metric.samples:
            yield sample.name, sample.labels, sample.value
    for name, value in PROCESS.items():
        yield name, {}, value(time_ms / 1000)
