"""Zendesk ticket events, as webhooks that are subscribed to ``zen:event-type:ticket.*`` send them.

Where the facts come from: envelope, ``detail`` and the list of types from developer.zendesk.com
(webhooks/event-types/ticket-events); statuses, and ids that are strings, from a published JSON
schema of these bodies (dust-tt/dust); ``event.comment`` from public consumers of the webhook.

Rules:

* One entry into a group may be told by several events of one action (created, group, agent): its
  id is the action's.  Else the body's ``id`` makes the ids, so a redelivery changes nothing.
* Ticket ids are unique in one account only: a contact is ``zendesk-<account>-<ticket>``.
* A group is the queue.  A ticket waits from the moment it is in a group without an assignee until
  it gets one.  ``detail`` is the ticket after the change, so nothing has to be remembered.
* The first comment is counted by its own ``comment_added``, not by ``created``.
* The system user is -1: what it writes (triggers, automations) is automatic, never a reply.
* Solved ends the contact; a reopening is a later status.
* Ratings are in no ticket event.  A trigger per rating sends the body that ``Rating`` describes.

Rejections: those of ``webhook_json``, ``time.malformed``, ``time.out_of_range``,
``status.unknown``, ``rating.unknown``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from streams.core import events as ev
from streams.core.source import Event, Pseudonym, Record, Rejected, Source
from streams.core.vocabulary import TIME_MS_MAX, Channel, Direction, EndedBy, TicketStatus
from streams.sources.instant import epoch_ms
from streams.sources.webhook_json import Ident, Malformed, answer, ident, needed

NAME = "zendesk"
PREFIX = "zen:event-type:ticket."
RATING_TYPE = "contact-streams:ticket.satisfaction"
SYSTEM_USER = "-1"

CHANNELS: dict[str, Channel] = {
    "email": "email",
    "chat": "chat",
    "native_messaging": "chat",
    "sms": "sms",
    "facebook": "social",
    "twitter": "social",
}
"""``via.channel`` -> channel; any other is a ticket (the call of a voice ticket is told by the
PBX)."""
STATUSES: dict[str, TicketStatus] = {
    "new": "new",
    "open": "open",
    "pending": "pending",
    "hold": "on_hold",
    "solved": "solved",
    "closed": "closed",
}
_PUT_AWAY = frozenset(("archived", "scrubbed"))
_OVER = frozenset(("solved", "closed", "deleted", *_PUT_AWAY))
_TYPES = frozenset(("question", "incident", "problem", "task"))
_RATINGS = {"good": 2, "good_with_comment": 2, "bad": 1, "bad_with_comment": 1}


class Head(msgspec.Struct, gc=False):
    type: str


class Via(msgspec.Struct, gc=False):
    channel: str | None = None


class Detail(msgspec.Struct, gc=False):
    """The ticket after the change, without what could name anybody."""

    id: Ident
    actor_id: Ident = None
    assignee_id: Ident = None
    group_id: Ident = None
    requester_id: Ident = None
    submitter_id: Ident = None
    status: str | None = None
    type: str | None = None
    via: Via | None = None


class Body(msgspec.Struct, gc=False):
    id: Ident
    account_id: Ident
    time: str
    detail: Detail
    event: msgspec.Raw = msgspec.Raw(b"{}")


class Author(msgspec.Struct, gc=False):
    id: Ident = None
    is_staff: bool = False


class Comment(msgspec.Struct, gc=False):
    is_public: bool
    author: Author


class CommentAdded(msgspec.Struct, gc=False):
    comment: Comment


class Change(msgspec.Struct, gc=False):
    """From what to what; both absent where a field was or becomes empty."""

    current: Ident = None
    previous: Ident = None


class Run(msgspec.Struct, gc=False):
    id: Ident = None


class Meta(msgspec.Struct, gc=False):
    sequence: Run | None = None


class Action(msgspec.Struct, gc=False):
    """``meta.sequence.id`` is the same in all events of one action."""

    meta: Meta | None = None


class Rating(msgspec.Struct, gc=False):
    """What a trigger on the ticket's satisfaction must send, one per rating, in the place of
    ``satisfaction`` the rating of its condition: offered, good, bad ...

    ``{"type": "contact-streams:ticket.satisfaction", "account_id": 22129848,
    "ticket_id": "{{ticket.id}}", "time": "{{ticket.updated_at_with_timestamp}}",
    "assignee_id": "{{ticket.assignee.id}}", "satisfaction": "good"}``
    """

    account_id: Ident
    ticket_id: Ident
    time: str
    satisfaction: str
    assignee_id: Ident = None


_head = msgspec.json.Decoder(Head)
_body = msgspec.json.Decoder(Body)
_change = msgspec.json.Decoder(Change)
_action = msgspec.json.Decoder(Action)
_comment = msgspec.json.Decoder(CommentAdded)
_rating = msgspec.json.Decoder(Rating)


class Told:
    """One body, checked: who, what, when."""

    __slots__ = (
        "actor", "agent", "channel", "contact", "event", "group", "id", "pseudonym", "requester",
        "status", "submitter", "time", "type", "via",
    )  # fmt: skip

    def __init__(self, body: Body, pseudonym: Pseudonym) -> None:
        detail = body.detail
        self.id = needed(body.id, "id")
        self.contact = _contact(body.account_id, detail.id)
        self.time = _time(body.time)
        self.event = body.event
        self.actor = ident(detail.actor_id, "actor_id")
        self.agent = ident(detail.assignee_id, "assignee_id")
        self.group = ident(detail.group_id, "group_id")
        self.requester = ident(detail.requester_id, "requester_id")
        self.submitter = ident(detail.submitter_id, "submitter_id")
        self.status = (detail.status or "").lower()
        self.type = (detail.type or "").lower()
        self.via = ((detail.via and detail.via.channel) or "").lower()
        self.channel: Channel = CHANNELS.get(self.via, "ticket")
        self.pseudonym = pseudonym

    def base(self, kind: str) -> dict[str, Any]:
        """What the body's event of this kind says as an event about the contact."""
        return {
            "id": f"zendesk-{self.id}-{kind}",
            "source": NAME,
            "contact": self.contact,
            "time": self.time,
            "channel": self.channel,
        }

    def staff(self) -> str | None:
        """Who acted, if it was an agent as far as the body can tell."""
        return None if self.actor in (SYSTEM_USER, self.requester) else self.actor


