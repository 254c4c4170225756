"""The topics: read from ``schemas/topics``, compared with a cluster, created and mended.

``plan`` says what differs, ``apply`` mends what can be mended. A partition count cannot: keys
would move to other partitions while their state stays behind. It is refused, with the reason.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaConnectionError, KafkaError

from streams.errors import BrokerError, SettingsError, TopicsError
from streams.kafka.connect import client_options, unreachable
from streams.kafka.places import schemas_dir

Config = Mapping[str, str]
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")
_NAME_LENGTH_MAX = 249
_PARTITIONS_MAX = 10_000
_READY_MS = 120_000
# What a worker cannot do without. Other drift (a retention somebody lengthened) only gets told.
_FATAL_SETTINGS = {"cleanup.policy", "message.timestamp.type"}


@dataclass(frozen=True)
class TopicSpec:
    """How one topic must be. ``config`` has Kafka's names and values, as text."""

    name: str
    purpose: str
    partitions: int
    replication: int
    copartitioned: bool
    config: Config = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """One difference between a spec and the cluster.

    ``create``: the topic is missing, ``wanted`` tells its shape. ``alter``: the setting can be
    mended in place. ``refuse``: it cannot (``setting`` is ``partitions`` or ``replication``), and
    ``why`` says so. ``found`` is None where there is nothing yet.
    """

    topic: str
    action: Literal["create", "alter", "refuse"]
    setting: str
    found: str | None
    wanted: str
    why: str = ""

    def __str__(self) -> str:
        if self.action == "create":
            return f"{self.topic} is missing ({self.wanted})"
        reason = f": {self.why}" if self.why else ""
        return f"{self.topic} has {self.setting} {self.found}, needs {self.wanted}{reason}"


