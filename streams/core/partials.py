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


_At = tuple[CutKey, int]
"""(Cut key, minute)."""


class _Sum:
    """One cell.  ``total`` names the cut it is rolled up into, ``into`` is that cell once it was,
    ``rolled`` how much of it was; ``summed``: others are rolled up into it."""

    __slots__ = ("amounts", "at", "changed", "into", "position", "rolled", "summed", "total")

    def __init__(self, at: _At, total: str | None) -> None:
        self.at = at
        self.amounts: Amounts = {}
        self.changed = False
        self.position = -1
        self.total = total
        self.into: _Sum | None = None
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
        self._sums: dict[_At, _Sum] = {}
        self._changed: list[_Sum] = []

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
            found = self._sums[at] = _Sum(at, total)
        if not found.changed:
            found.changed = True
            self._changed.append(found)
        found.position = self.position
        return found.amounts

    def take_changed(self) -> list[Partial]:
        """Every sum that changed since the last call, as it stands now (a copy)."""
        for found in tuple(self._changed):
            if found.total is not None:
                self._roll_up(found, found.into or self._total(found, found.total))
        taken = [self._taken(found) for found in self._changed]
        self._changed = []
        return taken

    def _total(self, found: _Sum, total: str) -> _Sum:
        """The cell that it is rolled up into from now on."""
        cut, minute = found.at
        at = (rolled_up(cut, total), minute)
        into = found.into = self._sums.setdefault(at, _Sum(at, None))
        into.summed = True
        return into

    def _roll_up(self, found: _Sum, into: _Sum) -> None:
        if not into.changed:
            into.changed = True
            self._changed.append(into)
        into.position = max(into.position, found.position)
        known, now, amounts = found.rolled, dict(found.amounts), into.amounts
        for name, amount in now.items():
            before = known.get(name)
            if amount != before:
                amounts[name] = amounts.get(name, 0) + amount - (before or 0)
        found.rolled = now

    def _taken(self, found: _Sum) -> Partial:
        found.changed = False
        if found.summed:
            # In which order they were added depends on when partials were taken.
            amounts = {name: found.amounts[name] for name in sorted(found.amounts)}
        else:
            amounts = found.rolled if found.total is not None else dict(found.amounts)
        cut, minute = found.at
        return Partial(self.origin, self.segment, cut, minute, found.position, amounts)
