"""A record that cannot be used: how it is written to the dead letters, and how one that was sent
back from there is told from one that came by itself.

Key, value and headers stay as they were; ours come last and begin with the reason, so a record
whose own headers look like ours is not mistaken.  A record that is sent back keeps its headers,
without these, and gets three more: where it first stood, when it was appended there, and how often
it was sent back.  Ingest decodes it *as the record it was there*: platforms that send neither a
time nor an id get both from that place, and would else count as something new.
"""

from __future__ import annotations

from typing import NamedTuple

from streams.core.source import Headers, Record, Rejected
from streams.stages.base import Output

REASON, MESSAGE, STAGE = "cc_dlq_reason", "cc_dlq_message", "cc_dlq_stage"
TOPIC, PARTITION, OFFSET = "cc_dlq_topic", "cc_dlq_partition", "cc_dlq_offset"
APPENDED_AT, ID, USED = "cc_dlq_appended_at", "cc_dlq_id", "cc_dlq_used"
REPLAYED_FROM = "cc_replayed_from"
REPLAYED_APPENDED_AT = "cc_replayed_appended_at"
REPLAY_ATTEMPTS = "cc_replay_attempts"
REPLAY_HEADERS = frozenset((REPLAYED_FROM, REPLAYED_APPENDED_AT, REPLAY_ATTEMPTS))
MESSAGE_BYTES_MAX = 512


class Origin(NamedTuple):
    """Where a record stood before it was sent back for the first time, and how often it was."""

    topic: str
    partition: int
    offset: int
    appended_ms: int
    attempts: int

    def headers(self) -> list[tuple[str, bytes]]:
        """What a record that is sent back carries; ``origin_of`` reads it."""
        return [
            (REPLAYED_FROM, f"{self.topic}/{self.partition}/{self.offset}".encode()),
            (REPLAYED_APPENDED_AT, b"%d" % self.appended_ms),
            (REPLAY_ATTEMPTS, b"%d" % self.attempts),
        ]


def dead_letter(record: Record, rejected: Rejected, stage: str, used: int = 0) -> Output:
    """The record untouched, with where it stood and why it is refused (never what is in it);
    ``used`` events of it were taken all the same."""
    headers = [
        *record.headers,
        (REASON, rejected.reason.encode()),
        (MESSAGE, rejected.detail.encode()[:MESSAGE_BYTES_MAX]),
        (STAGE, stage.encode()),
        (TOPIC, record.topic.encode()),
        (PARTITION, b"%d" % record.partition),
        (OFFSET, b"%d" % record.offset),
        (APPENDED_AT, b"%d" % record.timestamp),
        (ID, f"{record.topic}/{record.partition}/{record.offset}".encode()),
        (USED, b"%d" % used),
    ]
    return Output("dlq", record.key, record.value, 0, headers)


def as_first_told(record: Record) -> Record:
    """The record as it stood where it came from, if it was sent back; else itself."""
    origin = origin_of(record.headers) if record.headers else None
    if origin is None:
        return record
    place = origin.topic, origin.partition, origin.offset
    # Not _replace: a worker's records only look like ours.
    return Record(*place, origin.appended_ms, record.key, record.value, record.headers)


def origin_of(headers: Headers) -> Origin | None:
    """What the headers of a record that was sent back say; None if it was not, or if they were
    not written by us."""
    for name, _ in headers:
        if name == REPLAYED_FROM:
            break
    else:
        return None
    said = dict(headers)
    try:
        topic, partition, offset = (said[REPLAYED_FROM] or b"").split(b"/")
        appended, attempts = said[REPLAYED_APPENDED_AT], said[REPLAY_ATTEMPTS]
        return Origin(topic.decode(), *map(number, (partition, offset, appended, attempts)))
    except (KeyError, ValueError):
        return None


def number(text: bytes | None) -> int:
    """A count as we write it; ValueError for anything else."""
    if text is None or not text.isdigit() or len(text) > 18:
        raise ValueError("not a number")
    return int(text)
