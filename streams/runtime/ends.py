"""Where the logs end and what is really in them: asked beside the consumer group, by a reader of
our own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from streams.runtime.losses import Committed, Span
from streams.runtime.patience import patiently

LOOK_SECONDS = 5.0
PATIENCE_SECONDS = 30.0
"""How long brokers may be away while we ask."""
LETTERS_SECONDS = 90.0
"""How long looking up dead letters may take.  Transactions of dead workers may stand in the way
until the broker gives them up (``writing.OUTAGE_SECONDS``)."""


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
        self._bootstrap, self._security = bootstrap, security
        self._looking = asyncio.Lock()

    async def start(self) -> None:
        await asyncio.gather(self._consumer.start(), self._admin.start())

    async def stop(self) -> None:
        await asyncio.gather(self._consumer.stop(), self._admin.close(), return_exceptions=True)

    async def ends(self, tps: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """The end offset of each partition."""
        asked = [TopicPartition(*tp) for tp in tps]
        found = await patiently(lambda: self._consumer.end_offsets(asked), PATIENCE_SECONDS)
        return {(tp.topic, tp.partition): offset for tp, offset in found.items()}

    async def spans(self, tps: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Span]:
        """What each log has."""
        asked = [TopicPartition(*tp) for tp in tps]
        first = await patiently(lambda: self._consumer.beginning_offsets(asked), PATIENCE_SECONDS)
        end = await patiently(lambda: self._consumer.end_offsets(asked), PATIENCE_SECONDS)
        return {(tp.topic, tp.partition): Span(first[tp], end[tp]) for tp in asked}

    async def committed(self) -> dict[tuple[str, int], Committed]:
        """What the group has committed."""
        # The admin client asks any broker, up or down.
        found = await patiently(
            lambda: self._admin.list_consumer_group_offsets(self._group), PATIENCE_SECONDS
        )
        return {
            (tp.topic, tp.partition): Committed(m.offset, m.metadata or "")
            for tp, m in found.items()
            if m.offset >= 0
        }

    async def letters_since(self, topic: str, header: str, since_ms: int) -> set[bytes]:
        """What ``header`` says on the records of a topic (one partition) appended since then, as a
        reader of committed records sees them; TimeoutError if its end is not reached in
        ``LETTERS_SECONDS``."""
        reader = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            **self._security,
        )
        # To the real end: for a reader of committed records it is where the oldest open
        # transaction begins, and what we look for may lie behind it.
        end = (await self.ends([(topic, 0)]))[topic, 0]
        await reader.start()
        try:
            async with asyncio.timeout(LETTERS_SECONDS):
                return await _said(reader, TopicPartition(topic, 0), header, since_ms, end)
        finally:
            await reader.stop()

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


async def _said(
    reader: AIOKafkaConsumer, tp: TopicPartition, header: str, since_ms: int, end: int
) -> set[bytes]:
    reader.assign([tp])
    found = (await reader.offsets_for_times({tp: since_ms}))[tp]
    if found is None:
        return set()
    reader.seek(tp, found.offset)
    said: set[bytes] = set()
    while await reader.position(tp) < end:
        for records in (await reader.getmany(tp, timeout_ms=200)).values():
            said.update(dict(record.headers).get(header, b"") for record in records)
    return said
