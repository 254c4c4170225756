"""The simulated week: everything that is reported, and every fact that is true."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from streams.core import events as ev
from streams.core.facts import Fact
from streams.core.terms import Terms
from streams.settings import load
from tests.week import customers
from tests.week.calls import AGENTS, Call
from tests.week.conversations import Conversation
from tests.week.staff import Agent
from tests.week.times import SETTINGS, Clock
from tests.week.written import Written


class Week:
    """``contacts`` contacts of all channels, and ``agents`` agents; the same for the same seed."""

    def __init__(self, seed: int, contacts: int, agents: int = 3) -> None:
        chance, clock = Random(seed), Clock()
        self.calls: list[Call] = []
        self.conversations: list[Conversation] = []
        for number in range(contacts):
            customer = f"customer-{chance.randrange(contacts)}" if chance.random() < 0.8 else None
            if chance.random() < 0.6:
                call = Call(f"call-{number}", chance, clock, customer)
                call.happen()
                self.calls.append(call)
            else:
                conversation = Conversation(f"talk-{number}", chance, clock, customer)
                conversation.happen()
                self.conversations.append(conversation)
        self.staff = [Agent(name, chance) for name in AGENTS[:agents]]
        for agent in self.staff:
            agent.week()

    @cached_property
    def terms(self) -> Terms:
        with TemporaryDirectory() as folder:
            (Path(folder) / "contact-streams.toml").write_text(SETTINGS)
            return load({}, folder=Path(folder)).terms()

    @cached_property
    def events(self) -> list[ev.ContactEvent]:
        """In the order of their times."""
        told = [e for one in (*self.calls, *self.conversations) for e in one.events]
        return sorted(told, key=lambda event: event.time)

    @property
    def end_ms(self) -> int:
        """After everything."""
        return max(self.events[-1].time, self.agent_events[-1].time) + 1

    @cached_property
    def agent_events(self) -> list[ev.AgentEvent]:
        """In the order of their times."""
        return sorted((e for a in self.staff for e in a.events), key=lambda event: event.time)

    def facts(self) -> Iterator[Fact]:
        for one in (*self.calls, *self.staff):
            yield from one.facts
        for conversation in self.conversations:
            yield from Written(conversation.events).facts(self.terms)
        yield from customers.facts(self.calls, self.conversations)
