"""The load of all channels is one that platforms could have told, and its truth is true."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from bench.every_channel import Sample, _after, _span
from bench.mixed_load import BEGIN_MS, LASTS_MS, Load, Mix, Row, faster
from bench.spying import profile_of
from streams.codec import decode_agent, decode_contact
from streams.core import events as ev
from streams.core.source import Rejected
from streams.errors import StateError
from tests.week.calls import AGENTS

MIX = Mix(60_000)


@cache
def load() -> Load:
    return Load(MIX)


@cache
def told(of_agents: bool) -> tuple[tuple[Row, object], ...]:
    decode = decode_agent if of_agents else decode_contact
    return tuple((row, decode(row[2])) for row in load().rows(of_agents))


@pytest.mark.parametrize("of_agents", [False, True])
def test_every_event_can_be_read_and_is_told_once_in_its_place_and_time(of_agents: bool) -> None:
    ids: set[str] = set()
    places: dict[bytes | None, int] = {}
    times = [0] * 4
    for (partition, key, _), event in told(of_agents):
        assert not isinstance(event, Rejected)
        assert event.time >= times[partition]  # type: ignore[attr-defined]
        times[partition] = event.time  # type: ignore[attr-defined]
        if isinstance(event, ev.Tick):
            continue
        assert isinstance(event, ev.AgentEvent if of_agents else ev.ContactEvent)
        assert key == (event.agent if of_agents else event.contact).encode()  # type: ignore[union-attr]
        assert places.setdefault(key, partition) == partition
        assert event.id not in ids
        ids.add(event.id)


def test_it_is_as_many_as_are_asked_for_and_as_are_counted() -> None:
    events = [e for of in (False, True) for _, e in told(of) if not isinstance(e, ev.Tick)]
    counted = Counter("agent" if isinstance(e, ev.AgentEvent) else e.channel for e in events)  # type: ignore[attr-defined]
    assert counted == load().counts
    assert load().events == len(events) == pytest.approx(MIX.events, rel=0.1)
    assert load().copies == 2


def test_all_kinds_of_events_are_there() -> None:
    kinds = {type(event) for of in (False, True) for _, event in told(of)}
    wanted = {
        ev.ContactStarted, ev.StageEntered, ev.Queued, ev.Offered, ev.OfferEnded, ev.Answered,
        ev.Held, ev.Transferred, ev.Handled, ev.WrapUpEnded, ev.Classified, ev.SurveySent,
        ev.Rated, ev.Message, ev.Assigned, ev.StatusChanged, ev.Escalated, ev.BotHandedOff,
        ev.Ended, ev.AgentScheduled, ev.AgentTalking, ev.AgentHolding, ev.AgentWrapUp,
        ev.AgentContactEnded, ev.AgentOffered, ev.LoggedIn, ev.LoggedOut, ev.NotReady, ev.Ready,
        ev.JoinedQueue, ev.Tick,
    }  # fmt: skip
    assert wanted <= kinds


def test_copies_are_other_contacts_of_other_customers_but_the_same_agents() -> None:
    started = [e for _, e in told(False) if isinstance(e, ev.ContactStarted)]
    by_copy = Counter(e.contact.rpartition(".")[2] for e in started)
    assert len(by_copy) == load().copies
    assert len(set(by_copy.values())) == 1
    customers = [{e.customer for e in started if e.contact.endswith(f".{c}")} for c in by_copy]
    assert customers[0] & customers[1] == {None}
    names = {e.agent for _, e in told(True) if isinstance(e, ev.AgentEvent)}
    assert len(names) == load().agents == 60
    assert {name.rpartition("-")[0] for name in names} == set(AGENTS)


def test_the_truth_counts_the_calls_that_count() -> None:
    excluded = {
        e.contact
        for _, e in told(False)
        if (isinstance(e, ev.ContactStarted | ev.Classified) and (e.test or e.spam))
    }
    voice = [e for _, e in told(False) if isinstance(e, ev.ContactEvent) and e.channel == "voice"]
    kinds = Counter(type(e) for e in voice if e.contact not in excluded)
    assert load().true["contacts_offered"] == kinds[ev.Queued] > 1_000
    assert load().true["contacts_answered"] == kinds[ev.Answered]


def test_every_contact_an_agent_takes_ends_before_the_log_does() -> None:
    open_contacts: set[tuple[str, str]] = set()
    for _, event in told(True):
        match event:
            case ev.AgentTalking():
                open_contacts.add((event.agent, event.contact))
            case ev.AgentContactEnded():
                open_contacts.discard((event.agent, event.contact))
    assert not open_contacts


def test_what_takes_days_is_told_faster_in_the_same_proportions() -> None:
    def at(*hours: int) -> list[ev.ContactEvent]:
        named = {"id": "a", "source": "s", "contact": "c"}
        return [ev.Ended(time=BEGIN_MS + h * LASTS_MS, **named) for h in hours]

    assert [e.time - BEGIN_MS for e in faster(at(0, 1, 4))] == [0, LASTS_MS // 4, LASTS_MS]
    assert faster(at(0, 1)) == at(0, 1)


# -- what is made of samples


def sample(at: float, records: int) -> Sample:
    return Sample(at, records, at / 2, at / 4, at / 10, 1)


def test_rates_are_those_of_events_and_not_of_ticks() -> None:
    span = _span(sample(2, 100), sample(12, 1_100), 0.9)
    assert (span.seconds, span.events_per_second, span.events_per_cpu_second) == (10, 90, 180)
    assert (span.worker_cores, span.broker_cores, span.harness_cores) == (0.5, 0.25, 0.1)


def test_what_is_too_short_is_not_measured() -> None:
    with pytest.raises(StateError, match="too few"):
        _after([sample(1, 10)], 11)
    with pytest.raises(StateError, match="too few"):
        _span(sample(1, 10), sample(1, 10), 1)


def test_stacks_are_put_together_by_part_and_by_function() -> None:
    found = profile_of(
        [
            "run (a.py:1);seal (streams/stages/board.py:7);f (x.py:1) 3",
            "run (streams/runtime/loop.py:2);f (x.py:9) 1",
            "run (a.py:1) 1",
        ]
    )
    assert found.samples == 5
    assert found.parts == [("board", 0.6), ("the loop", 0.2), ("other", 0.2)]
    assert found.functions == [("f (x.py)", 0.8), ("run (a.py)", 0.2)]
    assert profile_of([]).samples == 0
