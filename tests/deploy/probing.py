"""A worker's health port with a worker that is only said to be well or not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import CollectorRegistry

from streams.sinks.server import Health, serve


@contextmanager
def worker(*, live: bool, ready: bool) -> Iterator[int]:
    """Answers on the port that is given."""
    server = serve("127.0.0.1", 0, CollectorRegistry(), lambda: Health(live, ready))
    try:
        yield server.port
    finally:
        server.close()


def exit_code(command: Sequence[str], port: int) -> int:
    """Of a check that begins with ``python``, as the container runs it."""
    assert command[0] == "python"
    environ = {**os.environ, "STREAMS_METRICS_PORT": str(port)}
    done = subprocess.run(
        [sys.executable, *command[1:]], env=environ, capture_output=True, timeout=10
    )
    return done.returncode
