"""A worker in a process of its own that cannot outlive the one that started it.

It is started *on a leash*: it imports everything, which takes a second, then waits for its settings
on standard input, so that a broker can start meanwhile.  When standard input ends, because it is
closed or because whoever held it was killed, the worker ends too.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from streams.errors import StateError
from streams.settings import Settings, load

Flags = Mapping[str, object]
"""``section.name`` -> value of a setting."""
LOG_LINES = 15
LOG_BYTES = 16 * 1024
GRACE_SECONDS = 10.0
_METRICS = re.compile(r" metrics at (\S+)")


def settings_of(flags: Flags, alone: bool) -> Settings:
    """The settings in force with these before all others; ``alone``: before nothing but the
    defaults, whatever the user has set."""
    return load({}, flags=flags, folder=Path(os.devnull)) if alone else load(flags=flags)


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

    def release(self, flags: Flags, alone: bool, folder: Path | None) -> None:
        """Let it begin, with the settings that ``settings_of`` makes of this; what it keeps on disk
        for a while it keeps in ``folder``."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(
                json.dumps([dict(flags), alone, folder and str(folder)]).encode() + b"\n"
            )
            self._process.stdin.flush()
        except BrokenPipeError as error:
            self._process.wait(GRACE_SECONDS)
            self.check()
            raise StateError("the worker closed its input", self.last_words()) from error

    def check(self) -> None:
        """StateError with the end of its log if it is not running any more."""
        code = self._process.poll()
        if code is not None:
            raise StateError(f"the worker ended by itself (exit code {code})", self.last_words())

    def last_words(self) -> str:
        """The end of its log."""
        size = os.fstat(self._log.fileno()).st_size
        text = self._logged(max(0, size - LOG_BYTES))
        return "\n".join(text.splitlines()[-LOG_LINES:])

    def metrics_url(self) -> str:
        """Where it serves /metrics, by its own account; empty before it does."""
        found = _METRICS.search(self._logged(0))
        return found[1] if found else ""

    def _logged(self, offset: int) -> str:
        """Some of its log.  By position: the worker writes where the file's own pointer stands."""
        return os.pread(self._log.fileno(), LOG_BYTES, offset).decode("utf-8", "replace")

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


def on_leash() -> Settings:
    """In the worker's process: wait for the settings, and from then on end with the leash."""
    line = sys.stdin.buffer.readline()
    if not line:
        raise SystemExit(0)
    flags, alone, tempfile.tempdir = json.loads(line)
    threading.Thread(target=_end_with_leash, daemon=True).start()
    return settings_of(flags, alone)


def _end_with_leash() -> None:
    # The descriptor itself: a reader in a thread would hold the lock that Python's exit wants.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)
