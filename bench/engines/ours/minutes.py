"""Count and sum per (queue, minute) of one partition, exact after any crash.

A row is written to the changelog at the borders of segments, with its sums as of that border *and*
as of the border before at which it was written.  At most one seal is ahead of the commit, so one of
the two is as of the commit or earlier, and that is where a restored row begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from bench.engines.contract import MINUTE_MS
from streams.stages.base import Entity
from streams.stages.keyed import HEAD, SYSTEM, MarkKeeper, tombstone

ROW = b"m"
At = tuple[str, int]
"""(queue, minute since the epoch)."""
AsOf = tuple[int, int, int]
"""The border, and count and sum as of it."""
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[AsOf]).decode


class Row:
    """One (queue, minute); ``position`` is the offset of the last event in it."""

    __slots__ = ("count", "position", "sealed", "sum")

    def __init__(self, position: int, sealed: AsOf | None = None) -> None:
        self.position = position
        self.sealed = sealed
        _, self.count, self.sum = sealed or (0, 0, 0)


class Minutes:
    """All rows of one partition.  Rows ``keep_ms`` older than the partition's time are forgotten at
    borders, and events for them refused: ``late`` counts them."""

    def __init__(self, keep_ms: int) -> None:
        self.keep_ms = keep_ms
        self.rows: dict[At, Row] = {}
        self.touched: set[At] = set()
        """Changed since the last publish."""
        self.late = 0
        self.forgotten_count = 0
        self.forgotten_sum = 0
        self._dirty: set[At] = set()
        self._marks = MarkKeeper()
        self._floor = 0
        """First minute that is not forgotten."""
        self._border = 0

    def begin(self, at: At, position: int) -> Row | None:
        """The row of a (queue, minute) that has none; None if it is forgotten already."""
        if at[1] < self._floor:
            self.late += 1
            return None
        row = self.rows[at] = Row(position)
        return row

    def see(self, time_ms: int) -> None:
        """How far time has come: the latest event of a batch."""
        self._marks.see(time_ms)

    @property
    def newest(self) -> int:
        """The minute that time has come to."""
        return self._marks.mark_ms // MINUTE_MS

    def take_touched(self) -> set[At]:
        """What changed since the last call."""
        taken, self.touched = self.touched, set()
        self._dirty |= taken
        return taken

    def totals(self) -> tuple[int, int]:
        """Count and sum of everything that was ever added."""
        rows = self.rows.values()
        return (
            self.forgotten_count + sum(row.count for row in rows),
            self.forgotten_sum + sum(row.sum for row in rows),
        )

    # -- seals

    def seal(self, end: int) -> list[Entity]:
        """The changelog records of a border."""
        self.take_touched()
        entities = [self._entity(at, end) for at in self._dirty]
        self._dirty = set()
        entities += self._forget(end)
        entities.append(self._marks.border(end))
        self._border = end
        return entities

    def _entity(self, at: At, end: int) -> Entity:
        row = self.rows[at]
        now = (end, row.count, row.sum)
        versions = [now, row.sealed] if row.sealed else [now]
        row.sealed = now
        return Entity(_key(at), HEAD.pack(row.position, 0, 0) + _pack(versions))

    def _forget(self, end: int) -> Iterator[Entity]:
        """Rows that are old by the partition's time and have not changed in this segment: the
        commit of the border before has passed them."""
        self._floor = self._floor_of(self._marks.mark_ms)
        old = [
            at
            for at, row in self.rows.items()
            if at[1] < self._floor and row.position < self._border
        ]
        for at in old:
            row = self.rows.pop(at)
            self.forgotten_count += row.count
            self.forgotten_sum += row.sum
            yield tombstone(_key(at), end - 1)

    def _floor_of(self, mark_ms: int) -> int:
        return max(0, (mark_ms - self.keep_ms) // MINUTE_MS)

    # -- restore

    def start(self, versions: Iterable[tuple[int, bytes, bytes]], committed: int) -> None:
        """Begin as of the commit: ``versions`` are (position, key, value)."""
        self._border = committed
        for position, key, value in versions:
            if key == SYSTEM + b"mark":
                self._marks.restore(value, committed)
                self._floor = self._floor_of(self._marks.mark_ms)
            elif key.startswith(ROW):
                self._restore(_at(key), position, value, committed)

    def _restore(self, at: At, position: int, value: bytes, committed: int) -> None:
        for as_of in _unpack(value[HEAD.size :]):
            if as_of[0] <= committed:
                self.rows[at] = Row(min(position, as_of[0] - 1), as_of)
                return


def _key(at: At) -> bytes:
    return ROW + f"{at[1]}|{at[0]}".encode()


def _at(key: bytes) -> At:
    minute, queue = key[len(ROW) :].decode().split("|", 1)
    return queue, int(minute)
