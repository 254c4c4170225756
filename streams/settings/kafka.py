"""The settings of the cluster and of the names we have in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from streams.settings.options import option

_TOPIC_PART = re.compile(r"[a-z0-9]([a-z0-9.-]{0,58}[a-z0-9])?")
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/,\[\]]+):([0-9]{1,5})")


def _addresses_problem(text: str) -> str:
    for part in text.split(","):
        found = _ADDRESS.fullmatch(part.strip())
        if found is None or not 0 < int(found[2]) < 65_536:
            return "must be host:port, several separated by commas, each port 1 to 65535"
    return ""


def _topic_part_problem(text: str) -> str:
    if _TOPIC_PART.fullmatch(text):
        return ""
    return "must be 1 to 60 lower-case letters, digits, dots and hyphens: it begins topics' names"


@dataclass(frozen=True, slots=True)
class Kafka:
    """Where the cluster is, and what ours is called in it."""

    bootstrap: str = option(
        "127.0.0.1:9092",
        "Brokers to begin with: host:port, several separated by commas.",
        check=_addresses_problem,
    )
    prefix: str = option("cc", "First part of all topics' names.", check=_topic_part_problem)
    app_id: str = option(
        "contact-streams",
        "Consumer group, and first part of changelogs and transactional ids. "
        "Fixed for a deployment: another one begins from nothing.",
        check=_topic_part_problem,
    )
    computation: int = option(
        1,
        "Which computation of the results: 1 is the first, higher ones are made by "
        "contact-streams replay --recompute. It has a group, changelogs and topics of its own.",
        low=1,
        high=999,
        why="each one is a whole set of topics",
    )
    computed_from: str = option(
        "events",
        "What a computation above 1 was made from: events shares the event topics with the others, "
        "raw has event topics of its own. Fixed for a computation.",
        choices=("events", "raw"),
    )
    partitions: int = option(
        4,
        "Partitions of the event and partials topics: the most workers that can share the work. "
        "Fixed for a deployment.",
        low=1,
        high=512,
        why="each one costs a shard, a transactional producer and a changelog partition",
    )
    replication: int = option(
        1,
        "Copies of each topic; 3 in production.",
        low=1,
        high=9,
        why="there cannot be more copies than brokers",
    )
    session_ms: int = option(
        6_000,
        "A worker not heard of for this long loses its partitions.",
        low=3_000,
        high=300_000,
        why="below, a pause moves partitions about; above, a dead worker's queues stand still",
    )
    instance_id: str = option(
        "",
        "Name of this worker in the group, the same after a restart (static membership): a restart "
        "shorter than session_ms then moves nothing. Empty: none.",
    )
    security_protocol: str = option(
        "PLAINTEXT",
        "How to talk to the brokers.",
        choices=("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
    )
    sasl_mechanism: str = option(
        "SCRAM-SHA-512",
        "How to log in, if security_protocol begins with SASL.",
        choices=("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
    )
    username: str = option("", "Who logs in (SASL).")
    password: str = option("", "Password (SASL). Better in password_file.", secret=True)
    password_file: str = option("", "File with the password; a newline at its end does not count.")
    cafile: str = option("", "File with the certificates to trust (SSL). Empty: the system's.")
    certfile: str = option("", "File with the client's certificate (SSL). Empty: none is shown.")
    keyfile: str = option("", "File with the key of certfile.")

    @property
    def group(self) -> str:
        """Consumer group, and first part of changelogs: ``app_id``, with the computation."""
        return self.group_of(self.computation)

    def group_of(self, computation: int) -> str:
        """As ``group``, of any computation."""
        return self.app_id if computation == 1 else f"{self.app_id}-r{computation}"

    @property
    def results_prefix(self) -> str:
        """First part of the names of what is computed: results, partials, records, dead letters."""
        return self.prefix if self.computation == 1 else f"{self.prefix}.r{self.computation}"

    @property
    def events_prefix(self) -> str:
        """First part of the event topics' names."""
        return self.prefix if self.computed_from == "events" else self.results_prefix

    def client_options(self) -> dict[str, Any]:
        """Security as kafka-python's clients take it; nothing for a plain connection."""
        if self.security_protocol == "PLAINTEXT":
            return {}
        found = {"security_protocol": self.security_protocol}
        if self.security_protocol.startswith("SASL"):
            found["sasl_mechanism"] = self.sasl_mechanism
            found["sasl_plain_username"] = self.username
            found["sasl_plain_password"] = self.password
        files = {
            "ssl_cafile": self.cafile,
            "ssl_certfile": self.certfile,
            "ssl_keyfile": self.keyfile,
        }
        return found | {name: path for name, path in files.items() if path}
