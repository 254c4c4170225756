"""One body about a ticket, checked: whose, when, who acted."""

from __future__ import annotations

from typing import Any

from streams.core.source import Pseudonym
from streams.core.vocabulary import Channel, Direction
from streams.sources._reading.instants import needed_iso_ms
from streams.sources._reading.names import Ident, ident, needed
from streams.sources.zendesk.body import Body

NAME = "zendesk"
SYSTEM_USER = "-1"

CHANNELS: dict[str, Channel] = {
    "mail": "email",
    "email": "email",
    "chat": "chat",
    "chat_transcript": "chat",
    "chat_offline_message": "chat",
    "native_messaging": "chat",
    "omnichannel": "chat",
    "sms": "sms",
    "text_message": "sms",
    "twilio_sms": "sms",
    "facebook": "social",
    "facebook_post": "social",
    "facebook_message": "social",
    "twitter": "social",
    "twitter_dm": "social",
    "instagram_dm": "social",
    "whatsapp": "social",
}
"""``via.channel`` -> channel; any other is a ticket (the call of a voice ticket is told by the
PBX)."""
_AGENTS_INTERFACE = frozenset(("web", "web_form"))


class Told:
    """One body, checked."""

    __slots__ = (
        "account", "actor", "agent", "body", "channel", "contact", "created", "event", "group",
        "pseudonym", "requester", "status", "submitter", "time", "type", "via",
    )  # fmt: skip

    def __init__(self, body: Body, pseudonym: Pseudonym) -> None:
        detail = body.detail
        self.body = body
        self.account = body.account_id
        self.contact = contact(body.account_id, detail.id)
        self.time = needed_iso_ms(body.time, "time")
        self.created = needed_iso_ms(detail.created_at or body.time, "created_at")
        self.event = body.event
        self.actor = ident(detail.actor_id, "actor_id")
        self.agent = ident(detail.assignee_id, "assignee_id")
        self.group = ident(detail.group_id, "group_id")
        self.requester = ident(detail.requester_id, "requester_id")
        self.submitter = ident(detail.submitter_id, "submitter_id")
        self.status = (detail.status or "").lower()
        self.type = (detail.type or "").lower()
        self.via = str((detail.via and detail.via.channel) or "").lower()
        self.channel: Channel = CHANNELS.get(self.via, "ticket")
        self.pseudonym = pseudonym

    def base(self, kind: str) -> dict[str, Any]:
        """What an event of this kind carries that the body alone tells: its id is the body's."""
        return self.known_as(f"zendesk-{needed(self.body.id, 'id')}-{kind}")

    def known_as(self, id: str) -> dict[str, Any]:
        """The same under an id that several bodies share."""
        return {
            "id": id,
            "source": NAME,
            "contact": self.contact,
            "time": self.time,
            "channel": self.channel,
        }

    @property
    def staff(self) -> str | None:
        """Who acted, if it was an agent as far as the body can tell."""
        return None if self.actor in (SYSTEM_USER, self.requester) else self.actor

    @property
    def direction(self) -> Direction:
        """The agents' interface is ``web`` too, if somebody else than the requester wrote the
        ticket there.  Form handlers do the same by the API, for customers who came by
        themselves."""
        by_other = self.submitter and self.requester and self.submitter != self.requester
        return "outbound" if self.via in _AGENTS_INTERFACE and by_other else "inbound"


def contact(account: Ident, ticket: Ident) -> str:
    """Ticket ids are unique in one account only."""
    return f"zendesk-{needed(account, 'account_id')}-{needed(ticket, 'ticket')}"
