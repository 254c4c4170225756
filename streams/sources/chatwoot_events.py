"""What each of Chatwoot's events means, as a table at the end of this file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from streams.core import events as ev
from streams.core.source import Event, Pseudonym
from streams.core.vocabulary import TIME_MS_MAX, Author, TicketStatus
from streams.sources.chatwoot_body import CHANNELS, Body, Conversation, Person, Submitted, Time
from streams.sources.instant import epoch_ms

DEFAULT_SOURCE = "chatwoot"

STATUSES: dict[str, TicketStatus] = {
    "open": "open",
    "pending": "pending",
    "snoozed": "snoozed",
    "resolved": "solved",
}
_MESSAGE_TYPES = ("incoming", "outgoing", "activity", "template")
_ASSIGNMENT = frozenset(("assignee_id", "team_id"))


class Unusable(Exception):
    """The body cannot be used; the arguments are the reason and the detail."""


class Happening:
    """One body, in our words."""

    __slots__ = (
        "body", "channel", "contact", "conversation", "event", "pseudonym", "queue", "source",
        "stem", "time",
    )  # fmt: skip

    def __init__(
        self, body: Body, about: Conversation, event: str, source: str, pseudonym: Pseudonym
    ) -> None:
        inbox = about.inbox_id or (body.inbox.id if body.inbox else None)
        if about.id is None:
            raise Unusable("contact.missing", event)
        if inbox is None:
            raise Unusable("queue.missing", event)
        self.body, self.conversation, self.event, self.source = body, about, event, source
        self.pseudonym = pseudonym
        self.queue = f"inbox-{inbox}"
        own = f"{inbox}-{about.id}"
        self.contact = own if source == DEFAULT_SOURCE else f"{source}:{own}"
        self.channel = CHANNELS.get(about.channel or "", "chat")
        self.time, self.stem = 0, ""

    def said(self, index: int) -> dict[str, Any]:
        """What the event with this index says."""
        return {
            "id": f"{self.stem}-{index}",
            "source": self.source,
            "contact": self.contact,
            "time": self.time,
            "channel": self.channel,
        }

    @property
    def customer(self) -> str | None:
        """The number is what other platforms know a customer by; the id is the last resort."""
        meta = self.conversation.meta
        person = (meta.sender if meta else None) or Person()
        named = ("phone", person.phone_number), ("email", person.email)
        for domain, value in named:
            known = self.pseudonym(domain, value) if value else None
            if known is not None:
                return known
        return self.pseudonym("id", f"{self.source}:{person.id}") if person.id else None

    @property
    def assignee(self) -> str | None:
        """The person the conversation belongs to."""
        meta = self.conversation.meta
        if meta is None or meta.assignee is None:
            return None
        kind = meta.assignee.type or meta.assignee_type or "user"
        return _agent(meta.assignee) if kind.lower() == "user" else None

    @property
    def team(self) -> str | None:
        meta = self.conversation.meta
        return f"team-{meta.team.id}" if meta and meta.team and meta.team.id else None

    def changed(self, field: str) -> tuple[Any, Any] | None:
        """(before, after) if this update changed the field."""
        for changes in self.body.changed_attributes or ():
            if field in changes:
                return changes[field].previous_value, changes[field].current_value
        return None


def _agent(person: Person | None) -> str | None:
    return f"user-{person.id}" if person and person.id else None


def of_body(body: Body, event: str, source: str, pseudonym: Pseudonym) -> Happening:
    """The body, taken apart, with its time and the beginning of its events' ids."""
    of_message = event.startswith("message_")
    about = (body.conversation or Conversation()) if of_message else body
    at = Happening(body, about, event, source, pseudonym)
    if of_message and body.id is None:
        raise Unusable("message.missing", event)
    at.time = _time_ms(event, *_times(body, about, event))
    at.stem = f"{at.contact}-{event.partition('_')[2]}"
    if of_message:
        at.stem = f"{at.contact}-message-{body.id}"
    if not event.endswith("_created"):
        at.stem += f"-{at.time}"
    return at


