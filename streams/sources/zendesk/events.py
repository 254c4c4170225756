"""What each ``ticket.*`` event means, as a table at the end of this file."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from streams.core import events as ev
from streams.core.source import Event
from streams.core.vocabulary import Author, EndedBy, TicketStatus
from streams.sources._reading.body import Unusable
from streams.sources._reading.names import ident, needed
from streams.sources.zendesk.body import Change, Comment, CommentChanged, MergedInto
from streams.sources.zendesk.ticket import NAME, SYSTEM_USER, Told, contact

STATUSES: dict[str, TicketStatus] = {
    "new": "new",
    "open": "open",
    "pending": "pending",
    "hold": "on_hold",
    "solved": "solved",
    "closed": "closed",
}
WRITTEN_MS = 2_000
"""A comment by whoever made the ticket, this soon after it was made, is its description."""
ADDED, MADE_PRIVATE = 1, 2
"""Versions of a message: what ``created`` knows of the description comes before both."""
_PUT_AWAY = frozenset(("archived", "scrubbed"))
_OVER = frozenset(("solved", "closed", "deleted", *_PUT_AWAY))
_TYPES = frozenset(("question", "incident", "problem", "task"))

_change = msgspec.json.Decoder(Change)
_comment = msgspec.json.Decoder(CommentChanged)
_merge = msgspec.json.Decoder(MergedInto)


# --- the ticket ----------------------------------------------------------------------------


def _created(told: Told) -> list[Event]:
    events: list[Event] = [_started(told, 0)]
    if told.status in STATUSES:
        events.append(ev.StatusChanged(**told.base("status"), status=STATUSES[told.status]))
    if told.agent or told.group:
        events.append(_assigned(told, told.agent))
    if told.body.detail.description:
        events.append(_description(told))
    return events


def _started(told: Told, version: int) -> Event:
    customer = told.pseudonym("id", f"{NAME}:{told.requester}") if told.requester else None
    started = ev.ContactStarted(
        **told.known_as(f"{told.contact}-started"),
        version=version,
        customer=customer,
        direction=told.direction,
        issue_type=told.type if told.type in _TYPES else None,
    )
    started.time = told.created
    return started


def _description(told: Told) -> Event:
    """The first comment, as far as ``created`` knows it.  A ``comment_added`` for it, if one comes,
    takes its place."""
    by_agent = told.direction == "outbound"
    return ev.Message(
        **told.known_as(f"{told.contact}-description"),
        author="agent" if by_agent else "customer",
        agent=told.submitter if by_agent else None,
        public=told.body.detail.is_public is not False,
    )


def _other_requester(told: Told) -> list[Event]:
    """The ticket is another customer's: what was said of its beginning is said anew."""
    return [_started(told, told.time)]


def _status_changed(told: Told) -> list[Event]:
    change = _change.decode(told.event)
    current, previous = str(change.current).lower(), str(change.previous).lower()
    if current in _PUT_AWAY:
        return []
    if current == "deleted":
        return _deleted(told)
    if current not in STATUSES:
        raise Unusable("status.unknown")
    # A reply opens a ticket, also one of somebody in copy, who is no agent.
    agent = told.staff if current != "open" or told.actor == told.agent else None
    status = ev.StatusChanged(**told.base("status"), status=STATUSES[current], agent=agent)
    ended = current in _OVER and previous not in _OVER
    return [status, _ended(told)] if ended else [status]


def _undeleted(told: Told) -> list[Event]:
    if told.status not in STATUSES:
        return []
    return [ev.StatusChanged(**told.base("status"), status=STATUSES[told.status])]


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
    spam = ev.Classified(**told.base("spam"), spam=True, agent=told.staff)
    return [spam, _ended(told, "spam")]


def _merged(told: Told) -> list[Event]:
    target = ident(_merge.decode(told.event).target_ticket_id, "target_ticket_id")
    if target is None:
        return [_ended(told, "merged")]
    return [ev.Merged(**told.base("merged"), into=contact(told.account, target))]


def _type_changed(told: Told) -> list[Event]:
    issue_type = str(_change.decode(told.event).current).lower()
    if issue_type not in _TYPES:
        return []
    return [ev.Classified(**told.base("type"), issue_type=issue_type, agent=told.staff)]


# --- groups and agents ---------------------------------------------------------------------


def _assigned(told: Told, agent: str | None) -> Event:
    return ev.Assigned(**told.base("assigned"), queue=told.group, agent=agent, team=told.group)


def _agent_changed(told: Told) -> list[Event]:
    return [_assigned(told, ident(_change.decode(told.event).current, "current"))]


def _group_changed(told: Told) -> list[Event]:
    told.group = ident(_change.decode(told.event).current, "current")
    return [_assigned(told, told.agent)]


# --- comments ------------------------------------------------------------------------------


def _comment_added(told: Told) -> list[Event]:
    comment = _comment.decode(told.event).comment
    return [_message(told, comment, comment.is_public, ADDED)]


def _made_private(told: Told) -> list[Event]:
    """Without the comment's id nothing tells which message it was."""
    comment = _comment.decode(told.event).comment
    if ident(comment.id, "comment.id") is None:
        return []
    return [_message(told, comment, False, MADE_PRIVATE)]


def _message(told: Told, comment: Comment, public: bool, version: int) -> Event:
    writer = ident(comment.author.id, "author.id") if comment.author else None
    author = _author(told, comment, writer)
    return ev.Message(
        **told.known_as(_message_id(told, comment, writer)),
        version=version,
        author=author,
        agent=writer if author == "agent" else None,
        public=public,
        automatic=author == "system",
    )


def _message_id(told: Told, comment: Comment, writer: str | None) -> str:
    by_creator = writer is not None and writer in (told.submitter, told.requester)
    if by_creator and abs(told.time - told.created) <= WRITTEN_MS:
        return f"{told.contact}-description"
    known = ident(comment.id, "comment.id")
    account = needed(told.account, "account_id")
    return f"zendesk-{account}-comment-{known or needed(told.body.id, 'id')}"


def _author(told: Told, comment: Comment, writer: str | None) -> Author:
    if comment.author is None or writer == SYSTEM_USER:
        return "system"
    # Staff who ask for something themselves are customers of that ticket.
    staff = comment.author.is_staff and (writer is None or writer != told.requester)
    return "agent" if staff else "customer"


EVENTS: dict[str, Callable[[Told], list[Event]]] = {
    "created": _created,
    "requester_changed": _other_requester,
    "status_changed": _status_changed,
    "comment_added": _comment_added,
    "comment_made_private": _made_private,
    "agent_assignment_changed": _agent_changed,
    "group_assignment_changed": _group_changed,
    "type_changed": _type_changed,
    "marked_as_spam": _spam,
    "merged": _merged,
    "soft_deleted": _deleted,
    "permanently_deleted": _deleted,
    "undeleted": _undeleted,
}
"""``ticket.*`` -> its events; every other type is legal and tells nothing we count."""
