"""What the doctor says of real deployments: one that works, and one with everything wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, KafkaAdminClient
from kafka.structs import OffsetAndMetadata

from streams.cli import main
from streams.deployment import DEAD_LETTERS
from streams.doctor import NAMES, Finding, Look, Unmade, chosen, examine
from streams.kafka import groups, topics
from streams.kafka.embedded import EmbeddedCluster
from streams.worker_process import WorkerProcess, settings_of
from tests.integration.runs import SOURCE, Run, a_run, stopping

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
PARTITIONS = 2
READY_SECONDS = 40
PATIENCE_SECONDS = 20
"""With one answer, on a busy machine."""
EVERY = set(NAMES) - {"certificates"}


class Working(NamedTuple):
    """A deployment, and its worker."""

    run: Run
    worker: WorkerProcess


@pytest.fixture(scope="module")
def working(broker: EmbeddedCluster) -> Iterator[Working]:
    with a_run(broker, "doctor-working", partitions=PARTITIONS) as run:
        # Faster than anybody's, so that no test waits for a tick.
        run.flags["processing.tick_ms"] = 100
        with stopping(run.worker()) as worker:
            yield Working(run, worker)


@pytest.fixture(scope="module")
def idle(broker: EmbeddedCluster) -> Iterator[Run]:
    """A deployment that nobody works on."""
    with a_run(broker, "doctor-idle", partitions=PARTITIONS) as run:
        yield run


def findings(run: Run, *only: str, urls: Iterable[str] = (), **flags: object) -> dict[str, Finding]:
    """Check -> what it says; all checks if none is named."""
    settings = settings_of({**run.flags, **flags}, True)
    with Look(list(urls), PATIENCE_SECONDS, lambda: settings) as look:
        return {one.check: one for one in examine(chosen(only), look, Unmade())}


def admin(run: Run) -> KafkaAdminClient:
    return KafkaAdminClient(bootstrap_servers=run.deployment.bootstrap)


def alter(run: Run, topic: str, key: str, value: str) -> None:
    with admin(run) as client:
        client.alter_configs([ConfigResource("TOPIC", topic, {key: value})], incremental=True)


def write(run: Run, topic: str, count: int) -> None:
    with KafkaProducer(bootstrap_servers=run.deployment.bootstrap) as producer:
        for number in range(count):
            producer.send(topic, b"%d" % number, b"key", partition=0)


def test_of_a_deployment_that_works_every_check_is_ok(working: Working) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        working.worker.check()
        urls = [url for url in [working.worker.metrics_url()] if url]
        found = findings(working.run, urls=urls) if urls else {}
        bad = [one for one in found.values() if one.status != "ok"]
        if (found.keys() == EVERY and not bad) or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    assert not bad
    assert found.keys() == EVERY
    assert found["members"].found == "1 member for 2 partitions, no static ids"
    assert found["results"].found.endswith("on 2 of 2 board partitions")
    # Broker and worker are on this machine: nothing but our asking lies between the clocks.
    assert found["clock"].found.startswith("broker 1 is within ")


def test_letters_and_transactions_that_stay_are_told(working: Working) -> None:
    run = working.run
    letters = run.deployment.topic(DEAD_LETTERS)
    write(run, letters, 3)
    with KafkaProducer(
        bootstrap_servers=run.deployment.bootstrap, transactional_id="doctor-test"
    ) as producer:
        producer.init_transactions()
        producer.begin_transaction()
        producer.send(run.deployment.topic("breaches.v1"), b"x", b"key", partition=0).get(10)
        found = findings(run, "dead_letters", "transactions")
        producer.abort_transaction()
    assert found["dead_letters"].status == "warn"
    assert found["dead_letters"].found.startswith("at most 3, the oldest of ")
    assert found["dead_letters"].next == "contact-streams dlq list"
    assert found["transactions"].found.startswith("open: doctor-working.breaches.v1[0] for ")
    assert findings(run, "transactions")["transactions"].found == "none stays open"


def test_other_settings_than_the_topics_have_are_told(working: Working) -> None:
    found = findings(
        working.run, "topics", "partitions", "replicas",
        **{"kafka.partitions": 4, "kafka.replication": 3, "ingest.sources": [SOURCE, "zendesk"]},
    )  # fmt: skip
    assert {one.status for one in found.values()} == {"fail"}
    assert "missing: doctor-working.raw.zendesk.v1" in found["topics"].found
    assert found["partitions"].next == "set kafka.partitions = 2"
    assert found["replicas"].next == "set kafka.replication to at most 1, or add brokers"


def test_another_policy_is_told_with_the_command_that_mends_it(idle: Run) -> None:
    topic = idle.deployment.topic("events.contact.v1")
    alter(idle, topic, "cleanup.policy", "compact")
    found = findings(idle, "topics")["topics"]
    assert found.status == "fail"
    assert f"{topic} has cleanup.policy compact, needs delete" in found.found
    assert found.next == "contact-streams topics apply"
    topics.apply(idle.deployment.bootstrap, idle.deployment.specs())
    assert findings(idle, "topics")["topics"].status == "ok"


def test_a_group_without_members_leaves_records_unread(idle: Run) -> None:
    raw = idle.deployment.raw_topic(SOURCE)
    write(idle, raw, 30)
    first = findings(idle, "group", "members", "lag", "losses")
    assert first.keys() == {"group", "lag", "losses"}
    assert first["group"].found == "doctor-idle: no worker has ever worked"

    at = TopicPartition(raw, 0)
    kafka = settings_of(idle.flags, True).kafka
    groups.commit(kafka, idle.deployment.group, {at: OffsetAndMetadata(10, "", -1)})
    found = findings(idle, "group", "lag", "losses")
    assert (found["group"].status, found["group"].next) == ("fail", "contact-streams worker")
    assert found["lag"].status == "warn"
    assert "ingest 20, contacts 0" in found["lag"].found
    assert f"{raw}[0] waits for " in found["lag"].found
    assert found["losses"].status == "ok"

    with admin(idle) as client:
        client.delete_records({at: 15})
    lost = findings(idle, "losses")["losses"]
    assert lost.status == "fail"
    assert f"{raw}[0]: 5 records deleted unread" in lost.found


def test_looking_leaves_nothing_behind(idle: Run) -> None:
    def state() -> object:
        with admin(idle) as client:
            groups = {one["group_id"] for one in client.list_groups()}
            names = set(client.list_topics())
        with Look(seconds=PATIENCE_SECONDS, read=lambda: settings_of(idle.flags, True)) as look:
            return groups, names, dict(look.spans)

    before = state()
    assert len(findings(idle, *(name for name in NAMES if name != "clock"))) > 10
    assert state() == before


def test_one_topic_with_another_count_is_told(idle: Run) -> None:
    topic = idle.deployment.topic("records.contact.v1")
    with admin(idle) as client:
        client.create_partitions({topic: 3})
        client.wait_for_topics([topic])
    found = findings(idle, "topics", "partitions")
    assert {one.status for one in found.values()} == {"fail"}
    assert f"of 2 partitions, but {topic} 3" in found["partitions"].found
    assert "docs/operations.md" in found["topics"].next


def test_the_command_prints_findings_and_fails(
    idle: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)
    for name, value in idle.flags.items():
        monkeypatch.setenv(f"STREAMS_{name.upper().replace('.', '_')}", str(value))
    began = time.monotonic()
    assert main(["doctor", "--quick", "--json", "--skip", "topics"]) == 1
    assert time.monotonic() - began < 3
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["check"] for one in told] == ["settings", "kafka", "partitions", "group"]
    assert [one["status"] for one in told] == ["ok", "ok", "fail", "fail"]
    assert main(["doctor", "--only", "settings,kafka"]) == 0
