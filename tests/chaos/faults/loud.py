"""Damage that nobody can work through: the worker must stop, say what is gone, and wait for an
operator's word."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

from kafka import KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from streams import codec, compute
from streams.arrival import Offsets
from streams.core.events import Tick
from streams.deployment import Deployment
from streams.kafka import topics
from streams.kafka.connect import client_options
from streams.kafka.embedded import EmbeddedCluster
from streams.worker_process import Flags
from tests.chaos.cluster import admin_of, deploy, flags_of
from tests.chaos.nemesis import owned_by
from tests.chaos.report import Complaint, Say
from tests.chaos.workers import Worker

EXIT_LOUD = 70
STAGES = 5
CALLS = 500
WAIT_SECONDS = 45.0
LOOK_SECONDS = 0.1
LOST_METRIC = "cc_records_lost_total"
LINES = (
    "{at}|call-{n}|PS|NONE|ENTERQUEUE|||1\n"
    "{later}|call-{n}|PS|Ann|CONNECT|10|x|0\n"
    "{later}|call-{n}|PS|Ann|COMPLETEAGENT|10|0|1\n"
)


class Scene(NamedTuple):
    """A deployment of one partition, on brokers of its own or of somebody else."""

    deployment: Deployment
    flags: Flags
    folder: Path
    admin: KafkaAdminClient

    @property
    def events(self) -> str:
        return self.deployment.topic("events.contact.v1")

    @property
    def changelog(self) -> str:
        return f"{self.deployment.group}-contacts-changelog"


class Scenario(NamedTuple):
    """``damage`` gives the topic that the worker must complain of; ``acceptable``: an operator may
    have it go on with what is left."""

    tries: str
    damage: Callable[[Scene], str]
    acceptable: bool


def play(name: str, say: Say, bootstrap: str = "", prefix: str = "chaos") -> list[Complaint]:
    """One scenario, with brokers of its own if no ``bootstrap`` is given; what was not as it must
    be."""
    scenario = SCENARIOS[name]
    with _scene(bootstrap, prefix) as scene:
        _work(scene)
        say("a worker has worked, and is stopped")
        topic = scenario.damage(scene)
        say(f"{topic} is damaged")
        complaints = _stops(scene, topic, "stop", say)
        if scenario.acceptable:
            complaints += _goes_on(scene, topic, say)
        else:
            complaints += _stops(scene, topic, "accept", say)
    return [(name, complaint) for complaint in complaints]


@contextmanager
def _scene(bootstrap: str, prefix: str) -> Iterator[Scene]:
    with tempfile.TemporaryDirectory(prefix="contact-streams-chaos-") as folder:
        if bootstrap:
            yield from _set(bootstrap, prefix, Path(folder))
        else:
            with EmbeddedCluster() as brokers:
                yield from _set(brokers.bootstrap, prefix, Path(folder))


def _set(bootstrap: str, prefix: str, folder: Path) -> Iterator[Scene]:
    flags = {**flags_of(bootstrap, prefix), "kafka.partitions": 1}
    with admin_of(bootstrap) as admin:
        deployment = deploy(flags)
        try:
            yield Scene(deployment, flags, folder, admin)
        finally:
            topics.remove(bootstrap, deployment.specs())


@contextmanager
def _worker(scene: Scene, lost_records: str) -> Iterator[Worker]:
    flags = {**scene.flags, "processing.lost_records": lost_records}
    log = scene.folder / f"worker-{time.monotonic_ns()}.log"
    worker = Worker(0, log, flags, {})
    try:
        yield worker
    finally:
        worker.close()


def _work(scene: Scene) -> None:
    """Some segments of calls are processed, sealed and committed; then the worker ends."""
    log = scene.folder / "queue_log"
    now = int(time.time()) - 2 * CALLS
    log.write_text("".join(LINES.format(at=now + n, later=now + n + 10, n=n) for n in range(CALLS)))
    deployment = scene.deployment
    with _worker(scene, "stop") as worker, Offsets(deployment) as offsets:
        raw = deployment.raw_topic("asterisk_queue_log")
        compute.send([log], raw, deployment, lambda *told: None)
        _until(worker, lambda: offsets.committed(raw)[0] >= offsets.ends(raw)[0])
        _until(worker, lambda: offsets.committed(scene.events)[0] > 3 * CALLS - 256)
        worker.end()
        if worker.wait(WAIT_SECONDS) != 0:
            raise RuntimeError(f"the worker did not end well\n{worker.tail()}")


def _until(worker: Worker, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not done():
        if worker.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the worker does not get on\n{worker.tail()}")
        time.sleep(LOOK_SECONDS)


# -- what must happen


def _stops(scene: Scene, topic: str, lost_records: str, say: Say) -> list[str]:
    """A worker that starts ends by itself, and names the topic."""
    with _worker(scene, lost_records) as worker:
        code = worker.wait(WAIT_SECONDS)
        text, tail = worker.text(), worker.tail()
    said = f"with lost_records = {lost_records}"
    if code is None:
        return [f"{said} the worker went on as if nothing were lost\n{tail}"]
    if code != EXIT_LOUD or "StateError" not in text or topic not in text:
        return [f"{said} it ended with code {code} and without a StateError on {topic}\n{tail}"]
    say(f"{said}: {next(line for line in text.splitlines() if 'StateError' in line)}")
    return []


def _goes_on(scene: Scene, topic: str, say: Say) -> list[str]:
    """With the operator's word it works, and counts what is lost."""
    with _worker(scene, "accept") as worker:
        deadline = time.monotonic() + WAIT_SECONDS
        while not (worker.metrics_url and owned_by(worker.metrics_url) >= STAGES):
            if worker.poll() is not None or time.monotonic() > deadline:
                return [f"with lost_records = accept it does not work\n{worker.tail()}"]
            time.sleep(LOOK_SECONDS)
        with urlopen(worker.metrics_url, timeout=10) as answer:
            lines = answer.read().decode().splitlines()
    lost = sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith(LOST_METRIC) and topic in line
    )
    if lost < 1:
        return [f"with lost_records = accept the loss in {topic} is not counted"]
    say(f"with lost_records = accept: it works, and has counted {lost:.0f} records as lost")
    return []


