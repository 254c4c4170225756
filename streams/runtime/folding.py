"""One Faust event per partition and fetch instead of one per record: 9 us of CPU an event in all
instead of 200.

Faust's ``ConsumerScheduler`` setting takes a class whose ``iterate`` may yield any record-like
object.  Ours carries the fetched records as its value and the offset of the last one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from streams.runtime.fetching import Run

BATCH_MAX = 5_000
"""Records in one batch: what the loop may be busy with before anything else gets a turn (some 50
ms)."""


class Batch:
    """Looks like an aiokafka record to Faust; ``value`` is the run of real ones."""

    __slots__ = (
        "checksum",
        "headers",
        "key",
        "offset",
        "partition",
        "serialized_key_size",
        "serialized_value_size",
        "timestamp",
        "timestamp_type",
        "topic",
        "value",
    )

    def __init__(self, topic: str, partition: int, records: Run) -> None:
        last = records[-1]
        self.topic = topic
        self.partition = partition
        self.offset = last.offset
        self.timestamp = last.timestamp
        self.timestamp_type = None
        self.headers: Sequence[tuple[str, bytes]] = ()
        self.key = b""
        self.value = records
        self.checksum = None
        self.serialized_key_size = 0
        self.serialized_value_size = 0


class Folding:
    """The scheduler: batches of up to ``BATCH_MAX`` records, partitions in turn.

    Offsets 0 and 1 come alone: Faust takes a read offset of 0 for "nothing read yet" and would see
    a gap.
    """

    batch_max = BATCH_MAX

    def iterate(self, records: Mapping[Any, Sequence[Any]]) -> Iterator[tuple[Any, Batch]]:
        waiting = {tp: 0 for tp, fetched in records.items() if fetched}
        while waiting:
            for tp in list(waiting):
                fetched, start = records[tp], waiting[tp]
                end = (
                    start + 1
                    if fetched[start].offset < 2
                    else min(len(fetched), start + self.batch_max)
                )
                yield tp, Batch(tp.topic, tp.partition, _piece(fetched, start, end))
                if end < len(fetched):
                    waiting[tp] = end
                else:
                    del waiting[tp]


def _piece(fetched: Sequence[Any], start: int, end: int) -> Run:
    """A part of a run; what is no run is taken to begin with its first record."""
    piece = fetched[start:end]
    since = getattr(fetched, "since", piece[0].offset) if start == 0 else piece[0].offset
    after = fetched[end].offset if end < len(fetched) else piece[-1].offset + 1
    until = getattr(fetched, "until", after) if end == len(fetched) else after
    return Run(piece, since, until)
