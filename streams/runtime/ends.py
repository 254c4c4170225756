"""Where the logs end and what is really in them: asked beside the consumer group, by a reader of
our own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

LOOK_SECONDS = 5.0


class LogReader:
    """One consumer without a group, for end offsets and for looking at a hole, and one admin client
    for commits."""

    def __init__(self, bootstrap: str, group: str, security: Mapping[str, Any]) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            **security,
        )
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **security)
        self._group = group
        self._looking = asyncio.Lock()

    async def start(self) -> None:
        await asyncio.gather(self._consumer.start(), self._admin.start())

    async def stop(self) -> None:
        await asyncio.gather(self._consumer.stop(), self._admin.close(), return_exceptions=True)

    async def ends(self, tps: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """The end offset of each partition."""
        found = await self._consumer.end_offsets([TopicPartition(*tp) for tp in tps])
        return {(tp.topic, tp.partition): offset for tp, offset in found.items()}

    async def beginnings(self, tps: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """The first offset that each log still has."""
        found = await self._consumer.beginning_offsets([TopicPartition(*tp) for tp in tps])
        return {(tp.topic, tp.partition): offset for tp, offset in found.items()}

    async def committed(self) -> dict[tuple[str, int], int]:
        """What the group has committed."""
        found = await self._admin.list_consumer_group_offsets(self._group)
        return {(tp.topic, tp.partition): m.offset for tp, m in found.items() if m.offset >= 0}

    async def next_at(self, topic: str, partition: int, offset: int) -> int | None:
        """The offset of the first record at or after ``offset``; None if none shows within a few
        seconds."""
        tp = TopicPartition(topic, partition)
        async with self._looking:
            self._consumer.assign([tp])
            try:
                self._consumer.seek(tp, offset)
                record = await asyncio.wait_for(self._consumer.getone(tp), LOOK_SECONDS)
                return int(record.offset)
            except TimeoutError:
                return None
            finally:
                self._consumer.assign([])
