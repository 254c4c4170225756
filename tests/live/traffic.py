"""Calls in several queues that go near the limits and not beyond them, and the truth about them.

The same pattern of twenty calls comes again and again in each queue, so every window of a few
minutes has nearly the same KPIs: service level 0.8, abandonment 0.05.  An hour of it is history,
written at once; then it goes on at the clock's pace, in a thread, until ``stop``.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush, merge
from typing import NamedTuple

from kafka import KafkaProducer

from streams.kafka.connect import client_options
from tests.integration.runs import SOURCE, Run

QUEUES = ("billing", "orders", "sales", "support")
AGENTS = 40
HISTORY_MS = 61 * 60_000
PAST_MS, LIVE_MS = 10_000, 400
"""Between two calls of a queue: in the hour before, and now."""
TALK_MS = 5_000
SOON, LATE, GIVEN_UP = (6_000, True), (25_000, True), (22_000, False)
"""(Wait in ms, answered)."""
PATTERN = tuple(call for last in (LATE, LATE, LATE, GIVEN_UP) for call in (*(SOON,) * 4, last))
STEP_SECONDS = 0.1
COUNTED = {"ENTERQUEUE": "offered", "CONNECT": "answered", "ABANDON": "abandoned"}
Fact = tuple[str, str]
"""(Queue, one of the values of ``COUNTED``)."""


class Line(NamedTuple):
    """A line of the log, and what it adds to the truth."""

    at_ms: int
    text: str
    fact: Fact | None


class Traffic:
    """Ends with the block; ``start`` writes the history and lets it go on."""

    def __init__(self, run: Run) -> None:
        deployment = run.deployment
        self._topic = deployment.raw_topic(SOURCE)
        self._producer = KafkaProducer(
            **client_options(deployment.bootstrap, deployment.client), acks="all"
        )
        self._now_ms = time.time_ns() // 1_000_000
        self._lines = _lines(self._now_ms)
        self._next = next(self._lines)
        self._sent: Counter[Fact] = Counter()
        self._times: list[float] = []
        self._truths: list[Counter[Fact]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def __enter__(self) -> Traffic:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()
        self._producer.close()

    def start(self) -> None:
        """Write an hour, and go on from there."""
        self._send_until(self._now_ms)
        self._thread.start()

    def stop(self) -> None:
        """Nothing more comes, and all that was written is there; repeats are harmless."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def truth(self, at: float | None = None) -> Counter[Fact]:
        """What had begun to be sent by then; by default all of it."""
        place = len(self._times) if at is None else bisect_right(self._times, at)
        return self._truths[place - 1] if place else Counter()

    def _go_on(self) -> None:
        while not self._stop.wait(STEP_SECONDS):
            self._send_until(time.time_ns() // 1_000_000)

    def _send_until(self, until_ms: int) -> None:
        due = []
        while self._next.at_ms <= until_ms:
            due.append(self._next)
            self._next = next(self._lines)
        # Told before it is sent: nobody can know of a call that is not in the truth.
        self._sent.update(line.fact for line in due if line.fact is not None)
        self._truths.append(self._sent.copy())
        self._times.append(time.time())
        for line in due:
            self._producer.send(self._topic, line.text.encode(), line.text.split("|")[1].encode())
        self._producer.flush()


def _lines(now_ms: int) -> Iterator[Line]:
    """All lines from an hour before ``now_ms`` on, in order of time, without an end."""
    return merge(*(_of_queue(queue, now_ms) for queue in QUEUES))


def _of_queue(queue: str, now_ms: int) -> Iterator[Line]:
    began_ms = now_ms - HISTORY_MS
    for number in range(AGENTS):
        yield _line(began_ms, "NONE", queue, _agent(queue, number), "ADDMEMBER")
    later: list[Line] = []
    for number, entered_ms in enumerate(_entries(began_ms, now_ms)):
        while later and later[0].at_ms <= entered_ms:
            yield heappop(later)
        entered, *rest = _call(queue, number, entered_ms)
        yield entered
        for line in rest:
            heappush(later, line)


def _entries(began_ms: int, now_ms: int) -> Iterator[int]:
    at_ms = began_ms + 1
    while True:
        yield at_ms
        at_ms += PAST_MS if at_ms < now_ms else LIVE_MS


def _call(queue: str, number: int, entered_ms: int) -> Sequence[Line]:
    wait_ms, answered = PATTERN[number % len(PATTERN)]
    call, left_ms, wait = f"{queue}.{number}", entered_ms + wait_ms, f"{wait_ms / 1000:.3f}"
    entered = _line(entered_ms, call, queue, "NONE", "ENTERQUEUE", "", "", "1")
    if not answered:
        return entered, _line(left_ms, call, queue, "NONE", "ABANDON", "1", "1", wait)
    agent, talk = _agent(queue, number), f"{TALK_MS / 1000:.3f}"
    return (
        entered,
        _line(left_ms, call, queue, agent, "CONNECT", wait, "x", "1"),
        _line(left_ms + TALK_MS, call, queue, agent, "COMPLETECALLER", wait, talk, "1"),
    )


def _agent(queue: str, number: int) -> str:
    return f"Agent/{queue}-{number % AGENTS:02}"


def _line(at_ms: int, call: str, queue: str, agent: str, verb: str, *rest: str) -> Line:
    written = "|".join([f"{at_ms // 1000}.{at_ms % 1000:03}", call, queue, agent, verb, *rest])
    fact = (queue, COUNTED[verb]) if verb in COUNTED else None
    return Line(at_ms, written, fact)
