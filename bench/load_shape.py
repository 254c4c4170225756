"""The load: endless interleaved voice calls, event by event, with probes among them.

Every event moves one call on, and who is next is drawn at random among the live ones, so as many
calls begin as end and the mix of events is the same at any time: queued; answered or, every seventh
time, abandoned; handled.  What event number n is, is decided by the seed alone.

A **probe** is a call whose beginning is event number 0, ``probe_every``, twice that and so on.  Its
queue is one of ``probe_queues`` that no other call uses, and all probes of a queue go to one
partition, in which they stand in their order.  So a result that says "c contacts offered" for a
probe queue includes exactly the first c probes of that queue.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from streams import codec
from streams.core import events as ev

PARTITIONS = 4
ABANDONED_RATIO = 1 / 7
AGENTS = 200
PROBE_QUEUES = 20
PROBE_PREFIX = "probe-"


class Sent(NamedTuple):
    """One record of the contact events topic."""

    partition: int
    key: bytes
    value: bytes


@dataclass(frozen=True)
class Shape:
    """``live`` calls at a time over ``queues`` queues; a probe every ``probe_every`` events (0:
    none).  With ``customers``, each call has one of so many (0: nobody is known)."""

    queues: int = 20
    live: int = 2_000
    probe_every: int = 0
    probe_queues: int = PROBE_QUEUES
    customers: int = 0
    seed: int = 1


class _Live(NamedTuple):
    """A call under way; ``step``: 0 begins, 1 waits, 2 talks.  ``since_ms``: its last event."""

    contact: str
    partition: int
    queue: str
    step: int
    since_ms: int


class Load:
    """The events of one shape, in order: ``next`` with the event time of each."""

    def __init__(self, shape: Shape) -> None:
        self.number = 0
        """The number of the event that comes next."""
        self._shape = shape
        self._chance = random.Random(shape.seed)
        self._live: list[_Live] = []
        self._begun = 0

    def next(self, time_ms: int) -> Sent:
        """The next event, dated ``time_ms`` (integer epoch milliseconds)."""
        every, number = self._shape.probe_every, self.number
        self.number += 1
        if every and number % every == 0:
            probe = _probe(number // every, self._shape.probe_queues, time_ms)
            self._live.append(probe)
            return self._move(len(self._live) - 1, time_ms)
        if len(self._live) < self._shape.live:
            self._live.append(self._begin(time_ms))
        return self._move(int(self._chance.random() * len(self._live)), time_ms)

    def _begin(self, time_ms: int) -> _Live:
        self._begun += 1
        queue = f"queue-{int(self._chance.random() * self._shape.queues)}"
        return _Live(f"call.{self._begun}", self._begun % PARTITIONS, queue, 0, time_ms)

    def _move(self, index: int, time_ms: int) -> Sent:
        """Move one call on, and take it out when it has ended."""
        call = self._live[index]
        event, step = self._event(call, time_ms)
        if step < 0:
            self._live[index] = self._live[-1]
            self._live.pop()
        else:
            self._live[index] = call._replace(step=step, since_ms=time_ms)
        return Sent(call.partition, call.contact.encode(), codec.encode(event))

    def _event(self, call: _Live, time_ms: int) -> tuple[ev.ContactEvent, int]:
        """What happens to a call, and the step it is at afterwards (below 0: it has ended)."""
        if call.step == 0:
            return queued(call.contact, call.queue, time_ms, self._customer()), 1
        if call.step == 1 and self._chance.random() < ABANDONED_RATIO:
            return _abandoned(call, time_ms), -1
        return (_answered(call, time_ms), 2) if call.step == 1 else (_handled(call, time_ms), -1)

    def _customer(self) -> str | None:
        customers = self._shape.customers
        return f"customer-{int(self._chance.random() * customers)}" if customers else None


def queued(contact: str, queue: str, time_ms: int, customer: str | None = None) -> ev.ContactEvent:
    """The beginning of a call."""
    return ev.Queued(
        id=f"{contact}-0",
        source="bench",
        contact=contact,
        time=time_ms,
        queue=queue,
        position=1,
        customer=customer,
    )


def _answered(call: _Live, time_ms: int) -> ev.ContactEvent:
    return ev.Answered(
        id=f"{call.contact}-1",
        source="bench",
        contact=call.contact,
        time=time_ms,
        queue=call.queue,
        agent=_agent(call),
        wait_ms=time_ms - call.since_ms,
    )


def _abandoned(call: _Live, time_ms: int) -> ev.ContactEvent:
    return ev.LeftQueue(
        id=f"{call.contact}-1",
        source="bench",
        contact=call.contact,
        time=time_ms,
        queue=call.queue,
        outcome="abandoned",
        wait_ms=time_ms - call.since_ms,
    )


def _handled(call: _Live, time_ms: int) -> ev.ContactEvent:
    return ev.Handled(
        id=f"{call.contact}-2",
        source="bench",
        contact=call.contact,
        time=time_ms,
        queue=call.queue,
        agent=_agent(call),
        talk_ms=time_ms - call.since_ms,
        ended_by="agent",
    )


def _agent(call: _Live) -> str:
    return f"Agent/{int(call.contact.partition('.')[2]) % AGENTS}"


# -- probes


def _probe(number: int, queues: int, time_ms: int) -> _Live:
    queue = number % queues
    return _Live(f"probe.{number}", queue % PARTITIONS, probe_queue(queue), 0, time_ms)


def probe_queue(queue: int) -> str:
    """The name of the probe queue with this number."""
    return f"{PROBE_PREFIX}{queue}"


def included(queue: int, before: int, count: int, queues: int) -> Iterator[int]:
    """The numbers of the probes that a count includes and the one ``before`` did not.

    >>> list(included(queue=3, before=1, count=3, queues=20))
    [23, 43]
    """
    return (queue + nth * queues for nth in range(before, count))


# -- calls that only wait


def standing(count: int, queues: int, time_ms: int, answered: bool) -> Iterator[Sent]:
    """Calls that begin and never end, so that they stay open; ``answered``: they talk, else they
    wait."""
    for number in range(count):
        call = _Live(f"open.{number}", number % PARTITIONS, f"queue-{number % queues}", 1, time_ms)
        key = call.contact.encode()
        yield Sent(call.partition, key, codec.encode(queued(call.contact, call.queue, time_ms)))
        if answered:
            yield Sent(call.partition, key, codec.encode(_answered(call, time_ms + 1)))