def _times(body: Body, about: Conversation, event: str) -> tuple[Time, ...]:
    """Where the time of an event stands, best first.

    A message says when it was written only; a later change of it touches the conversation.
    """
    if event.endswith("_created"):
        return (body.created_at,)
    return body.updated_at, about.updated_at, about.last_activity_at, about.timestamp


def _time_ms(event: str, *times: Time) -> int:
    time = next((time for time in times if time not in (None, "", 0)), None)
    told = epoch_ms(time) if isinstance(time, str) else _milliseconds(time)
    if told is None:
        raise Unusable("time.malformed", event)
    if not 0 <= told <= TIME_MS_MAX:
        raise Unusable("time.out_of_range", event)
    return told


def _milliseconds(seconds: int | float | None) -> int | None:
    # A float may be too large to become a whole number of milliseconds.
    if seconds is None or abs(seconds) > TIME_MS_MAX:
        return None if seconds is None else TIME_MS_MAX + 1
    return round(seconds * 1000)


# --- conversations -------------------------------------------------------------------------


def _created(at: Happening) -> list[Event]:
    """Pending from the start is how a bot's conversation begins."""
    events: list[Event] = [ev.ContactStarted(**at.said(0), customer=at.customer)]
    status = STATUSES.get(at.conversation.status or "")
    if status is not None:
        events.append(ev.StatusChanged(**at.said(1), status=status))
    if status == "pending":
        events.append(ev.StageEntered(**at.said(2), stage="bot"))
    elif status == "open":
        events.append(ev.Queued(**at.said(2), queue=at.queue, customer=at.customer))
    if at.assignee or at.team:
        events.append(_assigned(at, len(events)))
    return events


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
    if before in ("pending", "solved") and status == "open":
        queued = ev.Queued(**at.said(len(events)), queue=at.queue, customer=at.customer)
        events.append(queued)
    elif status == "pending":
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
    kind = _message_type(at)
    if kind == "activity":
        return []
    author = "customer" if kind == "incoming" else _author(at.body, kind)
    automatic = kind == "template" or _by_rule(at.body)
    public, agent = not at.body.private, _agent(at.body.sender) if author == "agent" else None
    message = ev.Message(
        **at.said(0), author=author, agent=agent, public=public, automatic=automatic
    )
    events: list[Event] = [message]
    if at.body.content_type == "input_csat":
        events.append(ev.SurveySent(**at.said(1), survey="csat", agent=at.assignee))
    if author == "agent" and public and not automatic:
        # Without the queue: later replies, and those after the end, must not begin a visit.
        events.append(ev.Answered(**at.said(len(events)), agent=agent))
    return events


def _message_type(at: Happening) -> str:
    kind = at.body.message_type
    if isinstance(kind, int) and 0 <= kind < len(_MESSAGE_TYPES):
        kind = _MESSAGE_TYPES[kind]
    if kind not in _MESSAGE_TYPES:
        raise Unusable("schema.invalid", f"{at.event}: message_type")
    return str(kind)


def _author(body: Body, kind: str) -> Author:
    """Of what went out: a bot is what has a type of its own, the system what has no sender."""
    if kind == "template":
        return "system"
    if body.content_attributes is not None and body.content_attributes.external_echo:
        return "agent"
    if body.sender is None:
        return "system"
    return "agent" if (body.sender.type or "user").lower() == "user" else "bot"


def _by_rule(body: Body) -> bool:
    """Written by an automation rule or a campaign, whoever is named as the sender."""
    contents, additional = body.content_attributes, body.additional_attributes
    rule = contents is not None and bool(contents.automation_rule_id)
    return rule or (additional is not None and bool(additional.campaign_id))


def _changed(at: Happening) -> list[Event]:
    """Of a message's changes only the answer to the survey tells us something.

    Each later change of the message repeats it; the last answer counts.
    """
    score = _score(at.body) if at.body.content_type == "input_csat" else None
    if score is None:
        return []
    at.stem += f"-{score}"
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
