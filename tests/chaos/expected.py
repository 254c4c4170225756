"""What must have come of the topics that were read: the real stages, folded offline, undisturbed.

A stage is a function of its log.  So what a worker has written, however often it was killed, must
be what its stage makes of the same log in one go: the last share of each segment, each version of
each entity, each dead letter, each result.  (``checks.counts`` counts once more, without a stage.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import orjson

from streams.core.measure import Amounts, CutKey
from streams.core.partials import Mark, Partial
from streams.core.segment import Segments
from streams.core.shard import Jump, Shard
from streams.core.source import Record
from streams.deployment import Deployment
from streams.runtime.app import shape_of
from streams.runtime.stages import Shape, StageSpec, stage_specs, targets
from streams.settings import Settings
from streams.stages import wire
from streams.stages.base import Entity, Output, Seal, Stage
from streams.stages.board import BoardStage
from streams.stages.keyed import HEAD, POSITION_HEADER
from streams.worker_process import Flags, settings_of
from tests.chaos.load import FLAGS

Running = tuple[str, int, CutKey, int]
"""(Origin, segment, cut key, minute)."""
LETTER_ID, LETTER_REASON = "cc_dlq_id", "cc_dlq_reason"


def settings_for(deployment: Deployment, flags: Flags = FLAGS) -> Settings:
    """The settings of the deployment's workers; ``flags`` say what a deployment leaves open."""
    return settings_of(
        {
            **flags,
            "kafka.bootstrap": deployment.bootstrap,
            "kafka.prefix": deployment.prefix,
            "kafka.app_id": deployment.group,
            "kafka.partitions": deployment.partitions,
        },
        True,
    )


def position_of(entity: Entity | Record) -> int | None:
    """Of a changelog record; None for what is none (a sentinel)."""
    if entity.value:
        position: int = HEAD.unpack_from(entity.value)[0]
        return position
    told = dict(entity.headers).get(POSITION_HEADER)
    return None if told is None else int(told)


class Versions:
    """Every version of every entity of one stage.  Contents are kept as hashes: there are many."""

    def __init__(self) -> None:
        self.latest: dict[tuple[int, bytes], int] = {}
        """(Partition, key) -> its highest position."""
        self._contents: dict[int, int] = {}

    def take(self, partition: int, entities: Sequence[Entity]) -> None:
        for entity in entities:
            position = position_of(entity)
            assert position is not None, "a stage writes no sentinels"
            at = (partition, entity.key)
            self.latest[at] = max(position, self.latest.get(at, -1))
            self._contents[hash((*at, position))] = hash(entity.value)

    def has(self, partition: int, key: bytes, position: int) -> bool:
        """Whether the entity ever stood there at the end of a segment."""
        return hash((partition, key, position)) in self._contents

    def equals(self, partition: int, key: bytes, position: int, content: int) -> bool:
        """Whether the hash of its value was this then."""
        return self._contents.get(hash((partition, key, position))) == content


class Folded:
    """All partitions of one stage."""

    def __init__(
        self, spec: StageSpec, shape: Shape, deliver: Callable[[str, Output], None]
    ) -> None:
        self.name = spec.name
        self.topic = spec.topic
        self.by_segment = spec.make(0).by_segment
        """Whether it is sealed at the borders of segments only."""
        self.stages: list[Stage] = [spec.make(number) for number in range(shape.partitions)]
        self.versions = Versions()
        self.cells: dict[tuple[int, bytes], bytes | None] = {}
        """The board's entities as they stand."""
        self.ends = [0] * shape.partitions
        self._shards = [
            Shard[Seal](stage, Segments.of(shape.segment_size, number))
            for number, stage in enumerate(self.stages)
        ]
        self._deliver = deliver
        for shard in self._shards:
            shard.start(0)

    def take(self, records: Sequence[Record]) -> None:
        """Records of one partition, in order; what comes of whole segments is delivered."""
        if not records:
            return
        partition = records[0].partition
        shard = self._shards[partition]
        while True:
            try:
                shard.absorb(records)
                break
            except Jump as jump:  # markers of a transaction that a foreign producer made
                shard.allow_jump(jump.got)
        self.ends[partition] = records[-1].offset + 1
        if self.by_segment:
            self._sealed(partition)

    def flow(self) -> None:
        """Deliver what the running segments have come to."""
        for partition, stage in enumerate(self.stages):
            self._sealed(partition)
            for output in stage.publish():
                self._deliver(self.name, output)

    def _sealed(self, partition: int) -> None:
        for seal in self._shards[partition].take_seals():
            for output in (*seal.outputs, *seal.results):
                self._deliver(self.name, output)
            if isinstance(self.stages[partition], BoardStage):
                self.cells.update({(partition, e.key): e.value for e in seal.entities})
            else:
                self.versions.take(partition, seal.entities)


class Expected:
    """Feed it what was read of each topic (``folded[stage].take``), then ``flow``, then compare."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.topics = {stream: target.topic for stream, target in targets(shape).items()}
        self.folded = {spec.name: Folded(spec, shape, self._deliver) for spec in stage_specs(shape)}
        self.events: Counter[int] = Counter()
        """Hash of (topic, partition, key, value) -> how often ingest says it."""
        self.letters: dict[bytes, tuple[bytes, bytes | None]] = {}
        """Id -> (reason, value)."""
        self.partials: dict[Running, tuple[int, Amounts]] = {}
        """The last share of each segment: (position, amounts)."""
        self.registers: dict[tuple[str, CutKey], Amounts] = {}
        self.marks: dict[str, int] = {}
        self.records: dict[tuple[str, str], bytes] = {}
        """(Customer, contact) -> the last contact record."""
        self.results: dict[bytes, bytes | None] = {}
        """Key -> the last result, None where it was taken back."""

    @classmethod
    def of(cls, settings: Settings) -> Expected:
        return cls(shape_of(settings))

    @property
    def boards(self) -> list[BoardStage]:
        return [s for s in self.folded["board"].stages if isinstance(s, BoardStage)]

    def flow(self) -> None:
        """Bring everything up to what was taken."""
        for folded in self.folded.values():
            folded.flow()

    def _deliver(self, stage: str, output: Output) -> None:
        if output.stream == "partials":
            self._partial(output)
        elif output.stream.startswith("kpi."):
            assert output.key is not None
            self.results[output.key] = output.value
        elif output.stream == "dlq":
            headers = dict(output.headers)
            self.letters[headers[LETTER_ID]] = (headers[LETTER_REASON], output.value)
        elif output.stream == "records":
            self._record(output)
        else:
            self.events[self.event(output)] += 1

    def event(self, output: Output) -> int:
        return hash((self.topics[output.stream], output.partition, output.key, output.value))

    def _partial(self, output: Output) -> None:
        assert output.value is not None
        told = wire.decode(output.value)
        if isinstance(told, Partial):
            at = (told.origin, told.segment, told.cut, told.minute)
            self.partials[at] = (told.position, told.amounts)
        elif isinstance(told, Mark):
            self.marks[told.origin] = told.mark_ms
        else:
            self.registers[told.origin, told.cut] = told.values

    def _record(self, output: Output) -> None:
        assert output.value is not None
        told = told_of(output.value)
        self.records[told["customer"], told["contact"]] = output.value


def told_of(value: bytes) -> Mapping[str, str]:
    """What a contact record says."""
    told: Mapping[str, str] = orjson.loads(value)
    return told
