"""When everything that was sent stands in the KPI topics.

A number is complete when what it is made of has gone through every stage, and no stage says so by
itself.  It is found out in four steps, each of which follows from what the stages promise:

1. **Ingested**: the group's committed offsets on the raw topic have reached its ends.  Ingest
   commits when its outputs are acknowledged, so every event is now in the event topics.
2. **Known**: some offset of each event partition comes after all of these events.  Whoever waits
   writes a tick there, or takes the partition's end.
3. **Marked**: the partials topic has, from each origin and in each board partition, a mark whose
   position is at least that offset.  A stage sends its mark after the partials that were due, so
   every partial is now in the partials topic, before the mark.
   Customers are told of by the contacts stage, so their sums come later: whoever needs them asks
   that stage for a mark of its own (``settled``).
4. **Boarded**: the group's committed offsets on the partials topic are beyond those marks.  The
   board commits when its results are committed, so every result is now in the KPI topics.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.errors import KafkaError

from streams.codec import encode
from streams.core.events import Tick
from streams.core.partials import Mark
from streams.deployment import PARTIALS, Deployment
from streams.errors import StateError
from streams.kafka.connect import client_options, unreachable
from streams.reading import follow
from streams.stages.contact_record import ASKED
from streams.stages.wire import decode, is_mark

POLL_SECONDS = 0.05
STUCK_SECONDS = 60.0
"""A board that has a year to say computes for half a minute before it writes the first of it."""
STAGES = {"contacts": "events.contact.v1", "staff": "events.agent.v1"}
"""Stages that send marks -> the end of the name of the topic they read."""
RECORDS = "records.contact.v1"
Marks = dict[tuple[str, int], tuple[int, int]]
"""(Origin, board partition) -> (position, offset)."""
_NO_MARK = (-1, -1)
_TIME = re.compile(rb'"time":(\d{1,15})[,}]')


class Offsets:
    """Ends of topics and commits of the group.  For one thread."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        with unreachable(deployment.bootstrap):
            self._admin = KafkaAdminClient(
                **client_options(deployment.bootstrap, deployment.client)
            )

    def ends(self, topic: str) -> dict[int, int]:
        """Partition -> the offset the next record will get."""
        return {at.partition: offset for at, offset in self._ends([topic]).items()}

    def written(self, topics: Sequence[str]) -> int:
        """How many records were ever written there, more or less."""
        return sum(self._ends(topics).values())

    def _ends(self, topics: Sequence[str]) -> dict[TopicPartition, int]:
        every = [
            TopicPartition(topic, number)
            for topic in topics
            for number in range(self._deployment.partitions)
        ]
        found = self._admin.list_partition_offsets(dict.fromkeys(every, OffsetSpec.LATEST))
        return {at: offset.offset for at, offset in found.items()}

    def committed(self, topic: str) -> dict[int, int]:
        """Partition -> committed offset, 0 where nothing was committed yet."""
        none = dict.fromkeys(range(self._deployment.partitions), 0)
        try:
            found = self._admin.list_group_offsets(self._deployment.group)[self._deployment.group]
        except KafkaError:
            # The coordinator of a new group is not there at once; staying away is seen by others.
            return none
        ours = {at.partition: offset.offset for at, offset in found.items() if at.topic == topic}
        return none | {partition: max(0, offset) for partition, offset in ours.items()}

    def __enter__(self) -> Offsets:
        return self

    def __exit__(self, *exception: object) -> None:
        self._admin.close()


class Follower:
    """Reads along, in a thread: the marks in the partials topic and the times of events.

    ``time_ms`` is the latest event time seen, -1 before any.
    """

    def __init__(self, deployment: Deployment) -> None:
        self.time_ms = -1
        self._deployment = deployment
        self._marks: Marks = {}
        self._seen: dict[tuple[str, int], int] = {}
        self._failed: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Follower:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join(5)

    def caught_up(self, ends: Mapping[tuple[str, int], int]) -> tuple[object, bool]:
        """What was read so far, and whether that is everything before ``ends``."""
        self._check()
        seen = dict(self._seen)
        return seen, all(seen.get(at, 0) >= end for at, end in ends.items())

    def marks_now(self) -> Marks:
        """The latest mark of each origin in each board partition."""
        self._check()
        return dict(self._marks)

    def _check(self) -> None:
        if self._failed is not None:
            raise self._failed

    def _follow(self) -> None:
        topics = [*map(self._deployment.topic, (PARTIALS, *STAGES.values()))]
        try:
            follow(self._deployment, topics, self._take, self._stop)
        except Exception as error:
            # Raised again where somebody waits; a thread's own traceback would only frighten.
            self._failed = error

    def _take(self, records: Sequence[Any]) -> None:
        """Records of one partition."""
        if records[0].topic == self._deployment.topic(PARTIALS):
            self._take_marks(records)
        else:
            found = (_TIME.search(record.value) for record in records if record.value)
            latest = max((int(time_ms[1]) for time_ms in found if time_ms), default=-1)
            self.time_ms = max(self.time_ms, latest)
        last = records[-1]
        self._seen[last.topic, last.partition] = last.offset + 1

    def _take_marks(self, records: Sequence[Any]) -> None:
        for record in records:
            if record.value and is_mark(record.value):
                mark = decode(record.value)
                assert isinstance(mark, Mark)
                self._marks[mark.origin, record.partition] = (mark.position, record.offset)


