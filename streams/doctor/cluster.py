"""Looking at a cluster: questions to the brokers, none of which changes anything."""

from __future__ import annotations

import socket
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.errors import GroupIdNotFoundError

from streams.doctor.observed import (
    Answer,
    At,
    Broker,
    Clock,
    Cluster,
    Commit,
    Group,
    Member,
    Partition,
    Topic,
)  # fmt: skip

OFFSETS_TOPIC = "__consumer_offsets"
INTERNAL = (OFFSETS_TOPIC, "__transaction_state")
TRANSACTION_REQUEST = 22
"""InitProducerId; a cluster that does not know it has no transactions."""
COMMITTED_ONLY = 1
CLOCK_POLL_SECONDS = 0.04
CLOCK_PARTITIONS_MAX = 4
"""Of each broker: one that nobody writes to must not hide its clock."""
RECORD_BYTES = 64 * 1024


def answers(addresses: Iterable[str], seconds: float) -> list[Answer]:
    """Who takes a connection, asked all at once."""
    every = list(addresses)
    with ThreadPoolExecutor(max(1, min(16, len(every)))) as pool:
        return list(pool.map(lambda address: _answer(address, seconds), every))


def _answer(address: str, seconds: float) -> Answer:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=seconds).close()
    except OSError as error:
        return Answer(
            address,
            "no answer in time"
            if isinstance(error, TimeoutError)
            else error.strerror or str(error),
        )
    return Answer(address)


def cluster(admin: KafkaAdminClient, seconds: float) -> Cluster:
    """The brokers and what they can do."""
    found = admin.describe_cluster()
    addresses = [f"{broker['host']}:{broker['port']}" for broker in found["brokers"]]
    asked = answers(addresses, seconds)
    known = {int(key) for key in admin.api_versions()}
    first = found["brokers"][0]["broker_id"]
    return Cluster(
        [
            Broker(broker["broker_id"], answer, bool(broker.get("is_fenced")))
            for broker, answer in zip(found["brokers"], asked, strict=True)
        ],
        tuple(admin.get_broker_version_data(first).broker_version),
        "metadata.version" in _finalized(admin),
        TRANSACTION_REQUEST in known,
        frozenset(found.get("authorized_operations") or ()),
    )


def _finalized(admin: KafkaAdminClient) -> set[str]:
    return {name for name, one in admin.describe_features().items() if "finalized" in one}


def topics(admin: KafkaAdminClient, names: Collection[str]) -> list[Topic]:
    """Those of these names that exist, and Kafka's own."""
    wanted = {*names, *INTERNAL}
    # All topics, then ours: asking for a missing one by name creates it on some clusters.
    found = [topic for topic in admin.describe_topics() if topic["name"] in wanted]
    return [
        Topic(
            topic["name"],
            str(topic.get("topic_id", "")),
            {one["partition_index"]: _partition(one) for one in topic["partitions"]},
            frozenset(topic.get("authorized_operations") or ()),
            topic["name"] in INTERNAL,
        )
        for topic in found
    ]


def _partition(one: Mapping[str, Any]) -> Partition:
    offline = one.get("offline_replicas") or ()
    return Partition(one["leader_id"], one["replica_nodes"], one["isr_nodes"], offline)


def offsets(
    admin: KafkaAdminClient, where: Iterable[At], spec: OffsetSpec, isolation: int = 0
) -> dict[At, int]:
    """The first or the next offset of each."""
    wanted = {TopicPartition(*at): spec for at in where}
    found = admin.list_partition_offsets(wanted, isolation_level=isolation) if wanted else {}
    return {(at.topic, at.partition): one.offset for at, one in found.items()}


def commits(admin: KafkaAdminClient, group: str) -> dict[At, Commit]:
    """All there are; none of a group that nobody has joined."""
    try:
        found = admin.list_group_offsets(group)[group]
    except GroupIdNotFoundError:
        return {}
    return {
        (at.topic, at.partition): Commit(one.offset, one.metadata or "")
        for at, one in found.items()
        if one.offset >= 0
    }


def group(admin: KafkaAdminClient, name: str) -> Group:
    """Its state and members; Dead if there is none."""
    try:
        found = admin.describe_groups([name])[name]
    except GroupIdNotFoundError:
        return Group(name, "Dead")
    members = [
        Member(one.get("group_instance_id") or "", _assigned(one["member_assignment"]))
        for one in found["members"]
    ]
    return Group(name, found["group_state"] or "Dead", members)


