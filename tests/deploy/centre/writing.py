"""Chats, mails and tickets of a simulated centre, with surveys and customers who come back."""

from __future__ import annotations

from collections.abc import Iterator
from math import log
from random import Random
from typing import Any, NamedTuple

from streams.core import events as ev
from streams.core.vocabulary import Channel

HOUR_MS = 3_600_000
CUSTOMERS = 12_000


class Desk(NamedTuple):
    """One queue of one channel.  Times are medians in seconds; who is good has few unhappy."""

    queue: str
    channel: Channel
    per_hour: float
    response_s: float
    exchange_s: float
    unhappy: float = 0.15


DESKS = (
    Desk("sales", "chat", 40, 15, 60),
    Desk("support", "chat", 60, 22, 90, 0.25),
    Desk("billing", "chat", 20, 18, 60),
    Desk("orders", "chat", 20, 12, 60),
    Desk("support", "email", 24, 5_400, 7_200, 0.2),
    Desk("billing", "email", 16, 10_800, 9_000, 0.3),
    Desk("sales", "email", 12, 3_600, 5_400),
    Desk("support", "ticket", 8, 7_200, 20_000),
)


def conversations(
    random: Random, start_ms: int, end_ms: int, pace: float
) -> Iterator[ev.ContactEvent]:
    """What began to be written in this time, in no order; some of it goes on after the end."""
    for desk in DESKS:
        at, number = float(start_ms), 0
        while (at := at + random.expovariate(desk.per_hour * pace / HOUR_MS)) < end_ms:
            number += 1
            name = f"{desk.channel}-{desk.queue}-{start_ms}-{number}"
            yield from _Conversation(name, desk, random, round(at)).events()


class _Conversation:
    def __init__(self, name: str, desk: Desk, random: Random, began_ms: int) -> None:
        self.name, self.desk, self.random, self.now_ms = name, desk, random, began_ms
        self.told = 0

    def events(self) -> Iterator[ev.ContactEvent]:
        agent = f"writer-{self.random.randrange(20):02}"
        customer = f"customer-{self.random.randrange(CUSTOMERS)}"
        yield self._tell(ev.ContactStarted, direction="inbound", customer=customer)
        yield self._tell(ev.Message, author="customer")
        self._pass(5, 0.5)
        yield self._tell(ev.Assigned, queue=self.desk.queue, agent=agent)
        self._pass(self.desk.response_s, 0.9)
        yield self._tell(ev.Message, author="agent", agent=agent)
        for _ in range(self.random.choice((0, 1, 1, 2))):
            self._pass(self.desk.exchange_s)
            yield self._tell(ev.Message, author="customer")
            self._pass(self.desk.exchange_s)
            yield self._tell(ev.Message, author="agent", agent=agent)
        self._pass(self.desk.exchange_s)
        yield self._tell(ev.StatusChanged, status="solved", agent=agent)
        yield from self._afterwards(agent)

    def _afterwards(self, agent: str) -> Iterator[ev.ContactEvent]:
        happy = self.random.random() > self.desk.unhappy
        if self.random.random() < 0.5:
            yield from self._surveyed(happy)
        if self.random.random() < 0.3:
            self._pass(120)
            yield self._tell(ev.ResolutionClaimed, resolved=happy, by="customer")
        if self.random.random() < 0.07:
            self._pass(1_800)
            yield self._tell(ev.StatusChanged, status="open")
            self._pass(self.desk.response_s)
            yield self._tell(ev.Message, author="agent", agent=agent)
            self._pass(self.desk.exchange_s)
            yield self._tell(ev.StatusChanged, status="solved", agent=agent)

    def _surveyed(self, happy: bool) -> Iterator[ev.ContactEvent]:
        kind, scale = self.random.choice(
            (("csat", 5), ("csat", 5), ("nps_transactional", 10), ("nps_relationship", 10))
        )
        self._pass(30)
        yield self._tell(ev.SurveySent, survey=kind)
        low, high = (scale - 1, scale) if happy else (1, scale - 2)
        self._pass(240)
        score = self.random.randint(low, high)
        yield self._tell(ev.Rated, survey=kind, score=score, scale=scale)

    def _pass(self, median_s: float, sigma: float = 0.7) -> None:
        self.now_ms += max(1, round(self.random.lognormvariate(log(median_s), sigma) * 1000))

    def _tell(self, what: type[ev.ContactEvent], **fields: Any) -> ev.ContactEvent:
        self.told += 1
        return what(
            id=f"{self.name}-{self.told}",
            time=self.now_ms,
            source="desk",
            contact=self.name,
            channel=self.desk.channel,
            **fields,
        )
