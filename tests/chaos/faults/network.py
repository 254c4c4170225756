"""Faults of the network between one worker and the brokers."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from tests.chaos.faults.bed import Bed, Course, lasting_seconds, number
from tests.chaos.plan import Parameters
from tests.chaos.proxy import BOTH, FETCH, Direction

BETWEEN_RESETS_SECONDS = 0.7
_HELD: dict[str, tuple[Direction, ...]] = {
    "both": BOTH,
    "requests": ("requests",),
    "answers": ("answers",),
}


def _spoilt(bed: Bed, worker: int, spoil: Callable[[], None], seconds: float, told: str) -> Course:
    """One thing at a time: what ends first would mend what the other has spoilt."""
    if worker in bed.cut_off:
        return f"the network of worker {worker} was bad already"
    bed.cut_off.add(worker)
    began = time.monotonic()
    spoil()
    try:
        yield seconds
    finally:
        bed.network.heal(worker)
        bed.cut_off.discard(worker)
    return f"worker {worker} {told} for {time.monotonic() - began:.1f} s"


def slow(bed: Bed, parameters: Parameters) -> Course:
    """Late, and narrow as well: one piece of 64 KiB at a time."""
    worker, delay_ms = number(parameters, "worker"), number(parameters, "delay_ms")
    spoil = partial(bed.network.slow, worker, delay_ms)
    told = f"had {delay_ms} ms to and from the brokers"
    return (yield from _spoilt(bed, worker, spoil, lasting_seconds(parameters), told))


def resets(bed: Bed, parameters: Parameters) -> Course:
    """Every request under way may have been done or not."""
    worker, times = number(parameters, "worker"), number(parameters, "times")
    for _ in range(times):
        bed.network.reset(worker)
        yield BETWEEN_RESETS_SECONDS
    return f"worker {worker} had its connections reset {times} times"


def cut(bed: Bed, parameters: Parameters) -> Course:
    """With answers held, everything is done and the worker does not know; what was held arrives
    afterwards, however old it is."""
    worker, direction = number(parameters, "worker"), str(parameters["direction"])
    spoil = partial(bed.network.hold, worker, _HELD[direction])
    told = f"was cut off ({direction})"
    return (yield from _spoilt(bed, worker, spoil, lasting_seconds(parameters), told))


def stall(bed: Bed, parameters: Parameters) -> Course:
    """It is alive for the group, and reads nothing: only the worker itself can notice."""
    worker = number(parameters, "worker")
    spoil = partial(bed.network.hold_kind, worker, FETCH)
    return (yield from _spoilt(bed, worker, spoil, lasting_seconds(parameters), "could not fetch"))
