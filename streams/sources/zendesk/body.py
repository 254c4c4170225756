"""The parts of Zendesk's bodies that the adapter reads, without what could name anybody."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from streams.sources._reading.names import Ident


class Head(Struct, gc=False):
    type: str


class Via(Struct, gc=False):
    channel: str | int | None = None


class Detail(Struct, gc=False):
    """The ticket after the change.  ``description`` is looked at for being there, never passed
    on."""

    id: Ident
    actor_id: Ident = None
    assignee_id: Ident = None
    group_id: Ident = None
    requester_id: Ident = None
    submitter_id: Ident = None
    status: str | None = None
    type: str | None = None
    via: Via | None = None
    created_at: str | None = None
    description: str | None = None
    is_public: bool | None = None


class Body(Struct, gc=False):
    id: Ident
    account_id: Ident
    time: str
    detail: Detail
    event: msgspec.Raw = msgspec.Raw(b"{}")


class Author(Struct, gc=False):
    id: Ident = None
    is_staff: bool = False


class Comment(Struct, gc=False):
    id: Ident = None
    is_public: bool = True
    author: Author | None = None


class CommentChanged(Struct, gc=False):
    """``event`` of a comment that was added or made private."""

    comment: Comment


class Change(Struct, gc=False):
    """``event`` of a changed field; both absent where it was or becomes empty."""

    current: Ident = None
    previous: Ident = None


class MergedInto(Struct, gc=False):
    """``event`` of a merge."""

    target_ticket_id: Ident = None


class Rating(Struct, gc=False):
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
