"""``contact-streams kpi profile``: what a KPI usually is at that hour of that weekday."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from streams.cli.choosing import check_kpi, time_of
from streams.cli.parsing import Actions, UsageError, add_json, did_you_mean
from streams.cli.tables import percent, seconds, text_table
from streams.cli.terminal import Talk
from streams.core.profile import (
    DAYS,
    WEEKS_MAX,
    Cell,
    HourResult,
    Period,
    Slot,
    ZoneAt,
    can_profile,
    period_of,
    profile,
    whole,
)
from streams.core.profile import written as as_result

if TYPE_CHECKING:
    from streams.core.kpi import Kpi
    from streams.core.measure import Cut
    from streams.core.terms import Terms
    from streams.results import Result

SUMMARY = "its mean by weekday and hour, over the last weeks"
EXAMPLES = (
    "contact-streams kpi profile abandonment_ratio --queue sales",
    "contact-streams kpi profile contacts_offered --channel chat --weeks 8 --json",
)
WEEKS = 4


class Wanted(NamedTuple):
    """What is asked for; ``until_ms`` is in the hour after the last one."""

    kpi: Kpi
    cut: Cut
    queue: str
    channel: str
    weeks: int
    until_ms: int


class Table(NamedTuple):
    """One key's profile; ``zone`` is the one in force at the end."""

    kpi: Kpi
    key: Mapping[str, str]
    zone: str
    period: Period
    cells: Mapping[Slot, Cell]


def add_profile(actions: Actions) -> None:
    """The action's parser."""
    parser = actions.add("profile", SUMMARY, EXAMPLES)
    parser.add_argument("kpi", metavar="KPI")
    parser.add_argument("--queue", default="", help="of this queue; else of all together")
    parser.add_argument("--channel", default="", help="of this channel only")
    parser.add_argument(
        "--weeks", type=int, default=WEEKS, metavar="N",
        help=f"how many weeks back, 1 to {WEEKS_MAX} ({WEEKS})",
    )  # fmt: skip
    parser.add_argument(
        "--until", default="", metavar="TIME", help="weeks before then, not before now"
    )
    add_json(parser)


def main(options: Any) -> int:
    """Run the action; gives the exit code."""
    from streams.deployment import Deployment
    from streams.results import read_latest
    from streams.settings import load

    wanted = wanted_of(options)
    settings = load()
    latest = read_latest(Deployment.of(settings), [wanted.kpi.name])
    family = [result for result in latest.results() if result.window == "hour"]
    hours = [result for result in family if result.kpi == wanted.kpi.name]
    found = list(tables(wanted, hours, settings.terms(), begun_ms(family)))
    if options.json:
        for table in found:
            for row in rows(table):
                print(json.dumps(row, ensure_ascii=False))
    else:
        print("\n".join(map(shown, found)), end="")
    if not found:
        Talk().say(_nothing(wanted, hours))
    return 0


def wanted_of(options: Any) -> Wanted:
    """What the options ask for.  UsageError where there is no such thing."""
    from streams.kpis import ALL_KPIS

    check_kpi(options.kpi)
    kpi = next(kpi for kpi in ALL_KPIS if kpi.name == options.kpi)
    next_step = f"contact-streams kpi show {kpi.name}"
    if "hour" not in kpi.windows:
        raise UsageError(f"{kpi.name} has no results of hours", _windows(kpi), next_step)
    if not can_profile(kpi.formula):
        why = "what is below it in some hours does not follow from what is in each"
        raise UsageError(f"{kpi.name} is a quantile", why, next_step)
    if not 1 <= options.weeks <= WEEKS_MAX:
        raise UsageError(f"--weeks {options.weeks}: 1 to {WEEKS_MAX}")
    until = time_of("--until", options.until)
    until_ms = _ms(until) if until else time.time_ns() // 1_000_000
    cut = _cut(kpi, options.queue, options.channel)
    return Wanted(kpi, cut, options.queue, options.channel, options.weeks, until_ms)


def _windows(kpi: Kpi) -> str:
    return f"its windows: {', '.join(kpi.windows)}"


def _cut(kpi: Kpi, queue: str, channel: str) -> Cut:
    """The one with the fewest dimensions that has those asked for, and no queue if none is."""
    asked = {name for name, value in (("queue", queue), ("channel", channel)) if value}
    fitting = [
        cut
        for cut in kpi.cuts
        if asked <= set(cut.dimensions) and ("queue" in cut.dimensions) == bool(queue)
    ]
    if not fitting:
        how = " and ".join(sorted(asked)) or "anything but a queue: name one with --queue"
        kept = ", ".join(" and ".join(cut.dimensions) or "no dimension" for cut in kpi.cuts)
        raise UsageError(f"{kpi.name} is not kept by {how}", f"it is kept by {kept}")
    return min(fitting, key=lambda cut: len(cut.dimensions))


