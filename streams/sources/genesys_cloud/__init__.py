"""Genesys Cloud's notifications: detail events of conversations, and agents' activity.

One record is one notification: ``{"topicName", "eventBody"}`` as a WebSocket gives it, with or
without EventBridge's envelope around it, or the body alone with its topic in the header
``topic_name``.

* **Ids** are a hash of what a body is told apart by (conversation, participant, session, topic and
  ``eventTime``) and the event's index, so a notification sent again gives the same ids, whichever
  envelope it came in.
* **The end of a contact**: ``acd.end`` tells how the queue was left, ``user.end`` the agent's leg
  with its hold, ``customer.end`` that the customer is gone.  The latter may come milliseconds
  before the ``user.end`` that knows more.  The session of a callback ends nothing.
* **Durations** are those between the events' own times, and hold is ``heldDurationMs``.  Whether
  ``interactingDurationMs`` contains hold, and whether ``connectedDurationMs`` of ``acd.end`` is the
  wait, is documented nowhere, so neither becomes a figure; the former only tells a leg from an
  offer that nobody took.
* **Outbound** sessions (but callbacks) give agents' events only: they were never in the queue.
  The same holds for sessions without a queue: consultations, direct calls.
* Sessions beside a conversation (co-browsing, screen sharing, video, internal) are not ours, nor is
  any topic not named in ``conversation`` or ``users``.  Enumeration values we do not know are
  unknown, never an error.
* **Privacy**: numbers, addresses, names, subjects and notes stay behind; the customer of an inbound
  session leaves as a pseudonym.

Facts: topics, fields and values are those of Genesys' platform SDKs (``*DetailEventTopic*``,
``AgentActivityChangedTopic*``, 2025); the envelopes are of published samples.  Which side a
``disconnectType`` names is from help.mypurecloud.com (disconnect-reasons): relative to the
participant whose session it is, CLIENT and ENDPOINT are the participant, PEER is another one.  That
page is about conversations' details; that detail events say the same is our reading.  No public
literal sample of a detail event was found.

Rejections: ``value.null``, ``size.exceeded``, ``json.malformed``, ``schema.invalid``,
``topic.missing``, ``time.out_of_range``, ``queue.missing``, ``agent.missing``.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.core.source import Event, Pseudonym, Record, Rejected, Source
from streams.sources._reading.body import Unusable, answer
from streams.sources.genesys_cloud.body import NOT_A_CONTACT, Body, Session, User, unwrapped
from streams.sources.genesys_cloud.conversation import CONVERSATION
from streams.sources.genesys_cloud.users import USERS

RECORD_BYTES_MAX = 256 * 1024
"""EventBridge carries no larger event."""
TOPIC_HEADER = "topic_name"

_body = msgspec.json.Decoder(Body)
_user = msgspec.json.Decoder(User)


def decode(record: Record, pseudonym: Pseudonym) -> Sequence[Event] | Rejected:
    """The events of one notification (none if it is not for us), or why it cannot be used."""
    return answer(record, RECORD_BYTES_MAX, lambda value: _told(value, record, pseudonym))


def _told(value: bytes, record: Record, pseudonym: Pseudonym) -> Sequence[Event]:
    named, body = unwrapped(value)
    topic = named or _topic_header(record)
    if not topic:
        raise Unusable("topic.missing")
    kind = _kind(topic)
    if kind in USERS:
        return USERS[kind](_user.decode(body))
    if kind in CONVERSATION:
        return _session(kind, _body.decode(body), pseudonym)
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
        if name == TOPIC_HEADER and value is not None:
            return value.decode("utf-8", "replace")
    return None


SOURCE = Source(
    name="genesys_cloud",
    topic="genesys-cloud",
    decode=decode,
    help="Genesys Cloud detail events and agents' activity, from EventBridge or a WebSocket",
)
