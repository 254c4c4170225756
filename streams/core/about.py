"""What is known of a contact as a whole: whose it is, where it is now, what it is about.

Every aspect of a contact (``streams.core.course``) may read it.  It is a fold of the events like
all else, so what it says is as of the event last applied.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.core import events as ev
from streams.core.facts import ContactArrived
from streams.core.vocabulary import Channel, Direction, TicketStatus

NO_QUEUE = "none"
"""Stands for the queue of a contact that is in none."""
WRITTEN: frozenset[Channel] = frozenset(("chat", "email", "social", "sms", "ticket"))
"""Channels of conversations that begin with a message, whether or not a queue takes them."""


class About:
    """``queue``, ``team`` and ``agent`` are the latest; ``began_ms`` is when the contact was first
    heard of; ``excluded`` says why it counts nowhere (None: it counts).  ``status`` is the latest,
    None if none was told; ``arrived`` what the journey says of the arrival, None: nothing."""

    __slots__ = (
        "agent",
        "arrived",
        "began_ms",
        "channel",
        "customer",
        "direction",
        "excluded",
        "issue_type",
        "merged",
        "queue",
        "reason",
        "spam",
        "status",
        "team",
        "test",
    )

    def __init__(self) -> None:
        self.began_ms: int | None = None
        self.channel: Channel = "voice"
        self.direction: Direction = "inbound"
        self.customer: str | None = None
        self.issue_type: str | None = None
        self.reason: str | None = None
        self.queue = NO_QUEUE
        self.team: str | None = None
        self.agent: str | None = None
        self.status: TicketStatus | None = None
        self.arrived: ContactArrived | None = None
        self.test = False
        self.spam = False
        self.merged = False
        self.excluded: str | None = None

    def _exclude(self) -> None:
        """A contact that is a test, spam, or a part of another one by now counts nowhere."""
        merged = "merged" if self.merged else None
        self.excluded = "test" if self.test else "spam" if self.spam else merged

    def take(self, event: ev.ContactEvent) -> bool:
        """Learn from an event; events come in the order of ``order.fold``.  True if it is about
        something else now, or somebody else's, or goes the other way."""
        if self.began_ms is None:
            self.began_ms, self.channel = event.time, event.channel
        handler = _HANDLERS.get(type(event))
        if handler is None:
            return False
        known = self.issue_type, self.direction, self.customer
        handler(self, event)
        return (self.issue_type, self.direction, self.customer) != known

    def _started(self, event: ev.ContactStarted) -> None:
        self.direction = event.direction
        self.customer = self.customer or event.customer
        self.issue_type = event.issue_type or self.issue_type
        self.test, self.spam = self.test or event.test, self.spam or event.spam
        self._exclude()

    def _queued(self, event: ev.Queued) -> None:
        self.queue = event.queue
        self.customer = self.customer or event.customer

    def _answered(self, event: ev.Answered) -> None:
        self.agent = event.agent or self.agent

    def _assigned(self, event: ev.Assigned) -> None:
        """Team and agent are those it names; it leaves the queue as it is if it names none."""
        self.queue = event.queue or self.queue
        self.team, self.agent = event.team, event.agent

    def _classified(self, event: ev.Classified) -> None:
        self.issue_type = event.issue_type or self.issue_type
        self.reason = event.reason or self.reason
        self.spam = self.spam if event.spam is None else event.spam
        self.test = self.test if event.test is None else event.test
        self._exclude()

    def _status_changed(self, event: ev.StatusChanged) -> None:
        self.status = event.status

    def _merged(self, event: ev.Merged) -> None:
        self.merged = True
        self._exclude()


_HANDLERS: dict[type, Callable[[About, Any], None]] = {
    ev.ContactStarted: About._started,
    ev.Queued: About._queued,
    ev.Answered: About._answered,
    ev.Assigned: About._assigned,
    ev.Classified: About._classified,
    ev.StatusChanged: About._status_changed,
    ev.Merged: About._merged,
}
