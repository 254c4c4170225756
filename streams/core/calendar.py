"""Local days and hours of an IANA zone, in integer milliseconds of UTC.

A local day runs from its first instant to the first instant of the next date, so it has 92, 96 or
100 quarters of an hour.  Where clocks change at midnight, a day begins at the first instant that
bears its date (01:00 in Cairo in spring).

A local hour is the longest run of instants with one name: the hour on the wall and the zone's
offset.  So the hour that is there twice in autumn is two hours, and where clocks move by 30 minutes
(Lord Howe) there is a half one.  In zones at full hours it is the hour of UTC.

All of this assumes that offsets are multiples of 15 minutes, which is true since 1972.  (Stretches
assume only that clocks do not change twice within an hour.)
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

QUARTER_MS = 900_000
_HOUR_SECONDS = 3_600
_DAY_SECONDS = 86_400


class Hour(NamedTuple):
    """``[start_ms, end_ms)``; ``hour`` is what the clock on the wall says, 0 to 23."""

    start_ms: int
    end_ms: int
    hour: int


class Day(NamedTuple):
    """``[start_ms, end_ms)`` and its hours, in order and without gaps."""

    start_ms: int
    end_ms: int
    hours: tuple[Hour, ...]

    def hour_at(self, time_ms: int) -> Hour:
        """The hour of the day that contains ``time_ms``, which must lie in the day."""
        return next(hour for hour in self.hours if time_ms < hour.end_ms)


class Stretch(NamedTuple):
    """``[start_ms, end_ms)`` of UTC in which a zone's clock is ahead of UTC by ``offset_ms``."""

    start_ms: int
    end_ms: int
    offset_ms: int


def day_at(zone: str, time_ms: int) -> Day:
    """The local day of ``zone`` that contains ``time_ms``.

    ZoneInfoNotFoundError for a zone that does not exist; settings are checked for that.

    >>> day = day_at("Europe/Berlin", 1_774_740_000_000)  # 2026-03-29, clocks go forward
    >>> (day.end_ms - day.start_ms) // QUARTER_MS, len(day.hours)
    (92, 23)
    """
    return _day(zone, _local(ZoneInfo(zone), time_ms).toordinal())


@lru_cache(4_096)
def _day(zone: str, ordinal: int) -> Day:
    tz = ZoneInfo(zone)
    start, end = _midnight(tz, ordinal), _midnight(tz, ordinal + 1)
    return Day(start, end, tuple(_hours(tz, start, end)))


def _local(tz: ZoneInfo, time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms // 1000, tz)


def _midnight(tz: ZoneInfo, ordinal: int) -> int:
    """The first instant of a date.  ``fold=0`` is right for both oddities: of a midnight that is
    there twice it takes the first, and one that is skipped it maps to the instant of the change."""
    midnight = datetime.combine(date.fromordinal(ordinal), datetime.min.time(), tz)
    return int(midnight.timestamp()) * 1000


def _hours(tz: ZoneInfo, start: int, end: int) -> Iterator[Hour]:
    names = [(quarter, _hour_name(tz, quarter)) for quarter in range(start, end, QUARTER_MS)]
    firsts = [names[0], *(b for a, b in pairwise(names) if a[1] != b[1])]
    ends = [*(quarter for quarter, _ in firsts[1:]), end]
    for (first, (hour, _)), until in zip(firsts, ends, strict=True):
        yield Hour(first, until, hour)


def _hour_name(tz: ZoneInfo, time_ms: int) -> tuple[int, timedelta | None]:
    local = _local(tz, time_ms)
    return local.hour, local.utcoffset()


@lru_cache(4_096)
def stretches_of(zone: str, utc_day: int) -> tuple[Stretch, ...]:
    """A day of UTC (days since 1970) in ``zone``, cut at the second where clocks change.

    >>> [s.offset_ms // 3_600_000 for s in stretches_of("Europe/Berlin", 20_541)]  # 2026-03-29
    [1, 2]
    """
    tz = ZoneInfo(zone)
    start, end = utc_day * _DAY_SECONDS, (utc_day + 1) * _DAY_SECONDS
    samples = [*range(start, end, _HOUR_SECONDS), end - 1]
    changes = [
        bisect_left(range(a, b + 1), 1, key=lambda s: _offset_s(tz, s) == _offset_s(tz, b)) + a
        for a, b in pairwise(samples)
        if _offset_s(tz, a) != _offset_s(tz, b)
    ]
    return tuple(
        Stretch(first * 1000, until * 1000, _offset_s(tz, first) * 1000)
        for first, until in pairwise([start, *changes, end])
    )


def _offset_s(tz: ZoneInfo, time_s: int) -> int:
    offset = datetime.fromtimestamp(time_s, tz).utcoffset()
    assert offset is not None
    return offset // timedelta(seconds=1)
