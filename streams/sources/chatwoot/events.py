"""What each of Chatwoot's events means, as a table at the end of this file."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from streams.core import events as ev
from streams.core.source import Event
from streams.core.vocabulary import Author, Direction, TicketStatus
from streams.sources._reading.body import Unusable
from streams.sources.chatwoot.body import Body, Said, Submitted
from streams.sources.chatwoot.happening import Happening, agent_named, moment_ms

STATUSES: dict[str, TicketStatus] = {
    "open": "open",
    "pending": "pending",
    "snoozed": "snoozed",
    "resolved": "solved",
}
OPENING_MS = 1_000
"""A message that began the conversation is as old as it; times of bodies are whole seconds."""
_MESSAGE_TYPES = ("incoming", "outgoing", "activity", "template")
_ASSIGNMENT = frozenset(("assignee_id", "team_id"))


# --- conversations -------------------------------------------------------------------------


def _created(at: Happening) -> list[Event]:
    """Pending from the start is how a bot's conversation begins."""
    started = ev.ContactStarted(**at.said(0), direction=_direction(at), customer=at.customer)
    events: list[Event] = [started, _assigned(at, 1)]
    status = STATUSES.get(at.conversation.status or "")
    if status is not None:
        events.append(ev.StatusChanged(**at.said(2), status=status))
    if status == "pending":
        events.append(ev.StageEntered(**at.said(3), stage="bot"))
    return events


def _direction(at: Happening) -> Direction:
    for message in at.conversation.messages or ():
        written = moment_ms(message.created_at)
        if written is not None and written - at.time <= OPENING_MS and _begins(message):
            return "outbound"
    return "inbound"


def _begins(message: Said) -> bool:
    """Whether we begin a conversation with it.  A bot or a rule may have answered within the same
    second."""
    if _kind(message.message_type) != "outgoing" or _by_rule(message):
        return False
    return _by_campaign(message) or _author(message, "outgoing") == "agent"


def _status_changed(at: Happening) -> list[Event]:
    status = STATUSES.get(at.conversation.status or "")
    if status is None:
        raise Unusable("schema.invalid", f"{at.event}: status")
    # Two changes within a millisecond have the status to tell them apart.
    at.stem += f"-{status}"
    changed = at.changed("status")
    before = _status(changed[0]) if changed else None
    events: list[Event] = [ev.StatusChanged(**at.said(0), status=status)]
    if before == "pending":
        events.append(ev.StageLeft(**at.said(1), stage="bot"))
    if (before, status) == ("pending", "open"):
        events.append(ev.BotHandedOff(**at.said(2)))
    elif (before, status) == ("pending", "solved"):
        events.append(ev.ResolutionClaimed(**at.said(2), resolved=True, by="bot"))
    if status == "pending":
        events.append(ev.StageEntered(**at.said(len(events)), stage="bot"))
    elif status == "solved":
        events.append(ev.Ended(**at.said(len(events))))
    return events


def _status(value: object) -> TicketStatus | None:
    return STATUSES.get(value) if isinstance(value, str) else None


def _updated(at: Happening) -> list[Event]:
    """Assignments only: a changed status has an event of its own."""
    if not any(at.changed(field) for field in _ASSIGNMENT):
        return []
    return [_assigned(at, 0)]


def _assigned(at: Happening, index: int) -> Event:
    return ev.Assigned(**at.said(index), queue=at.queue, agent=at.assignee, team=at.team)


# --- messages ------------------------------------------------------------------------------


def _written(at: Happening) -> list[Event]:
    kind = _kind(at.body.message_type)
    if kind is None:
        raise Unusable("schema.invalid", f"{at.event}: message_type")
    if kind == "activity":
        return []
    author = _author(at.body, kind)
    message = ev.Message(
        **at.said(0),
        author=author,
        agent=agent_named(at.body.sender) if author == "agent" else None,
        public=not at.body.private,
        automatic=kind == "template" or _by_rule(at.body) or _by_campaign(at.body),
    )
    events: list[Event] = [message]
    if at.body.content_type == "input_csat":
        events.append(ev.SurveySent(**at.said(1), survey="csat", agent=at.assignee))
    return events


def _kind(given: int | str | None) -> str | None:
    """The type of a message by its name; None if it is none that we know."""
    if isinstance(given, int):
        return _MESSAGE_TYPES[given] if 0 <= given < len(_MESSAGE_TYPES) else None
    return given if given in _MESSAGE_TYPES else None


def _author(message: Body | Said, kind: str) -> Author:
    """Of what went out: a bot is what has a type of its own, the system what has no sender."""
    if kind == "incoming":
        return "customer"
    if kind == "template":
        return "system"
    if message.content_attributes is not None and message.content_attributes.external_echo:
        return "agent"
    if message.sender is None:
        return "system"
    return "agent" if (message.sender.type or "user").lower() == "user" else "bot"


def _by_rule(message: Body | Said) -> bool:
    """Written by an automation rule, whoever is named as the sender."""
    contents = message.content_attributes
    return contents is not None and bool(contents.automation_rule_id)


def _by_campaign(message: Body | Said) -> bool:
    additional = message.additional_attributes
    return additional is not None and bool(additional.campaign_id)


def _changed(at: Happening) -> list[Event]:
    """Of a message's changes only the answer to the survey tells us something.

    Each later change of the message repeats it, so an answer is known by its score: it counts
    once, when it was first seen.
    """
    score = _score(at.body) if at.body.content_type == "input_csat" else None
    if score is None:
        return []
    at.stem = f"{at.contact}-message-{at.body.id}-{score}"
    return [ev.Rated(**at.said(0), survey="csat", score=score, agent=at.assignee)]


def _score(body: Body) -> int | None:
    if body.content_attributes is None or body.content_attributes.submitted_values is None:
        return None
    # Forms of other kinds submit lists, so it is read only once we know that it is a survey's.
    submitted = msgspec.convert(body.content_attributes.submitted_values, Submitted)
    return submitted.csat_survey_response.rating if submitted.csat_survey_response else None


EVENTS: dict[str, Callable[[Happening], list[Event]]] = {
    "conversation_created": _created,
    "conversation_status_changed": _status_changed,
    "conversation_updated": _updated,
    "message_created": _written,
    "message_updated": _changed,
}
"""What each event means; any other is not for us."""
