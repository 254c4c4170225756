"""Filling the topics: one pass over the events, each topic gets its beginning of them.

The records' timestamps are event times, as a producer that is near its source sets them, so that
engines which go by record timestamps need nothing special.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from aiokafka import AIOKafkaProducer

from bench.load import PARTITIONS, Answers, Event, events

BATCH_BYTES = 512 * 1024
CHUNK = 20_000

Tell = Callable[[int, int], None]
"""Called with the events written and those to write."""


async def produce(
    bootstrap: str, topics: dict[int, str], start_ms: int, tell: Tell
) -> dict[int, Answers]:
    """Fill the topic of each length; the exact answers for each."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=BATCH_BYTES)
    await producer.start()
    try:
        return await _fill(producer, topics, start_ms, tell)
    finally:
        await producer.stop()


async def _fill(
    producer: AIOKafkaProducer, topics: dict[int, str], start_ms: int, tell: Tell
) -> dict[int, Answers]:
    longest = max(topics)
    found = {length: Answers() for length in topics}
    sequence, done = events(longest, start_ms), 0
    while chunk := list(islice(sequence, CHUNK)):
        for length, topic in topics.items():
            part = chunk[: max(0, length - done)]
            for event in part:
                found[length].add(event)
            await _send(producer, topic, part)
        done += len(chunk)
        tell(done, longest)
    return found


async def _send(producer: AIOKafkaProducer, topic: str, chunk: Sequence[Event]) -> None:
    for partition in range(PARTITIONS):
        futures: list[Any] = []
        batch = producer.create_batch()
        for event in (e for e in chunk if e.partition == partition):
            if not _append(batch, event):
                futures.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                assert _append(batch, event), "one event fits an empty batch"
        if batch.record_count():
            futures.append(await producer.send_batch(batch, topic, partition=partition))
        for future in futures:
            await future


def _append(batch: Any, event: Event) -> bool:
    return (
        batch.append(key=event.contact.encode(), value=event.value, timestamp=event.time_ms)
        is not None
    )
