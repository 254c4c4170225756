"""What a contact is to its customer: the little of it that their other contacts must be held
against.

The contacts stage tells the customers stage of a contact whenever its brief has changed, and only
then.  It is a fold of the contact's events like all else, so what it says at a position of the log
is always the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from streams.core import events as ev
from streams.core.about import NO_QUEUE, About
from streams.core.facts import ContactArrived
from streams.core.vocabulary import DONE

SELF_SERVICE = ("ivr", "bot")
"""Stages in which a customer may be served without anybody's help."""


class Upshot:
    """What became of the contact so far.

    ``human``: a person dealt with it (took it, wrote to the customer, solved the ticket).
    ``follow_on``: it goes on from another contact, by a transfer, say.  ``before``: what was said
    or written shows that the customer had been in touch already.  ``self_service_ms``: since when
    a menu or a bot served the customer (as in ``self_service``); ``asked``: for a person, whether
    or not a queue took the contact.
    """

    __slots__ = ("asked", "before", "follow_on", "human", "self_service_ms")

    def __init__(self) -> None:
        self.human = False
        self.follow_on = False
        self.before = False
        self.self_service_ms: int | None = None
        self.asked = False

    def take(self, event: ev.ContactEvent) -> None:
        """Learn from an event; events come in the order of ``order.fold``."""
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)

    def _started(self, event: ev.ContactStarted) -> None:
        other_root = event.root_contact not in (None, event.contact)
        self.follow_on |= event.previous_contact is not None or other_root

    def _staged(self, event: ev.StageEntered) -> None:
        if event.stage in SELF_SERVICE:
            self._served(event)

    def _served(self, event: ev.ContactEvent) -> None:
        if self.self_service_ms is None:
            self.self_service_ms = event.time

    def _by_a_person(self, event: ev.ContactEvent) -> None:
        self.human = True

    def _wrote(self, event: ev.Message) -> None:
        """An automatic receipt is no bot, and nobody's answer."""
        if event.public and not event.automatic:
            self.human |= event.author == "agent"
            if event.author == "bot":
                self._served(event)

    def _status(self, event: ev.StatusChanged) -> None:
        self.human |= event.agent is not None and event.status in DONE

    def _classified(self, event: ev.Classified) -> None:
        self.before |= event.phrase is not None

    def _asked(self, event: ev.ContactEvent) -> None:
        self.asked = True

    def _handed_off(self, event: ev.BotHandedOff) -> None:
        self._served(event)
        self.asked = True


_HANDLERS: dict[type, Callable[[Upshot, Any], None]] = {
    ev.ContactStarted: Upshot._started,
    ev.StageEntered: Upshot._staged,
    ev.Answered: Upshot._by_a_person,
    ev.Handled: Upshot._by_a_person,
    ev.Transferred: Upshot._by_a_person,
    ev.Message: Upshot._wrote,
    ev.StatusChanged: Upshot._status,
    ev.Classified: Upshot._classified,
    ev.BotHandedOff: Upshot._handed_off,
    ev.QueueRefused: Upshot._asked,
    ev.CallbackScheduled: Upshot._asked,
}


class Brief(NamedTuple):
    """``queue`` is the one the contact came to first, ``agent`` the latest (None unless agents are
    named), ``reason`` why more than one contact was needed.  ``ours``: not made by the customer,
    because we called them or it goes on from an earlier contact.  ``contained``: self-service was
    all there was to it.  Of a contact that is none (a consult leg, spam) only the customer is
    known."""

    customer: str
    channel: str | None = None
    queue: str | None = None
    arrived_ms: int | None = None
    issue_type: str | None = None
    agent: str | None = None
    reason: str | None = None
    human: bool = False
    ours: bool = False
    before: bool = False
    self_service_ms: int | None = None
    contained: bool = False


def brief_of(
    about: About, upshot: Upshot, arrived: ContactArrived | None, agents_named: bool
) -> Brief | None:
    """The brief of a contact as it stands; None if nobody knows whose it is."""
    customer, served_ms = about.customer, upshot.self_service_ms
    if customer is None:
        return None
    if about.excluded is not None or (arrived is None and served_ms is None):
        return Brief(customer)
    asked = upshot.human or upshot.asked or about.queue != NO_QUEUE
    return Brief(
        customer,
        about.channel if arrived is None else arrived.channel,
        None if arrived is None else arrived.queue,
        None if arrived is None else arrived.entered_ms,
        about.issue_type,
        about.agent if agents_named else None,
        about.reason,
        upshot.human,
        upshot.follow_on or about.direction != "inbound",
        upshot.before,
        served_ms,
        served_ms is not None and not asked,
    )
