"""The ``[queues]`` table: terms of queues by name, with the dates from which they hold.

::

    [queues."PS"]
    service_level_threshold_seconds = 30
    zone = "Europe/Berlin"

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

from streams.core.terms import Dated
from streams.core.vocabulary import TIME_MS_MAX
from streams.settings.options import Field, Wrong, did_you_mean, fields_of, value_of
from streams.settings.tree import Defaults

NAME_LENGTH_MAX = 120
SINCE_MAX = 1_000
"""Entries of one queue."""
_FIELDS: Mapping[str, Field] = {f.name: f for f in fields_of("queues", Defaults)}


class _Entry(NamedTuple):
    """One table of ``since``: from when, and what changes."""

    since_ms: int
    changes: dict[str, Any]


def read(
    table: object, defaults: Defaults, origin: str, problems: list[str]
) -> dict[str, tuple[Dated, ...]]:
    """The terms of each queue by date; what is wrong is added to ``problems``."""
    if not isinstance(table, dict):
        problems.append(f'queues (from {origin}): must be tables: [queues."NAME"]')
        return {}
    found = {}
    for name, rows in table.items():
        where = f"queues.{name!r}"
        said = list[str]()
        found[name] = _queue(name, rows, defaults, said)
        problems += [f"{where}{problem} (from {origin})" for problem in said]
    return found


def _queue(name: str, table: object, defaults: Defaults, said: list[str]) -> tuple[Dated, ...]:
    if not 0 < len(name) <= NAME_LENGTH_MAX:
        said.append(f": a queue's name has 1 to {NAME_LENGTH_MAX} characters")
    if not isinstance(table, dict):
        said.append(': must be a table: [queues."NAME"]')
        return ()
    base = replace(defaults, **_changes(table, {"since"}, "", said))
    terms, dated = base, [Dated(0, base.terms())]
    for entry in _in_order(_entries(table.get("since", []), base, said), said):
        terms = replace(terms, **entry.changes)
        dated.append(Dated(entry.since_ms, terms.terms()))
    return tuple(dated)


def _changes(
    table: Mapping[str, object], others: set[str], where: str, said: list[str]
) -> dict[str, Any]:
    """The terms a table names."""
    found = {}
    for key, raw in table.items():
        if key in others:
            continue
        if key not in _FIELDS:
            hint = did_you_mean(key, [*_FIELDS, *others])
            said.append(f"{where}.{key}: there is no such setting{hint}")
            continue
        try:
            found[key] = value_of(_FIELDS[key], raw)
        except Wrong as wrong:
            said.append(f"{where}.{key} = {raw!r}: {wrong}")
    return found


def _entries(rows: object, base: Defaults, said: list[str]) -> Iterator[_Entry]:
    if not isinstance(rows, list) or len(rows) > SINCE_MAX:
        said.append(f'.since: must be at most {SINCE_MAX} tables: [[queues."NAME".since]]')
        return
    zone = base.zone
    for index, row in enumerate(rows):
        where = f".since[{index}]"
        if not isinstance(row, dict):
            said.append(f'{where}: must be a table: [[queues."NAME".since]]')
            continue
        changes = _changes(row, {"from"}, where, said)
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
