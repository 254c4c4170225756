"""A deployment to which nothing ever happens, in memory: the topics as they would lie in Kafka.

For tests of the checker: it must find nothing here, and each thing that is broken on purpose.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from zlib import crc32

from streams import codec
from streams.core.events import Tick
from streams.core.segment import Segments
from streams.core.shard import Shard
from streams.core.source import Record
from streams.kafka.partition import partition_of
from streams.runtime.app import shape_of
from streams.runtime.stages import stage_specs, targets
from streams.settings import Settings
from streams.stages.base import Entity, Output, Seal, Stage
from tests.chaos.load import Load
from tests.chaos.stories import AGENTS, CONTACTS, RAW, Planned

At = tuple[str, int]
TICK_MS = 1_000
PUBLISH_RECORDS = 100
Written = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]


class QuietDeployment:
    """Topics, one list of records for each partition, and the commits of the group."""

    def __init__(self, settings: Settings) -> None:
        self.shape = shape_of(settings)
        self.logs: dict[At, list[Record]] = {}
        self.committed: dict[At, int] = {}
        self._targets = targets(self.shape)
        self._specs = stage_specs(self.shape)
        self._shards: dict[At, Shard[Seal]] = {}
        self._stages: dict[At, Stage] = {}
        self._now_ms = 0
        for spec in self._specs:
            for number in range(self.shape.partitions):
                at = (spec.topic, number)
                self._stages[at] = spec.make(number)
                self._shards[at] = Shard(
                    self._stages[at], Segments.of(self.shape.segment_size, number)
                )
                self._shards[at].start(0)
        self.raw_topic = next(s.topic for s in self._specs if s.name == "ingest")

    def play(self, load: Load, rate: float, records: int) -> None:
        """Write so many records of the load, let every stage do its work, and close with a tick."""
        plan, ticked_ms = load.weave(rate), load.start_ms
        for count in range(records):
            self._now_ms = load.start_ms + round(count * 1_000 / rate)
            self._plan(next(plan))
            if count % PUBLISH_RECORDS == 0:
                self._work()
            if self._now_ms >= ticked_ms + TICK_MS:
                ticked_ms = self._now_ms
                self._tick()
        for planned in plan.rest():
            self._plan(planned)
        self._work()
        self._tick()
        self._work()

    def of(self, topic: str) -> list[Record]:
        """All records of a topic, partition after partition."""
        return [
            record
            for (name, _), records in sorted(self.logs.items())
            if name == topic
            for record in records
        ]

    def ends(self) -> dict[At, int]:
        return {at: len(self.logs.get(at, ())) for at in self._shards}

    def _plan(self, planned: Planned) -> None:
        topic = {
            RAW: self.raw_topic,
            CONTACTS: self._targets[CONTACTS].topic,
            AGENTS: self._targets[AGENTS].topic,
        }[planned.stream]
        number = partition_of(planned.key or b"", self.shape.partitions)
        self._write((topic, number), [(planned.key, planned.value, planned.headers)])

    def _tick(self) -> None:
        value = codec.encode(Tick(time=self._now_ms))
        for stream in (CONTACTS, AGENTS):
            for number in range(self.shape.partitions):
                self._write((self._targets[stream].topic, number), [(None, value, ())])

    def _write(self, at: At, rows: Iterable[Written]) -> None:
        log = self.logs.setdefault(at, [])
        log += [
            Record(*at, offset, self._now_ms, key, value, tuple(headers))
            for offset, (key, value, headers) in enumerate(rows, len(log))
        ]

    def _work(self) -> None:
        """Every stage takes what is new and says what has changed."""
        for spec in self._specs:
            for number in range(self.shape.partitions):
                at = (spec.topic, number)
                shard, stage = self._shards[at], self._stages[at]
                new = self.logs.get(at, [])[shard.next or 0 :]
                if new:
                    shard.absorb(new)
                for seal in shard.take_seals():
                    self._send([*seal.outputs, *seal.results])
                    if spec.changelog:
                        self._keep((spec.changelog, number), [*seal.ahead, *seal.entities])
                    self.committed[at] = seal.commit
                self._send(stage.publish())

    def _keep(self, at: At, entities: Sequence[Entity]) -> None:
        self._write(at, [(e.key, e.value, e.headers) for e in entities])

    def _send(self, outputs: Sequence[Output]) -> None:
        for (topic, number), some in groupby(outputs, key=self._place):
            self._write((topic, number), [(o.key, o.value, o.headers) for o in some])

    def _place(self, output: Output) -> At:
        target = self._targets[output.stream]
        if output.partition is not None:
            return target.topic, output.partition
        return target.topic, crc32(output.key or b"") % target.partitions
