"""What happens by the clock: publishing, looking at the ends of the logs, ticks, and unsticking.

The clock never enters a result.  It decides when changes are written, and it puts time into the log
as ticks, from where every replay reads the same.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from time import monotonic, time
from typing import Any

from streams import codec
from streams.core.events import Tick
from streams.errors import StateError
from streams.runtime.loop import Runtime
from streams.runtime.owner import Owner
from streams.runtime.writing import settled

log = logging.getLogger("streams")
LOOK_MS = 1_000
"""How often the ends of the logs are looked at when there are no ticks."""
STUCK_SECONDS = 10.0
DEAD_SECONDS = 60.0
TICKING = ("contacts", "staff")


class Rounds:
    """The timed work of one runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._limits = runtime.limits
        self._caught_up_to: dict[tuple[str, int], int] = {}

    async def publish_for_ever(self) -> None:
        """Begin a write of every owner's changes a few times a second."""
        while True:
            await asyncio.sleep(self._limits.publish_ms / 1000)
            self._runtime.turns += 1
            self._check_the_dead()
            self._runtime.write_soon()

    def _check_the_dead(self) -> None:
        """A shard dies when its partition is going elsewhere; if no rebalance follows, nobody has
        it, and only a restart helps."""
        for (topic, partition), owner in self._runtime.owners.items():
            if owner.died_at and monotonic() - owner.died_at > DEAD_SECONDS:
                self._runtime.fail(
                    StateError(
                        f"{topic}[{partition}] is not ours and nobody else's",
                        f"its last write was refused {DEAD_SECONDS:.0f} s ago; no rebalance came",
                        "restart the worker",
                    )
                )

    async def tick_for_ever(self) -> None:
        """Follow the ends of the logs and write time into the owned event partitions."""
        await self._runtime.start()
        while True:
            await asyncio.sleep((self._limits.tick_ms or LOOK_MS) / 1000)
            try:
                await self._look_at_ends()
                if self._limits.tick_ms and self._caught_up():
                    await self._tick()
            except StateError as error:
                self._runtime.fail(error)
            except Exception as error:  # a broker that does not answer: the next round asks again
                log.warning("no tick: %s", type(error).__name__)

    async def _look_at_ends(self) -> None:
        runtime = self._runtime
        self._caught_up_to = dict(runtime.ends)
        absorbed = {at: owner.absorbed or 0 for at, owner in runtime.owners.items()}
        if absorbed:
            runtime.ends = await runtime.logs.ends(absorbed)
        for at, end in runtime.ends.items():
            runtime.losses.shrunk(at, absorbed[at], end)
        for at, owner in list(runtime.owners.items()):
            if runtime.assignment.restored and self._stuck(owner, self._caught_up_to.get(at, 0)):
                owner.rereads += 1
                log.warning("%s[%d]: nothing read for a while; reading again", *at)
                await runtime.seek(owner)

    def _stuck(self, owner: Owner, end: int) -> bool:
        """Records are there, the shard has room, and none has come for long."""
        quiet_since = max(owner.moved_at, owner.sought_at)
        behind = owner.absorbed is not None and owner.absorbed < end
        return behind and owner.room.is_set() and monotonic() - quiet_since > STUCK_SECONDS

    def _caught_up(self) -> bool:
        """No backlog: everything that was in the raw logs a tick ago is absorbed.

        While there is one, time is told by the events themselves; a tick of the present would close
        windows and give up contacts whose events are still on their way.
        """
        return self._runtime.assignment.restored and all(
            (owner.absorbed or 0) >= self._caught_up_to.get(at, sys.maxsize)
            for at, owner in self._runtime.owners.items()
            if owner.stage.name == "ingest"
        )

    async def _tick(self) -> None:
        value = codec.encode(Tick(time=int(time() * 1000)))
        plain, futures = self._runtime.plain, list[Any]()
        for owner in list(self._runtime.owners.values()):
            if owner.stage.name in TICKING:
                futures += await plain.send(owner.topic, owner.partition, [(None, value, ())])
        await settled(futures)
