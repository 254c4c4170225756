"""Genesys Cloud's notifications: detail events of conversations, and agents' activity.

One record is one notification: ``{"topicName", "eventBody"}`` as a WebSocket gives it, with or
without EventBridge's envelope around it, or the body alone with its topic in the header
``topic_name``.

* **Ids** are a hash of what a body is told apart by (conversation, participant, session, topic and
  ``eventTime``) and the event's index, so a notification sent again gives the same ids, whichever
  envelope it came in.
* **The end of a contact** is told by ``acd.end`` (how the queue was left) and ``user.end`` (the
  agent's leg with its figures).  ``customer.end`` gives nothing: it comes milliseconds before the
  ``user.end`` whose hold time it would hide, and at the hang-up of a caller whose callback waits.
* **Outbound** sessions (but callbacks) give agents' events only: they were never in the queue.
  The same holds for sessions without a queue: consultations, direct calls.
* Sessions beside a conversation (co-browsing, screen sharing, video, internal) are not ours, nor is
  any topic not named in ``conversation`` or ``users``.  Enumeration values we do not know are
  unknown, never an error.
* **Privacy**: numbers, addresses, names, subjects and notes stay behind; the customer of an inbound
  session leaves as a pseudonym.

Facts: topics, fields and values are those of Genesys' platform SDKs (``*DetailEventTopic*``,
``AgentActivityChangedTopic*``, 2025); the envelopes are of published
samples.  No public literal sample of a detail event was found, so which side a ``disconnectType``
names (PEER: the other one) and that ``interactingDurationMs`` is without hold are our reading.

Rejections: ``value.null``, ``size.exceeded``, ``json.malformed``, ``schema.invalid``,
``topic.missing``, ``time.out_of_range``, ``queue.missing``, ``agent.missing``.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.core.source import Event, Pseudonym, Record, Rejected, Source
from streams.sources.genesys_cloud.body import (
    NOT_A_CONTACT,
    Body,
    Missing,
    Session,
    User,
    unwrapped,
)
from streams.sources.genesys_cloud.conversation import CONVERSATION
from streams.sources.genesys_cloud.users import USERS

RECORD_BYTES_MAX = 256 * 1024
"""EventBridge carries no larger event."""
TOPIC_HEADER = "topic_name"

_body = msgspec.json.Decoder(Body)
_user = msgspec.json.Decoder(User)


def decode(record: Record, pseudonym: Pseudonym) -> Sequence[Event] | Rejected:
    """The events of one notification (none if it is not for us), or why it cannot be used."""
    value = record.value
    if value is None:
        return Rejected("value.null")
    if len(value) > RECORD_BYTES_MAX:
        return Rejected("size.exceeded", f"{len(value)} bytes, at most {RECORD_BYTES_MAX}")
    try:
        topic, body = unwrapped(value)
        return _told(topic or _topic_header(record), body, pseudonym)
    except msgspec.ValidationError as error:
        return Rejected("schema.invalid", _where(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Rejected("json.malformed")


def _told(
    topic: str | None, body: bytes | msgspec.Raw, pseudonym: Pseudonym
) -> Sequence[Event] | Rejected:
    if not topic:
        return Rejected("topic.missing")
    kind = _kind(topic)
    try:
        if kind in USERS:
            return USERS[kind](_user.decode(body))
        if kind in CONVERSATION:
            return _session(kind, _body.decode(body), pseudonym)
    except Missing as missing:
        return Rejected(f"{missing}.missing", kind)
    except OverflowError:
        return Rejected("time.out_of_range", kind)
    return ()


def _session(kind: str, body: Body, pseudonym: Pseudonym) -> Sequence[Event]:
    if (body.media_type or "").upper() in NOT_A_CONTACT:
        return ()
    return CONVERSATION[kind](Session(body, kind, pseudonym))


def _kind(topic: str) -> str:
    """What the topic is about, without the id in its middle.

    >>> _kind("v2.detail.events.conversation.{id}.acd.start"), _kind("v2.users.7b.activity")
    ('acd.start', 'users.activity')
    """
    parts = topic.split(".", 6)
    if parts[:4] == ["v2", "detail", "events", "conversation"]:
        return ".".join(parts[5:])
    return f"users.{parts[3]}" if parts[:2] == ["v2", "users"] and len(parts) == 4 else ""


def _topic_header(record: Record) -> str | None:
    for name, value in record.headers:
        if name == TOPIC_HEADER:
            return value.decode("utf-8", "replace")
    return None


def _where(error: msgspec.ValidationError) -> str:
    """The path of the wrong field: names of ours only, for keys of a payload may be private."""
    return str(error).rpartition(" - at `")[2].rstrip("`") if " - at `$." in str(error) else "$"


SOURCE = Source(
    name="genesys_cloud",
    topic="genesys-cloud",
    decode=decode,
    help="Genesys Cloud detail events and agents' activity, from EventBridge or a WebSocket",
)
