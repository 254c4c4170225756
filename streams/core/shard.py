"""The bookkeeping of one partition: which offset comes next, where segments end, what is sealed and
not yet written.

A shard lives and dies as one object with its stage.  It takes only the next offset (delivery rule
7) and cuts the log at the borders of segments (``by_segment`` stages), so a batch may span borders
here; the caller need not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Generic, Protocol, TypeVar

from streams.core.segment import Segments
from streams.core.source import Record

SealT = TypeVar("SealT")
SealT_co = TypeVar("SealT_co", covariant=True)


class Sealing(Protocol[SealT_co]):
    """The part of a stage that a shard drives."""

    by_segment: bool

    def start(self, committed: int) -> None: ...
    def absorb(self, records: Sequence[Record]) -> None: ...
    def seal(self, end: int) -> SealT_co: ...


class Jump(Exception):
    """The log was read with a hole: ``expected`` was next, ``got`` came.  Legal only where the log
    itself has one."""

    def __init__(self, expected: int, got: int) -> None:
        super().__init__(f"expected offset {expected}, got {got}")
        self.expected = expected
        self.got = got


class Shard(Generic[SealT]):
    """One stage of one partition and where it stands."""

    def __init__(self, stage: Sealing[SealT], segments: Segments) -> None:
        assert segments.size > 0
        self.stage = stage
        self.segments = segments
        self.next: int | None = None
        self.sealed: list[SealT] = []
        self.unsealed = 0
        """Records absorbed since the last seal."""
        self.dead = False

    def start(self, committed: int) -> None:
        """Restoring is over; the next record is at ``committed`` (or where the log goes on after
        it)."""
        assert self.next is None, "a shard starts once"
        self.stage.start(committed)
        self.next = committed

    def allow_jump(self, to: int) -> None:
        """The log really has a hole up to ``to``: go on behind it."""
        assert self.next is not None
        assert to > self.next
        self._cross_borders(to)
        self.next = to

    def absorb(self, records: Sequence[Record]) -> int:
        """Take what is new of ``records``; returns how many were.  Raises Jump at a hole, with all
        before it taken."""
        assert self.next is not None, "start first"
        assert not self.dead, "nothing touches a dead shard"
        fresh = (
            [r for r in records if r.offset >= self.next]
            if records[0].offset < self.next
            else records
        )
        taken = 0
        for run in _unbroken(fresh):
            if run[0].offset != self.next:
                raise Jump(self.next, run[0].offset)
            taken += self._absorb_run(run)
        return taken

    def _absorb_run(self, run: Sequence[Record]) -> int:
        for piece in self._pieces(run):
            self._cross_borders(piece[0].offset)
            self.stage.absorb(piece)
            self.unsealed += len(piece)
            self.next = piece[-1].offset + 1
            self._cross_borders(self.next)
        return len(run)

    def _pieces(self, run: Sequence[Record]) -> Iterator[Sequence[Record]]:
        if not self.stage.by_segment:
            yield run
            return
        first, done = run[0].offset, 0
        while done < len(run):
            upto = min(len(run), self.segments.next_border(first + done) - first)
            yield run[done:upto]
            done = upto

    def _cross_borders(self, offset: int) -> None:
        """Seal at the border that ``offset`` has reached, if there is one since the last seal."""
        if self.stage.by_segment and self.unsealed:
            assert self.next is not None
            border = self.segments.border(offset)
            if border >= self.next:
                self.seal(border)

    def seal(self, end: int) -> None:
        """Close what was absorbed; the seal waits in ``sealed`` until the shell has written it."""
        self.sealed.append(self.stage.seal(end))
        self.unsealed = 0

    def take_seals(self) -> list[SealT]:
        """What waits to be written, oldest first; a stage without segments is sealed as it stands
        now."""
        if not self.stage.by_segment and self.unsealed:
            assert self.next is not None
            self.seal(self.next)
        taken, self.sealed = self.sealed, []
        return taken


def _unbroken(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Runs of consecutive offsets; nearly always one."""
    if not records:
        return
    if records[-1].offset - records[0].offset == len(records) - 1:
        yield records
        return
    start = 0
    for i, (a, b) in enumerate(pairwise(records), 1):
        if b.offset != a.offset + 1:
            yield records[start:i]
            start = i
    yield records[start:]
