"""The canonical vocabulary: what platforms report about contacts and agents, in our words.

One struct is one event type.  On the wire an event is a JSON object whose ``type`` field names the
struct (``contact.queued``); unknown fields are ignored, so a newer publisher never breaks an older
reader.  Every field is bounded: a string by length, a number by range, a list by count.  A duration
may be negative or absurd, because platforms do report such values: facts leave them out of means
and count them, the contact itself still counts.

Times are integer milliseconds since 1970-01-01 UTC, durations integer milliseconds (``_ms``).

Three groups:

* ``ContactEvent``  keyed by ``contact``, topic ``<prefix>.events.contact.v1``
* ``AgentEvent``    keyed by ``agent``, topic ``<prefix>.events.agent.v1``
* system events     (``system.tick``, ``system.restarted``) go to every partition of both.

``schemas/events/*.json`` is generated from this file (``python -m streams.schemas``) and checked in
CI.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from streams.core.agent_events import AgentContactEnded as AgentContactEnded
from streams.core.agent_events import AgentEvent as AgentEvent
from streams.core.agent_events import AgentHolding as AgentHolding
from streams.core.agent_events import AgentOffered as AgentOffered
from streams.core.agent_events import AgentOfferEnded as AgentOfferEnded
from streams.core.agent_events import AgentScheduled as AgentScheduled
from streams.core.agent_events import AgentTalking as AgentTalking
from streams.core.agent_events import AgentWrapUp as AgentWrapUp
from streams.core.agent_events import JoinedQueue as JoinedQueue
from streams.core.agent_events import LeftMembership as LeftMembership
from streams.core.agent_events import LoggedIn as LoggedIn
from streams.core.agent_events import LoggedOut as LoggedOut
from streams.core.agent_events import NotReady as NotReady
from streams.core.agent_events import Ready as Ready
from streams.core.vocabulary import (
    Author,
    Channel,
    Direction,
    DurationMs,
    EndedBy,
    Id,
    LeftOutcome,
    LostReason,
    Name,
    NotAdmitted,
    OfferEnd,
    Position,
    Score,
    Stage,
    Survey,
    Text,
    TicketStatus,
    TimeMs,
    Version,
)


class ContactEvent(Struct, kw_only=True, omit_defaults=True, gc=False, tag_field="type"):
    """What every event about a contact carries.

    ``id`` is unique for the event: a second event with the same id changes nothing, unless its
    ``version`` is higher: then the platform has corrected itself (a contact record sent again, a
    message made private), and it takes the first one's place.  ``source`` names the reporting
    platform or PBX, ``contact`` the conversation, ``time`` when it happened there.
    """

    id: Id
    source: Name
    contact: Id
    time: TimeMs
    channel: Channel = "voice"
    version: Version = 0


class ContactStarted(ContactEvent, kw_only=True, tag="contact.started"):
    """The conversation began.  ``customer`` is a keyed pseudonym, never a number or an address."""

    direction: Direction = "inbound"
    customer: Id | None = None
    previous_contact: Id | None = None
    root_contact: Id | None = None
    issue_type: Name | None = None
    language: Text | None = None
    test: bool = False
    spam: bool = False


class StageEntered(ContactEvent, kw_only=True, tag="contact.stage_entered"):
    """The contact reached a stage outside or inside the queue: greeting, IVR, bot ..."""

    stage: Stage
    name: Name | None = None


class StageLeft(ContactEvent, kw_only=True, tag="contact.stage_left"):
    """The contact left a stage.  ``ended_by`` = customer is an abandonment in that stage."""

    stage: Stage
    name: Name | None = None
    ended_by: EndedBy | None = None


class Queued(ContactEvent, kw_only=True, tag="contact.queued"):
    """The contact entered a queue: a visit begins."""

    queue: Name
    position: Position | None = None
    priority: Position | None = None
    customer: Id | None = None


class QueueRefused(ContactEvent, kw_only=True, tag="contact.queue_refused"):
    """The queue did not take the contact (full, closed, nobody there): no visit."""

    queue: Name
    reason: NotAdmitted


class QueueResumed(ContactEvent, kw_only=True, tag="contact.queue_resumed"):
    """The customer came back into the place that was already given up: the abandonment did not
    happen."""

    queue: Name


class Offered(ContactEvent, kw_only=True, tag="contact.offered"):
    """An agent is being rung or shown the contact."""

    queue: Name | None = None
    agent: Name


class OfferEnded(ContactEvent, kw_only=True, tag="contact.offer_ended"):
    """The offer to an agent ended without an answer."""

    queue: Name | None = None
    agent: Name
    reason: OfferEnd = "no_answer"
    ring_ms: DurationMs | None = None


class Answered(ContactEvent, kw_only=True, tag="contact.answered"):
    """An agent took the contact out of the queue.  ``wait_ms`` is the platform's own figure, if it
    has one."""

    queue: Name | None = None
    agent: Name | None = None
    wait_ms: DurationMs | None = None
    ring_ms: DurationMs | None = None


class LeftQueue(ContactEvent, kw_only=True, tag="contact.left_queue"):
    """A visit ended without an answer; ``outcome`` says how."""

    queue: Name
    outcome: LeftOutcome
    wait_ms: DurationMs | None = None
    position: Position | None = None
    original_position: Position | None = None
    agent: Name | None = None
    key: Text | None = None


class Held(ContactEvent, kw_only=True, tag="contact.held"):
    """An agent put the customer on hold."""

    agent: Name | None = None


class Resumed(ContactEvent, kw_only=True, tag="contact.resumed"):
    """The hold ended."""

    agent: Name | None = None


class Handled(ContactEvent, kw_only=True, tag="contact.handled"):
    """An agent's leg ended.  The platform's own figures, where it has them."""

    queue: Name | None = None
    agent: Name | None = None
    wait_ms: DurationMs | None = None
    talk_ms: DurationMs | None = None
    hold_ms: DurationMs | None = None
    ended_by: EndedBy = "unknown"


class Transferred(ContactEvent, kw_only=True, tag="contact.transferred"):
    """An agent's leg ended by a transfer."""

    queue: Name | None = None
    agent: Name | None = None
    kind: Literal["blind", "attended", "unknown"] = "blind"
    form: Literal["bridge", "app", "link"] | None = None
    to_kind: Literal["queue", "agent", "external", "ivr", "unknown"] = "unknown"
    to_queue: Name | None = None
    reason: Name | None = None
    wait_ms: DurationMs | None = None
    talk_ms: DurationMs | None = None
    hold_ms: DurationMs | None = None