def _ms(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


def begun_ms(family: Iterable[Result]) -> int:
    """When counting began: with the first hour that any KPI of the family has a result of.  The
    asked one may have had nothing to count for weeks."""
    first = min((result.start for result in family), default="")
    return _ms(first) if first else 0


def tables(
    wanted: Wanted, hours: Iterable[Result], terms: Terms, begun_ms: int = 0
) -> Iterator[Table]:
    """A profile for each key that is asked for and has a result in the period, by key.  ``hours``
    are the KPI's results of hours."""
    for key, results in _by_key(wanted, hours).items():
        named = dict(key)
        zone_at = _zone_at(terms, named)
        period = period_of(zone_at, wanted.until_ms, wanted.weeks, begun_ms)
        within = [r for r in results if period.start_ms <= r.start_ms < period.end_ms]
        if within:
            cells = profile(wanted.kpi.formula, within, period, zone_at)
            yield Table(wanted.kpi, named, zone_at(period.end_ms), period, cells)


def _by_key(
    wanted: Wanted, hours: Iterable[Result]
) -> Mapping[tuple[tuple[str, str], ...], list[HourResult]]:
    found: dict[tuple[tuple[str, str], ...], list[HourResult]] = {}
    formula = wanted.kpi.formula
    asked = {n: v for n, v in (("queue", wanted.queue), ("channel", wanted.channel)) if v}
    for result in hours:
        if tuple(result.key) == wanted.cut.dimensions and asked.items() <= result.key.items():
            row = result.fields
            numerator = whole(formula, row["numerator"])
            hour = HourResult(_ms(result.start), numerator, row["denominator"] or 0)
            found.setdefault(tuple(result.key.items()), []).append(hour)
    return found


def _zone_at(terms: Terms, key: Mapping[str, str]) -> ZoneAt:
    """As the board cuts its hours: by the queue's clock, without a queue by the default one."""
    queue = key.get("queue")
    if queue is None:
        return lambda at_ms: terms.default.zone
    return lambda at_ms: terms.at(queue, at_ms).zone


def _nothing(wanted: Wanted, hours: Iterable[Result]) -> str:
    queues = {queue for result in hours if (queue := result.key.get("queue"))}
    hint = did_you_mean(wanted.queue, queues) if wanted.queue not in queues else ""
    return f"there are no such results{hint} in these {wanted.weeks} weeks"


def rows(table: Table) -> Iterator[Mapping[str, Any]]:
    """A JSON object for each cell."""
    kpi, period = table.kpi, table.period
    place = {"kpi": kpi.name, "key": table.key, "zone": table.zone}
    span = {name: _local(ms, table.zone) for name, ms in zip(("from", "to"), period, strict=True)}
    for (day, hour), cell in table.cells.items():
        yield {
            **place,
            **span,
            "weekday": DAYS[day],
            "hour": hour,
            "value": cell.value,
            "numerator": as_result(kpi.formula, cell.numerator),
            "denominator": cell.denominator or None,
            "unit": kpi.unit,
            "n": cell.hours,
        }


def _local(time_ms: int, zone: str) -> str:
    return datetime.fromtimestamp(time_ms // 1000, ZoneInfo(zone)).isoformat(timespec="minutes")


def shown(table: Table) -> str:
    """A title, and a row for each hour of the day."""
    kpi, period, zone = table.kpi, table.period, table.zone
    named = " ".join((kpi.name, *(f"{name}={value}" for name, value in table.key.items())))
    begin, end = (_local(at, zone)[:16].replace("T", " ") for at in period)
    title = f"{named}, {begin} to {end} {zone}; in brackets how many hours"
    body = [
        [f"{hour:02}:00", *(_cell(table.cells.get((day, hour)), kpi.unit) for day in range(7))]
        for hour in range(24)
    ]
    return f"{title}\n{text_table(['hour', *DAYS], body)}"


def _cell(cell: Cell | None, unit: str) -> str:
    if cell is None or cell.value is None:
        return "-"
    return f"{_figure(cell.value, unit)} ({cell.hours})"


def _figure(value: float, unit: str) -> str:
    if unit == "ratio":
        return percent(value)
    return seconds(value) if unit == "seconds" else f"{value:,.2f}"
