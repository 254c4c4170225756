"""A producer at a constant rate, in a process of its own.  Open loop: event n is planned for
``begin + n / rate`` and is handed over then, however long earlier ones take to be acknowledged.

Events that fall due within ``SLOT_SECONDS`` go together, so an event leaves up to that much after
its plan.  Whoever measures from the plan has that time in the figure, as a client has that lingers.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import TracebackType
from typing import NamedTuple, Self

from aiokafka import AIOKafkaProducer

from bench.load_shape import PARTITIONS, Load, Sent, Shape
from streams import codec
from streams.core.events import Tick
from streams.errors import StateError
from streams.runtime.writing import Writer, Written, settled

SLOT_SECONDS = 0.01
START_SECONDS = 3.0
"""What a new process needs to import, connect and be ready before its first event is due."""
END_SECONDS = 30.0


@dataclass(frozen=True)
class Plan:
    """What is sent where and when.

    ``begin_seconds`` is when event 0 is due, by the monotonic clock, which all processes of a
    machine share; ``begin_ms`` is the event time it has.  Event time goes ``speed`` times as fast
    as the clock.  Each second a tick with the event time goes to every partition of
    ``tick_topics``.
    """

    bootstrap: str
    topic: str
    rate: int
    events: int
    begin_seconds: float
    begin_ms: int
    shape: Shape
    speed: int = 1
    tick_topics: tuple[str, ...] = field(default=())

    def due_seconds(self, number: int) -> float:
        """When this event is planned, by the monotonic clock."""
        return self.begin_seconds + number / self.rate

    def event_ms(self, number: int) -> int:
        """The event time of this event."""
        return self.begin_ms + number * 1000 * self.speed // self.rate


class Report(NamedTuple):
    """How it went: events sent, from the first plan to the last acknowledgement, the longest time
    by which an event left after its slot, CPU seconds of the producer.  ``failed``: why not all
    were sent."""

    events: int
    seconds: float
    late_ms_max: int
    cpu_seconds: float
    failed: str = ""


class Pacer:
    """A context around the producer's process, which ends with it."""

    def __init__(self, plan: Plan) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._receive, send = spawn.Pipe(duplex=False)
        self._process = spawn.Process(target=_run, args=(plan, send), daemon=True)
        self._send = send

    def __enter__(self) -> Self:
        self._process.start()
        self._send.close()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.join()
        self._receive.close()

    def done(self) -> bool:
        """Whether everything is sent and acknowledged, or it failed."""
        return self._receive.poll() or not self._process.is_alive()

    def report(self) -> Report:
        """Wait for the end; StateError if the producer failed or does not end."""
        if not self._receive.poll(END_SECONDS):
            raise StateError("the producer did not end", "the broker stopped taking records")
        try:
            found = Report(*self._receive.recv())
        except EOFError:
            raise StateError("the producer's process died", "see what it wrote") from None
        if found.failed:
            raise StateError("the producer failed", found.failed)
        return found


def _run(plan: Plan, pipe: Connection) -> None:
    try:
        report = asyncio.run(_Sending(plan).run())
    except Exception as error:
        # Handed to whoever waits, with what it was; a traceback of this process says no more.
        report = Report(0, 0.0, 0, 0.0, f"{type(error).__name__}: {error}")
    pipe.send(tuple(report))
    pipe.close()


class _Sending:
    """One run of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._load = Load(plan.shape)
        self._late_seconds = 0.0
        self._ticked = 0
        self._under_way: set[asyncio.Task[None]] = set()
        self._failed: list[BaseException] = []

    async def run(self) -> Report:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._plan.bootstrap,
            acks="all",
            enable_idempotence=True,
            max_batch_size=512 * 1024,
        )
        self._writer = Writer(producer)
        await self._writer.start()
        try:
            await self._send_all()
            await asyncio.gather(*self._under_way)
        finally:
            await self._writer.stop()
        seconds = time.monotonic() - self._plan.begin_seconds
        return Report(
            self._load.number, seconds, int(self._late_seconds * 1000), time.process_time()
        )

    async def _send_all(self) -> None:
        plan = self._plan
        while self._load.number < plan.events:
            if self._failed:
                raise self._failed[0]
            now = time.monotonic()
            due = min(plan.events, int((now - plan.begin_seconds) * plan.rate) + 1)
            if now >= plan.begin_seconds and due > self._load.number:
                late = now - plan.due_seconds(self._load.number) - SLOT_SECONDS
                self._late_seconds = max(self._late_seconds, late)
                self._send_until(due)
                self._tick(now)
            # To the next border of slots, not a slot from now: else the slots would wander.
            slots = int((time.monotonic() - plan.begin_seconds) / SLOT_SECONDS) + 1
            await asyncio.sleep(plan.begin_seconds + slots * SLOT_SECONDS - time.monotonic())

    def _send_until(self, due: int) -> None:
        lanes: list[list[Written]] = [[] for _ in range(PARTITIONS)]
        event_ms, load = self._plan.event_ms, self._load
        while load.number < due:
            sent: Sent = load.next(event_ms(load.number))
            lanes[sent.partition].append((sent.key, sent.value, ()))
        for partition, rows in enumerate(lanes):
            if rows:
                self._hand_over(self._plan.topic, partition, rows)

    def _tick(self, now: float) -> None:
        if int(now - self._plan.begin_seconds) < self._ticked:
            return
        self._ticked += 1
        tick = codec.encode(Tick(time=self._plan.event_ms(self._load.number)))
        for topic in self._plan.tick_topics:
            for partition in range(PARTITIONS):
                self._hand_over(topic, partition, [(None, tick, ())])

    def _hand_over(self, topic: str, partition: int, rows: list[Written]) -> None:
        """Without waiting: the writer keeps the order within a partition, tasks begin in theirs."""
        task = asyncio.ensure_future(self._write(topic, partition, rows))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _write(self, topic: str, partition: int, rows: list[Written]) -> None:
        try:
            await settled(await self._writer.send(topic, partition, rows))
        except Exception as error:
            self._failed.append(error)
