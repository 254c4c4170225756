"""Worker processes, and a supervisor that starts again whoever ends, as Kubernetes would.

One thread starts, watches and ends all of them.  A worker ends when its standard input ends, and on
Linux it is also killed when that thread is gone: so nothing survives this process, not even a
worker that stands still and cannot read.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from streams.worker_process import Flags

LOOK_SECONDS = 0.1
RESTART_SECONDS = 0.5
"""Between the end of a worker and its next start."""
GRACE_SECONDS = 20.0
"""Between SIGTERM and SIGKILL."""
MEMORY_SECONDS = 2.0
LOG_BYTES = 16 * 1024
TAIL_LINES = 25
_METRICS = re.compile(r" metrics at (\S+)")
TIED = """\
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 9)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Ends with SIGKILL when who started it is gone, then becomes what follows."""


class Exit(NamedTuple):
    """One worker that ended: when, in seconds from the start of the fleet, and how."""

    at_seconds: float
    worker: int
    pid: int
    code: int
    asked: bool


class Worker:
    """One process, ``python -m streams worker``.  ``environment`` is added to ours."""

    def __init__(self, slot: int, log: Path, flags: Flags, environment: Mapping[str, str]) -> None:
        self.slot, self.log, self.environment = slot, log, environment
        self.asked = False
        """Whether somebody wanted it to end."""
        self.kill_at: float | None = None
        self._metrics_url = ""
        command = [sys.executable, "-m", "streams", "worker", "--leash"]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", TIED, *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env={**os.environ, **environment},
                # Ctrl-C is for us: we end the worker when its time has come.
                start_new_session=True,
            )
        self._release(flags)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def metrics_url(self) -> str:
        """Where it serves /metrics, by its own account; empty before it does."""
        if not self._metrics_url:
            found = _METRICS.search(self.log.read_bytes()[:LOG_BYTES].decode("utf-8", "replace"))
            self._metrics_url = found[1] if found else ""
        return self._metrics_url

    def poll(self) -> int | None:
        """Its exit code, negative if a signal ended it; None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> int | None:
        """As ``poll``, but waits so long for an end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def stands_still(self) -> bool:
        """Whether a SIGSTOP has reached it and no SIGCONT since."""
        options = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
        with contextlib.suppress(ChildProcessError):
            return os.waitid(os.P_PID, self.pid, options) is not None
        return False

    def send(self, number: int) -> None:
        """Send a signal; nothing happens if it has ended."""
        self._process.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> None:
        """It is wanted no more: SIGTERM gives it a grace, SIGKILL none."""
        self.asked = True
        if number == signal.SIGTERM and self.kill_at is None:
            self.kill_at = time.monotonic() + GRACE_SECONDS
        self.send(number)

    def close(self) -> None:
        """Kill it if it runs, and let go of it; repeats are harmless."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def tail(self) -> str:
        """The end of its log."""
        return "\n".join(self.text().splitlines()[-TAIL_LINES:])

    def text(self) -> str:
        """All of its log."""
        return self.log.read_text("utf-8", "replace")

    def rss_bytes(self) -> int:
        """Memory it holds; 0 where the system does not tell."""
        with contextlib.suppress(OSError, ValueError):
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
            return pages * os.sysconf("SC_PAGE_SIZE")
        return 0

    def _release(self, flags: Flags) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended; whoever watches it sees that
            self._process.stdin.write(json.dumps([dict(flags), True, None]).encode() + b"\n")
            self._process.stdin.flush()


class _Slot:
    """One place for a worker: who is in it, and whether somebody shall be."""

    def __init__(self) -> None:
        self.wanted = True
        self.worker: Worker | None = None
        self.start_at = 0.0
        self.starts = 0
        self.environment: Mapping[str, str] = {}
        """Of the next start only."""


