"""One owned partition of one stage: its shard, its fence and the only code that writes and commits
for it.

The order of a write (delivery rules 1 to 4): outputs by the plain producer, segment by segment,
acknowledged; then results and entities in one transaction of the fenced producer; then the offset,
in the generation that read the events. Anything that fails in between ends the shard, and the
worker with it: state is exact again after a restart.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from time import monotonic, perf_counter
from typing import Any, NamedTuple
from zlib import crc32

from streams.core.segment import Segments
from streams.core.shard import Shard
from streams.runtime.failpoints import Reach, nowhere
from streams.runtime.letters import STREAM as LETTERS
from streams.runtime.letters import Letters
from streams.runtime.writing import Target, Writer, Written, settled
from streams.stages.base import Entity, Output, Seal, Stage

Commit = Callable[["Owner", int], Awaitable[bool]]
"""``(owner, offset) -> done``; refuses when the owner's generation is over."""


_COUNTED = {
    "events": "events_read",
    "records": "events_read",
    "duplicates": "events_duplicate",
    "late": "events_late",
    "late.schedule": "events_late",
    "forgotten": "entities_forgotten",
    "sums_late": "sums_late",
    "keys_refused": "keys_refused",
    "target_minutes_skipped": "target_minutes_skipped",
}
"""Counter of a stage -> field of ``WorkerView``."""


class Limits(NamedTuple):
    """How often what happens, in ms (``tick_ms`` 0: never), and how many dead letters in a row stop
    the worker (0: never)."""

    publish_ms: int
    tick_ms: int
    letters_in_a_row_max: int


RESULTS_MAX = 5_000
"""Results in one transaction, and made in one go: some 50 ms."""
SAVED_SECONDS_MAX = 0.1
"""What boards may have saved: the turn of a minute makes many results at once."""


class Purse:
    """Time to compute, earned as a share of the time that passes and saved up to a bound."""

    def __init__(self) -> None:
        self.filled_at = 0.0
        """From when on there is something in it again."""
        self._saved_seconds = SAVED_SECONDS_MAX
        self._at = 0.0

    def spend(self, seconds: float, share: float, now: float) -> None:
        """Spend what was used until ``now``."""
        earned = (now - self._at) * share
        saved = min(SAVED_SECONDS_MAX, self._saved_seconds + earned) - seconds
        self._saved_seconds, self._at = saved, now
        self.filled_at = now + max(0.0, -saved) / share


class Lost(Exception):
    """The partition is not ours any more; what was being written loses by its position."""


