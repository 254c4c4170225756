"""A record of the dead letters, understood: what was refused, why and by whom."""

from __future__ import annotations

from typing import Any, NamedTuple

from streams.core.source import Headers, Record
from streams.stages import dead_letter as names
from streams.stages.dead_letter import Origin, number, origin_of


class Letter(NamedTuple):
    """One dead letter.  ``partition`` and ``offset`` are its own, ``refused_ms`` is when it was
    written; ``record`` is what was refused, as it stood in its topic; ``used`` events of it were
    taken all the same.  ``origin`` is the record, unless that was a letter sent back before."""

    partition: int
    offset: int
    refused_ms: int
    reason: str
    message: str
    stage: str
    used: int
    record: Record
    origin: Origin

    @property
    def id(self) -> str:
        """Where the record stood, ``topic/partition/offset``."""
        return f"{self.record.topic}/{self.record.partition}/{self.record.offset}"

    @property
    def size(self) -> int:
        """Bytes of the payload."""
        return len(self.record.value or b"")

    @property
    def bytes(self) -> int:
        """Of all that is sent back, without what Kafka adds."""
        headers = sum(len(name) + len(value or b"") for name, value in self.record.headers)
        return self.size + len(self.record.key or b"") + headers

    @property
    def replay(self) -> str:
        """The name of sending it back: no other letter has it, and none is needed twice.  With the
        time of the first append, because a topic that was deleted counts its offsets anew."""
        return replay_name(self.origin._replace(attempts=self.origin.attempts + 1))

    def sent_back(self) -> Record:
        """The record to be sent: bytes and headers as they were, with where it is from."""
        again = self.origin._replace(attempts=self.origin.attempts + 1)
        headers = [h for h in self.record.headers if h[0] not in names.REPLAY_HEADERS]
        return self.record._replace(headers=[*headers, *again.headers()])


def replay_name(origin: Origin) -> str:
    """The name of the replay that wrote a record with this origin."""
    place = f"{origin.topic}/{origin.partition}/{origin.offset}"
    return f"{place}@{origin.appended_ms}#{origin.attempts}"


def letter_of(read: Any) -> Letter | None:
    """The letter in a record of aiokafka's or ours; None if we have not written it.

    Ours are the headers from the last reason on: what stands before is the record's own.
    """
    headers: Headers = tuple(read.headers)
    at = max((n for n, (name, _) in enumerate(headers) if name == names.REASON), default=None)
    if at is None:
        return None
    ours = {name: value for name, value in headers[at:] if value is not None}
    try:
        record = _record(ours, headers[:at], read)
        used = number(ours.get(names.USED, b"0"))
        said = {name: value.decode("utf-8", "replace") for name, value in ours.items()}
        reason = said[names.REASON]
    except (KeyError, ValueError):
        return None
    message, stage = said.get(names.MESSAGE, ""), said.get(names.STAGE, "")
    origin = origin_of(record.headers) or Origin(
        record.topic, record.partition, record.offset, record.timestamp, 0
    )
    return Letter(
        read.partition, read.offset, read.timestamp, reason, message, stage, used, record, origin,
    )  # fmt: skip


def _record(ours: dict[str, bytes], before: Headers, read: Any) -> Record:
    return Record(
        ours[names.TOPIC].decode(),
        number(ours[names.PARTITION]),
        number(ours[names.OFFSET]),
        number(ours[names.APPENDED_AT]),
        read.key,
        read.value,
        before,
    )
