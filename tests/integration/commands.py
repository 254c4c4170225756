"""Running the real command in a process of its own, and seeing what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import orjson

from streams.kafka.places import cache_dir
from streams.results import Result

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 90


class Ran(NamedTuple):
    code: int
    out: str
    err: str
    seconds: float


class Command:
    """``contact-streams`` with these words and settings; everything temporary lies in a folder
    below ``folder``."""

    def __init__(
        self, words: list[str], folder: Path, settings: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder / "tmp"
        self.folder.mkdir(exist_ok=True)
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streams", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=_environment(self.folder) | dict(settings or {}),
        )

    def wait(self) -> Ran:
        try:
            out, err = self.process.communicate(timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGTERM)
            out, err = self.process.communicate(timeout=30)
            raise AssertionError(f"no end after {SECONDS_MAX} s:\n{err}") from None
        return Ran(self.process.returncode, out, err, time.monotonic() - self.began)

    def has_started(self, least: int, seconds: float = 30) -> bool:
        """Whether it has so many descendants in time."""
        deadline = time.monotonic() + seconds
        while len(self.descendants()) < least:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def descendants(self) -> set[int]:
        """Every process it has started, and those that these have started."""
        listed = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
        )
        parents = dict(map(int, line.split()) for line in listed.stdout.splitlines())
        found = {self.process.pid}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found - {self.process.pid}


def run(words: list[str], folder: Path, settings: Mapping[str, str] | None = None) -> Ran:
    """The command from its start to its end."""
    return Command(words, folder, settings).wait()


def results_of(text: str) -> list[Result]:
    """What ``--json`` has printed."""
    return [_result(line.encode()) for line in text.splitlines()]


def _result(line: bytes) -> Result:
    told = orjson.loads(line)
    return Result(orjson.dumps([told["kpi"], told["window"]["kind"], 0]), line)


def gone_within(pids: set[int], seconds: float) -> bool:
    """Whether all of these processes have ended in time."""
    deadline = time.monotonic() + seconds
    while any(map(_runs, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie that nobody has waited for yet does not run either.
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return not state.stdout.strip().startswith("Z") and bool(state.stdout.strip())


def _environment(folder: Path) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("STREAMS_")}
    return {**ours, "TMPDIR": str(folder), "STREAMS_CACHE_DIR": str(cache_dir())}
