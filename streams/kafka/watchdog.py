"""Keeps JVMs on a lead: when the process that started this script is gone, so are they.

Run as a script, with nothing but the standard library, in a session of its own:

    watchdog.py GRACE_SECONDS FOLDER_TO_REMOVE

It reads one JSON request a line and answers each with one line:

    {"do": "start", "name": "1", "command": [...], "log": "broker.log"}  -> {"pid": 4711}
    {"do": "stop", "name": "1", "grace_seconds": 15}                     -> {"code": 143}
    {"do": "running"}                                                    -> {"names": ["1"]}

Standard input ends when the starter closes it *or dies of anything, even of kill -9*. Then every
JVM gets SIGTERM and, after the grace, SIGKILL (a grace of 0 kills at once), and the folder is
removed; an empty name keeps it. A JVM that is killed or dies meanwhile leaves the folder alone.
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any

_PR_SET_PDEATHSIG = 1
_ORPHAN_CHECK_SECONDS = 1.0


class Jvms:
    """The running JVMs by name."""

    def __init__(self, grace_seconds: float) -> None:
        self._grace_seconds = grace_seconds
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str], log: str) -> dict[str, Any]:
        with open(log, "ab") as output:
            self._processes[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=_die_with_parent(),
            )
        return {"pid": self._processes[name].pid}

    def stop(self, name: str, grace_seconds: float) -> dict[str, Any]:
        process = self._processes.pop(name)
        _end([process], grace_seconds)
        return {"code": process.returncode}

    def running(self) -> dict[str, Any]:
        return {"names": [name for name, one in self._processes.items() if one.poll() is None]}

    def end(self) -> None:
        _end(self._processes.values(), self._grace_seconds)


def main(grace_seconds: str, remove: str) -> None:
    """Serves requests until standard input ends, then ends what runs."""
    signal.signal(signal.SIGTERM, _leave)
    jvms = Jvms(float(grace_seconds))
    try:
        for request in _requests(os.getppid()):
            answer = getattr(jvms, request.pop("do"))(**request)
            print(json.dumps(answer), flush=True)
    finally:
        jvms.end()
        if remove:
            shutil.rmtree(remove, ignore_errors=True)


def _requests(starter: int) -> Iterator[dict[str, Any]]:
    # A child the starter forked may hold our input open after the starter's death; the change
    # of our parent tells as well. Each request is answered before the next is sent, so nothing
    # waits in the text buffer where select would not see it.
    while os.getppid() == starter:
        ready, _, _ = select.select([sys.stdin], [], [], _ORPHAN_CHECK_SECONDS)
        if ready:
            line = sys.stdin.readline()
            if not line:
                return
            yield json.loads(line)


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _die_with_parent() -> Callable[[], None] | None:
    """Linux also ends the JVM when this script itself is killed with -9."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def ask_the_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    return ask_the_kernel


def _end(processes: "Iterable[subprocess.Popen[bytes]]", grace_seconds: float) -> None:
    processes = list(processes)
    deadline = time.monotonic() + grace_seconds
    for process in processes if grace_seconds > 0 else ():
        process.terminate()
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()) if grace_seconds > 0 else 0)
        process.kill()
        process.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
