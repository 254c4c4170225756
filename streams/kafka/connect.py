"""Connecting with kafka-python, and saying what to do when nobody answers."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kafka.errors import KafkaError

from streams.errors import BrokerError

_BOOTSTRAP_MS = 10_000


def client_options(bootstrap: str, client: Mapping[str, Any] | None) -> dict[str, Any]:
    """Options for any of kafka-python's clients; ``client`` comes last and wins."""
    return {
        "bootstrap_servers": bootstrap.split(","),
        "client_id": "contact-streams",
        "bootstrap_timeout_ms": _BOOTSTRAP_MS,
        **(client or {}),
    }


@contextmanager
def unreachable(bootstrap: str) -> Iterator[None]:
    """Around the making of a client: its failure becomes a BrokerError that says what to do."""
    try:
        with quiet_client():
            yield
    except KafkaError as error:
        raise BrokerError(
            f"cannot reach Kafka at {bootstrap}",
            str(error),
            "contact-streams broker start, or set the address of your cluster",
        ) from error


@contextmanager
def quiet_client() -> Iterator[None]:
    """Keeps the client from warning of each failed attempt: the outcome is told once, by us."""
    logger = logging.getLogger("kafka")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
