"""What consumer groups have committed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any, Protocol

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import GroupIdNotFoundError, KafkaError, NonEmptyGroupError
from kafka.structs import OffsetAndMetadata

from streams.errors import StateError
from streams.kafka.connect import client_options, unreachable

PAUSE_SECONDS = 0.2
Commits = Mapping[TopicPartition, OffsetAndMetadata]


class Cluster(Protocol):
    """Where it is, and how to log in; the settings' ``kafka`` section is one."""

    @property
    def bootstrap(self) -> str: ...
    def client_options(self) -> dict[str, Any]: ...


def committed(cluster: Cluster, group: str) -> Commits:
    """The group's commits; none of a group that nobody has joined."""
    with _admin(cluster) as admin:
        return _committed(admin, group)


def _committed(admin: KafkaAdminClient, group: str) -> Commits:
    try:
        found = admin.list_group_offsets(group)[group]
    except KafkaError:
        # There is no such group, or its coordinator is not there yet: then nothing is committed.
        return {}
    return {at: offset for at, offset in found.items() if offset.offset >= 0}


def commit(cluster: Cluster, group: str, offsets: Commits) -> None:
    """Commit for a group that nobody is in; StateError if somebody is."""
    with _admin(cluster) as admin:
        answers = admin.alter_group_offsets(group, dict(offsets))
    refused = [f"{at.topic}[{at.partition}]" for at, error in answers.items() if error.errno]
    if refused:
        raise StateError(
            f"the group {group} does not take offsets for {', '.join(sorted(refused))}",
            "somebody is in it",
            "stop its workers, and start one first",
        )


def delete(cluster: Cluster, group: str) -> None:
    """Forget a group, if there is one; StateError if somebody is in it."""
    with _admin(cluster) as admin:
        delete_from(admin, group)


def delete_from(admin: KafkaAdminClient, group: str, seconds: float = 0) -> None:
    """As ``delete``, by a client that there is; members are waited for for so long to leave."""
    deadline = monotonic() + seconds
    while not _deleted(admin, group):
        if monotonic() >= deadline:
            raise StateError(
                f"the group {group} is at work", "somebody is in it", "stop its workers"
            )
        sleep(PAUSE_SECONDS)


def _deleted(admin: KafkaAdminClient, group: str) -> bool:
    """False if somebody is in it."""
    try:
        answers = admin.delete_groups([group])
    except GroupIdNotFoundError:
        return True
    except NonEmptyGroupError:
        return False
    return not any("NonEmpty" in str(answer) for answer in answers.values())


@contextmanager
def _admin(cluster: Cluster) -> Iterator[KafkaAdminClient]:
    with unreachable(cluster.bootstrap):
        admin = KafkaAdminClient(**client_options(cluster.bootstrap, cluster.client_options()))
    try:
        yield admin
    finally:
        admin.close()
