"""Where a worker's time goes: py-spy's stacks, by stage and by function.

py-spy is no part of the project; without it nothing is profiled.  It reads the process from outside
and stops it a hundred times a second for a moment, so the rates of such a run are lower.  Only
threads that hold the interpreter's lock are counted, so waiting is not.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from streams.errors import StateError

RATE = 100
TOP = 30
END_SECONDS = 60.0
_STAGE = re.compile(r"streams/stages/(ingest|contacts|staff|customers|board)\.py")
_PARTS = (
    ("writing", re.compile(r"streams/runtime/writing\.py")),
    ("Kafka's client", re.compile(r"aiokafka/")),
    ("results for /metrics", re.compile(r"streams/sinks/")),
    ("the loop", re.compile(r"streams/runtime/")),
)
_LINE = re.compile(r":\d+\)$")


class Profile(NamedTuple):
    """Shares of the busy samples: by part of the worker, and by function, the most first (what it
    does itself, not what it calls)."""

    samples: int
    parts: list[tuple[str, float]]
    functions: list[tuple[str, float]]


def spy() -> str:
    """The program; StateError without it."""
    found = shutil.which("py-spy")
    if found is None:
        raise StateError("there is no py-spy", "--profile needs it", "pip install py-spy")
    return found


@contextmanager
def spied(process: int, folded: Path) -> Iterator[None]:
    """Stacks of the process are written to ``folded`` at the end.  StateError if there are none."""
    command = [spy(), "record", "--pid", str(process), "--rate", str(RATE), "--gil"]
    watching = subprocess.Popen(
        [*command, "--format", "raw", "--duration", "86400", "--output", str(folded)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        watching.send_signal(signal.SIGINT)
        watching.wait(END_SECONDS)
    if not folded.exists():
        raise StateError("py-spy wrote nothing", "it may not look at other processes, perhaps")


def profile_of(lines: Iterable[str]) -> Profile:
    """Of folded stacks: frames with semicolons between them, the innermost last, and how often.

    >>> profile_of(["run (a.py:1);seal (streams/stages/board.py:7) 3", "run (a.py:2) 1"])
    Profile(samples=4, parts=[('board', 0.75), ('other', 0.25)], \
functions=[('seal (streams/stages/board.py)', 0.75), ('run (a.py)', 0.25)])
    """
    parts: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.rstrip().rpartition(" ")
        parts[_part(stack)] += int(count)
        functions[_LINE.sub(")", stack.rpartition(";")[2])] += int(count)
    total = parts.total() or 1

    def shares(found: Counter[str], most: int | None = None) -> list[tuple[str, float]]:
        return [(name, round(count / total, 4)) for name, count in found.most_common(most)]

    return Profile(parts.total(), shares(parts), shares(functions, TOP))


def _part(stack: str) -> str:
    found = _STAGE.search(stack)
    if found:
        return found[1]
    return next((name for name, pattern in _PARTS if pattern.search(stack)), "other")
