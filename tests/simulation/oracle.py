"""The dumbest way to the right numbers: keep all events in lists, do everything anew at the end.

No segments, no differences, no positions, no changelog.  Each oracle reads the log of one partition
from its beginning, once, and says what its facts add up to.  The rules of time (silence, restarts,
the horizon) are written down a second time here, as plainly as they can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from streams import codec
from streams.core import agent as agents
from streams.core import customer as customers
from streams.core import events as ev
from streams.core.agent_facts import facts_of
from streams.core.course import Course
from streams.core.facts import Fact
from streams.core.levels import Open
from streams.core.measure import Measure
from streams.core.order import fold
from streams.core.segment import Segments
from streams.core.source import Record
from streams.core.terms import Patience, Terms
from streams.core.vocabulary import LostReason
from tests.builders import Cells, summed
from tests.simulation import who_came_again


class Told:
    """A contact: what was told of it, and when it was heard of last."""

    def __init__(self) -> None:
        self.events: list[ev.ContactEvent] = []
        self.heard_ms = 0
        self.offset = -1
        self.repeated_at = -1

    def add(self, event: ev.ContactEvent, record: Record) -> None:
        self.events.append(event)
        self.heard_ms = max(self.heard_ms, event.time, record.timestamp)
        self.offset = record.offset

    def patience(self, terms: Terms) -> Patience:
        return terms.patience[self.events[-1].channel]

    def knows(self, event: ev.ContactEvent) -> bool:
        return any(e.id == event.id and e.version >= event.version for e in self.events)

    def lose(self, like: ev.ContactEvent, at_ms: int, reason: LostReason, record: Record) -> None:
        """Its end never came."""
        lost = ev.Lost(
            id=f"lost:{reason}:{at_ms}", source=like.source, contact=like.contact, time=at_ms,
            channel=like.channel, reason=reason,
        )  # fmt: skip
        if not self.knows(lost):
            self.add(lost, record)

    def course(self, terms: Terms) -> Course:
        return fold(self.events, terms)


class Contacts:
    """What one partition of contact events means."""

    def __init__(self, terms: Terms, segments: Segments) -> None:
        self.terms = terms
        self.segments = segments
        self.contacts: dict[str, Told] = {}
        self.forgotten: list[tuple[str, Told]] = []
        self.restarts: list[tuple[str, int]] = []
        self.mark_ms = -1
        self.segment = -1

    def read(self, records: Iterable[Record]) -> Contacts:
        for record in records:
            if self.segments.number(record.offset) > self.segment:
                self._forget_before(self.segments.start(self.segment))
                self.segment = self.segments.number(record.offset)
            event = codec.decode_contact(record.value)
            if isinstance(event, ev.Tick):
                self.mark_ms = max(self.mark_ms, event.time)
                self._silence(event.time, record)
            elif isinstance(event, ev.Restarted):
                self._restart(event, record)
            elif isinstance(event, ev.ContactEvent):
                self._event(event, record)
        return self

    def _event(self, event: ev.ContactEvent, record: Record) -> None:
        told = self.contacts.setdefault(event.contact, Told())
        if told.knows(event):
            told.repeated_at = record.offset
            return
        self.mark_ms = max(self.mark_ms, event.time)
        told.add(event, record)
        for source, time_ms in sorted(self.restarts):
            if source == event.source:
                self._lose_if_older(event.contact, source, time_ms, record)

    def _silence(self, now_ms: int, record: Record) -> None:
        for told in self.contacts.values():
            silence_ms = told.patience(self.terms).silence_ms
            due = told.heard_ms + silence_ms <= now_ms
            if due and told.course(self.terms).open:
                at_ms = max(event.time for event in told.events) + silence_ms
                told.lose(told.events[-1], min(now_ms, at_ms), "silence", record)

    def _restart(self, event: ev.Restarted, record: Record) -> None:
        if (event.source, event.time) in self.restarts:
            return
        late = any(s == event.source and time_ms > event.time for s, time_ms in self.restarts)
        self.restarts.append((event.source, event.time))
        for name, told in self.contacts.items():
            if late or told.course(self.terms).open:
                self._lose_if_older(name, event.source, event.time, record)

    def _lose_if_older(self, name: str, source: str, time_ms: int, record: Record) -> None:
        told = self.contacts[name]
        opened = [
            v.entered_ms
            for v in told.course(self.terms).journey.visits
            if v.open or (v.left and v.left.outcome == "lost" and v.left.left_ms > time_ms)
        ]
        if told.events[0].source == source and opened and min(opened) < time_ms:
            told.lose(told.events[0], time_ms, "restart", record)

    def _forget_before(self, start: int) -> None:
        """When a segment is over: who was silent in it and for the whole horizon."""
        for name, told in list(self.contacts.items()):
            quiet = told.heard_ms + told.patience(self.terms).horizon_ms <= self.mark_ms
            before = max(told.offset, told.repeated_at) < start
            if quiet and before and not told.course(self.terms).open:
                self.forgotten.append((name, self.contacts.pop(name)))

    def courses(self) -> list[tuple[str, Course]]:
        """Of each contact by its name; one that was forgotten and came back is there twice."""
        everybody = (*self.forgotten, *self.contacts.items())
        return [(name, told.course(self.terms)) for name, told in everybody]

    def cells(self, measures: Sequence[Measure]) -> Cells:
        said = [signed for _, course in self.courses() for signed in course.said]
        return summed(said, measures, self.terms)

    def levels(self) -> list[Open]:
        return [found for _, course in self.courses() for found in course.levels()]

    def records(self) -> dict[tuple[str, str], customers.Seen]:
        """(customer, contact) -> its record, by the last of what is known of the contact."""
        briefs = [(name, course.brief()) for name, course in self.courses()]
        return {(b.customer, name): who_came_again.seen_of(name, b) for name, b in briefs if b}


class Staff:
    """What one partition of agent events means, if none comes hours late."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.events: dict[str, list[ev.AgentEvent]] = {}
        self.heard_ms: dict[str, int] = {}
        self.ticked_ms = -1

    def read(self, records: Iterable[Record]) -> Staff:
        for record in records:
            event = codec.decode_agent(record.value)
            if isinstance(event, ev.Tick):
                self._tick(event, record)
            elif isinstance(event, ev.AgentEvent):
                self._event(event, record)
        return self

    def _event(self, event: ev.AgentEvent, record: Record) -> None:
        known = self.events.setdefault(event.agent, [])
        if all(event.id != other.id for other in known):
            known.append(event)
            heard = (self.heard_ms.get(event.agent, 0), event.time, record.timestamp)
            if not isinstance(event, ev.AgentScheduled):
                self.heard_ms[event.agent] = max(heard)

    def _tick(self, tick: ev.Tick, record: Record) -> None:
        self.ticked_ms = max(self.ticked_ms, tick.time // 60_000 * 60_000)
        self._log_out(tick, record)
        for name, events in self.events.items():
            state, _ = agents.fold(agents.AgentState(), events)
            due = sorted((at, contact) for contact, at in state.wraps.items() if at <= tick.time)
            for at, contact in due[:1]:
                over = ev.AgentContactEnded(
                    id=f"wrapped:{contact}:{at}", source="contact-streams", agent=name, time=at,
                    contact=contact,
                )  # fmt: skip
                self._event(over, record)

    def _log_out(self, tick: ev.Tick, record: Record) -> None:
        for name, events in self.events.items():
            state, _ = agents.fold(agents.AgentState(), events)
            due = self.heard_ms.get(name, 0) + self.terms.agent_silence_ms <= tick.time
            if due and state.state != "offline":
                at = state.acted_ms + 1
                out = ev.LoggedOut(
                    id=f"silence:{at}", source="contact-streams", agent=name, time=at
                )
                self._event(out, record)

    def facts(self) -> list[Fact]:
        return [fact for name in self.events for fact in self._facts_of(name)]

    def _facts_of(self, name: str) -> Iterator[Fact]:
        state, proofs = agents.fold(agents.AgentState(), self.events[name])
        on = state.open_until(self.ticked_ms)
        for proof in [*proofs, on] if on else proofs:
            yield from facts_of(name, proof, state.schedule)

    def cells(self, measures: Sequence[Measure]) -> Cells:
        return summed([(fact, 1) for fact in self.facts()], measures, self.terms)


class Customers:
    """What the records of one partition mean: the latest record of each contact counts."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.latest: dict[tuple[str, str], dict[str, Any]] = {}

    def read(self, records: Iterable[Record]) -> Customers:
        for record in records:
            row = orjson.loads(record.value or b"{}")
            at = (row["customer"], row["contact"])
            if at not in self.latest or row["position"] > self.latest[at]["position"]:
                self.latest[at] = row
        return self

    def cells(self, measures: Sequence[Measure]) -> Cells:
        rows = {at: who_came_again.seen_in(row) for at, row in self.latest.items()}
        said = who_came_again.of_all(rows, self.terms.default.zone)
        return summed(said, measures, self.terms)
