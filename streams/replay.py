"""Everything computed again, from the events that are still there, with today's settings.

A *computation* has a number.  The first is the one that a deployment begins with; another one has a
consumer group, changelogs and topics of results, partials and records of its own, and reads the
same events.  So the one in force goes on meanwhile, both can be compared, and nothing is rewritten:
to switch over is to set ``kafka.computation``.

What is older than the event topics cannot be computed again; it stands in the old results only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal, NamedTuple

import orjson

from streams.arrival import Follower, Offsets, Waiting, tell_time
from streams.core.result import PROVISIONAL
from streams.deployment import Deployment
from streams.errors import StateError
from streams.kafka import groups, topics
from streams.kafka.jars import Progress
from streams.kpis import FAMILIES
from streams.reading import read_to_end
from streams.settings import Settings
from streams.sources import SOURCES
from streams.worker_process import Flags, WorkerProcess, settings_of

Origin = Literal["events", "raw"]
Results = dict[bytes, bytes]
"""Name of a result -> the result, both as they stand in the topic."""
_PARTS = ("value", "numerator", "denominator", "buckets")


class Compared(NamedTuple):
    """Windows of one family in the old and the new results.  ``running``: not final in one of them,
    so they are not compared."""

    family: str
    same: int
    differ: int
    only_old: int
    only_new: int
    running: int


def flags_of(number: int, origin: Origin) -> Flags:
    """The settings of the worker that computes again.

    Made from events it leaves the raw topics to those who read them already, and writes no ticks:
    the events have theirs.
    """
    beside = {"processing.ingest": "off", "processing.tick_ms": 0} if origin == "events" else {}
    return {
        "kafka.computation": number,
        "kafka.computed_from": origin,
        "kafka.instance_id": "",
        "metrics.host": "127.0.0.1",
        "metrics.port": 0,
        **beside,
    }


def numbers(settings: Settings) -> list[int]:
    """The computations above 1 that the cluster has topics of."""
    found = re.compile(re.escape(settings.kafka.prefix) + r"\.r(\d{1,3})\..*")
    names = topics.names(settings.kafka.bootstrap, settings.kafka.client_options())
    return sorted({int(match[1]) for match in map(found.fullmatch, names) if match})


def next_number(settings: Settings) -> int:
    """The first that nobody has used."""
    return max([settings.kafka.computation, *numbers(settings)]) + 1


def recompute(number: int, origin: Origin, progress: Progress) -> None:
    """Make the topics, process everything up to the ends as they stand now, and stop.

    Repeated with the same number it goes on where it ended.  Raises StateError when the worker ends
    or nothing moves, and what ``topics.apply`` raises.
    """
    flags = flags_of(number, origin)
    worker = WorkerProcess()
    try:
        deployment = Deployment.of(settings_of(flags, False))
        progress("topics", 0, 1)
        topics.apply(deployment.bootstrap, deployment.specs(), deployment.client)
        worker.release(flags, False, None)
        with Follower(deployment) as follower, Offsets(deployment) as offsets:
            waiting = Waiting(deployment, offsets, follower, worker.check)
            if origin == "raw":
                _ingest(waiting, deployment, progress)
            ends = tell_time(deployment, 0)
            waiting.boarded(ends, lambda done, total: progress("computing", done, total))
    finally:
        worker.stop()


def _ingest(waiting: Waiting, deployment: Deployment, progress: Progress) -> None:
    for source in sorted(set(deployment.sources)):
        waiting.ingested(deployment.raw_topic(source), partial(progress, f"reading {source}"))


# -- comparing


def compare(old: Deployment, new: Deployment) -> list[Compared]:
    """The results of two deployments, one family after the other."""
    return [
        Compared(family, *_counted(_results(old, family), _results(new, family)))
        for family in FAMILIES
    ]


def _results(deployment: Deployment, family: str) -> Results:
    found: Results = {}

    def take(records: Sequence[Any]) -> None:
        for record in records:
            if record.value:
                found[record.key] = record.value
            else:
                found.pop(record.key, None)

    names = deployment.kpi_topics(kpi.name for kpi in FAMILIES[family])
    read_to_end(deployment, names, take, "read_committed")
    return found


def _counted(old: Results, new: Results) -> tuple[int, ...]:
    counts = Counter(_verdict(old.get(name), new.get(name)) for name in _dated([*old, *new]))
    return tuple(counts[field] for field in Compared._fields[1:])


def _dated(names: Iterable[bytes]) -> set[bytes]:
    """Those of windows that have a beginning: what is now, or was in the last minutes, is of the
    time it was asked at."""
    return {name for name in names if isinstance(orjson.loads(name)[-1], int)}


def _verdict(old: bytes | None, new: bytes | None) -> str:
    told = [orjson.loads(line) for line in (old, new) if line is not None]
    if any(one["status"] == PROVISIONAL for one in told):
        return "running"
    if old is None or new is None:
        return "only_new" if old is None else "only_old"
    first, second = ([one.get(part) for part in _PARTS] for one in told)
    return "same" if first == second else "differ"


# -- removing


def drop(settings: Settings, number: int) -> list[str]:
    """Remove what a computation has to itself: its results, state and group; the names of the
    topics.

    Raw topics stay, what is noted of letters sent back to them, and events that are shared.
    StateError if it is the one in force, if workers of it run, or if the one in force has not taken
    over the raw topics from it yet.
    """
    kafka = settings.kafka
    if number == kafka.computation:
        raise StateError(
            f"computation {number} is the one in force",
            "its results are those that everybody reads",
            "set kafka.computation to another one first",
        )
    _check_taken_over(settings, number)
    groups.delete(kafka, kafka.group_of(number))
    gone = replace(settings, kafka=replace(kafka, computation=number, computed_from="raw"))
    shared = {f"{kafka.prefix}.{name}" for name in ("events.contact.v1", "events.agent.v1")}
    deployment = Deployment.of(gone)
    shared |= {deployment.raw_topic(source) for source in SOURCES} | {deployment.replays_topic}
    specs = [spec for spec in deployment.specs() if spec.name not in shared]
    return topics.remove(deployment.bootstrap, specs, deployment.client)


def _check_taken_over(settings: Settings, number: int) -> None:
    kafka = settings.kafka
    if number > kafka.computation:
        return
    raw = {Deployment.of(settings).raw_topic(source) for source in SOURCES}
    has = [
        {at for at in groups.committed(kafka, kafka.group_of(n)) if at.topic in raw}
        for n in (number, kafka.computation)
    ]
    if has[0] - has[1]:
        raise StateError(
            f"computation {kafka.computation} has not taken over from {number} yet",
            "where the raw topics are read on from is known by the older one only",
            "contact-streams worker",
        )
