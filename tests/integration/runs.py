"""A deployment on the shared broker, and workers that come and go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streams import compute
from streams.arrival import Follower, Offsets, Waiting, tell_time
from streams.deployment import Deployment
from streams.kafka import topics
from streams.kafka.embedded import EmbeddedCluster
from streams.worker_process import Flags, WorkerProcess, settings_of
from tests.chaos.workers import TIED

SOURCE = "asterisk_queue_log"


class Run:
    """One deployment on the shared broker, and workers that come and go."""

    def __init__(self, flags: Flags) -> None:
        self.flags = dict(flags)
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
            waiting.settled()
            waiting.boarded(tell_time(self.deployment, at_ms))


class Told:
    """A worker whose log is read while it runs; for what only the log says."""

    def __init__(self, run: Run, **environment: str) -> None:
        flags = {f"STREAMS_{k.upper().replace('.', '_')}": str(v) for k, v in run.flags.items()}
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", TIED, sys.executable, "-m", "streams", "worker"],
            env={"PATH": "", "HOME": "/", **flags, **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as log:
            for line in log:
                self.lines.append(line)

    def saying(self, text: str) -> list[str]:
        return [line for line in self.lines if text in line]

    def wait_for(self, text: str, times: int = 1, seconds: float = 40) -> str:
        """The line that says it for the ``times``-th time."""
        deadline = time.monotonic() + seconds
        while len(self.saying(text)) < times:
            alive = self.process.poll() is None and time.monotonic() < deadline
            assert alive or len(self.saying(text)) >= times, "".join(self.lines)
            time.sleep(0.02)
        return self.saying(text)[times - 1]

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """The exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(30)
        self._reader.join(10)
        return code


@contextmanager
def a_run(broker: EmbeddedCluster, prefix: str, **kafka: object) -> Iterator[Run]:
    flags = compute.own_flags() | {
        "kafka.bootstrap": broker.bootstrap,
        "kafka.prefix": prefix,
        "kafka.app_id": prefix,
        "kafka.session_ms": 3_000,
        "processing.segment_size": 256,
        "processing.publish_ms": 20,
        **{f"kafka.{name}": value for name, value in kafka.items()},
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
