"""Reading topics from the command line and from tests, outside any consumer group."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

from kafka import KafkaConsumer, TopicPartition

from streams.errors import BrokerError, TopicsError
from streams.kafka.connect import client_options, unreachable

Isolation = Literal["read_committed", "read_uncommitted"]
_POLL_MS = 500
_POLL_RECORDS = 5_000
_STUCK_SECONDS = 30.0


class Record(NamedTuple):
    """One record as it lies in the log; ``timestamp_ms`` is its append or its producer's time."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


def read_all(
    bootstrap: str,
    topics: Sequence[str],
    isolation: Isolation = "read_committed",
    client: Mapping[str, Any] | None = None,
) -> Iterator[Record]:
    """Every record up to the ends as they stand at the first ``next()``, in order per partition.

    Read committed, an end is the start of the oldest open transaction. Raises TopicsError when a
    topic is missing, BrokerError when the cluster cannot be reached or stops answering for 30 s.
    """
    with _consumer(bootstrap, isolation, client) as consumer:
        partitions = _partitions(consumer, topics)
        ends = consumer.end_offsets(partitions)
        _go_to_beginning(consumer, partitions)
        left = _unread(consumer, ends)
        moved_at = time.monotonic()
        while left:
            for partition, records in consumer.poll(timeout_ms=_POLL_MS).items():
                moved_at = time.monotonic()
                end = ends[partition]
                yield from (_record(record) for record in records if record.offset < end)
            # By position, as the log may end in markers and aborted records, never delivered.
            left = _unread(consumer, ends)
            if left and time.monotonic() - moved_at > _STUCK_SECONDS:
                raise BrokerError(
                    f"Kafka at {bootstrap} stopped answering",
                    f"{len(left)} partitions could not be read to their end",
                    "contact-streams broker status",
                )


def tail(
    bootstrap: str,
    topics: Sequence[str],
    isolation: Isolation = "read_committed",
    *,
    from_beginning: bool = False,
    wait_ms: int = _POLL_MS,
    client: Mapping[str, Any] | None = None,
) -> Iterator[list[Record]]:
    """What comes in, for ever: a list at least every ``wait_ms``, empty when nothing came.

    Starts at the ends as they stand at the first ``next()``, or at the beginning. Close the
    iterator to leave. Raises as ``read_all`` does.
    """
    with _consumer(bootstrap, isolation, client) as consumer:
        partitions = _partitions(consumer, topics)
        if from_beginning:
            _go_to_beginning(consumer, partitions)
        else:
            _go_to_end(consumer, partitions)
        while True:
            polled = consumer.poll(timeout_ms=wait_ms).values()
            yield [_record(record) for records in polled for record in records]


@contextmanager
def _consumer(
    bootstrap: str, isolation: Isolation, client: Mapping[str, Any] | None
) -> Iterator[KafkaConsumer]:
    with unreachable(bootstrap):
        consumer = KafkaConsumer(
            isolation_level=isolation,
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            max_poll_records=_POLL_RECORDS,
            **client_options(bootstrap, client),
        )
    try:
        yield consumer
    finally:
        consumer.close(autocommit=False)


def _partitions(consumer: KafkaConsumer, topics: Sequence[str]) -> list[TopicPartition]:
    found = {topic: consumer.partitions_for_topic(topic) for topic in topics}
    missing = sorted(topic for topic, partitions in found.items() if not partitions)
    if missing:
        raise TopicsError(
            f"the cluster has no topic {', '.join(missing)}",
            "it has not been created, or its name has another prefix",
            "contact-streams topics apply",
        )
    return [
        TopicPartition(topic, partition)
        for topic, partitions in found.items()
        for partition in sorted(partitions)
    ]


def _go_to_beginning(consumer: KafkaConsumer, partitions: Sequence[TopicPartition]) -> None:
    consumer.assign(partitions)
    for partition, offset in consumer.beginning_offsets(partitions).items():
        consumer.seek(partition, offset)


def _go_to_end(consumer: KafkaConsumer, partitions: Sequence[TopicPartition]) -> None:
    consumer.assign(partitions)
    # Now, not at the first poll: what is written from here on will be delivered.
    for partition, offset in consumer.end_offsets(partitions).items():
        consumer.seek(partition, offset)


def _unread(consumer: KafkaConsumer, ends: Mapping[TopicPartition, int]) -> list[TopicPartition]:
    left = []
    for partition, end in ends.items():
        if consumer.position(partition) < end:
            left.append(partition)
        else:
            consumer.pause(partition)
    return left


def _record(raw: Any) -> Record:
    return Record(
        raw.topic,
        raw.partition,
        raw.offset,
        raw.timestamp,
        raw.key,
        raw.value,
        tuple(raw.headers or ()),
    )