class _TopicFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One file of ``schemas/topics``; its README tells the fields."""

    name: str
    purpose: str
    config: dict[str, str | int | float]
    copartitioned: bool
    partitions: int | None = None


@dataclass(frozen=True)
class _Found:
    """One topic as the cluster has it."""

    partitions: int
    replication: int
    config: Config


def load(
    prefix: str = "cc",
    app: str = "contact-streams",
    partitions: int = 4,
    replication: int = 1,
    kpis: Sequence[str] = (),
    sources: Sequence[str] = ("asterisk-queue-log",),
    folder: Path | None = None,
    *,
    events: str = "",
    results: str = "",
) -> list[TopicSpec]:
    """The topics of a deployment, sorted by name.

    ``kpis`` are the topics of the KPI families with their versions (``kpi.service-level.v1``);
    there is one raw topic per source (``_`` in these becomes ``-``).  ``events`` and ``results``
    are prefixes of their own for these (``kafka.computation``).
    Raises SettingsError, with every problem, if a name, a count or a file is not possible.
    """
    folder = folder or schemas_dir() / "topics"
    problems = _count_problems(partitions, replication)
    words: dict[str, Sequence[str]] = {
        "prefix": [prefix],
        "events": [events or prefix],
        "results": [results or prefix],
        "app": [app],
        "kpi": kpis,
        "source": [source.replace("_", "-") for source in sources],
    }
    specs: list[TopicSpec] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            file = msgspec.yaml.decode(path.read_bytes(), type=_TopicFile)
        except msgspec.MsgspecError as error:
            problems.append(f"{path}: {error}")
        else:
            specs += _specs(file, words, partitions, replication)
    problems += [problem for spec in specs for problem in _spec_problems(spec)]
    if problems:
        raise SettingsError(problems)
    return sorted(specs, key=lambda spec: spec.name)


def plan(
    bootstrap: str, specs: Sequence[TopicSpec], client: Mapping[str, Any] | None = None
) -> list[Change]:
    """What differs, in the specs' order; empty when the cluster is as it should be.

    Only what a spec names is compared. ``client`` has further options of kafka-python's clients
    (TLS, SASL). Raises BrokerError when the cluster cannot be reached.
    """
    with _admin(bootstrap, client) as admin:
        return _plan(admin, specs)


def check(
    bootstrap: str, specs: Sequence[TopicSpec], client: Mapping[str, Any] | None = None
) -> list[Change]:
    """The drift: whatever ``plan`` would mend or refuse. A command exits non-zero on any."""
    return plan(bootstrap, specs, client)


def apply(
    bootstrap: str,
    specs: Sequence[TopicSpec],
    client: Mapping[str, Any] | None = None,
    done: Callable[[Change], None] = lambda change: None,
) -> list[Change]:
    """Creates what is missing and mends what differs; the changes made, each told to ``done``.

    Returns when every topic has its leaders. Raises TopicsError before any change when something
    is refused (a partition count), and when the cluster does not accept one.
    """
    with _admin(bootstrap, client) as admin:
        changes = _plan(admin, specs)
        _refuse([change for change in changes if change.action == "refuse"])
        by_name = {spec.name: spec for spec in specs}
        for change in changes:
            _make(admin, change, by_name[change.topic])
            done(change)
        created = [change.topic for change in changes if change.action == "create"]
        admin.wait_for_topics(created, timeout_ms=_READY_MS)
    return changes


def names(bootstrap: str, client: Mapping[str, Any] | None = None) -> list[str]:
    """Of every topic in the cluster."""
    with _admin(bootstrap, client) as admin:
        return list(admin.list_topics())


def remove(
    bootstrap: str, specs: Sequence[TopicSpec], client: Mapping[str, Any] | None = None
) -> list[str]:
    """Deletes the topics with all that is in them; the names of those that existed.

    For deployments made for one run only. Raises TopicsError when the cluster refuses.
    """
    with _admin(bootstrap, client) as admin:
        existing = set(admin.list_topics())
        names = [spec.name for spec in specs if spec.name in existing]
        if names:
            admin.delete_topics(names)
    return names


def verify_for_worker(
    bootstrap: str, specs: Sequence[TopicSpec], client: Mapping[str, Any] | None = None
) -> list[Change]:
    """The drift a worker can live with, to be logged.

    Raises TopicsError, naming each topic, when one is missing or has another partition count,
    cleanup policy or timestamp type: results would be wrong, or lost.
    """
    changes = plan(bootstrap, specs, client)
    _refuse([change for change in changes if change.setting == "partitions"])
    fatal = [change for change in changes if stops_a_worker(change)]
    if fatal:
        raise TopicsError(
            f"the topics are not ready for a worker: {_counted(fatal)}",
            "\n".join(f"- {change}" for change in fatal),
            "contact-streams topics apply",
        )
    return changes


def stops_a_worker(change: Change) -> bool:
    """Whether results would be wrong, or lost, with this difference."""
    return change.action == "create" or change.setting in {"partitions", *_FATAL_SETTINGS}


def ids(
    bootstrap: str, names: Sequence[str], client: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Topic -> the id the cluster gave it when it was made: another one after deletion.  Topics
    that do not exist are left out.  BrokerError when the cluster cannot be reached."""
    with _admin(bootstrap, client) as admin:
        found = admin.describe_topics(list(names))
    return {t["name"]: str(t["topic_id"]) for t in found if not t["error_code"]}


def _counted(changes: Sequence[Change]) -> str:
    return "1 problem" if len(changes) == 1 else f"{len(changes)} problems"


def _refuse(changes: Sequence[Change]) -> None:
    if changes:
        raise TopicsError(
            f"the topics cannot be changed in place: {_counted(changes)}",
            "\n".join(f"- {change}" for change in changes),
            "set the count the topics have, or take a new topic prefix and application id; "
            "then contact-streams topics apply",
        )


def _count_problems(partitions: int, replication: int) -> list[str]:
    problems = []
    if not 1 <= partitions <= _PARTITIONS_MAX:
        problems.append(f"the partition count must be 1 to {_PARTITIONS_MAX}, not {partitions}")
    if replication < 1:
        problems.append(f"the replication factor must be at least 1, not {replication}")
    return problems


def _spec_problems(spec: TopicSpec) -> Iterator[str]:
    if not _NAME.fullmatch(spec.name) or len(spec.name) > _NAME_LENGTH_MAX:
        yield (
            f"{spec.name!r} cannot be a topic: lower-case letters, digits, dots and hyphens, "
            f"at most {_NAME_LENGTH_MAX}"
        )


def _specs(
    file: _TopicFile, words: Mapping[str, Sequence[str]], partitions: int, replication: int
) -> Iterator[TopicSpec]:
    for name in _expand(file.name, words):
        yield TopicSpec(
            name,
            file.purpose,
            file.partitions or partitions,
            replication,
            file.copartitioned,
            {
                **{key: str(value) for key, value in file.config.items()},
                # Acknowledged must mean: survives the loss of a broker, where there are several.
                "min.insync.replicas": str(max(1, replication - 1)),
            },
        )


