"""Amazon Connect: contact records, contact events and agent events, told apart by their shape.

* **Authority**: contact events tell in real time how a contact begins (initiated, queued,
  connected); the contact record tells everything, and is the authority for how it ends.  A contact
  event DISCONNECTED gives a provisional end under an id of its own (``.../disconnected``); the
  record's sorts before it, and the fold then takes the later one for a second report.
* **Ids** of contact events and records are ``<ContactId>/<what happened>``.  A contact id has one
  beginning, one queue, one agent and one end (every transfer and callback makes a new one), so a
  record sent again with a newer ``LastUpdateTimestamp``, and an event that tells the same, count
  once, even if the times are not the same second.  Of what changed in a newer version only what is
  new is taken.  Agent events: ``<EventId>-<index>``.
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

Facts: AWS' administrator guide (contact records, contact events with their samples, agent event
streams, contact states).  That ``AgentInteractionDuration`` is without hold was checked with a
published record; a record's transfer kind and whether its next contact is a callback or another
queue are not in it.

Rejections: ``value.null``, ``size.exceeded``, ``json.malformed``, ``schema.invalid``,
``shape.unknown``, ``time.missing``, ``time.out_of_range``, ``queue.missing``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from streams.core.source import Event, Pseudonym, Record, Rejected, Source
from streams.sources.amazon_connect.agent import agent_events
from streams.sources.amazon_connect.contact import contact_events, record_events
from streams.sources.amazon_connect.fields import (
    AgentEvent,
    ContactEvent,
    ContactRecord,
    Missing,
    folded,
)

RECORD_BYTES_MAX = 1024 * 1024
"""Kinesis carries no larger record."""
CONTACT_EVENT = "amazon connect contact event"

_json = msgspec.json.Decoder(dict[str, Any])


def decode(record: Record, pseudonym: Pseudonym) -> Sequence[Event] | Rejected:
    """The events of one record (none if it is not for us), or why it cannot be used."""
    value = record.value
    if value is None:
        return Rejected("value.null")
    if len(value) > RECORD_BYTES_MAX:
        return Rejected("size.exceeded", f"{len(value)} bytes, at most {RECORD_BYTES_MAX}")
    try:
        return _told(folded(_json.decode(value)), pseudonym)
    except msgspec.ValidationError as error:
        return Rejected("schema.invalid", _where(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Rejected("json.malformed")
    except Missing as missing:
        return Rejected(f"{missing}.missing")
    except OverflowError:
        return Rejected("time.out_of_range")


def _told(body: dict[str, Any], pseudonym: Pseudonym) -> Sequence[Event] | Rejected:
    emitted = None
    if isinstance(body.get("detail"), dict):
        if str(body.get("detail-type", CONTACT_EVENT)).lower() != CONTACT_EVENT:
            return ()
        emitted, body = body.get("time"), body["detail"]
    shape = _shape(body)
    if shape is None:
        return Rejected("shape.unknown")
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


def _where(error: msgspec.ValidationError) -> str:
    """The path of the wrong field: names of ours only, for keys of a payload may be private."""
    return str(error).rpartition(" - at `")[2].rstrip("`") if " - at `$." in str(error) else "$"


SOURCE = Source(
    name="amazon_connect",
    topic="amazon-connect",
    decode=decode,
    help="Amazon Connect contact records, contact events and agent events (Kinesis, EventBridge)",
)
