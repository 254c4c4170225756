"""How soon a worker that was killed takes events again, with many open contacts to restore.

    python -m bench.recovery [--contacts 1000000] [--static] [--json]

Nothing is made up: a worker as users start it takes the events of so many contacts in (queued; half
of them answered; none ended, all within the last ten minutes of event time), seals and commits
them, and is killed with -9.  Then one more event is put into each partition and a worker is started
anew.  Two moments count, from the start of the process: the first partial it publishes, and the
first that has one of the new events in it, for every partition: by then everything that was read
but not committed has been read again, and the new is in the sums.

Without ``--static`` the group waits for the dead worker until its session ends (6 s as set), which
is most of the time; with it the worker has a name in the group and has its partitions back at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import IO, Literal, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.processes import Usage, usage
from bench.voice_events import PARTITIONS, TOPIC, send
from streams import codec
from streams.arrival import Offsets
from streams.core import events as ev
from streams.core.partials import Partial
from streams.core.segment import Segments
from streams.deployment import PARTIALS, Deployment
from streams.kafka import topics
from streams.kafka.embedded import EmbeddedCluster
from streams.settings import Settings, load
from streams.stages.wire import decode

QUEUES = 40
AGENTS = 2_000
SPAN_MS = 600_000
"""The events are spread over so much time, up to now."""
SECONDS_MAX = 600
MIB = 2**20
_RESTORED = re.compile(r"contacts: ([\d,]+) changelog records restored in ([\d.]+) s")


class Filled(NamedTuple):
    """The first worker: resident bytes before any event and just before the kill."""

    events: int
    idle_bytes: int
    before_kill_bytes: int


class Written(NamedTuple):
    """What a restart has to read of the contacts' changelog."""

    changelog_records: int
    changelog_bytes: int


class Restarted(NamedTuple):
    """The second worker; seconds are from the start of its process, but those of the restore, and
    those of CPU that it took until it had caught up."""

    restored_records: int
    restore_seconds: float
    restored_per_second: int
    first_partial_seconds: float
    caught_up_seconds: float
    cpu_seconds: float
    after_restart_bytes: int


