"""One broker of the embedded Kafka on disk: its ports, its properties, its formatted storage.

A broker runs in KRaft combined mode (broker and controller in one process). Formatting its
storage takes no JVM: ``meta.properties`` is four lines of text, and the other file,
``bootstrap.checkpoint`` (the feature levels a new cluster starts with), is the same for every
cluster of one Kafka version; ``jvm.py`` has it made once.
"""

import base64
import random
import shutil
import socket
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from streams.errors import BrokerError

HOST = "127.0.0.1"
# Below the range any system takes for outgoing connections. A port from that range may be
# taken while its broker is down, even by a client that tries to reach the broker again.
_PORTS = range(20_000, 32_000)


@dataclass(frozen=True)
class Node:
    """One broker: its number (1, 2, ...), its own folder and its two ports."""

    number: int
    folder: Path
    port: int
    controller_port: int

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "broker.log"

    @property
    def properties(self) -> Path:
        return self.folder / "server.properties"

    @property
    def scratch(self) -> Path:
        return self.folder / "tmp"


def free_ports(count: int) -> list[int]:
    """Ports of this machine nobody listens on now, all different."""
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        if is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise BrokerError(
        f"cannot find {count} free ports between {_PORTS.start} and {_PORTS.stop}",
        "other programmes listen on all of them",
    )


def is_free(port: int) -> bool:
    """Whether a broker could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the JVM does; without it a port in TIME_WAIT would count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def write_folder(
    node: Node,
    cluster: Sequence[Node],
    cluster_id: str,
    checkpoint: Path,
    settings: Mapping[str, str],
) -> None:
    """Makes the node's folder ready for a start, and formats its storage if it is new."""
    node.data.mkdir(parents=True, exist_ok=True)
    node.scratch.mkdir(exist_ok=True)
    if not (node.data / "meta.properties").exists():
        _format(node, cluster_id, checkpoint)
    write_properties(node, cluster, settings)


def write_properties(node: Node, cluster: Sequence[Node], settings: Mapping[str, str]) -> None:
    """Writes ``server.properties``; ``settings`` are added to ours and win."""
    values = {**_identity(node, cluster), **_manners(len(cluster)), **settings}
    lines = [f"{key}={_escaped(value)}\n" for key, value in values.items()]
    node.properties.write_text("".join(lines), "ascii")


def cluster_id_of(node: Node) -> str:
    """The cluster the node's storage was formatted for; a new random id if it never was."""
    try:
        lines = (node.data / "meta.properties").read_text("ascii").splitlines()
    except FileNotFoundError:
        return random_id()
    return dict(line.split("=", 1) for line in lines if "=" in line)["cluster.id"]


def random_id() -> str:
    """A Kafka Uuid: 22 characters of URL-safe base64, not beginning with a dash."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def _format(node: Node, cluster_id: str, checkpoint: Path) -> None:
    shutil.copyfile(checkpoint, node.data / "bootstrap.checkpoint")
    meta = {
        "version": "1",
        "cluster.id": cluster_id,
        "node.id": str(node.number),
        "directory.id": random_id(),
    }
    # Last, as its presence says that the storage is formatted.
    text = "".join(f"{key}={value}\n" for key, value in meta.items())
    (node.data / "meta.properties").write_text(text, "ascii")


def _identity(node: Node, cluster: Sequence[Node]) -> dict[str, str]:
    """Who the broker is, where it listens and whom it votes with."""
    voters = [f"{one.number}@{HOST}:{one.controller_port}" for one in cluster]
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.number),
        "controller.quorum.voters": ",".join(voters),
        "listeners": f"PLAINTEXT://{node.address},CONTROLLER://{HOST}:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{node.address}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(node.data),
    }


def _manners(brokers: int) -> dict[str, str]:
    """How it behaves: small, quick, and as safe as the number of brokers allows."""
    replicas, in_sync = str(brokers), str(brokers // 2 + 1)
    return {
        "auto.create.topics.enable": "false",
        "num.partitions": "4",
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": "1",
        # Group members arrive one by one on a developer's machine; waiting for more costs 3 s.
        "group.initial.rebalance.delay.ms": "0",
        # Lets a test detect a dead worker sooner than the 6 s a broker allows by default.
        "group.min.session.timeout.ms": "1000",
        # A killed broker may register again only when its old session is over: 9 s by default.
        "broker.session.timeout.ms": "4000",
        "broker.heartbeat.interval.ms": "1000",
        # 128 MiB each by default, which is a quarter of the heap.
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
        "log.segment.bytes": str(128 * 1024 * 1024),
        # Indexes are made at full size, two per partition: 20 MiB by default, if mostly holes.
        "log.index.size.max.bytes": str(1024 * 1024),
    }


def _escaped(value: str) -> str:
    """A value as Java reads a properties file: ASCII, with \\uXXXX for the rest."""
    encoded = value.encode("utf-16-be")
    codes = [int.from_bytes(encoded[at : at + 2]) for at in range(0, len(encoded), 2)]
    return "".join(
        chr(code) if 0x20 <= code < 0x7F and code != ord("\\") else f"\\u{code:04x}"
        for code in codes
    )
