"""A visit: one stay of a contact in one queue, and what has been said about it."""

from __future__ import annotations

from streams.core.facts import LegEnded, VisitAnswered, VisitLeft, VisitOffered


class Visit:
    """One stay in one queue.  Times in ms; None where it did not happen (yet)."""

    __slots__ = (
        "agent",
        "answer",
        "answered_ms",
        "assumed",
        "channel",
        "ended",
        "entered_ms",
        "held_ms",
        "held_since",
        "left",
        "leg",
        "leg_ms",
        "offer",
        "parked",
        "queue",
    )

    def __init__(self, queue: str, channel: str, entered_ms: int, offer: VisitOffered) -> None:
        self.queue = queue
        self.channel = channel
        self.entered_ms = entered_ms
        self.offer = offer
        self.answered_ms: int | None = None
        self.answer: VisitAnswered | None = None
        self.left: VisitLeft | None = None
        self.ended = False
        self.leg: LegEnded | None = None
        self.leg_ms: int | None = None
        self.assumed = False
        """The leg is over because the contact is: its own end may still be told."""
        self.agent: str | None = None
        self.held_ms = 0
        self.held_since: int | None = None
        self.parked = False

    @property
    def waiting(self) -> bool:
        return self.answered_ms is None and self.left is None and not self.parked

    @property
    def handling(self) -> bool:
        return self.answered_ms is not None and not self.ended and not self.parked

    @property
    def open(self) -> bool:
        return self.waiting or self.handling

    @property
    def over_ms(self) -> int | None:
        """When the visit ended, as reported."""
        return self.left.left_ms if self.left is not None else self.leg_ms