class Owner:
    """See the module.  ``fence`` makes the shard's producer.  ``changelog`` None: the stage keeps
    nothing, so it is fenced only when it has a dead letter to write."""

    def __init__(
        self,
        stage: Stage,
        topic: str,
        partition: int,
        *,
        segment_size: int,
        changelog: str | None,
        targets: Mapping[str, Target],
        plain: Writer,
        fence: Callable[[], Writer],
        commit: Commit,
        letters: Letters,
        generation: int,
        reach: Reach = nowhere,
    ) -> None:
        self.stage = stage
        self.topic = topic
        self.partition = partition
        self.changelog = changelog
        self.generation = generation
        self.shard: Shard[Seal] = Shard(stage, Segments.of(segment_size, partition))
        self.committed: int | None = None
        self.fence: Writer | None = None
        self.room = asyncio.Event()
        self.room.set()
        self.seals_written = 0
        self.publishes_written = 0
        self.rereads = 0
        self.sought_at = 0.0
        self.moved_at = 0.0
        self.slices_written = 0
        """Runs of results: what shows that a long write moves."""
        self.still = False
        """Results are being made of what is absorbed: nothing may be added to it."""
        self.restored_to = 0
        """The next offset of the changelog to restore."""
        self.sentinel = -1
        """The offset of the changelog's last record at takeover."""
        self.called = False
        """A board's next write is on the clock."""
        self.died_at = 0.0
        self._targets = targets
        self._plain = plain
        self._commit = commit
        self._make_fence = fence
        self._letters = letters
        self._reach = reach
        self._busy_seconds = 0.0
        self._publishing, self._sealing = asyncio.Lock(), asyncio.Lock()

    @property
    def absorbed(self) -> int | None:
        """The next offset to take, once started."""
        return self.shard.next

    @property
    def pending(self) -> int:
        """Records absorbed and not yet covered by a commit; what back-pressure counts."""
        return (
            0
            if self.shard.next is None or self.committed is None
            else self.shard.next - self.committed
        )

    @property
    def restored(self) -> bool:
        """Whether the changelog was read up to where it ended at takeover."""
        return self.restored_to > self.sentinel

    def counted(self) -> Counter[tuple[str, ...]]:
        """What this shard has counted, as (field of ``WorkerView``, labels)."""
        stage = self.stage
        counts: Counter[tuple[str, ...]] = Counter()
        for name, count in list(stage.counts.items()):
            if name.startswith("rejected."):
                counts["events_rejected", stage.name, name.removeprefix("rejected.")] += count
            elif name.startswith("target."):
                counts["target_events", name.removeprefix("target.")] += count
            elif name in _COUNTED:
                counts[_COUNTED[name], stage.name] += count
        counts["seals", stage.name] += self.seals_written
        counts["publishes", stage.name] += self.publishes_written
        return counts

    def start(self, committed: int) -> None:
        self.committed = committed
        self.shard.start(committed)

    def die(self) -> None:
        """Nothing touches the shard from now on; a write in flight stops before its next step."""
        self.shard.dead = True
        self.died_at = self.died_at or monotonic()
        self.room.set()

    async def take_over(self) -> None:
        """Shut out every earlier owner, and abort what it left open."""
        self.fence = self._make_fence()
        await self.fence.start()

    async def quiet(self, seconds: float) -> bool:
        """Wait for a write in flight to end, so long; whether the shard still lives after it."""
        try:
            async with asyncio.timeout(seconds), self._publishing, self._sealing:
                return not self.shard.dead
        except TimeoutError:
            return False

    async def write(self) -> float | None:
        """Publish what changed and write what is sealed; for how many seconds computing held the
        loop.  One at a time: a call while one runs returns at once, with None.  Only a segment's
        seal, whose outputs are out already, does not keep the next publish waiting."""
        lock = self._publishing if self.stage.by_segment else self._sealing
        if lock.locked() or self.shard.dead or self.shard.next is None:
            return None
        async with self._publishing:
            began = perf_counter()
            seals = self.shard.take_seals()
            running = self.stage.publish()
            self._busy_seconds = perf_counter() - began
            self.still = not self.stage.by_segment and bool(seals)
            await self._send_outputs([*(o for seal in seals for o in seal.outputs), *running])
            if not self.stage.by_segment:
                return await self._write_seals(seals)
        return await self._write_seals(seals)

    async def _write_seals(self, seals: Sequence[Seal]) -> float:
        if seals:
            async with self._sealing:  # in the order of their outputs: a lock serves who came first
                for seal in seals:
                    await self._write_seal(seal)
                self._stir()
        return self._busy_seconds

    async def _write_seal(self, seal: Seal) -> None:
        self._check()
        if seal.ahead:
            await self._transact_ahead(seal.ahead)
        results = iter(seal.results)
        first = self._slice(results)
        if first or seal.entities:
            await self._transact(results, first, seal)
            self._check()
        if not await self._commit(self, seal.commit):
            self.die()  # the seals behind this one are taken and would never be written
            raise Lost(f"commit of {self.topic}[{self.partition}] refused")
        self.committed = seal.commit
        self.seals_written += 1
        self._reached("commit")

    def _slice(self, results: Iterator[Output]) -> list[Output]:
        began = perf_counter()
        taken = list(islice(results, RESULTS_MAX))
        self._busy_seconds += perf_counter() - began
        self.slices_written += 1
        if len(taken) < RESULTS_MAX:
            self._stir()
        return taken

    def _stir(self) -> None:
        """All results are made: the stage may go on."""
        self.still = False
        self.room.set()

    async def _transact(self, results: Iterator[Output], first: list[Output], seal: Seal) -> None:
        """Results and entities together.  Results too many for the time one transaction may take,
        or the loop may be held, follow in further ones, before the commit: entities newer than the
        commit make the next owner say their results again, and say nothing older."""
        assert self.fence is not None, "only a fenced shard has entities"
        async with self.fence.producer.transaction():
            sent = await self._hand_over(self.fence, first)
            self._reached("results")
            if seal.entities:
                sent += await self._hand_over_entities(seal.entities)
                self._reached("entities")
            await settled(sent)
        self._reached("transaction")
        while len(first) == RESULTS_MAX and (first := self._slice(results)):
            self._check()
            async with self.fence.producer.transaction():
                await self._send(self.fence, first)

    async def _transact_ahead(self, entities: Sequence[Entity]) -> None:
        assert self.fence is not None, "only a fenced shard has entities"
        async with self.fence.producer.transaction():
            await settled(await self._hand_over_entities(entities))
        self._reached("ahead")
        self._check()

    async def _hand_over_entities(self, entities: Sequence[Entity]) -> list[Any]:
        assert self.fence is not None
        assert self.changelog is not None
        rows: Iterable[Written] = ((e.key, e.value, e.headers) for e in entities)
        return list(await self.fence.send(self.changelog, self.partition, rows))

    async def _send_outputs(self, outputs: Sequence[Output]) -> None:
        if not outputs:
            return
        letters = [output for output in outputs if output.stream == LETTERS]
        others = [o for o in outputs if o.stream != LETTERS] if letters else outputs
        if others:
            await self._send(self._plain, others)
        self._reached("outputs")
        self._check()
        if letters:
            await self._send_letters(letters)
        self.publishes_written += 1

    async def _send_letters(self, letters: Sequence[Output]) -> None:
        if self.fence is None:
            await self.take_over()
            self._check()
        assert self.fence is not None
        unsaid = await self._letters.unsaid(letters)
        self._check()
        if unsaid:
            async with self._sealing, self.fence.producer.transaction():
                await self._send(self.fence, unsaid)
            self._reached("letters")
            self._check()

    async def _send(self, writer: Writer, outputs: Sequence[Output]) -> None:
        await settled(await self._hand_over(writer, outputs))

    async def _hand_over(self, writer: Writer, outputs: Sequence[Output]) -> list[Any]:
        """To the producer; what to wait for."""
        by_partition: dict[tuple[str, int], list[Written]] = {}
        for output in outputs:
            at = self._place(output)
            by_partition.setdefault(at, []).append((output.key, output.value, output.headers))
        sent = await asyncio.gather(*(writer.send(*at, rows) for at, rows in by_partition.items()))
        return [future for futures in sent for future in futures]

    def _place(self, output: Output) -> tuple[str, int]:
        target = self._targets[output.stream]
        if output.partition is not None:
            return target.topic, output.partition
        return target.topic, crc32(output.key or b"") % target.partitions

    def _reached(self, step: str) -> None:
        self._reach(self.stage.name, step)

    def _check(self) -> None:
        if self.shard.dead:
            raise Lost(f"{self.topic}[{self.partition}] was taken away")

    async def close(self) -> None:
        if self.fence is not None:
            await self.fence.stop()
