"""What Prometheus would have scraped, as OpenMetrics with times: history for ``promtool``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from streams.sinks.prometheus import KpiCollector
from tests.deploy.centre.floor import Floor

JOB = "contact-streams"
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
    **options: object,
) -> None:
    """Go through the times and write down each scrape; ``happens`` may meddle before each."""
    collectors = floor.collectors(**options)
    with path.open("w", encoding="utf-8") as file:
        for time_ms in times_ms:
            floor.advance(time_ms)
            happens(time_ms)
            for instance, collector in collectors.items():
                _write(file, collector, instance, time_ms)
        file.write("# EOF\n")


def _write(file: IO[str], collector: KpiCollector, instance: str, time_ms: int) -> None:
    target = {"job": JOB, "instance": instance}
    when = f"{time_ms / 1000:.3f}"
    for name, labels, value in _samples(collector, time_ms):
        texts = (f'{k}="{str(v).translate(_ESCAPED)}"' for k, v in {**labels, **target}.items())
        file.write(f"{name}{{{','.join(texts)}}} {float(value)!r} {when}\n")


def _samples(collector: KpiCollector, time_ms: int) -> Iterator[tuple[str, dict[str, str], float]]:
    for metric in collector.collect():
        for sample in metric.samples:
            yield sample.name, sample.labels, sample.value
    for name, value in PROCESS.items():
        yield name, {}, value(time_ms / 1000)
