"""Committing offsets past Faust: its own way crashes the worker on what may be tried again, and
says yes to a partition that is being taken away."""

from __future__ import annotations

from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import OffsetAndMetadata


async def commit_offset(consumer: Any, at: tuple[str, int], offset: int, note: str) -> bool:
    """Whether the group took it.  ``consumer`` is Faust's, the commit runs in its thread.

    False while a rebalance is going on or when the partition is not ours; any other KafkaError that
    does not pass by itself is raised.
    """
    thread = consumer._thread
    offsets = {TopicPartition(*at): OffsetAndMetadata(offset, note)}
    try:
        await thread.call_thread(thread._ensure_consumer().commit, offsets)
    except (CommitFailedError, IllegalStateError):
        return False
    return True
