"""The watchdog: a worker that has work and does none ends, so that whoever supervises it starts it
again.

It runs in a thread of its own, because a loop that stands still cannot watch itself.
"""

from __future__ import annotations

import faulthandler
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import TYPE_CHECKING

from streams.errors import StateError

if TYPE_CHECKING:
    from streams.runtime.loop import Runtime

log = logging.getLogger("streams")
LOOK_SECONDS = 1.0
ASLEEP_SECONDS = 5.0
Work = tuple[str, str]
"""What there is to do, where."""


def work(runtime: Runtime) -> Iterator[tuple[Work, object]]:
    """What should be moving now, with what shows that it does."""
    if runtime.turns:  # it turns when Kafka was reached; who never reaches it ends by itself
        yield ("loop", "the event loop"), runtime.turns
    if not runtime.assignment.restored and runtime.assignment.rebalances:
        restored = sum(owner.restored_to for owner in list(runtime.owners.values()))
        yield ("restore", "all partitions"), (restored, runtime.assignment.rebalances)
    for (topic, partition), owner in list(runtime.owners.items()):
        place = f"{topic}[{partition}]"
        if owner.absorbed is None or not runtime.assignment.restored:
            continue
        if not owner.room.is_set():
            yield ("write", place), (owner.committed, owner.slices_written)
        elif runtime.ends.get((topic, partition), 0) > owner.absorbed:
            yield ("read", place), owner.absorbed


class Watchdog:
    """Remembers since when each piece of work has not moved."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[Work, tuple[object, float]] = {}

    def stalled(self, now: list[tuple[Work, object]], at: float) -> Work | None:
        """The first piece of work that has stood still for so long; ``at`` is a monotonic time."""
        self._since = {what: (shown, self._moved_at(what, shown, at)) for what, shown in now}
        for what, (_, since) in self._since.items():
            if at - since >= self._seconds:
                return what
        return None

    def _moved_at(self, what: Work, shown: object, at: float) -> float:
        known = self._since.get(what)
        return known[1] if known is not None and known[0] == shown else at


def watch(runtime: Runtime, seconds: float) -> Callable[[], None]:
    """Start watching; 0: never ends anything.  Returns what stops it."""
    over = threading.Event()
    if seconds > 0:
        thread = threading.Thread(
            target=_watch, args=(runtime, Watchdog(seconds), seconds, over), daemon=True
        )
        thread.start()
    return over.set


def _watch(runtime: Runtime, dog: Watchdog, seconds: float, over: threading.Event) -> None:
    looked_at = monotonic()
    while not over.wait(LOOK_SECONDS):
        if runtime.stopping:
            return
        if monotonic() - looked_at > ASLEEP_SECONDS:
            dog = Watchdog(seconds)  # the whole process stood still, not the work in it
        looked_at = monotonic()
        stalled = dog.stalled(list(work(runtime)), monotonic())
        if stalled is not None:
            _end(runtime, stalled, seconds)


def _end(runtime: Runtime, stalled: Work, seconds: float) -> None:
    what, where = stalled
    faulthandler.dump_traceback(sys.stderr)
    runtime.fail(
        StateError(
            f"{where}: no progress ({what}) for {seconds:.0f} s, with work to do",
            "the threads' stacks are above; processing.stall_seconds is the limit",
            "have the worker started again; state is exact after a restart",
        )
    )
