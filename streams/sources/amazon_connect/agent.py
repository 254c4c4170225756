"""Agent events: what changed between the previous snapshot of an agent and the current one."""

from __future__ import annotations

from itertools import count
from typing import Any

from streams.core import events as ev
from streams.core.source import Event, Pseudonym
from streams.core.vocabulary import OfferEnd
from streams.sources._reading.body import Unusable
from streams.sources._reading.names import NAME_CHARS_MAX
from streams.sources.amazon_connect.fields import (
    SOURCE_NAME,
    AgentContact,
    AgentEvent,
    AgentStatus,
    Snapshot,
    channel,
    milliseconds,
    queue_name,
    short,
    word,
)

_RINGING = frozenset(("INCOMING", "PENDING", "CONNECTING"))
_REFUSED: dict[str, OfferEnd] = {"MISSED": "no_answer", "REJECTED": "rejected", "ERROR": "error"}
_TYPES = {"AVAILABLE": "ROUTABLE", "OFFLINE": "OFFLINE"}


class Change:
    """One agent event, numbering what it tells."""

    __slots__ = ("_numbers", "agent", "event", "time")

    def __init__(self, event: AgentEvent, time: int) -> None:
        self.event = event
        self.time = time
        self.agent = short(event.agentarn, "agent", None) or event.agentarn[-NAME_CHARS_MAX:]
        self._numbers = count()

    def member(self, time: int) -> dict[str, Any]:
        """What an event about the agent carries."""
        return {**self._event(time), "agent": self.agent}

    def leg(self, of: AgentContact, time: int) -> dict[str, Any]:
        """What an event about the agent and a contact carries: the leg is the agent's own."""
        return {
            **self.member(time),
            "contact": of.contactid,
            "channel": channel(of.channel, of.initiationmethod),
        }

    def contact(self, of: AgentContact, time: int) -> dict[str, Any]:
        """What an event about the contact carries: the whole chain is the customer's."""
        return {
            **self._event(time),
            "agent": self.agent,
            "contact": of.initialcontactid or of.contactid,
            "channel": channel(of.channel, of.initiationmethod),
        }

    def _event(self, time: int) -> dict[str, Any]:
        id = f"{self.event.eventid}-{next(self._numbers)}"
        return {"id": id, "source": SOURCE_NAME, "time": time}


def agent_events(event: AgentEvent, pseudonym: Pseudonym) -> list[Event]:
    """The differences.  Heartbeats tell none, and go on for an hour after the agent has left."""
    time, kind = milliseconds(event.eventtimestamp), word(event.eventtype)
    if time is None:
        raise Unusable("time.missing")
    change = Change(event, time)
    now = event.currentagentsnapshot or Snapshot()
    match kind:
        case "LOGIN":
            login: list[Event] = [ev.LoggedIn(**change.member(time))]
            return login + _memberships(change, Snapshot(), now) + _status(change, None, now)
        case "LOGOUT":
            return [ev.LoggedOut(**change.member(time))]
        case "STATE_CHANGE":
            before = event.previousagentsnapshot or Snapshot()
            return [
                *_memberships(change, before, now),
                *_status(change, before.agentstatus, now),
                *_contacts(change, before, now),
            ]
    return []


def _memberships(change: Change, before: Snapshot, now: Snapshot) -> list[Event]:
    was, is_now = _queues(before), _queues(now)
    # A snapshot without its configuration says nothing of the queues.
    if now.configuration is None:
        return []
    told: list[Event] = [
        ev.JoinedQueue(**change.member(change.time), queue=q) for q in sorted(is_now - was)
    ]
    left = sorted(was - is_now)
    return told + [ev.LeftMembership(**change.member(change.time), queue=q) for q in left]


def _queues(snapshot: Snapshot) -> set[str]:
    profile = snapshot.configuration.routingprofile if snapshot.configuration else None
    queues = (profile.inboundqueues if profile else None) or ()
    return {name for name in map(queue_name, queues) if name}


