"""Events about agents, keyed by ``agent``; see ``streams.core.events`` for what holds for all."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from streams.core.vocabulary import Channel, DurationMs, Id, Name, OfferEnd, TimeMs


class AgentEvent(Struct, kw_only=True, omit_defaults=True, gc=False, tag_field="type"):
    """What every event about an agent carries; ``agent`` is the key."""

    id: Id
    source: Name
    agent: Name
    time: TimeMs


class LoggedIn(AgentEvent, kw_only=True, tag="agent.logged_in"):
    """The agent logged in."""


class LoggedOut(AgentEvent, kw_only=True, tag="agent.logged_out"):
    """The agent logged out; ``login_ms`` is the platform's own figure for the session."""

    login_ms: DurationMs | None = None
    reason: Name | None = None


class JoinedQueue(AgentEvent, kw_only=True, tag="agent.joined_queue"):
    """The agent is a member of the queue from now on."""

    queue: Name
    paused: bool = False


class LeftMembership(AgentEvent, kw_only=True, tag="agent.left_queue"):
    """The agent is no member of the queue any more."""

    queue: Name


class Ready(AgentEvent, kw_only=True, tag="agent.ready"):
    """Ready for work: in one queue, or in all of them (``queue`` absent)."""

    queue: Name | None = None
    reason: Name | None = None


class NotReady(AgentEvent, kw_only=True, tag="agent.not_ready"):
    """Not ready for work: in one queue, or in all of them (``queue`` absent).  ``reason`` is a code
    or a short name, shown in results, 40 characters of it; never what somebody typed."""

    queue: Name | None = None
    reason: Name | None = None


class AgentOffered(AgentEvent, kw_only=True, tag="agent.offered"):
    """The agent is being rung or shown the contact."""

    contact: Id
    queue: Name | None = None
    channel: Channel = "voice"


class AgentOfferEnded(AgentEvent, kw_only=True, tag="agent.offer_ended"):
    """The offer ended without the agent taking the contact."""

    contact: Id
    queue: Name | None = None
    channel: Channel = "voice"
    reason: OfferEnd = "no_answer"
    ring_ms: DurationMs | None = None


class AgentTalking(AgentEvent, kw_only=True, tag="agent.talking"):
    """The agent is talking to (or working on) the contact, from the start or again after a hold."""

    contact: Id
    queue: Name | None = None
    channel: Channel = "voice"


class AgentHolding(AgentEvent, kw_only=True, tag="agent.holding"):
    """The agent put the contact on hold."""

    contact: Id
    channel: Channel = "voice"


class AgentWrapUp(AgentEvent, kw_only=True, tag="agent.wrap_up"):
    """After-contact work began; ``wrap_up_ms`` if its length is known already."""

    contact: Id
    queue: Name | None = None
    channel: Channel = "voice"
    wrap_up_ms: DurationMs | None = None


class AgentContactEnded(AgentEvent, kw_only=True, tag="agent.contact_ended"):
    """The agent is free of the contact."""

    contact: Id
    queue: Name | None = None
    channel: Channel = "voice"


class AgentScheduled(AgentEvent, kw_only=True, tag="agent.scheduled"):
    """A piece of the agent's schedule, ``start`` to ``end`` (half-open), published at ``time``.

    A later one takes the place of earlier ones for the time they share.  What ends before it
    begins, or more than 400 days after it was published, is refused.
    """

    start: TimeMs
    end: TimeMs
    activity: Literal["productive", "break", "training", "meeting", "absent"]