class Fleet:
    """Workers by slot; ``flags_of`` gives a slot's settings, ``folder`` takes the logs."""

    def __init__(self, flags_of: Callable[[int], Flags], folder: Path) -> None:
        self.exits: list[Exit] = []
        self.memory: list[tuple[float, int, int]] = []
        """(Seconds from the start, pid, bytes) of every worker, every ``MEMORY_SECONDS``."""
        self._flags_of = flags_of
        self._more: Flags = {}
        self._folder = folder
        self._slots: dict[int, _Slot] = {}
        self._lock = threading.RLock()
        self._began = time.monotonic()
        self._measured_at = 0.0
        self._closing = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        self._thread.start()

    def add(self, slots: Iterable[int]) -> None:
        """From now on there shall be a worker in each of these slots."""
        with self._lock:
            for slot in slots:
                self._slots.setdefault(slot, _Slot()).wanted = True

    def remove(self, slot: int) -> None:
        """From now on there shall be none; who is there is asked to end."""
        with self._lock:
            self._slots[slot].wanted = False
            if (worker := self._slots[slot].worker) is not None:
                worker.end()

    def worker(self, slot: int) -> Worker | None:
        """Who is in this slot now; None while there is nobody."""
        with self._lock:
            return self._slots[slot].worker

    def arm(self, slot: int, environment: Mapping[str, str]) -> None:
        """Kill who is there; the next one, and only that one, gets this environment."""
        with self._lock:
            self._slots[slot].environment = environment
            if (worker := self._slots[slot].worker) is not None:
                worker.end(signal.SIGKILL)

    def disarm(self, slot: int) -> None:
        """Nobody who starts from now on has a special environment, and who has one is killed."""
        with self._lock:
            self._slots[slot].environment = {}
            worker = self._slots[slot].worker
            if worker is not None and worker.environment:
                worker.end(signal.SIGKILL)

    def restart(self, more: Flags) -> None:
        """Have everybody end properly and start again, from now on with these settings as well."""
        with self._lock:
            self._more = more
            for worker in self.workers():
                worker.end()

    def heal(self, slots: Iterable[int]) -> None:
        """Exactly these slots are wanted, and everybody who stands still goes on."""
        wanted = set(slots)
        for worker in self.workers():
            worker.send(signal.SIGCONT)
        with self._lock:
            for slot in set(self._slots) - wanted:
                self.remove(slot)
        for slot in wanted:
            self.disarm(slot)

    def workers(self) -> list[Worker]:
        """Everybody who runs now, or ended a moment ago."""
        with self._lock:
            return [slot.worker for slot in self._slots.values() if slot.worker is not None]

    def metrics_urls(self) -> list[str]:
        """Where the workers that are to go on serve /metrics."""
        staying = [worker for worker in self.workers() if not worker.asked]
        return [worker.metrics_url for worker in staying if worker.metrics_url]

    def codes(self) -> Counter[int]:
        """How often which exit code came, of workers that nobody had asked to end."""
        return Counter(one.code for one in self.exits if not one.asked)

    def tails(self) -> str:
        """The ends of the logs of the last two workers of each slot, for who must find out."""
        logs = sorted(self._folder.glob("worker-*.log"), key=lambda log: log.stat().st_mtime)
        kept: dict[str, list[Path]] = {}
        for log in logs:
            kept.setdefault(log.stem.rpartition("-")[0], []).append(log)
        return "\n".join(
            "\n".join([f"-- {log.name}", *log.read_text("utf-8", "replace").splitlines()[-12:]])
            for of_slot in kept.values()
            for log in of_slot[-2:]
        )

    def check(self) -> None:
        """Raises what ended the supervisor, if anything did."""
        if self._failed is not None:
            raise RuntimeError("the supervisor of the workers has ended") from self._failed

    def close(self) -> None:
        """Kill everybody; repeats are harmless."""
        self._closing.set()
        self._thread.join()

    # -- in the supervisor's thread

    def _supervise(self) -> None:
        try:
            while not self._closing.wait(LOOK_SECONDS):
                with self._lock:
                    for number, slot in self._slots.items():
                        self._look_at(number, slot)
                    self._measure()
        except BaseException as error:
            self._failed = error
        finally:
            for worker in self.workers():
                worker.close()

    def _look_at(self, number: int, slot: _Slot) -> None:
        now = time.monotonic()
        worker = slot.worker
        if worker is None:
            if slot.wanted and now >= slot.start_at:
                slot.worker = self._start(number, slot)
        elif (code := worker.poll()) is not None:
            self.exits.append(Exit(now - self._began, number, worker.pid, code, worker.asked))
            worker.close()
            slot.worker, slot.start_at = None, now + RESTART_SECONDS
        elif worker.kill_at is not None and now >= worker.kill_at:
            worker.send(signal.SIGKILL)

    def _start(self, number: int, slot: _Slot) -> Worker:
        slot.starts += 1
        environment, slot.environment = slot.environment, {}
        log = self._folder / f"worker-{number}-{slot.starts:03}.log"
        flags = {**self._flags_of(number), **self._more}
        return Worker(number, log, flags, environment)

    def _measure(self) -> None:
        now = time.monotonic()
        if now - self._measured_at < MEMORY_SECONDS:
            return
        self._measured_at = now
        found = [(worker.pid, worker.rss_bytes()) for worker in self.workers()]
        self.memory += [(now - self._began, pid, size) for pid, size in found if size]
