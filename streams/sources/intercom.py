"""Intercom conversations, as webhook notifications send them.

Where the facts come from: topics from developers.intercom.com (webhook-models; changelog for
``conversation.operator.replied``), bodies of old and new API versions from zulip/zulip's recorded
fixtures, the rating (1 to 5, ``created_at`` is when it was asked for) from intercom-client's types.

Rules:

* One action of a teammate comes under several topics with the same part (an assignment with a text
  is ``assigned``, ``open.assigned`` and ``replied``).  So ids are made of the *part's* id, and each
  happening counts once; what has no part takes its id from the notification or the conversation.
* A team is the queue: a conversation waits while it is a team's and no teammate's.
* Fin, Operator and workflows are bots: what they write is automatic and never a reply.
* Closed can be opened again, so it is ``solved`` here.  A closing text is a reply.
* A contact is ``intercom-<app>-<conversation>``; the customer is the Intercom contact's id, which
  stays when a lead gives an address.

Rejections: those of ``webhook_json``, ``time.missing``, ``time.out_of_range``, ``part.missing``,
``rating.missing``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from streams.core import events as ev
from streams.core.source import Event, Pseudonym, Record, Rejected, Source
from streams.core.vocabulary import TIME_MS_MAX, Author, Channel, Direction, EndedBy, TicketStatus
from streams.sources.intercom_body import Body, Head, Opening, Part, Party
from streams.sources.webhook_json import Ident, Malformed, answer, ident, needed

NAME = "intercom"
PARTS_MAX = 100
"""Parts in one notification; there is one, as a rule."""
RATING_MAX = 5

_CHANNELS: dict[str, Channel] = {
    "email": "email",
    "sms": "sms",
    "facebook": "social",
    "instagram": "social",
    "twitter": "social",
    "whatsapp": "social",
}
_CONFIRMED = {"confirmed_resolution": True, "assumed_resolution": False}


_head = msgspec.json.Decoder(Head)
_body = msgspec.json.Decoder(Body)


class Told:
    """One notification, checked: about what, when, whose."""

    __slots__ = ("agent", "app", "channel", "id", "item", "opening", "pseudonym", "team", "time")

    def __init__(self, body: Body, pseudonym: Pseudonym) -> None:
        item = body.data.item
        self.id = needed(body.id, "id")
        self.app = needed(body.app_id, "app_id")
        self.item = item
        self.time = time_ms(body.created_at)
        self.opening = item.source or item.conversation_message or Opening()
        self.channel: Channel = _CHANNELS.get((self.opening.type or "").lower(), "chat")
        old = item.assignee or Party()
        self.agent = ident(item.admin_assignee_id or _of(old, "admin"), "admin_assignee_id")
        self.team = ident(item.team_assignee_id or _of(old, "team"), "team_assignee_id")
        self.pseudonym = pseudonym

    def base(self, about: str, kind: str, time: int) -> dict[str, Any]:
        """What an event about the conversation says; ``about`` is what happened only once."""
        item = self.item
        conversation = needed(item.id or item.conversation_id, "conversation")
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

    def started(self) -> int:
        return self.time if self.item.created_at is None else time_ms(self.item.created_at)

    def parts(self) -> list[Part]:
        parts = (
            self.item.conversation_parts.conversation_parts if self.item.conversation_parts else []
        )
        if not parts:
            raise Malformed("part.missing")
        if len(parts) > PARTS_MAX:
            raise Malformed("size.exceeded", f"{len(parts)} parts, at most {PARTS_MAX}")
        return parts


def time_ms(seconds: int | None) -> int:
    """A time of Intercom's (whole seconds) in ours."""
    if seconds is None:
        raise Malformed("time.missing")
    if not 0 <= seconds * 1000 <= TIME_MS_MAX:
        raise Malformed("time.out_of_range", "a time is before 1970 or after 2099")
    return seconds * 1000


def _of(party: Party | None, kind: str) -> Ident:
    return party.id if party and party.type == kind else None


def decode(record: Record, pseudonym: Pseudonym) -> Sequence[Event] | Rejected:
    """The events of one notification, or why it cannot be used.  Never raises."""
    return answer(record, lambda value: _events(value, pseudonym))


