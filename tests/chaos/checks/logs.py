"""Reading topics to their ends, again and again, each time from where the last time ended."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer

from streams.core.source import Record
from streams.deployment import Deployment
from streams.reading import Isolation, partitions_of
from tests.chaos.checks.violation import Violation

Take = Callable[[Sequence[Record]], None]
"""Gets records of one partition, in order."""
WAIT_MS = 200
STUCK_SECONDS = 30.0
FETCH_BYTES = 4 * 1024 * 1024
T = TypeVar("T")


class Loop:
    """An event loop in a thread, so that connections live on between two looks."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Logs:
    """Some topics, read on by ``read_on``.  A context."""

    def __init__(
        self, deployment: Deployment, topics: Sequence[str], isolation: Isolation, loop: Loop
    ) -> None:
        self._partitions = partitions_of(deployment, topics)
        self._deployment = deployment
        self._isolation = isolation
        self._loop = loop
        self._consumer: Any = None
        self.read = 0

    def __enter__(self) -> Logs:
        self._loop.run(self._start())
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.run(self._consumer.stop())

    async def _start(self) -> None:
        self._consumer = AIOKafkaConsumer(
            **self._deployment.aiokafka_options(),
            isolation_level=self._isolation,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            check_crcs=False,
            fetch_max_wait_ms=WAIT_MS,
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        await self._consumer.start()
        self._consumer.assign(self._partitions)

    def read_on(self, take: Mapping[str, Take]) -> None:
        """Hand what is new, up to the ends as they stand now, to ``take`` by topic."""
        self._loop.run(self._read_on(take))

    async def _read_on(self, take: Mapping[str, Take]) -> None:
        consumer = self._consumer
        ends = await consumer.end_offsets(self._partitions)
        moved_at = time.monotonic()
        left = set(self._partitions)
        while left := {at for at in left if await consumer.position(at) < ends[at]}:
            fetched = await consumer.getmany(*left, timeout_ms=WAIT_MS)
            for at, records in fetched.items():
                take[at.topic]([_record(one) for one in records])
                self.read += len(records)
                moved_at = time.monotonic()
            if time.monotonic() - moved_at > STUCK_SECONDS:
                raise Violation("logs.unreadable", f"{sorted(left)} did not come to their ends")


def _record(one: Any) -> Record:
    return Record(
        one.topic, one.partition, one.offset, one.timestamp, one.key, one.value, one.headers
    )
