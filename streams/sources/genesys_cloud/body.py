"""A notification of Genesys Cloud, taken apart: its envelope, its body, what its words mean."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Raw, Struct, field
from msgspec.json import Decoder

from streams.core.source import Pseudonym
from streams.core.vocabulary import Channel, DurationMs, Id
from streams.sources._reading.body import Unusable
from streams.sources._reading.instants import in_range
from streams.sources._reading.names import NAME_CHARS_MAX, digest

SOURCE_NAME = "genesys_cloud"

Word = Annotated[str, Meta(max_length=NAME_CHARS_MAX)]
"""An id or an enumeration value; empty is absent."""
Private = Annotated[str, Meta(max_length=1_000)]
"""What leaves as a pseudonym or not at all."""
When = Annotated[datetime, Meta(tz=True)]


class _Envelope(Struct, gc=False):
    topic: Word | None = field(name="topicName", default=None)
    detail_type: Word | None = field(name="detail-type", default=None)
    detail: Raw = Raw()
    body: Raw = field(name="eventBody", default=Raw())


_envelope = Decoder(_Envelope)


def unwrapped(value: bytes) -> tuple[str | None, bytes | Raw]:
    """(topic, body) of a record, in EventBridge's envelope, in the notification's own, or bare."""
    outer = _envelope.decode(value)
    if not outer.detail:
        return outer.topic, outer.body or value
    inner = _envelope.decode(outer.detail)
    return inner.topic or outer.detail_type, inner.body or outer.detail


class Body(Struct, gc=False, rename="camel"):
    """The fields we read of the bodies of all detail topics; unknown ones are ignored."""

    event_time: int
    conversation_id: Id
    participant_id: Word | None = None
    session_id: Word | None = None
    media_type: Word | None = None
    message_type: Word | None = None
    direction: Word | None = None
    disconnect_type: Word | None = None
    ani: Private | None = None
    address_from: Private | None = None
    conversation_external_contact_ids: Annotated[list[Private], Meta(max_length=1_000)] | None = (
        None
    )
    queue_id: Word | None = None
    user_id: Word | None = None
    routing_priority: int | None = None
    acd_outcome: Word | None = None
    answered_user_id: Word | None = None
    interacting_duration_ms: DurationMs | None = None
    held_duration_ms: DurationMs | None = None
    alerting_duration_ms: DurationMs | None = None
    callback_duration_ms: DurationMs | None = None
    callback_scheduled_time: int | None = None
    flow_type: Word | None = None
    flow_id: Word | None = None
    exit_reason: Word | None = None
    transfer_type: Word | None = None
    wrapup_code: Private | None = None
    wrapup_duration_ms: DurationMs | None = None


class RoutingStatus(Struct, gc=False, rename="camel"):
    """Whether the agent takes contacts from queues."""

    status: Word | None = None
    start_time: When | None = None


class _PresenceDefinition(Struct, gc=False, rename="camel"):
    system_presence: Word | None = None


class Presence(Struct, gc=False, rename="camel"):
    """What the agent says they are doing."""

    presence_definition: _PresenceDefinition | None = None
    modified_date: When | None = None


class User(Struct, gc=False, rename="camel"):
    """The body of ``v2.users.{id}.activity``: what holds now, with the time since when."""

    id: Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX)]
    routing_status: RoutingStatus | None = None
    presence: Presence | None = None


NOT_A_CONTACT = frozenset(
    ("COBROWSE", "INTERNALMESSAGE", "SCREENMONITORING", "SCREENSHARE", "VIDEO")
)
"""Media of sessions beside a conversation."""
_CHANNELS: dict[str, Channel] = {
    "VOICE": "voice", "CHAT": "chat", "EMAIL": "email", "CALLBACK": "callback", "MESSAGE": "chat",
}  # fmt: skip
_SOCIAL = frozenset(("APPLE", "FACEBOOK", "INSTAGRAM", "LINE", "LINKEDIN", "TWITTER", "WHATSAPP"))


class Session:
    """One detail event of a participant's session."""

    __slots__ = ("_stem", "body", "channel", "pseudonym", "time")

    def __init__(self, body: Body, kind: str, pseudonym: Pseudonym) -> None:
        self.body = body
        self.time = in_range(body.event_time, kind)
        self.channel = _channel(body)
        self.pseudonym = pseudonym
        self._stem = digest(
            body.conversation_id, body.participant_id, body.session_id, kind, body.event_time
        )

    @property
    def queue(self) -> str:
        """The queue; Unusable if there is none."""
        return _there(self.body.queue_id, "queue")

    @property
    def agent(self) -> str:
        """The agent whose session it is; Unusable if there is none."""
        return _there(self.body.user_id, "agent")

    @property
    def outbound(self) -> bool:
        """We called the customer, who had not asked for it."""
        return word(self.body.direction) == "OUTBOUND" and self.channel != "callback"

    @property
    def customer(self) -> str | None:
        """The customer's pseudonym.  Of an outbound session no field is known to be theirs but the
        external contact."""
        body = self.body
        inbound = word(body.direction) != "OUTBOUND"
        known = self._address() if inbound else None
        contacts = body.conversation_external_contact_ids
        return known or (self.pseudonym("id", contacts[0]) if contacts else None)

    def _address(self) -> str | None:
        body, pseudonym = self.body, self.pseudonym
        if self.channel in ("voice", "callback"):
            return pseudonym("phone", body.ani) if body.ani else None
        if not body.address_from:
            return None
        domain = {"email": "email", "sms": "phone"}.get(self.channel, "id")
        return pseudonym(domain, body.address_from)

    def contact(self, index: int) -> dict[str, Any]:
        """What the event with this index says as an event about the contact."""
        return {
            "id": f"{self._stem}-{index}",
            "source": SOURCE_NAME,
            "contact": self.body.conversation_id,
            "time": self.time,
            "channel": self.channel,
        }

    def member(self, index: int, agent: str) -> dict[str, Any]:
        """What the event with this index says as an event about the agent."""
        return {
            "id": f"{self._stem}-{index}",
            "source": SOURCE_NAME,
            "agent": agent,
            "time": self.time,
            "contact": self.body.conversation_id,
            "channel": self.channel,
        }


def word(text: str | None) -> str:
    """An enumeration value as the documentation writes it; empty if there is none."""
    return (text or "").upper()


def _there(value: str | None, name: str) -> str:
    if not value:
        raise Unusable(f"{name}.missing")
    return value


def _channel(body: Body) -> Channel:
    message = word(body.message_type)
    if message == "SMS":
        return "sms"
    return "social" if message in _SOCIAL else _CHANNELS.get(word(body.media_type), "voice")