class WrapUpStarted(ContactEvent, kw_only=True, tag="contact.wrap_up_started"):
    """An agent began after-contact work."""

    queue: Name | None = None
    agent: Name | None = None


class WrapUpEnded(ContactEvent, kw_only=True, tag="contact.wrap_up_ended"):
    """After-contact work ended.  ``wrap_up_ms`` if the platform reports it."""

    queue: Name | None = None
    agent: Name | None = None
    wrap_up_ms: DurationMs | None = None


class Message(ContactEvent, kw_only=True, tag="contact.message"):
    """Somebody wrote.  Private notes and automatic mail are marked, because they never count as a
    reply."""

    author: Author
    agent: Name | None = None
    public: bool = True
    automatic: bool = False


class Assigned(ContactEvent, kw_only=True, tag="contact.assigned"):
    """Who the contact belongs to now, all of it: None takes an agent or a team away.  Without a
    ``queue`` the contact stays in the one it is in."""

    queue: Name | None = None
    agent: Name | None = None
    team: Name | None = None


class StatusChanged(ContactEvent, kw_only=True, tag="contact.status_changed"):
    """A ticket got another status."""

    status: TicketStatus
    agent: Name | None = None


class Classified(ContactEvent, kw_only=True, tag="contact.classified"):
    """Wrap-up code, issue type, reason for more than one contact, phrase found in the text (never
    the text).  ``spam`` and ``test`` may be found out late; what they are said of counts nowhere,
    then."""

    issue_type: Name | None = None
    reason: Name | None = None
    phrase: Literal["contacted_before", "spoke_to_colleague", "still_unresolved"] | None = None
    spam: bool | None = None
    test: bool | None = None
    agent: Name | None = None


class Escalated(ContactEvent, kw_only=True, tag="contact.escalated"):
    """The contact went to a higher tier."""

    from_tier: Name | None = None
    to_tier: Name
    reason: Name | None = None
    agent: Name | None = None


class SurveySent(ContactEvent, kw_only=True, tag="contact.survey_sent"):
    """A survey was offered to the customer."""

    survey: Survey
    agent: Name | None = None


class Rated(ContactEvent, kw_only=True, tag="contact.rated"):
    """A survey answer; a later one of the same survey replaces it.  ``scale`` is the highest score
    possible."""

    survey: Survey
    score: Score
    scale: Score = 5
    agent: Name | None = None


class ResolutionClaimed(ContactEvent, kw_only=True, tag="contact.resolution_claimed"):
    """Somebody said whether the issue is solved."""

    resolved: bool
    by: Literal["customer", "agent", "bot", "survey"]
    confirmed: bool = False


class BotHandedOff(ContactEvent, kw_only=True, tag="contact.bot_handed_off"):
    """A bot gave the contact to a person."""

    reason: Name | None = None


class CallbackScheduled(ContactEvent, kw_only=True, tag="contact.callback_scheduled"):
    """The customer will be called; ``due`` is when the wait for it begins."""

    queue: Name | None = None
    due: TimeMs | None = None


class Merged(ContactEvent, kw_only=True, tag="contact.merged"):
    """This contact went on as another one and is no contact of its own any more."""

    into: Id


class Ended(ContactEvent, kw_only=True, tag="contact.ended"):
    """The conversation is over."""

    ended_by: EndedBy = "unknown"
    reason: Name | None = None


class Lost(ContactEvent, kw_only=True, tag="contact.lost"):
    """The platform forgot the contact.  Written by the processor itself, never by a source."""

    reason: LostReason


class Tick(Struct, kw_only=True, gc=False, tag_field="type", tag="system.tick"):
    """Time itself, written into every partition: moves marks, closes what nobody closed.  A repeat
    is harmless."""

    time: TimeMs


class Restarted(Struct, kw_only=True, gc=False, tag_field="type", tag="system.restarted"):
    """A platform restarted: every contact that was open there is gone."""

    id: Id
    source: Name
    time: TimeMs


CONTACT_EVENTS: tuple[type[ContactEvent], ...] = tuple(ContactEvent.__subclasses__())
AGENT_EVENTS: tuple[type[AgentEvent], ...] = tuple(AgentEvent.__subclasses__())
SYSTEM_EVENTS = (Tick, Restarted)

_ALL: tuple[type[Struct], ...] = (*CONTACT_EVENTS, *AGENT_EVENTS, *SYSTEM_EVENTS)
type_of: dict[type[Struct], str] = {cls: str(cls.__struct_config__.tag) for cls in _ALL}
"""Struct class -> its wire name, e.g. ``Queued`` -> ``contact.queued``."""
