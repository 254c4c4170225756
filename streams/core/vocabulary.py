"""The words and bounds of events' fields: identifiers, durations, enumerations."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from msgspec import Meta

TIME_MS_MAX = 4_102_444_800_000
"""2100-01-01: a time beyond it is a unit mistake (microseconds, say), not a date."""
DURATION_MS_MAX = 2**53 - 1

Id = Annotated[str, Meta(min_length=1, max_length=200)]
Name = Annotated[str, Meta(min_length=1, max_length=120)]
Text = Annotated[str, Meta(max_length=120)]
TimeMs = Annotated[int, Meta(ge=0, le=TIME_MS_MAX)]
DurationMs = Annotated[int, Meta(ge=-DURATION_MS_MAX, le=DURATION_MS_MAX)]
Position = Annotated[int, Meta(ge=0, le=1_000_000)]
Score = Annotated[int, Meta(ge=0, le=100)]

Channel = Literal["voice", "chat", "email", "social", "sms", "ticket", "callback", "task", "video"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)
"""Stored state tells a channel by its place here: a new one goes at the end."""
Direction = Literal["inbound", "outbound", "internal"]
Stage = Literal["greeting", "ivr", "bot", "queue", "ringing", "hold", "callback_wait", "voicemail"]
LeftOutcome = Literal[
    "abandoned",  # the customer gave up while waiting
    "timeout",  # the queue's own limit sent the contact on (overflow)
    "key",  # the customer pressed a key to leave
    "empty",  # no agent was there any more
    "withdrawn",  # an operator or a script took the contact out
    "system",  # technical failure, codec mismatch
    "overflow",  # routed to another queue by a rule
    "voicemail",
    "callback",  # asked to be called back instead of waiting
    "unknown",  # the platform does not say how
    "lost",  # the end never came: restart of the platform, or nothing heard for too long
]
NotAdmitted = Literal["full", "closed", "join_empty", "diverted"]
EndedBy = Literal["customer", "agent", "transfer", "system", "unknown"]
OfferEnd = Literal["no_answer", "rejected", "canceled", "error"]
Version = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Author = Literal["customer", "agent", "bot", "system"]
TicketStatus = Literal["new", "open", "pending", "on_hold", "snoozed", "solved", "closed"]
DONE: frozenset[TicketStatus] = frozenset(("solved", "closed"))
"""Statuses of a ticket that is solved."""
Survey = Literal["csat", "nps_transactional", "nps_relationship", "ces", "ces_reversed"]
LostReason = Literal["restart", "silence"]
