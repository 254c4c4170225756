"""Programs that serve HTTP and live as long as a ``with`` block."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

from streams.kafka.node import HOST, free_ports
from tests.chaos.workers import TIED
from tests.tools.debian import started_in

READY_SECONDS = 30
ANSWER_SECONDS = 10
LOOK_SECONDS = 0.02
LOG_LINES = 20


def until(is_so: Callable[[], bool], seconds: float, otherwise: Callable[[], str]) -> float:
    """``time.time()`` when it is first so; AssertionError with what ``otherwise`` says if that is
    not within so many seconds."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {otherwise()}")
        time.sleep(LOOK_SECONDS)
    return time.time()


def get(url: str, parameters: Mapping[str, object] | None = None) -> Any:
    """The JSON that a GET gives."""
    query = "?" + urlencode(parameters, doseq=True) if parameters else ""
    try:
        with urlopen(url + query, timeout=ANSWER_SECONDS) as answer:
            return json.load(answer)
    except HTTPError as error:
        with error:
            raise AssertionError(f"{url}: {error.code} {error.read().decode()}") from None


@contextmanager
def serving(program: str, arguments: Sequence[str], ready: str, log: Path) -> Iterator[None]:
    """One of Debian's programs from when it answers at ``ready`` to the end of the block."""
    path, folder = started_in(program)
    # Go asks the system for time zones, and slim containers have none.
    environment = {**os.environ, "ZONEINFO": str(files("tzdata") / "zoneinfo")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", TIED, path, *arguments],
            stdout=output,
            stderr=output,
            cwd=folder,
            env=environment,
        )
    try:
        until(
            lambda: _answers(ready) or process.poll() is not None,
            READY_SECONDS,
            lambda: f"an answer at {ready}",
        )
        if process.poll() is not None:
            raise AssertionError(f"{program} has ended:\n{_tail(log)}")
        yield
    finally:
        # What it has stored goes with its folder.
        process.kill()
        process.wait()


def _tail(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-LOG_LINES:])


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=1):
            return True
    except OSError:
        return False


def free_address() -> str:
    """Host and port of this machine where nobody listens now."""
    return f"{HOST}:{free_ports(1)[0]}"
