"""A process that owns, or owned, one partition of one stage: what Faust and the runtime's loop do.

The owner, its shard and its stage are the real ones, with the producers of ``steps``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from streams.core.shard import Jump
from streams.core.source import Record
from streams.runtime.letters import ID_HEADER
from streams.runtime.owner import Lost, Owner
from streams.runtime.writing import Writer
from tests.simulation.kafka import Place
from tests.simulation.steps import Fence, Network

if TYPE_CHECKING:
    from tests.simulation.world import World

Part = tuple[str, int]
"""Stage and partition."""
READS = {
    "ingest": "raw", "contacts": "contact-events", "staff": "agent-events",
    "customers": "records", "board": "partials",
}  # fmt: skip
"""Stage -> the topic it reads, in the order of the flow."""
PENDING_SEGMENTS = 4


class Seat:
    """A process that owns (or owned) one partition of one stage."""

    def __init__(self, world: World, part: Part) -> None:
        self.world = world
        self.part = part
        self.place: Place = (READS[part[0]], part[1])
        self.changelog = f"changelog-{part[0]}" if part[0] != "ingest" else None
        self.network = Network(world.loop)
        self.generation = world.kafka.next_generation(self.place)
        self.alive = True
        self.fetch = 0
        self.write_task: Any = None
        self.owner = self._own()
        self._takeover = self._take_over()

    def _own(self) -> Owner:
        world, rules = self.world, self.world.rules
        writer = Writer(rules.producer(world.kafka, self.network))
        owner = rules.owner(
            world.make(self.part), *self.place, segment_size=world.plan.segment_size,
            changelog=self.changelog, targets=world.targets, plain=writer,
            fence=self._fence, commit=self._commit, letters=rules.letters(self._said),
            generation=self.generation,
        )  # fmt: skip
        if self.changelog is not None:
            owner.fence = self._fence()  # shuts out the owner before at this instant
        owner.shard = rules.shard(owner.stage, owner.shard.segments)
        return owner

    def _fence(self) -> Writer:
        name = f"{self.place}" if self.world.rules.fenced else f"{self.place} {self.generation}"
        return Writer(Fence(self.world.kafka, self.network, name))

    async def _said(self, since_ms: int) -> set[bytes]:
        log = self.world.kafka.log("dlq", 0)
        look = lambda: {dict(r.headers)[ID_HEADER] for r in log.decided()}  # noqa: E731
        return set(await self.network.ask((self, "letters"), look))

    async def _commit(self, owner: Owner, offset: int) -> bool:
        """As ``Assignment.commit``: refused by a rebalance after which the shard is kept, it is
        asked once more."""
        while True:
            generation = owner.generation
            if await self._ask_to_commit(offset, generation):
                return True
            if owner.shard.dead or owner.generation == generation:
                return False

    async def _ask_to_commit(self, offset: int, generation: int) -> bool:
        checked = generation if self.world.rules.commits_checked else None
        commit = self.world.kafka.commit
        answer = self.network.ask((self, "commit"), lambda: commit(self.place, offset, checked))
        return bool(await answer)

    @property
    def started(self) -> bool:
        return self.owner.shard.next is not None

    def _take_over(self) -> Iterator[None]:
        """Fenced already; then the sentinel, the commit, the changelog, and off we go."""
        kafka = self.world.kafka
        if self.changelog is not None:
            kafka.append((self.changelog, self.part[1]), [(b"", b"", ())])
        yield
        committed = kafka.offsets.get(self.place, 0)
        yield
        if self.changelog is not None:
            log = kafka.log(self.changelog, self.part[1])
            half = log.end // 2
            self.owner.stage.restore(r for r in log.read(0) if r.offset < half)
            yield
            self.owner.stage.restore(log.read(half))
        self.owner.start(committed)
        self.fetch = committed

    def keep(self) -> None:
        """What a mutant does instead of dropping the shard: a new generation, the old state.  The
        consumer goes on from the commit, as it does after every assignment."""
        kafka = self.world.kafka
        self.generation = self.owner.generation = kafka.next_generation(self.place)
        self.owner.fence = self._fence()
        self.fetch = max(self.fetch, kafka.offsets.get(self.place, 0))
        self.owner.shard.next = self.fetch

    def stay(self) -> None:
        """The exactly next generation, the same owner: it goes on as it is, and is given again what
        it has not committed."""
        kafka = self.world.kafka
        self.generation = self.owner.generation = kafka.next_generation(self.place)
        self.fetch = kafka.offsets.get(self.place, 0)

    # -- work

    def step(self) -> None:
        """The next step of taking over."""
        next(self._takeover, None)

    def absorb(self, count: int) -> None:
        """One fetched batch, unless the shard waits for its writes."""
        owner, room = self.owner, PENDING_SEGMENTS * self.world.plan.segment_size
        if not self.started:
            self.step()
        elif self.alive and not owner.shard.dead and owner.pending <= room and not owner.still:
            records = self.world.kafka.log(*self.place).read(self.fetch, count)
            if records:
                self.fetch = records[-1].offset + 1
                self._absorb(records)

    def _absorb(self, records: Sequence[Record]) -> None:
        while True:
            try:
                self.owner.shard.absorb(records)
            except Jump as jump:
                there = self.world.kafka.log(*self.place).read(jump.expected, 1)
                if there and there[0].offset == jump.got:
                    self.owner.shard.allow_jump(jump.got)
                    continue
                self.fetch = jump.expected
            return

    def write(self, choice: int = 0) -> None:
        """Begin to write what changed, or have the next request of the write arrive."""
        if not self.alive:
            return
        if not self.started:
            self.step()
        elif self.write_task is None:
            self.write_task = self.world.loop.begin(self.owner.write())
        elif self.network.requests:
            self.network.deliver(choice)
        self._look()

    def fail(self, choice: int, applied: bool) -> None:
        """A request fails, or only its answer is lost."""
        if self.network.requests:
            self.network.fail(choice, applied)
            self._look()

    def _look(self) -> None:
        """What the runtime does when a write has ended."""
        task = self.write_task
        if task is None or not task.done():
            return
        self.write_task = None
        error = task.exception()
        if error is None or isinstance(error, Lost) or self.owner.shard.dead:
            return
        if isinstance(error, AssertionError | TypeError | KeyError | AttributeError):
            raise error  # a bug of ours, and not bad luck
        if self.world.rules.ends_on_failure:
            self.end()

    def end(self) -> None:
        """The process ends itself; if it is the owner, somebody else takes over."""
        self.die(0)
        if self.world.owners[self.part] is self:
            self.world.take(self.part)

    def die(self, arrives: int) -> None:
        self.alive = False
        for choice in range(arrives):
            if self.network.requests:
                self.network.deliver(choice, heard=False)
        self.network.requests.clear()

    def told(self) -> None:
        """A zombie hears that it has lost the partition."""
        self.owner.die()

    def flush(self, luck: Random | None = None) -> None:
        """Finish the write that is under way, then write what has changed since."""
        for _ in range(2 if self.write_task else 1):
            self.write()
            while self.alive and self.write_task is not None:
                assert self.network.requests, "a write waits for nothing"
                self.write(luck.randrange(100) if luck else 0)

    def work_to_the_end(self) -> bool:
        """Everything there is, absorbed and written; False if the process has died of it."""
        if self.owner.shard.dead:  # nobody's: what the worker ends itself for
            self.alive = False
            self.world.take(self.part)
            return False
        while not self.started:
            self.step()
        self.fetch = self.owner.shard.next or 0  # whoever reads nothing for long reads again
        log = self.world.kafka.log(*self.place)
        while self.alive and log.read(self.fetch, 1):
            self.absorb(1_000)
            self.flush()
        self.flush()
        return self.alive
