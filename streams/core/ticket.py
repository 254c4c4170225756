"""A ticket: created, solved, reopened, and solved again at last.

Theory of operation
-------------------
A contact on a written channel is a ticket from its beginning on, any other from its first status
on (a call that a platform makes a ticket of).  It was created when it began.

**With statuses.**  A ticket is solved when its status becomes solved or closed and was neither
(solved, then closed, is one solving); it is reopened when it is neither any more (open, then
pending, is nothing; chatwoot tells the two apart the same way).  A status told again is no change.

**Without any status** ever (chats of telephony platforms) the first end of the conversation solves
it, if an agent or a bot had answered by then; else it ended unanswered, which is no resolution.  It
is never reopened.  If a status comes after all, statuses alone count.

**Given up.**  A ticket whose platform fell silent about it is lost: it leaves the backlog, and is
no resolution.  What is heard of it later takes that back.

*First resolution* is from creation to the first solving, *full resolution* to the last one; Zendesk
has both, in calendar and in business time (domain notes, 1.7).  While a ticket is reopened there is
no full resolution.  Open time is by the calendar of the queue in which the ticket was solved, as
in force then (Zendesk takes the ticket's last schedule): one calendar from beginning to end.

Until the last solving, *requester wait* is time in new, open and on-hold, *agent wait* in pending
(Zendesk); snoozed belongs to neither.

The beginning is what ``ContactStarted`` says, else the first event.  Where that lies behind a
solving, a clock was wrong: the ticket counts, its durations do not (``ValueRefused``).

*Replies* are the public messages that agents wrote, not automatic ones.  Where the contact is not
inbound and an agent's message is its first, that one is no reply: who creates a ticket does not
answer it (the rule is Zendesk's for first replies; domain notes, 1.6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from streams.core import events as ev
from streams.core.about import NO_QUEUE, WRITTEN, About
from streams.core.facts import Fact, ValueRefused
from streams.core.levels import Open
from streams.core.opening import Opening
from streams.core.status_time import NO_TIME, StatusTime
from streams.core.terms import Terms
from streams.core.ticket_facts import (
    TicketCreated,
    TicketGivenUp,
    TicketReopened,
    TicketResolved,
    TicketSolved,
)
from streams.core.vocabulary import DONE, Author, TicketStatus

_Ms = int | None
_Waits = tuple[_Ms, _Ms, _Ms, _Ms, _Ms, _Ms]


class Turn:
    """One time the ticket was solved or given up: when, and whose it was then; ``reopened`` is what
    ended it."""

    __slots__ = ("agent", "at_ms", "queue", "reopened", "team")

    def __init__(self, event: ev.ContactEvent, about: About) -> None:
        self.at_ms = event.time
        self.queue = about.queue
        self.team = about.team
        self.agent = getattr(event, "agent", None) or about.agent
        self.reopened: TicketReopened | None = None


class Ticket:
    """The fold; see ``streams.core.course.Aspect``."""

    READS: frozenset[type] = frozenset(
        (
            ev.ContactStarted,
            ev.StatusChanged,
            ev.Message,
            ev.Answered,
            ev.Assigned,
            ev.BotHandedOff,
            ev.Ended,
            ev.Lost,
        )
    )
    BEGINS: frozenset[type] = frozenset((ev.ContactStarted, ev.StatusChanged, ev.Message))

    __slots__ = (
        "_agents",
        "_answered",
        "_customer_messages",
        "_ended",
        "_ended_answered",
        "_first_author",
        "_handed_off_ms",
        "_is_ticket",
        "_lost",
        "_replies",
        "_solvings",
        "_started_ms",
        "_status",
        "_team",
        "_terms",
        "_time",
    )

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._is_ticket = False
        self._started_ms: int | None = None
        self._team: str | None = None
        """The first."""
        self._status: TicketStatus | None = None
        self._time = StatusTime()
        self._solvings: list[Turn] = []
        """By status."""
        self._ended: Turn | None = None
        """The first end of the conversation, and ..."""
        self._ended_answered = False
        """... whether somebody had answered by then."""
        self._lost: Turn | None = None
        self._handed_off_ms: int | None = None
        """When a bot did first."""
        self._answered = False
        self._first_author: Author | None = None
        self._replies = self._customer_messages = 0
        self._agents: set[str | None] = set()

    @staticmethod
    def begins(event: ev.ContactEvent) -> bool:
        """What was written before the first status counts as well; nothing is said until then."""
        if isinstance(event, ev.ContactStarted):
            return event.channel in WRITTEN
        return True

    # -- folding

    def apply(self, event: ev.ContactEvent, about: About) -> bool:
        known = self._lost, self._team
        self._lost = None
        self._team = self._team or about.team
        told = _HANDLERS[type(event)](self, event, about)
        return told or known != (self._lost, self._team)

    def _started(self, event: ev.ContactStarted, about: About) -> bool:
        self._is_ticket = self._is_ticket or event.channel in WRITTEN
        if self._started_ms is None:
            self._started_ms = event.time
        return True

    def _status_changed(self, event: ev.StatusChanged, about: About) -> bool:
        first = self._status is None
        was, now = self._status in DONE, event.status in DONE
        self._is_ticket = True
        self._status = event.status
        self._time.enter(event.status, event.time)
        if now and not was:
            self._solvings.append(Turn(event, about))
        elif was and not now:
            last = self._solvings[-1]
            last.reopened = TicketReopened(
                about.queue, about.channel, event.time, last.agent, about.team
            )
        return first or was or now

    def _message(self, event: ev.Message, about: About) -> bool:
        if not event.public or event.automatic or event.author == "system":
            return False
        if event.author == "agent":
            self._agents.add(event.agent)
            self._replies += 1
        self._customer_messages += event.author == "customer"
        self._answered = self._answered or event.author != "customer"
        if self._first_author is None:
            self._first_author = event.author
        return self._done

    def _answer(self, event: ev.Answered, about: About) -> bool:
        self._agents.add(event.agent)
        self._answered = True
        return self._done

    def _assigned(self, event: ev.Assigned, about: About) -> bool:
        """Whose it is, ``about`` knows."""
        return False

    def _handed_off(self, event: ev.BotHandedOff, about: About) -> bool:
        if self._handed_off_ms is None:
            self._handed_off_ms = event.time
        return True

    def _end(self, event: ev.Ended, about: About) -> bool:
        if self._ended is None:
            self._ended = Turn(event, about)
            self._ended_answered = self._answered
        return self._status is None

    def _lose(self, event: ev.Lost, about: About) -> bool:
        self._lost = Turn(event, about)
        return True

    # -- what became of it

    def _solved(self) -> list[Turn]:
        """Every solving, by whichever rule counts."""
        if self._status is not None:
            return self._solvings
        return [self._ended] if self._ended is not None and self._ended_answered else []

    @property
    def _done(self) -> bool:
        """It is solved, and was not reopened."""
        solved = self._solved()
        return bool(solved) and solved[-1].reopened is None

    def _gave_up(self) -> tuple[str, Turn] | None:
        """How and when it left the backlog, if it did without being solved."""
        if self._status is None and self._ended is not None:
            return None if self._ended_answered else ("unanswered", self._ended)
        if self._status in DONE or self._lost is None:
            return None
        return "lost", self._lost

    def _created_ms(self, about: About) -> int:
        if self._started_ms is not None:
            return self._started_ms
        assert about.began_ms is not None
        return about.began_ms

    # -- saying

    def levels(self, about: About) -> Iterable[Open]:
        """In the backlog of a written channel; other channels have none."""
        if self._is_ticket and about.channel in WRITTEN and not self._done and not self._gave_up():
            return (("backlog", about.queue, about.channel, self._created_ms(about), None),)
        return ()

    def facts(self, about: About) -> Iterable[Fact]:
        if not self._is_ticket:
            return
        created_ms = self._created_ms(about)
        queue = about.arrived.queue if about.arrived is not None else NO_QUEUE
        yield TicketCreated(queue, about.channel, created_ms, self._team, about.issue_type)
        solved = self._solved()
        for turn in solved:
            yield self._solving(turn, created_ms, about, first=turn is solved[0])
            if turn.at_ms < created_ms:
                yield ValueRefused(turn.queue, about.channel, turn.at_ms, "resolution_ms")
            if turn.reopened is not None:
                yield turn.reopened._replace(issue_type=about.issue_type)
        if self._done:
            yield self._resolved(solved[-1], created_ms, about)
        gave_up = self._gave_up()
        if gave_up is not None:
            outcome, turn = gave_up
            yield TicketGivenUp(
                turn.queue, about.channel, created_ms, turn.at_ms, outcome, not solved,
                turn.team, about.issue_type,
            )  # fmt: skip

    def _opening(self, turn: Turn) -> Opening:
        return self._terms.at(turn.queue, turn.at_ms).opening

    def _solving(self, turn: Turn, created_ms: int, about: About, *, first: bool) -> TicketSolved:
        business_ms = after_handoff_ms = reopened_after_ms = None
        if first:
            business_ms = self._business_ms(turn, created_ms)
            if self._handed_off_ms is not None:
                after_handoff_ms = _unless_negative(turn.at_ms - self._handed_off_ms)
            if turn.reopened is not None:
                reopened_after_ms = turn.reopened.at_ms - turn.at_ms
        return TicketSolved(
            turn.queue, about.channel, created_ms, turn.at_ms, first,
            _unless_negative(turn.at_ms - created_ms), business_ms, after_handoff_ms,
            reopened_after_ms, turn.agent, turn.team, about.issue_type,
        )  # fmt: skip

    def _business_ms(self, turn: Turn, created_ms: int) -> int | None:
        if turn.at_ms < created_ms:
            return None
        return self._opening(turn).between_ms(created_ms, turn.at_ms)

    def _resolved(self, turn: Turn, created_ms: int, about: About) -> TicketResolved:
        reopens = sum(one.reopened is not None for one in self._solved())
        opened_by_agent = about.direction != "inbound" and self._first_author == "agent"
        return TicketResolved(
            turn.queue, about.channel, created_ms, turn.at_ms,
            _unless_negative(turn.at_ms - created_ms), self._business_ms(turn, created_ms),
            *self._waits(turn, created_ms),
            reopens, self._replies - opened_by_agent, self._customer_messages, len(self._agents),
            turn.agent, turn.team, about.issue_type,
        )  # fmt: skip

    def _waits(self, turn: Turn, created_ms: int) -> _Waits:
        """Requester wait, agent wait, on hold, each on the calendar and open; unknown without
        statuses."""
        if self._status is None or turn.at_ms < created_ms:
            return None, None, None, None, None, None
        spent = self._time.spent(created_ms, self._opening(turn))
        held, pending = spent.get("on_hold", NO_TIME), spent.get("pending", NO_TIME)
        asked = spent.get("new", NO_TIME).plus(spent.get("open", NO_TIME)).plus(held)
        return (*asked, *pending, *held)


def _unless_negative(duration_ms: int) -> int | None:
    return duration_ms if duration_ms >= 0 else None


_HANDLERS: dict[type, Callable[[Ticket, Any, About], bool]] = {
    ev.ContactStarted: Ticket._started,
    ev.StatusChanged: Ticket._status_changed,
    ev.Message: Ticket._message,
    ev.Answered: Ticket._answer,
    ev.Assigned: Ticket._assigned,
    ev.BotHandedOff: Ticket._handed_off,
    ev.Ended: Ticket._end,
    ev.Lost: Ticket._lose,
}
