"""Partials topics as origins leave them.

An origin has a list of events, and writers that walk over it from a segment's start, as a stage and
its successors and its paused predecessor do.  Every writer obeys delivery rule 1 (segments in
ascending order); how the writers interleave is free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from streams.core.measure import Amounts, CutKey
from streams.core.partials import Mark, Partial, Register, RunningSegment
from streams.core.terms import MINUTE_MS
from tests.boards.definitions import AMOUNTS, CUTS, MINUTE, START_MS

Message = Partial | Register | Mark

SEGMENT = 4


class Seen(NamedTuple):
    """An event as one origin saw it: what it adds where, how far time is."""

    cut: CutKey
    minute: int
    amounts: Amounts
    mark_ms: int


def walk(
    origin: str, events: Sequence[Seen], segment: int, publishes: Callable[[int], bool]
) -> list[list[Message]]:
    """What a writer sends of one segment: a list per publish, the last at the border."""
    running = RunningSegment(origin)
    sent: list[list[Message]] = []
    touched: dict[CutKey, None] = {}
    running.begin(segment)
    offsets = range(segment * SEGMENT, (segment + 1) * SEGMENT)
    for offset in offsets:
        event = events[offset]
        running.position = offset
        amounts = running.cell(event.cut, event.minute)
        for name, amount in event.amounts.items():
            amounts[name] = amounts.get(name, 0) + amount
        touched[event.cut] = None
        if offset == offsets[-1] or publishes(offset):
            registers = [register(origin, events, cut, offset) for cut in touched]
            mark = Mark(origin, offset, max(e.mark_ms for e in events[: offset + 1]))
            sent.append([*running.take_changed(), *registers, mark])
            touched = {}
    return sent


def register(origin: str, events: Sequence[Seen], cut: CutKey, offset: int) -> Register:
    """A level that is a function of the events up to ``offset``."""
    mine = [e for e in events[: offset + 1] if e.cut == cut]
    values = {"waiting": len(mine) % 3}
    if values["waiting"]:
        values["oldest_ms"] = mine[-1].minute * MINUTE_MS
    return Register(origin, cut, offset, values)


MINUTES = (0, 1, 4, 9, 10, 12, 25, 59, 69, 70, 75, 130)
DAYS = (0, 1, 10, 25, 70, 1565, 1570, 1580, 1600, 1640, 3150, 3200)
"""Days apart, so that what was in the beginning is dropped."""


def random_events(random: Random, count: int, minutes: Sequence[int]) -> list[Seen]:
    """Mostly in the order of time, now and then much later; amounts are taken back too."""
    events, at, mark_ms = [], 0, START_MS
    for _ in range(count):
        at = min(len(minutes) - 1, at + random.choice((0, 0, 0, 1, 1, 2)))
        minute = MINUTE + minutes[random.randrange(at + 1) if random.random() < 0.3 else at]
        names = random.sample(AMOUNTS, random.randrange(1, 4))
        amounts = {name: random.choice((1, 1, 2, -1)) for name in names}
        mark_ms = max(mark_ms, (MINUTE + minutes[at]) * MINUTE_MS + random.randrange(60) * 1000)
        events.append(Seen(random.choice(CUTS), minute, amounts, mark_ms))
    return events


class Writer(NamedTuple):
    """One owner of an origin; it starts when ``before`` messages of the first owner are sent."""

    messages: Sequence[Message]
    first: int
    before: int


def random_topic(random: Random, minutes: Sequence[int] = MINUTES) -> list[Message]:
    """A topic as three origins, their successors and their zombies may leave it.

    A successor starts at a commit, so all of the earlier segments is in the log before.
    """
    writers: list[Writer] = []
    for origin in ("contacts/0", "contacts/1", "staff/0"):
        events = random_events(random, random.randrange(1, 6) * SEGMENT, minutes)
        segments = len(events) // SEGMENT
        owner, borders = random_walk(random, origin, events, range(segments))
        first = len(writers)
        writers.append(Writer(owner, first, 0))
        for _ in range(random.randrange(3)):
            start = random.randrange(segments)
            until = random.randrange(start, segments) + 1
            again, _ = random_walk(random, origin, events, range(start, until))
            writers.append(Writer(again, first, borders[start]))
    return interleaved(random, writers)


def random_walk(
    random: Random, origin: str, events: Sequence[Seen], segments: range
) -> tuple[list[Message], dict[int, int]]:
    """One writer's messages, and how many there are before each segment.

    Within a publish, which is of one segment, the order is free.
    """
    often = random.random()
    messages: list[Message] = []
    borders: dict[int, int] = {}
    for segment in segments:
        borders[segment] = len(messages)
        for publish in walk(origin, events, segment, lambda _: random.random() < often):
            random.shuffle(publish)
            messages += publish
    return messages, borders


def interleaved(random: Random, writers: Sequence[Writer]) -> list[Message]:
    """One log of all that is sent, each writer's in its own order."""
    topic: list[Message] = []
    sent = [0] * len(writers)
    while True:
        ready = [
            i
            for i, w in enumerate(writers)
            if sent[i] < len(w.messages) and sent[w.first] >= w.before
        ]
        if not ready:
            return topic
        chosen = random.choice(ready)
        for _ in range(random.randrange(1, 6)):
            if sent[chosen] < len(writers[chosen].messages):
                topic.append(writers[chosen].messages[sent[chosen]])
                sent[chosen] += 1
