"""One session: one broker, the same topics, every engine in turn, several times over.

Engines alternate within each round, so what the machine does meanwhile (other work, heat) meets all
of them alike.  Each run has a group and an output topic of its own, deleted after it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from bench import outputs, pipeline, producing, topics
from bench.catalogue import PIPELINE, Engine, Prepare, events_of
from bench.harness import Measurement, Run, execute
from bench.load import PARTITIONS, STEP_MS, Answers
from bench.processes import Cores, cores, on
from streams.errors import StreamsError
from streams.kafka.embedded import EmbeddedCluster

MINUTE_MS = 60_000
BROKER_HEAP_MB = 1024
Done = Callable[[Measurement], None]


class Plan(NamedTuple):
    """What a session does.  ``most``: events of the fastest engine, None for each engine's own."""

    engines: Sequence[Engine]
    jobs: Sequence[int]
    repeats: int
    most: int | None
    named: bool
    """The engines were named, so each does all jobs that it can."""

    def turns(self) -> Iterator[tuple[int, int, Engine]]:
        """(job, repeat, engine) in the order they are run."""
        for job in self.jobs:
            for repeat in range(1, self.repeats + 1):
                for engine in self.engines:
                    if job in engine.events and (self.named or job in engine.default_jobs):
                        yield job, repeat, engine


class Told:
    """Progress, on standard error: a line that is rewritten, and one that stays for each run."""

    def __init__(self, runs: int) -> None:
        self._runs = runs
        self._done = 0
        self._began = time.monotonic()
        self._live = sys.stderr.isatty()

    def say(self, text: str) -> None:
        """A line that stays."""
        self._write(f"{text}\n")

    def share(self, what: str, events: int, of: int) -> None:
        """A line for a while."""
        if self._live:
            self._write(f"{what} {events / of:4.0%} of {of:,}{self._left()}")

    def run(self, result: Measurement) -> None:
        """One run is over."""
        self._done += 1
        rate = f"{result.events_per_second:,.0f}/s, {result.events_per_cpu_second:,.0f} per CPU s"
        rate = rate if result.measured_events else "right, but too short to measure"
        self.say(
            f"[{self._done}/{self._runs}] job {result.job} {result.engine}: "
            f"{result.problem or rate} ({result.whole_seconds:.0f} s){self._left()}"
        )

    def _left(self) -> str:
        if not self._done:
            return ""
        each = (time.monotonic() - self._began) / self._done
        return f"; some {each * (self._runs - self._done) / 60:.0f} min left"

    def _write(self, text: str) -> None:
        sys.stderr.write(("\r\x1b[K" if self._live else "") + text)
        sys.stderr.flush()


class Session:
    """See the module."""

    def __init__(self, plan: Plan, told: Told, done: Done) -> None:
        self.plan = plan
        self.told = told
        self.cores = cores()
        self._done = done
        self._answers: dict[int, Answers] = {}
        self._bootstrap = ""
        self._stamp = datetime.now(UTC).strftime("%H%M%S")

    def run(self) -> None:
        """Everything that the plan says; each measurement is handed on at once."""
        turns = list(self.plan.turns())
        # Inherited by the broker and all its threads.
        with on(self.cores.others):
            self.told.say("starting the broker")
            with EmbeddedCluster(heap_mb=BROKER_HEAP_MB) as cluster:
                self._bootstrap = cluster.bootstrap
                self._fill(turns)
                for job, repeat, engine in turns:
                    result = self._turn(job, repeat, engine)
                    self.told.run(result)
                    self._done(result)

    def _fill(self, turns: Sequence[tuple[int, int, Engine]]) -> None:
        lengths = {self._events(engine, job) for job, _, engine in turns if job != PIPELINE}
        if not lengths:
            return
        names = {length: topics.source(length) for length in sorted(lengths)}
        topics.create(self._bootstrap, list(names.values()))
        self.told.say(f"writing {sum(lengths):,} events")
        # In the past, as Faust forgets windows by the wall clock, and bytewax waits by it.
        begin = int(time.time() * 1000) - max(lengths) * STEP_MS
        self._answers = asyncio.run(
            producing.produce(
                self._bootstrap,
                names,
                begin - begin % MINUTE_MS,
                lambda done, of: self.told.share("written", done, of),
            )
        )

    def _events(self, engine: Engine, job: int) -> int:
        return events_of(engine, job, self.plan.most)

    def _turn(self, job: int, repeat: int, engine: Engine) -> Measurement:
        group = f"bench-{engine.name}-{job}-{repeat}-{self._stamp}"
        with topics.leaving_nothing(self._bootstrap, group):
            if job == PIPELINE:
                return self._pipeline(repeat, engine, group)
            return self._engine(job, repeat, engine, group)

    def _engine(self, job: int, repeat: int, engine: Engine, group: str) -> Measurement:
        events, output = self._events(engine, job), f"{group}-results"
        topics.create(self._bootstrap, [output])
        answers = self._answers[events]
        command = [*engine.command(job), *self._arguments(job, group, output, events)]
        run = Run(
            engine.name,
            job,
            repeat,
            command,
            events,
            engine.warm_up_ratio,
            self.cores.engine if engine.pinned else self.cores.engine | self.cores.others,
            answers.totals(job),
        )
        result = execute(run, lambda done: self.told.share(engine.name, done, events))
        windows = answers.windows(job)
        if result.problem or windows is None or engine.name == "ceiling":
            return result
        return result.but(problem=outputs.problem(self._bootstrap, output, windows))

    def _arguments(self, job: int, group: str, output: str, events: int) -> list[str]:
        named = {
            "bootstrap": self._bootstrap,
            "topic": topics.source(events),
            "job": job,
            "group": group,
            "output": output,
            "events": events,
            "partitions": PARTITIONS,
        }
        return [word for name, value in named.items() for word in (f"--{name}", str(value))]

    def _pipeline(self, repeat: int, engine: Engine, group: str) -> Measurement:
        events = self._events(engine, PIPELINE)
        self.told.share("writing canonical events", 0, events)
        deployment, queued = pipeline.prepare(self._bootstrap, events, group)
        run = Run(
            engine.name,
            PIPELINE,
            repeat,
            pipeline.command(),
            events,
            engine.warm_up_ratio,
            self.cores.engine,
        )
        return pipeline.execute(
            run, deployment, queued, lambda done: self.told.share(engine.name, done, events)
        )


def prepared(engines: Sequence[Engine], say: Callable[[str], None]) -> list[Engine]:
    """Those that can be run here; for each other it is said why not."""
    able: dict[Prepare, bool] = {}
    for engine in engines:
        if engine.prepare not in able:
            able[engine.prepare] = _able(engine.prepare, say)
    return [engine for engine in engines if able[engine.prepare]]


def _able(prepare: Prepare, say: Callable[[str], None]) -> bool:
    try:
        prepare(say)
    except StreamsError as error:
        say(f"left out: {error}")
        return False
    return True


def pinning(found: Cores) -> str:
    """How cores are shared out, for the report."""
    if not found.pinned:
        return "not pinned: one core, or a system that does not pin"
    return f"engine on core {sorted(found.engine)}, broker and harness on {sorted(found.others)}"