def _events(value: bytes, pseudonym: Pseudonym) -> Sequence[Event]:
    handler = _HANDLERS.get(_head.decode(value).topic)
    return handler(Told(_body.decode(value), pseudonym)) if handler else ()


# --- the conversation ----------------------------------------------------------------------


def _created(told: Told, direction: Direction, author: Author) -> list[Event]:
    conversation = f"conversation-{needed(told.item.id, 'conversation')}"
    time = told.started()
    opening = ident(told.opening.id, "source.id")
    message = f"source-{opening}" if opening else conversation
    writer = told.opening.author or Party()
    customer = _customer(told)
    events: list[Event] = [
        ev.ContactStarted(
            **told.base(conversation, "started", time), direction=direction, customer=customer
        ),
        ev.Message(
            **told.base(message, "message", time),
            author=author,
            agent=ident(writer.id, "author.id") if author == "agent" else None,
        ),
    ]
    return events + _waiting(told, told.base(conversation, "queued", time))


def _customer(told: Told) -> str | None:
    contacts = told.item.contacts.contacts if told.item.contacts else []
    who = contacts[0] if contacts else told.item.user
    contact = ident(who.id, "contact") if who else None
    return told.pseudonym("id", f"{NAME}:{contact}") if contact else None


def _waiting(told: Told, base: dict[str, Any]) -> list[Event]:
    return [ev.Queued(**base, queue=told.team)] if told.team and not told.agent else []


def _by_customer(told: Told) -> list[Event]:
    return _created(told, "inbound", "customer")


def _by_agent(told: Told) -> list[Event]:
    return _created(told, "outbound", "agent")


def _status(told: Told, status: TicketStatus) -> list[Event]:
    return [_status_of(told, part, status) for part in told.parts()]


def _status_of(told: Told, part: Part, status: TicketStatus) -> Event:
    return ev.StatusChanged(**told.of(part, "status"), status=status, agent=_teammate(part))


def _opened(told: Told) -> list[Event]:
    return _status(told, "open")


def _snoozed(told: Told) -> list[Event]:
    return _status(told, "snoozed")


def _closed(told: Told) -> list[Event]:
    events: list[Event] = []
    for part in told.parts():
        if part.body:
            events.append(_message(told, part, "agent"))
        events.append(_status_of(told, part, "solved"))
        events += _claimed(told, part)
        events.append(ev.Ended(**told.of(part, "ended"), ended_by=_ended_by(part)))
    return events


def _ended_by(part: Part) -> EndedBy:
    if part.author is None:
        return "unknown"
    return "agent" if _teammate(part) else "system" if _is_bot(part) else "customer"


def _claimed(told: Told, part: Part) -> list[Event]:
    """Fin's own verdict; a teammate's closing claims nothing beyond its status."""
    state = told.item.ai_agent.resolution_state if told.item.ai_agent else None
    if state not in _CONFIRMED:
        return []
    base = told.of(part, "claimed")
    return [ev.ResolutionClaimed(**base, resolved=True, by="bot", confirmed=_CONFIRMED[state])]


def _deleted(told: Told) -> list[Event]:
    """Only the conversation's id comes with it."""
    ended = ev.Ended(**told.base(told.id, "ended", told.time), ended_by="system", reason="deleted")
    return [ended]


# --- messages ------------------------------------------------------------------------------


def _is_bot(part: Part) -> bool:
    author = part.author or Party()
    return author.type == "bot" or author.from_ai_agent is True


def _teammate(part: Part) -> str | None:
    if _is_bot(part):
        return None
    return ident(_of(part.author, "admin"), "author.id")


def _message(told: Told, part: Part, author: Author, public: bool = True) -> Event:
    bot = author != "customer" and _is_bot(part)
    return ev.Message(
        **told.of(part, "message"),
        author="bot" if bot else author,
        agent=_teammate(part) if author == "agent" else None,
        public=public,
        automatic=bot,
    )


def _customer_replied(told: Told) -> list[Event]:
    events = []
    for part in told.parts():
        events.append(_message(told, part, "customer"))
        if part.part_type == "open":
            events.append(_status_of(told, part, "open"))
    return events


