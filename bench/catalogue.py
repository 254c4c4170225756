"""Which engines there are: how each is started, how many events it gets, what it promises.

The number of events is chosen so that a run takes some twenty seconds; it changes how long a rate
is looked at, not the rate.  JVMs get half of theirs to warm up, everyone else a tenth.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench import peers
from bench.engines.contract import CONTACTS, ROLLING, TUMBLING
from streams.errors import StreamsError

PIPELINE = 3
JOBS = {
    TUMBLING: "tumbling count and sum per queue and minute",
    CONTACTS: "contact state, and count and sum per queue and minute, both with changelogs",
    PIPELINE: "the full pipeline with all KPIs",
    ROLLING: "rolling hour by minute, count and sum per queue",
}
MOST, MANY, SOME, FEW, LEAST = 3_000_000, 1_000_000, 300_000, 20_000, 2_000
QUICK_MOST, LEAST_EVENTS = 60_000, 1_000
WARM_UP_RATIO, WARM_UP_JVM_RATIO = 0.1, 0.5
Command = Callable[[int], Sequence[str]]
"""Job -> what to run, without the arguments that all engines get."""
Prepare = Callable[[Callable[[str], None]], None]
"""Makes what the engine needs, telling what takes long; StreamsError if that cannot be had."""


def _nothing(say: Callable[[str], None]) -> None: ...


@dataclass(frozen=True)
class Engine:
    """One row of the tables.  ``events`` by job; a job that is missing is not done by it."""

    name: str
    title: str
    durability: str
    settings: str
    events: Mapping[int, int]
    command: Command
    prepare: Prepare = _nothing
    warm_up_ratio: float = WARM_UP_RATIO
    pinned: bool = True
    default_jobs: frozenset[int] = frozenset(JOBS)
    """Those done when nobody names the engine."""


def _project(module: str, *options: str) -> Command:
    return lambda job: [sys.executable, "-m", module, *options]


def _peer(module: str, *options: str) -> Command:
    return lambda job: [str(peers.PYTHON), "-m", module, *options]


def _jvm(variant: str) -> Command:
    def command(job: int) -> Sequence[str]:
        found: list[str] = importlib.import_module("bench.kafka_streams").command(job, variant)
        return found

    return command


def _prepare_jvm(say: Callable[[str], None]) -> None:
    try:
        java = importlib.import_module("bench.kafka_streams")
    except ImportError as error:
        raise StreamsError("Kafka Streams cannot be measured", str(error)) from error
    say("seeing that the Kafka Streams program is built (a minute, once)")
    java.prepare()


OURS = Engine(
    "ours",
    "contact-streams",
    "changelogs in transactions, fenced; exact after any crash",
    "as it comes: segments of 16,384 offsets, results five times a second",
    {TUMBLING: MOST, CONTACTS: MOST, PIPELINE: 600_000, ROLLING: MOST},
    _project("bench.engines.ours"),
)
CEILING = Engine(
    "ceiling",
    "ceiling (fetch, decode, dict)",
    "none: nothing is kept, committed or written",
    "confluent-kafka in batches of 10,000, msgspec",
    {TUMBLING: MOST, CONTACTS: MOST},
    _peer("bench.engines.ceiling"),
    peers.prepare,
)
FAUST = Engine(
    "faust",
    "Faust as documented",
    "changelogs, at least once",
    "defaults, memory store; count and sum in one value",
    {TUMBLING: 3 * FEW, CONTACTS: 2 * FEW, ROLLING: LEAST},
    _project("bench.engines.faust_documented"),
)
QUIX = Engine(
    "quix",
    "Quix Streams",
    "changelogs, RocksDB, at least once",
    "commits every 5 s (default), linger 100 ms, no repartition topic",
    {TUMBLING: SOME, CONTACTS: SOME, ROLLING: FEW},
    _peer("bench.engines.quix"),
    peers.prepare,
)
BYTEWAX = Engine(
    "bytewax",
    "bytewax, no recovery",
    "none: state in memory, nothing committed",
    "batches of 10,000, windows not ordered",
    {TUMBLING: MANY, CONTACTS: MANY, ROLLING: SOME},
    _peer("bench.engines.bytewax_flow"),
    peers.prepare_bytewax,
)
BYTEWAX_RECOVERY = Engine(
    "bytewax-recovery",
    "bytewax with recovery",
    "snapshots in local SQLite every 10 s; no changelog",
    "batches of 10,000, windows not ordered",
    {TUMBLING: MANY, CONTACTS: MANY, ROLLING: SOME},
    _peer("bench.engines.bytewax_flow", "--option", "recovery=1"),
    peers.prepare_bytewax,
    default_jobs=frozenset({CONTACTS}),
)


def _kafka_streams(
    variant: str, title: str, durability: str, settings: str, jobs: set[int], pinned: bool = True
) -> Engine:
    return Engine(
        variant if pinned else f"{variant}-unpinned",
        f"Kafka Streams, {title}",
        durability,
        f"one stream thread; {settings}",
        {TUMBLING: MOST, CONTACTS: MOST, ROLLING: SOME},
        _jvm(variant),
        _prepare_jvm,
        WARM_UP_JVM_RATIO,
        pinned,
        frozenset(jobs),
    )


ONCE, EXACTLY = "changelogs, at least once", "changelogs, exactly once v2"
TUNED = "kstreams-memory-tuned"
ENGINES = (
    CEILING,
    OURS,
    _kafka_streams("kstreams-memory", "in memory", ONCE, "defaults", {1, 2, 4}),
    _kafka_streams(
        TUNED,
        "in memory, tuned",
        ONCE,
        "256 MB cache, 256 KB batches, larger fetches, ParallelGC",
        {1, 2, 4},
    ),
    _kafka_streams(
        TUNED, "in memory, tuned, all cores", ONCE, "as tuned, not pinned", set(), pinned=False
    ),
    _kafka_streams("kstreams-rocksdb", "RocksDB", ONCE, "defaults", {2}),
    _kafka_streams("kstreams-eos", "in memory, exactly once", EXACTLY, "defaults", {2}),
    BYTEWAX,
    BYTEWAX_RECOVERY,
    QUIX,
    FAUST,
)
BY_NAME = {engine.name: engine for engine in ENGINES}


def events_of(engine: Engine, job: int, most: int | None) -> int:
    """How many events a run has: the engine's own number, or in proportion if ``most`` says how
    many the fastest gets; down to a thousand."""
    own = engine.events[job]
    return own if most is None else max(LEAST_EVENTS, own * most // MOST)
