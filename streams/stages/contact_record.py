"""Contact records: what the contacts stage tells the customers stage of a contact.

One per contact whose customer is known, written again whenever it has changed.  ``position`` is
that of the event that changed it last, so of all records of a contact that were ever written the
one with the highest position is right: between it and the contact's latest event nothing of it
changed.  Fields at their default are left out.
"""

from __future__ import annotations

import msgspec

from streams.core.brief import Brief


class ContactRecord(msgspec.Struct, kw_only=True, gc=False, omit_defaults=True):
    """See ``Brief`` for what most of it means."""

    origin: str
    position: int
    contact: str
    customer: str
    channel: str | None = None
    queue: str | None = None
    arrived_ms: int | None = None
    issue_type: str | None = None
    agent: str | None = None
    reason: str | None = None
    human: bool = False
    ours: bool = False
    before: bool = False
    self_service_ms: int | None = None
    contained: bool = False


_encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(ContactRecord).decode


def encode(origin: str, position: int, contact: str, brief: Brief) -> bytes:
    """A record as it is written."""
    return _encode(
        ContactRecord(origin=origin, position=position, contact=contact, **brief._asdict())
    )