def main(arguments: Sequence[str]) -> int:
    """Print one run, as text or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--static", action="store_true", help="static membership in the group")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args(arguments)
    with EmbeddedCluster() as cluster:
        settings = _settings(cluster.bootstrap, wanted.static)
        found = measure(settings, wanted.contacts)
    if wanted.json:
        print(json.dumps(found))
        return 0
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for name, value in found.items():
        print(f"{name:32} {_shown(name, value)}")
    return 0


def _shown(name: str, value: float) -> str:
    if name.endswith("_bytes"):
        return f"{value / MIB:,.0f} MiB"
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"


def measure(settings: Settings, contacts: int) -> dict[str, float]:
    """The whole life: fill, kill, restart; figure by name."""
    deployment = Deployment.of(settings)
    topics.apply(deployment.bootstrap, deployment.specs())
    filled = fill(settings, contacts)
    written = asyncio.run(_changelog(deployment))
    restarted = asyncio.run(restart(settings, contacts))
    idle = filled.idle_bytes
    return {
        "contacts": contacts,
        **filled._asdict(),
        **written._asdict(),
        **restarted._asdict(),
        "before_kill_bytes_per_contact": (filled.before_kill_bytes - idle) // contacts,
        "after_restart_bytes_per_contact": (restarted.after_restart_bytes - idle) // contacts,
    }


def _settings(bootstrap: str, static: bool) -> Settings:
    flags: dict[str, object] = {"kafka.bootstrap": bootstrap, "metrics.port": 0}
    return load({}, flags=flags | ({"kafka.instance_id": "bench"} if static else {}))


# -- the state


def events_of(contacts: int, now_ms: int) -> Iterator[tuple[int, bytes, bytes]]:
    """(partition, key, event) of contacts that are all still open; every second one is answered."""
    for number in range(contacts):
        at = now_ms - SPAN_MS + number * SPAN_MS // contacts
        yield _row(number, queued(number, at))
        if number >= 1_000 and number % 2:
            yield _row(number - 1_000, _answered(number - 1_000, at))


def _row(number: int, event: ev.ContactEvent) -> tuple[int, bytes, bytes]:
    return number % PARTITIONS, event.contact.encode(), codec.encode(event)


def queued(number: int, at_ms: int) -> ev.Queued:
    return ev.Queued(
        id=f"1790000000.{number}-0",
        source="bench",
        contact=f"1790000000.{number}",
        time=at_ms,
        queue=f"queue-{number * 7 % QUEUES}",
        position=1,
    )


def _answered(number: int, at_ms: int) -> ev.Answered:
    return ev.Answered(
        id=f"1790000000.{number}-1",
        source="bench",
        contact=f"1790000000.{number}",
        time=at_ms,
        queue=f"queue-{number * 7 % QUEUES}",
        agent=f"Agent/{number % AGENTS}",
        wait_ms=SPAN_MS // 1_000,
    )


def fill(settings: Settings, contacts: int) -> Filled:
    """A worker takes everything in and is killed."""
    deployment = Deployment.of(settings)
    topic = deployment.topic(TOPIC)
    with running(settings) as worker, Offsets(deployment) as offsets:
        worker.wait_for("rebalance")
        time.sleep(3)
        idle = worker.used().memory_bytes
        rows = events_of(contacts, time.time_ns() // 1_000_000)
        events = asyncio.run(send(deployment.bootstrap, topic, rows))
        size = settings.processing.segment_size
        borders = {p: Segments.of(size, p).border(end) for p, end in offsets.ends(topic).items()}
        worker.wait(lambda: _all_at(offsets.committed(topic), borders))
        time.sleep(3)
        full = worker.used().memory_bytes
    return Filled(events, idle, full)


def _all_at(found: Mapping[int, int], wanted: Mapping[int, int]) -> bool:
    return all(found[partition] >= offset for partition, offset in wanted.items())


# -- the worker


class Worker:
    """The process, its log and its memory (from /proc, so Linux)."""

    def __init__(self, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        self._process = process
        self._log = log
        self.began = time.monotonic()

    def used(self) -> Usage:
        return usage(self._process.pid)

    def logged(self) -> list[str]:
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode().splitlines()

    def wait_for(self, words: str) -> None:
        self.wait(lambda: any(words in line for line in self.logged()))

    def wait(self, done: Callable[[], bool]) -> None:
        while not done():
            self.check()
            time.sleep(0.1)

    def check(self) -> None:
        """AssertionError with the end of its log if it has ended or does not get anywhere."""
        assert self._process.poll() is None, "\n".join(self.logged()[-20:])
        assert time.monotonic() - self.began < SECONDS_MAX, "nothing comes of it"


@contextmanager
def running(settings: Settings) -> Iterator[Worker]:
    """A worker that is killed with -9 at the end."""
    environment = os.environ | {
        "STREAMS_KAFKA_BOOTSTRAP": settings.kafka.bootstrap,
        "STREAMS_KAFKA_INSTANCE_ID": settings.kafka.instance_id,
        "STREAMS_METRICS_PORT": "0",
    }
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams", "worker"], env=environment, stderr=log
        )
        try:
            yield Worker(process, log)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


# -- the restart


async def _changelog(deployment: Deployment) -> Written:
    """What is in the changelog of contacts, read by an ordinary consumer."""
    places = [
        TopicPartition(f"{deployment.group}-contacts-changelog", p) for p in range(PARTITIONS)
    ]
    records = size = 0
    async with _reading(deployment, places, "earliest") as reader:
        ends = await reader.end_offsets(places)
        while [p for p in places if await reader.position(p) < ends[p]]:
            for found in (await reader.getmany(timeout_ms=200)).values():
                records += len(found)
                size += sum(len(r.key or b"") + len(r.value or b"") for r in found)
    return Written(records, size)


async def restart(settings: Settings, contacts: int) -> Restarted:
    """Start a worker on what is there, and follow what it publishes."""
    deployment = Deployment.of(settings)
    places = [TopicPartition(deployment.topic(PARTIALS), p) for p in range(PARTITIONS)]
    async with _reading(deployment, places, "latest") as partials:
        for place in places:
            await partials.position(place)  # from here on, whatever comes meanwhile
        wanted = await _send_new(deployment, contacts)
        with running(settings) as worker:
            first, caught_up = await _follow(partials, wanted, worker)
            cpu = worker.used().cpu_seconds
            records, seconds = _restored(worker)
            await asyncio.sleep(3)
            memory = worker.used().memory_bytes
    rate = round(records / seconds)
    return Restarted(records, seconds, rate, first, caught_up, cpu, memory)


@asynccontextmanager
async def _reading(
    deployment: Deployment, places: list[TopicPartition], since: Literal["earliest", "latest"]
) -> AsyncIterator[AIOKafkaConsumer]:
    reader = AIOKafkaConsumer(
        **deployment.aiokafka_options(),
        enable_auto_commit=False,
        check_crcs=False,
        auto_offset_reset=since,
    )
    await reader.start()
    try:
        reader.assign(places)
        yield reader
    finally:
        await reader.stop()


async def _send_new(deployment: Deployment, contacts: int) -> dict[str, int]:
    """One new contact per partition: origin -> the offset of its event."""
    now_ms = time.time_ns() // 1_000_000
    topic = deployment.topic(TOPIC)
    rows = [_row(n, queued(n, now_ms)) for n in range(contacts, contacts + PARTITIONS)]
    await send(deployment.bootstrap, topic, rows)
    with Offsets(deployment) as offsets:
        return {f"contacts/{p}": end - 1 for p, end in offsets.ends(topic).items()}


async def _follow(
    partials: AIOKafkaConsumer, wanted: dict[str, int], worker: Worker
) -> tuple[float, float]:
    """Seconds to the first partial, and to the one by which all the new events are in."""
    first = 0.0
    while wanted:
        fetched = await partials.getmany(timeout_ms=20)
        worker.check()
        for record in (r for records in fetched.values() for r in records):
            found = decode(record.value)
            if found.origin in wanted and isinstance(found, Partial):
                first = first or time.monotonic() - worker.began
                if found.position >= wanted[found.origin]:
                    del wanted[found.origin]
    return first, time.monotonic() - worker.began


def _restored(worker: Worker) -> tuple[int, float]:
    """Records of contacts and seconds, as the worker itself says."""
    found = [_RESTORED.search(line) for line in worker.logged()]
    told = next(match for match in found if match)
    return int(told[1].replace(",", "")), float(told[2])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
