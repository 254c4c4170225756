"""Asterisk's manager interface (AMI): the queue's events, one record each.

A record is the block of ``Key: value`` lines, or the same as a JSON object of strings.

* **Time** is the header ``Timestamp`` (seconds with microseconds; ``timestampevents = yes`` in
  manager.conf).  Without it, the record's append time stands in: the waits that are then derived
  contain the bridge's delay.
* **Ids** are a hash of the headers that make the happening: SystemName, Event, Uniqueid,
  DestUniqueid, Queue, Interface, Position ... and Timestamp; never a caller's number.  Identical
  events sent twice are one.  Where there is neither a Timestamp nor a DestUniqueid (the agent's
  channel, new with each attempt), a caller who comes back to the same queue looks like a repeat, so
  the id is the record's topic, partition and offset.
* **Sources**: record header ``source``, else SystemName, else ``asterisk``; call ids of a named
  source become ``<source>:<Uniqueid>`` unless Asterisk put its SystemName in front already.
* **QueueCallerAbandon is not only abandonment**: app_queue raises it from record_abandoned(), also
  for time-out, leave-empty, withdraw and codec failure.  The event says nothing of which: its
  channel is up in all cases, QUEUESTATUS is set after it, and for a hang-up not at all, and the
  VarSet that tells it names no queue.  So the outcome is ``unknown``: the visit counts as left, not
  as abandoned.  Leaving by a key raises no such event, and QueueCallerLeave comes for answered
  callers too, so neither can be told.  Where abandonment matters, use queue_log
  (``asterisk_queue_log``), and never both for one PBX.
* AgentComplete's Reason ``transfer`` does not tell blind from attended: the kind is ``unknown``.

Facts: headers from docs.asterisk.org (AMI events 12 to 22; ``Member``, ``Location`` and
``QueueMemberPaused`` are older); which path raises what from apps/app_queue.c (asterisk/asterisk
f0c1c1a): record_abandoned() and set_queue_result() of queue_exec, rna() for RingTime in ms of
AgentRingNoAnswer, try_calling() for RingTime in seconds of AgentConnect.

Rejections: ``value.null``, ``size.exceeded``, ``header.invalid``, ``json.malformed``,
``headers.malformed``, ``event.missing``, ``time.malformed``, ``time.out_of_range``,
``call.missing``, ``queue.missing``, ``agent.missing``, ``parameter.malformed``,
``schema.invalid``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from streams.core import events as ev
from streams.core.source import Event, Pseudonym, Record, Rejected, Source
from streams.core.vocabulary import EndedBy, OfferEnd
from streams.sources._reading.body import Unusable, answer
from streams.sources._reading.header_block import RECORD_BYTES_MAX, Headers, read
from streams.sources._reading.instants import in_range, thousandths
from streams.sources._reading.names import (
    ID_CHARS_MAX,
    NAME_CHARS_MAX,
    digest,
    source_named,
    within,
)

DEFAULT_SOURCE = "asterisk"
_TIMESTAMP = re.compile(r"(\d{1,12})(?:\.(\d{1,9}))?", re.ASCII)
_IDENTIFYING = (
    "SystemName", "Event", "Uniqueid", "DestUniqueid", "Queue", "Interface", "Member",
    "MemberName", "Position", "OriginalPosition", "Count", "HoldTime", "TalkTime", "RingTime",
    "Reason", "Paused", "Timestamp",
)  # fmt: skip


class Happening:
    """One event of the manager interface: its headers, and what events about it have in common."""

    __slots__ = ("headers", "pseudonym", "source", "stem", "time")

    def __init__(self, record: Record, headers: Headers, pseudonym: Pseudonym) -> None:
        self.headers = headers
        self.pseudonym = pseudonym
        system = headers.text("SystemName") or DEFAULT_SOURCE
        self.source = within("source", source_named(record.headers, system))
        self.time = _time(headers.text("Timestamp"), record.timestamp)
        self.stem = _stem(self.source, headers, record)

    @property
    def call(self) -> str:
        call = within("call", self.headers.text("Uniqueid"), ID_CHARS_MAX)
        system = self.headers.text("SystemName")
        if self.source == DEFAULT_SOURCE or (system and call.startswith(f"{system}-")):
            return call
        return within("call", f"{self.source}:{call}", ID_CHARS_MAX)

    @property
    def queue(self) -> str:
        return within("queue", self.headers.text("Queue"))

    @property
    def agent(self) -> str:
        """The member's name, as in queue_log, else the interface that is rung."""
        return within("agent", self.headers.first("MemberName", "Interface", "Member", "Location"))

    def contact(self, index: int = 0) -> dict[str, Any]:
        """What the event with this index says as an event about the contact."""
        return {**self._common(index), "contact": self.call, "queue": self.queue}

    def member(self, index: int = 0) -> dict[str, Any]:
        """What the event with this index says as an event about the agent."""
        return {**self._common(index), "agent": self.agent}

    def _common(self, index: int) -> dict[str, Any]:
        return {"id": f"{self.stem}-{index}", "source": self.source, "time": self.time}


def _time(timestamp: str, appended_ms: int) -> int:
    if not timestamp:
        return in_range(appended_ms)
    parts = _TIMESTAMP.fullmatch(timestamp)
    if parts is None:
        raise Unusable("time.malformed", "Timestamp is not a number of seconds since 1970")
    return in_range(int(parts[1]) * 1000 + thousandths(parts[2]))


