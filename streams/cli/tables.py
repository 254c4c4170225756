"""Results as text tables: one row per queue and day, or one per result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from streams.results import Result

ALL_QUEUES = "all"
Cell = Callable[[Any], str]


def text_table(headings: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Columns under their headings, the first ``left`` of them flush left, a newline at the end.

    >>> print(text_table(["queue", "calls"], [["PS", "7"], ["NW", "12"]]), end="")
    queue  calls
    PS         7
    NW        12
    """
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    lines = []
    for row in (headings, *rows):
        cells = [
            cell.ljust(width) if at < left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "".join(f"{line}\n" for line in lines)


def count(value: Any) -> str:
    """A whole number with its thousands told apart."""
    return f"{value:,}"


def percent(value: Any) -> str:
    """A ratio as a percentage."""
    return f"{value:.1%}"


def seconds(value: Any) -> str:
    """A duration."""
    return f"{value:,.1f} s"


class Column(NamedTuple):
    """One KPI of the day table: its name, what stands above it, how it is written."""

    kpi: str
    heading: str
    cell: Cell


DAY_COLUMNS = (
    Column("contacts_offered", "offered", count),
    Column("contacts_answered", "answered", count),
    Column("contacts_abandoned", "abandoned", count),
    Column("abandonment_ratio", "aband.", percent),
    Column("service_level_answered", "SL answ.", percent),
    Column("service_level_neg", "SL neg", percent),
    Column("service_level_pos", "SL pos", percent),
    Column("service_level_late_ab", "SL late", percent),
    Column("answer_speed_mean", "ASA", seconds),
    Column("talk_time_mean", "talk", seconds),
)
"""What most people ask first; every KPI is behind ``--json`` or ``--kpi``."""


def day_table(results: Iterable[Result]) -> str:
    """A row for each day and queue, and one for each day's channel in all; "" without any."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    shown = {column.kpi for column in DAY_COLUMNS}
    for result in results:
        if result.window == "day" and result.kpi in shown:
            queue, channel = result.key.get("queue", ALL_QUEUES), result.key["channel"]
            rows.setdefault((result.start, channel, queue), {})[result.kpi] = result.value
    if not rows:
        return ""
    headings = ["day", "channel", "queue", *(column.heading for column in DAY_COLUMNS)]
    ordered = sorted(rows.items(), key=_last_in_all)
    return text_table(headings, [_day_row(*row) for row in ordered], left=3)


def _last_in_all(row: tuple[tuple[str, str, str], object]) -> tuple[object, ...]:
    (day, channel, queue), _ = row
    return day, channel, queue == ALL_QUEUES, queue


def _day_row(place: tuple[str, str, str], values: Mapping[str, Any]) -> list[str]:
    day, channel, queue = place
    cells = (
        column.cell(values[column.kpi]) if values.get(column.kpi) is not None else "-"
        for column in DAY_COLUMNS
    )
    return [_day_name(day), channel, queue, *cells]


def _day_name(start: str) -> str:
    """The date, and the time in UTC where the local day does not begin at its midnight."""
    return start[:10] if start[11:19] == "00:00:00" else start[:16] + "Z"


def result_table(results: Iterable[Result]) -> str:
    """A row for each result; "" without any."""
    rows = [
        [
            result.kpi,
            " ".join(f"{name}={value}" for name, value in result.key.items()),
            result.window,
            result.start,
            written(result.value, str(result.fields.get("unit", ""))),
            str(result.fields.get("status", "")),
        ]
        for result in results
    ]
    headings = ["kpi", "key", "window", "start", "value", "status"]
    return text_table(headings, rows, left=4) if rows else ""


def written(value: Any, unit: str) -> str:
    """A value with its unit, as short as it can be read."""
    if unit == "ratio":
        return percent(value)
    if unit == "seconds":
        return seconds(value)
    return f"{count(value)} {unit}".rstrip()
