"""What the harness and an engine say to each other; nothing but the standard library, because it is
also imported where the project's packages are missing.

An engine is started with the topic full, says at least four times a second how many events it has
processed, and at the end what it has counted.  Both are lines of JSON on its standard output::

    {"processed": 41000}
    {"finished": 200000, "totals": {"count": 200000, "sum": 36123456}}

``count`` and ``sum`` are those of the engine's own windows, all of them added up, so that a window
that lost an event shows.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from typing import NamedTuple

MINUTE_MS = 60_000
HOUR_MINUTES = 60
TUMBLING, CONTACTS, ROLLING = 1, 2, 4
"""The jobs: count and sum by minute; contacts as well; the rolling hour."""
REPORT_SECONDS = 0.1


class Task(NamedTuple):
    """What one run is asked for.  ``events`` are in the topic already, all to be processed."""

    bootstrap: str
    topic: str
    job: int
    group: str
    output: str
    events: int
    partitions: int
    options: dict[str, str]


def task(arguments: list[str] | None = None, about: str | None = None) -> Task:
    """The task named on the command line."""
    parser = argparse.ArgumentParser(description=about)
    for name in ("bootstrap", "topic", "group", "output"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--job", type=int, required=True, choices=(TUMBLING, CONTACTS, ROLLING))
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE")
    given = vars(parser.parse_args(arguments))
    options = dict(text.split("=", 1) for text in given.pop("option"))
    return Task(**given, options=options)


class Progress:
    """Counts events and tells the harness, from a thread, so that engines only count."""

    def __init__(self, events: int) -> None:
        self.events = events
        self.processed = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tell, daemon=True)

    def start(self) -> Progress:
        self._thread.start()
        return self

    def _tell(self) -> None:
        while not self._over.wait(REPORT_SECONDS):
            if self.processed:
                say({"processed": self.processed})

    def finish(self, count: int, total: int) -> None:
        """All is processed and written; ``total`` is the sum."""
        self._over.set()
        self._thread.join()
        say({"processed": self.processed})
        say({"finished": self.processed, "totals": {"count": count, "sum": total}})


def say(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def window_ms(job: int) -> int:
    """How long the windows of a job are."""
    return HOUR_MINUTES * MINUTE_MS if job == ROLLING else MINUTE_MS


def result_key(partition: int, queue: str, minute_ms: int) -> str:
    """The key of a result in the output topic."""
    return f"{partition}|{queue}|{minute_ms}"


Closed = list[tuple[int, int, int]]
"""Start in ms, count and sum of windows that get no more events."""


class OpenWindows:
    """Windows as an engine says their updates, one at a time; a window is handed out when a later
    one of its key begins after its end.

    For engines that say each update of a window, and would otherwise write one record an event, and
    for the totals at the end, when some windows are still open.
    """

    def __init__(self, size_ms: int) -> None:
        self.size_ms = size_ms
        self.open: dict[str, dict[int, tuple[int, int]]] = {}
        self.count = 0
        self.sum = 0

    def update(self, key: str, start: int, count: int, total: int) -> Closed:
        """The windows that this update shows to be over."""
        rows = self.open.setdefault(key, {})
        begins = start not in rows
        rows[start] = (count, total)
        return self._close(rows, start) if begins else []

    def _close(self, rows: dict[int, tuple[int, int]], now: int) -> Closed:
        over = [start for start in rows if start + self.size_ms <= now]
        closed = [(start, *rows.pop(start)) for start in over]
        self.count += sum(row[1] for row in closed)
        self.sum += sum(row[2] for row in closed)
        return closed

    def totals(self) -> tuple[int, int]:
        """Count and sum of all windows, closed and open."""
        rows = [row for by_start in self.open.values() for row in by_start.values()]
        return self.count + sum(r[0] for r in rows), self.sum + sum(r[1] for r in rows)
