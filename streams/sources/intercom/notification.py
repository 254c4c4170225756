"""One notification, checked: about what, when, whose."""

from __future__ import annotations

from typing import Any

from streams.core.source import Pseudonym
from streams.core.vocabulary import Channel
from streams.sources._reading.body import Unusable
from streams.sources._reading.instants import in_range
from streams.sources._reading.names import Ident, ident, needed
from streams.sources.intercom.body import Body, Opening, Part, Party

NAME = "intercom"
PARTS_MAX = 100
"""Parts in one notification; there is one, as a rule."""

CHANNELS: dict[str, Channel] = {
    "email": "email",
    "sms": "sms",
    "facebook": "social",
    "instagram": "social",
    "twitter": "social",
    "whatsapp": "social",
    "phone_call": "voice",
    "phone_switch": "voice",
}
"""``source.type`` -> channel; any other (``conversation``, ``push``) is a chat."""


class Told:
    """One notification, checked."""

    __slots__ = ("agent", "app", "channel", "id", "item", "opening", "pseudonym", "team", "time")

    def __init__(self, body: Body, pseudonym: Pseudonym) -> None:
        item = body.data.item
        self.id = needed(body.id, "id")
        self.app = needed(body.app_id, "app_id")
        self.item = item
        self.time = time_ms(body.created_at)
        self.opening = item.source or item.conversation_message or Opening()
        self.channel: Channel = CHANNELS.get((self.opening.type or "").lower(), "chat")
        old = item.assignee or Party()
        self.agent = ident(item.admin_assignee_id or id_of(old, "admin"), "admin_assignee_id")
        self.team = ident(item.team_assignee_id or id_of(old, "team"), "team_assignee_id")
        self.pseudonym = pseudonym

    def base(self, about: str, kind: str, time: int) -> dict[str, Any]:
        """What an event about the conversation says; ``about`` is what happened only once."""
        conversation = needed(self.item.id or self.item.conversation_id, "conversation")
        return {
            "id": f"intercom-{self.app}-{about}-{kind}",
            "source": NAME,
            "contact": f"intercom-{self.app}-{conversation}",
            "time": time,
            "channel": self.channel,
        }

    def of(self, part: Part, kind: str) -> dict[str, Any]:
        """The same, of a part."""
        time = self.time if part.created_at is None else time_ms(part.created_at)
        return self.base(f"part-{needed(part.id, 'part')}", kind, time)

    @property
    def started(self) -> int:
        return self.time if self.item.created_at is None else time_ms(self.item.created_at)

    @property
    def parts(self) -> list[Part]:
        listed = self.item.conversation_parts
        parts = listed.conversation_parts if listed else []
        if not parts:
            raise Unusable("part.missing")
        if len(parts) > PARTS_MAX:
            raise Unusable("size.exceeded", f"{len(parts)} parts, at most {PARTS_MAX}")
        return parts

    @property
    def with_bot(self) -> bool:
        """A bot talks with the customer: Fin, or the workflow that began it.  Elsewhere bots send
        receipts and ask for ratings."""
        fin = self.item.ai_agent is not None or self.item.ai_agent_participated is True
        return fin or self.opening.delivered_as == "operator_initiated"

    @property
    def customer(self) -> str | None:
        contacts = self.item.contacts.contacts if self.item.contacts else []
        who = contacts[0] if contacts else self.item.user
        contact = ident(who.id, "contact") if who else None
        return self.pseudonym("id", f"{NAME}:{contact}") if contact else None


def time_ms(seconds: int | None) -> int:
    """A time of Intercom's (whole seconds) in ours."""
    if seconds is None:
        raise Unusable("time.missing")
    return in_range(seconds * 1000)


def id_of(party: Party | None, kind: str) -> Ident:
    """Whose id it is, if the party is of this kind."""
    return party.id if party and party.type == kind else None


def by_bot(part: Part) -> bool:
    return said_by_fin(part) or (part.author is not None and part.author.type == "bot")


def said_by_fin(part: Part) -> bool:
    return part.author is not None and part.author.from_ai_agent is True


def teammate(part: Part) -> str | None:
    """The person of ours who wrote the part."""
    return None if by_bot(part) else ident(id_of(part.author, "admin"), "author.id")
