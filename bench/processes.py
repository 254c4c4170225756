"""What a process and its children have used, and on which cores it runs.  Needs /proc, so Linux;
elsewhere nothing is pinned and nothing is measured but time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")


class Usage(NamedTuple):
    """CPU seconds so far, with those of threads and children; what is resident, in bytes, and the
    most that ever was, each added up over the processes."""

    cpu_seconds: float
    memory_bytes: int
    memory_peak_bytes: int


def usage(*processes: int) -> Usage:
    """What processes and their living descendants have used; nothing of those that are gone."""
    own = [_usage_of(each) for p in processes for each in (p, *_descendants(p))]
    return Usage(
        sum(u.cpu_seconds for u in own),
        sum(u.memory_bytes for u in own),
        sum(u.memory_peak_bytes for u in own),
    )


def _usage_of(process: int) -> Usage:
    try:
        fields = (_PROC / str(process) / "stat").read_text().rsplit(")", 1)[1].split()
        status = (_PROC / str(process) / "status").read_text()
    except (OSError, IndexError):
        return Usage(0.0, 0, 0)
    # utime, stime and what ended children used.
    ticks = sum(int(field) for field in fields[11:15])
    resident, peak = _kib(status, "VmRSS"), _kib(status, "VmHWM")
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), resident * 1024, peak * 1024)


def _kib(status: str, name: str) -> int:
    return next((int(s.split()[1]) for s in status.splitlines() if s.startswith(name)), 0)


def _descendants(process: int) -> Iterator[int]:
    children = _PROC / str(process) / "task" / str(process) / "children"
    try:
        found = [int(child) for child in children.read_text().split()]
    except OSError:
        return
    for child in found:
        yield child
        yield from _descendants(child)


class Cores(NamedTuple):
    """The cores of the engine and those of everything else; both empty if there is only one, or if
    this system does not pin."""

    engine: frozenset[int]
    others: frozenset[int]

    @property
    def pinned(self) -> bool:
        return bool(self.engine)


def cores() -> Cores:
    """The last core for the engine, all others for the broker and the harness."""
    if not hasattr(os, "sched_getaffinity"):
        return Cores(frozenset(), frozenset())
    found = sorted(os.sched_getaffinity(0))
    if len(found) < 2:
        return Cores(frozenset(), frozenset())
    return Cores(frozenset(found[-1:]), frozenset(found[:-1]))


def move(process: int, chosen: frozenset[int]) -> None:
    """Have a process that runs, with its threads, run on these cores; empty: leave it."""
    if chosen:
        for thread in (_PROC / str(process) / "task").iterdir():
            os.sched_setaffinity(int(thread.name), chosen)


@contextmanager
def on(chosen: frozenset[int]) -> Iterator[None]:
    """What is started inside runs on these cores, with all it starts itself; empty: on any."""
    if not chosen:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
