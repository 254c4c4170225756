"""Sending letters back to where they came from, each once, whoever was killed in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic, time_ns
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced

from streams.core.source import Record
from streams.dead_letters.ledger import Ledger, Note, Place, Sending, Sent, encode, ends_by_place
from streams.dead_letters.letter import Letter, replay_name
from streams.deployment import Deployment
from streams.errors import BrokerError, StateError
from streams.kafka.partition import partition_of
from streams.reading import partitions_of, to_end
from streams.runtime.failpoints import Reach, nowhere
from streams.runtime.writing import Written, fenced_writer, plain_writer, settled
from streams.stages.dead_letter import origin_of

PAUSE_SECONDS_MAX = 2.0
"""Longer between the first note of a batch and the batch itself, and another process may have begun
to look where it went."""
SETTLE_SECONDS = 3.0
"""So old must a note be before one looks where its batch went: who wrote it may be at it still."""


class PostOffice:
    """Writes batches of letters, and notes them in the ledger.  One at a time in a deployment: to
    start one shuts out who wrote before.  ``name`` is its transactional id."""

    def __init__(self, deployment: Deployment, name: str, reach: Reach = nowhere) -> None:
        self._deployment = deployment
        self._reach = reach
        options = deployment.aiokafka_options()
        bootstrap = options.pop("bootstrap_servers")
        self._ends = AIOKafkaConsumer(bootstrap_servers=bootstrap, **options)
        self._plain = plain_writer(bootstrap, options)
        self._notes = fenced_writer(bootstrap, options, name)
        self._note_places = partitions_of(deployment, [deployment.replays_topic])

    async def start(self) -> Ledger:
        """Shut out earlier ones and find out what they sent."""
        await asyncio.gather(self._ends.start(), self._plain.start(), self._notes.start())
        ledger = Ledger()
        async for notes in to_end(self._deployment, self._note_places, "read_committed"):
            ledger.take(notes)
        if ledger.doubtful is not None:
            await asyncio.sleep(settle_seconds(ledger.noted_ms, time_ns() // 1_000_000))
            await self._note(ledger, Sent(await self._arrived(ledger.doubtful)))
        return ledger

    async def stop(self) -> None:
        """Disconnect."""
        clients = (self._ends, self._plain, self._notes)
        await asyncio.gather(*(client.stop() for client in clients), return_exceptions=True)

    async def send(self, ledger: Ledger, letters: Sequence[Letter]) -> None:
        """Send a batch and note it.  StateError if another one has begun meanwhile."""
        rows = self._rows(letters)
        names = [letter.replay for letter in letters]
        await self._note(ledger, Sending(names, await self._ends_of(rows)))
        noted_at = monotonic()
        self._reach("dlq", "ahead")
        if monotonic() - noted_at > PAUSE_SECONDS_MAX:
            raise StateError("this process stood still", "", "run the command again")
        sent = [await self._plain.send(*place, some) for place, some in rows.items()]
        await settled([future for futures in sent for future in futures])
        self._reach("dlq", "outputs")
        await self._note(ledger, Sent(names))
        self._reach("dlq", "commit")

    def _rows(self, letters: Sequence[Letter]) -> dict[Place, list[Written]]:
        rows: dict[Place, list[Written]] = {}
        for letter in letters:
            record = letter.sent_back()
            place = (record.topic, self._partition(record))
            rows.setdefault(place, []).append((record.key, record.value, record.headers))
        return rows

    def _partition(self, record: Record) -> int:
        """Where it stood: so the sender's rule holds, whatever it was, also without a key."""
        count = self._deployment.partitions
        return (
            record.partition if record.partition < count else partition_of(record.key or b"", count)
        )

    async def _ends_of(self, places: Any) -> list[tuple[str, int, int]]:
        asked = [TopicPartition(*place) for place in places]
        found = await self._ends.end_offsets(asked)
        return [(tp.topic, tp.partition, offset) for tp, offset in found.items()]

    async def _arrived(self, sending: Sending) -> list[str]:
        """Which of them stand where they were to be sent."""
        begin = {TopicPartition(*at): end for at, end in ends_by_place(sending).items()}
        wanted, found = set(sending.replays), set()
        async for records in to_end(self._deployment, list(begin), "read_uncommitted", begin=begin):
            for record in records:
                origin = origin_of(record.headers)
                if origin is not None:
                    found.add(replay_name(origin))
        return sorted(found & wanted)

    async def _note(self, ledger: Ledger, note: Note) -> None:
        topic = self._deployment.replays_topic
        async with self._notes.producer.transaction():
            await settled(await self._notes.send(topic, 0, [(None, encode(note), ())]))
        ledger.note(note)


def settle_seconds(noted_ms: int, now_ms: int) -> float:
    """How long to wait before a batch that was noted then is looked for; clocks may differ."""
    return min(SETTLE_SECONDS, max(0.0, SETTLE_SECONDS + (noted_ms - now_ms) / 1000))


def told(error: KafkaError, deployment: Deployment) -> Exception:
    """What a person is told of it."""
    if isinstance(error, ProducerFenced):
        return StateError(
            "another replay of dead letters has begun",
            "one at a time sends; nothing is sent twice",
            "wait for the other one",
        )
    return BrokerError(
        f"letters cannot be sent to Kafka at {deployment.bootstrap}",
        f"{type(error).__name__}: run the command again, it goes on where it ended",
        "contact-streams broker status",
    )
