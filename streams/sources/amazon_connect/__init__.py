"""Amazon Connect: contact records, contact events and agent events, told apart by their shape.

* **Authority**: contact events tell in real time how a contact begins (initiated, queued,
  connected) and, provisionally, how it ended; the contact record tells everything, and replaces
  what they told.
* **Ids** of contact events and records are ``<ContactId>/<what happened>``.  A contact id has one
  beginning, one queue, one agent and one end (every transfer and callback makes a new one), so a
  record and an event that tell the same count once, even if the times are not the same second.
  Their ``version`` is the record's ``LastUpdateTimestamp`` in ms, of contact events 0: a record
  sent again later takes the place of the earlier one, and a late contact event changes nothing.
  What only the earlier version told stays.  Agent events: ``<EventId>-<index>``.
* **Contacts**: a contact is the whole chain, its id ``InitialContactId`` (else ``ContactId``), so
  transferred and called back it is one contact with several visits.  Agents' own events name the
  leg (``ContactId``): an agent who consults has two legs of one chain at a time.
* **Times** of contacts are whole seconds, because records have no finer ones and the same
  happening must not be told in two orders.  1970-01-01 stands for no time (so in AWS' samples).
* **Visits** are contacts with an enqueue time; outbound calls have none, and give no figures of a
  queue.  MONITOR contacts are nobody's.  Queues and agents are named by the last part of their ARN,
  because contact events know no names; by name only where there is no ARN.
* Field names are read in any case (AWS' samples differ), unknown fields and types are ignored.
* **Privacy**: the customer's endpoint leaves as a pseudonym; attributes, tags, names stay behind.

Facts: AWS' administrator guide (ctr-data-model, contact-events with their samples,
agent-event-stream-model, about-contact-states, determine-acw-time).  That
``AgentInteractionDuration`` is without hold was checked with a published record.  Not in a record:
whether a transfer was blind or attended, and whether its next contact is a callback or another
queue; both are ``unknown``.

Rejections: ``value.null``, ``size.exceeded``, ``json.malformed``, ``schema.invalid``,
``shape.unknown``, ``time.missing``, ``time.out_of_range``, ``queue.missing``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from streams.core.source import Event, Pseudonym, Record, Rejected, Source
from streams.sources._reading.body import Unusable, answer
from streams.sources.amazon_connect.agent import agent_events
from streams.sources.amazon_connect.contact import contact_events, record_events
from streams.sources.amazon_connect.fields import (
    AgentEvent,
    ContactEvent,
    ContactRecord,
    folded,
)

RECORD_BYTES_MAX = 1024 * 1024
"""Kinesis carries no larger record."""
CONTACT_EVENT = "amazon connect contact event"

_json = msgspec.json.Decoder(dict[str, Any])


def decode(record: Record, pseudonym: Pseudonym) -> Sequence[Event] | Rejected:
    """The events of one record (none if it is not for us), or why it cannot be used."""
    return answer(record, RECORD_BYTES_MAX, lambda value: _told(value, pseudonym))


def _told(value: bytes, pseudonym: Pseudonym) -> Sequence[Event]:
    emitted, body = None, folded(_json.decode(value))
    if isinstance(body.get("detail"), dict):
        if str(body.get("detail-type", CONTACT_EVENT)).lower() != CONTACT_EVENT:
            return ()
        emitted, body = body.get("time"), body["detail"]
    shape = _shape(body)
    if shape is None:
        raise Unusable("shape.unknown")
    if shape is ContactEvent:
        body.setdefault("emitted", emitted)
    events: Sequence[Event] = _EVENTS[shape](msgspec.convert(body, shape), pseudonym)
    return events


def _shape(body: dict[str, Any]) -> type | None:
    if "agentarn" in body and "eventid" in body:
        return AgentEvent
    if "contactid" in body:
        return ContactEvent if "eventtype" in body else ContactRecord
    return None


_EVENTS: dict[type, Callable[[Any, Pseudonym], list[Event]]] = {
    AgentEvent: agent_events,
    ContactEvent: contact_events,
    ContactRecord: record_events,
}


SOURCE = Source(
    name="amazon_connect",
    topic="amazon-connect",
    decode=decode,
    help="Amazon Connect contact records, contact events and agent events (Kinesis, EventBridge)",
)
