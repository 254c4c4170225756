"""What tests are built from: events, records, terms; with defaults for all a test is not about.

Times are given in seconds after ``T0``, which is 10:00 UTC on a Monday.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from streams import codec
from streams.core import events as ev
from streams.core.facts import Fact
from streams.core.measure import Amounts, CutKey, Measure, compile_measures
from streams.core.source import Record
from streams.core.terms import Terms
from streams.kpis import ALL_MEASURES

T0 = 1_791_194_400_000
"""2026-10-05T10:00:00Z."""
T0_MINUTE = T0 // 60_000
TERMS = Terms()
DURATION_MAX_MS = TERMS.duration_max_ms

Cells = dict[tuple[CutKey, int], Amounts]
"""(cut key, minute) -> amounts that are not 0."""
Signed = tuple[Fact, int]
StoryT = TypeVar("StoryT", bound="Story")


def ms(seconds: float) -> int:
    """Seconds after ``T0`` as epoch milliseconds."""
    return T0 + round(seconds * 1000)


class Story:
    """One contact, told event by event; each method returns the story, so they can be chained."""

    def __init__(
        self, contact: str, queue: str, *, channel: str = "voice", source: str = "pbx"
    ) -> None:
        self.contact = contact
        self.queue = queue
        self.channel = channel
        self.source = source
        self.events: list[ev.ContactEvent] = []

    def tell(self: StoryT, cls: type[ev.ContactEvent], at: float, **fields: Any) -> StoryT:
        """Any event; its id is the contact's with a running number."""
        common = {"source": self.source, "contact": self.contact, "channel": self.channel}
        name = f"{self.contact}-{len(self.events)}"
        self.events.append(cls(**{"id": name, "time": ms(at), **common, **fields}))
        return self

    def queued(self: StoryT, at: float = 0, queue: str | None = None, **fields: Any) -> StoryT:
        return self.tell(ev.Queued, at, queue=queue or self.queue, **fields)

    def answered(self: StoryT, at: float, queue: str | None = None, **fields: Any) -> StoryT:
        return self.tell(ev.Answered, at, queue=queue or self.queue, **fields)

    def left(
        self: StoryT, at: float, outcome: str = "abandoned", queue: str | None = None, **fields: Any
    ) -> StoryT:
        return self.tell(ev.LeftQueue, at, queue=queue or self.queue, outcome=outcome, **fields)

    def handled(self: StoryT, at: float, queue: str | None = None, **fields: Any) -> StoryT:
        return self.tell(ev.Handled, at, queue=queue or self.queue, **fields)

    def transferred(self: StoryT, at: float, queue: str | None = None, **fields: Any) -> StoryT:
        return self.tell(ev.Transferred, at, queue=queue or self.queue, **fields)


def story(contact: str = "c1", queue: str = "PS", **fields: Any) -> Story:
    """``story().queued(0).answered(14).handled(100).events``"""
    return Story(contact, queue, **fields)


def agent_event(cls: type[ev.AgentEvent], at: float, **fields: Any) -> Any:
    """An agent's event; the id is made of all it says."""
    known = {"source": "pbx", "agent": "Ann", "time": ms(at), **fields}
    known.setdefault("id", f"{cls.__name__} {sorted(known.items())}")
    return cls(**known)


def tick(at: float) -> ev.Tick:
    return ev.Tick(time=ms(at))


def restarted(at: float, source: str = "pbx") -> ev.Restarted:
    return ev.Restarted(id=f"restart {source} {at}", source=source, time=ms(at))


def record(
    said: msgspec.Struct | bytes | None,
    offset: int = 0,
    *,
    at_ms: int = T0,
    topic: str = "events",
    key: bytes | None = None,
) -> Record:
    """A record of an event topic; ``at_ms`` is when it was appended."""
    value = codec.encode(said) if isinstance(said, msgspec.Struct) else said  # type: ignore[arg-type]
    return Record(topic, 0, offset, at_ms, key, value)


def log_of(said: Iterable[msgspec.Struct | bytes], first: int = 0) -> list[Record]:
    """Records at rising offsets, each appended when its event happened or later."""
    records: list[Record] = []
    now = 0
    for offset, one in enumerate(said, first):
        now = max(now, getattr(one, "time", now))
        records.append(record(one, offset, at_ms=now))
    return records


def summed(
    signed: Iterable[Signed], measures: Sequence[Measure] = ALL_MEASURES, terms: Terms | None = None
) -> Cells:
    """What signed facts add up to, by the definition of posting."""
    cells: Cells = {}
    post = compile_measures(measures, terms or Terms())
    for fact, sign in signed:
        post(fact, sign, lambda cut, minute: cells.setdefault((cut, minute), {}))
    return without_zeros(cells)


def without_zeros(cells: Cells) -> Cells:
    """The same sums, written in one way only."""
    kept = {at: {name: n for name, n in cell.items() if n} for at, cell in cells.items()}
    return {at: cell for at, cell in kept.items() if cell}


def total(cells: Cells, cut: CutKey = ("queue", "PS", "voice")) -> Amounts:
    """A cut's amounts over all minutes."""
    amounts: Amounts = {}
    for (found, _), cell in cells.items():
        for name, amount in cell.items() if found == cut else ():
            amounts[name] = amounts.get(name, 0) + amount
    return amounts