# -- damage


def _delete_head(scene: Scene) -> str:
    """A changelog is compacted, and Kafka deletes no records from it; so somebody has changed its
    policy for a while."""
    at = TopicPartition(scene.changelog, 0)
    _set_policy(scene.admin, scene.changelog, "compact,delete")
    with Offsets(scene.deployment) as offsets:
        end = offsets.ends(scene.changelog)[0]
    scene.admin.delete_records({at: end // 2})
    _set_policy(scene.admin, scene.changelog, "compact")
    return scene.changelog


def _set_policy(admin: KafkaAdminClient, topic: str, policy: str) -> None:
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, {"cleanup.policy": policy})
    answer = admin.alter_configs([resource], incremental=True)["topic"][topic]
    if answer != "OK":
        raise RuntimeError(f"cannot set cleanup.policy of {topic}: {answer}")


def _recreate(scene: Scene) -> str:
    """The events are processed and gone, and offsets begin at 0 again."""
    scene.admin.delete_topics([scene.events])
    deadline = time.monotonic() + WAIT_SECONDS
    while scene.events in scene.admin.list_topics():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{scene.events} is still there")
        time.sleep(LOOK_SECONDS)
    deploy(scene.flags)
    return scene.events


def _delete_unread(scene: Scene) -> str:
    """Retention was faster than the worker: what lies behind the commit is gone."""
    # Even if the commit happened to be the end, there is one record that nobody has read.
    with KafkaProducer(**client_options(scene.deployment.bootstrap, None)) as producer:
        tick = codec.encode(Tick(time=time.time_ns() // 1_000_000))
        producer.send(scene.events, partition=0, value=tick).get(WAIT_SECONDS)
    with Offsets(scene.deployment) as offsets:
        end = offsets.ends(scene.events)[0]
    scene.admin.delete_records({TopicPartition(scene.events, 0): end})
    return scene.events


SCENARIOS = {
    "head_deleted": Scenario("half of a changelog is deleted, state with it", _delete_head, True),
    "recreated": Scenario("a topic of events is deleted and made again", _recreate, False),
    "below_start": Scenario("records are deleted before anybody read them", _delete_unread, True),
}  # fmt: skip
