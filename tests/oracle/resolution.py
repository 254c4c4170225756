"""What becomes of one ticket, computed the dumb way: the whole list is read again for each fact.

``events`` are those of one contact, each once, sorted by time, no two at one time.  Nothing is
shared with ``streams.core.ticket`` but the facts' names and the calendar.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from streams.core import events as ev
from streams.core import facts, ticket_facts
from streams.core.terms import Terms

WRITTEN = ("chat", "email", "social", "sms", "ticket")


def is_done(event: ev.ContactEvent) -> bool:
    return isinstance(event, ev.StatusChanged) and event.status in ("solved", "closed")


class One:
    """One contact's list, and questions to it."""

    def __init__(self, events: Sequence[ev.ContactEvent], terms: Terms) -> None:
        self.all = events
        self.terms = terms
        self.channel = events[0].channel
        begin = [
            i
            for i, e in enumerate(events)
            if isinstance(e, ev.StatusChanged | ev.Message)
            or (isinstance(e, ev.ContactStarted) and e.channel in WRITTEN)
        ]
        self.seen = events[begin[0] :] if begin else []
        self.statuses = self.of(ev.StatusChanged)

    def of(self, *kinds: type) -> list[Any]:
        return [e for e in self.seen if isinstance(e, kinds)]

    @property
    def is_ticket(self) -> bool:
        started = [e for e in self.of(ev.ContactStarted) if e.channel in WRITTEN]
        return bool(self.statuses or started)

    @property
    def excluded(self) -> bool:
        spam = [e.spam for e in self.all if isinstance(e, ev.ContactStarted) and e.spam]
        spam += [e.spam for e in self.all if isinstance(e, ev.Classified) and e.spam is not None]
        return bool(spam and spam[-1]) or any(isinstance(e, ev.Merged) for e in self.all)

    @property
    def created_ms(self) -> int:
        return (self.of(ev.ContactStarted) or self.all)[0].time

    @property
    def issue_type(self) -> str | None:
        said = [getattr(e, "issue_type", None) for e in self.all]
        return ([None, *(s for s in said if s)])[-1]

    def until(self, at_ms: int) -> list[Any]:
        return [e for e in self.all if e.time <= at_ms]

    def queue(self, at_ms: int) -> str:
        named = [e.queue for e in self.until(at_ms) if isinstance(e, ev.Queued | ev.Assigned)]
        return ["none", *(q for q in named if q)][-1]

    def owner(self, at_ms: int, field: str) -> str | None:
        """``team`` or ``agent`` then."""
        found = None
        for e in self.until(at_ms):
            if isinstance(e, ev.Assigned):
                found = getattr(e, field)
            elif field == "agent" and isinstance(e, ev.Answered):
                found = e.agent or found
        return found

    @property
    def first_queue(self) -> str:
        """Where it arrived: in the first queue, but an assignment alone is no arrival."""
        arrived = False
        for e in self.all:
            arrived |= isinstance(e, ev.ContactStarted) and e.channel in WRITTEN
            if isinstance(e, ev.Queued) or (isinstance(e, ev.Assigned) and e.queue and arrived):
                assert e.queue is not None
                return e.queue
        return "none"

    @property
    def first_team(self) -> str | None:
        read = (
            ev.ContactStarted, ev.StatusChanged, ev.Message, ev.Answered, ev.Assigned,
            ev.BotHandedOff, ev.Ended, ev.Lost,
        )  # fmt: skip
        teams = [self.owner(e.time, "team") for e in self.of(*read)]
        return next((team for team in teams if team), None)

    # -- solvings

    def solvings(self) -> list[tuple[ev.ContactEvent, ev.ContactEvent | None]]:
        """Each with what reopened it."""
        if not self.statuses:
            end = self.of(ev.Ended)[:1]
            return [(end[0], None)] if end and self.answered_before(end[0]) else []
        found = []
        for i, e in enumerate(self.statuses):
            if is_done(e) and not (i and is_done(self.statuses[i - 1])):
                found.append((e, next((x for x in self.statuses[i:] if not is_done(x)), None)))
        return found

    def public(self) -> list[ev.Message]:
        return [m for m in self.of(ev.Message) if m.public and not m.automatic]

    def answered_before(self, end: ev.ContactEvent) -> bool:
        wrote = [m for m in self.public() if m.author in ("agent", "bot")]
        return any(e.time < end.time for e in [*wrote, *self.of(ev.Answered)])

    def given_up(self) -> tuple[str, ev.ContactEvent] | None:
        if not self.statuses and self.of(ev.Ended):
            end = self.of(ev.Ended)[0]
            return None if self.answered_before(end) else ("unanswered", end)
        if self.statuses and is_done(self.statuses[-1]):
            return None
        read = self.of(
            ev.ContactStarted, ev.StatusChanged, ev.Message, ev.Answered, ev.Assigned,
            ev.BotHandedOff, ev.Ended, ev.Lost,
        )  # fmt: skip
        return ("lost", read[-1]) if isinstance(read[-1], ev.Lost) else None

    def open_ms(self, from_ms: int, until_ms: int, solving: ev.ContactEvent) -> int:
        at = self.terms.at(self.queue(solving.time), solving.time)
        return at.opening.between_ms(from_ms, until_ms)

    def spent(self, solving: ev.ContactEvent, *wanted: str) -> list[int | None]:
        """Time in those statuses before the solving, on the calendar and open."""
        if not self.statuses or solving.time < self.created_ms:
            return [None, None]
        calendar = business = 0
        rows = [("new", 0), *((e.status, e.time) for e in self.statuses)]
        for (status, from_ms), (_, until_ms) in pairwise(rows):
            from_ms = max(from_ms, self.created_ms)
            if status in wanted and from_ms < until_ms <= solving.time:
                calendar += until_ms - from_ms
                business += self.open_ms(from_ms, until_ms, solving)
        return [calendar, business]


