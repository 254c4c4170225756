"""Opening hours: the business calendar by which first responses and the like are timed.

A calendar is an IANA zone and, for each local date, spans of the clock on the wall.  The hours of a
date are those of its weekday in the era the date lies in, unless the date is a special day (a
holiday is one with no hours).  A span that passes midnight belongs to the date on which it begins:
Friday 22:00 to 06:00 is there whole if Saturday is a holiday, and not at all if Friday is.

**An instant is open if the clock on the wall shows an open time at it.**  So the rules of that very
date hold: an hour that is there twice in autumn counts twice, one that is skipped in spring does
not count, and a border inside the repeated hour is passed twice.  That is a choice of ours: where
the clock is put back from 03:00 to 02:00, hours until 02:30 close, open again and close again.

Time here is business time of a queue's one calendar.  What platforms do differs: some take the
union of a team's schedules, some the last schedule of a ticket; domain notes, 1.6.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from streams.core.calendar import stretches_of

MINUTE_MS = 60_000
DAY_MS = 86_400_000
DAY_MINUTES = 1_440
SEARCH_DAYS = 400
"""How far ahead an opening is looked for: a year, and the holidays after it."""
_DAYS_KEPT = 1_024
_BLOCK_DAYS = 64
"""Whole days are added up in blocks, so that a wrong date (1970) costs no more than a right one."""
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_EPOCH_WEEKDAY = date(1970, 1, 1).weekday()


class OpenHours(NamedTuple):
    """Minutes after 00:00 on the wall, half-open.  ``end_minute`` over 1,440 is on the next date.

    0 <= start_minute < 1440, start_minute < end_minute <= start_minute + 1440.
    """

    start_minute: int
    end_minute: int


DayHours = tuple[OpenHours, ...]
Week = tuple[DayHours, DayHours, DayHours, DayHours, DayHours, DayHours, DayHours]
"""Monday first."""
ALL_DAY: DayHours = (OpenHours(0, DAY_MINUTES),)
ALL_WEEK: Week = (ALL_DAY,) * 7


class Era(NamedTuple):
    """Weekly hours of dates from ``since`` (inclusive) to the next era's."""

    since: date
    week: Week


class _Open(NamedTuple):
    """What is open in one day of UTC: disjoint spans of ms in order, and how long they are."""

    spans: tuple[tuple[int, int], ...]
    open_ms: int


