"""Agents of the simulated week: what they are said to do, and the time they truly spent at it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

from streams.core import agent_facts as fa
from streams.core import events as ev
from tests.week.times import DAYS, MONDAY, ms_of

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
BUSY = ("talking", "on_hold", "wrap_up", "offered")
"""Of several contacts the first of these that one is in."""
PLAN = (("productive", 0, 3), ("break", 3, 3.5), ("training", 3.5, 4), ("productive", 4, 8))


class Agent:
    """One agent's week: ``events``, and ``facts`` that are true."""

    def __init__(self, name: str, chance: Random) -> None:
        self.name = name
        self.chance = chance
        self.events: list[ev.AgentEvent] = []
        self.facts: list[fa.AgentFact] = []
        self.now = 0
        self.present = False
        self.reason: str | None = None
        self.ready = True
        self.contacts: dict[str, tuple[str, str]] = {}
        """Contact -> its state and channel."""
        self.plan: list[tuple[str, int, int]] = []

    def tell(self, what: type[ev.AgentEvent], **fields: Any) -> None:
        name = f"{self.name}-{len(self.events)}"
        common = {"source": "pbx", "agent": self.name}
        self.events.append(what(**{"id": name, "time": self.now, **common, **fields}))

    def maybe(self, share: float) -> bool:
        return self.chance.random() < share

    def week(self) -> None:
        for day in range(DAYS):
            if self.maybe(0.8):
                hour = self.chance.choice((0, 7, 8, 9, 14, 20))
                start = ms_of(MONDAY + timedelta(days=day)) + hour * HOUR_MS
                self._day(start + self.chance.randrange(HOUR_MS // 2))

    def _day(self, start: int) -> None:
        if start < self.now + HOUR_MS:
            return
        self.plan = []
        planned = self.maybe(0.7)
        if planned:
            self._schedule(start)
        if planned and self.maybe(0.1):
            self.now = start
            self._pass(start + 9 * HOUR_MS)  # never came
            return
        self.now = start
        if not planned:
            self.plan = []
        self._shift(start)
        self._pass(start + 10 * HOUR_MS)

    def _schedule(self, start: int) -> None:
        border = start // (15 * MINUTE_MS) * 15 * MINUTE_MS + 15 * MINUTE_MS
        self.now = start - 1_800_000
        for number, (activity, begins, ends) in enumerate(PLAN):
            self.now += number
            span = (border + round(begins * HOUR_MS), border + round(ends * HOUR_MS))
            self.tell(ev.AgentScheduled, start=span[0], end=span[1], activity=activity)
            self.plan.append((activity, *span))
        # Until the shift begins nothing is scheduled, and nobody is there.

    def _shift(self, start: int) -> None:
        self.tell(ev.LoggedIn)
        self.present, self.ready, self.reason = True, True, None
        end = start + self.chance.randrange(2, 9) * HOUR_MS
        number = 0
        while self.now < end:
            number += 1
            what = self.chance.choices(("call", "chats", "pause", "rest"), (50, 20, 10, 20))[0]
            contact = f"{self.name}-{start}-{number}"
            if what == "call":
                self._call(contact)
            elif what == "chats":
                self._chats(contact)
            elif what == "pause":
                self._pause()
            else:
                self._after(600)
        self.tell(ev.LoggedOut)
        self.present, self.contacts = False, {}

    # -- time passes

    def _after(self, mean_seconds: float) -> None:
        self._pass(self.now + max(1, round(self.chance.expovariate(1 / mean_seconds) * 1000)))

    def _pass(self, until: int) -> None:
        """What was so until then, minute by minute."""
        state, had = self._state(), [s for s, _ in self.contacts.values() if s != "offered"]
        channels = Counter(c for s, c in self.contacts.values() if s != "offered" and c != "voice")
        for piece in pieces(self.now, until):
            if state != "offline":
                reason = (self.reason or "unspecified") if state == "not_ready" else None
                self.facts.append(fa.StateSlice(self.name, state, reason, len(had), *piece))
                for channel, count in channels.items():
                    self.facts.append(fa.ChannelSlice(self.name, channel, count, *piece))
            for activity, start, end in self.plan:
                inside = max(start, piece[0]), min(end, piece[1])
                if inside[0] < inside[1]:
                    self.facts.append(fa.ScheduledSlice(self.name, activity, state, *inside))
        self.now = until

    def _state(self) -> str:
        states = {state for state, _ in self.contacts.values()}
        for busy in BUSY:
            if busy in states:
                return busy
        if not self.present:
            return "offline"
        return "idle" if self.ready else "not_ready"

    # -- what they do

    def _offer(self, contact: str, channel: str) -> bool:
        """Whether it is taken."""
        self.tell(ev.AgentOffered, contact=contact, channel=channel)
        self.contacts[contact] = "offered", channel
        self._after(6)
        if self.maybe(0.15):
            reason = self.chance.choice(("no_answer", "rejected", "canceled"))
            self.tell(ev.AgentOfferEnded, contact=contact, channel=channel, reason=reason)
            del self.contacts[contact]
            self.facts.append(fa.AttemptEnded(self.name, reason, self.now))
            self._after(20)
            return False
        self.tell(ev.AgentTalking, contact=contact, channel=channel)
        self.contacts[contact] = "talking", channel
        self.facts.append(fa.AttemptEnded(self.name, "answered", self.now))
        return True

    def _call(self, contact: str) -> None:
        if not self._offer(contact, "voice"):
            return
        self._after(150)
        if self.maybe(0.3):
            self.tell(ev.AgentHolding, contact=contact)
            self.contacts[contact] = "on_hold", "voice"
            self._after(30)
            self.tell(ev.AgentTalking, contact=contact)
            self.contacts[contact] = "talking", "voice"
            self._after(60)
        if self.maybe(0.8):
            self.tell(ev.AgentWrapUp, contact=contact)
            self.contacts[contact] = "wrap_up", "voice"
            self._after(25)
        self.tell(ev.AgentContactEnded, contact=contact)
        del self.contacts[contact]
        self._after(60)

    def _chats(self, first: str) -> None:
        for number in range(self.chance.choice((1, 2, 3))):
            self._offer(f"{first}-{number}", "chat")
            self._after(90)
        for contact in list(self.contacts):
            self._after(120)
            self.tell(ev.AgentContactEnded, contact=contact, channel="chat")
            del self.contacts[contact]
        self._after(60)

    def _pause(self) -> None:
        self.reason = self.chance.choice(("lunch", "coaching", None))
        self.tell(ev.NotReady, reason=self.reason)
        self.ready = False
        self._after(400)
        self.tell(ev.Ready)
        self.ready = True
        self._after(30)


def pieces(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The time cut at minutes."""
    while start < end:
        border = min(end, (start // MINUTE_MS + 1) * MINUTE_MS)
        yield start, border
        start = border
