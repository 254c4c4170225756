"""All five stages in one process, without Kafka: records in, the latest results out.

One partition of each topic.  What a stage puts out is what the next one reads, in the same order;
nothing else is imitated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from streams import codec
from streams.core.events import Tick
from streams.core.posting import generate_post
from streams.core.source import Pseudonym, Record
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


def one_partition(key: bytes, partitions: int) -> int:
    return 0


def as_is(domain: str, value: str) -> str | None:
    """A stand-in for pseudonyms that a reader of a scenario can follow."""
    return f"{domain}:{value}" if value else None


class Pipeline:
    """Feed it lines and ticks, then ask for ``results``."""

    def __init__(
        self, source: str, terms: Terms | None = None, pseudonym: Pseudonym = as_is
    ) -> None:
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
            "partials": BoardStage(0, terms=terms, kpis=ALL_KPIS, origins=2),
        }
        self._ends = dict.fromkeys(self._stages, 0)
        self._results: dict[bytes, dict[str, Any]] = {}
        self.letters: list[Output] = []
        for stage in self._stages.values():
            stage.start(0)

    def lines(self, lines: Iterable[bytes], append_ms: int = 0) -> None:
        """Native records, one by one."""
        for line in lines:
            self._write("raw", None, line, (), append_ms)
        self._flow()

    def tick(self, time_ms: int) -> None:
        """Time itself, in both event topics."""
        value = codec.encode(Tick(time=time_ms))
        for stream in ("contact-events", "agent-events"):
            self._write(stream, None, value, (), time_ms)
        self._flow()

    def results(self) -> list[dict[str, Any]]:
        """The last of each key."""
        return list(self._results.values())

    def _write(
        self, stream: str, key: bytes | None, value: bytes | None, headers: Any, at: int
    ) -> None:
        offset = self._ends[stream]
        self._ends[stream] += 1
        self._stages[stream].absorb([Record(stream, 0, offset, at, key, value, headers)])

    def _flow(self) -> None:
        """Carry everything through to the results."""
        for name, stage in self._stages.items():
            outputs = list(stage.publish())
            if not stage.by_segment:
                seal = stage.seal(self._ends[name])
                outputs += [*seal.outputs, *seal.results]
            for output in outputs:
                self._deliver(output)

    def _deliver(self, output: Output) -> None:
        if output.stream == "dlq":
            self.letters.append(output)
        elif output.stream.startswith("kpi."):
            assert output.key is not None
            self._results.pop(output.key, None)
            if output.value is not None:
                self._results[output.key] = json.loads(output.value)
        else:
            self._write(output.stream, output.key, output.value, output.headers, 0)
