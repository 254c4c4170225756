"""The running segment's sums: what one stretch of one partition's log adds to each (cut key,
minute).

The log of a source partition is cut into segments (``segment``).  A partial is identified by
(origin, segment, cut key, minute) and carries its *position*: the offset of the last event it has
absorbed.  It is a pure function of the log between the segment's start and that position, so a
replay builds it again exactly.
"""

from __future__ import annotations

from typing import NamedTuple

from streams.core.measure import Amounts, CutKey, rolled_up


class Partial(NamedTuple):
    origin: str
    segment: int
    cut: CutKey
    minute: int
    position: int
    amounts: Amounts


class Register(NamedTuple):
    """A level of one origin: the latest by position counts.  ``values`` e.g. ``{"waiting": 3,
    "oldest_ms": ...}``."""

    origin: str
    cut: CutKey
    position: int
    values: Amounts


class Mark(NamedTuple):
    """How far the origin's time has come, as of a position."""

    origin: str
    position: int
    mark_ms: int


TIMELESS = "customers/"
"""Origins whose marks tell how far they have come, and no time: they follow the contacts."""


class _Sum:
    """One cell.  ``total`` names the cut it is rolled up into, ``rolled`` is how much of it was;
    ``summed``: others are rolled up into it."""

    __slots__ = ("amounts", "changed", "position", "rolled", "summed", "total")

    def __init__(self, total: str | None) -> None:
        self.amounts: Amounts = {}
        self.changed = False
        self.position = -1
        self.total = total
        self.rolled: Amounts = {}
        self.summed = False


class RunningSegment:
    """The sums of the running segment and which of them changed since they were published last.

    A cell with a ``total`` is rolled up when partials are taken: what it has more than then is
    added to the cell it counts in too.  So that one is the sum as of the latest position of any,
    whatever was taken when.
    """

    __slots__ = ("_changed", "_sums", "origin", "position", "segment")

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.segment = -1
        self.position = -1
        self._sums: dict[tuple[CutKey, int], _Sum] = {}
        self._changed: list[tuple[CutKey, int]] = []

    def begin(self, segment: int) -> None:
        """A new segment: what the earlier ones added is final and forgotten here."""
        assert not self._changed, (
            "the changed sums of a segment are taken before the next one begins"
        )
        self.segment = segment
        self._sums = {}

    def cell(self, cut: CutKey, minute: int, total: str | None = None) -> Amounts:
        """The amounts to add to; what is asked for counts as changed at the current position.
        With a ``total``: see ``measure.RollingCell``."""
        at = (cut, minute)
        found = self._sums.get(at)
        if found is None:
            found = self._sums[at] = _Sum(total)
        if not found.changed:
            found.changed = True
            self._changed.append(at)
        found.position = self.position
        return found.amounts

    def take_changed(self) -> list[Partial]:
        """Every sum that changed since the last call, as it stands now (a copy)."""
        for at in tuple(self._changed):
            found = self._sums[at]
            if found.total is not None:
                self._roll_up(found, rolled_up(at[0], found.total), at[1])
        taken = [self._taken(at) for at in self._changed]
        self._changed = []
        return taken

    def _roll_up(self, found: _Sum, cut: CutKey, minute: int) -> None:
        at = (cut, minute)
        into = self._sums.get(at)
        if into is None:
            into = self._sums[at] = _Sum(None)
        if not into.changed:
            into.changed = True
            self._changed.append(at)
        into.summed = True
        into.position = max(into.position, found.position)
        known, now, amounts = found.rolled, dict(found.amounts), into.amounts
        for name, amount in now.items():
            before = known.get(name)
            if amount != before:
                amounts[name] = amounts.get(name, 0) + amount - (before or 0)
        found.rolled = now

    def _taken(self, at: tuple[CutKey, int]) -> Partial:
        found = self._sums[at]
        found.changed = False
        if found.summed:
            # In which order they were added depends on when partials were taken.
            amounts = {name: found.amounts[name] for name in sorted(found.amounts)}
        else:
            amounts = found.rolled if found.total is not None else dict(found.amounts)
        cut, minute = at
        return Partial(self.origin, self.segment, cut, minute, found.position, amounts)
