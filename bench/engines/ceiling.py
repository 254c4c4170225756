"""The ceiling: what Python can do when it only fetches, decodes and adds up.  Nothing is kept,
nothing is committed, no result is written.

Run where confluent-kafka is: librdkafka fetches in C, a batch of messages costs one call.
"""

from __future__ import annotations

from typing import Any

import msgspec
from confluent_kafka import Consumer, TopicPartition

from bench.engines.contract import MINUTE_MS, Progress, Task, task

BATCH = 10_000


class Event(msgspec.Struct, gc=False):
    """Only the fields that are added up are decoded."""

    time: int
    queue: str
    contact: str
    talk_ms: int


_decode = msgspec.json.Decoder(Event).decode
Sums = dict[tuple[int, str, int], list[int]]


def main() -> None:
    """Read the topic to its end."""
    wanted = task(about=__doc__)
    progress = Progress(wanted.events).start()
    consumer = _consumer(wanted)
    sums: Sums = {}
    contacts: dict[str, int] = {}
    while progress.processed < wanted.events:
        messages = consumer.consume(BATCH, 0.1)
        if wanted.job == 2:
            _contacts(messages, sums, contacts)
        else:
            _minutes(messages, sums)
        progress.processed += len(messages)
    rows = sums.values()
    progress.finish(sum(r[0] for r in rows), sum(r[1] for r in rows))
    consumer.close()


def _consumer(wanted: Task) -> Consumer:
    consumer = Consumer(
        {
            "bootstrap.servers": wanted.bootstrap,
            "group.id": wanted.group,
            "enable.auto.commit": False,
            "check.crcs": False,
            # So much that fetching never pauses; by default it rests for a second when the queue
            # is full, and the engine waits.
            "queued.min.messages": 2_000_000,
            "queued.max.messages.kbytes": 1 << 20,
            "fetch.queue.backoff.ms": 5,
            "fetch.message.max.bytes": 4 << 20,
        }
    )
    parts = [TopicPartition(wanted.topic, number, 0) for number in range(wanted.partitions)]
    consumer.assign(parts)
    return consumer


def _minutes(messages: list[Any], sums: Sums) -> None:
    for message in messages:
        event = _decode(message.value())
        at = (message.partition(), event.queue, event.time // MINUTE_MS)
        row = sums.get(at)
        if row is None:
            row = sums[at] = [0, 0]
        row[0] += 1
        row[1] += event.talk_ms


def _contacts(messages: list[Any], sums: Sums, contacts: dict[str, int]) -> None:
    for message in messages:
        event = _decode(message.value())
        first_ms = contacts.setdefault(event.contact, event.time)
        at = (message.partition(), event.queue, event.time // MINUTE_MS)
        row = sums.get(at)
        if row is None:
            row = sums[at] = [0, 0]
        row[0] += 1
        row[1] += event.time - first_ms


if __name__ == "__main__":
    main()
