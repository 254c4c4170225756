"""What the stages that keep entities by key have in common: versions by position, marks, the
running segment.

A changelog record begins with its position.  On restore the highest position wins per key, then
``start`` trims to the commit.  Nothing is decoded before it is needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from struct import Struct as Packed
from typing import Any

from streams.core.events import Tick
from streams.core.partials import Mark, RunningSegment
from streams.core.segment import Segments
from streams.core.source import Record, Rejected
from streams.stages import wire
from streams.stages.base import Entity, Output
from streams.stages.dead_letter import dead_letter

HEAD = Packed(">qqB")
"""Position, heard_ms (or 0), open (1) or not: the beginning of every entity's bytes."""
POSITION_HEADER = "position"
SYSTEM = b"\x00"
"""First byte of keys that are not contacts, agents or customers."""


class Versions:
    """The changelog as read: per key the record with the highest position, whatever the order."""

    __slots__ = ("by_key",)

    def __init__(self) -> None:
        self.by_key: dict[bytes, bytes | int] = {}
        """Key -> its bytes, or the position at which it was removed."""

    def take(self, records: Iterable[Record]) -> None:
        # Millions of records come through here, nearly all of keys not seen before.
        by_key = self.by_key
        for record in records:
            value = record.value or _removed_at(record)
            key = record.key
            if not key or value is None:
                continue  # the sentinel
            known = by_key.get(key)
            if known is None or position_of(value) > position_of(known):
                by_key[key] = value

    def removed_since(self, committed: int) -> dict[bytes, int]:
        """Key -> position of the removals at or beyond the commit."""
        return {
            key: found
            for key, found in self.by_key.items()
            if isinstance(found, int) and found >= committed
        }

    def drain(self) -> list[tuple[int, bytes, bytes]]:
        """(position, key, value) of all that was not removed, in this order; forgets them here."""
        by_key, self.by_key = self.by_key, {}
        unpack = HEAD.unpack_from
        live = [(unpack(v)[0], k, v) for k, v in by_key.items() if isinstance(v, bytes)]
        live.sort()
        return live


def position_of(found: bytes | int) -> int:
    """The position of an entity's bytes, or of a removal."""
    if isinstance(found, int):
        return found
    position: int = HEAD.unpack_from(found)[0]
    return position


def _removed_at(record: Record) -> int | None:
    """The position of a removal; None for what is none."""
    return next(
        (int(value or b"") for name, value in record.headers if name == POSITION_HEADER), None
    )


def tombstone(key: bytes, position: int) -> Entity:
    """A removal; it wins or loses by its position like any record."""
    return Entity(key, None, ((POSITION_HEADER, str(position).encode()),))


class Buried:
    """Who was forgotten at a border the commit has not passed.

    The transaction of that seal may have been aborted, and the log cleaner removes aborted
    records, so the replay writes its tombstones again.
    """

    __slots__ = ("_positions",)

    def __init__(self) -> None:
        self._positions: dict[bytes, int] = {}

    def restore(self, versions: Versions, committed: int) -> None:
        self._positions = versions.removed_since(committed)

    def again(self, end: int) -> list[Entity]:
        """The tombstones of the segment that ends there."""
        due = [key for key, position in self._positions.items() if position < end]
        return [tombstone(key, self._positions.pop(key)) for key in due]


class MarkKeeper:
    """How far the partition's time has come: its latest tick or event.

    The mark as of each of the last borders is kept, because a decision taken at a border (what to
    forget) must come out the same after a restore, and a restored record may be newer than the
    commit.
    """

    KEPT = 4
    __slots__ = ("_news", "borders", "key", "mark_ms")

    def __init__(self, key: bytes = SYSTEM + b"mark") -> None:
        self.key = key
        self.mark_ms = -1
        self._news = False
        self.borders: list[tuple[int, int]] = []

    def see(self, time_ms: int) -> None:
        if time_ms > self.mark_ms:
            self.mark_ms = time_ms
            self._news = True

    def tick(self, time_ms: int) -> None:
        """A tick is news even if it moves nothing: who waits for its mark knows that all before it
        is through."""
        self.see(time_ms)
        self._news = True

    def border(self, end: int) -> Entity:
        """Remember the mark at a border; the record to write."""
        self.borders = [*self.borders, (end, self.mark_ms)][-self.KEPT :]
        rows = b"".join(Packed(">qq").pack(*row) for row in self.borders)
        return Entity(self.key, HEAD.pack(end - 1, 0, 0) + rows)

    def restore(self, value: bytes, committed: int) -> None:
        rows = [tuple(row) for row in Packed(">qq").iter_unpack(value[HEAD.size :])]
        self.borders = [(end, mark) for end, mark in rows if end <= committed]
        self.mark_ms = self.borders[-1][1] if self.borders else -1

    def take_news(self) -> bool:
        """Whether there is a mark to send since the last call."""
        news, self._news = self._news, False
        return news


