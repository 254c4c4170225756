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
``form.malformed``, ``schema.invalid``, ``event.type_missing``, ``time.malformed``,
``time.out_of_range``, ``contact.missing``, ``queue.missing``, ``agent.missing``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import Annotated
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta, Struct

from streams.core.source import Event, Pseudonym, Record, Rejected, Source
from streams.core.vocabulary import TIME_MS_MAX
from streams.sources.instant import epoch_ms
from streams.sources.twilio_taskrouter_events import EVENTS, Happening, Payload

BODY_BYTES_MAX = 1024 * 1024
EVENTS_MAX = 100
"""Events in one list of Event Streams."""
FORM_FIELDS_MAX = 200
SOURCE_CHARS_MAX = 120
DEFAULT_SOURCE = "twilio_taskrouter"

_PREFIX = "com.twilio.taskrouter."
_SID = re.compile(r"[A-Z]{2}[0-9A-Za-z]{1,62}", re.ASCII)
_NUMBER = re.compile(r"\d{1,17}", re.ASCII)
_SIDS = ("task_sid", "task_queue_sid", "previous_task_queue_sid", "worker_sid")
_BAD_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

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


_several = msgspec.json.Decoder(Annotated[list[msgspec.Raw], Meta(max_length=EVENTS_MAX)])
_head = msgspec.json.Decoder(Headed)
_cloud = msgspec.json.Decoder(CloudEvent)


def decode(record: Record, pseudonym: Pseudonym) -> Sequence[Event] | Rejected:
    """The events of one body, or why it cannot be used.  Never raises."""
    if record.value is None:
        return Rejected("value.null")
    if len(record.value) > BODY_BYTES_MAX:
        return Rejected("size.exceeded", f"{len(record.value)} bytes, at most {BODY_BYTES_MAX}")
    source = _source(record.headers)
    if source is None:
        return Rejected("header.invalid")
    payloads = _payloads(record.value.strip())
    if isinstance(payloads, Rejected):
        return payloads
    events: list[Event] = []
    for payload in payloads:
        told = _events(payload, source, pseudonym)
        if isinstance(told, Rejected):
            return told
        events += told
    return events


def _source(headers: Sequence[tuple[str, bytes]]) -> str | None:
    """The name of the workspace, None if it cannot be used."""
    named = [value for name, value in headers if name == "source"]
    source = named[-1].decode("utf-8", "replace") if named else DEFAULT_SOURCE
    return source if 0 < len(source) <= SOURCE_CHARS_MAX and "\ufffd" not in source else None


# --- the two transports --------------------------------------------------------------------


def _payloads(body: bytes) -> list[Payload] | Rejected:
    if not body:
        return []
    if body[:1] not in (b"{", b"["):
        return _of_form(body)
    try:
        several = _several.decode(body) if body[:1] == b"[" else [msgspec.Raw(body)]
        payloads = [_of_cloud(raw) for raw in several]
    except msgspec.ValidationError:
        return Rejected("schema.invalid")
    except _BAD_JSON:
        return Rejected("json.malformed")
    return [payload for payload in payloads if payload is not None]


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


def _of_form(body: bytes) -> list[Payload] | Rejected:
    try:
        pairs = parse_qsl(body.decode("ascii"), max_num_fields=FORM_FIELDS_MAX, errors="strict")
    except ValueError:
        return Rejected("form.malformed")
    known = {_FORM[name]: value for name, value in pairs if name in _FORM}
    if "eventtype" not in known:
        return Rejected("event.type_missing")
    return [msgspec.convert(known, Payload)]


# --- one event -----------------------------------------------------------------------------


def _events(payload: Payload, source: str, pseudonym: Pseudonym) -> Sequence[Event] | Rejected:
    if not payload.eventtype:
        return Rejected("event.type_missing")
    kind = EVENTS.get(payload.eventtype)
    if kind is None:
        return ()
    time = _time_ms(payload)
    if time is None:
        return Rejected("time.malformed", payload.eventtype)
    if not 0 <= time <= TIME_MS_MAX:
        return Rejected("time.out_of_range", payload.eventtype)
    if not all(_usable(getattr(payload, name)) for name in _SIDS):
        return Rejected("schema.invalid", f"{payload.eventtype}: not a sid")
    happening = Happening(payload, _stem(payload, time), source, time, pseudonym)
    for need in kind.needs:
        if not getattr(happening, need):
            return Rejected(f"{need}.missing", payload.eventtype)
    return kind.events(happening)


def _usable(sid: str | None) -> bool:
    return not sid or _SID.fullmatch(sid) is not None


def _time_ms(payload: Payload) -> int | None:
    """``TimestampMs``, else ``Timestamp``: seconds in a form, ISO 8601 in a CloudEvent."""
    for text, unit_ms in ((payload.timestamp_ms, 1), (payload.timestamp, 1000)):
        if text and _NUMBER.fullmatch(text):
            return int(text) * unit_ms
    return epoch_ms(payload.timestamp) if payload.timestamp else None


def _stem(payload: Payload, time: int) -> str:
    """What the ids of the event's events begin with."""
    if payload.sid and _SID.fullmatch(payload.sid):
        return payload.sid
    who = (payload.task_sid, payload.reservation_sid, payload.worker_sid, payload.resource_sid)
    told = "\0".join([payload.eventtype or "", str(time), *(sid or "" for sid in who)])
    return blake2b(told.encode(), digest_size=12).hexdigest()


SOURCE = Source(
    name="twilio_taskrouter",
    topic="twilio-taskrouter",
    decode=decode,
    help="Twilio TaskRouter: event callbacks and Event Streams",
)
