"""Twilio TaskRouter: event callbacks (a form) and Event Streams (CloudEvents JSON, alone or as a
list), one body per record.

* **Ids** are Twilio's own event sid (``EV...``) and the event's index.  Both transports carry it,
  so a workspace that sends both, or sends again for four hours, changes nothing.  A callback
  without a sid gets a hash of what it says happened.
* **Names** are sids: of the task (contact), the queue and the worker.  Friendly names of workers
  are often mail addresses, a queue's may change, and some events carry the sid only.
* **Legs**: the agent's states come from ``reservation.*``, the contact's leg ends once per task,
  with ``task.wrapup`` or ``task.completed``, because a task may have several reservations.
  Subscribe to all of these.
* **Lists** of Event Streams hold events of several tasks: one that cannot be used does not keep the
  others back; the record then is a dead letter too.
* **Transfers**: a cold one, or one to a queue, ends the leg when it is initiated (what follows is a
  visit of its own), a warm one to a worker when it is completed.
* **Outbound** tasks (``direction`` in the attributes) are in no queue, or their legs would count as
  inbound visits.
* **Privacy**: of the attributes only the direction leaves, and the customer's address as a
  pseudonym.  Reasons are free text and stay behind.

Facts: event types, form fields and the task's states from twilio.com/docs/taskrouter (event
reference, task lifecycle) and twilio/demo-taskrouter-event-converter; the names of the CloudEvents
payload from twilio.com/docs/events and Elastic's field list of ``TaskRouter.WDSEvent``; the reasons
``Task TTL Exceeded ...`` and ``Task canceled on Workflow timeout`` from twilio-oai and field notes.

Rejections: ``value.null``, ``size.exceeded``, ``header.invalid``, ``json.malformed``,
``form.malformed``, ``schema.invalid``, ``event.missing``, ``time.malformed``,
``time.out_of_range``, ``contact.missing``, ``queue.missing``, ``agent.missing``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta, Struct

from streams.core.source import (
    Decoded,
    Event,
    PartlyRejected,
    Pseudonym,
    Record,
    Rejected,
    Source,
)
from streams.sources._reading.body import Unusable, answer, attempt
from streams.sources._reading.instants import in_range, needed_iso_ms
from streams.sources._reading.names import digest, source_named
from streams.sources.twilio_taskrouter.events import EVENTS, Happening, Payload

BODY_BYTES_MAX = 1024 * 1024
EVENTS_MAX = 100
"""Events in one list of Event Streams."""
FORM_FIELDS_MAX = 200
DEFAULT_SOURCE = "twilio_taskrouter"

_PREFIX = "com.twilio.taskrouter."
_SID = re.compile(r"[A-Z]{2}[0-9A-Za-z]{1,62}", re.ASCII)
_NUMBER = re.compile(r"\d{1,17}", re.ASCII)
_SIDS = ("task_sid", "task_queue_sid", "previous_task_queue_sid", "worker_sid")

_FORM = {
    "Sid": "sid",
    "EventType": "eventtype",
    "Reason": "reason",
    "ResourceSid": "resource_sid",
    "ReservationSid": "reservation_sid",
    "PreviousTaskQueueSid": "previous_task_queue_sid",
    "TaskAssignmentStatus": "task_assignment_status",
    "TaskAttributes": "task_attributes",
    "TaskCanceledReason": "task_canceled_reason",
    "TaskChannelUniqueName": "task_channel_unique_name",
    "TaskPriority": "task_priority",
    "TaskQueueSid": "task_queue_sid",
    "TaskSid": "task_sid",
    "Timestamp": "timestamp",
    "TimestampMs": "timestamp_ms",
    "TransferInitiatingWorkerSid": "transfer_initiating_worker_sid",
    "TransferMode": "transfer_mode",
    "TransferTo": "transfer_to",
    "TransferType": "transfer_type",
    "WorkerActivityName": "worker_activity_name",
    "WorkerPreviousActivityName": "worker_previous_activity_name",
    "WorkerSid": "worker_sid",
}
"""Field of the callback's form -> field of the payload; the rest is not read."""


class Data(Struct, gc=False):
    """``data`` of a CloudEvent."""

    sid: str | None = None
    timestamp: str | None = None
    payload: Payload | None = None


class CloudEvent(Struct, gc=False):
    """The envelope; ``datacontenttype`` was seen with a time in it and is not looked at."""

    type: str | None = None
    id: str | None = None
    time: str | None = None
    data: Data | None = None


