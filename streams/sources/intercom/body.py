"""The parts of Intercom's notification bodies that the adapter reads, none that names anybody."""

from __future__ import annotations

import msgspec

from streams.sources._reading.names import Ident


class Party(msgspec.Struct, gc=False):
    """Who wrote, or to whom it goes: ``admin``, ``team``, ``bot``, ``user``, ``lead`` ..."""

    type: str | None = None
    id: Ident = None
    from_ai_agent: bool | None = None


class Part(msgspec.Struct, gc=False):
    id: Ident
    part_type: str | None = None
    body: str | None = None
    created_at: int | None = None
    author: Party | None = None
    assigned_to: Party | None = None


class Parts(msgspec.Struct, gc=False):
    conversation_parts: list[Part] = []


class Opening(msgspec.Struct, gc=False):
    """What began the conversation: ``source``, in old versions ``conversation_message``."""

    id: Ident = None
    type: str | None = None
    delivered_as: str | None = None
    author: Party | None = None


class Contacts(msgspec.Struct, gc=False):
    contacts: list[Party] = []


class Asked(msgspec.Struct, gc=False):
    """A conversation's rating."""

    rating: int | None = None
    created_at: int | None = None
    teammate: Party | None = None


class Fin(msgspec.Struct, gc=False):
    resolution_state: str | None = None


class Item(msgspec.Struct, gc=False):
    """The conversation after the change (or the admin), without what could name anybody."""

    id: Ident = None
    conversation_id: Ident = None
    created_at: int | None = None
    source: Opening | None = None
    conversation_message: Opening | None = None
    contacts: Contacts | None = None
    user: Party | None = None
    assignee: Party | None = None
    admin_assignee_id: Ident = None
    team_assignee_id: Ident = None
    conversation_parts: Parts | None = None
    conversation_rating: Asked | None = None
    ai_agent: Fin | None = None
    ai_agent_participated: bool | None = None
    away_mode_enabled: bool | None = None


class Data(msgspec.Struct, gc=False):
    item: Item


class Head(msgspec.Struct, gc=False):
    topic: str


class Body(msgspec.Struct, gc=False):
    id: Ident
    app_id: Ident
    data: Data
    created_at: int | None = None
