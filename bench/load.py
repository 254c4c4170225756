"""The events of the benchmark and the exact answers: one sequence, cut off at several lengths.

Interleaved contacts in ``QUEUES`` queues, 200 events of event time a second, each about 150 bytes
of JSON, keyed by contact.  A topic of 30,000 events is the beginning of one of 2,000,000, so an
engine that manages a thousand events a second does the same work as one that manages a hundred
thousand, only less of it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

PARTITIONS = 4
QUEUES = 40
OPEN_CONTACTS = 2_000
STEP_MS = 5
MINUTE_MS = 60_000
CHANNELS = ("voice", "chat", "email")


class Event(NamedTuple):
    """One event; ``since_ms`` is the time since the first event of its contact."""

    partition: int
    contact: str
    time_ms: int
    queue: str
    talk_ms: int
    since_ms: int
    value: bytes


class Totals(NamedTuple):
    """What any engine must come to: the count and the sum over all windows."""

    events: int
    amount: int


class Answers:
    """The exact answers for the events seen so far."""

    def __init__(self) -> None:
        self.events = 0
        self.talk_ms = 0
        self.since_ms = 0
        self.talk: dict[tuple[int, str, int], Totals] = {}
        """(partition, queue, minute's start) -> count and sum of talk_ms."""
        self.since: dict[tuple[int, str, int], Totals] = {}
        """The same with the time since the contact's first event."""

    def add(self, event: Event) -> None:
        self.events += 1
        self.talk_ms += event.talk_ms
        self.since_ms += event.since_ms
        at = (event.partition, event.queue, event.time_ms - event.time_ms % MINUTE_MS)
        count, talk = self.talk.get(at, (0, 0))
        self.talk[at] = Totals(count + 1, talk + event.talk_ms)
        count, since = self.since.get(at, (0, 0))
        self.since[at] = Totals(count + 1, since + event.since_ms)

    def totals(self, job: int) -> Totals:
        return Totals(self.events, self.since_ms if job == 2 else self.talk_ms)

    def windows(self, job: int) -> dict[tuple[int, str, int], Totals] | None:
        """What the output topic must hold, window by window; None where it is not compared."""
        return {1: self.talk, 2: self.since}.get(job)


class _Contact:
    """A contact that is under way; ``first_ms`` is the time of its first event."""

    __slots__ = ("channel", "first_ms", "name", "number", "queue", "state")

    def __init__(self, number: int, queue: str) -> None:
        self.number = number
        self.name = f"contact-{number:08d}"
        self.queue = queue
        self.channel = CHANNELS[number % len(CHANNELS)]
        self.first_ms = 0
        self.state = 0


def events(count: int, start_ms: int, seed: int = 1) -> Iterator[Event]:
    """The first ``count`` events of the sequence that begins at ``start_ms`` (a whole minute)."""
    chance = random.Random(seed)
    live: list[_Contact] = []
    begun = 0
    for number in range(count):
        now = start_ms + number * STEP_MS
        if len(live) < OPEN_CONTACTS:
            begun += 1
            live.append(_Contact(begun, f"queue-{int(chance.random() * QUEUES):02d}"))
        index = int(chance.random() * len(live))
        contact = live[index]
        kind = _kind(contact.state, chance)
        if contact.state == 0:
            contact.first_ms = now
        contact.state += 1
        if kind == "ended":
            live[index] = live[-1]
            live.pop()
        talk_ms = int(chance.random() * 600_000) if kind == "ended" else 0
        yield _event(number, contact, kind, now, talk_ms)


def _kind(state: int, chance: random.Random) -> str:
    """Queued, then answered (or abandoned and over), perhaps held, ended."""
    if state == 0:
        return "queued"
    if state == 1:
        return "answered" if chance.random() < 0.85 else "ended"
    return "held" if state == 2 and chance.random() < 0.5 else "ended"


def _event(number: int, contact: _Contact, kind: str, now: int, talk_ms: int) -> Event:
    text = (
        f'{{"id":"ev-{number:016d}","type":"contact.{kind}","time":{now},"queue":"{contact.queue}",'
        f'"channel":"{contact.channel}","contact":"{contact.name}","talk_ms":{talk_ms}}}'
    )
    return Event(
        contact.number % PARTITIONS,
        contact.name,
        now,
        contact.queue,
        talk_ms,
        now - contact.first_ms,
        text.encode(),
    )


def answers(lengths: Sequence[int], start_ms: int) -> dict[int, Answers]:
    """The answers for each length (tests; the producer makes them on its way)."""
    found: dict[int, Answers] = {length: Answers() for length in lengths}
    for number, event in enumerate(events(max(lengths), start_ms)):
        for length, answer in found.items():
            if number < length:
                answer.add(event)
    return found