Counts = Counter[str]
"""Process-local counters of a stage, for /metrics; they never fall and mean nothing to any
result."""


class SegmentedStage:
    """The shared half of contacts, staff and customers: segments, marks, partials and the dead
    letters."""

    name = "segmented"
    by_segment = True

    def __init__(self, partition: int, segment_size: int, board_partitions: int) -> None:
        self.partition = partition
        self.segments = Segments.of(segment_size, partition)
        self.board_partitions = board_partitions
        self.running = RunningSegment(f"{self.name}/{partition}")
        self.marks = MarkKeeper()
        self.counts = Counts()
        self.versions = Versions()
        self._buried = Buried()
        self._repeated: set[str] = set()
        """Of whom something was said in this segment that changed nothing: a replay must know them,
        to find that out again."""
        self._letters: list[Output] = []
        self._skew_ms = 0
        self._kinds: dict[type, Callable[[Record, Any], None]] = {}

    def __len__(self) -> int:
        """Entities in memory."""
        raise NotImplementedError

    @property
    def segment_start(self) -> int:
        """The first offset of the running segment."""
        return self.segments.start(self.running.segment)

    def restore(self, records: Iterable[Record]) -> None:
        self.versions.take(records)

    def _begin(self, records: Sequence[Record]) -> None:
        segment = self.segments.number(records[0].offset)
        if segment != self.running.segment:
            self.running.begin(segment)

    def _absorb_events(
        self, records: Sequence[Record], decode: Callable[[bytes | None], Any]
    ) -> None:
        """Decode and hand on: ``_kinds`` by type, all else to ``_event`` unless it is dated too far
        ahead of its append time."""
        self._begin(records)
        kinds, running = self._kinds, self.running
        for record in records:
            running.position = record.offset
            event = decode(record.value)
            special = kinds.get(type(event))
            if special is not None:
                special(record, event)
            elif self._skew_ms and event.time > record.timestamp + self._skew_ms:
                self._reject(
                    record, Rejected("time.in_future", "event time is ahead of its append time")
                )
            else:
                self._event(record, event)
        self.counts["events"] += len(records)

    def _event(self, record: Record, event: Any) -> None:
        raise NotImplementedError

    def _tells_time(self, record: Record, tick: Tick) -> bool:
        """Take a tick into the mark; False for one ahead of its append time, which is refused."""
        if self._skew_ms and tick.time > record.timestamp + self._skew_ms:
            self._reject(record, Rejected("time.in_future", "tick is ahead of its append time"))
            return False
        self.marks.tick(tick.time)
        self.counts["ticks"] += 1
        return True

    def _reject(self, record: Record, rejected: Rejected) -> None:
        self.counts[f"rejected.{rejected.reason}"] += 1
        self._letters.append(dead_letter(record, rejected, self.name))

    def _partials(self) -> list[Output]:
        """Changed sums, registers and the mark, each to its board partition."""
        rows = [(p.cut, wire.encode(p)) for p in self.running.take_changed()]
        return [self._to_board(cut, value) for cut, value in rows]

    def _to_board(self, cut: tuple[str, ...], value: bytes) -> Output:
        return Output("partials", None, value, wire.board_partition(cut, self.board_partitions))

    def _leave(self, prefix: bytes, gone: Sequence[str], end: int) -> list[Entity]:
        """The tombstones of a segment that ends: of those who leave now, and of those who left at
        this border before.

        An entity may leave only if its last event lies before the segment and it is none of
        ``_repeated``: the commit has passed that event by the time this is written, so a replay
        never needs what is forgotten.
        """
        again = self._buried.again(end)
        self._repeated = set()
        self.counts["forgotten"] += len(gone)
        return again + [tombstone(prefix + name.encode(), end - 1) for name in gone]

    def _mark(self) -> list[Output]:
        return self._marks_sent() if self.marks.take_news() else []

    def _marks_sent(self) -> list[Output]:
        """How far this stage has come, to every board partition."""
        value = wire.encode(Mark(self.running.origin, self.running.position, self.marks.mark_ms))
        return [Output("partials", None, value, p) for p in range(self.board_partitions)]

    def _letters_taken(self) -> list[Output]:
        letters, self._letters = self._letters, []
        return letters
