"""What this worker owns, through rebalances.

When partitions are being taken away nothing is dropped yet: shards are *held*, nobody begins to
write.  When the group has a new generation, a shard whose partition stays here is kept if that
generation is exactly the next one: nobody else can have owned it in between.  All others are
dropped whole, and what is assigned is taken anew: fence the earlier owner, append a sentinel to
the changelog (its last offset would otherwise be a transaction marker, which is never delivered,
and recovery would wait for it for ever), read the committed offset, restore, start at the commit.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from time import monotonic
from typing import Any

from streams.runtime.ends import LogReader
from streams.runtime.losses import Losses
from streams.runtime.owner import Owner
from streams.runtime.stages import StageSpec
from streams.runtime.writing import Writer, settled

log = logging.getLogger("streams")
At = tuple[str, int]
"""Topic and partition."""
QUIET_SECONDS = 2.0
"""How long a kept shard may take to end a write before it is dropped after all: the group is
waiting for us."""
COMMIT_TRIES = 3
COMMIT_PAUSE_SECONDS = 1.0


class Assignment:
    """The owners of this worker's partitions, and whether they may work.

    ``own`` makes the owner of a source partition for a generation; ``commit`` sends one offset and
    returns whether the group took it.
    """

    def __init__(
        self,
        specs: dict[str, StageSpec],
        own: Callable[[str, int, int], Owner],
        losses: Losses,
        background: Callable[[Coroutine[Any, Any, Any]], None],
    ) -> None:
        self.owners: dict[At, Owner] = {}
        self.rebalances = 0
        self.given_up: Counter[tuple[str, ...]] = Counter()
        """What shards that are not ours any more had counted."""
        self.restored = False
        self._specs = specs
        self._own = own
        self._losses = losses
        self._background = background
        self._ended = asyncio.Event()
        self._steady = asyncio.Event()
        self._changelog_ends: dict[At, int] = {}

    # -- rebalance

    def hold(self) -> None:
        """A rebalance has begun: no new writes, and no commits, until we know what stays."""
        self.restored = False
        self._steady.clear()

    async def take(
        self, assigned: Iterable[At], generation: int, plain: Writer, logs: LogReader
    ) -> None:
        """The group has a new generation, and these source partitions are ours in it."""
        began = monotonic()
        self.hold()
        self.rebalances += 1
        if self._ended.is_set() or generation < 0:  # the group has given us up again meanwhile
            self.drop_all()
            return
        mine = sorted(at for at in assigned if at[0] in self._specs)
        kept = await self._keep(mine, generation)
        taken = {at: self._own(*at, generation) for at in mine if at not in kept}
        await asyncio.gather(*(o.take_over() for o in taken.values() if o.changelog))
        await self._write_sentinels(taken.values(), plain)
        await self._find_starts(taken, logs)
        await self._remember_ends(kept, logs)
        if self._ended.is_set():
            for owner in taken.values():
                self._give_up(owner)
            return
        self.owners = {at: kept[at] for at in kept if at in self.owners} | taken
        log.info(
            "rebalance: generation %d, %d partitions kept, %d fenced in %.2f s",
            generation,
            len(kept),
            len(taken),
            monotonic() - began,
        )

    async def _keep(self, mine: list[At], generation: int) -> dict[At, Owner]:
        """The shards that may live on, quiet: none of them is writing any more."""
        stays = {
            at: owner
            for at, owner in self.owners.items()
            if at in mine and _outlives(owner, generation)
        }
        self.drop([at for at in self.owners if at not in stays])
        for owner in stays.values():
            owner.generation = generation
        self._steady.set()
        quiet = await asyncio.gather(*(o.quiet(QUIET_SECONDS) for o in stays.values()))
        self.drop(at for at, is_quiet in zip(stays, quiet, strict=True) if not is_quiet)
        return {at: owner for at, owner in stays.items() if at in self.owners}

    async def _write_sentinels(self, owners: Iterable[Owner], plain: Writer) -> None:
        sent: list[tuple[Owner, Any]] = []
        for owner in owners:
            if owner.changelog:
                key = self._losses.sentinel(owner.topic, owner.changelog)
                (future,) = await plain.send(owner.changelog, owner.partition, [(key, b"", ())])
                sent.append((owner, future))
        await settled([future for _, future in sent])
        for owner, future in sent:
            owner.sentinel = future.result().offset

    async def _find_starts(self, taken: dict[At, Owner], logs: LogReader) -> None:
        changelogs = [(o.changelog, o.partition) for o in taken.values() if o.changelog]
        committed, spans = await asyncio.gather(logs.committed(), logs.spans([*taken, *changelogs]))
        for at, owner in taken.items():
            if owner.changelog:
                log_at = (owner.changelog, owner.partition)
                self._losses.changelog(log_at, spans[log_at])
                owner.restored_to = spans[log_at].first
            owner.committed = self._losses.start(
                at,
                committed.get(at),
                spans[at],
                segments=owner.shard.segments if owner.stage.by_segment else None,
                note=self._losses.note(owner.topic, owner.changelog),
            )

    async def _remember_ends(self, kept: dict[At, Owner], logs: LogReader) -> None:
        at = [(o.changelog, o.partition) for o in kept.values() if o.changelog]
        self._changelog_ends = await logs.ends(at) if at else {}

    def restored_until(self, changelog: str, partition: int) -> int | None:
        """The last offset of a changelog that need not be read: its shard was kept."""
        end = self._changelog_ends.get((changelog, partition))
        return None if end is None else end - 1

    def drop(self, which: Iterable[At]) -> None:
        """Nothing touches these shards any more."""
        for at in which:
            owner = self.owners.pop(at, None)
            if owner is not None:
                self._give_up(owner)

    def _give_up(self, owner: Owner) -> None:
        owner.die()
        self.given_up.update(owner.counted())
        self._background(_quietly(owner.close()))

    def drop_all(self) -> None:
        self.restored = False
        self.drop(list(self.owners))
        self._steady.set()

    def end(self) -> None:
        """The worker stops: nothing is taken any more."""
        self._ended.set()
        self.drop_all()

    # -- commits

    async def commit(
        self, owner: Owner, offset: int, current: Callable[[], int], send: CommitOffset
    ) -> bool:
        """Commit for ``owner``, in the generation it belongs to.

        A refusal usually announces a rebalance: what comes of it is waited for, and a kept shard
        commits again.
        """
        for _ in range(COMMIT_TRIES):
            await self._steady.wait()
            if owner.shard.dead or owner.generation != current():
                return False
            note = self._losses.note(owner.topic, owner.changelog)
            if await send((owner.topic, owner.partition), offset, note):
                return True
            await asyncio.sleep(COMMIT_PAUSE_SECONDS)
        return False


CommitOffset = Callable[[At, int, str], Awaitable[bool]]
"""``(place, offset, note) -> taken``."""


def _outlives(owner: Owner, generation: int) -> bool:
    started = owner.shard.next is not None
    return started and not owner.shard.dead and owner.generation + 1 == generation


async def _quietly(closing: Awaitable[None]) -> None:
    try:
        await closing
    except Exception as error:
        log.debug("closing a dead shard: %s", type(error).__name__)
