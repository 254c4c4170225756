"""A visit: one stay of a contact in one queue, and what has been said about it."""

from __future__ import annotations

from streams.core.facts import LegEnded, StagePassed, VisitAnswered, VisitLeft, VisitOffered

RING_CANCELED_MS = 1_000


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
        "held_from",
        "held_ms",
        "held_since",
        "hold",
        "hung_up_on_hold",
        "left",
        "leg",
        "leg_ms",
        "offer",
        "parked",
        "queue",
        "ring",
        "ring_canceled_ms",
        "ring_since",
        "ringing",
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
        self.held_from: int | None = None
        """When the first hold began."""
        self.hung_up_on_hold: int | None = None
        """How long the hold had lasted in which the leg ended."""
        self.hold: StagePassed | None = None
        self.ring_since: int | None = None
        """When an agent was offered the contact first."""
        self.ringing = False
        self.ring_canceled_ms: int | None = None
        self.ring: StagePassed | None = None
        self.parked = False

    @property
    def waiting(self) -> bool:
        return self.answered_ms is None and self.left is None and not self.parked

    @property
    def handling(self) -> bool:
        return self.answered_ms is not None and not self.ended and not self.parked

    @property
    def unseen(self) -> bool:
        """Of its beginning nothing is known but that it was answered."""
        return self.handling and self.offer.inferred and self.entered_ms == self.answered_ms

    @property
    def open(self) -> bool:
        return self.waiting or self.handling

    @property
    def over_ms(self) -> int | None:
        """When the visit ended, as reported."""
        return self.left.left_ms if self.left is not None else self.leg_ms

    def rings_at(self, time_ms: int) -> bool:
        """Whether an agent is being offered the contact, or was until just now: platforms tell the
        end of the ringing and of the wait in one breath."""
        canceled_ms = self.ring_canceled_ms
        return self.ringing or (
            canceled_ms is not None and time_ms - canceled_ms <= RING_CANCELED_MS
        )