@dataclass(frozen=True, slots=True)
class Opening:
    """Opening hours of a zone.  Immutable; equal if zone, eras and special days are.

    ``eras`` in ascending order; before the first one nothing is open.  ``special_days``: a date
    once at most; ValueError for anything else.  Results for days are kept, so a span of months
    costs microseconds after the first time.

    >>> office = Opening("Europe/Berlin", (Era(date.min, ((OpenHours(540, 1_020),),) * 7),))
    >>> friday_16_30 = 1_774_625_400_000  # 2026-03-27 16:30; clocks go forward on Sunday
    >>> office.between_ms(friday_16_30, friday_16_30 + DAY_MS) // MINUTE_MS
    480
    """

    zone: str = "UTC"
    eras: tuple[Era, ...] = (Era(date.min, ALL_WEEK),)
    special_days: tuple[tuple[date, DayHours], ...] = ()
    _always: bool = field(init=False, repr=False, compare=False)
    _day: Callable[[int], _Open] = field(init=False, repr=False, compare=False)
    _block_ms: Callable[[int], int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        wall = _Wall(self.eras, self.special_days)
        zone = self.zone

        @lru_cache(_DAYS_KEPT)
        def day(utc_day: int) -> _Open:
            return _open_in(zone, wall, utc_day)

        @lru_cache(_DAYS_KEPT)
        def block_ms(block: int) -> int:
            first = block * _BLOCK_DAYS
            return sum(day(utc_day).open_ms for utc_day in range(first, first + _BLOCK_DAYS))

        always = self.eras == (Era(date.min, ALL_WEEK),) and not self.special_days
        object.__setattr__(self, "_always", always)
        object.__setattr__(self, "_day", day)
        object.__setattr__(self, "_block_ms", block_ms)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copied and pickled without what is kept."""
        return Opening, (self.zone, self.eras, self.special_days)

    def is_open(self, time_ms: int) -> bool:
        return self._always or any(
            start <= time_ms < end for start, end in self._day(time_ms // DAY_MS).spans
        )

    def between_ms(self, start_ms: int, end_ms: int) -> int:
        """Open time within ``[start_ms, end_ms)``; 0 if it is empty or turned round."""
        if end_ms <= start_ms:
            return 0
        if self._always:
            return end_ms - start_ms
        whole_ms = self._whole_days_ms(start_ms // DAY_MS, end_ms // DAY_MS)
        return whole_ms + self._until_ms(end_ms) - self._until_ms(start_ms)

    def next_open_ms(self, time_ms: int) -> int | None:
        """The first open instant at or after ``time_ms``; None if there is none in SEARCH_DAYS."""
        if self._always:
            return time_ms
        today = time_ms // DAY_MS
        for utc_day in range(today, today + SEARCH_DAYS):
            for start, end in self._day(utc_day).spans:
                if time_ms < end:
                    return max(start, time_ms)
        return None

    def after_ms(self, start_ms: int, open_ms: int) -> int | None:
        """The first instant that is open and has ``open_ms`` (0 or more) of open time between
        ``start_ms`` and itself: what is due within that time is late after it.  None if there is
        none in SEARCH_DAYS."""
        if self._always:
            return start_ms + open_ms
        today = start_ms // DAY_MS
        for utc_day in range(today, today + SEARCH_DAYS):
            for opens, closes in self._day(utc_day).spans:
                opens = max(opens, start_ms)
                if opens + open_ms < closes:
                    return opens + open_ms
                open_ms -= max(0, closes - opens)
        return None

    def _until_ms(self, time_ms: int) -> int:
        """Open time of the day of UTC before ``time_ms``."""
        spans = self._day(time_ms // DAY_MS).spans
        return sum(min(end, time_ms) - start for start, end in spans if start < time_ms)

    def _whole_days_ms(self, first: int, until: int) -> int:
        """Open time of the days of UTC ``[first, until)``."""
        block, block_until = -(-first // _BLOCK_DAYS), until // _BLOCK_DAYS
        if block >= block_until:
            return self._days_ms(first, until)
        return (
            self._days_ms(first, block * _BLOCK_DAYS)
            + sum(map(self._block_ms, range(block, block_until)))
            + self._days_ms(block_until * _BLOCK_DAYS, until)
        )

    def _days_ms(self, first: int, until: int) -> int:
        return sum(self._day(utc_day).open_ms for utc_day in range(first, until))


class _Wall:
    """Hours by local date, as days since 1970: no zone, no clock changes."""

    __slots__ = ("_since", "_special", "_weeks")

    def __init__(self, eras: Sequence[Era], special: Sequence[tuple[date, DayHours]]) -> None:
        self._since = [_day_number(era.since) for era in eras]
        self._weeks = [era.week for era in eras]
        self._special: Mapping[int, DayHours] = {_day_number(day): hours for day, hours in special}
        if sorted(set(self._since)) != self._since:
            raise ValueError("eras must be in order, one from a date")
        if len(self._special) != len(special):
            raise ValueError("a special day must be there once")
        for hours in (*(h for week in self._weeks for h in week), *self._special.values()):
            _check(hours)

    def hours(self, day: int) -> DayHours:
        special = self._special.get(day)
        if special is not None:
            return special
        era = bisect_right(self._since, day) - 1
        return self._weeks[era][(day + _EPOCH_WEEKDAY) % 7] if era >= 0 else ()

    def spans(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """What is open within ``[start, end)`` of the wall's clock, in ms since 1970 on it."""
        for day in range(start // DAY_MS - 1, (end - 1) // DAY_MS + 1):
            for hours in self.hours(day):
                opens = max(start, day * DAY_MS + hours.start_minute * MINUTE_MS)
                closes = min(end, day * DAY_MS + hours.end_minute * MINUTE_MS)
                if opens < closes:
                    yield opens, closes


def _day_number(day: date) -> int:
    return day.toordinal() - _EPOCH_ORDINAL


def _check(hours: DayHours) -> None:
    for start, end in hours:
        if not (0 <= start < DAY_MINUTES and start < end <= start + DAY_MINUTES):
            raise ValueError(f"hours {start} to {end}: must begin in the day and last 1 to 1440")


def _open_in(zone: str, wall: _Wall, utc_day: int) -> _Open:
    spans = [
        (opens - offset, closes - offset)
        for start, end, offset in stretches_of(zone, utc_day)
        for opens, closes in wall.spans(start + offset, end + offset)
    ]
    joined = tuple(_joined(sorted(spans)))
    return _Open(joined, sum(end - start for start, end in joined))


def _joined(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans in order, with those that touch or overlap made one."""
    if not spans:
        return
    start, end = spans[0]
    for opens, closes in spans[1:]:
        if opens > end:
            yield start, end
            start, end = opens, closes
        end = max(end, closes)
    yield start, end


ALWAYS = Opening()
"""Open around the clock."""