def facts_of_ticket(events: Sequence[ev.ContactEvent], terms: Terms) -> list[facts.Fact]:
    one = One(events, terms)
    if not one.is_ticket or one.excluded:
        return []
    channel, created, issue = one.channel, one.created_ms, one.issue_type
    found: list[facts.Fact] = [
        ticket_facts.TicketCreated(one.first_queue, channel, created, one.first_team, issue)
    ]
    solvings = one.solvings()
    for i, (solved, reopened) in enumerate(solvings):
        found += _solved(one, solved, reopened, first=i == 0)
    if solvings and solvings[-1][1] is None:
        found.append(_resolved(one, solvings[-1][0], len(solvings) - 1))
    given_up = one.given_up()
    if given_up:
        at = given_up[1].time
        found.append(
            ticket_facts.TicketGivenUp(
                one.queue(at), channel, created, at, given_up[0], not solvings,
                one.owner(at, "team"), issue,
            )
        )  # fmt: skip
    return found


def _solved(
    one: One, solved: ev.ContactEvent, reopened: ev.ContactEvent | None, *, first: bool
) -> list[facts.Fact]:
    at, queue, team = solved.time, one.queue(solved.time), one.owner(solved.time, "team")
    agent = getattr(solved, "agent", None) or one.owner(at, "agent")
    took = at - one.created_ms
    business = after = again = None
    if first:
        business = one.open_ms(one.created_ms, at, solved) if took >= 0 else None
        handed = [at - e.time for e in one.of(ev.BotHandedOff)[:1] if e.time <= at]
        after = handed[0] if handed else None
        again = reopened.time - at if reopened else None
    found: list[facts.Fact] = [
        ticket_facts.TicketSolved(
            queue, one.channel, one.created_ms, at, first, took if took >= 0 else None, business,
            after, again, agent, team, one.issue_type,
        )
    ]  # fmt: skip
    if took < 0:
        found.append(facts.ValueRefused(queue, one.channel, at, "resolution_ms"))
    if reopened:
        then = reopened.time
        found.append(
            ticket_facts.TicketReopened(
                one.queue(then), one.channel, then, agent, one.owner(then, "team"), one.issue_type
            )
        )
    return found


def _resolved(one: One, solved: ev.ContactEvent, reopens: int) -> ticket_facts.TicketResolved:
    at = solved.time
    took = at - one.created_ms
    wrote = [m for m in one.public() if m.author == "agent"]
    spoken = [m for m in one.public() if m.author != "system"]
    started = [e for e in one.all if isinstance(e, ev.ContactStarted)]
    opening = bool(started) and started[-1].direction != "inbound" and spoken[:1] == wrote[:1] != []
    return ticket_facts.TicketResolved(
        one.queue(at), one.channel, one.created_ms, at, took if took >= 0 else None,
        one.open_ms(one.created_ms, at, solved) if took >= 0 else None,
        *one.spent(solved, "new", "open", "on_hold"), *one.spent(solved, "pending"),
        *one.spent(solved, "on_hold"),
        reopens, len(wrote) - opening, len([m for m in spoken if m.author == "customer"]),
        len({m.agent for m in wrote} | {e.agent for e in one.of(ev.Answered)}),
        getattr(solved, "agent", None) or one.owner(at, "agent"), one.owner(at, "team"),
        one.issue_type,
    )  # type: ignore[arg-type]  # fmt: skip
