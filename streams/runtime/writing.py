"""Writing records as whole batches: 5 us a record, against 60 for one send a record and 300 for a Faust table set."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from time import time
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer

Written = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
"""Key, value, headers."""
BATCH_BYTES_MAX = 512 * 1024
REQUEST_MS = 20_000


class Target(NamedTuple):
    """Where a logical stream lives."""

    topic: str
    partitions: int


def plain_producer(bootstrap: str, security: dict[str, Any]) -> AIOKafkaProducer:
    """The worker's idempotent producer: a retry can neither double nor reorder."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", max_batch_size=BATCH_BYTES_MAX,
        request_timeout_ms=REQUEST_MS, **security,
    )  # fmt: skip


def fenced_producer(bootstrap: str, security: dict[str, Any], transactional_id: str) -> AIOKafkaProducer:
    """A shard's own producer: starting it aborts and shuts out every earlier owner."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap, transactional_id=transactional_id, transaction_timeout_ms=REQUEST_MS,
        request_timeout_ms=REQUEST_MS, max_batch_size=BATCH_BYTES_MAX, **security,
    )  # fmt: skip


async def send(producer: AIOKafkaProducer, topic: str, partition: int, records: Iterable[Written]) -> list[Any]:
    """Hand the records to the producer in order; returns futures of the batches.  Await them all with ``settled``."""
    now = int(time() * 1000)
    futures = []
    batch = producer.create_batch()
    for key, value, headers in records:
        if batch.append(key=key, value=value, timestamp=now, headers=list(headers)) is None:
            batch.close()
            futures.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            if batch.append(key=key, value=value, timestamp=now, headers=list(headers)) is None:
                raise ValueError(f"a record for {topic} is larger than {BATCH_BYTES_MAX} bytes")
    batch.close()
    if batch.record_count():
        futures.append(await producer.send_batch(batch, topic, partition=partition))
    return futures


async def settled(futures: Sequence[Any]) -> None:
    """Wait until every batch is acknowledged; the first failure is raised after all have ended."""
    for result in await asyncio.gather(*futures, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
