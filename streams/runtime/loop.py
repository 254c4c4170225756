"""The one loop: owned partitions, batches in, timed writes out.

What happens at a rebalance is in ``assignment``.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Coroutine, Sequence
from functools import partial
from time import monotonic
from typing import Any

import faust
from faust.types import TP

from streams.core.shard import Jump
from streams.errors import StateError
from streams.runtime.assignment import Assignment
from streams.runtime.committing import commit_offset
from streams.runtime.ends import LogReader
from streams.runtime.failpoints import Reach, nowhere
from streams.runtime.fetching import Run
from streams.runtime.letters import ID_HEADER, Letters
from streams.runtime.losses import Losses
from streams.runtime.owner import Limits, Lost, Owner, Purse
from streams.runtime.stages import StageSpec
from streams.runtime.writing import Target, Writer, fenced_writer, plain_writer
from streams.stages.ingest import IngestStage

log = logging.getLogger("streams")
PENDING_SEGMENTS = 4
"""Segments a shard may be ahead of its commit before it waits for its writes."""
BOARD_PENDING_SEGMENTS = 64
"""For a board: it rests between its writes, and keeps no more for being further ahead."""
GATHER_SECONDS = 0.01
EXIT_FAILED = 70
TURN_SECONDS = 0.2
BOARD = "board"
SHARE, SHARE_BEHIND = 0.5, 0.05
"""How much of the time computing results may take, and how much of it while behind."""
BEHIND_RECORDS = 20_000
PUBLISH_BEHIND = 4
"""While behind, sums are sent on at every so many turns only: a third fewer of them in all, because
a sum is not sent each time it has grown."""
REREAD_SECONDS = 2.0
"""How long batches behind a hole may keep coming after we asked to read again."""


def may_wait(owner: Owner, turn: int) -> bool:
    """Whether a worker that is behind puts off this owner's write: of sums, never of a segment that
    is sealed, which back-pressure waits for, or of events."""
    return owner.stage.by_segment and not owner.shard.sealed and turn % PUBLISH_BEHIND != 0


class Runtime:
    """Everything a worker owns; the tables and agents of Faust call into it."""

    def __init__(
        self,
        app: faust.App,
        *,
        bootstrap: str,
        security: dict[str, Any],
        group: str,
        specs: Sequence[StageSpec],
        targets: dict[str, Target],
        segment_size: int,
        limits: Limits,
        losses: Losses,
        reach: Reach = nowhere,
    ) -> None:
        self.app = app
        self.specs = {spec.topic: spec for spec in specs}
        self.ends: dict[tuple[str, int], int] = {}
        """Where the logs end, as of the last look."""
        self.turned_at = monotonic()
        """When the loop last came round."""
        self.turns = 0
        self.stopping = False
        self.losses = losses
        self.assignment = Assignment(self.specs, self._own, losses, self._in_background)
        self._first_table = next(s.name for s in specs if s.changelog)
        self._changelogs = {s.name: s for s in specs if s.changelog}
        self._bootstrap, self._security, self._group = bootstrap, security, group
        self._targets = targets
        self._segment_size = segment_size
        self.limits = limits
        self.plain: Writer
        self.logs: LogReader
        self._reach = reach
        self._purse = Purse()
        """What all boards together may spend."""
        self._started = asyncio.Lock()
        self._running = False
        self._background: set[asyncio.Future[Any]] = set()

    @property
    def owners(self) -> dict[tuple[str, int], Owner]:
        """The shards of this worker, by source partition."""
        return self.assignment.owners

    # -- life

    async def start(self) -> None:
        async with self._started:
            if not self._running:  # made here, because these clients belong to a running loop
                self.plain = plain_writer(self._bootstrap, self._security)
                self.logs = LogReader(self._bootstrap, self._group, self._security)
                await asyncio.gather(self.plain.start(), self.logs.start())
                self._running = True

    async def turn_for_ever(self) -> None:
        """Note that the event loop comes round, whatever it is doing."""
        while True:
            self.turned_at = monotonic()
            await asyncio.sleep(TURN_SECONDS)

    async def stop(self) -> None:
        """Write what changed once more, then let go; whatever this misses, a replay brings."""
        self.stopping = True
        if self._running:
            last = [asyncio.ensure_future(self._write(o)) for o in self.owners.values()]
            if last:
                await asyncio.wait(last, timeout=5)
            self.assignment.end()
            await asyncio.gather(self.plain.stop(), self.logs.stop(), return_exceptions=True)

    def fail(self, error: BaseException) -> None:
        """End the worker now.  State is exact after a restart; going on would not be."""
        log.critical("worker ends: %s: %s", type(error).__name__, error, exc_info=error)
        logging.shutdown()
        sys.stderr.flush()
        os._exit(EXIT_FAILED)

    # -- rebalance

    async def on_rebalance(self, stage: str, assigned: set[TP], generation: int) -> None:
        if stage != self._first_table:
            return  # Faust tells every table; once is enough
        try:
            await self.start()
            recovery = self.app.tables.recovery  # type: ignore[attr-defined]
            for tp in list(recovery.active_offsets):  # read again, but for what ``kept_until`` says
                recovery.revoke(tp)
            places = [(tp.topic, tp.partition) for tp in assigned]
            await self.assignment.take(places, generation, self.plain, self.logs)
        except Exception as error:
            self.fail(error)

    def kept_until(self, changelog: str, partition: int) -> int | None:
        return self.assignment.restored_until(changelog, partition)

    def _own(self, topic: str, partition: int, generation: int) -> Owner:
        spec = self.specs[topic]
        return Owner(
            spec.make(partition),
            topic,
            partition,
            segment_size=self._segment_size,
            changelog=spec.changelog,
            targets=self._targets,
            plain=self.plain,
            fence=lambda: fenced_writer(
                self._bootstrap, self._security, f"{self._group}-{topic}-{partition}"
            ),
            commit=self._commit,
            letters=Letters(self._letters_since),
            generation=generation,
            reach=self._reach,
        )

    async def _letters_since(self, since_ms: int) -> set[bytes]:
        return await self.logs.letters_since(self._targets["dlq"].topic, ID_HEADER, since_ms)

    async def _commit(self, owner: Owner, offset: int) -> bool:
        return await self.assignment.commit(
            owner,
            offset,
            lambda: self.app.consumer_generation_id,
            partial(commit_offset, self.app.consumer),
        )

    # -- restore

    def restore(self, stage: str, partition: int, records: Run) -> None:
        """A piece of a changelog.  The pieces an owner is given must be all there are: around
        rebalances Faust may pass over some."""
        owner = self.owners.get((self._changelogs[stage].topic, partition))
        if owner is None or owner.shard.next is not None:
            return
        if records.since > owner.restored_to:
            self._restore_from(owner)
            return
        self._check_sentinels(owner, records)
        owner.stage.restore(records)
        owner.restored_to = max(owner.restored_to, records.until)

    def _check_sentinels(self, owner: Owner, records: Run) -> None:
        expected = self.losses.sentinel(owner.topic, str(owner.changelog))
        for key in {record.key for record in records if record.value == b""}:
            self.losses.check_sentinel((owner.topic, owner.partition), key or b"", expected)

    def _restore_from(self, owner: Owner) -> None:
        """Read the changelog again from where the owner stands."""
        tp = TP(str(owner.changelog), owner.partition)
        log.warning("%s[%d]: reading again from %d", *tp, owner.restored_to)
        self.app.tables.recovery.active_offsets[tp] = owner.restored_to - 1  # type: ignore[attr-defined]
        self._in_background(self.app.consumer.seek(tp, owner.restored_to))

    async def on_restored(self, stage: str) -> None:
        """Faust has read this stage's changelogs to their ends; streams are still paused."""
        try:
            for owner in list(self.owners.values()):
                if owner.stage.name == stage or owner.changelog is None:
                    await self._begin(owner)
        except Exception as error:
            self.fail(error)
        self.assignment.restored = all(
            owner.shard.next is not None for owner in self.owners.values()
        )

    async def _begin(self, owner: Owner) -> None:
        # Faust also says that a restore is complete which a rebalance has overtaken.
        if owner.shard.next is None and owner.committed is not None and owner.restored:
            owner.start(owner.committed)
            await self.seek(owner)

    async def seek(self, owner: Owner) -> None:
        """Read from where the shard stands.  Faust seeks to commits by itself, but not to offset 0
        and not to where a topic begins that nobody has committed; what it fetched and dropped
        meanwhile would be missing."""
        if owner.shard.next is not None and not owner.shard.dead:
            owner.sought_at = monotonic()
            await self.app.consumer.seek(TP(owner.topic, owner.partition), owner.shard.next)

    # -- records

    async def take(self, event: Any) -> None:
        """One folded batch."""
        message = event.message
        owner = self.owners.get((message.topic, message.partition))
        if owner is None or owner.generation != self.app.consumer_generation_id:
            return
        if message.generation_id != owner.generation:
            return
        try:
            await self._begin(owner)
            if owner.shard.next is not None:
                await self._absorb(owner, event.value)
        except Lost:
            return
        except Exception as error:
            self.fail(error)

    async def _room(self, owner: Owner) -> None:
        segments = BOARD_PENDING_SEGMENTS if owner.stage.name == BOARD else PENDING_SEGMENTS
        while not owner.shard.dead and (
            owner.still or owner.pending > segments * self._segment_size
        ):
            owner.room.clear()
            await owner.room.wait()

    async def _absorb(self, owner: Owner, records: Run) -> None:
        while True:
            await self._room(owner)
            if owner.shard.dead:
                return
            try:
                if owner.shard.absorb(records):
                    owner.moved_at = monotonic()
                    if owner.stage.name == BOARD:
                        self._say_soon(owner)
                self._check_letters(owner)
                return
            except Jump as jump:
                if not await self._legal(owner, jump):
                    return

    def _check_letters(self, owner: Owner) -> None:
        """Better stop than empty a topic into the dead letters after a bad release."""
        stage, most = owner.stage, self.limits.letters_in_a_row_max
        if most and isinstance(stage, IngestStage) and stage.rejected_in_a_row >= most:
            raise StateError(
                f"{owner.topic}[{owner.partition}]: {most} records in a row rejected",
                "when nothing can be used, it is more likely our mistake than theirs",
                "look at the dead letters; processing.dead_letters_consecutive_max is the limit",
            )

    async def _legal(self, owner: Owner, jump: Jump) -> bool:
        """A hole is legal only where the log itself has one (markers of a foreign transaction,
        retention).

        Any other is Faust's: records fetched and dropped around a rebalance.  Nothing behind it is
        absorbed; we read again from where the shard stands.
        """
        at = owner.topic, owner.partition
        found = await self.logs.next_at(*at, jump.expected)
        spans = await self.logs.spans([at]) if found == jump.got else {}
        if owner.shard.dead or owner.shard.next != jump.expected:
            return False
        if at in spans:
            self.losses.passed(at, jump.expected, jump.got, spans[at])
            owner.shard.allow_jump(jump.got)
            return True
        if monotonic() - owner.sought_at > REREAD_SECONDS:
            owner.rereads += 1
            log.warning("%s[%d]: %s; reading again", *at, jump)
            await self.seek(owner)
        return False

    # -- writes

    def write_soon(self) -> None:
        """Begin a write of every owner; who is still busy with the last one is left alone."""
        if not self.assignment.restored:
            return
        behind = self._behind()
        for owner in self.owners.values():
            if owner.stage.name == BOARD:
                self._say_soon(owner)
            elif not (behind and may_wait(owner, self.turns)):
                self._in_background(self._write(owner))

    def _say_soon(self, owner: Owner) -> None:
        """A board says what is new when the partials of all partitions have had the time to come,
        and when it has rested."""
        if not owner.called and owner.shard.unsealed:
            owner.called = True
            wait_seconds = max(GATHER_SECONDS, self._purse.filled_at - monotonic())
            asyncio.get_running_loop().call_later(wait_seconds, self._say, owner)

    def _say(self, owner: Owner) -> None:
        owner.called = False
        if self.assignment.restored and not owner.shard.dead:
            self._in_background(self._write_and_rest(owner))

    def _behind(self) -> bool:
        """So far behind the logs' ends that catching up matters more than saying news at once."""
        lag = sum(
            self.ends.get(at, 0) - (owner.absorbed or 0)
            for at, owner in self.owners.items()
            if owner.stage.name != BOARD
        )
        return lag > BEHIND_RECORDS

    async def _write_and_rest(self, owner: Owner) -> None:
        """What a board says is as much as it has windows, whatever the number of events.  So it
        rests when it has said much: all boards together take no more than their share of the time,
        but for what they have saved."""
        busy_seconds = await self._write(owner)
        if busy_seconds is not None:
            share = SHARE_BEHIND if self._behind() else SHARE
            self._purse.spend(busy_seconds, share, monotonic())
            self._say_soon(owner)

    async def _write(self, owner: Owner) -> float | None:
        try:
            return await owner.write()
        except Lost as lost:
            log.info("write given up: %s", lost)
        except Exception as error:
            if not owner.shard.dead:
                self.fail(error)
        return None

    def _in_background(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
