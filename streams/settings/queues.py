"""The ``[queues]`` table: terms of queues by name, with the dates from which they hold.

::

    [queues."PS"]
    service_level_threshold_seconds = 30
    zone = "Europe/Berlin"
    calendar = "Office"

    [[queues."PS".since]]
    from = "2026-11-01"
    service_level_threshold_seconds = 20

What a queue does not say is as in ``[defaults]``; what an entry of ``since`` does not say is as
before it.  A date means its first instant in the queue's zone (the entry's, if it names one).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from streams.core.opening import Opening
from streams.core.terms import Dated
from streams.core.vocabulary import TIME_MS_MAX
from streams.settings.named import each, known_keys, since_rows
from streams.settings.options import Field, Wrong, did_you_mean, fields_of, value_of
from streams.settings.tree import Defaults

_FIELDS: Mapping[str, Field] = {f.name: f for f in fields_of("queues", Defaults)}


class _Entry(NamedTuple):
    """One table of ``since``: from when, and what changes."""

    since_ms: int
    changes: dict[str, Any]


def read(
    table: object,
    defaults: Defaults,
    calendars: Mapping[str, Opening],
    origin: str,
    problems: list[str],
) -> dict[str, tuple[Dated, ...]]:
    """The terms of each queue by date; what is wrong is added to ``problems``."""

    def queue(rows: dict[str, Any], said: list[str]) -> tuple[Dated, ...]:
        return _queue(rows, defaults, calendars, said)

    return each("queues", table, origin, problems, queue, ())


def _queue(
    table: dict[str, Any],
    defaults: Defaults,
    calendars: Mapping[str, Opening],
    said: list[str],
) -> tuple[Dated, ...]:
    base = replace(defaults, **_changes(table, "since", "", calendars, said))
    terms, dated = base, [Dated(0, base.terms(calendars))]
    for entry in _in_order(_entries(table, base.zone, calendars, said), said):
        terms = replace(terms, **entry.changes)
        dated.append(Dated(entry.since_ms, terms.terms(calendars)))
    return tuple(dated)


def _changes(
    table: Mapping[str, object],
    other: str,
    where: str,
    calendars: Mapping[str, Opening],
    said: list[str],
) -> dict[str, Any]:
    """The terms a table names; ``other`` is the key that is none."""
    found = {}
    for key in known_keys(table, (*_FIELDS, other), where, said):
        if key == other:
            continue
        try:
            found[key] = value_of(_FIELDS[key], table[key])
            if key == "calendar":
                check_calendar(found[key], calendars)
        except Wrong as wrong:
            said.append(f"{where}.{key} = {table[key]!r}: {wrong}")
    return found


def check_calendar(name: str, calendars: Mapping[str, Opening]) -> None:
    """Wrong if a calendar is named that is not there."""
    if name and name not in calendars:
        hint = did_you_mean(name, calendars) or f'; it needs a table: [calendars."{name}"]'
        raise Wrong(f"there is no such calendar{hint}")


def _entries(
    table: dict[str, Any], zone: str, calendars: Mapping[str, Opening], said: list[str]
) -> Iterator[_Entry]:
    for where, row in since_rows("queues", table, said):
        changes = _changes(row, "from", where, calendars, said)
        zone = changes.get("zone", zone)
        try:
            yield _Entry(instant(row.get("from"), zone), changes)
        except Wrong as wrong:
            said.append(f"{where}.from: {wrong}")


def _in_order(entries: Iterator[_Entry], said: list[str]) -> Iterator[_Entry]:
    """Entries as written must rise: each builds on the one before it."""
    before = 0
    for index, entry in enumerate(entries):
        if entry.since_ms <= before:
            said.append(f".since[{index}].from: must be later than the entry before it")
        before = entry.since_ms
        yield entry


def instant(raw: object, zone: str) -> int:
    """When an entry comes into force, in ms: at a date's first instant in ``zone``, or at a time.

    Wrong if it is neither a date nor a time with an offset.

    >>> instant("2026-11-01", "Europe/Berlin") == instant("2026-10-31T23:00:00Z", "UTC")
    True
    """
    if raw is None:
        raise Wrong('is missing: a date such as "2026-11-01"')
    value = _parsed(raw) if isinstance(raw, str) else raw
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise Wrong("a time needs an offset, such as 2026-11-01T09:00:00+01:00")
    elif isinstance(value, date):
        # fold=0 is the first midnight of two, and of a missing one the instant that replaces it.
        value = datetime.combine(value, time.min, ZoneInfo(zone))
    else:
        raise Wrong('must be a date such as "2026-11-01", or a time with an offset')
    at = round(value.timestamp() * 1000)
    if not 0 < at <= TIME_MS_MAX:
        raise Wrong("must lie between 1970 and 2100")
    return at


def _parsed(text: str) -> date | datetime:
    for parse in (date.fromisoformat, datetime.fromisoformat):
        try:
            return parse(text.strip())
        except ValueError:
            continue
    raise Wrong('must be a date such as "2026-11-01", or a time with an offset')
