"""One engine, one run: start it, read what it says, measure it in the middle.

Rate and CPU are taken between two of the engine's lines: the first after the warm-up (a tenth of
the events, more for engines that need it) and the first after nine tenths.  Neither its start, its
joining of a group nor its end counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec

from bench.load import Totals
from bench.processes import on, usage

ROOT = Path(__file__).parents[1]
LAST_RATIO = 0.9
SILENT_SECONDS = 120.0
"""An engine that says nothing for this long is given up."""
END_SECONDS = 10.0
ERROR_LINES = 12
Tell = Callable[[int], None]
"""Called with the events processed."""


class Run(msgspec.Struct, frozen=True):
    """What is to be run.  ``warm_up_ratio`` of the events do not count; ``cores`` may be empty."""

    engine: str
    job: int
    repeat: int
    command: Sequence[str]
    events: int
    warm_up_ratio: float
    cores: frozenset[int]
    expected: Totals | None = None


class Sample(msgspec.Struct, frozen=True):
    """An engine at one moment."""

    at_seconds: float
    events: int
    cpu_seconds: float
    memory_peak_bytes: int


class Measurement(msgspec.Struct, frozen=True):
    """What a run gave.  ``problem`` is empty if all went well; WRONG totals are one.  A run too
    short to be measured has no ``measured_events``."""

    engine: str
    job: int
    repeat: int
    events: int
    measured_events: int
    seconds: float
    cpu_seconds: float
    memory_peak_bytes: int
    whole_seconds: float
    """From the start of the process to its last word."""
    problem: str = ""

    def but(self, problem: str) -> Measurement:
        """The same with a problem found later."""
        return msgspec.structs.replace(self, problem=problem)

    @property
    def events_per_second(self) -> float:
        return self.measured_events / self.seconds if self.seconds else 0.0

    @property
    def events_per_cpu_second(self) -> float:
        return self.measured_events / self.cpu_seconds if self.cpu_seconds else 0.0

    @property
    def cpu_seconds_per_million(self) -> float:
        return 1e6 * self.cpu_seconds / self.measured_events if self.measured_events else 0.0


def sample(process: int, events: int) -> Sample:
    used = usage(process)
    return Sample(time.monotonic(), events, used.cpu_seconds, used.memory_peak_bytes)


def measured(run: Run, samples: Sequence[Sample], began: float, problem: str = "") -> Measurement:
    """The middle of the run."""
    first = _after(samples, run.warm_up_ratio * run.events)
    last = _after(samples, LAST_RATIO * run.events)
    if first is None or last is None or last.at_seconds <= first.at_seconds:
        first = last = Sample(0.0, 0, 0.0, 0)
    return Measurement(
        run.engine,
        run.job,
        run.repeat,
        run.events,
        last.events - first.events,
        last.at_seconds - first.at_seconds,
        last.cpu_seconds - first.cpu_seconds,
        max((each.memory_peak_bytes for each in samples), default=0),
        time.monotonic() - began,
        problem,
    )


def _after(samples: Sequence[Sample], events: float) -> Sample | None:
    return next((each for each in samples if each.events >= events), None)


def execute(run: Run, tell: Tell) -> Measurement:
    """Run an engine to its end."""
    began = time.monotonic()
    # Engines leave folders and logs where they stand.
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as errors:
        process = start(run.command, run.cores, folder, errors)
        samples: list[Sample] = []
        try:
            totals = _listen(process, samples, tell)
        finally:
            end(process)
        problem = _problem(run, totals, last_words(errors))
    return measured(run, samples, began, problem)


def start(
    command: Sequence[str],
    cores: frozenset[int],
    folder: str,
    errors: IO[bytes],
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[str]:
    """A process on these cores that finds our packages."""
    with on(cores):
        return subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {}), "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )


def _listen(process: subprocess.Popen[str], samples: list[Sample], tell: Tell) -> Totals | None:
    """Sample at each line; the engine's totals, None if it ended without."""
    for line in _lines(process):
        if "totals" in line:
            totals = line["totals"]
            return Totals(totals["count"], totals["sum"])
        if "processed" in line:
            samples.append(sample(process.pid, line["processed"]))
            tell(line["processed"])
    return None


def _lines(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    """What the engine says; silence for too long ends it."""
    assert process.stdout is not None
    alive = threading.Event()
    over = threading.Event()
    threading.Thread(target=_watch, args=(process, alive, over), daemon=True).start()
    try:
        for text in process.stdout:
            alive.set()
            if text.startswith("{"):
                yield json.loads(text)
    finally:
        over.set()
        alive.set()


def _watch(process: subprocess.Popen[str], alive: threading.Event, over: threading.Event) -> None:
    while alive.wait(SILENT_SECONDS) and not over.is_set():
        alive.clear()
    if not over.is_set():
        process.kill()


def end(process: subprocess.Popen[str]) -> None:
    """It may be ending by itself, and then is given the time to."""
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _problem(run: Run, totals: Totals | None, last_words: str) -> str:
    if totals is None:
        return f"did not finish: {last_words}"
    if run.expected is not None and totals != run.expected:
        return f"WRONG: {tuple(totals)}, not {tuple(run.expected)}"
    return ""


def last_words(errors: IO[bytes]) -> str:
    """The end of what it said on its standard error."""
    errors.seek(0)
    lines = errors.read().decode("utf-8", "replace").splitlines()
    return " / ".join(lines[-ERROR_LINES:]) or "it said nothing"
