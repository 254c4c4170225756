"""The load and the checker on a real Kafka, without any fault: nothing is wrong, much was looked
at."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from streams.deployment import Deployment
from streams.kafka import topics
from streams.kafka.embedded import EmbeddedCluster
from streams.worker_process import Flags, WorkerProcess, settings_of
from tests.chaos import check
from tests.chaos.load import FLAGS, Load
from tests.chaos.producing import Producing

pytestmark = [pytest.mark.integration, pytest.mark.timeout(150)]

RATE, SECONDS = 300, 20
LAG_SECONDS_MAX = 30


def flags_of(broker: EmbeddedCluster, prefix: str) -> Flags:
    own = {"kafka.bootstrap": broker.bootstrap, "kafka.prefix": prefix, "kafka.app_id": prefix}
    ports = {"metrics.host": "127.0.0.1", "metrics.port": 0, "kafka.instance_id": ""}
    return {**FLAGS, **own, **ports, "kafka.partitions": 2}


@contextmanager
def working(flags: Flags) -> Iterator[WorkerProcess]:
    worker = WorkerProcess()
    try:
        worker.release(flags, True, None)
        yield worker
    finally:
        worker.stop()


def rss_bytes(pid: int) -> int:
    told = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=True)
    return int(told.stdout) * 1024


def test_a_load_full_of_adversities_gives_exactly_what_it_must(
    broker: EmbeddedCluster, prefix: str
) -> None:
    flags = flags_of(broker, prefix)
    deployment = Deployment.of(settings_of(flags, True))
    topics.apply(deployment.bootstrap, deployment.specs())
    load = Load(7, time.time_ns() // 1_000_000)
    with working(flags) as worker:
        producing = Producing(broker.bootstrap, deployment, load, RATE)
        producing.start()
        time.sleep(SECONDS)
        producing.stop()
        check.wait_until_caught_up(deployment, LAG_SECONDS_MAX)
        memory = [(0.0, worker.pid, rss_bytes(worker.pid))]
        urls = [worker.metrics_url()]
        report = check.check(deployment, metrics_urls=urls, memory=memory)
    topics.remove(deployment.bootstrap, deployment.specs())
    assert report.violations == []
    assert producing.count >= RATE * SECONDS * 0.8
    # A check of nothing finds nothing.
    assert report.facts["raw"] + report.facts["events"] > producing.count
    for fact in ("visits", "answered", "abandoned", "left", "letters", "results", "contacts_kept"):
        assert report.facts[fact] > 0, fact
