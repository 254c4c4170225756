"""Laws of one agent: time is divided among the states, whatever order the events come in."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core import events as ev
from streams.core.agent import OURS, SLICE_MS_MAX, AgentState, by_minute, fold
from streams.core.facts import StateSlice
from streams.core.terms import MINUTE_MS
from tests.builders import T0, agent_event, ms
from tests.core.strategies import agents

SPANS = st.builds(
    StateSlice, st.just("idle"), st.integers(T0, T0 + 10**7), st.integers(T0, T0 + 10**7)
)


@given(st.data())
def test_any_order_of_the_events_is_the_same_day(data: st.DataObject) -> None:
    events = data.draw(agents())
    again = data.draw(st.permutations(events))
    assert fold(AgentState(), again) == fold(AgentState(), events)


@given(agents())
def test_spans_follow_one_another_without_overlap(events: list[ev.AgentEvent]) -> None:
    _, spans = fold(AgentState(), events)
    for earlier, later in pairwise(spans):
        assert earlier.until_ms <= later.from_ms
    assert all(span.from_ms <= span.until_ms for span in spans)


@given(agents())
def test_all_time_is_in_a_span_or_offline_or_not_over_yet(events: list[ev.AgentEvent]) -> None:
    state, spans = fold(AgentState(), [])
    offline_ms, last_ms = 0, None
    for event in sorted(events, key=lambda e: e.time):
        if last_ms is not None and state.state == "offline":
            offline_ms += event.time - last_ms
        last_ms = event.time
        state, spans = fold(AgentState(), [e for e in events if e.time <= event.time])
    if last_ms is not None:
        open_ms = 0 if state.state == "offline" else last_ms - state.since_ms
        in_spans = sum(span.duration_ms for span in spans)
        first_ms = min(event.time for event in events)
        assert offline_ms + in_spans + open_ms == last_ms - first_ms


@given(st.data())
def test_a_day_folded_in_two_parts_is_the_day_folded_at_once(data: st.DataObject) -> None:
    events = data.draw(agents())
    border = data.draw(st.sampled_from([ms(0), ms(2), ms(59), ms(100)]))
    earlier = [e for e in events if e.time < border]
    later = [e for e in events if e.time >= border]
    base, first = fold(AgentState(), earlier)
    state, second = fold(base, later)
    assert (state, first + second) == fold(AgentState(), events)


@given(agents())
def test_folding_leaves_its_base_as_it_was(events: list[ev.AgentEvent]) -> None:
    base, _ = fold(AgentState(), events)
    before = base.copy()
    fold(base, events)
    assert base == before


@given(SPANS)
def test_pieces_of_a_span_make_up_the_span_and_none_spans_a_minute(span: StateSlice) -> None:
    pieces = list(by_minute(span))
    assert sum(piece.duration_ms for piece in pieces) == max(0, span.duration_ms)
    for piece in pieces:
        assert piece.from_ms // MINUTE_MS == (piece.until_ms - 1) // MINUTE_MS
        assert piece.duration_ms > 0
    for earlier, later in pairwise(pieces):
        assert earlier.until_ms == later.from_ms


@pytest.mark.parametrize(
    ("length_ms", "believed"), [(SLICE_MS_MAX, True), (SLICE_MS_MAX + 1, False)]
)
def test_a_state_that_lasts_too_long_is_not_believed(length_ms: int, believed: bool) -> None:
    pieces = list(by_minute(StateSlice("idle", T0, T0 + length_ms)))
    assert (sum(p.duration_ms for p in pieces) == length_ms) is believed
    assert bool(pieces) is believed


# -- tables

SHIFT = [
    agent_event(ev.LoggedIn, 0),
    agent_event(ev.AgentOffered, 10, contact="c1"),
    agent_event(ev.AgentTalking, 15, contact="c1"),
    agent_event(ev.AgentHolding, 40, contact="c1"),
    agent_event(ev.AgentTalking, 50, contact="c1"),
    agent_event(ev.AgentWrapUp, 90, contact="c1"),
    agent_event(ev.AgentContactEnded, 120, contact="c1"),
    agent_event(ev.NotReady, 130),
    agent_event(ev.Ready, 190),
    agent_event(ev.LoggedOut, 200),
]


def seconds_by_state(events: list[ev.AgentEvent]) -> dict[str, float]:
    found: dict[str, float] = {}
    for span in fold(AgentState(), events)[1]:
        found[span.state] = found.get(span.state, 0) + span.duration_ms / 1000
    return found


def test_a_shift_is_divided_among_its_states() -> None:
    assert seconds_by_state(SHIFT) == {
        "idle": 10 + 10 + 10, "offered": 5, "talking": 25 + 40, "on_hold": 10, "wrap_up": 30,
        "not_ready": 60,
    }  # fmt: skip


def test_with_several_contacts_the_busiest_state_counts() -> None:
    both = [
        agent_event(ev.AgentWrapUp, 0, contact="c1"),
        agent_event(ev.AgentTalking, 10, contact="c2"),
        agent_event(ev.AgentContactEnded, 30, contact="c2"),
        agent_event(ev.AgentContactEnded, 60, contact="c1"),
    ]
    assert seconds_by_state(both) == {"wrap_up": 10 + 30, "talking": 20}


def test_an_agent_who_never_logged_in_is_there_from_the_first_contact_on() -> None:
    talking = [
        agent_event(ev.AgentTalking, 0, contact="c1"),
        agent_event(ev.AgentContactEnded, 30, contact="c1"),
        agent_event(ev.LoggedOut, 50),
    ]
    assert seconds_by_state(talking) == {"talking": 30, "idle": 20}


def test_logging_out_ends_everything() -> None:
    out = [agent_event(ev.AgentTalking, 0, contact="c1"), agent_event(ev.LoggedOut, 20)]
    state, _ = fold(AgentState(), out)
    assert (state.state, state.contacts, state.levels()) == ("offline", {}, [])


def test_a_pause_in_one_of_two_queues_is_no_pause_of_the_agent() -> None:
    joined = [agent_event(ev.JoinedQueue, 0, queue=queue) for queue in ("PS", "IN")]
    one = [*joined, agent_event(ev.NotReady, 10, queue="PS")]
    state, _ = fold(AgentState(), one)
    assert state.levels() == [
        ("agents_all", "idle"), ("agents", "IN", "idle"), ("agents", "PS", "not_ready"),
    ]  # fmt: skip
    state, _ = fold(AgentState(), [*one, agent_event(ev.NotReady, 20, queue="IN")])
    assert state.state == "not_ready"


def test_the_tick_that_ends_a_wrap_up_ends_nothing_else() -> None:
    both = [
        agent_event(ev.AgentTalking, 0, contact="c2"),
        agent_event(ev.AgentWrapUp, 10, contact="c1", wrap_up_ms=30_000),
        agent_event(ev.AgentContactEnded, 40, contact="c1", source=OURS),
        agent_event(ev.AgentContactEnded, 100, contact="c2"),
        agent_event(ev.LoggedOut, 110),
    ]
    assert seconds_by_state(both) == {"talking": 100, "idle": 10}


def test_the_end_of_a_call_the_agent_never_had_ends_the_one_call_they_have() -> None:
    """After an attended transfer the ids are swapped."""
    swapped = [
        agent_event(ev.AgentTalking, 0, contact="c1"),
        agent_event(ev.AgentContactEnded, 40, contact="c9"),
        agent_event(ev.LoggedOut, 50),
    ]
    assert seconds_by_state(swapped) == {"talking": 40, "idle": 10}


def test_a_wrap_up_of_known_length_ends_by_itself() -> None:
    known = [
        agent_event(ev.AgentWrapUp, 0, contact="c1", wrap_up_ms=30_000),
        agent_event(ev.LoggedOut, 50),
    ]
    assert seconds_by_state(known) == {"wrap_up": 30, "idle": 20}
