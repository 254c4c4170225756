"""Dead letters out of their topic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any

from aiokafka import TopicPartition

from streams.core.agent import SETTLE_MS
from streams.dead_letters.judging import Rules
from streams.dead_letters.ledger import Ledger
from streams.dead_letters.letter import Letter, letter_of
from streams.deployment import DEAD_LETTERS, Deployment
from streams.errors import StateError
from streams.reading import Told, partitions_of, read_to_end, run, to_end
from streams.settings import Settings
from streams.sources import SOURCES

NEXT = "contact-streams dlq list --records"


def rules_of(settings: Settings) -> Rules:
    """What letters of this deployment are judged by."""
    deployment = Deployment.of(settings)
    return Rules(
        {deployment.raw_topic(name): SOURCES[name] for name in settings.ingest.sources},
        deployment.topic("events.contact.v1"),
        deployment.topic("events.agent.v1"),
        settings.pseudonym(),
        settings.processing.skew_ms,
        settings.keep_ms,
        SETTLE_MS,
        settings.terms().patience,
    )


def read_letters(
    deployment: Deployment,
    take: Callable[[Letter | None], object],
    told: Told,
    since_ms: int = 0,
) -> None:
    """Hand over every letter, and None for each record of the topic that is none; raises as
    ``read_to_end`` does."""

    def each(records: Sequence[Any]) -> None:
        for record in records:
            take(letter_of(record))

    topics = [deployment.topic(DEAD_LETTERS)]
    read_to_end(deployment, topics, each, "read_committed", since_ms, told)


def read_ledger(deployment: Deployment) -> Ledger:
    """Which letters were sent back; raises as ``read_to_end`` does."""
    ledger = Ledger()
    read_to_end(deployment, [deployment.replays_topic], ledger.take, "read_committed")
    return ledger


def letter_at(deployment: Deployment, partition: int, offset: int) -> Letter:
    """The letter at a place of the topic; StateError if there is none."""
    place = TopicPartition(deployment.topic(DEAD_LETTERS), partition)
    found: list[Any] = []

    async def look() -> None:
        begin = {place: offset}
        async with aclosing(to_end(deployment, [place], "read_committed", begin=begin)) as runs:
            async for records in runs:
                found.append(records[0])
                break

    if place in partitions_of(deployment, [place.topic]):
        run(look(), deployment)
    letter = letter_of(found[0]) if found and found[0].offset == offset else None
    if letter is None:
        raise StateError(
            f"there is no dead letter at {partition}:{offset}",
            "retention has removed it, or the place holds something else",
            NEXT,
        )
    return letter


def letter_named(deployment: Deployment, id: str, told: Told) -> Letter:
    """The last letter about the record that stood at ``topic/partition/offset``; StateError if
    there is none.  Reads the whole topic."""
    found: list[Letter] = []

    def take(letter: Letter | None) -> None:
        if letter is not None and letter.id == id:
            found[:] = [letter]

    read_letters(deployment, take, told)
    if not found:
        raise StateError(f"there is no dead letter about {id}", "retention has removed it", NEXT)
    return found[0]
