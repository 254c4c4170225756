"""Carries out a plan, and watches how long it takes until nothing of each fault is left."""

from __future__ import annotations

import contextlib
import heapq
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from itertools import count
from urllib.request import urlopen

import orjson

from tests.chaos.faults.bed import Bed, Course
from tests.chaos.faults.table import FAULTS
from tests.chaos.plan import Planned

WATCH_SECONDS = 0.5
ANSWER_SECONDS = 2.0
UNANSWERED = (OSError, HTTPException, ValueError)
"""Nobody there, nobody there any more, or killed in the middle of an answer."""
LAG_METRIC = "cc_worker_lag_records"
LAG_RECORDS_MAX = 1_000
"""Lag of all workers that counts as none: about two seconds of the load."""


@dataclass
class Struck:
    """A fault that was carried out.  Times are seconds from the start of the nemesis; ``over`` is
    when all work was as before, None if the run ended first."""

    planned: Planned
    began: float
    ended: float
    what: str
    over: float | None = None


class Watch:
    """Finds out when all is well: every partition has one owner, all of them work, none lags.

    In a thread; ``tell`` gets each fault as soon as its effect is over.  ``began`` is the start of
    the nemesis, as ``time.monotonic`` has it.
    """

    def __init__(self, bed: Bed, began: float, tell: Callable[[Struck], None]) -> None:
        self._bed, self._began, self._tell = bed, began, tell
        self._open: list[Struck] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._thread.start()

    def take(self, struck: Struck) -> None:
        """From now on look for the end of its effect."""
        with self._lock:
            self._open.append(struck)

    def close(self) -> None:
        """Look no more, and tell what is still open as it is."""
        self._closing.set()
        self._thread.join()
        for struck in self._open:
            self._tell(struck)
        self._open = []

    def _watch(self) -> None:
        while not self._closing.wait(WATCH_SECONDS):
            looked_at = time.monotonic() - self._began
            if self._open and all_is_well(self._bed):
                self._all_well(looked_at)

    def _all_well(self, since: float) -> None:
        with self._lock:
            over = [struck for struck in self._open if struck.ended <= since]
            self._open = [struck for struck in self._open if struck.ended > since]
        for struck in over:
            struck.over = since
            self._tell(struck)


def all_is_well(bed: Bed) -> bool:
    """Whether the workers own every partition once, work on all of them, and hardly lag."""
    urls = bed.fleet.metrics_urls()
    owned = sum(map(owned_by, urls))
    return owned == bed.partitions and sum(map(lag_of, urls)) <= LAG_RECORDS_MAX


def owned_by(metrics_url: str) -> int:
    """How many partitions a worker works on; 0 while it does not."""
    with contextlib.suppress(*UNANSWERED):
        health_url = metrics_url.removesuffix("/metrics") + "/health/ready"
        with urlopen(health_url, timeout=ANSWER_SECONDS) as answer:
            return int(orjson.loads(answer.read())["detail"]["partitions"])
    return 0


def lag_of(metrics_url: str) -> int:
    """How many records a worker is behind, in all; very many if it does not say."""
    with contextlib.suppress(*UNANSWERED):
        with urlopen(metrics_url, timeout=ANSWER_SECONDS) as answer:
            lines = answer.read().decode().splitlines()
        found = [line.rpartition(" ")[2] for line in lines if line.startswith(LAG_METRIC)]
        return int(sum(map(float, found)))
    return LAG_RECORDS_MAX + 1


class Nemesis:
    """Faults of one plan.  They may overlap: each is gone on with when its time has come."""

    def __init__(self, bed: Bed, plan: Sequence[Planned], watch: Watch, began: float) -> None:
        self.struck: list[Struck] = []
        self._bed, self._watch, self._began = bed, watch, began
        self._serial = count()
        self._todo: list[tuple[float, int, Struck, Course]] = []
        for planned in plan:
            at = planned.at_ms / 1_000
            course = FAULTS[planned.fault](bed, planned.parameters)
            heapq.heappush(
                self._todo, (at, next(self._serial), Struck(planned, at, at, ""), course)
            )

    def play(self, seconds: float, check: Callable[[], None]) -> None:
        """Until so many seconds from the start have passed; ``check`` raises to end it early."""
        while (now := self._now()) < seconds:
            check()
            if self._todo and self._todo[0][0] <= now:
                self._go_on(*heapq.heappop(self._todo)[2:])
            else:
                due = self._todo[0][0] if self._todo else seconds
                time.sleep(max(0.0, min(due - now, seconds - now, WATCH_SECONDS)))

    def heal(self) -> None:
        """End what is under way and mend everything; the rest of the plan is forgotten."""
        todo, self._todo = self._todo, []
        for _, _, struck, course in todo:
            course.close()
            if struck.what:
                struck.what, struck.ended = "ended early, as all was healed", self._now()
                self._strike(struck)
        self._bed.network.heal_all()
        self._bed.cluster.revive()
        self._bed.fleet.heal(range(self._bed.world.workers))

    def _go_on(self, struck: Struck, course: Course) -> None:
        if not struck.what:
            struck.began, struck.what = self._now(), "under way"
        try:
            wait_seconds = next(course)
        except StopIteration as done:
            struck.what, struck.ended = done.value, self._now()
            self._strike(struck)
        else:
            due = self._now() + wait_seconds
            heapq.heappush(self._todo, (due, next(self._serial), struck, course))

    def _strike(self, struck: Struck) -> None:
        self.struck.append(struck)
        self._watch.take(struck)

    def _now(self) -> float:
        return time.monotonic() - self._began
