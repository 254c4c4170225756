"""The results as Markdown: a table per job, then what each engine promises and how it is set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

from bench.catalogue import BY_NAME, JOBS
from bench.harness import Measurement

MIB = 1 << 20
HEAD = (
    "| engine | events/s (median, lowest to highest) | events per CPU second | CPU s per million "
    "| peak memory, MiB | ours is | totals |\n|---|---|---|---|---|---|---|"
)


class Row(NamedTuple):
    """One engine in one job, over its runs; ``problem`` is that of any of them."""

    engine: str
    rate: float
    rate_min: float
    rate_max: float
    per_cpu_second: float
    cpu_seconds_per_million: float
    memory_mib: float
    problem: str


def rows(results: Iterable[Measurement], job: int) -> list[Row]:
    """The fastest first."""
    by_engine: dict[str, list[Measurement]] = {}
    for result in results:
        if result.job == job:
            by_engine.setdefault(result.engine, []).append(result)
    found = [_row(engine, runs) for engine, runs in by_engine.items()]
    return sorted(found, key=lambda row: -row.rate)


def _row(engine: str, runs: Sequence[Measurement]) -> Row:
    rates = [run.events_per_second for run in runs if run.measured_events] or [0.0]
    good = [run for run in runs if run.measured_events] or runs
    return Row(
        engine,
        median(rates),
        min(rates),
        max(rates),
        median(run.events_per_cpu_second for run in good),
        median(run.cpu_seconds_per_million for run in good),
        max(run.memory_peak_bytes for run in runs) / MIB,
        next((run.problem for run in runs if run.problem), ""),
    )


def render(results: Sequence[Measurement], about: dict[str, str]) -> str:
    """The whole file; ``about`` says what was run where."""
    parts = ["# Side by side", _about(about)]
    for job in sorted({result.job for result in results}):
        parts += [f"## Job {job}: {JOBS[job]}", _table(rows(results, job))]
    parts += ["## What each engine does", _engines(results)]
    return "\n\n".join(parts) + "\n"


def _about(about: dict[str, str]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in about.items())


def _table(found: Sequence[Row]) -> str:
    ours = next((row for row in found if row.engine == "ours"), None)
    return "\n".join([HEAD, *(_line(row, ours) for row in found)])


def _line(row: Row, ours: Row | None) -> str:
    span = f"{row.rate:,.0f} ({row.rate_min:,.0f} to {row.rate_max:,.0f})"
    cells = (
        BY_NAME[row.engine].title,
        span if row.rate else "too short to measure",
        f"{row.per_cpu_second:,.0f}",
        f"{row.cpu_seconds_per_million:,.1f}",
        f"{row.memory_mib:,.0f}",
        _ratio(row, ours),
        row.problem or "right",
    )
    return f"| {' | '.join(cells)} |"


def _ratio(row: Row, ours: Row | None) -> str:
    """How many times as fast ours is, by the clock and by CPU time."""
    if ours is None or row is ours or not row.rate or not row.per_cpu_second:
        return ""
    by_cpu = ours.per_cpu_second / row.per_cpu_second
    return f"{ours.rate / row.rate:,.2f}x; {by_cpu:,.2f}x per CPU s"


def _engines(results: Sequence[Measurement]) -> str:
    events: dict[str, dict[int, int]] = {}
    for result in results:
        events.setdefault(result.engine, {})[result.job] = result.events
    lines = ["| engine | durability | settings | warm-up | events |", "|---|---|---|---|---|"]
    for name, by_job in events.items():
        engine = BY_NAME[name]
        counts = ", ".join(f"job {job}: {count:,}" for job, count in sorted(by_job.items()))
        cells = (
            engine.title,
            engine.durability,
            engine.settings,
            f"{engine.warm_up_ratio:.0%}",
            counts,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
