"""The fields we read of Amazon Connect's records and events, and what their values mean.

Names are lower case throughout: ``folded`` makes them so.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from streams.core.terms import DAY_MS
from streams.core.vocabulary import Channel
from streams.sources._reading.instants import datetime_ms
from streams.sources._reading.names import NAME_CHARS_MAX

SOURCE_NAME = "amazon_connect"
DEPTH_MAX = 6
"""The deepest field we read: snapshot, configuration, routing profile, queues, queue, ARN."""

Word = Annotated[str, Meta(max_length=NAME_CHARS_MAX)]
ContactId = Annotated[str, Meta(min_length=1, max_length=150)]
"""An id of ours is one of theirs and what happened; theirs are UUIDs."""
Arn = Annotated[str, Meta(max_length=500)]
Private = Annotated[str, Meta(max_length=1_000)]
When = Annotated[datetime, Meta(tz=True)]
Seconds = Annotated[int, Meta(ge=-(10**12), le=10**12)]


class Endpoint(Struct, gc=False):
    """Where a customer can be reached."""

    address: Private | None = None
    type: Word | None = None


class Queue(Struct, gc=False):
    """A queue, and a contact's stay in it."""

    arn: Arn | None = None
    name: Private | None = None
    enqueuetimestamp: When | None = None
    dequeuetimestamp: When | None = None
    duration: Seconds | None = None


class RecordAgent(Struct, gc=False):
    """The agent of a contact record, and what they did."""

    arn: Arn | None = None
    username: Word | None = None
    connectedtoagenttimestamp: When | None = None
    agentinteractionduration: Seconds | None = None
    customerholdduration: Seconds | None = None
    aftercontactworkstarttimestamp: When | None = None
    aftercontactworkendtimestamp: When | None = None
    aftercontactworkduration: Seconds | None = None


class ContactRecord(Struct, gc=False):
    """A contact record (formerly contact trace record)."""

    contactid: ContactId
    initialcontactid: ContactId | None = None
    nextcontactid: Word | None = None
    channel: Word | None = None
    initiationmethod: Word | None = None
    initiationtimestamp: When | None = None
    disconnecttimestamp: When | None = None
    disconnectreason: Word | None = None
    lastupdatetimestamp: When | None = None
    transfercompletedtimestamp: When | None = None
    customerendpoint: Endpoint | None = None
    queue: Queue | None = None
    agent: RecordAgent | None = None


class QueueInfo(Struct, gc=False):
    """The queue of a contact event."""

    arn: Arn | None = field(name="queuearn", default=None)
    name: Private | None = None
    enqueuetimestamp: When | None = None


class AgentInfo(Struct, gc=False):
    """The agent of a contact event."""

    arn: Arn | None = field(name="agentarn", default=None)
    username: Word | None = None
    connectedtoagenttimestamp: When | None = None


class ContactEvent(Struct, gc=False):
    """A contact event; ``emitted`` is the time of EventBridge's envelope."""

    contactid: ContactId
    eventtype: Word
    initialcontactid: ContactId | None = None
    channel: Word | None = None
    initiationmethod: Word | None = None
    initiationtimestamp: When | None = None
    disconnecttimestamp: When | None = None
    disconnectreason: Word | None = None
    queue: QueueInfo | None = field(name="queueinfo", default=None)
    agent: AgentInfo | None = field(name="agentinfo", default=None)
    emitted: When | None = None


class AgentContact(Struct, gc=False):
    """A contact in a snapshot of an agent."""

    contactid: ContactId
    initialcontactid: ContactId | None = None
    channel: Word | None = None
    initiationmethod: Word | None = None
    state: Word | None = None
    statestarttimestamp: When | None = None
    queue: Queue | None = None


class AgentStatus(Struct, gc=False):
    """What the agent (or a supervisor) set."""

    name: Private | None = None
    type: Word | None = None
    starttimestamp: When | None = None


class RoutingProfile(Struct, gc=False):
    """The queues an agent serves."""

    inboundqueues: Annotated[list[Queue], Meta(max_length=1_000)] | None = None


class Configuration(Struct, gc=False):
    """How the agent is set up."""

    routingprofile: RoutingProfile | None = None


class Snapshot(Struct, gc=False):
    """All that is known of an agent at one time."""

    agentstatus: AgentStatus | None = None
    configuration: Configuration | None = None
    contacts: Annotated[list[AgentContact], Meta(max_length=100)] | None = None


class AgentEvent(Struct, gc=False):
    """An event of the agent event stream."""

    agentarn: Annotated[str, Meta(min_length=1, max_length=500)]
    eventid: Annotated[str, Meta(min_length=1, max_length=150)]
    eventtype: Word
    eventtimestamp: When
    currentagentsnapshot: Snapshot | None = None
    previousagentsnapshot: Snapshot | None = None


def folded(value: Any, depth: int = DEPTH_MAX) -> Any:
    """The value with the names of its fields in lower case; what lies deeper is cut off.

    >>> folded({"AgentInfo": {"AgentArn": "a"}})
    {'agentinfo': {'agentarn': 'a'}}
    """
    if isinstance(value, dict):
        return {k.lower(): folded(v, depth - 1) for k, v in value.items()} if depth else None
    if isinstance(value, list):
        return [folded(v, depth) for v in value] if depth else None
    return value


def milliseconds(when: datetime | None) -> int | None:
    """Milliseconds since 1970; None for no time."""
    if when is None:
        return None
    time = datetime_ms(when)
    # AWS writes 1970-01-01T00:00:00.001Z for a time that there is not.
    return time if time >= DAY_MS else None


def whole_second(when: datetime | None) -> int | None:
    """The same, cut to the second."""
    time = milliseconds(when)
    return None if time is None else time // 1000 * 1000


def in_ms(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * 1000


def short(arn: str | None, kind: str, name: str | None) -> str:
    """The id at the end of an ARN (a queue of an agent keeps ``agent/``), or the name.

    >>> short("arn:aws:connect:us-west-2:1:instance/2/queue/agent/3", "queue", None)
    'agent/3'
    """
    return ((arn or "").rpartition(f"/{kind}/")[2] or name or "")[-NAME_CHARS_MAX:]


def queue_name(queue: Queue | QueueInfo | None) -> str:
    """What a queue is called in events; empty if there is none."""
    if queue is None:
        return ""
    before, _, last = (queue.arn or "").partition("/queue/")
    return (last or before or queue.name or "")[-NAME_CHARS_MAX:]


def word(text: str | None) -> str:
    """An enumeration value as the documentation writes it; empty if there is none."""
    return (text or "").upper()


def code(text: str) -> str | None:
    """An enumeration value as our reasons are written; nothing that is none (it may be private)."""
    known = text.isascii() and text.replace("_", "").isalpha()
    return text.lower() if known else None


_CHANNELS: dict[str, Channel] = {
    "CHAT": "chat", "EMAIL": "email", "TASK": "task", "VOICE": "voice",
}  # fmt: skip


def channel(name: str | None, method: str | None) -> Channel:
    """The channel; a callback is one of its own, because its wait is not one on the phone."""
    return "callback" if word(method) == "CALLBACK" else _CHANNELS.get(word(name), "voice")
