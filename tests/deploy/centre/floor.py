"""The whole centre: calls and what is written, through the five stages, asked as time goes by.

What the stages make of it is real.  Made up are the simulated contacts, and of the workers' own
numbers what only a cluster has: lag, rebalances, restoring, bounds that were hit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from streams import codec
from streams.metrics import WorkerView
from streams.settings import Settings, load
from streams.simulate import Centre, calls
from streams.sinks.prometheus import KpiCollector
from streams.stages.base import Output
from streams.stages.board import BoardStage
from tests.deploy.centre.writing import conversations
from tests.pipeline import Pipeline

DAY_MS = 86_400_000
COUNTED = {
    "events": "events_read",
    "records": "events_read",
    "duplicates": "events_duplicate",
    "late": "events_late",
}
"""Counter of a stage -> field of ``WorkerView``."""
TOLD_TWICE = 0.01
TOPICS = {
    "raw": "cc.raw.asterisk-queue-log.v1",
    "contact-events": "cc.events.contact.v1",
    "agent-events": "cc.events.agent.v1",
    "records": "cc.records.contact.v1",
    "partials": "cc.partials.v1",
}
"""Stream -> the topic it is in production."""
JUNK = b"this is no line of a queue_log"


class Shift(NamedTuple):
    """A stretch of time with the same agents and pace; ``written``: how much more or less than
    ``writing.DESKS`` say."""

    start_ms: int
    end_ms: int
    centre: Centre
    written: float = 1.0


class Row(NamedTuple):
    """What is written to a stream at a time."""

    time_ms: int
    stream: str
    row: tuple[bytes | None, bytes, Any]


def settings(text: str) -> Settings:
    """As a worker would load them."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "contact-streams.toml").write_text(text)
        return load({}, folder=Path(folder))


def told(shifts: list[Shift], seed: int, junk_every: int = 400) -> list[Row]:
    """Calls and what is written, in all shifts, in order."""
    rows = []
    for number, shift in enumerate(shifts):
        random = Random(f"{seed} {number}")
        rows += _calls(random, shift, junk_every)
        for event in conversations(random, shift.start_ms, shift.end_ms, shift.written):
            rows.append(Row(event.time, "contact-events", _row(event)))
            if random.random() < TOLD_TWICE:
                rows.append(Row(event.time + 2_000, "contact-events", _row(event)))
    return sorted(rows, key=lambda row: row.time_ms)


def _calls(random: Random, shift: Shift, junk_every: int) -> Iterator[Row]:
    lines = calls(random, shift.centre, shift.start_ms, shift.end_ms)
    for number, (time_ms, line) in enumerate(lines):
        yield Row(time_ms, "raw", (None, line.encode(), ()))
        if number % junk_every == junk_every - 1:
            yield Row(time_ms, "raw", (None, JUNK, ()))


def _row(event: Any) -> tuple[bytes, bytes, Any]:
    return event.contact.encode(), codec.encode(event), ()


class _Forgetful(Pipeline):
    """Its results are seen at the exporter alone."""

    def _deliver(self, output: Output) -> None:
        pass


class Floor:
    """Feed it up to a time, then ask its collectors."""

    def __init__(self, rows: list[Row], configured: Settings) -> None:
        self._rows = iter(rows)
        self._next = next(self._rows, None)
        terms = configured.terms()
        self._pipeline = _Forgetful("asterisk_queue_log", terms, targets=configured.targets)
        self._terms = terms
        self.now_ms = 0
        self.moved_ms = 0
        """When partitions moved last."""
        self.moves = 1

    @property
    def board(self) -> BoardStage:
        stage = self._pipeline.stages["partials"]
        assert isinstance(stage, BoardStage)
        return stage

    def advance(self, now_ms: int) -> None:
        """Everything up to this time is read, and the clock ticks once."""
        waiting: dict[str, list[Any]] = {"raw": [], "contact-events": []}
        while self._next is not None and self._next.time_ms <= now_ms:
            waiting[self._next.stream].append(self._next.row)
            self._next = next(self._rows, None)
        for stream, rows in waiting.items():
            self._pipeline.records(stream, rows)
        self._pipeline.tick(now_ms)
        self.now_ms = now_ms

    def move(self) -> None:
        """As if partitions had been moved now."""
        self.moved_ms = self.now_ms
        self.moves += 1

    def collectors(self) -> dict[str, KpiCollector]:
        """Worker -> its collector.  The first one owns the board."""
        options: Any = {"terms": self._terms, "clock": lambda: self.now_ms / 1000}
        return {
            "worker-1:9464": KpiCollector(lambda: [self.board], self._first, **options),
            "worker-2:9464": KpiCollector(lambda: [], self._second, **options),
        }

    def _first(self) -> WorkerView:
        stages = [stage for stage in self._pipeline.stages.values() if hasattr(stage, "counts")]
        rejected = {
            (stage.name, name.removeprefix("rejected.")): count
            for stage in stages
            for name, count in stage.counts.items()
            if name.startswith("rejected.")
        }
        ends = {(TOPICS[name], 0): end for name, end in self._pipeline.ends.items()}
        return WorkerView(
            state="running",
            loop_idle_ms=40,
            rebalances=self.moves,
            assigned={topic: 2 for topic, _ in ends},
            lag={at: end % 37 + self._behind() for at, end in ends.items()},
            absorbed=ends,
            marks_ms={"board/0": self.board.mark_ms or 0, "board/1": self.now_ms - 900},
            entities={s.name: len(s) for s in stages if hasattr(s, "__len__")},
            events_rejected=rejected,
            **self._counted(stages),
        )

    def _counted(self, stages: list[Any]) -> dict[str, Any]:
        by_field: dict[str, Any] = {}
        for stage in stages:
            for name, field in COUNTED.items():
                if name in stage.counts:
                    by_field.setdefault(field, {})[stage.name] = stage.counts[name]
        seals = {stage.name: self.now_ms // 90_000 for stage in stages}
        publishes = {stage.name: self.now_ms // 200 for stage in stages}
        bounds = {"sums_late": Counter(board=self.moves), "keys_refused": Counter(board=0)}
        lost = {"records_lost": {"cc.events.contact.v1": 0}}
        late = {"events_late": Counter(by_field.get("events_late", {}), contacts=self.moves)}
        return by_field | {"seals": seals, "publishes": publishes} | bounds | lost | late

    def _second(self) -> WorkerView:
        restoring = {("contact-streams-board-changelog", 1): 9_000} if self._behind() else {}
        return WorkerView(
            state="running",
            loop_idle_ms=55,
            rebalances=self.moves,
            restore_remaining=restoring,
            assigned={"cc.events.contact.v1": 2},
            lag={("cc.events.contact.v1", 1): self.now_ms // 1000 % 23 + self._behind()},
            marks_ms={"board/1": self.now_ms - 900},
        )

    def _behind(self) -> int:
        """Records that wait because partitions have just moved."""
        since_ms = self.now_ms - self.moved_ms
        return max(0, 2_400 - since_ms // 50) if self.moved_ms else 0
