"""bytewax as its documentation writes it: the Kafka connector, ``stateful_map``, ``fold_window``.

Windows are keyed by partition and queue, so that each has its own clock and none is late.  Without
recovery nothing is kept: state is in memory, no offset is committed.  Option ``recovery=1`` keeps
snapshots in SQLite every 10 s, as its documentation has it; there are no changelogs.  Its default
batch of 1,000 messages is 10,000 here, for speed.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from bytewax import operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.operators import windowing as win
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from bench.engines.contract import (
    CONTACTS,
    HOUR_MINUTES,
    MINUTE_MS,
    ROLLING,
    Progress,
    Task,
    task,
)

BATCH = 10_000
SNAPSHOTS = timedelta(seconds=10)
LATE = timedelta(minutes=10)
"""How far behind a key's newest event others may come: ``stateful_map`` takes a batch by keys."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Sums = tuple[int, int]
Contact = tuple[str, int, int]
"""Queue, time of the first event in ms, count of events."""


class Event:
    """What the windows need of an event; ``amount`` is what is added up."""

    __slots__ = ("amount", "at", "contact", "partition", "queue", "time_ms")

    def __init__(self, message: Any) -> None:
        row = orjson.loads(message.value)
        self.partition = message.partition
        self.queue = row["queue"]
        self.contact = row["contact"]
        self.time_ms = row["time"]
        self.amount = row["talk_ms"]
        self.at = EPOCH + timedelta(milliseconds=self.time_ms)


class Flow:
    """One run."""

    def __init__(self, wanted: Task) -> None:
        self.wanted = wanted
        self.progress = Progress(wanted.events).start()
        self.count = 0
        self.sum = 0

    def build(self) -> Dataflow:
        wanted = self.wanted
        flow = Dataflow("bench")
        source = KafkaSource([wanted.bootstrap], [wanted.topic], tail=False, batch_size=BATCH)
        events = op.map("decode", op.input("in", flow, source), self._decode)
        if wanted.job == CONTACTS:
            contacts = op.stateful_map("contact", op.key_on("by contact", events, _name), _contact)
            events = op.key_rm("events", contacts)
        keyed = op.key_on("by queue", events, _place)
        clock = win.EventClock(_at, LATE)
        out = win.fold_window(
            "window", keyed, clock, _windower(wanted.job), _zero, _add, _merge, ordered=False
        )
        results = op.map("result", out.down, self._result)
        op.output("out", results, KafkaSink([wanted.bootstrap], wanted.output))
        return flow

    def _decode(self, message: Any) -> Event:
        self.progress.processed += 1
        return Event(message)

    def _result(self, row: tuple[str, tuple[int, Sums]]) -> KafkaSinkMessage[bytes, bytes]:
        key, (window, (count, total)) = row
        self.count += count
        self.sum += total
        value = orjson.dumps({"count": count, "sum": total})
        return KafkaSinkMessage(f"{key}|{window * MINUTE_MS}".encode(), value)

    def run(self) -> None:
        """To the end of the topic, which closes all windows."""
        if self.wanted.options.get("recovery") == "1":
            self._run_with_recovery()
        else:
            cli_main(self.build())
        each = HOUR_MINUTES if self.wanted.job == ROLLING else 1
        self.progress.finish(self.count // each, self.sum // each)

    def _run_with_recovery(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            init_db_dir(folder, 1)
            kept = RecoveryConfig(folder, backup_interval=SNAPSHOTS)
            cli_main(self.build(), epoch_interval=SNAPSHOTS, recovery_config=kept)


def _windower(job: int) -> Any:
    minute = timedelta(minutes=1)
    if job == ROLLING:
        return win.SlidingWindower(timedelta(minutes=HOUR_MINUTES), minute, EPOCH)
    return win.TumblingWindower(minute, EPOCH)


def _name(event: Event) -> str:
    return str(event.contact)


def _place(event: Event) -> str:
    return f"{event.partition}|{event.queue}"


def _at(event: Event) -> datetime:
    return event.at


def _contact(known: Contact | None, event: Event) -> tuple[Contact, Event]:
    queue, first_ms, count = known or (event.queue, event.time_ms, 0)
    event.amount = event.time_ms - first_ms
    return (queue, first_ms, count + 1), event


def _zero() -> Sums:
    return 0, 0


def _add(sums: Sums, event: Event) -> Sums:
    return sums[0] + 1, sums[1] + event.amount


def _merge(one: Sums, other: Sums) -> Sums:
    return one[0] + other[0], one[1] + other[1]


if __name__ == "__main__":
    Flow(task(about=__doc__)).run()
