"""A deployment on the shared broker, and workers that come and go."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streams import compute
from streams.arrival import Follower, Offsets, Waiting
from streams.deployment import Deployment
from streams.kafka import topics
from streams.kafka.embedded import EmbeddedCluster
from streams.worker_process import Flags, WorkerProcess, settings_of

SOURCE = "asterisk_queue_log"


class Run:
    """One deployment on the shared broker, and workers that come and go."""

    def __init__(self, flags: Flags) -> None:
        self.flags = flags
        self.deployment = Deployment.of(settings_of(flags, True))
        topics.apply(self.deployment.bootstrap, self.deployment.specs())

    def worker(self) -> WorkerProcess:
        worker = WorkerProcess()
        worker.release(self.flags, True, None)
        return worker

    def send(self, *files: Path) -> int:
        return compute.send(
            files, self.deployment.raw_topic(SOURCE), self.deployment, lambda *told: None
        )

    def finish(self, worker: WorkerProcess) -> None:
        """Wait until everything is in, with a closing tick at the end of the day."""
        with Follower(self.deployment) as follower, Offsets(self.deployment) as offsets:
            waiting = Waiting(self.deployment, offsets, follower, worker.check, 60)
            waiting.ingested(self.deployment.raw_topic(SOURCE), lambda *told: None)
            latest_ms = waiting.event_time_ms()
            now_ms = time.time_ns() // 1_000_000
            at_ms = compute.closing_ms(["UTC"], latest_ms, 120_000, now_ms)
            waiting.boarded(compute._close(self.deployment, at_ms))


@contextmanager
def a_run(broker: EmbeddedCluster, prefix: str) -> Iterator[Run]:
    flags = compute.own_flags() | {
        "kafka.bootstrap": broker.bootstrap,
        "kafka.prefix": prefix,
        "kafka.app_id": prefix,
        "kafka.session_ms": 3_000,
        "processing.segment_size": 256,
        "processing.publish_ms": 20,
    }
    run = Run(flags)
    yield run
    topics.remove(run.deployment.bootstrap, run.deployment.specs())


@contextmanager
def stopping(worker: WorkerProcess) -> Iterator[WorkerProcess]:
    try:
        yield worker
    finally:
        worker.stop()


def wait_for_partials(run: Run, least: int) -> None:
    """The worker is in the middle of it: so many partials are out."""
    topic = run.deployment.topic("partials.v1")
    deadline = time.monotonic() + 60
    with Offsets(run.deployment) as offsets:
        while sum(offsets.ends(topic).values()) < least:
            assert time.monotonic() < deadline, "the worker does not work"
            time.sleep(0.02)


def kill(worker: WorkerProcess) -> None:
    os.kill(worker.pid, signal.SIGKILL)
    worker.stop(0)
