"""A contact as the contacts stage keeps it: the list of its events with their offsets, and nothing
else that counts.

Everything besides the list (the journey, what it posted) is derived from it.  ``add`` returns the
signed facts that one more event changes: an event in order continues the journey; any other folds
the list anew and returns the difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from streams.core import events as ev
from streams.core.facts import Fact
from streams.core.journey import Journey, Signed
from streams.core.levels import Open
from streams.core.order import fold
from streams.core.vocabulary import Channel

EVENTS_MAX = 2_000
"""Events of one contact; more are refused and counted."""


class Kept(NamedTuple):
    """One event of a contact: where it stood in the log, when it was appended there, and its
    bytes."""

    offset: int
    append_ms: int
    raw: bytes


class Contact:
    """One contact.  ``position`` is the offset of the last event absorbed, ``channel`` what that
    event said; ``levels`` the open visits as they are counted in the levels."""

    __slots__ = (
        "channel",
        "events",
        "heard_ms",
        "ids",
        "journey",
        "kept",
        "last_ms",
        "levels",
        "position",
    )

    def __init__(self, duration_max_ms: int) -> None:
        self.kept: list[Kept] = []
        self.events: list[ev.ContactEvent] = []
        self.ids: set[str] = set()
        self.position = -1
        self.channel: Channel = "voice"
        self.levels: list[Open] = []
        self.last_ms = -1
        self.heard_ms = 0
        self.journey = Journey(duration_max_ms)

    def add(self, kept: Kept, event: ev.ContactEvent, duration_max_ms: int) -> Sequence[Signed]:
        """Absorb an event that is not known yet; the facts it proves (+1) and disproves (-1)."""
        in_order = event.time > self.last_ms
        self._keep(kept, event)
        said = self.journey.out
        if in_order:
            known = len(said)
            self.journey.apply(event)
            return said[known:]
        self.journey = fold(self.events, duration_max_ms)
        return difference(said, self.journey.out)

    def _keep(self, kept: Kept, event: ev.ContactEvent) -> None:
        self.kept.append(kept)
        self.events.append(event)
        self.ids.add(event.id)
        self.position = kept.offset
        self.channel = event.channel
        self.last_ms = max(self.last_ms, event.time)
        self.heard_ms = max(self.heard_ms, event.time, kept.append_ms)

    def refold(self, pairs: Sequence[tuple[Kept, ev.ContactEvent]], duration_max_ms: int) -> None:
        """Become the contact with exactly these events (after a restore); nothing is posted."""
        for kept, event in pairs:
            self._keep(kept, event)
        self.journey = fold(self.events, duration_max_ms)


def difference(old: Sequence[Signed], new: Sequence[Signed]) -> list[Signed]:
    """What must be posted so that ``old`` becomes ``new``; both as sums of signed facts."""
    change: Counter[tuple[type, Fact]] = Counter()
    for fact, sign in new:
        change[type(fact), fact] += (
            sign  # facts are tuples: two kinds with the same values would be equal
        )
    for fact, sign in old:
        change[type(fact), fact] -= sign
    return [(fact, count) for (_, fact), count in change.items() if count]
