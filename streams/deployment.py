"""A deployment as its clients see it: where Kafka is, what topics and group are called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from streams.kpis import ALL_KPIS, FAMILIES, topic_of
from streams.sources import SOURCES

if TYPE_CHECKING:
    from streams.kafka.topics import TopicSpec
    from streams.settings import Settings

PARTIALS = "partials.v1"
DEAD_LETTERS = "dlq.events.v1"
REPLAYS = "dlq.replays.v1"


@dataclass(frozen=True)
class Deployment:
    """``client`` are options of kafka-python's clients beside the address; ``sources`` are the
    platforms that are read.  Events and results may have a prefix of their own
    (``kafka.computation``); empty: that of the others."""

    bootstrap: str
    prefix: str
    group: str
    partitions: int
    replication: int
    client: Mapping[str, Any]
    sources: Sequence[str]
    events_prefix: str = ""
    results_prefix: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Deployment:
        """The deployment that the settings describe."""
        kafka = settings.kafka
        return cls(
            kafka.bootstrap,
            kafka.prefix,
            kafka.group,
            kafka.partitions,
            kafka.replication,
            kafka.client_options(),
            settings.ingest.sources,
            kafka.events_prefix,
            kafka.results_prefix,
        )

    def topic(self, name: str) -> str:
        """``partials.v1`` under this deployment's prefix."""
        kind = name.partition(".")[0]
        own = "" if kind == "raw" else self.results_prefix
        return f"{(self.events_prefix if kind == 'events' else own) or self.prefix}.{name}"

    def raw_topic(self, source: str) -> str:
        """Where the native payloads of a platform go; KeyError if there is no such platform."""
        return self.topic(f"raw.{SOURCES[source].topic}.v1")

    @property
    def replays_topic(self) -> str:
        """Where it is noted which dead letters were sent back; all computations share it, as they
        do the raw topics."""
        return f"{self.prefix}.{REPLAYS}"

    def kpi_topics(self, kpis: Iterable[str] = ()) -> list[str]:
        """The topics that hold these KPIs, or all of them."""
        wanted = frozenset(kpis)
        families = {kpi.family for kpi in ALL_KPIS if not wanted or kpi.name in wanted}
        return sorted(self.topic(topic_of(family)) for family in families)

    def aiokafka_options(self) -> dict[str, Any]:
        """Arguments of aiokafka's clients, which want files of certificates as a context."""
        options = {
            name: value for name, value in self.client.items() if not name.startswith("ssl_")
        }
        if self.client.get("security_protocol", "").endswith("SSL"):
            from aiokafka.helpers import create_ssl_context

            names = ("cafile", "certfile", "keyfile")
            files = {name: self.client.get(f"ssl_{name}") for name in names}
            options["ssl_context"] = create_ssl_context(**files)
        return {"bootstrap_servers": self.bootstrap, **options}

    def reader_options(self) -> dict[str, Any]:
        """Options of a kafka-python consumer that reads a lot.  Its checksums are computed in
        Python, which costs more than all else together; the broker has checked them, and so does
        TCP."""
        return {"check_crcs": False, **self.client}

    def specs(self) -> list[TopicSpec]:
        """How every topic must be, by name."""
        from streams.kafka.topics import load

        return load(
            self.prefix,
            self.group,
            self.partitions,
            self.replication,
            kpis=[topic_of(family) for family in FAMILIES],
            sources=[SOURCES[name].topic for name in sorted(set(self.sources))],
            events=self.events_prefix,
            results=self.results_prefix,
        )
