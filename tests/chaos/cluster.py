"""The place of a run: brokers that each worker reaches through a door of its own, and topics whose
cleaner never rests."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from streams.deployment import Deployment
from streams.kafka import topics
from streams.kafka.connect import client_options
from streams.kafka.embedded import EmbeddedCluster
from streams.kafka.node import HOST, Node, free_ports, write_properties
from streams.worker_process import Flags, settings_of
from tests.brokers import QUICK
from tests.chaos.proxy import Network

PLACE = "chaos"
START_SECONDS = 120.0
"""A broker starts in 3 s; but here it starts beside everything else."""
CLEANING = {
    # Twice a second instead of every 15 s, and what was written a second ago is not too young.
    "log.cleaner.backoff.ms": "500",
    "log.cleaner.threads": "1",
    # A listener for each worker is enough without three threads for each of them.
    "num.network.threads": "1",
}
CHANGELOG = {
    # The newest segment is never compacted: so there is a new one every two seconds.
    "segment.ms": "2000",
    "min.cleanable.dirty.ratio": "0.01",
    "max.compaction.lag.ms": "1000",
    "min.compaction.lag.ms": "0",
}
COORDINATORS = {"group": "__consumer_offsets", "transactions": "__transaction_state"}


class ProxiedCluster(EmbeddedCluster):
    """An embedded cluster with one listener for each of ``workers``, advertised as a door of
    ``network``.  What is not a worker uses ``bootstrap``, which goes straight to the brokers."""

    def __init__(
        self, brokers: int, workers: int, network: Network, data_dir: Path | None = None
    ) -> None:
        super().__init__(
            brokers,
            data_dir,
            settings=CLEANING,
            jvm_options=QUICK,
            start_seconds=START_SECONDS,
        )
        self._workers = range(workers)
        self._network = network
        self._doors: dict[tuple[int, int], int] = {}
        self._listeners: dict[int, Mapping[str, str]] = {}

    @property
    def brokers(self) -> tuple[int, ...]:
        """The numbers of all brokers, also of those that are down."""
        return tuple(self.folders)

    def bootstrap_of(self, worker: int) -> str:
        """Where this worker finds the brokers."""
        doors = [door for (_, slot), door in sorted(self._doors.items()) if slot == worker]
        return ",".join(f"{HOST}:{door}" for door in doors)

    def revive(self) -> None:
        """Start every broker that is down."""
        for broker in set(self.brokers) - set(self.pids):
            self.restart(broker)

    def _spawn(self, node: Node) -> None:
        # A broker's listeners are its own, while the settings of a cluster are those of all.
        if node.number not in self._listeners:
            self._listeners[node.number] = self._open_doors(node)
        write_properties(node, self._nodes, CLEANING | dict(self._listeners[node.number]))
        super()._spawn(node)

    def _open_doors(self, node: Node) -> Mapping[str, str]:
        ports = dict(zip(self._workers, free_ports(len(self._workers)), strict=True))
        for worker, port in ports.items():
            self._doors[node.number, worker] = self._network.door(worker, port)
        doors = {worker: self._doors[node.number, worker] for worker in self._workers}
        return listeners(node, ports, doors)


def listeners(node: Node, ports: Mapping[int, int], doors: Mapping[int, int]) -> dict[str, str]:
    """The settings of a broker that listens on ``ports`` and says it listens on ``doors``."""
    own = f"PLAINTEXT://{node.address}"
    control = f"CONTROLLER://{HOST}:{node.controller_port}"
    listening = [f"WORKER{worker}://{HOST}:{port}" for worker, port in ports.items()]
    told = [f"WORKER{worker}://{HOST}:{port}" for worker, port in doors.items()]
    names = ["PLAINTEXT", "CONTROLLER", *(f"WORKER{worker}" for worker in ports)]
    return {
        "listeners": ",".join([own, control, *listening]),
        "advertised.listeners": ",".join([own, *told]),
        "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in names),
    }


def flags_of(bootstrap: str, name: str = PLACE) -> Flags:
    """Settings of a worker in these runs: everything small, so that much happens in little time."""
    return {
        "kafka.bootstrap": bootstrap,
        "kafka.prefix": name,
        "kafka.app_id": name,
        "kafka.instance_id": "",
        "kafka.session_ms": 3_000,
        "processing.segment_size": 256,
        "processing.publish_ms": 50,
        "metrics.host": HOST,
        "metrics.port": 0,
    }


def deploy(flags: Flags) -> Deployment:
    """The deployment with all its topics, its changelogs under a cleaner that never rests."""
    deployment = Deployment.of(settings_of(flags, True))
    topics.apply(deployment.bootstrap, [_restless(spec) for spec in deployment.specs()])
    return deployment


def _restless(spec: topics.TopicSpec) -> topics.TopicSpec:
    if spec.config.get("cleanup.policy") != "compact" or "changelog" not in spec.name:
        return spec
    return dataclasses.replace(spec, config={**spec.config, **CHANGELOG})


def admin_of(bootstrap: str) -> KafkaAdminClient:
    """A client for what only an operator does; close it."""
    return KafkaAdminClient(**client_options(bootstrap, None))


def leaders(admin: KafkaAdminClient, topic: str) -> dict[int, tuple[int, list[int]]]:
    """Partition -> (leading broker, all replicas, the preferred leader first)."""
    (found,) = admin.describe_topics([topic])
    return {
        one["partition_index"]: (one["leader_id"], list(one["replica_nodes"]))
        for one in found["partitions"]
    }


def turn(admin: KafkaAdminClient, places: Mapping[TopicPartition, list[int]], by: int) -> None:
    """Make other replicas the leaders: the lists turned round, and the first ones elected."""
    turned = {at: replicas[by:] + replicas[:by] for at, replicas in places.items()}
    admin.alter_partition_reassignments(turned)
    by_topic: dict[str, list[int]] = {}
    for at in turned:
        by_topic.setdefault(at.topic, []).append(at.partition)
    admin.elect_leaders(0, by_topic, raise_errors=False)


def coordinator_partition(name: str, partitions: int) -> int:
    """The partition of a coordinators' topic that a group or a transactional id belongs to: Java's
    hash of its name, of which Kafka takes the lower 31 bits.

    >>> coordinator_partition("chaos", 4)
    0
    """
    code = 0
    for letter in name:
        code = (31 * code + ord(letter)) & 0xFFFF_FFFF
    return (code & 0x7FFF_FFFF) % partitions
