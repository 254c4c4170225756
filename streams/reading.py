"""Reading whole topics fast: 2 us a record, by aiokafka's compiled reader.

``streams.kafka.consume`` does the same in pure Python, which is enough for everything that is
short.  Results of a long log are a million records, and whoever waits for them is a person.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.deployment import Deployment
from streams.errors import BrokerError, TopicsError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

Isolation = Literal["read_committed", "read_uncommitted"]
Take = Callable[[Sequence[Any]], object]
"""Gets records of one partition in order; of each it may use topic, partition, offset, key, value
and headers."""
Told = Callable[[int, int], object]
"""Gets how many offsets are read, of how many."""
WAIT_MS = 100
STUCK_SECONDS = 30.0
FETCH_BYTES = 4 * 1024 * 1024


def read_to_end(
    deployment: Deployment,
    topics: Sequence[str],
    take: Take,
    isolation: Isolation,
    since_ms: int = 0,
    told: Told = lambda done, total: None,
) -> None:
    """Hand every record to ``take`` that was appended at ``since_ms`` or later, up to the ends as
    they stand now.

    Raises TopicsError when a topic is missing, BrokerError when the cluster cannot be reached or
    stops answering for 30 s.
    """
    partitions = partitions_of(deployment, topics)

    async def read() -> None:
        async for records in to_end(deployment, partitions, isolation, since_ms, told):
            take(records)

    run(read(), deployment)


def follow(
    deployment: Deployment, topics: Sequence[str], take: Take, stop: threading.Event
) -> None:
    """Hand every record to ``take``, those that come as well, until ``stop`` is set.  Reads
    uncommitted.  Raises as ``read_to_end`` does."""
    run(_follow(deployment, partitions_of(deployment, topics), take, stop), deployment)


def partitions_of(deployment: Deployment, topics: Sequence[str]) -> list[TopicPartition]:
    """The partitions there are; TopicsError if a topic is missing."""
    from kafka.admin import KafkaAdminClient

    from streams.kafka.connect import client_options, unreachable

    with unreachable(deployment.bootstrap):
        admin = KafkaAdminClient(**client_options(deployment.bootstrap, deployment.client))
    try:
        # All topics, then ours: asking for a missing one by name creates it on some clusters.
        found = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}
    finally:
        admin.close()
    missing = sorted(set(topics) - set(found))
    if missing:
        raise TopicsError(
            f"the cluster has no topic {', '.join(missing)}",
            "it has not been created, or its name has another prefix",
            "contact-streams topics apply",
        )
    return [TopicPartition(topic, number) for topic in topics for number in range(found[topic])]


def run(reading: Any, deployment: Deployment) -> None:
    """Run a coroutine that reads; BrokerError for what the cluster does not answer."""
    try:
        asyncio.run(reading)
    except KafkaError as error:
        raise BrokerError(
            f"cannot read from Kafka at {deployment.bootstrap}",
            f"{type(error).__name__}: {error}",
            "contact-streams broker status",
        ) from error


async def to_end(
    deployment: Deployment,
    partitions: Sequence[TopicPartition],
    isolation: Isolation,
    since_ms: int = 0,
    told: Told = lambda done, total: None,
    begin: Mapping[TopicPartition, int] | None = None,
) -> AsyncGenerator[list[Any], None]:
    """Records as ``read_to_end`` hands them over, at the pace of whoever takes them; ``begin`` are
    offsets to begin at.  Close it (``aclosing``) when leaving early."""
    async with _consumer(deployment, partitions, isolation) as consumer:
        ends = await consumer.end_offsets(partitions)
        if since_ms > 0:
            await _seek(consumer, ends, since_ms)
        for partition, offset in (begin or {}).items():
            consumer.seek(partition, offset)
        starts = {partition: await consumer.position(partition) for partition in ends}
        moved_at = time.monotonic()
        # By position: a log may end in markers, which are never delivered.
        while await _unread(consumer, ends):
            fetched = await consumer.getmany(timeout_ms=WAIT_MS)
            for records in _within(fetched, ends):
                yield records
            if fetched:
                moved_at = time.monotonic()
                told(*await _progress(consumer, starts, ends))
            elif time.monotonic() - moved_at > STUCK_SECONDS:
                raise BrokerError(
                    f"Kafka at {deployment.bootstrap} stopped answering",
                    "its topics could not be read to their ends",
                    "contact-streams broker status",
                )


async def _progress(
    consumer: AIOKafkaConsumer,
    starts: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> tuple[int, int]:
    """(Done, in all), in offsets."""
    total = sum(max(0, ends[partition] - start) for partition, start in starts.items())
    left = sum([max(0, ends[p] - await consumer.position(p)) for p in starts])
    return total - left, total


async def _seek(
    consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int], since_ms: int
) -> None:
    found = await consumer.offsets_for_times(dict.fromkeys(ends, since_ms))
    for partition, end in ends.items():
        first = found.get(partition)
        consumer.seek(partition, end if first is None else first.offset)


async def _unread(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    for partition, end in ends.items():
        if await consumer.position(partition) < end:
            return True
    return False


async def _follow(
    deployment: Deployment, partitions: list[TopicPartition], take: Take, stop: threading.Event
) -> None:
    async with _consumer(deployment, partitions, "read_uncommitted") as consumer:
        while not stop.is_set():
            for records in _within(await consumer.getmany(timeout_ms=WAIT_MS), {}):
                take(records)


def _within(
    fetched: Mapping[TopicPartition, list[Any]], ends: Mapping[TopicPartition, int]
) -> Iterator[list[Any]]:
    """The records by partition, without those behind its end."""
    for partition, records in fetched.items():
        end = ends.get(partition)
        within = end is None or records[-1].offset < end
        yield records if within else [record for record in records if record.offset < end]


@asynccontextmanager
async def _consumer(
    deployment: Deployment, partitions: Sequence[TopicPartition], isolation: Isolation
) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        **deployment.aiokafka_options(),
        isolation_level=isolation,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        check_crcs=False,
        fetch_max_wait_ms=WAIT_MS,
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    try:
        await consumer.start()
        consumer.assign(partitions)
        yield consumer
    finally:
        await consumer.stop()
