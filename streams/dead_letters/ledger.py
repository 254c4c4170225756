"""Which letters were sent back, in a topic of its own.

A worker reads the topics it processes uncommitted, so a transaction around letters that are sent
back would promise what nobody keeps, and would leave markers in logs that are free of them (lag
that never becomes 0).  So a batch is noted twice: before (``sending``: its letters, and where the
topics end) and after (``sent``).  Who is killed in between leaves a note without its second half;
the next one looks behind those ends for what got there, notes that, and goes on.

One writes at a time: the notes go by a transactional producer, and starting one shuts out who
wrote before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from streams.errors import StateError

Place = tuple[str, int]
"""Topic, partition."""


class Sending(msgspec.Struct, frozen=True, tag="sending", tag_field="step"):
    """These are about to go; ``ends`` are (topic, partition, offset) before the first of them."""

    replays: Sequence[str]
    ends: Sequence[tuple[str, int, int]]


class Sent(msgspec.Struct, frozen=True, tag="sent", tag_field="step"):
    """These have gone, and what was noted before and is not among them has not."""

    replays: Sequence[str]


Note = Sending | Sent
_decoder = msgspec.json.Decoder(Note)
encode = msgspec.json.encode


class Ledger:
    """The notes as far as they were read; ``replayed`` are names of replays (``Letter.replay``)."""

    def __init__(self) -> None:
        self.replayed: set[str] = set()
        self.doubtful: Sending | None = None
        """A batch of which nobody noted whether it went."""
        self.noted_ms = 0
        """When the last note was appended."""

    def take(self, records: Iterable[Any]) -> None:
        """Notes in their order; StateError for what is none."""
        for record in records:
            self.note(_note_of(record))
            self.noted_ms = record.timestamp

    def note(self, note: Note) -> None:
        """One more."""
        if isinstance(note, Sending):
            self.doubtful = note
            return
        self.replayed.update(note.replays)
        self.doubtful = None


def _note_of(record: Any) -> Note:
    try:
        note: Note = _decoder.decode(record.value or b"")
        return note
    except msgspec.MsgspecError as error:
        raise StateError(
            f"{record.topic}[{record.partition}] has a record that is no note of a replay",
            f"offset {record.offset}: {error}",
            "whoever else writes to that topic must not; delete the records up to there",
        ) from error


def ends_by_place(sending: Sending) -> Mapping[Place, int]:
    """Where to look for what got there."""
    return {(topic, partition): offset for topic, partition, offset in sending.ends}
