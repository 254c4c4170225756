"""A worker in a process of its own that cannot outlive the one that started it.

It is started *on a leash*: it imports everything, which takes a second, then waits for its settings
on standard input, so that a broker can start meanwhile.  When standard input ends, because it is
closed or because whoever held it was killed, the worker ends too.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping

from streams.errors import StateError

LOG_LINES = 15
LOG_BYTES = 16 * 1024
GRACE_SECONDS = 10.0


class WorkerProcess:
    """``contact-streams worker``; it does nothing before ``release``."""

    def __init__(self) -> None:
        # Without a name, so that it cannot stay behind.
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        self._process = subprocess.Popen(
            [sys.executable, "-m", "streams", "worker", "--leash"],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            # Ctrl-C is for us: we end the worker when its time has come.
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def release(self, settings: Mapping[str, object]) -> None:
        """Let it begin; ``section.name`` -> value of the settings that come before all others."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(settings).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self.check()
            raise

    def check(self) -> None:
        """StateError with the end of its log if it is not running any more."""
        code = self._process.poll()
        if code is not None:
            raise StateError(f"the worker ended by itself (exit code {code})", self.last_words())

    def last_words(self) -> str:
        """The end of its log."""
        # By position: the worker writes where the file's own pointer stands.
        log = self._log.fileno()
        size = os.fstat(log).st_size
        text = os.pread(log, LOG_BYTES, max(0, size - LOG_BYTES)).decode("utf-8", "replace")
        return "\n".join(text.splitlines()[-LOG_LINES:])

    def stop(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """End it: properly, if there is a grace; repeats are harmless."""
        if grace_seconds > 0 and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace_seconds)
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._log.close()


def on_leash() -> dict[str, object]:
    """In the worker's process: wait for the settings, and from then on end with the leash."""
    line = sys.stdin.buffer.readline()
    if not line:
        raise SystemExit(0)
    settings: dict[str, object] = json.loads(line)
    threading.Thread(target=_end_with_leash, daemon=True).start()
    return settings


def _end_with_leash() -> None:
    # The descriptor itself: a reader in a thread would hold the lock that Python's exit wants.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)