def _expand(name: str, words: Mapping[str, Sequence[str]]) -> list[str]:
    """The name once for every value of each word it holds."""
    names = [name]
    for word, values in words.items():
        if "{" + word + "}" in name:
            names = [one.replace("{" + word + "}", value) for one in names for value in values]
    return names


@contextmanager
def _admin(bootstrap: str, client: Mapping[str, Any] | None) -> Iterator[KafkaAdminClient]:
    with unreachable(bootstrap):
        admin = KafkaAdminClient(**client_options(bootstrap, client))
    try:
        yield admin
    except KafkaConnectionError as error:
        raise BrokerError(
            f"Kafka at {bootstrap} stopped answering", str(error), "run the command again"
        ) from error
    except KafkaError as error:
        raise TopicsError("the cluster refused a request about topics", str(error)) from error
    finally:
        admin.close()


def _plan(admin: KafkaAdminClient, specs: Sequence[TopicSpec]) -> list[Change]:
    found = _found(admin, specs)
    return [change for spec in specs for change in _differences(spec, found.get(spec.name))]


def _found(admin: KafkaAdminClient, specs: Sequence[TopicSpec]) -> dict[str, _Found]:
    wanted = {spec.name: spec for spec in specs}
    # All topics, then ours: asking for a missing one by name creates it on some clusters.
    topics = [topic for topic in admin.describe_topics() if topic["name"] in wanted]
    configs = _configs(admin, [wanted[topic["name"]] for topic in topics])
    return {
        topic["name"]: _Found(
            len(topic["partitions"]),
            min((len(one["replica_nodes"]) for one in topic["partitions"]), default=0),
            configs[topic["name"]],
        )
        for topic in topics
    }


def _configs(admin: KafkaAdminClient, specs: Sequence[TopicSpec]) -> dict[str, Config]:
    if not specs:
        return {}
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, spec.name, list(spec.config)) for spec in specs
    ]
    topics = admin.describe_configs(resources, config_filter="all")["topic"]
    return {
        name: {key: entry["value"] for key, entry in config.items()}
        for name, config in topics.items()
    }


def _differences(spec: TopicSpec, found: _Found | None) -> Iterator[Change]:
    if found is None:
        shape = f"{spec.partitions} partitions, replication {spec.replication}"
        yield Change(spec.name, "create", "", None, shape)
        return
    if found.partitions != spec.partitions:
        yield _refused(
            spec,
            ("partitions", found.partitions, spec.partitions),
            "changing the count is a migration, as keys would leave their state behind",
        )
    # More replicas than asked for do no harm.
    if found.replication < spec.replication:
        yield _refused(
            spec,
            ("replication", found.replication, spec.replication),
            "more replicas are assigned with the cluster's own tools",
        )
    for key, wanted in spec.config.items():
        if not _same(found.config.get(key), wanted):
            yield Change(spec.name, "alter", key, found.config.get(key), wanted)


def _refused(spec: TopicSpec, difference: tuple[str, int, int], why: str) -> Change:
    setting, found, wanted = difference
    return Change(spec.name, "refuse", setting, str(found), str(wanted), why)


def _same(found: str | None, wanted: str) -> bool:
    """Whether two values mean the same: lists in any order, numbers however written."""
    if found is None:
        return False
    if set(found.split(",")) == set(wanted.split(",")):
        return True
    try:
        return float(found) == float(wanted)
    except ValueError:
        return False


def _make(admin: KafkaAdminClient, change: Change, spec: TopicSpec) -> None:
    if change.action == "create":
        admin.create_topics({spec.name: _creation(spec)})
        return
    resource = ConfigResource(ConfigResourceType.TOPIC, spec.name, {change.setting: change.wanted})
    answer = admin.alter_configs([resource], incremental=True)["topic"][spec.name]
    if answer != "OK":
        raise TopicsError(f"cannot set {change.setting} of {spec.name}", str(answer))


def _creation(spec: TopicSpec) -> dict[str, Any]:
    return {
        "num_partitions": spec.partitions,
        "replication_factor": spec.replication,
        "configs": dict(spec.config),
    }