def decode(record: Record, pseudonym: Pseudonym) -> Sequence[Event] | Rejected:
    """The events of one webhook body, or why it cannot be used.  Never raises."""
    return answer(record, lambda value: _events(value, pseudonym))


def _events(value: bytes, pseudonym: Pseudonym) -> Sequence[Event]:
    kind = _head.decode(value).type
    if kind == RATING_TYPE:
        return _rated(_rating.decode(value))
    handler = _HANDLERS.get(kind.removeprefix(PREFIX)) if kind.startswith(PREFIX) else None
    return handler(Told(_body.decode(value), pseudonym)) if handler else ()


def _contact(account: Ident, ticket: Ident) -> str:
    return f"zendesk-{needed(account, 'account_id')}-{needed(ticket, 'ticket')}"


def _time(text: str) -> int:
    time = epoch_ms(text)
    if time is None:
        raise Malformed("time.malformed", "time is not ISO 8601")
    if not 0 <= time <= TIME_MS_MAX:
        raise Malformed("time.out_of_range", "time is before 1970 or after 2099")
    return time


# --- the ticket ----------------------------------------------------------------------------


def _created(told: Told) -> list[Event]:
    customer = told.pseudonym("id", f"{NAME}:{told.requester}") if told.requester else None
    events: list[Event] = [
        ev.ContactStarted(
            **told.base("started"),
            customer=customer,
            direction=_direction(told),
            issue_type=told.type if told.type in _TYPES else None,
        )
    ]
    if told.status in STATUSES:
        events.append(ev.StatusChanged(**told.base("status"), status=STATUSES[told.status]))
    if told.agent:
        events.append(_assigned(told, told.agent))
    elif told.group:
        events += [_assigned(told, None), *_waiting(told)]
    return events


def _direction(told: Told) -> Direction:
    """``web`` is the agents' interface if somebody else than the requester wrote the ticket there;
    form handlers do the same by ``api``, for customers who came by themselves."""
    by_agent = told.submitter and told.requester and told.submitter != told.requester
    return "outbound" if told.via == "web" and by_agent else "inbound"


def _status_changed(told: Told) -> list[Event]:
    change = _change.decode(told.event)
    current, previous = str(change.current).lower(), str(change.previous).lower()
    if current in _PUT_AWAY:
        return []
    if current == "deleted":
        return _deleted(told)
    if current not in STATUSES:
        raise Malformed("status.unknown")
    # A reply opens a ticket, also one of somebody in copy, who is no agent.
    agent = told.staff() if current != "open" or told.actor == told.agent else None
    status = ev.StatusChanged(**told.base("status"), status=STATUSES[current], agent=agent)
    ended = current in _OVER and previous not in _OVER
    return [status, _ended(told)] if ended else [status]