class Headed(Struct, gc=False):
    """Just the type: what is not TaskRouter's need not look like it otherwise."""

    type: str | None = None


Read = Callable[[], Payload | None]
_several = msgspec.json.Decoder(Annotated[list[msgspec.Raw], Meta(max_length=EVENTS_MAX)])
_head = msgspec.json.Decoder(Headed)
_cloud = msgspec.json.Decoder(CloudEvent)


def decode(record: Record, pseudonym: Pseudonym) -> Decoded:
    """The events of one body, or why it cannot be used.  Never raises.

    Event Streams puts events of several tasks into one list, so what of it can be used is used.
    """
    rejected: list[Rejected] = []
    found = answer(
        record, BODY_BYTES_MAX, lambda value: _events(value, record, pseudonym, rejected)
    )
    if isinstance(found, Rejected) or not rejected:
        return found
    return PartlyRejected(found, rejected) if found else rejected[0]


def _events(
    value: bytes, record: Record, pseudonym: Pseudonym, rejected: list[Rejected]
) -> list[Event]:
    source = source_named(record.headers, DEFAULT_SOURCE)
    events: list[Event] = []
    for read in _payloads(value.strip()):
        found = attempt(partial(_told, read, source, pseudonym))
        if isinstance(found, Rejected):
            rejected.append(found)
        else:
            events += found
    return events


# --- the two transports --------------------------------------------------------------------


def _payloads(body: bytes) -> list[Read]:
    """One function per happening in the body, which reads it."""
    if not body:
        return []
    if body[:1] not in (b"{", b"["):
        return [partial(_of_form, body)]
    several = _several.decode(body) if body[:1] == b"[" else [msgspec.Raw(body)]
    return [partial(_of_cloud, raw) for raw in several]


def _of_cloud(raw: msgspec.Raw) -> Payload | None:
    """The payload with what the envelope knows better or alone; None for another product's."""
    kind = _head.decode(raw).type
    if kind is not None and not kind.startswith(_PREFIX):
        return None
    event = _cloud.decode(raw)
    data = event.data or Data()
    payload = data.payload or Payload()
    payload.eventtype = kind.removeprefix(_PREFIX) if kind else payload.eventtype
    payload.sid = payload.sid or data.sid or event.id
    payload.timestamp = payload.timestamp or data.timestamp or event.time
    return payload


def _of_form(body: bytes) -> Payload:
    try:
        pairs = parse_qsl(body.decode("ascii"), max_num_fields=FORM_FIELDS_MAX, errors="strict")
    except ValueError:
        raise Unusable("form.malformed") from None
    known = {_FORM[name]: value for name, value in pairs if name in _FORM}
    return msgspec.convert(known, Payload)


# --- one event -----------------------------------------------------------------------------


def _told(read: Read, source: str, pseudonym: Pseudonym) -> Sequence[Event]:
    payload = read()
    if payload is None:
        return ()
    if not payload.eventtype:
        raise Unusable("event.missing")
    kind = EVENTS.get(payload.eventtype)
    if kind is None:
        return ()
    time = _time_ms(payload, payload.eventtype)
    if not all(_usable(getattr(payload, name)) for name in _SIDS):
        raise Unusable("schema.invalid", f"{payload.eventtype}: not a sid")
    happening = Happening(payload, _stem(payload, time), source, time, pseudonym)
    for need in kind.needs:
        if not getattr(happening, need):
            raise Unusable(f"{need}.missing", payload.eventtype)
    return kind.events(happening)


def _usable(sid: str | None) -> bool:
    return not sid or _SID.fullmatch(sid) is not None


def _time_ms(payload: Payload, kind: str) -> int:
    """``TimestampMs``, else ``Timestamp``: seconds in a form, ISO 8601 in a CloudEvent."""
    for text, unit_ms in ((payload.timestamp_ms, 1), (payload.timestamp, 1000)):
        if text and _NUMBER.fullmatch(text):
            return in_range(int(text) * unit_ms, kind)
    return needed_iso_ms(payload.timestamp or "", kind)


def _stem(payload: Payload, time: int) -> str:
    """What the ids of the event's events begin with."""
    if payload.sid and _SID.fullmatch(payload.sid):
        return payload.sid
    who = (payload.task_sid, payload.reservation_sid, payload.worker_sid, payload.resource_sid)
    return digest(payload.eventtype, time, *(sid or "" for sid in who))


SOURCE = Source(
    name="twilio_taskrouter",
    topic="twilio-taskrouter",
    decode=decode,
    help="Twilio TaskRouter: event callbacks and Event Streams",
)
