"""A contact as the contacts stage keeps it: the list of its events with their offsets, and nothing
else that counts.

Everything besides the list (the journey, what it posted) is derived from it.  ``add`` returns the
signed facts that one more event changes: an event in order continues the course; any other folds
the list anew and returns the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from streams.core import events as ev
from streams.core.brief import Brief
from streams.core.course import Course
from streams.core.levels import Open
from streams.core.order import fits, fold, rank
from streams.core.signed import Signed, difference
from streams.core.terms import Terms
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
    event said; ``levels`` what of it is open as it is counted in the levels, ``brief`` what the
    customers stage is told of it."""

    __slots__ = (
        "_latest",
        "_terms",
        "_versions",
        "brief",
        "channel",
        "course",
        "events",
        "heard_ms",
        "ids",
        "kept",
        "last_ms",
        "levels",
        "position",
    )

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self.kept: list[Kept] = []
        self.events: list[ev.ContactEvent] = []
        self.ids: set[str] = set()
        self._versions: dict[str, int] = {}
        """Id -> its highest version, of those that have one above 0."""
        self._latest: ev.ContactEvent | None = None
        """The last event of the course, if all that have its time fit where they stand."""
        self.position = -1
        self.channel: Channel = "voice"
        self.levels: list[Open] = []
        self.brief: Brief | None = None
        self.last_ms = -1
        self.heard_ms = 0
        self.course = Course(terms)

    def knows(self, event: ev.ContactEvent) -> bool:
        """Whether the event, or a later version of it, was absorbed."""
        return event.id in self.ids and event.version <= self._versions.get(event.id, 0)

    def add(self, kept: Kept, event: ev.ContactEvent) -> Sequence[Signed]:
        """Absorb an event that is not known yet; the facts it proves (+1) and disproves (-1)."""
        in_order = self._continues(event)
        self._keep(kept, event)
        if not in_order:
            self._latest = None
            said = self.course.said
            self.course = fold(self.events, self._terms)
            return difference(said, self.course.said)
        course = self.course
        self._latest = event if fits(course, event) else None
        out, excluded = course.journey.out, course.about.excluded
        known = len(out)
        said = course.said if excluded else ()
        course.apply(event)
        if course.about.excluded == excluded:
            return () if excluded else out[known:]
        return difference(said if excluded else out[:known], course.said)

    def _continues(self, event: ev.ContactEvent) -> bool:
        """Whether a fold of all events would come to this one last.  Events often come in pairs of
        one millisecond: a contact started, and was queued."""
        if event.id in self.ids:
            return False
        if event.time > self.last_ms:
            return True
        last = self._latest
        return last is not None and last.time == event.time and rank(last) < rank(event)

    def _keep(self, kept: Kept, event: ev.ContactEvent) -> None:
        self.kept.append(kept)
        self.events.append(event)
        self.ids.add(event.id)
        if event.version:
            self._versions[event.id] = max(event.version, self._versions.get(event.id, 0))
        self.position = kept.offset
        self.channel = event.channel
        time_ms, append_ms = event.time, kept.append_ms
        if time_ms > self.last_ms:
            self.last_ms = time_ms
        heard_ms = append_ms if append_ms > time_ms else time_ms
        if heard_ms > self.heard_ms:
            self.heard_ms = heard_ms

    def refold(self, pairs: Sequence[tuple[Kept, ev.ContactEvent]]) -> None:
        """Become the contact with exactly these events (after a restore); nothing is posted."""
        for kept, event in pairs:
            self._keep(kept, event)
        self.course = fold(self.events, self._terms)
        self.brief = self.course.brief()
