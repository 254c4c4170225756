"""The running segment's sums: what one stretch of one partition's log adds to each (cut key,
minute).

The log of a source partition is cut into segments (``segment``).  A partial is identified by
(origin, segment, cut key, minute) and carries its *position*: the offset of the last event it has
absorbed.  It is a pure function of the log between the segment's start and that position, so a
replay builds it again exactly.
"""

from __future__ import annotations

from typing import NamedTuple

from streams.core.measure import Amounts, CutKey


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


class RunningSegment:
    """The sums of the running segment and which of them changed since they were published last."""

    __slots__ = ("_sums", "_touched", "origin", "position", "segment")

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.segment = -1
        self.position = -1
        self._sums: dict[tuple[CutKey, int], list[int | Amounts]] = {}
        self._touched: set[tuple[CutKey, int]] = set()

    def begin(self, segment: int) -> None:
        """A new segment: what the earlier ones added is final and forgotten here."""
        assert not self._touched, (
            "the changed sums of a segment are taken before the next one begins"
        )
        self.segment = segment
        self._sums = {}

    def cell(self, cut: CutKey, minute: int) -> Amounts:
        """The amounts to add to; what is asked for counts as changed at the current position."""
        at = (cut, minute)
        self._touched.add(at)
        found = self._sums.get(at)
        if found is None:
            amounts: Amounts = {}
            self._sums[at] = [self.position, amounts]
            return amounts
        found[0] = self.position
        return found[1]  # type: ignore[return-value]

    def take_changed(self) -> list[Partial]:
        """Every sum that changed since the last call, as it stands now (a copy)."""
        taken = [
            Partial(self.origin, self.segment, at[0], at[1], *self._copied(at))
            for at in self._touched
        ]
        self._touched = set()
        return taken

    def _copied(self, at: tuple[CutKey, int]) -> tuple[int, Amounts]:
        position, amounts = self._sums[at]
        assert isinstance(position, int)
        assert isinstance(amounts, dict)
        return position, dict(amounts)
