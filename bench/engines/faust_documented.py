"""Faust as its documentation writes it: an agent, ``async for event in stream``, windowed tables.

Default settings, but for the web server (off) and the logs.  Count and sum are one value of one
table, which costs one changelog record an event instead of two.  Faust adds up by key and not by
partition, so the key says the partition, instead of a repartition topic by ``group_by``.  The
result of a minute is sent when the next one begins.
"""

from __future__ import annotations

import logging
import tempfile
from datetime import timedelta
from typing import Any

import faust

from bench.engines.contract import (
    CONTACTS,
    HOUR_MINUTES,
    MINUTE_MS,
    ROLLING,
    OpenWindows,
    Progress,
    Task,
    task,
)

MINUTE_SECONDS = 60.0
EXPIRES = timedelta(days=2)
"""Faust forgets windows by the wall clock; nothing of this run is that old."""


class Event(faust.Record, serializer="json"):
    """One event."""

    id: str
    type: str
    time: int
    queue: str
    channel: str
    contact: str
    talk_ms: int


class Sums(faust.Record, serializer="json"):
    """Count and sum of one window."""

    count: int
    sum: int

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.count + other.count, self.sum + other.sum)


class Contact(faust.Record, serializer="json"):
    """One contact."""

    queue: str
    first_ms: int
    count: int


class Flow:
    """One run."""

    def __init__(self, wanted: Task, folder: str) -> None:
        self.wanted = wanted
        self.progress = Progress(wanted.events).start()
        self.closing = OpenWindows(MINUTE_MS)
        self.app = faust.App(
            wanted.group,
            broker=f"kafka://{wanted.bootstrap}",
            topic_partitions=wanted.partitions,
            web_enabled=False,
            datadir=folder,
            consumer_auto_offset_reset="earliest",
        )
        self.windows = self._windows()
        self.contacts = self.app.Table("contacts", value_type=Contact)
        self.output = self.app.topic(wanted.output, value_serializer="json")
        events = self.app.topic(wanted.topic, value_type=Event)
        self.app.agent(events)(self._contacts if wanted.job == CONTACTS else self._minutes)

    def _windows(self) -> Any:
        table = self.app.Table("windows", default=lambda: Sums(0, 0), value_type=Sums)
        if self.wanted.job == ROLLING:
            return table.hopping(HOUR_MINUTES * MINUTE_SECONDS, MINUTE_SECONDS, expires=EXPIRES)
        return table.tumbling(MINUTE_SECONDS, expires=EXPIRES)

    async def _minutes(self, stream: Any) -> None:
        async for event in stream.events():
            await self._add(event, event.value.talk_ms)

    async def _contacts(self, stream: Any) -> None:
        async for event in stream.events():
            told = event.value
            known = self.contacts.get(told.contact) or Contact(told.queue, told.time, 0)
            self.contacts[told.contact] = Contact(known.queue, known.first_ms, known.count + 1)
            await self._add(event, told.time - known.first_ms)

    async def _add(self, event: Any, amount: int) -> None:
        key = f"{event.message.partition}|{event.value.queue}"
        self.windows[key] += Sums(1, amount)
        await self._send_closed(key, event.value.time)
        self.progress.processed += 1
        if self.progress.processed == self.wanted.events:
            await self._finish()

    async def _send_closed(self, key: str, time_ms: int) -> None:
        minute = time_ms - time_ms % MINUTE_MS
        now = self.windows[key].current()
        for start, count, total in self.closing.update(key, minute, now.count, now.sum):
            await self.output.send(key=f"{key}|{start}", value={"count": count, "sum": total})

    async def _finish(self) -> None:
        await self.app.producer.flush()
        await self.app.consumer.commit()
        rows = list(self.windows.table.values())
        each = HOUR_MINUTES if self.wanted.job == ROLLING else 1
        count, total = sum(r.count for r in rows), sum(r.sum for r in rows)
        self.progress.finish(count // each, total // each)


def main() -> None:
    """One run, as the command line asks; the harness ends it."""
    logging.basicConfig(level="ERROR")
    with tempfile.TemporaryDirectory() as folder:
        flow = Flow(task(about=__doc__), folder)
        worker = faust.Worker(flow.app, loglevel="ERROR", quiet=True, redirect_stdouts=False)
        worker.execute_from_commandline()


if __name__ == "__main__":
    main()
