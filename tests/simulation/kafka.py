"""Kafka in memory, as far as delivery depends on it.

Logs with offsets, append times and holes; transactions per fenced producer, whose records can be
read uncommitted, also when aborted, and whose markers take offsets; committed offsets that a former
generation cannot move; a cleaner that may drop what is superseded at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from random import Random

from streams.core.source import Record

Place = tuple[str, int]
"""Topic and partition."""
Row = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
"""Key, value, headers."""


class Fenced(Exception):
    """A producer whose transactional id was taken over."""


class Transaction:
    """One transaction and the logs it has written to; ``committed`` None: it is open."""

    def __init__(self) -> None:
        self.committed: bool | None = None
        self.places: dict[Place, None] = {}


class Entry:
    """A record in a log, or a transaction's marker (``record`` None)."""

    __slots__ = ("offset", "record", "transaction")

    def __init__(self, offset: int, record: Record | None, transaction: Transaction | None) -> None:
        self.offset = offset
        self.record = record
        self.transaction = transaction

    @property
    def seen(self) -> bool:
        """By a reader of committed records, once all before it is decided."""
        return self.transaction is None or self.transaction.committed is True


class Log:
    """One partition.  Offsets are never used twice; compaction leaves holes."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.entries: list[Entry] = []
        self.end = 0

    def append(self, row: Row, now: int, transaction: Transaction | None = None) -> int:
        key, value, headers = row
        record = Record(*self.place, self.end, now, key, value, headers)
        self.entries.append(Entry(self.end, record, transaction))
        self.end += 1
        return self.end - 1

    def mark(self, transaction: Transaction) -> None:
        """A transaction ends: its marker takes an offset and is delivered to nobody."""
        self.entries.append(Entry(self.end, None, transaction))
        self.end += 1

    def read(self, start: int, limit: int = 1_000_000) -> list[Record]:
        """Up to ``limit`` records from ``start`` on, whatever became of their transactions."""
        found = (e.record for e in self.entries if e.offset >= start and e.record is not None)
        return [record for record, _ in zip(found, range(limit), strict=False)]

    def committed(self) -> Iterator[Record]:
        """What a reader of committed records sees: nothing beyond the first open transaction."""
        for entry in self.entries:
            if entry.transaction is not None and entry.transaction.committed is None:
                return
            if entry.record is not None and entry.seen:
                yield entry.record

    def decided(self) -> Iterator[Record]:
        """Committed records, also those behind a transaction that is still open: what a reader sees
        who waits for it."""
        return (e.record for e in self.entries if e.record is not None and e.seen)

    def droppable(self) -> list[Entry]:
        """What the cleaner may drop: aborted records, and those whose key has a later one that
        counts.  It looks no further than the first open transaction."""
        stable: list[Entry] = []
        for entry in self.entries:
            if entry.transaction is not None and entry.transaction.committed is None:
                break
            stable.append(entry)
        latest = {e.record.key: e.offset for e in stable if e.record is not None and e.seen}
        return [
            e for e in stable
            if e.record is not None and (not e.seen or e.offset < latest[e.record.key])
        ]  # fmt: skip

    def compact(self, luck: Random, share: float) -> None:
        """Drop some of it, or all."""
        gone = {e.offset for e in self.droppable() if luck.random() < share}
        self.entries = [e for e in self.entries if e.offset not in gone]


class Kafka:
    """The cluster.  ``now`` is its clock in ms: records bear the time of their append."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.logs: dict[Place, Log] = {}
        self.offsets: dict[Place, int] = {}
        self.generations: dict[Place, int] = {}
        self.refusing: set[Place] = set()
        """Commits of these partitions are refused: a rebalance is under way."""
        self._epochs: dict[str, int] = {}
        self._open: dict[str, Transaction] = {}

    def log(self, topic: str, partition: int) -> Log:
        place = (topic, partition)
        if place not in self.logs:
            self.logs[place] = Log(place)
        return self.logs[place]

    def append(self, place: Place, rows: Iterable[Row]) -> None:
        for row in rows:
            self.log(*place).append(row, self.now)

    # -- transactions

    def fence(self, name: str) -> int:
        """Take over a transactional id; what the producer before left open is aborted."""
        self._epochs[name] = self._epochs.get(name, -1) + 1
        if name in self._open:
            self._end(name, False)
        return self._epochs[name]

    def append_fenced(self, name: str, epoch: int, place: Place, rows: Iterable[Row]) -> None:
        self._check(name, epoch)
        transaction = self._open.setdefault(name, Transaction())
        transaction.places[place] = None
        for row in rows:
            self.log(*place).append(row, self.now, transaction)

    def end(self, name: str, epoch: int, committed: bool) -> None:
        self._check(name, epoch)
        if name in self._open:
            self._end(name, committed)

    def time_out(self) -> None:
        """Transactions whose producer is never heard of again are aborted in the end."""
        for name in list(self._open):
            self._end(name, False)

    def _check(self, name: str, epoch: int) -> None:
        if epoch != self._epochs[name]:
            raise Fenced(name)

    def _end(self, name: str, committed: bool) -> None:
        transaction = self._open.pop(name)
        transaction.committed = committed
        for place in transaction.places:
            self.log(*place).mark(transaction)

    # -- the consumer group

    def next_generation(self, place: Place) -> int:
        self.generations[place] = self.generations.get(place, 0) + 1
        return self.generations[place]

    def commit(self, place: Place, offset: int, generation: int | None) -> bool:
        """Whether the offset was taken: only from the generation that owns the partition (None: a
        mutant's, from anybody)."""
        if place in self.refusing or generation not in (None, self.generations.get(place)):
            return False
        self.offsets[place] = offset
        return True
