"""A customer as the customers stage knows them: the contacts seen, and what each of them is in the
light of the others.

What counts is the latest record of each contact by its *position* in the contact's own log, so a
repeated or outdated record changes nothing.

A contact that follows another one of the same customer within W days is a repeat.  Days are counted
from arrival to arrival, and the last instant belongs to them: who writes on Monday and asks on
Tuesday what has become of it needed two contacts, whenever the first was dealt with.  Contacts that
the customer did not make (we called; a transfer goes on under another name) are neither repeats nor
repeated.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from streams.core.about import NO_QUEUE
from streams.core.calendar import QUARTER_MS
from streams.core.facts import ContactFollowed, ContactSeen, CustomerFact, SelfServed
from streams.core.terms import DAY_MS
from streams.core.window import spans_at

CONTACTS_MAX = 2_000
"""Records kept per customer; more are refused and counted, and stand in no result.  Only machines
call so often."""
LOOK_MS = 30 * DAY_MS
"""The longest W: further off, contacts have nothing to do with each other."""
TOLD_MS = 60 * DAY_MS
"""Of contacts older than this (before the customer's latest) nothing is taken any more; whoever
tells of one is refused and counted."""
KEEP_MS = TOLD_MS + LOOK_MS
"""Contacts older than this are forgotten: all that may be taken is held against what was before."""
RETURN_MS = DAY_MS
"""Who wants a person within this time was not served by a machine."""
_NEVER_MS = 10**15


class Seen(NamedTuple):
    """One contact record: ``offset`` in the records topic, ``position`` in the contact's log;
    ``arrived_ms`` and ``channel`` are None for a contact that turned out to be none (a consult
    leg); ``told_ms`` is when the record was appended, the only time that such a contact has.  The
    rest is as in ``brief.Brief``."""

    offset: int
    contact: str
    position: int
    arrived_ms: int | None
    channel: str | None
    told_ms: int
    queue: str | None = None
    issue_type: str | None = None
    agent: str | None = None
    reason: str | None = None
    human: bool = False
    ours: bool = False
    before: bool = False
    self_service_ms: int | None = None
    contained: bool = False


class _Made(NamedTuple):
    """A contact that the customer made."""

    at_ms: int
    contact: str
    channel: str
    seen: Seen


def latest(records: Iterable[Seen]) -> dict[str, Seen]:
    """Per contact the record with the highest position."""
    best: dict[str, Seen] = {}
    for record in records:
        known = best.get(record.contact)
        if known is None or record.position > known.position:
            best[record.contact] = record
    return best


def facts(records: Iterable[Seen], zone: str = "UTC") -> list[CustomerFact]:
    """What the records mean; ``zone`` is the one whose days customers are counted by."""
    known = latest(records).values()
    made = [
        _Made(r.arrived_ms, r.contact, r.channel, r)
        for r in known
        if r.arrived_ms is not None and r.channel and not r.ours
    ]
    # In time order; contacts of the same millisecond by their id.
    made.sort()
    out: list[CustomerFact] = [*_seen(made, zone), *_followed(made)]
    if any(r.self_service_ms is not None for r in known):
        out += _self_served(known, made)
    return out


def _seen(made: Iterable[_Made], zone: str) -> Iterator[ContactSeen]:
    before_ms = -_NEVER_MS
    day_of: dict[str, int] = {}
    last_day = -1
    for at_ms, _, channel, record in made:
        gap = at_ms - before_ms
        day = spans_at(zone, at_ms // QUARTER_MS * QUARTER_MS)[-1].start_ms
        yield ContactSeen(
            channel,
            at_ms,
            gap <= DAY_MS,
            gap <= 7 * DAY_MS,
            gap <= 30 * DAY_MS,
            record.reason,
            day_of.get(channel) != day,
            last_day != day,
        )
        day_of[channel] = last_day = day
        before_ms = at_ms


def _followed(made: Sequence[_Made]) -> Iterator[ContactFollowed]:
    """Of each contact that a person dealt with, what came after it; the last one first."""
    doubted = _doubted(made)
    after_ms: int | None = None
    same_ms: dict[str, int] = {}
    for at_ms, contact, channel, record in reversed(made):
        issue = record.issue_type
        if record.human:
            again = _gap(at_ms, after_ms)
            # An issue of unknown type is like no other.
            same = None if issue is None else _gap(at_ms, same_ms.get(issue))
            yield ContactFollowed(
                record.queue, channel, at_ms, issue, record.agent, again, same, contact in doubted
            )
        after_ms = at_ms
        if issue is not None:
            same_ms[issue] = at_ms


def _gap(at_ms: int, after_ms: int | None) -> int | None:
    return None if after_ms is None or after_ms - at_ms > LOOK_MS else after_ms - at_ms


def _doubted(made: Iterable[_Made]) -> set[str]:
    """The contacts that were the last a person dealt with before the customer said they had been in
    touch already."""
    found: set[str] = set()
    last: _Made | None = None
    for one in made:
        if one.seen.before and last is not None and one.at_ms - last.at_ms <= LOOK_MS:
            found.add(last.contact)
        if one.seen.human:
            last = one
    return found


def _self_served(known: Iterable[Seen], made: Iterable[_Made]) -> Iterator[SelfServed]:
    served = [
        (r.self_service_ms, r.contact, r.channel, r.contained)
        for r in known
        if r.self_service_ms is not None and r.channel and not r.ours
    ]
    # Who joins a queue wants a person, whether or not one takes the contact.
    wanted = [m for m in made if m.seen.human or m.seen.queue not in (None, NO_QUEUE)]
    for start_ms, contact, channel, contained in sorted(served):
        first = bisect_left(wanted, start_ms, key=_at)
        came_back = any(
            one.at_ms <= start_ms + RETURN_MS
            for one in wanted[first : first + 2]
            if one.contact != contact
        )
        yield SelfServed(channel, start_ms, contained and not came_back)


def _at(made: _Made) -> int:
    return made.at_ms


def settle(records: Sequence[Seen], start: int) -> list[Seen]:
    """Drop what a replay from ``start`` (the beginning of a segment) cannot need: records outdated
    before it, and contacts long past."""
    best = latest(r for r in records if r.offset < start)
    horizon = _latest_ms(best.values()) - KEEP_MS
    return [
        r for r in records if r.offset >= start or (best[r.contact] is r and _dated(r) >= horizon)
    ]


def too_old(told: Seen, known: Sequence[Seen]) -> bool:
    """Whether ``told`` is of a contact, or takes one back, of which nothing is taken any more: what
    it was held against may be forgotten, and itself, so that it would count again."""
    until_ms = _latest_ms(known) - TOLD_MS
    same = (r for r in known if r.contact == told.contact)
    begun = (r.self_service_ms if r.arrived_ms is None else r.arrived_ms for r in (told, *same))
    return any(at_ms is not None and at_ms < until_ms for at_ms in begun)


def _latest_ms(known: Iterable[Seen]) -> int:
    """When the customer's latest contact arrived.  A consult leg has no such time; where history is
    computed again it is told of long after the contacts."""
    return max((r.arrived_ms for r in known if r.arrived_ms is not None), default=0)


def _dated(record: Seen) -> int:
    """A consult leg is kept as long as a contact: an outdated record of it may still come."""
    return record.told_ms if record.arrived_ms is None else record.arrived_ms
