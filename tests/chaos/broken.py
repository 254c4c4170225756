"""For the tests of the checker: the topics of a deployment in memory, and ways to break them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Protocol

import orjson

from streams.core.source import Record
from streams.deployment import Deployment
from tests.chaos.check import Evidence
from tests.chaos.checks.violation import Violation
from tests.chaos.expected import Expected, settings_for
from tests.chaos.load import Load
from tests.chaos.quiet import QuietDeployment

DEPLOYMENT = Deployment("nowhere:1", "quiet", "quiet-app", 2, 1, {}, ["asterisk_queue_log"])
START_MS = 1_791_183_466_000
RATE, RECORDS = 60, 2_400
Log = list[Record]


class Part(Protocol):
    def take(self, records: Sequence[Record]) -> None: ...
    def violations(self) -> Iterator[Violation]: ...


class World:
    """The quiet deployment and what was expected of it."""

    def __init__(self) -> None:
        self.settings = settings_for(DEPLOYMENT)
        self.quiet = QuietDeployment(self.settings)
        self.quiet.play(Load(5, START_MS), RATE, RECORDS)
        self.evidence = self.read({})
        self.expected = self.evidence.expected

    def topic(self, name: str) -> str:
        return DEPLOYMENT.topic(name)

    def changelog(self, name: str) -> str:
        return f"{DEPLOYMENT.group}-{name}-changelog"

    def read(self, instead: dict[str, Log]) -> Evidence:
        """Everything, as the checker reads it, with some topics replaced."""
        evidence = Evidence(Expected.of(self.settings))
        topic, board = self.topic, evidence.expected.folded["board"].take
        takes: list[tuple[str, Callable[[Log], None]]] = [
            (self.quiet.raw_topic, evidence.raw),
            (topic("events.contact.v1"), evidence.events("contacts")),
            (topic("events.agent.v1"), evidence.events("staff")),
            (topic("records.contact.v1"), evidence.contact_records),
            (topic("partials.v1"), evidence.partials.take),
            (topic("partials.v1"), board),
            (topic("dlq.events.v1"), evidence.letters.take),
            (self.changelog("board"), evidence.cells.take),
            *((name, evidence.said) for name in DEPLOYMENT.kpi_topics()),
            *((self.changelog(n), one.take) for n, one in evidence.changelogs.items()),
        ]
        for name, take in takes:
            for records in by_partition(instead.get(name, self.quiet.of(name))):
                take(records)
        evidence.expected.flow()
        return evidence

    def results(self) -> Log:
        return [record for name in DEPLOYMENT.kpi_topics() for record in self.quiet.of(name)]


def by_partition(records: Log) -> Iterable[Log]:
    found: dict[int, Log] = {}
    for record in records:
        found.setdefault(record.partition, []).append(record)
    return found.values()


def kinds(found: Iterable[Violation]) -> set[str]:
    return {violation.kind for violation in found}


def judged(part: Part, log: Log) -> set[str]:
    """What the part says of a log."""
    for records in by_partition(log):
        part.take(records)
    return kinds(part.violations())


def without(log: Log, at: int) -> Log:
    return [*log[:at], *log[at + 1 :]]


def changed(log: Log, at: int, **fields: Any) -> Log:
    return [*log[:at], log[at]._replace(**fields), *log[at + 1 :]]


def last(log: Log, wanted: Callable[[Record], bool]) -> int:
    """Where the last record stands that is wanted."""
    return max(i for i, record in enumerate(log) if wanted(record))


def final(log: Log, text: bytes) -> int:
    """Where the last word on some result stands that has this text in its key, and a value."""
    by_key = {record.key: i for i, record in enumerate(log)}
    return next(i for key, i in by_key.items() if text in (key or b"") and log[i].value is not None)


@cache
def the_world() -> World:
    """Played once for all tests: nobody changes it, they change copies."""
    return World()


def rewritten(record: Record, **fields: Any) -> Record:
    """A result that says something else in these fields."""
    return record._replace(value=orjson.dumps({**orjson.loads(record.value or b""), **fields}))