def _agent_replied(told: Told) -> list[Event]:
    return [_message(told, part, "agent") for part in told.parts()]


def _bot_replied(told: Told) -> list[Event]:
    return [
        ev.Message(**told.of(part, "message"), author="bot", automatic=True)
        for part in told.parts()
    ]


def _noted(told: Told) -> list[Event]:
    return [_message(told, part, "agent", public=False) for part in told.parts()]


# --- teams and teammates -------------------------------------------------------------------


def _assigned(told: Told) -> list[Event]:
    return [event for part in told.parts() for event in _assignment(told, part)]


def _assignment(told: Told, part: Part) -> list[Event]:
    """To a teammate: taken out of the team's queue.  To a team: into it."""
    agent = ident(_of(part.assigned_to, "admin"), "assigned_to")
    team = ident(_of(part.assigned_to, "team"), "assigned_to") or told.team
    events: list[Event] = []
    if _is_bot(part) and told.item.ai_agent_participated and (agent or team):
        events.append(ev.BotHandedOff(**told.of(part, "handed_off")))
    events.append(ev.Assigned(**told.of(part, "assigned"), queue=team, agent=agent, team=team))
    if team and agent:
        events.append(ev.Answered(**told.of(part, "answered"), queue=team, agent=agent))
    elif team and _of(part.assigned_to, "team"):
        events.append(ev.Queued(**told.of(part, "queued"), queue=team))
    return events


# --- rating, admins ------------------------------------------------------------------------


def _rated(told: Told) -> list[Event]:
    asked = told.item.conversation_rating
    if asked is None or asked.rating is None or not 1 <= asked.rating <= RATING_MAX:
        raise Malformed("rating.missing", f"no rating of 1 to {RATING_MAX}")
    agent = ident(_of(asked.teammate, "admin"), "teammate")
    events: list[Event] = []
    if asked.created_at is not None:
        about = f"conversation-{needed(told.item.id, 'conversation')}-{asked.created_at}"
        base = told.base(about, "survey", time_ms(asked.created_at))
        events.append(ev.SurveySent(**base, survey="csat", agent=agent))
    base = told.base(told.id, "rated", told.time)
    score = asked.rating
    return [*events, ev.Rated(**base, survey="csat", score=score, scale=RATING_MAX, agent=agent)]


def _admin(told: Told) -> dict[str, Any]:
    return {
        "id": f"intercom-{told.app}-{told.id}",
        "source": NAME,
        "agent": needed(told.item.id, "admin"),
        "time": told.time,
    }


def _logged_in(told: Told) -> list[Event]:
    return [ev.LoggedIn(**_admin(told))]


def _logged_out(told: Told) -> list[Event]:
    return [ev.LoggedOut(**_admin(told))]


def _away(told: Told) -> list[Event]:
    """The reason is the workspace's own text and stays behind."""
    return [
        ev.NotReady(**_admin(told)) if told.item.away_mode_enabled else ev.Ready(**_admin(told))
    ]


_HANDLERS: dict[str, Callable[[Told], list[Event]]] = {
    "conversation.user.created": _by_customer,
    "conversation.admin.single.created": _by_agent,
    "conversation.user.replied": _customer_replied,
    "conversation.admin.replied": _agent_replied,
    "conversation.operator.replied": _bot_replied,
    "conversation.admin.noted": _noted,
    "conversation.admin.assigned": _assigned,
    "conversation.admin.open.assigned": _assigned,
    "conversation.admin.closed": _closed,
    "conversation.admin.opened": _opened,
    "conversation.admin.snoozed": _snoozed,
    "conversation.admin.unsnoozed": _opened,
    "conversation.rating.added": _rated,
    "conversation.deleted": _deleted,
    "admin.logged_in": _logged_in,
    "admin.logged_out": _logged_out,
    "admin.away_mode_updated": _away,
}
"""Topic -> its events; every other one (``ping`` too) is legal and tells nothing we count."""

SOURCE = Source(
    name=NAME,
    topic="intercom",
    decode=decode,
    help="Intercom conversations (webhook notifications as they came)",
)
