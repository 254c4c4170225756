"""A customer as the customers stage knows them: the contacts seen, and which of them were repeats.

A contact that follows another one of the same customer within W days is a repeat.  What counts is
the latest record of each contact by its *position* in the contact's own log, so a repeated or
outdated record changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from streams.core.facts import ContactSeen
from streams.core.terms import DAY_MS

KEEP_MS = 60 * DAY_MS
"""Contacts older than this (before the customer's latest) are forgotten: twice the longest W."""
CONTACTS_MAX = 2_000
"""Records kept per customer; more are refused and counted."""


class Seen(NamedTuple):
    """One contact record: ``offset`` in the records topic, ``position`` in the contact's log;
    ``arrived_ms`` and ``channel`` are None for a contact that turned out to be none (a consult
    leg); ``told_ms`` is when the record was appended, the only time that such a contact has."""

    offset: int
    contact: str
    position: int
    arrived_ms: int | None
    channel: str | None
    told_ms: int


def latest(records: Iterable[Seen]) -> dict[str, Seen]:
    """Per contact the record with the highest position."""
    best: dict[str, Seen] = {}
    for record in records:
        known = best.get(record.contact)
        if known is None or record.position > known.position:
            best[record.contact] = record
    return best


def facts(records: Iterable[Seen]) -> list[ContactSeen]:
    """One fact per contact, in time order (contacts of the same millisecond: by id)."""
    seen = sorted(
        (r.arrived_ms, r.contact, r.channel)
        for r in latest(records).values()
        if r.arrived_ms is not None and r.channel
    )
    out: list[ContactSeen] = []
    before: int | None = None
    for at_ms, _, channel in seen:
        days = None if before is None else (at_ms - before) / DAY_MS
        within = [days is not None and days <= w for w in (1, 7, 30)]
        out.append(ContactSeen(channel, at_ms, *within))
        before = at_ms
    return out


def settle(records: Sequence[Seen], start: int) -> list[Seen]:
    """Drop what a replay from ``start`` (the beginning of a segment) cannot need: records outdated
    before it, and contacts long past."""
    best = latest(r for r in records if r.offset < start)
    horizon = max((_dated(r) for r in best.values()), default=0) - KEEP_MS
    return [
        r for r in records if r.offset >= start or (best[r.contact] is r and _dated(r) >= horizon)
    ]


def _dated(record: Seen) -> int:
    """A consult leg is kept as long as a contact: an outdated record of it may still come."""
    return record.told_ms if record.arrived_ms is None else record.arrived_ms
