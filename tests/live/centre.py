"""Simulated contact centres, and the time that their telemetry has come to.

Time is *told*: the workers write no ticks here, a clock does.  It lags behind ours by as much as
the test wants, so an hour of history takes seconds and a minute is over when it is wanted, and it
goes on all the time.  Nothing that is told lies in the future.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from random import Random

from kafka import KafkaProducer

from streams.arrival import STAGES, Offsets
from streams.bridge import KafkaOutlet
from streams.cli.simulate import Pace, feed
from streams.codec import encode
from streams.core.events import Tick
from streams.kafka.connect import client_options
from streams.simulate import Centre, calls
from tests.integration.runs import SOURCE, Run
from tests.tools.programs import until

MINUTE_MS = 60_000
TICK_SECONDS = 1.0
INGEST_SECONDS = 60


class Shift:
    """A centre that opens at ``start_ms``; nobody calls from ``end_ms`` on, and those who are there
    then are brought to their end.  Calls and agents of two seeds are never taken for one another.
    """

    def __init__(self, centre: Centre, seed: int, start_ms: int, end_ms: int) -> None:
        self._lines = _told_apart(calls(Random(seed), centre, start_ms, end_ms), seed)
        self._next = next(self._lines, None)

    def until(self, time_ms: int) -> Iterator[tuple[int, str]]:
        """What it writes until then, after what was taken before."""
        while self._next is not None and self._next[0] <= time_ms:
            yield self._next
            self._next = next(self._lines, None)


def _told_apart(written: Iterator[tuple[int, str]], seed: int) -> Iterator[tuple[int, str]]:
    for at_ms, line in written:
        # The PBX does not start again; only who calls and who works there is another.
        if "|QUEUESTART|" not in line:
            yield at_ms, line.replace("sim-", f"sim{seed}-").replace("Agent/", f"Agent/{seed}-")


def send(run: Run, *shifts: Shift, until_ms: int) -> int:
    """What these write until then, in order of time; how many lines.  All of it has become events
    when this returns: what is told after it comes after it."""
    lines = sorted(line for shift in shifts for line in shift.until(until_ms))
    deployment, topic = run.deployment, run.deployment.raw_topic(SOURCE)
    outlet = KafkaOutlet(topic, deployment.aiokafka_options())
    feed(iter(lines), outlet, Pace(0, math.inf), threading.Event(), lambda sent: None)
    with Offsets(deployment) as offsets:
        ends = offsets.ends(topic)
        until(
            lambda: offsets.committed(topic) == ends,
            INGEST_SECONDS,
            lambda: "the worker has read what was sent",
        )
    return len(lines)


class Clock:
    """Tells each event partition the time, every second, ``lag_ms`` behind ours; never an earlier
    one than before.  A context."""

    def __init__(self, run: Run, lag_ms: int) -> None:
        self._deployment = run.deployment
        self._lag_ms = lag_ms
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._go_on)

    def __enter__(self) -> Clock:
        self._producer = KafkaProducer(
            **client_options(self._deployment.bootstrap, self._deployment.client)
        )
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()
        self._producer.close()

    @property
    def now_ms(self) -> int:
        """What is told."""
        return time.time_ns() // 1_000_000 - self._lag_ms

    def lag(self, lag_ms: int) -> None:
        """From now on it is behind by so much."""
        assert 0 <= lag_ms <= self._lag_ms, f"time goes back by {lag_ms - self._lag_ms} ms"
        self._lag_ms = lag_ms
        self._tell()

    def enter_minute(self) -> None:
        """The next minute begins: at once, or when it has begun on our clock, too."""
        begins_ms = (self.now_ms // MINUTE_MS + 1) * MINUTE_MS
        while (wait_ms := begins_ms - time.time_ns() // 1_000_000) > 0:
            time.sleep(wait_ms / 1_000)
        with suppress(AssertionError):  # it has gone on by itself meanwhile
            self.lag(time.time_ns() // 1_000_000 - begins_ms)

    def _go_on(self) -> None:
        while not self._stop.wait(TICK_SECONDS):
            self._tell()

    def _tell(self) -> None:
        with self._lock:
            value = encode(Tick(time=self.now_ms))
            for topic in map(self._deployment.topic, STAGES.values()):
                for partition in range(self._deployment.partitions):
                    self._producer.send(topic, value, partition=partition)
            self._producer.flush()
