"""Letters as the worker writes them, with defaults for what a test is not about."""

from __future__ import annotations

from typing import Any

from streams.core.source import Record, Rejected
from streams.dead_letters.letter import Letter, letter_of
from streams.stages.base import Output
from streams.stages.dead_letter import dead_letter

RAW = "cc.raw.asterisk-queue-log.v1"
WRITTEN_MS = 1_791_200_000_000


def stands(output: Output, offset: int = 0, at_ms: int = WRITTEN_MS) -> Record:
    """An output as it is read from the topic of dead letters."""
    return Record("cc.dlq.events.v1", 0, offset, at_ms, output.key, output.value, output.headers)


def a_record(value: bytes | None = b"x", **changed: Any) -> Record:
    return Record(RAW, 2, 17, WRITTEN_MS - 1_000, b"k", value, [("source", b"pbx")])._replace(
        **changed
    )


def a_letter(
    record: Record | None = None,
    reason: str = "verb.unknown",
    stage: str = "ingest",
    used: int = 0,
    at_ms: int = WRITTEN_MS,
) -> Letter:
    """What is read of a letter about the record."""
    output = dead_letter(record or a_record(), Rejected(reason, "NEW"), stage, used)
    letter = letter_of(stands(output, at_ms=at_ms))
    assert letter is not None
    return letter