class Waiting:
    """Waits for one deployment's numbers.  ``alive`` raises when there is nobody to wait for.

    Raises StateError when nothing has moved for ``stuck_seconds``.
    """

    def __init__(
        self,
        deployment: Deployment,
        offsets: Offsets,
        follower: Follower,
        alive: Callable[[], None],
        stuck_seconds: float = STUCK_SECONDS,
    ) -> None:
        self._deployment = deployment
        self._offsets = offsets
        self._follower = follower
        self._alive = alive
        self._stuck_seconds = stuck_seconds

    def ingested(self, raw_topic: str, progress: Callable[[int, int], None]) -> None:
        """Step 1; ``progress`` gets (records done, of how many)."""
        ends = self._offsets.ends(raw_topic)
        total = sum(ends.values())

        def look() -> tuple[object, bool]:
            done = self._offsets.committed(raw_topic)
            progress(sum(done.values()), total)
            return done, all(done[partition] >= end for partition, end in ends.items())

        self._until(f"reading {total} records", look)

    def event_ends(self) -> dict[str, int]:
        """Step 2 where the worker ticks by itself: origin -> offset of its last record so far."""
        return {
            f"{stage}/{partition}": end - 1
            for stage, name in STAGES.items()
            for partition, end in self._offsets.ends(self._deployment.topic(name)).items()
        }

    def event_time_ms(self) -> int:
        """The latest event time of all, -1 without events; only after ``ingested``."""
        topics = [self._deployment.topic(name) for name in STAGES.values()]
        ends = {(topic, p): end for topic in topics for p, end in self._offsets.ends(topic).items()}
        self._until("following the events", lambda: self._follower.caught_up(ends))
        return self._follower.time_ms

    def boarded(
        self, wanted: Mapping[str, int], progress: Callable[[int, int], None] = lambda *_: None
    ) -> None:
        """Steps 3 and 4: everything up to position ``wanted`` of each origin is in the results.
        ``progress`` gets (records done, of how many)."""
        marks = self.marked(wanted, progress)
        partials, results = self._deployment.topic(PARTIALS), self._deployment.kpi_topics()

        def committed() -> tuple[object, bool]:
            done = self._offsets.committed(partials)
            over = all(done[board] > offset for (_, board), (_, offset) in marks.items())
            return (done, self._offsets.written(results)), over

        self._until("writing results", committed)

    def marked(
        self, wanted: Mapping[str, int], progress: Callable[[int, int], None] = lambda *_: None
    ) -> Marks:
        """Step 3 alone; the marks as they stand then."""
        marks: Marks = {}

        def look() -> tuple[object, bool]:
            nonlocal marks
            marks = self._follower.marks_now()
            at = [(o, b, wanted[o]) for o in wanted for b in range(self._deployment.partitions)]
            progress(sum(_done(marks, *one) for one in at), sum(least + 1 for *_, least in at))
            return marks, all(marks.get((o, b), _NO_MARK)[0] >= least for o, b, least in at)

        self._until("adding up", look)
        return marks

    def settled(self) -> None:
        """Everything sent before is in the sums, those of customers as well, which come later.

        A stage sends its mark and its records for customers at once, and nothing more before all of
        it is acknowledged: the second mark shows that the records of the first are there.
        """
        for _ in range(2):
            self.marked(tell_time(self._deployment, 0))
        self.marked(ask_customers(self._deployment))

    def _until(self, doing: str, look: Callable[[], tuple[object, bool]]) -> None:
        """Look (at what moves, and whether it is done) until it is done."""
        last: object = None
        moved_at = time.monotonic()
        while True:
            moving, done = look()
            if done:
                return
            if moving != last:
                last, moved_at = moving, time.monotonic()
            elif time.monotonic() - moved_at > self._stuck_seconds:
                raise StateError(f"nothing has moved for {self._stuck_seconds:.0f} s while {doing}")
            self._alive()
            time.sleep(POLL_SECONDS)


def _done(marks: Marks, origin: str, board: int, wanted: int) -> int:
    """Records of an origin that are through, as one board knows."""
    return min(marks.get((origin, board), _NO_MARK)[0], wanted) + 1


def tell_time(deployment: Deployment, time_ms: int) -> dict[str, int]:
    """Write a tick into every event partition; origin -> its offset.  A tick of time 0 moves no
    clock: it only makes each stage send its mark, so that one knows how far they are."""
    return _sent(deployment, STAGES, None, encode(Tick(time=time_ms)))


def ask_customers(deployment: Deployment) -> dict[str, int]:
    """Make the customers stage send its marks; origin -> the offset it was asked at."""
    return _sent(deployment, {"customers": RECORDS}, ASKED, encode(Tick(time=0)))


def _sent(
    deployment: Deployment, stages: Mapping[str, str], key: bytes | None, value: bytes
) -> dict[str, int]:
    """One record for each partition of what the stages read; origin -> its offset."""
    producer = KafkaProducer(**client_options(deployment.bootstrap, deployment.client))
    try:
        sent = {
            f"{stage}/{partition}": producer.send(
                deployment.topic(name), value, key, partition=partition
            )
            for stage, name in stages.items()
            for partition in range(deployment.partitions)
        }
        return {origin: int(future.get(30).offset) for origin, future in sent.items()}
    finally:
        producer.close()
