"""Topics as the schemas say: loaded, planned, applied and checked on a real broker."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from kafka import KafkaProducer
from kafka.admin import ConfigResource, KafkaAdminClient

from streams.errors import BrokerError, SettingsError, TopicsError
from streams.kafka import consume, topics
from streams.kafka.embedded import EmbeddedCluster
from streams.kafka.topics import Change, TopicSpec

DAY_MS = 24 * 60 * 60 * 1000


def by_name(specs: Sequence[TopicSpec]) -> dict[str, TopicSpec]:
    return {spec.name: spec for spec in specs}


class TestLoad:
    def test_gives_every_topic_of_a_deployment(self) -> None:
        specs = topics.load(kpis=["kpi.service-level.v1", "kpi.agent-states.v2"])
        assert [spec.name for spec in specs] == [
            "cc.breaches.v1",
            "cc.dlq.events.v1",
            "cc.dlq.replays.v1",
            "cc.events.agent.v1",
            "cc.events.contact.v1",
            "cc.kpi.agent-states.v2",
            "cc.kpi.service-level.v1",
            "cc.partials.v1",
            "cc.raw.asterisk-queue-log.v1",
            "cc.records.contact.v1",
            "contact-streams-board-changelog",
            "contact-streams-contacts-changelog",
            "contact-streams-customers-changelog",
            "contact-streams-meaning",
            "contact-streams-staff-changelog",
        ]

    def test_follows_prefix_application_and_sources(self) -> None:
        names = by_name(topics.load("acme.cc", "kpis", sources=["genesys_cloud", "zendesk"]))
        assert {"acme.cc.raw.genesys-cloud.v1", "acme.cc.raw.zendesk.v1"} <= names.keys()
        assert "kpis-contacts-changelog" in names

    def test_a_computation_has_results_of_its_own_and_perhaps_events(self) -> None:
        names = by_name(topics.load("cc", "app-r2", kpis=["kpi.volume.v1"], results="cc.r2"))
        assert {"cc.raw.asterisk-queue-log.v1", "cc.events.contact.v1"} <= names.keys()
        assert {"cc.r2.kpi.volume.v1", "cc.r2.partials.v1", "cc.r2.dlq.events.v1"} <= names.keys()
        again = by_name(topics.load("cc", "app-r2", events="cc.r2", results="cc.r2"))
        assert {"cc.raw.asterisk-queue-log.v1", "cc.r2.events.agent.v1"} <= again.keys()

    def test_what_is_keyed_alike_has_one_partition_count(self) -> None:
        specs = topics.load(partitions=12, kpis=["kpi.volume.v1"])
        assert {spec.partitions for spec in specs if spec.copartitioned} == {12}
        alone = {spec.name for spec in specs if not spec.copartitioned}
        assert alone == {
            "cc.breaches.v1", "cc.dlq.events.v1", "cc.dlq.replays.v1", "cc.kpi.volume.v1",
            "contact-streams-meaning",
        }  # fmt: skip
        assert by_name(specs)["cc.dlq.events.v1"].partitions == 1

    def test_keeps_each_kind_as_long_as_it_is_needed(self) -> None:
        specs = by_name(topics.load(kpis=["kpi.volume.v1"]))
        kept = {
            name: int(spec.config["retention.ms"]) // DAY_MS
            for name, spec in specs.items()
            if "retention.ms" in spec.config
        }
        assert kept == {
            "cc.breaches.v1": 400,
            "cc.dlq.events.v1": 28,
            "cc.dlq.replays.v1": 35,
            "cc.events.agent.v1": 28,
            "cc.events.contact.v1": 28,
            "cc.kpi.volume.v1": 400,
            "cc.partials.v1": 7,
            "cc.raw.asterisk-queue-log.v1": 7,
            "cc.records.contact.v1": 90,
        }
        # A replayed year must not be deleted by its own old timestamps.
        assert {specs[name].config["message.timestamp.type"] for name in kept} == {"LogAppendTime"}

    def test_asks_for_two_of_three_replicas(self) -> None:
        assert {s.config["min.insync.replicas"] for s in topics.load(replication=3)} == {"2"}
        assert {s.config["min.insync.replicas"] for s in topics.load(replication=1)} == {"1"}

    def test_lists_every_problem_at_once(self, tmp_path: Path) -> None:
        (tmp_path / "a.yaml").write_text("name: x\npurpose: x\ncopartitioned: true\nconfg: {}\n")
        (tmp_path / "b.yaml").write_text(
            "name: '{prefix}_b'\npurpose: x\ncopartitioned: true\nconfig: {}\n"
        )
        with pytest.raises(SettingsError) as caught:
            topics.load(partitions=0, replication=0, folder=tmp_path)
        assert [len(caught.value.problems), str(caught.value).splitlines()[0]] == [
            4,
            "4 settings are wrong",
        ]
        assert "'cc_b' cannot be a topic" in caught.value.why


@pytest.fixture
def specs(prefix: str) -> list[TopicSpec]:
    return topics.load(prefix, f"{prefix}-app", partitions=2, kpis=["kpi.volume.v1"])


def alter(broker: EmbeddedCluster, topic: str, key: str, value: str) -> None:
    with KafkaAdminClient(bootstrap_servers=broker.bootstrap) as admin:
        admin.alter_configs([ConfigResource("TOPIC", topic, {key: value})], incremental=True)


@pytest.mark.integration
class TestOnABroker:
    def test_apply_makes_what_plan_shows_and_nothing_is_left(
        self, broker: EmbeddedCluster, specs: list[TopicSpec]
    ) -> None:
        planned = topics.plan(broker.bootstrap, specs)
        assert [change.topic for change in planned] == [spec.name for spec in specs]
        assert {change.action for change in planned} == {"create"}
        told: list[Change] = []
        assert topics.apply(broker.bootstrap, specs, done=told.append) == planned == told
        assert topics.check(broker.bootstrap, specs) == []
        assert topics.apply(broker.bootstrap, specs) == []
        assert topics.verify_for_worker(broker.bootstrap, specs) == []

    def test_drift_is_found_and_mended(
        self, broker: EmbeddedCluster, specs: list[TopicSpec], prefix: str
    ) -> None:
        topics.apply(broker.bootstrap, specs)
        topic = f"{prefix}.events.contact.v1"
        alter(broker, topic, "retention.ms", "1000")
        alter(broker, topic, "cleanup.policy", "compact")
        drift = topics.check(broker.bootstrap, specs)
        assert drift == [
            Change(topic, "alter", "cleanup.policy", "compact", "delete"),
            Change(topic, "alter", "retention.ms", "1000", str(28 * DAY_MS)),
        ]
        assert str(drift[0]) == f"{topic} has cleanup.policy compact, needs delete"
        assert topics.apply(broker.bootstrap, specs) == drift
        assert topics.check(broker.bootstrap, specs) == []

    def test_what_no_spec_names_is_the_operators(
        self, broker: EmbeddedCluster, specs: list[TopicSpec], prefix: str
    ) -> None:
        topics.apply(broker.bootstrap, specs)
        alter(broker, f"{prefix}.partials.v1", "retention.bytes", "1000000000")
        assert topics.check(broker.bootstrap, specs) == []

    def test_another_partition_count_is_refused_before_anything_is_changed(
        self, broker: EmbeddedCluster, specs: list[TopicSpec], prefix: str
    ) -> None:
        topics.apply(broker.bootstrap, specs)
        wanted = topics.load(
            prefix, f"{prefix}-app", partitions=3, kpis=["kpi.new.v1", "kpi.volume.v1"]
        )
        with pytest.raises(TopicsError, match="cannot be changed in place") as caught:
            topics.apply(broker.bootstrap, wanted)
        assert f"{prefix}.events.contact.v1 has partitions 2, needs 3" in caught.value.why
        assert "migration" in caught.value.why
        drift = topics.check(broker.bootstrap, wanted)
        assert {change.action for change in drift} == {"create", "refuse"}
        assert f"{prefix}.dlq.events.v1" not in {change.topic for change in drift}

    def test_remove_leaves_nothing_of_the_deployment_and_all_of_the_others(
        self, broker: EmbeddedCluster, specs: list[TopicSpec], prefix: str
    ) -> None:
        other = topics.load(f"{prefix}-other", f"{prefix}-other-app", partitions=1)
        topics.apply(broker.bootstrap, [*specs, *other])
        assert topics.remove(broker.bootstrap, specs) == [spec.name for spec in specs]
        assert len(topics.plan(broker.bootstrap, specs)) == len(specs)
        assert topics.plan(broker.bootstrap, other) == []
        assert topics.remove(broker.bootstrap, specs) == []

    def test_too_few_replicas_are_refused(
        self, broker: EmbeddedCluster, specs: list[TopicSpec]
    ) -> None:
        topics.apply(broker.bootstrap, specs)
        (spec, *_) = specs
        (change,) = topics.check(broker.bootstrap, [replace(spec, replication=3)])
        assert (change.action, change.setting, change.found) == ("refuse", "replication", "1")


@pytest.mark.integration
class TestBeforeAWorkerStarts:
    def test_missing_and_wrong_topics_are_named_with_the_command_to_run(
        self, broker: EmbeddedCluster, specs: list[TopicSpec], prefix: str
    ) -> None:
        partials = f"{prefix}.partials.v1"
        topics.apply(broker.bootstrap, [spec for spec in specs if spec.name != partials])
        alter(broker, f"{prefix}.records.contact.v1", "cleanup.policy", "delete")
        with pytest.raises(TopicsError) as caught:
            topics.verify_for_worker(broker.bootstrap, specs)
        assert str(caught.value).splitlines() == [
            "the topics are not ready for a worker: 2 problems",
            f"- {partials} is missing (2 partitions, replication 1)",
            f"- {prefix}.records.contact.v1 has cleanup.policy delete, needs compact,delete",
            "Next: contact-streams topics apply",
        ]

    def test_a_wrong_partition_count_is_fatal_and_no_apply_is_promised(
        self, broker: EmbeddedCluster, specs: list[TopicSpec], prefix: str
    ) -> None:
        topics.apply(broker.bootstrap, specs)
        wanted = topics.load(prefix, f"{prefix}-app", partitions=4, kpis=["kpi.volume.v1"])
        with pytest.raises(TopicsError, match="cannot be changed in place") as caught:
            topics.verify_for_worker(broker.bootstrap, wanted)
        assert caught.value.next.startswith("set the count the topics have")

    def test_a_longer_retention_is_told_and_lived_with(
        self, broker: EmbeddedCluster, specs: list[TopicSpec], prefix: str
    ) -> None:
        topics.apply(broker.bootstrap, specs)
        alter(broker, f"{prefix}.raw.asterisk-queue-log.v1", "retention.ms", "-1")
        (change,) = topics.verify_for_worker(broker.bootstrap, specs)
        assert (change.setting, change.found) == ("retention.ms", "-1")

    def test_an_address_where_nobody_listens_is_one_plain_error(self) -> None:
        with pytest.raises(BrokerError, match=r"^cannot reach Kafka at") as caught:
            topics.plan("127.0.0.1:1", [], client={"bootstrap_timeout_ms": 300})
        assert "contact-streams broker start" in str(caught.value)


@pytest.mark.integration
class TestConsume:
    @pytest.fixture
    def topic(self, broker: EmbeddedCluster, specs: list[TopicSpec], prefix: str) -> str:
        topics.apply(broker.bootstrap, specs)
        return f"{prefix}.kpi.volume.v1"

    def test_reads_to_the_end_in_order_and_stops(self, broker: EmbeddedCluster, topic: str) -> None:
        with KafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
            for number in range(20):
                producer.send(topic, b"%d" % number, b"key", [("h", b"1")], partition=number % 2)
        records = list(consume.read_all(broker.bootstrap, [topic]))
        for partition in (0, 1):
            values = [int(r.value or b"") for r in records if r.partition == partition]
            assert values == list(range(partition, 20, 2))
        assert records[0].key == b"key"
        assert records[0].headers == (("h", b"1"),)

    def test_an_empty_topic_has_no_records(self, broker: EmbeddedCluster, topic: str) -> None:
        assert list(consume.read_all(broker.bootstrap, [topic])) == []

    def test_aborted_records_are_passed_over_even_at_the_end(
        self, broker: EmbeddedCluster, topic: str
    ) -> None:
        with KafkaProducer(
            bootstrap_servers=broker.bootstrap, transactional_id=topic, acks="all"
        ) as producer:
            producer.init_transactions()
            producer.begin_transaction()
            producer.send(topic, b"true", b"key", partition=0)
            producer.commit_transaction()
            producer.begin_transaction()
            producer.send(topic, b"undone", b"key", partition=0).get(10)
            producer.abort_transaction()
        committed = [r.value for r in consume.read_all(broker.bootstrap, [topic])]
        everything = consume.read_all(broker.bootstrap, [topic], "read_uncommitted")
        assert committed == [b"true"]
        assert [r.value for r in everything] == [b"true", b"undone"]

    def test_tail_gives_what_comes_in_and_says_when_nothing_does(
        self, broker: EmbeddedCluster, topic: str
    ) -> None:
        with KafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
            producer.send(topic, b"before", b"key", partition=0).get(10)
            lists = consume.tail(broker.bootstrap, [topic], wait_ms=50)
            assert next(lists) == []
            producer.send(topic, b"after", b"key", partition=1).get(10)
            assert [r.value for r in next(r for r in lists if r)] == [b"after"]
            lists.close()  # type: ignore[attr-defined]
        again = consume.tail(broker.bootstrap, [topic], from_beginning=True)
        assert next(r for r in again if r)[0].value == b"before"

    def test_a_missing_topic_is_named(self, broker: EmbeddedCluster, topic: str) -> None:
        with pytest.raises(TopicsError, match=f"no topic {topic}x"):
            next(consume.read_all(broker.bootstrap, [topic, topic + "x"]))
        with KafkaAdminClient(bootstrap_servers=broker.bootstrap) as admin:
            assert topic + "x" not in admin.list_topics()