def _status(change: Change, before: AgentStatus | None, now: Snapshot) -> list[Event]:
    """An agent who sets themselves offline does not work, logged in or not."""
    status = now.agentstatus
    if status is None or (before is not None and _same(before, status)):
        return []
    since = milliseconds(status.starttimestamp) if before is not None else None
    told = change.member(change.time if since is None else since)
    kind = word(status.type) or _TYPES.get(word(status.name), "CUSTOM")
    if kind == "ROUTABLE":
        return [ev.Ready(**told)]
    if kind == "OFFLINE":
        return [ev.LoggedOut(**told)]
    return [ev.NotReady(**told, reason=(status.name or "")[:NAME_CHARS_MAX] or None)]


def _same(before: AgentStatus, now: AgentStatus) -> bool:
    return (before.name, before.starttimestamp) == (now.name, now.starttimestamp)


def _contacts(change: Change, before: Snapshot, now: Snapshot) -> list[Event]:
    was = {contact.contactid: contact for contact in before.contacts or ()}
    told: list[Event] = []
    current = now.contacts or ()
    for contact in current:
        previous = was.pop(contact.contactid, None)
        state = word(previous.state) if previous else ""
        if word(contact.state) != state and word(contact.initiationmethod) != "MONITOR":
            told += _moved(change, contact, state)
    for contact in was.values():
        told += _gone(change, contact)
    return told


def _moved(change: Change, contact: AgentContact, before: str) -> list[Event]:
    since = milliseconds(contact.statestarttimestamp)
    time, state = change.time if since is None else since, word(contact.state)
    if state in _RINGING:
        return [] if before in _RINGING else _offered(change, contact, time)
    if state in _REFUSED and (before in _RINGING or before == ""):
        return _offer_ended(change, contact, time, _REFUSED[state])
    if state == "CONNECTED":
        return _talking(change, contact, time, before)
    if state == "CONNECTED_ONHOLD":
        held = ev.Held(**change.contact(contact, time))
        return [held, ev.AgentHolding(**change.leg(contact, time))]
    return _over(change, contact, time, before)


def _offered(change: Change, contact: AgentContact, time: int) -> list[Event]:
    """It rings; but an agent who calls out is at work on the contact already."""
    queue = queue_name(contact.queue) or None
    if word(contact.initiationmethod) == "OUTBOUND":
        return [ev.AgentTalking(**change.leg(contact, time), queue=queue)]
    return [
        ev.Offered(**change.contact(contact, time), queue=queue),
        ev.AgentOffered(**change.leg(contact, time), queue=queue),
    ]


def _offer_ended(change: Change, contact: AgentContact, time: int, reason: OfferEnd) -> list[Event]:
    queue = queue_name(contact.queue) or None
    if word(contact.initiationmethod) == "OUTBOUND":
        return [ev.AgentContactEnded(**change.leg(contact, time), queue=queue)]
    return [
        ev.OfferEnded(**change.contact(contact, time), queue=queue, reason=reason),
        ev.AgentOfferEnded(**change.leg(contact, time), queue=queue, reason=reason),
    ]


def _talking(change: Change, contact: AgentContact, time: int, before: str) -> list[Event]:
    told: list[Event] = []
    if before == "CONNECTED_ONHOLD":
        told.append(ev.Resumed(**change.contact(contact, time)))
    queue = queue_name(contact.queue) or None
    return [*told, ev.AgentTalking(**change.leg(contact, time), queue=queue)]


def _over(change: Change, contact: AgentContact, time: int, before: str) -> list[Event]:
    """ENDED is after-contact work, an ERROR after the answer is not; and neither follows a ring
    that nobody answered."""
    queue = queue_name(contact.queue) or None
    if before in _RINGING:
        return _offer_ended(change, contact, time, "canceled")
    if word(contact.state) == "ENDED" and before not in _REFUSED:
        return [ev.AgentWrapUp(**change.leg(contact, time), queue=queue)]
    if word(contact.state) == "ERROR" and before not in _REFUSED:
        return [ev.AgentContactEnded(**change.leg(contact, time), queue=queue)]
    return []


def _gone(change: Change, contact: AgentContact) -> list[Event]:
    """The contact is in the snapshot no more: the agent is free of it."""
    state, queue = word(contact.state), queue_name(contact.queue) or None
    if state in _RINGING:
        return _offer_ended(change, contact, change.time, "canceled")
    if state in _REFUSED or word(contact.initiationmethod) == "MONITOR":
        return []
    return [ev.AgentContactEnded(**change.leg(contact, change.time), queue=queue)]
