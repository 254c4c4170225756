"""The topics of the benchmark: those of the events stay, what a run made is deleted after it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from bench.load import PARTITIONS
from streams.kafka.topics import TopicSpec, apply

GONE_SECONDS = 20.0


def source(events: int) -> str:
    """The topic of so many events."""
    return f"bench-events-{events}"


def create(bootstrap: str, names: list[str]) -> None:
    """Topics whose timestamps are the producers'."""
    specs = [TopicSpec(name, "bench", PARTITIONS, 1, copartitioned=True) for name in names]
    apply(bootstrap, specs)


@contextmanager
def leaving_nothing(bootstrap: str, group: str) -> Iterator[None]:
    """Deletes afterwards every topic that was made inside, and the group."""
    with _admin(bootstrap) as admin:
        before = set(admin.list_topics())
        try:
            yield
        finally:
            made = [n for n in admin.list_topics() if n not in before and not n.startswith("__")]
            if made:
                admin.delete_topics(made)
            # bytewax and the ceiling join no group.
            with suppress(KafkaError):
                admin.delete_groups([group])
            _wait_until_gone(admin, set(made))


@contextmanager
def _admin(bootstrap: str) -> Iterator[Any]:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap.split(","))
    try:
        yield admin
    finally:
        admin.close()


def _wait_until_gone(admin: Any, names: set[str]) -> None:
    deadline = time.monotonic() + GONE_SECONDS
    while names & set(admin.list_topics()) and time.monotonic() < deadline:
        time.sleep(0.1)
