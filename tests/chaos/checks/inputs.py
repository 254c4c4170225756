"""The event topics: what ingest makes of the raw topics, what platforms publish themselves, and
time.  Nothing else, and nothing less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from streams.core.source import Record
from tests.chaos.checks.violation import Violation
from tests.chaos.expected import Expected
from tests.chaos.stories import LOAD_HEADER

TICK = b'{"type":"system.tick",'


class Inputs:
    """Takes the event topics.  Events that were sent twice are no violation: their ids are one."""

    def __init__(self, expected: Expected) -> None:
        self._expected = expected
        self._found: dict[int, tuple[str, int, int]] = {}
        self.count = 0
        self.ticks = 0

    def take(self, records: Sequence[Record]) -> None:
        for record in records:
            self.count += 1
            value = record.value
            if value is not None and value.startswith(TICK):
                self.ticks += 1
            elif LOAD_HEADER not in dict(record.headers):
                at = hash((record.topic, record.partition, record.key, value))
                self._found[at] = (record.topic, record.partition, record.offset)

    def violations(self) -> Iterator[Violation]:
        wanted = self._expected.events
        for at, (topic, partition, offset) in self._found.items():
            if at not in wanted:
                detail = f"{topic}[{partition}] offset {offset} comes of no raw record"
                yield Violation("events.unexpected", detail)
        missing = sum(1 for at in wanted if at not in self._found)
        if missing:
            yield Violation("events.missing", f"{missing} events of raw records are nowhere")

    def facts(self) -> Mapping[str, int]:
        return {"events": self.count, "ticks": self.ticks}
