"""The ``[calendars]`` table: opening hours by name.

::

    [calendars."Office"]
    zone = "Europe/Berlin"
    monday = ["09:00-12:00", "13:00-17:00"]
    friday = ["22:00-06:00"]
    holidays = ["2026-12-25"]

    [calendars."Office".special_days]
    "2026-12-24" = ["09:00-12:00"]

    [[calendars."Office".since]]
    from = "2027-01-01"
    friday = []

A weekday that is not named is closed; what an entry of ``since`` does not name is as before it.  A
calendar that names no zone has the default one (``[defaults]``), not that of a queue.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from streams.core.opening import ALWAYS, DAY_MINUTES, DayHours, Era, OpenHours, Opening, Week
from streams.settings.named import each, known_keys, since_rows
from streams.settings.options import Wrong, fields_of, value_of
from streams.settings.tree import Defaults

CALENDARS_MAX = 1_000
SPANS_MAX = 12
"""Spans of one day."""
SPECIAL_DAYS_MAX = 5_000
"""Holidays of one calendar, and as many days with hours of their own."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOSED: Week = ((), (), (), (), (), (), ())
_SPAN = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")
_ZONE = next(f for f in fields_of("calendars", Defaults) if f.name == "zone")


def read(table: object, zone: str, origin: str, problems: list[str]) -> dict[str, Opening]:
    """The calendars by name; what is wrong is added to ``problems``.  ``zone``: of those that name
    none."""
    if isinstance(table, dict) and len(table) > CALENDARS_MAX:
        problems.append(f"calendars (from {origin}): there may be {CALENDARS_MAX} at most")
        return {}

    def opening(rows: dict[str, Any], said: list[str]) -> Opening:
        return _opening(rows, zone, said)

    return each("calendars", table, origin, problems, opening, ALWAYS)


def _opening(table: dict[str, Any], zone: str, said: list[str]) -> Opening:
    known = ("zone", *WEEKDAYS, "holidays", "special_days", "since")
    for key in known_keys(table, known, "", said):
        if key == "zone":
            zone = _zone(table[key], zone, said)
    eras = tuple(_eras(table, said))
    special = _holidays(table.get("holidays", []), said)
    for day, hours in _special_days(table.get("special_days", {}), said):
        if day in special:
            said.append(f".special_days.{day}: is a holiday too, or there twice")
        special[day] = hours
    if not said and not any([*(h for era in eras for h in era.week), *special.values()]):
        said.append(': is never open; name hours, such as monday = ["09:00-17:00"]')
    return ALWAYS if said else Opening(zone, eras, tuple(sorted(special.items())))


def _zone(raw: object, default: str, said: list[str]) -> str:
    try:
        return str(value_of(_ZONE, raw))
    except Wrong as wrong:
        said.append(f".zone = {raw!r}: {wrong}")
        return default


# -- weeks


def _eras(table: dict[str, Any], said: list[str]) -> Iterator[Era]:
    """Entries as written must rise: each builds on the one before it."""
    era = Era(date.min, _week(table, _CLOSED, "", said))
    yield era
    for where, row in since_rows("calendars", table, said):
        known = known_keys(row, ("from", *WEEKDAYS), where, said)
        week = _week({key: row[key] for key in known}, era.week, where, said)
        try:
            since = day_of(row.get("from"))
        except Wrong as wrong:
            said.append(f"{where}.from: {wrong}")
            continue
        if since <= era.since:
            said.append(f"{where}.from: must be later than the entry before it")
        era = Era(since, week)
        yield era


def _week(table: Mapping[str, Any], before: Week, where: str, said: list[str]) -> Week:
    days = dict(zip(WEEKDAYS, before, strict=True))
    for name in WEEKDAYS:
        if name in table:
            days[name] = _hours(table[name], f"{where}.{name}", said)
    mo, tu, we, th, fr, sa, su = days.values()
    return mo, tu, we, th, fr, sa, su