def _assigned(assignment: Any) -> frozenset[At]:
    """While a group rebalances, there is none."""
    topics = assignment.get("assigned_partitions", ()) if isinstance(assignment, dict) else ()
    return frozenset((one["topic"], number) for one in topics for number in one["partitions"])


def sizes(admin: KafkaAdminClient, names: Sequence[str]) -> dict[At, int]:
    """Bytes of the largest replica of each partition of these topics; none if not allowed."""
    found: dict[At, int] = {}
    for broker in admin.describe_log_dirs(list(names)) if names else ():
        for log_dir in broker["log_dirs"]:
            for topic in log_dir["topics"]:
                for one in topic["partitions"]:
                    at = (topic["name"], one["partition_index"])
                    found[at] = max(found.get(at, 0), one["partition_size"])
    return found


# -- times


def times(options: Mapping[str, Any], where: Mapping[At, int], seconds: float) -> dict[At, int]:
    """When the first record at or after each offset was written, in ms; what is not there, or not
    there in time, is left out.  Asks as no group, and reads one fetch of each."""
    if not where:
        return {}
    consumer = KafkaConsumer(
        enable_auto_commit=False,
        allow_auto_create_topics=False,
        isolation_level="read_uncommitted",
        max_partition_fetch_bytes=RECORD_BYTES,
        **options,
    )
    try:
        return _first_times(consumer, where, seconds)
    finally:
        consumer.close(autocommit=False)


def _first_times(consumer: KafkaConsumer, where: Mapping[At, int], seconds: float) -> dict[At, int]:
    consumer.assign([TopicPartition(*at) for at in where])
    for at, offset in where.items():
        consumer.seek(TopicPartition(*at), offset)
    found: dict[At, int] = {}
    deadline = time.monotonic() + seconds
    while len(found) < len(where) and time.monotonic() < deadline:
        for at, records in consumer.poll(timeout_ms=100, max_records=len(where)).items():
            found.setdefault((at.topic, at.partition), records[0].timestamp)
            consumer.pause(at)
    return found


def clocks(admin: KafkaAdminClient, topics: Iterable[Topic], seconds: float) -> list[Clock]:
    """How far the brokers' clocks are ahead of this machine's.

    A broker stamps what it appends.  So we ask for its latest stamp, again and again, until there
    is another one: what bears it was appended between the last asking without it and the answer
    with it.  Workers write ticks every second, so that nothing has to be written for this.
    """
    deadline = time.monotonic() + seconds
    watched = {broker: _Watched(broker, where) for broker, where in _led(topics).items()}
    while True:
        waiting = [one for one in watched.values() if not one.done]
        for one in waiting:
            one.ask(admin)
        if not waiting or time.monotonic() > deadline:
            break
        time.sleep(CLOCK_POLL_SECONDS)
    return [one.clock for one in watched.values() if one.clock is not None]


def _led(topics: Iterable[Topic]) -> dict[int, list[TopicPartition]]:
    led: dict[int, list[TopicPartition]] = {}
    for topic in topics:
        for number, one in topic.partitions.items():
            if one.leader >= 0 and len(led.setdefault(one.leader, [])) < CLOCK_PARTITIONS_MAX:
                led[one.leader].append(TopicPartition(topic.name, number))
    return led


class _Watched:
    """The latest stamps of one broker, and what they say of its clock."""

    def __init__(self, broker: int, where: Sequence[TopicPartition]) -> None:
        self.done = False
        self.clock: Clock | None = None
        self._broker = broker
        self._where = dict.fromkeys(where, OffsetSpec.MAX_TIMESTAMP)
        self._asked_ms = 0.0
        self._stamps: dict[TopicPartition, int] = {}

    def ask(self, admin: KafkaAdminClient) -> None:
        asked_ms = time.time() * 1000
        found = admin.list_partition_offsets(self._where)
        answered_ms = time.time() * 1000
        stamps = {at: one.timestamp for at, one in found.items() if one.timestamp >= 0}
        news = [stamp for at, stamp in stamps.items() if stamp > self._stamps.get(at, stamp)]
        if news:
            # The latest of several: all of them were appended since we last asked.
            self.clock = Clock(self._broker, max(news) - answered_ms, max(news) - self._asked_ms)
            self.done = True
        elif stamps:
            self.clock = Clock(self._broker, max(stamps.values()) - answered_ms)
        self._stamps, self._asked_ms = stamps, asked_ms
