"""The weekday profile of a KPI: what it usually is on a Monday at ten.

Made from results of hours, over some weeks.  A **slot** is a weekday and an hour on the wall of the
queue's zone.  A count is its sum over the hours of that name in the period, and an hour without a
result is one with nothing in it; a ratio or a mean is the sum of numerators over the sum of
denominators, never a mean of means.  The hour that is there twice in autumn is two hours of one
name, the one left out in spring is none; a half one (Lord Howe) is one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from streams.core.calendar import day_at
from streams.core.kpi import (
    Average,
    Count,
    Distribution,
    Formula,
    Mean,
    Number,
    Ratio,
    Total,
    seconds,
)

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEKS_MAX = 53
Slot = tuple[int, int]
"""(Weekday, 0 is Monday; hour on the wall, 0 to 23)."""
ZoneAt = Callable[[int], str]
"""Time in ms -> the IANA zone whose clock cuts the hours then."""
Adding = Count | Total | Distribution
"""Sums over the hour: their profile is a mean per hour."""
Dividing = Ratio | Mean | Average
"""Made of a numerator and a denominator: their profile is pooled."""


class HourResult(NamedTuple):
    """A result of one hour; ``numerator`` in whole ms where it is a duration (see ``whole``)."""

    start_ms: int
    numerator: int
    denominator: int = 0


class Period(NamedTuple):
    """``[start_ms, end_ms)``, whole local hours."""

    start_ms: int
    end_ms: int


class Cell(NamedTuple):
    """What is known of one slot.  ``hours`` is how many of that name the figure is made of: for
    sums all of the period, else those with a result.  ``value`` None: nothing below the line."""

    value: Number | None
    hours: int
    numerator: int
    denominator: int


def can_profile(formula: Formula) -> bool:
    """Whether results of hours can be put together: not quantiles, and not states."""
    return isinstance(formula, Adding | Dividing)


def whole(formula: Formula, numerator: Number) -> int:
    """A result's numerator as an integer: of durations, which results give in seconds, the ms.

    >>> whole(Mean((), ()), 12.345), whole(Count(()), 7)
    (12345, 7)
    """
    return round(numerator * 1000) if isinstance(formula, Mean | Total) else int(numerator)


def written(formula: Formula, numerator: int) -> Number:
    """And back: as results have it."""
    return seconds(numerator) if isinstance(formula, Mean | Total) else numerator


def period_of(zone_at: ZoneAt, until_ms: int, weeks: int, begun_ms: int = 0) -> Period:
    """The ``weeks`` weeks before the local hour that contains ``until_ms`` (it is not over), by the
    clock on the wall.  Not before the hour of ``begun_ms``: what nobody counted is not nothing.

    >>> period_of(lambda at: "UTC", 1_791_183_466_000, 1)
    Period(start_ms=1790575200000, end_ms=1791180000000)
    """
    zone = zone_at(until_ms)
    end_ms = day_at(zone, until_ms).hour_at(until_ms).start_ms
    then = datetime.fromtimestamp(end_ms // 1000, ZoneInfo(zone)) - timedelta(weeks=weeks)
    first_ms = max(round(then.timestamp() * 1000), begun_ms)
    start_ms = day_at(zone_at(first_ms), first_ms).hour_at(first_ms).start_ms
    return Period(min(start_ms, end_ms), end_ms)


def slot_at(zone: str, time_ms: int) -> Slot:
    """The name of the hour that contains ``time_ms``.

    >>> slot_at("Europe/Berlin", 1_791_183_466_000)
    (0, 8)
    """
    local = datetime.fromtimestamp(time_ms // 1000, ZoneInfo(zone))
    return local.weekday(), local.hour


def hours_of(zone_at: ZoneAt, period: Period) -> Iterator[int]:
    """The starts of the period's hours."""
    at_ms = period.start_ms
    while at_ms < period.end_ms:
        yield at_ms
        at_ms = day_at(zone_at(at_ms), at_ms).hour_at(at_ms).end_ms


def profile(
    formula: Formula, results: Iterable[HourResult], period: Period, zone_at: ZoneAt
) -> dict[Slot, Cell]:
    """A cell for each slot that the period has; ``results`` are of one key, at most one of each
    hour, and those outside the period do not count.  ValueError unless ``can_profile``."""
    if not can_profile(formula):
        raise ValueError(f"{formula} cannot be put together from hours")
    within = [r for r in results if period.start_ms <= r.start_ms < period.end_ms]
    # Results that the zones of today would not cut like this are hours all the same.
    starts = {*hours_of(zone_at, period), *(r.start_ms for r in within)}
    there = Counter(slot_at(zone_at(start), start) for start in starts)
    hours: Counter[Slot] = Counter()
    over: Counter[Slot] = Counter()
    under: Counter[Slot] = Counter()
    for start, numerator, denominator in within:
        slot = slot_at(zone_at(start), start)
        hours[slot] += 1
        over[slot] += numerator
        under[slot] += denominator
    counted = there if isinstance(formula, Adding) else hours
    return {
        slot: Cell(
            _value(formula, over[slot], under[slot], counted[slot]),
            counted[slot],
            over[slot],
            under[slot],
        )
        for slot in sorted(there)
    }


def _value(formula: Formula, over: int, under: int, hours: int) -> Number | None:
    if isinstance(formula, Adding):
        return over / (1000 if isinstance(formula, Total) else 1) / hours
    if under <= 0:
        return None
    if isinstance(formula, Average):
        return formula.times * over / (under * formula.divisor)
    return over / (1000 if isinstance(formula, Mean) else 1) / under
