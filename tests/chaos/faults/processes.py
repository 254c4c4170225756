"""Faults of the workers themselves: killed, ended, stopped, stopped half-way, added, removed."""

from __future__ import annotations

import signal
import time

from streams.runtime.failpoints import VARIABLE
from tests.chaos.faults.bed import Bed, Course, lasting_seconds, number
from tests.chaos.plan import Parameters
from tests.chaos.workers import Worker

LOOK_SECONDS = 0.25
REACHED_SECONDS = 25.0
"""How long a fail point may take to be reached, from the death of the worker before."""
CLEANED_SECONDS = 10.0
BEYOND_SECONDS = 2.0
"""How much longer than a session a zombie sleeps."""
NOBODY = "nobody was there"


def sigkill(bed: Bed, parameters: Parameters) -> Course:
    """Nothing is written, closed or said any more."""
    return (yield from _ended(bed, number(parameters, "worker"), signal.SIGKILL, "killed"))


def sigterm(bed: Bed, parameters: Parameters) -> Course:
    """What a deployment does: the last writes are made, and the group is left."""
    return (yield from _ended(bed, number(parameters, "worker"), signal.SIGTERM, "asked to end"))


def _ended(bed: Bed, slot: int, how: int, told: str) -> Course:
    worker = bed.fleet.worker(slot)
    if worker is None:
        return NOBODY
    worker.end(how)
    yield 0.0
    return f"worker {slot} {told}"


def sigstop(bed: Bed, parameters: Parameters) -> Course:
    """It neither knows that it sleeps nor, for a moment, that it slept."""
    slot, seconds = number(parameters, "worker"), lasting_seconds(parameters)
    worker = bed.fleet.worker(slot)
    if worker is None:
        return NOBODY
    if worker.environment:
        # Who stands still for another reason would be taken for one that has reached its point.
        return f"worker {slot} is on its way to a fail point"
    began = time.monotonic()
    worker.send(signal.SIGSTOP)
    try:
        yield seconds
    finally:
        worker.send(signal.SIGCONT)
    return f"worker {slot} stood still for {time.monotonic() - began:.1f} s"


def scale(bed: Bed, parameters: Parameters) -> Course:
    """Two rebalances: one when it joins, one when it leaves."""
    slot, seconds = number(parameters, "worker"), lasting_seconds(parameters)
    bed.fleet.add([slot])
    try:
        yield seconds
    finally:
        bed.fleet.remove(slot)
    return f"worker {slot} added, and removed after {seconds:.1f} s"


def fail_point(bed: Bed, parameters: Parameters) -> Course:
    """The next worker of this slot dies or stops right behind a given step."""
    slot, how = number(parameters, "worker"), str(parameters["how"])
    text = f"{parameters['point']}#{parameters['nth']}:{how}"
    bed.fleet.arm(slot, {VARIABLE: text})
    try:
        reached = yield from _reached(bed, slot, how)
    finally:
        bed.fleet.disarm(slot)
    return f"worker {slot} {'reached' if reached else 'never came to'} {text}"


def _reached(bed: Bed, slot: int, how: str) -> Course:
    """Returns who reached it, or nothing; who stopped there has slept and goes on."""
    deadline = time.monotonic() + REACHED_SECONDS
    armed: Worker | None = None
    while time.monotonic() < deadline:
        yield LOOK_SECONDS
        found = bed.fleet.worker(slot)
        armed = armed or (found if found is not None and found.environment else None)
        if armed is None:
            continue
        if armed.poll() is not None:
            return str(slot) if how == "kill" and armed.poll() == -signal.SIGKILL else ""
        if armed.stands_still():
            yield from _asleep(bed, armed)
            return str(slot)
    return ""


def _asleep(bed: Bed, worker: Worker) -> Course:
    try:
        yield bed.session_seconds + BEYOND_SECONDS
    finally:
        # It has done what it was started for, and is a worker like any other from now on.
        worker.environment = {}
        worker.send(signal.SIGCONT)
    return ""


def compaction(bed: Bed, parameters: Parameters) -> Course:
    """The next owner restores from a changelog that is rewritten while it reads."""
    slot = number(parameters, "worker")
    before, deadline = _cleaned_ns(bed), time.monotonic() + CLEANED_SECONDS
    while _cleaned_ns(bed) == before:
        if time.monotonic() > deadline:
            return f"nothing was compacted within {CLEANED_SECONDS:.0f} s"
        yield 0.05
    worker = bed.fleet.worker(slot)
    if worker is None:
        return NOBODY
    worker.end(signal.SIGKILL)
    return f"worker {slot} killed when the cleaner had rewritten a log"


def _cleaned_ns(bed: Bed) -> int:
    """When the cleaner of any broker wrote last how far it has come; 0 if never."""
    files = (
        folder / "data" / "cleaner-offset-checkpoint" for folder in bed.cluster.folders.values()
    )
    return max((file.stat().st_mtime_ns for file in files if file.exists()), default=0)
