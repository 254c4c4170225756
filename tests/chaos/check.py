"""The checker of a chaos run: reads every topic, folds the inputs offline, and compares.

Workers may run meanwhile, and tick.  So it looks in rounds: what is late in one round is there in
the next one; what is wrong stays wrong.  A round reads what was written last first, so that
everything it finds has its cause in what it reads after it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient, OffsetSpec

from streams.arrival import Follower, Offsets, Waiting, tell_time
from streams.core.source import Record
from streams.deployment import DEAD_LETTERS, PARTIALS, Deployment
from streams.errors import StateError
from streams.kafka.connect import client_options
from streams.reading import Isolation
from streams.worker_process import Flags
from tests.chaos import metrics_check
from tests.chaos.checks.changelogs import Cells, Changelog
from tests.chaos.checks.counts import Counts
from tests.chaos.checks.flows import ContactRecords, Partials
from tests.chaos.checks.inputs import Inputs
from tests.chaos.checks.letters import Letters, Poison
from tests.chaos.checks.logs import Logs, Loop, Take
from tests.chaos.checks.memory import Sample, memory
from tests.chaos.checks.offsets import offsets
from tests.chaos.checks.results import Results
from tests.chaos.checks.violation import Report as Report
from tests.chaos.checks.violation import Violation as Violation
from tests.chaos.checks.violation import shortened
from tests.chaos.expected import Expected, settings_for
from tests.chaos.load import FLAGS
from tests.chaos.producing import SOURCE
from tests.chaos.stories import PHONE_PREFIX

SETTLE_SECONDS = 20.0
"""How long what is missing may take to come, after the lag is gone."""
ROUND_SECONDS = 0.5
STILL_ROUNDS_MAX = 100
At = tuple[str, int]
Opened = tuple[Logs, Mapping[str, Take]]
_PHONE = PHONE_PREFIX.encode()


class NotCaughtUp(Violation):
    """The lag did not go in time."""

    def __init__(self, why: str) -> None:
        super().__init__("lag", why)


def wait_until_caught_up(deployment: Deployment, seconds: float) -> float:
    """Write a closing tick and wait until it, and all before it, is in the results; how many
    seconds that took.  Raises NotCaughtUp when it takes longer than ``seconds``."""
    began = time.monotonic()

    def in_time() -> None:
        if time.monotonic() - began > seconds:
            raise NotCaughtUp(f"not everything was through after {seconds:.0f} s")

    try:
        with Follower(deployment) as follower, Offsets(deployment) as known:
            waiting = Waiting(deployment, known, follower, in_time, seconds)
            waiting.ingested(deployment.raw_topic(SOURCE), lambda done, total: None)
            waiting.boarded(tell_time(deployment, time.time_ns() // 1_000_000))
    except StateError as error:
        raise NotCaughtUp(str(error)) from error
    return time.monotonic() - began


def check(
    deployment: Deployment,
    *,
    metrics_urls: Sequence[str],
    memory: Sequence[Sample],
    flags: Flags = FLAGS,
) -> Report:
    """Everything that is wrong with a deployment that has caught up, and how much was looked at.

    ``metrics_urls``: of all workers, which run.  ``flags``: what these run with beside their
    deployment.  ``memory``: (seconds, pid, bytes) of workers.
    """
    with ExitStack() as stack:
        evidence = Evidence(Expected.of(settings_for(deployment, flags)))
        reading = Reading(deployment, evidence, stack)
        found = reading.round(metrics_urls)
        # From here on: the first round reads for as long as there is much to read.
        deadline = time.monotonic() + SETTLE_SECONDS
        while found and time.monotonic() < deadline:
            time.sleep(ROUND_SECONDS)
            found = reading.round(metrics_urls)
        found += evidence.memory(memory)
        return Report(list(shortened(found)), evidence.facts())


class Evidence:
    """What was read, taken by the checks it concerns."""

    def __init__(self, expected: Expected) -> None:
        self.expected = expected
        self.inputs = Inputs(expected)
        self.partials = Partials(expected)
        self.records = ContactRecords(expected)
        self.poison = Poison()
        self.letters = Letters(expected, self.poison)
        self.results = Results(expected)
        self.counts = Counts(self.results)
        self.cells = Cells(expected)
        folded = [expected.folded[name] for name in ("contacts", "staff", "customers")]
        self.changelogs = {one.name: Changelog(one) for one in folded}
        self._private: dict[str, int] = {}
        self._raw = 0
        self._parts: tuple[Any, ...] = (
            self.inputs, self.partials, self.records, self.letters, self.results, self.counts,
            self.cells, *self.changelogs.values(),
        )  # fmt: skip

    def raw(self, records: Sequence[Record]) -> None:
        self._raw += len(records)
        self._planned(records)
        self.expected.folded["ingest"].take(records)

    def events(self, stage: str) -> Take:
        """For the topic that contacts, or staff, reads."""

        def take(records: Sequence[Record]) -> None:
            self._planned(records)
            self.inputs.take(records)
            self._look_for_numbers(records)
            self.expected.folded[stage].take(records)

        return take

    def contact_records(self, records: Sequence[Record]) -> None:
        self.records.take(records)
        self._look_for_numbers(records)
        self.expected.folded["customers"].take(records)

    def said(self, records: Sequence[Record]) -> None:
        self.results.take(records)
        self._look_for_numbers(records)

    def _planned(self, records: Sequence[Record]) -> None:
        self.poison.take(records)
        self.counts.take(records)

    def _look_for_numbers(self, records: Sequence[Record]) -> None:
        for record in records:
            if _PHONE in (record.value or b"") or _PHONE in (record.key or b""):
                self._private[record.topic] = self._private.get(record.topic, 0) + 1

    def violations(self) -> Iterator[Violation]:
        """Of everything but the workers themselves; ``expected`` must have flown."""
        for part in self._parts:
            yield from part.violations()
        for topic, count in self._private.items():
            yield Violation("private", f"{count} records of {topic} have a caller's number")

    def memory(self, samples: Sequence[Sample]) -> Iterator[Violation]:
        facts = self.facts()
        kept = (f"{name}_kept" for name in self.changelogs)
        entities = sum(facts[name] for name in kept) + facts["cells"]
        return memory(samples, entities, facts["events"])

    def facts(self) -> dict[str, int]:
        found: dict[str, int] = {"raw": self._raw}
        for part in self._parts:
            found |= part.facts()
        return found


class Reading:
    """Rounds of reading for one ``Evidence``."""

    def __init__(self, deployment: Deployment, evidence: Evidence, stack: ExitStack) -> None:
        self._deployment = deployment
        self._evidence = evidence
        self._partials = deployment.topic(PARTIALS)
        self._waiting: dict[int, list[Record]] = {}
        """Partials that the boards had not committed."""
        self._admin = stack.enter_context(_admin(deployment))
        self._loop = Loop()
        stack.callback(self._loop.close)
        self._written = self._opened(self._results(), "read_committed", stack)
        self._kept = self._opened(self._changelogs(), "read_uncommitted", stack)
        self._inputs = self._opened(self._sources(), "read_uncommitted", stack)

    def _opened(self, takes: Mapping[str, Take], isolation: Isolation, stack: ExitStack) -> Opened:
        logs = Logs(self._deployment, list(takes), isolation, self._loop)
        return stack.enter_context(logs), takes

    def _results(self) -> dict[str, Take]:
        said = dict.fromkeys(self._deployment.kpi_topics(), self._evidence.said)
        return {**said, self._deployment.topic(DEAD_LETTERS): self._evidence.letters.take}

    def _changelogs(self) -> dict[str, Take]:
        evidence, group = self._evidence, self._deployment.group
        takes: dict[str, Take] = {
            f"{group}-{name}-changelog": one.take for name, one in evidence.changelogs.items()
        }
        return {**takes, f"{group}-board-changelog": evidence.cells.take}

    def _sources(self) -> dict[str, Take]:
        evidence, topic = self._evidence, self._deployment.topic
        return {
            self._partials: self._take_partials,
            topic("records.contact.v1"): evidence.contact_records,
            topic("events.agent.v1"): evidence.events("staff"),
            topic("events.contact.v1"): evidence.events("contacts"),
            self._deployment.raw_topic(SOURCE): evidence.raw,
        }

    def _take_partials(self, records: Sequence[Record]) -> None:
        self._evidence.partials.take(records)
        self._waiting.setdefault(records[0].partition, []).extend(records)

    def round(self, metrics_urls: Sequence[str]) -> list[Violation]:
        """Read on and compare."""
        self._written[0].read_on(self._written[1])
        first = self._ends()
        committed, scraped = self._still(metrics_urls)
        self._kept[0].read_on(self._kept[1])
        last = self._ends()
        logs, takes = self._inputs
        logs.read_on(takes)
        self._board(committed)
        expected = self._evidence.expected
        expected.flow()
        return [
            *self._evidence.violations(),
            *offsets(expected, committed, first),
            *metrics_check.violations(expected, scraped, first, last),
        ]

    def _still(
        self, metrics_urls: Sequence[str]
    ) -> tuple[Mapping[At, int], Sequence[metrics_check.Scraped]]:
        """Read the results and the metrics of a moment in which the boards stood still."""
        logs, takes = self._written
        for _ in range(STILL_ROUNDS_MAX):
            before = self._committed()
            logs.read_on(takes)
            scraped = [metrics_check.scrape(url) for url in metrics_urls]
            after = self._committed()
            if all(after.get(at) == offset for at, offset in before.items()):
                break
        return after, scraped

    def _board(self, committed: Mapping[At, int]) -> None:
        """Fold what the boards had folded, and no more."""
        for partition, records in self._waiting.items():
            until = committed.get((self._partials, partition), 0)
            self._evidence.expected.folded["board"].take([r for r in records if r.offset < until])
            self._waiting[partition] = [r for r in records if r.offset >= until]

    def _committed(self) -> dict[At, int]:
        found = self._admin.list_group_offsets(self._deployment.group)[self._deployment.group]
        return {(at.topic, at.partition): offset.offset for at, offset in found.items()}

    def _ends(self) -> dict[At, int]:
        topics = [folded.topic for folded in self._evidence.expected.folded.values()]
        every = [TopicPartition(t, n) for t in topics for n in range(self._deployment.partitions)]
        found = self._admin.list_partition_offsets(dict.fromkeys(every, OffsetSpec.LATEST))
        return {(at.topic, at.partition): offset.offset for at, offset in found.items()}


def _admin(deployment: Deployment) -> Any:
    return KafkaAdminClient(**client_options(deployment.bootstrap, deployment.client))
