"""Where the bridge's records go: a Kafka topic, by whole batches, acknowledged by all replicas."""

from __future__ import annotations

from asyncio import gather, sleep
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.errors import StreamsError

# Below the broker's own limit for a batch (1 MiB) by the room a batch header takes.
BATCH_BYTES_MAX = 1_000_000
# A topic made a moment ago is not yet known to every broker.
METADATA_ATTEMPTS = 10
METADATA_PAUSE_SECONDS = 0.3


class BridgeError(StreamsError):
    """The log cannot be read, or its lines cannot be sent.  Nothing is lost: run it again."""


class Row(NamedTuple):
    """A record to be."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class Outlet(Protocol):
    """What the bridge asks of the place its records go to."""

    async def start(self) -> int:
        """Connect; gives the number of partitions."""

    async def send(self, rows: Mapping[int, Sequence[Row]]) -> None:
        """Send rows by partition, each partition's in order; return when all of them are safe."""

    async def stop(self) -> None:
        """Disconnect."""


class KafkaOutlet:
    """``topic``, through an idempotent producer.

    ``producer`` holds AIOKafkaProducer arguments: servers, security, whatever else differs.
    """

    def __init__(self, topic: str, producer: Mapping[str, Any]) -> None:
        self._topic = topic
        self._settings = producer
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> int:
        """Connect; BridgeError if the broker cannot be reached or has no such topic."""
        self._producer = AIOKafkaProducer(
            **{"acks": "all", "enable_idempotence": True, "max_batch_size": BATCH_BYTES_MAX}
            | dict(self._settings)
        )
        try:
            await self._producer.start()
            return await self._partitions(self._producer)
        except KafkaError as error:
            await self._producer.stop()
            raise BridgeError(
                f"cannot write to topic {self._topic}",
                f"{type(error).__name__}: the broker cannot be reached",
                "contact-streams broker status",
            ) from error

    async def _partitions(self, producer: AIOKafkaProducer) -> int:
        """How many the topic has.  All topics are asked for: to ask for one may create it."""
        for _ in range(METADATA_ATTEMPTS):
            cluster = await producer.client.fetch_all_metadata()
            partitions = cluster.partitions_for_topic(self._topic)
            if partitions:
                return len(partitions)
            await sleep(METADATA_PAUSE_SECONDS)
        await producer.stop()
        raise BridgeError(
            f"cannot write to topic {self._topic}",
            "the broker has no such topic",
            "contact-streams topics apply",
        )

    async def send(self, rows: Mapping[int, Sequence[Row]]) -> None:
        """Send rows by partition; BridgeError if the broker refuses them or is gone for long."""
        try:
            sent = [await self._submit(part, some) for part, some in rows.items() if some]
            await gather(*(acknowledged for batches in sent for acknowledged in batches))
        except KafkaError as error:
            raise BridgeError(
                f"topic {self._topic} did not take the lines",
                f"{type(error).__name__}: what was not acknowledged will be sent again",
                "contact-streams broker status, then run the bridge again",
            ) from error

    async def stop(self) -> None:
        """Disconnect."""
        if self._producer is not None:
            await self._producer.stop()

    async def _submit(self, partition: int, rows: Sequence[Row]) -> list[Awaitable[object]]:
        assert self._producer is not None, "start comes first"
        sent: list[Awaitable[object]] = []
        batch = self._producer.create_batch()
        for key, value, headers in rows:
            if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
                sent.append(await self._enqueue(batch, partition))
                batch = self._producer.create_batch()
                batch.append(timestamp=None, key=key, value=value, headers=headers)
        sent.append(await self._enqueue(batch, partition))
        return sent

    async def _enqueue(self, batch: Any, partition: int) -> Awaitable[object]:
        """Hand a full batch to the sender; what is returned ends when the broker has it."""
        assert self._producer is not None, "start comes first"
        batch.close()
        acknowledged: Awaitable[object] = await self._producer.send_batch(
            batch, self._topic, partition=partition
        )
        return acknowledged
