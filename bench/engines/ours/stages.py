"""The three jobs as stages: what a user of our runtime would write.

Results are upserts: the sums of a (partition, queue, minute) with the position they are as of; a
replay says the same values again.  Rows and contacts are written to the changelog in one
transaction a segment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import msgspec

from bench.engines.contract import HOUR_MINUTES, MINUTE_MS, Progress, result_key
from bench.engines.ours.minutes import At, Minutes, Row
from streams.core.source import Record
from streams.stages.base import Entity, Output, Seal
from streams.stages.keyed import HEAD, Versions

CONTACT = b"c"
KEEP_MS = 10 * MINUTE_MS
KEEP_ROLLING_MS = (HOUR_MINUTES + 10) * MINUTE_MS
Published = Callable[[int, bool], None]
"""Called with the partition and whether anything was left to publish."""


class Event(msgspec.Struct, gc=False):
    """The fields that the jobs use."""

    time: int
    queue: str
    contact: str
    talk_ms: int


class Result(msgspec.Struct, gc=False):
    """One result, as of the event at ``position``."""

    count: int
    sum: int
    position: int


class Contact(msgspec.Struct, array_like=True, gc=False):
    """One contact: where its events stand in the log says how many they are, also as of an earlier
    offset."""

    queue: str
    first_ms: int
    offsets: list[int]


_decode = msgspec.json.Decoder(Event).decode
_encode = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode
_unpack_contact = msgspec.msgpack.Decoder(Contact).decode


class TumblingStage:
    """Job 1, one partition: count and sum of ``talk_ms`` per queue and minute."""

    name = "minutes"
    by_segment = True
    keep_ms = KEEP_MS

    def __init__(self, partition: int, progress: Progress, published: Published) -> None:
        self.partition = partition
        self.counts: Counter[str] = Counter()
        self.minutes = Minutes(self.keep_ms)
        self.position = -1
        """Offset of the last record absorbed."""
        self._versions = Versions()
        self._progress = progress
        self._published = published

    def restore(self, records: Iterable[Record]) -> None:
        self._versions.take(records)

    def start(self, committed: int) -> None:
        self.minutes.start(self._versions.drain(), committed)

    def absorb(self, records: Sequence[Record]) -> None:
        minutes = self.minutes
        rows, touched, mark = minutes.rows, minutes.touched, 0
        for record in records:
            event = _decode(record.value or b"")
            if event.time > mark:
                mark = event.time
            at = (event.queue, event.time // MINUTE_MS)
            row = rows.get(at) or minutes.begin(at, record.offset)
            if row is not None:
                row.position = record.offset
                row.count += 1
                row.sum += event.talk_ms
                touched.add(at)
        self._absorbed(records, mark)

    def _absorbed(self, records: Sequence[Record], mark: int) -> None:
        self.minutes.see(mark)
        self.position = records[-1].offset
        self.counts["events"] += len(records)
        self._progress.processed += len(records)

    def publish(self) -> list[Output]:
        results = self._results()
        self._published(self.partition, bool(results))
        return results

    def _results(self) -> list[Output]:
        rows = self.minutes.rows
        return [self._result(at, rows[at]) for at in self.minutes.take_touched()]

    def _result(self, at: At, row: Row) -> Output:
        return self._output(at, Result(row.count, row.sum, row.position))

    def _output(self, at: At, result: Result) -> Output:
        key = result_key(self.partition, at[0], at[1] * MINUTE_MS)
        return Output("results", key.encode(), _encode(result), self.partition)

    def seal(self, end: int) -> Seal:
        results = self._results()
        return Seal(results, (), self.minutes.seal(end), end)


class ContactsStage(TumblingStage):
    """Job 2: contacts too, and the sum is of the time since the contact's first event."""

    name = "calls"

    def __init__(self, partition: int, progress: Progress, published: Published) -> None:
        super().__init__(partition, progress, published)
        self.contacts: dict[str, Contact] = {}
        self._stored: dict[str, bytes] = {}
        """Restored and not touched yet."""
        self._changed: set[str] = set()
        self._committed = 0

    def start(self, committed: int) -> None:
        versions = self._versions.drain()
        self.minutes.start(versions, committed)
        self._committed = committed
        self._stored = {
            key[len(CONTACT) :].decode(): value
            for _, key, value in versions
            if key.startswith(CONTACT)
        }

    def absorb(self, records: Sequence[Record]) -> None:
        minutes, contacts, changed = self.minutes, self.contacts, self._changed
        rows, touched, mark = minutes.rows, minutes.touched, 0
        for record in records:
            event = _decode(record.value or b"")
            if event.time > mark:
                mark = event.time
            contact = contacts.get(event.contact) or self._begin(event)
            contact.offsets.append(record.offset)
            changed.add(event.contact)
            at = (event.queue, event.time // MINUTE_MS)
            row = rows.get(at) or minutes.begin(at, record.offset)
            if row is not None:
                row.position = record.offset
                row.count += 1
                row.sum += event.time - contact.first_ms
                touched.add(at)
        self._absorbed(records, mark)

    def _begin(self, event: Event) -> Contact:
        """A contact that is not in use yet: a stored one as of the commit, or a new one."""
        stored = self._stored.pop(event.contact, None)
        contact = stored and self._as_of_commit(stored)
        if not contact:
            contact = Contact(event.queue, event.time, [])
        self.contacts[event.contact] = contact
        return contact

    def _as_of_commit(self, stored: bytes) -> Contact | None:
        contact = _unpack_contact(stored[HEAD.size :])
        contact.offsets = [offset for offset in contact.offsets if offset < self._committed]
        return contact if contact.offsets else None

    def seal(self, end: int) -> Seal:
        results = self._results()
        entities = [self._entity(name) for name in self._changed]
        # Not a new set: ``absorb`` may hold this one.
        self._changed.clear()
        return Seal(results, (), entities + self.minutes.seal(end), end)

    def _entity(self, name: str) -> Entity:
        contact = self.contacts[name]
        value = HEAD.pack(contact.offsets[-1], 0, 0) + _pack(contact)
        return Entity(CONTACT + name.encode(), value)


class RollingStage(TumblingStage):
    """Job 4: at each minute count and sum of the hour up to it, from cells of a minute."""

    name = "rolling"
    keep_ms = KEEP_ROLLING_MS

    def _results(self) -> list[Output]:
        first: dict[str, int] = {}
        for queue, minute in self.minutes.take_touched():
            first[queue] = min(minute, first.get(queue, minute))
        return [output for queue, minute in first.items() for output in self._hours(queue, minute)]

    def _hours(self, queue: str, minute: int) -> Iterable[Output]:
        """The hours that end at this minute and at the later ones that have come."""
        rows, newest = self.minutes.rows, self.minutes.newest
        span = [rows.get((queue, m)) for m in range(minute - HOUR_MINUTES, minute)]
        count = sum(row.count for row in span if row)
        total = sum(row.sum for row in span if row)
        for end in range(minute, min(minute + HOUR_MINUTES, newest + 1)):
            comes, goes = rows.get((queue, end)), rows.get((queue, end - HOUR_MINUTES))
            count += (comes.count if comes else 0) - (goes.count if goes else 0)
            total += (comes.sum if comes else 0) - (goes.sum if goes else 0)
            yield self._output((queue, end), Result(count, total, self.position))
