"""What is behind a number in the KPI topics, found out from the events.

The events go through the same stages as in a worker, ticks and restarts included, but instead of
being added up their facts are noted by whom they are about.  So time-outs, duplicates and refused
events mean here what they mean there.  Nothing is written.

A stage is sealed at the borders of segments as usual, which is what bounds its memory; of the facts
only those are kept that have to do with the number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple, get_args

import orjson

from streams.core.agent_facts import AgentFact, Proof
from streams.core.contact import Contact, Kept
from streams.core.events import AgentEvent, ContactEvent
from streams.core.explaining import Asked, Facts, Row, rows_of, touches
from streams.core.facts import CustomerFact, Fact
from streams.core.kpi import Kpi, Value
from streams.core.measure import Amounts, Cell, CutKey
from streams.core.plan import evaluate
from streams.core.schedule import Schedule
from streams.core.source import Record
from streams.core.terms import Terms
from streams.core.window import Span
from streams.deployment import Deployment
from streams.reading import read_to_end
from streams.results import Latest, Result
from streams.settings import Settings
from streams.stages.contact_record import ContactRecord
from streams.stages.contacts import ContactsStage
from streams.stages.customers import CustomersStage
from streams.stages.staff import Agent, StaffStage

Told = Callable[[int], None]
"""Gets how many records were read so far."""


class Noted:
    """Facts by whom they are about; what stages take for the function that posts facts."""

    def __init__(self, question: Asked) -> None:
        self.who = ""
        self.by_who: dict[str, dict[tuple[type, Fact], int]] = {}
        self._question = question

    def __call__(self, fact: Fact, sign: int, cell: Cell) -> None:
        if not touches(self._question, fact):
            return
        facts = self.by_who.setdefault(self.who, {})
        count = facts.get((type(fact), fact), 0) + sign
        facts[type(fact), fact] = count
        if not count:
            del facts[type(fact), fact]


class _Contacts(ContactsStage):
    noted: Noted

    def _add(self, contact: Contact, event: ContactEvent, kept: Kept) -> None:
        self.noted.who = event.contact
        super()._add(contact, event, kept)


class _Staff(StaffStage):
    noted: Noted

    def _add(self, agent: Agent, event: AgentEvent, kept: Kept) -> None:
        self.noted.who = event.agent
        super()._add(agent, event, kept)

    def _say(self, name: str, proof: Proof, sign: int, schedule: Schedule) -> None:
        # Time that goes on is said without an event.
        self.noted.who = name
        super()._say(name, proof, sign, schedule)


class _Customers(CustomersStage):
    noted: Noted

    def _record(self, record: Record, told: ContactRecord) -> None:
        self.noted.who = told.customer
        super()._record(record, told)


_Stage = _Contacts | _Staff | _Customers
_TOPICS: dict[type[_Stage], str] = {
    _Contacts: "events.contact.v1",
    _Staff: "events.agent.v1",
    _Customers: "records.contact.v1",
}

_ABOUT: dict[type[_Stage], str] = {
    _Contacts: "contact",
    _Staff: "agent",
    _Customers: "customer",
}


def stage_of(question: Asked) -> type[_Stage]:
    """Which stage proves the facts that the KPI reads."""
    kinds = {m.fact for m in question.measures}
    if not kinds.isdisjoint(get_args(AgentFact)):
        return _Staff
    return _Contacts if kinds.isdisjoint(get_args(CustomerFact)) else _Customers


def about(question: Asked) -> str:
    """Whom the rows are about: contact, agent or customer."""
    return _ABOUT[stage_of(question)]


class Replay:
    """Takes the records of an event topic, partition by partition, and notes their facts."""

    def __init__(self, question: Asked, terms: Terms, *, segment_size: int, skew_ms: int) -> None:
        self.records = 0
        self._kind = stage_of(question)
        self._options = {"segment_size": segment_size, "skew_ms": skew_ms, "terms": terms}
        self._noted = Noted(question)
        self._stages: dict[int, _Stage] = {}

    def take(self, records: Sequence[Any]) -> None:
        """Records of one partition, in order."""
        if not records:
            return
        self.records += len(records)
        partition = records[0].partition
        stage = self._stages.get(partition) or self._begun(partition, records[0].offset)
        for number, group in groupby(records, key=lambda r: stage.segments.number(r.offset)):
            if stage.running.segment not in (-1, number):
                stage.seal(stage.segments.start(number))
            for read in group:  # one by one: a stage may post a batch when all of it is folded
                stage.absorb([_record(read)])

    def _begun(self, partition: int, offset: int) -> _Stage:
        options: dict[str, Any] = {**self._options, "post": self._noted, "board_partitions": 1}
        stage = self._stages[partition] = self._kind(partition, **options)
        stage.noted = self._noted
        stage.start(offset)
        return stage

    def facts(self) -> dict[str, Facts]:
        """Whom they are about -> what holds of it now."""
        return {who: facts for who, facts in self._noted.by_who.items() if facts}


def _record(read: Any) -> Record:
    return Record(
        read.topic, read.partition, read.offset, read.timestamp, read.key, read.value, read.headers
    )


class Answer(NamedTuple):
    """What the events say about the number, and what the topic says.

    ``whole``: read from the topic's beginning, not from some time before the window.
    """

    question: Asked
    rows: list[Row]
    amounts: Amounts
    value: Value | None
    result: Result | None
    records: int
    whole: bool

    @property
    def agrees(self) -> bool:
        """Whether both say the same, to the last contact.  Where nothing was ever added up there is
        no result, not even a 0."""
        if self.result is None:
            return self.value is None or not any(self.amounts.values())
        told = self.result.fields
        value, buckets = self.value or Value(0), [list(row) for row in told.get("buckets", ())]
        return (
            self.value is not None
            and (told["value"], told["numerator"], told["denominator"]) == value[:3]
            and buckets == [list(row) for row in value.buckets or ()]
        )


def explain(settings: Settings, question: Asked, result: Result | None, told: Told) -> Answer:
    """Read the events that may have to do with the number and put them beside its ``result``.

    Contacts are read from their horizon before the window on.  If that gives another number than
    the topic has, a contact may have begun earlier, and everything is read.  Raises as
    ``streams.reading.read_to_end`` does.
    """
    since_ms = since(settings, question)
    answer = _answer(settings, question, result, since_ms, told)
    if since_ms > 0 and not answer.agrees:
        answer = _answer(settings, question, result, 0, told)
    return answer


def since(settings: Settings, question: Asked) -> int:
    """From which append time on the events of the window's contacts stand in the topic; 0: from its
    beginning.

    An event is appended at most ``skew_ms`` before the time it is dated at, and a contact is
    forgotten when its channel's horizon has passed without an event.  Agents and customers are
    remembered for longer than topics are kept.
    """
    skew_ms, patience = settings.processing.skew_ms, settings.terms().patience
    if not skew_ms or stage_of(question) is not _Contacts:
        return 0
    key = dict(zip(question.cut.dimensions, question.key[1:], strict=True))
    horizons = [
        row.horizon_ms for name, row in patience.items() if name == key.get("channel", name)
    ]
    return max(0, question.span.start_ms - max(horizons) - skew_ms) if horizons else 0


def _answer(
    settings: Settings, question: Asked, result: Result | None, since_ms: int, told: Told
) -> Answer:
    terms, processing = settings.terms(), settings.processing
    replay = Replay(
        question, terms, segment_size=processing.segment_size, skew_ms=processing.skew_ms
    )

    def take(records: Sequence[Any]) -> None:
        replay.take(records)
        told(replay.records)

    deployment = Deployment.of(settings)
    # As a worker reads it.
    topics = [deployment.topic(_TOPICS[stage_of(question)])]
    read_to_end(deployment, topics, take, "read_uncommitted", since_ms)
    return answered(question, terms, replay, result, since_ms == 0)


def answered(
    question: Asked, terms: Terms, replay: Replay, result: Result | None, whole: bool
) -> Answer:
    """The answer, once all events are read."""
    rows = [
        row for who, facts in replay.facts().items() for row in rows_of(question, who, facts, terms)
    ]
    amounts = Amounts()
    for row in rows:
        for name, amount in row.amounts.items():
            amounts[name] = amounts.get(name, 0) + amount
    value = evaluate(question.kpi, amounts, -1)
    return Answer(question, rows, amounts, value, result, replay.records, whole)


# -- the result in the topic


def find_result(deployment: Deployment, kpi: Kpi, key: CutKey, span: Span) -> Result | None:
    """The number as it stands in its topic; None if there is none."""
    name = orjson.dumps((kpi.name, *key, span.kind, span.start_ms))
    return next(iter(_standing(deployment, kpi, lambda found: found == name)), None)


def latest_result(deployment: Deployment, kpi: Kpi, key: CutKey, kind: str) -> Result | None:
    """The one of the latest window of this kind; None if there is none."""
    beginning = orjson.dumps((kpi.name, *key, kind))[:-1]
    found = _standing(deployment, kpi, lambda name: name.startswith(beginning))
    return max(found, key=lambda result: result.start, default=None)


def _standing(deployment: Deployment, kpi: Kpi, wanted: Callable[[bytes], bool]) -> list[Result]:
    latest = Latest()

    def take(records: Sequence[Any]) -> None:
        latest.take([record for record in records if wanted(record.key)])

    read_to_end(deployment, deployment.kpi_topics([kpi.name]), take, "read_committed")
    return latest.results()


def span_of(result: Result) -> Span:
    """The window of a result."""
    window = result.fields["window"]
    start, end = (
        round(datetime.fromisoformat(window[at]).timestamp() * 1000) for at in ("start", "end")
    )
    return Span(window["kind"], start, end, window.get("zone", "UTC"))
