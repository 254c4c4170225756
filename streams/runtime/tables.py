"""Faust tables whose store is a set of stages: Faust assigns and recovers the changelog, the stage
keeps the state.

A table here is never set: only seals write changelogs.  Changelog records pass as raw bytes in
folded batches.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any, Protocol, cast

import faust
from faust.stores.base import Store as BaseStore
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.tables.table import Table
from faust.types import TP

from streams.runtime.fetching import Run

log = logging.getLogger("streams")
RESTORE_BATCHES = 2
"""Folded changelog batches that wait before they are applied.  Faust's 1,000 are nearly all there
is: they would be applied in one go at the end, and be held twice until then.  (1 means something
else to Faust: it goes on reading the changelog after the restore.)"""


class Raw(faust.Schema):  # type: ignore[type-arg]
    """Keys and values as they are."""

    def loads_key(
        self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None
    ) -> Any:
        return message.key

    def loads_value(
        self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None
    ) -> Any:
        return message.value


class Restoring(Protocol):
    """What a table tells the runtime."""

    async def on_rebalance(self, stage: str, assigned: set[TP], generation: int) -> None: ...
    async def on_restored(self, stage: str) -> None: ...
    def kept_until(self, changelog: str, partition: int) -> int | None: ...
    def restore(self, stage: str, partition: int, records: Run) -> None: ...
    def fail(self, error: BaseException) -> None: ...


class KeptRecovery(Recovery):
    """Faust's recovery, for which the log of a kept shard ends where the shard became quiet.

    The marker of its last transaction may come after that, and is delivered to nobody: recovery
    would wait for it for ever.
    """

    async def _build_highwaters(
        self, consumer: Any, tps: set[TP], destination: Any, title: str
    ) -> None:
        await super()._build_highwaters(consumer, tps, destination, title)
        for tp in tps:
            kept_until = self.tp_to_table[tp].persisted_offset(tp)
            if kept_until is not None:
                destination[tp] = kept_until


class Tables(TableManager):
    """The tables with that recovery."""

    @property
    def recovery(self) -> Recovery:
        if self._recovery is None:
            self._recovery = KeptRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery


class StageStore(BaseStore):  # type: ignore[type-arg]
    """The store Faust asks about; it holds nothing itself."""

    stage = ""
    runtime: Restoring
    restored = 0
    """Changelog records since the last rebalance."""
    began = 0.0

    def persisted_offset(self, tp: TP) -> int | None:
        return self.runtime.kept_until(tp.topic, tp.partition)

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        await self.runtime.on_rebalance(self.stage, assigned, generation_id)
        self.restored, self.began = 0, monotonic()

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Reading the changelog is over; preparing what was read follows."""
        read = monotonic()
        await self.runtime.on_restored(self.stage)
        log.info(
            "%s: %s changelog records restored in %.2f s, prepared in %.2f s",
            self.stage,
            f"{self.restored:,}",
            read - self.began,
            monotonic() - read,
        )

    def reset_state(self) -> None: ...

    def _clear(self) -> None: ...

    def apply_changelog_batch(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("the table applies changelog batches")

    async def backup_partition(self, *args: Any, **kwargs: Any) -> None: ...

    def restore_backup(self, *args: Any, **kwargs: Any) -> None: ...

    def __getitem__(self, key: Any) -> Any:
        raise KeyError(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError("only seals write")

    def __delitem__(self, key: Any) -> None:
        raise TypeError("only seals write")

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0


class StageTable(Table):  # type: ignore[type-arg]
    """One stage's changelog as Faust sees it."""

    stage = ""
    runtime: Restoring
    changelog_name = ""

    def _new_store(self) -> StageStore:
        store = StageStore("memory://", self.app, self, table_name=self.name)
        store.stage, store.runtime = self.stage, self.runtime
        return store

    def _new_changelog_topic(self, **kwargs: Any) -> Any:
        return self.app.topic(
            self.changelog_name,
            schema=Raw(),
            partitions=self.partitions,
            internal=False,
            compacting=True,
            acks=False,
            allow_empty=True,
            maxsize=131_072,
        )

    def apply_changelog_batch(self, batch: Any) -> None:
        store = cast(StageStore, self.data)
        try:
            for event in batch:
                store.restored += len(event.value)
                self.runtime.restore(self.stage, event.message.partition, event.value)
        except BaseException as error:
            self.runtime.fail(error)  # Faust would log this and go on without the records
            raise


def stage_table(
    app: faust.App, stage: str, changelog: str, partitions: int, runtime: Restoring
) -> StageTable:
    """A table for one stage, registered with the app."""
    make: Callable[..., StageTable] = type(
        "StageTable",
        (StageTable,),
        {"stage": stage, "runtime": runtime, "changelog_name": changelog},
    )
    table = make(app, name=stage, partitions=partitions, recovery_buffer_size=RESTORE_BATCHES)
    app.tables.add(table)
    return table
