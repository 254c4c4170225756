"""One body of Chatwoot's, in our words: whose, when, and what the ids of its events begin with."""

from __future__ import annotations

from typing import Any

from streams.core.source import Pseudonym
from streams.core.vocabulary import TIME_MS_MAX
from streams.sources._reading.body import Unusable
from streams.sources._reading.instants import in_range, iso_ms
from streams.sources.chatwoot.body import CHANNELS, Body, Conversation, Person, Time

DEFAULT_SOURCE = "chatwoot"


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
        return agent_named(meta.assignee) if kind.lower() == "user" else None

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


def agent_named(person: Person | None) -> str | None:
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
    told = moment_ms(time)
    if told is None:
        raise Unusable("time.malformed", event)
    return in_range(told, event)


def moment_ms(time: Time) -> int | None:
    """Epoch seconds (whole or broken) or ISO 8601 as milliseconds; None if it is neither."""
    if isinstance(time, str):
        return iso_ms(time)
    # A float may be too large to become a whole number of milliseconds.
    if time is None or abs(time) > TIME_MS_MAX:
        return None if time is None else TIME_MS_MAX + 1
    return round(time * 1000)
