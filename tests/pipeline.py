"""All five stages in one process, without Kafka: records in, the latest results out.

One partition of each topic.  What a stage puts out is what the next one reads, in the same order;
nothing else is imitated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from streams import codec
from streams.core.events import AgentEvent, ContactEvent, Tick
from streams.core.posting import generate_post
from streams.core.source import Pseudonym, Record
from streams.core.target import Target
from streams.core.terms import Terms
from streams.kpis import ALL_KPIS, ALL_MEASURES
from streams.sources import SOURCES
from streams.stages.base import Output, Stage
from streams.stages.board import BoardStage
from streams.stages.contacts import ContactsStage
from streams.stages.customers import CustomersStage
from streams.stages.ingest import IngestStage
from streams.stages.staff import StaffStage

SEGMENT = 1 << 20
FLOW_LINES = 2_000


def one_partition(key: bytes, partitions: int) -> int:
    return 0


def as_is(domain: str, value: str) -> str | None:
    """A stand-in for pseudonyms that a reader of a scenario can follow."""
    return f"{domain}:{value}" if value else None


class Pipeline:
    """Feed it lines and ticks, then ask for ``results``."""

    def __init__(
        self,
        source: str,
        terms: Terms | None = None,
        pseudonym: Pseudonym = as_is,
        batch: int = 5_000,
        targets: Iterable[Target] = (),
    ) -> None:
        """``batch``: how many records a stage is given at once."""
        terms = terms or Terms()
        post = generate_post(ALL_MEASURES, terms)
        keyed = {"terms": terms, "post": post, "segment_size": SEGMENT, "board_partitions": 1}
        self._stages: dict[str, Stage] = {
            "raw": IngestStage(
                0,
                source=SOURCES[source],
                pseudonym=pseudonym,
                partitions=1,
                partition_of=one_partition,
            ),
            "contact-events": ContactsStage(0, **keyed),  # type: ignore[arg-type]
            "agent-events": StaffStage(0, **keyed),  # type: ignore[arg-type]
            "records": CustomersStage(0, **keyed),  # type: ignore[arg-type]
            "partials": BoardStage(0, terms=terms, kpis=ALL_KPIS, origins=2, targets=targets),
        }
        self._ends = dict.fromkeys(self._stages, 0)
        self._results: dict[bytes, Output] = {}
        self._batch = batch
        self.letters: list[Output] = []
        for stage in self._stages.values():
            stage.start(0)

    def lines(self, lines: Sequence[bytes], append_ms: int = 0) -> None:
        """Native records; what comes of them flows on as far as it goes every few thousand."""
        for start in range(0, len(lines), FLOW_LINES):
            rows = [(None, line, ()) for line in lines[start : start + FLOW_LINES]]
            self._write("raw", rows, append_ms)
            self._flow()

    def events(
        self, events: Sequence[ContactEvent | AgentEvent], append_ms: int | None = None
    ) -> None:
        """Canonical events, as a platform publishes them that can; appended when they happened if
        nothing else is said."""
        for event in events:
            if isinstance(event, ContactEvent):
                stream, key = "contact-events", event.contact
            else:
                stream, key = "agent-events", event.agent
            at_ms = event.time if append_ms is None else append_ms
            self._write(stream, [(key.encode(), codec.encode(event), ())], at_ms)
            self._flow()

    def records(self, stream: str, rows: Sequence[Any], append_ms: int = 0) -> None:
        """Many (key, value, headers) at once, in their order."""
        for start in range(0, len(rows), FLOW_LINES):
            self._write(stream, rows[start : start + FLOW_LINES], append_ms)
            self._flow()

    def tick(self, time_ms: int) -> None:
        """Time itself, in both event topics."""
        value = codec.encode(Tick(time=time_ms))
        for stream in ("contact-events", "agent-events"):
            self._write(stream, [(None, value, ())], time_ms)
        self._flow()

    @property
    def stages(self) -> Mapping[str, Stage]:
        """By the stream each reads."""
        return self._stages

    @property
    def ends(self) -> Mapping[str, int]:
        """Stream -> records written."""
        return self._ends

    def outputs(self) -> list[Output]:
        """The last result of each key, as it is written."""
        return list(self._results.values())

    def results(self) -> list[dict[str, Any]]:
        """What they say."""
        return [json.loads(output.value or b"") for output in self._results.values()]

    def _write(self, stream: str, rows: Sequence[Any], append_ms: int) -> None:
        first = self._ends[stream]
        self._ends[stream] += len(rows)
        records = [
            Record(stream, 0, first + i, append_ms, key, value, headers)
            for i, (key, value, headers) in enumerate(rows)
        ]
        size = self._batch
        for start in range(0, len(records), size):
            self._stages[stream].absorb(records[start : start + size])

    def _flow(self) -> None:
        """Carry everything through to the results."""
        for name, stage in self._stages.items():
            outputs = list(stage.publish())
            if not stage.by_segment:
                seal = stage.seal(self._ends[name])
                outputs += [*seal.outputs, *seal.results]
            for stream, group in groupby(outputs, key=lambda output: output.stream):
                if stream in self._stages:
                    self._write(stream, [(o.key, o.value, o.headers) for o in group], 0)
                else:
                    for output in group:
                        self._deliver(output)

    def _deliver(self, output: Output) -> None:
        if output.stream == "dlq":
            self.letters.append(output)
            return
        assert output.key is not None
        self._results.pop(output.key, None)
        if output.value is not None:
            self._results[output.key] = output
