"""What each topic of Intercom's means, as a table at the end of this file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from streams.core import events as ev
from streams.core.source import Event
from streams.core.vocabulary import Author, Direction, EndedBy, TicketStatus
from streams.sources._reading.body import Unusable
from streams.sources._reading.names import ident, needed
from streams.sources.intercom.body import Part, Party
from streams.sources.intercom.notification import (
    NAME,
    Told,
    by_bot,
    id_of,
    said_by_fin,
    teammate,
    time_ms,
)

RATING_MAX = 5
_DIRECTIONS: dict[str, Direction] = {
    "customer_initiated": "inbound",
    "operator_initiated": "inbound",
    "admin_initiated": "outbound",
    "automated": "outbound",
    "campaigns_initiated": "outbound",
}
_AUTOMATIC = frozenset(("automated", "campaigns_initiated"))
_CONFIRMED = {"confirmed_resolution": True, "assumed_resolution": False}


# --- the conversation ----------------------------------------------------------------------


def _created(told: Told, by: Author) -> list[Event]:
    """``by`` is who began it according to the topic."""
    conversation = f"conversation-{needed(told.item.id, 'conversation')}"
    usual: Direction = "inbound" if by == "customer" else "outbound"
    started = ev.ContactStarted(
        **told.base(conversation, "started", told.started),
        direction=_DIRECTIONS.get(told.opening.delivered_as or "", usual),
        customer=told.customer,
    )
    events: list[Event] = [started, _opening(told, conversation, by)]
    if told.team or told.agent:
        base = told.base(conversation, "assigned", told.started)
        events.append(ev.Assigned(**base, queue=told.team, agent=told.agent, team=told.team))
    return events


def _opening(told: Told, conversation: str, by: Author) -> Event:
    """The message that began it."""
    opening = ident(told.opening.id, "source.id")
    writer = told.opening.author or Party()
    author: Author = "bot" if writer.type == "bot" else by
    return ev.Message(
        **told.base(f"source-{opening}" if opening else conversation, "message", told.started),
        author=author,
        agent=ident(writer.id, "author.id") if author == "agent" else None,
        automatic=told.opening.delivered_as in _AUTOMATIC
        or (author == "bot" and not told.with_bot),
    )


def _status(told: Told, status: TicketStatus) -> list[Event]:
    return [_status_of(told, part, status) for part in told.parts]


def _status_of(told: Told, part: Part, status: TicketStatus) -> Event:
    return ev.StatusChanged(**told.of(part, "status"), status=status, agent=teammate(part))


def _closed(told: Told) -> list[Event]:
    events: list[Event] = []
    for part in told.parts:
        if part.body:
            events.append(_message(told, part, "agent"))
        events.append(_status_of(told, part, "solved"))
        events += _claimed(told, part)
        events.append(ev.Ended(**told.of(part, "ended"), ended_by=_ended_by(part)))
    return events


def _ended_by(part: Part) -> EndedBy:
    if part.author is None:
        return "unknown"
    return "agent" if teammate(part) else "system" if by_bot(part) else "customer"


def _claimed(told: Told, part: Part) -> list[Event]:
    """Fin's own verdict; a teammate's closing claims nothing beyond its status."""
    state = told.item.ai_agent.resolution_state if told.item.ai_agent else None
    if state not in _CONFIRMED:
        return []
    base = told.of(part, "claimed")
    return [ev.ResolutionClaimed(**base, resolved=True, by="bot", confirmed=_CONFIRMED[state])]


def _deleted(told: Told) -> list[Event]:
    """Only the conversation's id comes with it."""
    base = told.base(told.id, "ended", told.time)
    return [ev.Ended(**base, ended_by="system", reason="deleted")]


# --- messages ------------------------------------------------------------------------------


def _message(told: Told, part: Part, by: Author, public: bool = True) -> Event:
    bot = by == "bot" or (by == "agent" and by_bot(part))
    return ev.Message(
        **told.of(part, "message"),
        author="bot" if bot else by,
        agent=teammate(part) if by == "agent" else None,
        public=public,
        automatic=bot and not (told.with_bot or said_by_fin(part)),
    )


def _replied(told: Told, by: Author) -> list[Event]:
    """A customer's reply to a closed conversation opens it: its part is of the type ``open``."""
    events = []
    for part in told.parts:
        events.append(_message(told, part, by))
        if by == "customer" and part.part_type == "open":
            events.append(_status_of(told, part, "open"))
    return events


def _noted(told: Told) -> list[Event]:
    return [_message(told, part, "agent", public=False) for part in told.parts]


# --- teams and teammates -------------------------------------------------------------------


def _assigned(told: Told) -> list[Event]:
    return [event for part in told.parts for event in _assignment(told, part)]


def _assignment(told: Told, part: Part) -> list[Event]:
    agent = ident(id_of(part.assigned_to, "admin"), "assigned_to")
    team = ident(id_of(part.assigned_to, "team"), "assigned_to") or told.team
    events: list[Event] = []
    if by_bot(part) and told.item.ai_agent_participated and (agent or team):
        events.append(ev.BotHandedOff(**told.of(part, "handed_off")))
    events.append(ev.Assigned(**told.of(part, "assigned"), queue=team, agent=agent, team=team))
    return events


# --- rating, admins ------------------------------------------------------------------------


def _rated(told: Told) -> list[Event]:
    asked = told.item.conversation_rating
    if asked is None or asked.rating is None or not 1 <= asked.rating <= RATING_MAX:
        raise Unusable("rating.missing", f"no rating of 1 to {RATING_MAX}")
    agent = ident(id_of(asked.teammate, "admin"), "teammate")
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


EVENTS: dict[str, Callable[[Told], list[Event]]] = {
    "conversation.user.created": partial(_created, by="customer"),
    "conversation.admin.single.created": partial(_created, by="agent"),
    "conversation.user.replied": partial(_replied, by="customer"),
    "conversation.admin.replied": partial(_replied, by="agent"),
    "conversation.operator.replied": partial(_replied, by="bot"),
    "conversation.admin.noted": _noted,
    "conversation.admin.assigned": _assigned,
    "conversation.admin.open.assigned": _assigned,
    "conversation.admin.closed": _closed,
    "conversation.admin.opened": partial(_status, status="open"),
    "conversation.admin.snoozed": partial(_status, status="snoozed"),
    "conversation.admin.unsnoozed": partial(_status, status="open"),
    "conversation.rating.added": _rated,
    "conversation.deleted": _deleted,
    "admin.logged_in": _logged_in,
    "admin.logged_out": _logged_out,
    "admin.away_mode_updated": _away,
}
"""Topic -> its events; every other one (``ping`` too) is legal and tells nothing we count."""
