"""The week through a real Kafka and two workers, in no order, with repeats, and then once more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from kafka import KafkaProducer

from streams import codec, compute
from streams.arrival import Follower, Offsets, Waiting, tell_time
from streams.core.events import AgentEvent, ContactEvent
from streams.deployment import Deployment
from streams.kafka import topics
from streams.kafka.partition import partition_of
from streams.reading import read_to_end
from streams.worker_process import Flags, WorkerProcess, settings_of
from tests.week.times import SETTINGS
from tests.week.week import Week

DAY_MS = 86_400_000
SECONDS_MAX = 300


@contextmanager
def configured() -> Iterator[None]:
    """The week's settings are the user's, for this process and the workers it starts."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "week.toml"
        file.write_text(SETTINGS)
        os.environ["STREAMS_CONFIG"] = str(file)
        try:
            yield
        finally:
            del os.environ["STREAMS_CONFIG"]


def flags_of(bootstrap: str, prefix: str) -> Flags:
    return compute.own_flags() | {
        "kafka.bootstrap": bootstrap,
        "kafka.prefix": prefix,
        "kafka.app_id": prefix,
        "kafka.partitions": 2,
        "kafka.session_ms": 3_000,
        "processing.segment_size": 1_024,
    }


def through(bootstrap: str, prefix: str, week: Week, order: Random) -> list[tuple[bytes, bytes]]:
    """Every record that stands in the KPI topics in the end: (key, value)."""
    with configured():
        flags = flags_of(bootstrap, prefix)
        deployment = Deployment.of(settings_of(flags, False))
        topics.apply(bootstrap, deployment.specs())
        try:
            return _through(flags, deployment, week, order)
        finally:
            topics.remove(bootstrap, deployment.specs())


def _through(
    flags: Flags, deployment: Deployment, week: Week, order: Random
) -> list[tuple[bytes, bytes]]:
    workers = [WorkerProcess() for _ in range(2)]
    events = list(week.events)
    order.shuffle(events)
    again = order.sample(events, len(events) // 5)
    try:
        workers[0].release(flags, False, None)
        _send(deployment, [*events, *again], week.agent_events)
        workers[1].release(flags, False, None)  # in the middle of it
        order.shuffle(events)
        _send(deployment, events, week.agent_events)
        _finish(deployment, workers[0], week.end_ms + 40 * DAY_MS)
    finally:
        for worker in workers:
            worker.stop()
    return _standing(deployment)


def _send(deployment: Deployment, contacts: list[ContactEvent], agents: list[AgentEvent]) -> None:
    producer = KafkaProducer(bootstrap_servers=deployment.bootstrap, linger_ms=20)
    rows = [("events.contact.v1", e.contact.encode(), e) for e in contacts]
    rows += [("events.agent.v1", e.agent.encode(), e) for e in agents]
    for topic, key, event in rows:
        partition = partition_of(key, deployment.partitions)
        producer.send(
            deployment.topic(topic), key=key, value=codec.encode(event), partition=partition
        )
    producer.flush()
    producer.close()


def _finish(deployment: Deployment, worker: WorkerProcess, time_ms: int) -> None:
    with Follower(deployment) as follower, Offsets(deployment) as offsets:
        waiting = Waiting(deployment, offsets, follower, worker.check, SECONDS_MAX)
        waiting.settled()
        waiting.boarded(tell_time(deployment, time_ms))


def _standing(deployment: Deployment) -> list[tuple[bytes, bytes]]:
    found: dict[bytes, bytes] = {}

    def take(records: object) -> None:
        for record in records:  # type: ignore[attr-defined]
            if record.value:
                found[record.key] = record.value
            else:
                found.pop(record.key, None)

    read_to_end(deployment, deployment.kpi_topics(()), take, "read_committed")
    return list(found.items())
