"""The ingest stage: native records in, canonical events out, by a platform's pure adapter.  Keeps
nothing.

A crash makes it decode and send some records again.  Their events carry the same ids, so the
contact drops them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from streams import codec
from streams.core.events import AgentEvent, ContactEvent, Restarted
from streams.core.source import (
    Decoded,
    Event,
    PartlyRejected,
    Pseudonym,
    Record,
    Rejected,
    Source,
)
from streams.stages.base import Output, Seal
from streams.stages.dead_letter import as_first_told, dead_letter
from streams.stages.keyed import Counts

PartitionOf = Callable[[bytes, int], int]


class IngestStage:
    """One partition of one raw topic."""

    name = "ingest"
    by_segment = False

    def __init__(
        self,
        partition: int,
        *,
        source: Source,
        pseudonym: Pseudonym,
        partitions: int,
        partition_of: PartitionOf,
    ) -> None:
        """``partitions`` of the event topics; ``partition_of(key, partitions)`` is Kafka's usual
        partitioner."""
        self.partition = partition
        self.counts = Counts()
        self._source = source
        self._pseudonym = pseudonym
        self._partitions = partitions
        self._partition_of = partition_of
        self._outputs: list[Output] = []
        self.rejected_in_a_row = 0
        """Dead letters since the last good record: a bad release rejects everything."""

    def restore(self, records: Iterable[Record]) -> None:
        """Nothing is kept, so nothing is restored."""

    def start(self, committed: int) -> None:
        """Any offset is a start."""

    def absorb(self, records: Sequence[Record]) -> None:
        for record in records:
            decoded = decode(self._source, record, self._pseudonym)
            if isinstance(decoded, Rejected):
                self.rejected_in_a_row += 1
                self._refuse(record, [decoded])
                continue
            self.rejected_in_a_row = 0
            if isinstance(decoded, PartlyRejected):
                self._refuse(record, decoded.rejected, len(decoded.events))
                decoded = decoded.events
            for event in decoded:
                self._send(event)
        self.counts["events"] += len(records)

    def _refuse(self, record: Record, rejected: Sequence[Rejected], used: int = 0) -> None:
        """One letter per record, with the first reason; every reason is counted.  What of it was
        used is used again when the letter is replayed, under the same ids."""
        for each in rejected:
            self.counts[f"rejected.{each.reason}"] += 1
        self._outputs.append(dead_letter(record, rejected[0], self.name, used))

    def _send(self, event: Event) -> None:
        value = codec.encode(event)
        if isinstance(event, Restarted):
            for stream in ("contact-events", "agent-events"):
                self._outputs += [Output(stream, None, value, p) for p in range(self._partitions)]
            return
        assert isinstance(event, ContactEvent | AgentEvent)
        stream, name = (
            ("contact-events", event.contact)
            if isinstance(event, ContactEvent)
            else ("agent-events", event.agent)
        )
        key = name.encode()
        self._outputs.append(Output(stream, key, value, self._partition_of(key, self._partitions)))

    def publish(self) -> Sequence[Output]:
        """Everything goes with the seal."""
        return ()

    def seal(self, end: int) -> Seal:
        outputs, self._outputs = self._outputs, []
        return Seal(outputs, (), (), end)


def decode(source: Source, record: Record, pseudonym: Pseudonym) -> Decoded:
    """The events of a record, or why it cannot be used: the same wherever in the topic it stands
    (again)."""
    if record.value is None:
        return Rejected("value.null", "the record has no value")
    return source.decode(as_first_told(record), pseudonym)
