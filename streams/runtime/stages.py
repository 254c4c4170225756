"""Which stages there are, what each reads and how one of it is made.  A new platform adds an ingest
stage by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from streams.core.posting import generate_post
from streams.core.target import Target as KpiTarget
from streams.core.terms import Terms
from streams.kafka.partition import partition_of
from streams.kpis import ALL_KPIS, ALL_MEASURES, FAMILIES, topic_of
from streams.runtime.writing import Target
from streams.sources import SOURCES
from streams.stages.base import Stage
from streams.stages.board import BoardStage
from streams.stages.contacts import ContactsStage
from streams.stages.customers import CustomersStage
from streams.stages.ingest import IngestStage
from streams.stages.staff import StaffStage

MARKING_STAGES = 2
"""Contacts and staff report marks to the board; customers follow contacts and close no window."""


class Shape(NamedTuple):
    """What decides how stages are built; all of it fixed for a deployment but ``keep_ms``,
    ``skew_ms`` and ``targets``.  ``events`` and ``results`` are prefixes of these topics, empty:
    ``prefix``; ``ingest``: raw topics are read."""

    prefix: str
    app: str
    partitions: int
    segment_size: int
    skew_ms: int
    keep_ms: int
    terms: Terms
    pseudonym: Callable[[str, str], str | None]
    targets: Sequence[KpiTarget] = ()
    events: str = ""
    results: str = ""
    ingest: bool = True


class StageSpec(NamedTuple):
    """One stage: the topic it reads, its changelog (None: it keeps nothing) and its factory by
    partition."""

    name: str
    topic: str
    changelog: str | None
    make: Callable[[int], Stage]


def targets(shape: Shape) -> dict[str, Target]:
    """Logical stream -> topic."""
    events, results = shape.events or shape.prefix, shape.results or shape.prefix
    fixed = {
        "contact-events": Target(f"{events}.events.contact.v1", shape.partitions),
        "agent-events": Target(f"{events}.events.agent.v1", shape.partitions),
        "records": Target(f"{results}.records.contact.v1", shape.partitions),
        "partials": Target(f"{results}.partials.v1", shape.partitions),
        "dlq": Target(f"{results}.dlq.events.v1", 1),
        "breaches": Target(f"{results}.breaches.v1", shape.partitions),
    }
    return fixed | {f"kpi.{family}": kpi_target(shape, family) for family in FAMILIES}


def kpi_target(shape: Shape, family: str) -> Target:
    """The topic of a family's results; it carries the family's version."""
    return Target(f"{shape.results or shape.prefix}.{topic_of(family)}", shape.partitions)


def stage_specs(shape: Shape) -> list[StageSpec]:
    """All stages, in the order a record goes through them."""
    return [*(_ingest(shape) if shape.ingest else ()), *_keyed(shape), _board(shape)]


def _ingest(shape: Shape) -> list[StageSpec]:
    def make(name: str) -> Callable[[int], Stage]:
        return lambda partition: IngestStage(
            partition,
            source=SOURCES[name],
            pseudonym=shape.pseudonym,
            partitions=shape.partitions,
            partition_of=partition_of,
        )

    return [
        StageSpec("ingest", raw_topic(shape.prefix, name), None, make(name)) for name in SOURCES
    ]


def raw_topic(prefix: str, source: str) -> str:
    return f"{prefix}.raw.{SOURCES[source].topic}.v1"


def _keyed(shape: Shape) -> list[StageSpec]:
    post = generate_post(ALL_MEASURES, shape.terms)
    topics: Mapping[str, Target] = targets(shape)

    def spec(name: str, stream: str, stage: Callable[..., Stage]) -> StageSpec:
        def make(partition: int) -> Stage:
            made: Stage = stage(
                partition,
                terms=shape.terms,
                post=post,
                segment_size=shape.segment_size,
                board_partitions=shape.partitions,
                skew_ms=shape.skew_ms,
            )
            return made

        return StageSpec(name, topics[stream].topic, f"{shape.app}-{name}-changelog", make)

    return [
        spec("contacts", "contact-events", ContactsStage),
        spec("staff", "agent-events", StaffStage),
        spec("customers", "records", CustomersStage),
    ]


def _board(shape: Shape) -> StageSpec:
    def make(partition: int) -> Stage:
        return BoardStage(
            partition,
            terms=shape.terms,
            kpis=ALL_KPIS,
            origins=MARKING_STAGES * shape.partitions,
            keep_ms=shape.keep_ms,
            targets=shape.targets,
        )

    return StageSpec(
        "board", targets(shape)["partials"].topic, f"{shape.app}-board-changelog", make
    )