def _stem(source: str, headers: Headers, record: Record) -> str:
    if headers.first("Timestamp", "DestUniqueid"):
        return digest(source, *map(headers.text, _IDENTIFYING))
    return digest(source, record.topic, record.partition, record.offset)


# --- the caller's side ---------------------------------------------------------------------


def _joined(told: Happening) -> list[Event]:
    number = told.headers.text("CallerIDNum")
    customer = told.pseudonym("phone", number) if number else None
    position = told.headers.position("Position")
    return [ev.Queued(**told.contact(), position=position, customer=customer)]


def _left(told: Happening) -> list[Event]:
    left = ev.LeftQueue(
        **told.contact(),
        outcome="unknown",
        wait_ms=told.headers.seconds("HoldTime"),
        position=told.headers.position("Position"),
        original_position=told.headers.position("OriginalPosition"),
    )
    return [left]


# --- agents and calls ----------------------------------------------------------------------


def _called(told: Happening) -> list[Event]:
    return [
        ev.Offered(**told.contact(0), agent=told.agent),
        ev.AgentOffered(**told.member(1), contact=told.call, queue=told.queue),
    ]


def _offer_ended(told: Happening, reason: OfferEnd, ring_ms: int | None) -> list[Event]:
    return [
        ev.OfferEnded(**told.contact(0), agent=told.agent, reason=reason, ring_ms=ring_ms),
        ev.AgentOfferEnded(
            **told.member(1), contact=told.call, queue=told.queue, reason=reason, ring_ms=ring_ms
        ),
    ]


def _not_answered(told: Happening) -> list[Event]:
    return _offer_ended(told, "no_answer", told.headers.whole("RingTime"))


def _dumped(told: Happening) -> list[Event]:
    """The agent hung up during the announcement; the caller goes on waiting."""
    return _offer_ended(told, "rejected", None)


def _connected(told: Happening) -> list[Event]:
    answered = ev.Answered(
        **told.contact(0),
        agent=told.agent,
        wait_ms=told.headers.seconds("HoldTime"),
        ring_ms=told.headers.seconds("RingTime"),
    )
    return [answered, ev.AgentTalking(**told.member(1), contact=told.call, queue=told.queue)]


_ENDED_BY: dict[str, EndedBy] = {"agent": "agent", "caller": "customer"}


def _completed(told: Happening) -> list[Event]:
    reason = told.headers.text("Reason").lower()
    figures: dict[str, Any] = {
        "agent": told.agent,
        "wait_ms": told.headers.seconds("HoldTime"),
        "talk_ms": told.headers.seconds("TalkTime"),
    }
    of_contact: Event
    if reason == "transfer":
        of_contact = ev.Transferred(**told.contact(0), **figures, kind="unknown")
    else:
        ended_by = _ENDED_BY.get(reason, "unknown")
        of_contact = ev.Handled(**told.contact(0), **figures, ended_by=ended_by)
    freed = ev.AgentContactEnded(**told.member(1), contact=told.call, queue=told.queue)
    return [of_contact, freed]


# --- agents alone --------------------------------------------------------------------------


def _paused_flag(told: Happening) -> bool:
    paused = told.headers.text("Paused")
    if paused not in ("0", "1"):
        raise Unusable("parameter.malformed", "Paused is not 0 or 1")
    return paused == "1"


def _added(told: Happening) -> list[Event]:
    paused = _paused_flag(told) if told.headers.text("Paused") else False
    return [ev.JoinedQueue(**told.member(), queue=told.queue, paused=paused)]


def _removed(told: Happening) -> list[Event]:
    return [ev.LeftMembership(**told.member(), queue=told.queue)]


def _pause_changed(told: Happening) -> list[Event]:
    reason = told.headers.first("PausedReason", "Reason")[:NAME_CHARS_MAX] or None
    change = ev.NotReady if _paused_flag(told) else ev.Ready
    return [change(**told.member(), queue=told.queue, reason=reason)]


EVENTS: dict[str, Callable[[Happening], list[Event]]] = {
    "queuecallerjoin": _joined,
    "queuecallerabandon": _left,
    "agentcalled": _called,
    "agentringnoanswer": _not_answered,
    "agentdump": _dumped,
    "agentconnect": _connected,
    "agentcomplete": _completed,
    "queuememberadded": _added,
    "queuememberremoved": _removed,
    "queuememberpause": _pause_changed,
    "queuememberpaused": _pause_changed,
}
"""What each event means; any other is none of ours (QueueCallerLeave: see the top of the file;
QueueParams, QueueMember and QueueEntry answer a question and are no happenings)."""


def decode(record: Record, pseudonym: Pseudonym) -> Sequence[Event] | Rejected:
    """The events of one record (none for one not about queues), or why it cannot be used.  Never
    raises."""
    return answer(record, RECORD_BYTES_MAX, lambda value: _events(value.strip(), record, pseudonym))


def _events(body: bytes, record: Record, pseudonym: Pseudonym) -> Sequence[Event]:
    if not body:
        return ()
    headers = read(body)
    name = headers.text("Event").lower()
    if not name:
        # The answer to an action is legal and not for us.
        if headers.text("Response"):
            return ()
        raise Unusable("event.missing", "no header Event")
    meaning = EVENTS.get(name)
    return () if meaning is None else meaning(Happening(record, headers, pseudonym))


SOURCE = Source(
    name="asterisk_ami",
    topic="asterisk-ami",
    decode=decode,
    help="Asterisk's manager interface (AMI): queue events as header blocks or JSON",
)
