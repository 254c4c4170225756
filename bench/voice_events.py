"""How many canonical voice events a second one worker takes through contacts, changelogs on.

    python -m bench.voice_events [--events 600000] [--queues 40]

A real broker, real topics, the worker as users start it, in a process of its own.  The events of
interleaved calls (queued; answered or abandoned; handled) are in the log before the worker starts.
The rate is taken between the first and the last tenth of the commits, so neither start-up nor the
unsealed end counts.  Everything is on: entities in transactions, partials, the board, the KPI
topics.  The broker shares the machine, so the figure per second of the worker's CPU is given too.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import random
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from aiokafka import AIOKafkaProducer

from bench.processes import usage
from streams import codec
from streams.arrival import Offsets
from streams.core import events as ev
from streams.deployment import Deployment
from streams.kafka import topics
from streams.kafka.embedded import EmbeddedCluster
from streams.runtime.writing import Writer, Written, settled
from streams.settings import load

PARTITIONS = 4
OPEN_CALLS = 2_000
CHUNK = 20_000
TOPIC = "events.contact.v1"


class Sample(NamedTuple):
    """The worker at one moment: seconds, events committed, CPU seconds used, resident bytes."""

    at: float
    events: int
    cpu: float
    memory: int


def calls(events: int, queues: int, seed: int = 1) -> Iterator[tuple[int, bytes, bytes]]:
    """(partition, key, event) of interleaved calls; 15 % abandon."""
    chance = random.Random(seed)
    live: list[tuple[int, str, int, int]] = []
    begun = 0
    for number in range(events):
        now = 1_790_000_000_000 + number * 5
        if len(live) < OPEN_CALLS:
            begun += 1
            live.append((begun, f"queue-{chance.randrange(queues)}", 0, now))
        index = chance.randrange(len(live))
        call, queue, state, since = live[index]
        event, state = _next(call, queue, state, since, now, chance)
        if state < 0:
            live[index] = live[-1]
            live.pop()
        else:
            live[index] = (call, queue, state, now)
        yield call % PARTITIONS, event.contact.encode(), codec.encode(event)


def _next(
    call: int, queue: str, state: int, since: int, now: int, chance: random.Random
) -> tuple[ev.ContactEvent, int]:
    contact = f"1790000000.{call}"
    common = {"id": f"{contact}-{state}", "source": "bench", "contact": contact, "time": now}
    if state == 0:
        return ev.Queued(queue=queue, position=1, **common), 1  # type: ignore[arg-type]
    if state == 1 and chance.random() < 0.15:
        return ev.LeftQueue(queue=queue, outcome="abandoned", wait_ms=now - since, **common), -1  # type: ignore[arg-type]
    agent = f"Agent/{call % 200}"
    if state == 1:
        return ev.Answered(queue=queue, agent=agent, wait_ms=now - since, **common), 2  # type: ignore[arg-type]
    return ev.Handled(queue=queue, agent=agent, talk_ms=now - since, ended_by="agent", **common), -1  # type: ignore[arg-type]


async def send(bootstrap: str, topic: str, rows: Iterable[tuple[int, bytes | None, bytes]]) -> int:
    """Put (partition, key, event) into the log; how many."""
    writer = Writer(AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=512 * 1024))
    await writer.start()
    count, all_rows = 0, iter(rows)
    try:
        while chunk := list(islice(all_rows, CHUNK)):
            waiting: list[list[Written]] = [[] for _ in range(PARTITIONS)]
            for partition, key, value in chunk:
                waiting[partition].append((key, value, ()))
            for lane, written in enumerate(waiting):
                await settled(await writer.send(topic, lane, written))
            count += len(chunk)
    finally:
        await writer.stop()
    return count


def sample(process: int, offsets: Offsets, topic: str) -> Sample:
    """Needs /proc, so Linux."""
    used, done = usage(process), sum(offsets.committed(topic).values())
    return Sample(time.monotonic(), done, used.cpu_seconds, used.memory_bytes)


def measure(bootstrap: str, events: int, queues: int) -> tuple[Sample, Sample]:
    """The first and the last sample that count."""
    deployment = Deployment.of(load({"STREAMS_KAFKA_BOOTSTRAP": bootstrap}))
    topics.apply(bootstrap, deployment.specs())
    topic = deployment.topic(TOPIC)
    asyncio.run(send(bootstrap, topic, calls(events, queues)))
    environment = os.environ | {
        "STREAMS_KAFKA_BOOTSTRAP": bootstrap,
        "STREAMS_METRICS_PORT": "0",
        "STREAMS_PROCESSING_KEEP_DAYS": "0",
    }
    worker = subprocess.Popen(
        [sys.executable, "-m", "streams", "worker"], env=environment, stderr=subprocess.DEVNULL
    )
    samples: list[Sample] = []
    try:
        with Offsets(deployment) as offsets:
            while not samples or samples[-1].events < 0.9 * events:
                assert worker.poll() is None, "the worker ended by itself"
                samples.append(sample(worker.pid, offsets, topic))
                time.sleep(0.2)
    finally:
        worker.terminate()
        worker.wait()
    return next(s for s in samples if s.events >= 0.1 * events), samples[-1]


def main(arguments: Sequence[str]) -> int:
    """Print one line of Markdown table per run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=600_000)
    parser.add_argument("--queues", type=int, default=40)
    wanted = parser.parse_args(arguments)
    with EmbeddedCluster() as cluster:
        first, last = measure(cluster.bootstrap, wanted.events, wanted.queues)
    done = last.events - first.events
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{wanted.events} events, {wanted.queues} queues, {PARTITIONS} partitions")
    print(f"{done / (last.at - first.at):,.0f} events/s")
    print(f"{done / (last.cpu - first.cpu):,.0f} events per CPU second of the worker")
    print(f"{last.memory / 2**20:,.0f} MiB resident at the end")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