def _ended(told: Told, reason: str | None = None) -> Event:
    ended_by: EndedBy = "agent"
    if told.actor is None:
        ended_by = "unknown"
    elif told.actor in (SYSTEM_USER, told.requester):
        ended_by = "system" if told.actor == SYSTEM_USER else "customer"
    return ev.Ended(**told.base("ended"), ended_by=ended_by, reason=reason)


def _deleted(told: Told) -> list[Event]:
    return [_ended(told, "deleted")]


def _spam(told: Told) -> list[Event]:
    return [_ended(told, "spam")]


def _merged(told: Told) -> list[Event]:
    """Into which ticket is in no documentation that could be read: the contact ends here."""
    return [_ended(told, "merged")]


def _type_changed(told: Told) -> list[Event]:
    issue_type = str(_change.decode(told.event).current).lower()
    if issue_type not in _TYPES:
        return []
    return [ev.Classified(**told.base("type"), issue_type=issue_type, agent=told.staff())]


def _comment_added(told: Told) -> list[Event]:
    comment = _comment.decode(told.event).comment
    writer = ident(comment.author.id, "author.id")
    message = ev.Message(**told.base("message"), author="customer", public=comment.is_public)
    if writer == SYSTEM_USER:
        message.author, message.automatic = "system", True
    elif comment.author.is_staff and (writer is None or writer != told.requester):
        # Staff who ask for something themselves are customers of that ticket.
        message.author, message.agent = "agent", writer
    return [message]


# --- groups and agents ---------------------------------------------------------------------


def _assigned(told: Told, agent: str | None) -> Event:
    return ev.Assigned(**told.base("assigned"), queue=told.group, agent=agent, team=told.group)


def _waiting(told: Told) -> list[Event]:
    """A change of group takes the agent away: two events of one action, but one entry."""
    if told.group is None or told.status in _OVER:
        return []
    queued = ev.Queued(**told.base("queued"), queue=told.group)
    meta = _action.decode(told.event).meta
    run = ident(meta.sequence.id, "sequence.id") if meta and meta.sequence else None
    if run:
        queued.id = f"zendesk-{run}-queued-{told.group}"
    return [queued]


def _agent_changed(told: Told) -> list[Event]:
    change = _change.decode(told.event)
    agent = ident(change.current, "current")
    events = [_assigned(told, agent)]
    if agent is None:
        return [*events, *_waiting(told)]
    if told.group and ident(change.previous, "previous") is None:
        events.append(ev.Answered(**told.base("answered"), queue=told.group, agent=agent))
    return events


def _group_changed(told: Told) -> list[Event]:
    change = _change.decode(told.event)
    previous = ident(change.previous, "previous")
    told.group = ident(change.current, "current")
    events = [_assigned(told, told.agent)]
    if told.status in _OVER:
        return events
    if previous and told.group:
        events.append(_moved(told, previous, told.group))
    return events if told.agent else [*events, *_waiting(told)]


def _moved(told: Told, previous: str, group: str) -> Event:
    """A ticket that is still new was never anybody's, so it was waiting; any other one is handed
    on."""
    if told.status == "new":
        return ev.LeftQueue(**told.base("left"), queue=previous, outcome="overflow")
    return ev.Transferred(
        **told.base("left"), queue=previous, agent=told.staff(), to_kind="queue", to_queue=group
    )


# --- satisfaction --------------------------------------------------------------------------


def _rated(rating: Rating) -> list[Event]:
    time, kind = _time(rating.time), rating.satisfaction
    contact = _contact(rating.account_id, rating.ticket_id)
    if kind not in _RATINGS and kind != "offered":
        raise Malformed("rating.unknown")
    base: dict[str, Any] = {
        "id": f"{contact}-{time}-{kind}",
        "source": NAME,
        "contact": contact,
        "time": time,
        "channel": "ticket",
        "agent": ident(rating.assignee_id, "assignee_id"),
    }
    if kind == "offered":
        return [ev.SurveySent(**base, survey="csat")]
    return [ev.Rated(**base, survey="csat", score=_RATINGS[kind], scale=2)]


_HANDLERS: dict[str, Callable[[Told], list[Event]]] = {
    "created": _created,
    "status_changed": _status_changed,
    "comment_added": _comment_added,
    "agent_assignment_changed": _agent_changed,
    "group_assignment_changed": _group_changed,
    "type_changed": _type_changed,
    "marked_as_spam": _spam,
    "merged": _merged,
    "soft_deleted": _deleted,
    "permanently_deleted": _deleted,
}
"""``ticket.*`` -> its events; every other type is legal and tells nothing we count."""

SOURCE = Source(
    name=NAME,
    topic="zendesk",
    decode=decode,
    help="Zendesk ticket events (webhook bodies as they came)",
)
