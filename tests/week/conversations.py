"""Chats, mails and tickets of a simulated week: events alone.

What they prove is found by the oracles of each family (``tests.oracle``), which look at the whole
list of a conversation's events, and by ``written`` here for what is the same for all.
"""

from __future__ import annotations

from random import Random
from typing import Any

from streams.core import events as ev
from streams.core.vocabulary import Channel
from tests.week.calls import AGENTS, ISSUES
from tests.week.times import Clock

CHANNELS: tuple[Channel, ...] = ("chat", "email", "ticket", "social")
PACE: dict[str, float] = {"chat": 40, "social": 900, "email": 9_000, "ticket": 14_000}
"""How long people take to write, in seconds."""


class Conversation:
    """One conversation; ``happen`` fills ``events``."""

    def __init__(self, name: str, chance: Random, clock: Clock, customer: str | None) -> None:
        self.name = name
        self.chance = chance
        self.customer = customer
        self.channel = chance.choice(CHANNELS)
        self.now = clock.moment(chance)
        self.events: list[ev.ContactEvent] = []
        self.agent: str | None = None

    def tell(self, what: type[ev.ContactEvent], **fields: Any) -> None:
        name = f"{self.name}-{len(self.events)}"
        common = {"source": "desk", "contact": self.name, "channel": self.channel}
        self.events.append(what(**{"id": name, "time": self.now, **common, **fields}))

    def later(self, mean_seconds: float) -> None:
        self.now += max(1, round(self.chance.expovariate(1 / mean_seconds) * 1000))

    def maybe(self, share: float) -> bool:
        return self.chance.random() < share

    def happen(self) -> None:
        outbound = self.maybe(0.06)
        self.tell(
            ev.ContactStarted,
            direction="outbound" if outbound else "inbound",
            customer=self.customer,
            issue_type=self.chance.choice(ISSUES),
        )
        if outbound:
            self._outreach()
        elif self.maybe(0.9):
            self.now += self.chance.choice((1, 500, 900))
            self.tell(ev.Message, author="customer")
        if not outbound and self.maybe(0.35) and self._bot():
            return
        for _ in range(self.chance.choice((1, 1, 1, 2, 3))):
            self._episode()
        self._afterwards()

    def _outreach(self) -> None:
        self.later(5)
        self.agent = self.chance.choice(AGENTS)
        self.tell(ev.Message, author="agent", agent=self.agent)
        if self.maybe(0.6):
            self.later(PACE[self.channel])
            self.tell(ev.Message, author="customer")

    def _bot(self) -> bool:
        """Whether the bot was enough."""
        for _ in range(self.chance.choice((1, 2, 3))):
            self.later(2)
            self.tell(ev.Message, author="bot", automatic=self.maybe(0.1))
            if self.maybe(0.7):
                self.later(30)
                self.tell(ev.Message, author="customer")
        if self.maybe(0.5):
            self.later(5)
            self.tell(ev.BotHandedOff)
            return False
        if self.maybe(0.4):
            self.later(5)
            by = self.chance.choice(("customer", "bot"))
            self.tell(ev.ResolutionClaimed, resolved=self.maybe(0.7), by=by)
        if self.maybe(0.8):
            self.later(60)
            self.tell(ev.Ended, ended_by="customer")
            return True
        return False

    def _episode(self) -> None:
        """From a question to its solution, or to nothing."""
        if self.maybe(0.7):
            self.later(60)
            self._assign()
        for _ in range(self.chance.choice((0, 1, 1, 2, 4))):
            self._exchange()
        if self.maybe(0.1):
            self.later(600)
            self.tell(
                ev.Escalated, from_tier="first", to_tier="second", agent=self.agent,
                reason=self.chance.choice(("expert", "complaint", None)),
            )  # fmt: skip
        if self.maybe(0.75):
            self.later(PACE[self.channel])
            self.tell(ev.StatusChanged, status="solved", agent=self.agent)
            if self.maybe(0.3):
                self.later(3_600)
                self.tell(ev.StatusChanged, status="closed")

    def _assign(self) -> None:
        self.agent = self.chance.choice(AGENTS)
        self.tell(
            ev.Assigned, queue=self.chance.choice(("Help", "Support", None)), agent=self.agent,
            team=self.chance.choice(("first", "second", None)),
        )  # fmt: skip

    def _exchange(self) -> None:
        pace = PACE[self.channel]
        self.later(pace)
        kind = self.chance.choices(("reply", "note", "auto", "status", "customer"), (6, 1, 1, 1, 2))
        match kind[0]:
            case "reply":
                self.tell(ev.Message, author="agent", agent=self.agent)
                if self.maybe(0.6):
                    self.later(pace)
                    self.tell(ev.Message, author="customer", automatic=self.maybe(0.05))
            case "note":
                self.tell(ev.Message, author="agent", agent=self.agent, public=False)
            case "auto":
                self.tell(ev.Message, author="system", automatic=True)
            case "status":
                status = self.chance.choice(("pending", "on_hold", "open"))
                self.tell(ev.StatusChanged, status=status)
            case _:
                self.tell(ev.Message, author="customer")

    def _afterwards(self) -> None:
        if self.maybe(0.3):
            self.later(600)
            self.tell(ev.Classified, issue_type=self.chance.choice(ISSUES))
        if self.maybe(0.3):
            self.later(600)
            self.tell(ev.SurveySent, survey="csat")
            for _ in range(self.chance.choice((0, 1, 2))):
                self.later(3_000)
                score = self.chance.randint(1, 6)
                self.tell(ev.Rated, survey="csat", score=score, scale=5)
        if self.maybe(0.02):
            self.later(600)
            self.tell(ev.Merged, into="another")
        if self.channel == "chat" and self.maybe(0.6):
            self.later(60)
            self.tell(ev.Ended, ended_by="customer")
