"""The short commands on a real Kafka: topics, bridge, simulate, kpi, worker."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from streams import demo
from streams.kafka.consume import Record, read_all
from streams.kafka.embedded import EmbeddedCluster
from tests.integration.commands import Command, Ran, gone_within, run

pytestmark = pytest.mark.integration

Running = Callable[..., Ran]


@pytest.fixture
def settings(broker: EmbeddedCluster, prefix: str) -> dict[str, str]:
    """A deployment of this test's own."""
    return {
        "STREAMS_KAFKA_BOOTSTRAP": broker.bootstrap,
        "STREAMS_KAFKA_PREFIX": prefix,
        "STREAMS_KAFKA_APP_ID": prefix,
        "STREAMS_KAFKA_PARTITIONS": "2",
        "STREAMS_METRICS_PORT": "0",
    }


@pytest.fixture
def cli(settings: dict[str, str], tmp_path: Path) -> Running:
    """Runs a command on that deployment."""
    return lambda *words: run(list(words), tmp_path, settings)


def raw(broker: EmbeddedCluster, prefix: str) -> list[Record]:
    return list(read_all(broker.bootstrap, [f"{prefix}.raw.asterisk-queue-log.v1"]))


def test_topics_are_planned_made_and_checked(
    broker: EmbeddedCluster, prefix: str, cli: Running
) -> None:
    planned = cli("topics", "plan", "--json")
    assert planned.code == 0
    changes = [json.loads(line) for line in planned.out.splitlines()]
    assert {change["action"] for change in changes} == {"create"}
    assert cli("topics", "check").code == 1

    assert cli("topics", "apply").code == 0
    checked = cli("topics", "check")
    assert (checked.code, checked.out) == (0, "")

    topic = f"{prefix}.dlq.events.v1"
    with KafkaAdminClient(bootstrap_servers=broker.bootstrap) as admin:
        drift = ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "1000"})
        admin.alter_configs([drift], incremental=True)
    drifted = cli("topics", "check")
    assert drifted.code == 1
    assert f"{topic} has retention.ms 1000" in drifted.out
    assert "Next: contact-streams topics apply" in drifted.err


def test_a_worker_without_topics_says_what_to_run(cli: Running) -> None:
    ran = cli("worker")
    assert ran.code == 1
    assert "Next: contact-streams topics apply" in ran.err
    assert "Traceback" not in ran.err


def test_the_bridge_goes_on_where_it_ended(
    broker: EmbeddedCluster, prefix: str, cli: Running, tmp_path: Path
) -> None:
    cli("topics", "apply")
    whole = demo.LOG.read_bytes().splitlines(keepends=True)
    log, state = tmp_path / "queue_log", tmp_path / "state"
    words = ("bridge", "queue-log", str(log), "--name", "pbx", "--state", str(state))

    log.write_bytes(b"".join(whole[:100]))
    assert "100 lines sent" in cli(*words).err
    with log.open("ab") as file:
        file.writelines(whole[100:150])
    assert "50 lines sent" in cli(*words).err

    records = raw(broker, prefix)
    assert sorted(r.value or b"" for r in records) == sorted(w.rstrip() for w in whole[:150])
    assert {dict(r.headers)["source"] for r in records} == {b"pbx"}


def test_a_following_bridge_ends_well_with_sigterm(
    cli: Running, settings: dict[str, str], tmp_path: Path, broker: EmbeddedCluster, prefix: str
) -> None:
    cli("topics", "apply")
    command = Command(["bridge", "queue-log", str(demo.LOG), "--follow"], tmp_path, settings)
    while len(raw(broker, prefix)) < 5989:
        assert command.process.poll() is None
    command.process.send_signal(signal.SIGTERM)
    ran = command.wait()
    assert (ran.code, ran.out) == (0, "")
    assert "5,989 lines sent" in ran.err


def test_a_simulation_at_full_speed_is_all_sent(
    broker: EmbeddedCluster, prefix: str, cli: Running
) -> None:
    cli("topics", "apply")
    words = ("simulate", "--duration", "1h", "--seed", "4")
    ran = cli(*words, "--speed", "max")
    assert ran.code == 0, ran.err
    printed = cli(*words, "--lines").out.splitlines()
    sent = raw(broker, prefix)
    assert f"{len(sent):,} lines sent" in ran.err
    assert len(sent) == len(printed)
    assert {dict(r.headers)["source"] for r in sent} == {b"simulator"}


def test_kpi_get_shows_the_latest_revision_of_each_result(
    broker: EmbeddedCluster, prefix: str, cli: Running
) -> None:
    cli("topics", "apply")
    told = {
        "kpi": "contacts_offered", "key": {"queue": "PS", "channel": "voice"},
        "window": {"kind": "day", "start": "2026-10-05T00:00:00Z"}, "unit": "contacts",
        "status": "provisional",
    }  # fmt: skip
    key = b'["contacts_offered","queue","PS","voice","day",1791158400000]'
    gone = b'["contacts_offered","queue","NW","voice","day",1791158400000]'
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    for value in (7, 9):
        line = json.dumps({**told, "value": value, "revision": value}).encode()
        for name in (key, gone):
            producer.send(f"{prefix}.kpi.volume.v1", line, name)
    producer.send(f"{prefix}.kpi.volume.v1", None, gone)
    producer.close()

    shown = cli("kpi", "get", "contacts_offered", "--json")
    assert [json.loads(line)["value"] for line in shown.out.splitlines()] == [9]
    assert cli("kpi", "get").out.splitlines()[1].split() == [
        "2026-10-05", "voice", "PS", "9", *"-" * 9,
    ]  # fmt: skip
    nothing = cli("kpi", "get", "--queue", "sales")
    assert (nothing.code, nothing.out) == (0, "")


def test_kpi_watch_shows_what_stands_there_and_what_comes(
    broker: EmbeddedCluster, prefix: str, cli: Running, settings: dict[str, str], tmp_path: Path
) -> None:
    cli("topics", "apply")
    topic = f"{prefix}.kpi.volume.v1"
    key = b'["contacts_offered","queue","PS","voice","now"]'
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    producer.send(topic, b'{"n":1}', key).get(10)
    command = Command(["kpi", "watch", "contacts_offered", "--json"], tmp_path, settings)
    assert command.process.stdout is not None
    assert command.process.stdout.readline() == '{"n":1}\n'
    producer.send(topic, b'{"n":2}', key)
    producer.close()
    assert command.process.stdout.readline() == '{"n":2}\n'
    command.process.send_signal(signal.SIGINT)
    ran = command.wait()
    assert (ran.code, ran.err) == (130, "")


def test_a_broker_in_the_foreground_goes_with_ctrl_c(tmp_path: Path) -> None:
    command = Command(["broker", "run"], tmp_path)
    assert command.process.stdout is not None
    address = command.process.stdout.readline().strip()
    with KafkaAdminClient(bootstrap_servers=address) as admin:
        assert len(admin.describe_cluster()["brokers"]) == 1
    started = command.descendants()
    command.process.send_signal(signal.SIGINT)
    assert command.wait().code == 130
    assert gone_within(started, 10)
    assert list(command.folder.iterdir()) == []
