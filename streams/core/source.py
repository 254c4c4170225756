"""What a platform adapter is: one pure module in ``streams/sources`` that exports ``SOURCE``.

``decode`` turns one native record into canonical events, or says why it cannot.  It never raises
for bad input, reads no clock, and gives the same answer for the same record for ever, because a
crash makes us ask again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from streams.core.events import AgentEvent, ContactEvent, Restarted

Headers = Sequence[tuple[str, bytes | None]]
"""Of a record; whoever wrote it may have left out a value."""


class Record(NamedTuple):
    """One record of a Kafka topic, as read.  ``timestamp`` is the append time in ms."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Rejected(NamedTuple):
    """Why a record cannot be used.  ``reason`` is a stable code, ``detail`` free text without any
    payload in it."""

    reason: str
    detail: str = ""


Event = ContactEvent | AgentEvent | Restarted


class PartlyRejected(NamedTuple):
    """A record that tells of several happenings, of which some cannot be used (one at least)."""

    events: Sequence[Event]
    rejected: Sequence[Rejected]


Pseudonym = Callable[[str, str], "str | None"]
"""(domain, value) -> a keyed pseudonym, or None where there is nothing to tell customers apart by
(withheld, empty, no key configured).  Domains: ``phone``, ``email``, ``id``.  See
``streams.core.pseudonym``."""
Decoded = Sequence[Event] | Rejected | PartlyRejected
Decode = Callable[[Record, Pseudonym], Decoded]


class Source(NamedTuple):
    """A platform: ``name`` is what users type, ``topic`` the raw topic's last part, ``decode`` the
    adapter."""

    name: str
    topic: str
    decode: Decode
    help: str
