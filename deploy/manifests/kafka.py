"""What Strimzi reads: every topic of the production overlay's deployment, and who may do what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from deploy.generated import FOLDER
from deploy.manifests.document import LABELS, Manifest, text
from streams.deployment import Deployment
from streams.kafka.topics import TopicSpec
from streams.settings import load

SETTINGS = FOLDER / "kubernetes" / "overlays" / "production"
"""The folder of the settings whose topics these are."""
CLUSTER = "kafka"
"""The Kafka resource they belong to; deploy/kubernetes/strimzi changes it in one place."""
API = "kafka.strimzi.io/v1"
LOOK = ("Describe", "DescribeConfigs")
"""A worker begins only when every topic is as it must be."""
READ_ONLY, WRITE_ONLY = {"raw"}, {"kpi", "breaches"}
"""Of the kinds of topics, by the word behind the prefix; workers read and write all others."""


def files() -> Iterator[tuple[str, str]]:
    """Below ``deploy/kubernetes``."""
    # The overlay's environment says where Kafka is and who logs in, nothing of topics.
    deployment = Deployment.of(load({}, folder=SETTINGS))
    specs = deployment.specs()
    yield "strimzi/topics.yaml", text(_topic(spec) for spec in specs)
    yield "strimzi/users.yaml", text([_worker(deployment, specs), _bridge(deployment)])


def _topic(spec: TopicSpec) -> Manifest:
    return {
        "apiVersion": API,
        "kind": "KafkaTopic",
        "metadata": _metadata(spec.name),
        "spec": {
            "partitions": spec.partitions,
            "replicas": spec.replication,
            "config": {key: _number(value) for key, value in spec.config.items()},
        },
    }


def _number(value: str) -> str | int | float:
    """As the operator's examples write it."""
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def _metadata(name: str) -> dict[str, Any]:
    return {"name": name, "labels": {**LABELS, "strimzi.io/cluster": CLUSTER}}


def _worker(deployment: Deployment, specs: Iterable[TopicSpec]) -> Manifest:
    """Reads and writes its topics and no others; makes none, and changes the settings of none.

    Another computation (kafka.computation) has a group and topics of its own, and so a user.
    """
    kinds = sorted({_kind(deployment, spec.name) for spec in specs})
    return _user(
        f"{deployment.group}-worker",
        [
            *(_grant("topic", kind, _operations(kind)) for kind in kinds),
            _grant("group", deployment.group, ("Describe", "Read"), "literal"),
            # One for each partition it writes from.
            _grant("transactionalId", f"{deployment.group}-", ("Describe", "Write")),
        ],
    )


def _bridge(deployment: Deployment) -> Manifest:
    """Whoever brings in what platforms report: a bridge, a gateway."""
    raw = _grant("topic", deployment.topic("raw."), ("Describe", "Write"))
    return _user(f"{deployment.group}-bridge", [raw])


def _user(name: str, acls: list[Manifest]) -> Manifest:
    return {
        "apiVersion": API,
        "kind": "KafkaUser",
        "metadata": _metadata(name),
        "spec": {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {"type": "simple", "acls": acls},
        },
    }


def _grant(
    resource: str, name: str, operations: Iterable[str], pattern: str = "prefix"
) -> Manifest:
    return {
        "resource": {"type": resource, "name": name, "patternType": pattern},
        "operations": sorted(operations),
    }


def _kind(deployment: Deployment, topic: str) -> str:
    """What the names of its kind begin with: ``cc.kpi.``, or ``contact-streams-`` for changelogs.

    >>> from streams.settings import load
    >>> _kind(Deployment.of(load({})), "cc.kpi.volume.v1")
    'cc.kpi.'
    """
    own = f"{deployment.prefix}."
    if topic.startswith(own):
        return own + topic.removeprefix(own).partition(".")[0] + "."
    return f"{deployment.group}-"


def _operations(kind: str) -> tuple[str, ...]:
    word = kind.rstrip(".").rpartition(".")[2]
    reads = () if word in WRITE_ONLY else ("Read",)
    writes = () if word in READ_ONLY else ("Write",)
    return (*LOOK, *reads, *writes)
