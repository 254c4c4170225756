"""A late event in its place gives what folding everything anew gives."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from streams.core import events as ev
from streams.core.agent import AgentState, fold
from streams.core.agent_history import AgentHistory


def day(seed: int, calls: int = 150) -> list[ev.AgentEvent]:
    """A day of one agent: calls, pauses, wrap-ups, some of it in the same second."""
    chance = random.Random(seed)
    events: list[ev.AgentEvent] = []
    now = 0
    for number in range(calls):
        common = {"source": "test", "agent": "Anna"}
        contact = f"c{number}"
        now += chance.choice([0, 1_000, 30_000])
        kinds = chance.sample([ev.AgentTalking, ev.AgentHolding, ev.AgentWrapUp], 2)
        for step, kind in enumerate([*kinds, ev.AgentContactEnded]):
            now += chance.choice([0, 1_000, 60_000])
            events.append(kind(id=f"{number}-{step}", contact=contact, time=now, **common))
        if chance.random() < 0.2:
            kind = chance.choice([ev.NotReady, ev.Ready, ev.LoggedOut, ev.LoggedIn])
            events.append(kind(id=f"{number}-p", time=now, **common))
    return events


@pytest.mark.parametrize("seed", range(20))
def test_any_order_gives_the_state_and_the_spans_of_the_right_order(seed: int) -> None:
    events = day(seed)
    random.Random(seed).shuffle(events)
    history, spans = AgentHistory(AgentState()), Counter()
    for event in events:
        was, now = history.add(event)
        spans.subtract(was)
        spans.update(now)
    state, facts = fold(AgentState(), events)
    assert history.state == state
    assert {span: n for span, n in spans.items() if n} == dict(Counter(facts))


def test_a_late_event_does_not_fold_the_whole_day_again() -> None:
    history = AgentHistory(AgentState(), day(1, 3_000))
    late = ev.AgentTalking(id="x", source="test", agent="Anna", contact="late", time=5)
    done = ev.AgentContactEnded(id="y", source="test", agent="Anna", contact="late", time=6)
    history.add(late)
    was, now = history.add(done)
    assert len(was) + len(now) < 500