def _hours(raw: object, where: str, said: list[str]) -> DayHours:
    try:
        return hours_of(raw)
    except Wrong as wrong:
        said.append(f"{where} = {raw!r}: {wrong}")
        return ()


def hours_of(raw: object) -> DayHours:
    """The spans of one day in order; Wrong if they are none, too many or overlap.

    >>> hours_of(["13:00-24:00", "09:00-12:00"])
    (OpenHours(start_minute=540, end_minute=720), OpenHours(start_minute=780, end_minute=1440))
    """
    if not isinstance(raw, list) or not all(isinstance(text, str) for text in raw):
        raise Wrong('must be a list of spans, such as ["09:00-12:00", "13:00-17:00"]; closed is []')
    if len(raw) > SPANS_MAX:
        raise Wrong(f"a day has at most {SPANS_MAX} spans")
    hours = tuple(sorted(_span(text) for text in raw))
    for one, next_one in pairwise(hours):
        if next_one.start_minute < one.end_minute:
            raise Wrong("spans overlap")
    return hours


def _span(text: str) -> OpenHours:
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise Wrong('a span is written as "09:00-17:00", from 00:00 to 24:00')
    start_hour, start_minute, end_hour, end_minute = found.groups()
    start = int(start_hour) * 60 + int(start_minute)
    end = int(end_hour) * 60 + int(end_minute) if end_hour else DAY_MINUTES
    if start == end:
        raise Wrong('a span ends when it begins; all day is "00:00-24:00"')
    return OpenHours(start, end if end > start else end + DAY_MINUTES)


def hours_text(hours: DayHours) -> str:
    """As they are written.

    >>> hours_text((OpenHours(540, 720), OpenHours(1_320, 1_800))), hours_text(())
    ('09:00-12:00 22:00-06:00', 'closed')
    """
    return " ".join(f"{_clock(start)}-{_clock(end)}" for start, end in hours) or "closed"


def _clock(minute: int) -> str:
    minute = minute if minute <= DAY_MINUTES else minute - DAY_MINUTES
    return f"{minute // 60:02}:{minute % 60:02}"


# -- single days


def _holidays(raw: object, said: list[str]) -> dict[date, DayHours]:
    if not isinstance(raw, list) or len(raw) > SPECIAL_DAYS_MAX:
        said.append(
            f'.holidays: must be a list of at most {SPECIAL_DAYS_MAX} dates: ["2026-12-25"]'
        )
        return {}
    found = dict[date, DayHours]()
    for index, one in enumerate(raw):
        try:
            found[day_of(one)] = ()
        except Wrong as wrong:
            said.append(f".holidays[{index}] = {one!r}: {wrong}")
    return found


def _special_days(raw: object, said: list[str]) -> Iterator[tuple[date, DayHours]]:
    if not isinstance(raw, dict) or len(raw) > SPECIAL_DAYS_MAX:
        said.append(
            f".special_days: must be a table of at most {SPECIAL_DAYS_MAX} dates: "
            '"2026-12-24" = ["09:00-12:00"]'
        )
        return
    for name, spans in raw.items():
        try:
            yield day_of(name), _hours(spans, f".special_days.{name}", said)
        except Wrong as wrong:
            said.append(f".special_days.{name}: {wrong}")


def day_of(raw: object) -> date:
    """A date, from TOML's own or as text; Wrong if it is none.

    >>> day_of("2026-12-25")
    datetime.date(2026, 12, 25)
    """
    if raw is None:
        raise Wrong('is missing: a date such as "2026-11-01"')
    try:
        value = date.fromisoformat(raw.strip()) if isinstance(raw, str) else raw
    except ValueError:
        value = None
    if not isinstance(value, date) or isinstance(value, datetime):
        raise Wrong('must be a date such as "2026-11-01"')
    if not 1970 <= value.year < 2100:
        raise Wrong("must lie between 1970 and 2100")
    return value
