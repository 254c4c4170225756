"""Laws of one agent: time is divided among the states, whatever order the events come in."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core import events as ev
from streams.core.agent import OURS, STAY_MS_MAX, AgentState, fold
from streams.core.agent_facts import Attempt, Doing, Span, StateSlice, facts_of
from streams.core.terms import MINUTE_MS
from tests.builders import T0, agent_event, ms
from tests.core.strategies import agents

IDLE = Doing("idle")
SPANS = st.builds(Span, st.just(IDLE), st.integers(T0, T0 + 10**7), st.integers(T0, T0 + 10**7))


def spans_of(events: list[ev.AgentEvent]) -> list[Span]:
    return [proof for proof in fold(AgentState(), events)[1] if isinstance(proof, Span)]


def pieces_of(span: Span) -> list[StateSlice]:
    return [fact for fact in facts_of("Ann", span, ()) if isinstance(fact, StateSlice)]


@given(st.data())
def test_any_order_of_the_events_is_the_same_day(data: st.DataObject) -> None:
    events = data.draw(agents())
    again = data.draw(st.permutations(events))
    assert fold(AgentState(), again) == fold(AgentState(), events)


@given(agents())
def test_every_moment_until_the_last_change_is_in_exactly_one_span(
    events: list[ev.AgentEvent],
) -> None:
    state, _ = fold(AgentState(), events)
    spans = spans_of(events)
    borders = [0, *(span.until_ms for span in spans)]
    assert [span.from_ms for span in spans] == borders[:-1]
    assert borders[-1] == state.since_ms
    assert all(span.from_ms < span.until_ms for span in spans)


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
def test_pieces_of_a_span_make_up_the_span_and_none_spans_a_minute(span: Span) -> None:
    pieces = pieces_of(span)
    assert sum(piece.duration_ms for piece in pieces) == max(0, span.until_ms - span.from_ms)
    for piece in pieces:
        assert piece.from_ms // MINUTE_MS == (piece.until_ms - 1) // MINUTE_MS
        assert piece.duration_ms > 0
    for earlier, later in pairwise(pieces):
        assert earlier.until_ms == later.from_ms


@pytest.mark.parametrize(("length_ms", "believed_ms"), [
    (STAY_MS_MAX, STAY_MS_MAX), (STAY_MS_MAX + 1, STAY_MS_MAX),
])  # fmt: skip
def test_what_a_stay_lasts_beyond_a_week_is_not_believed(length_ms: int, believed_ms: int) -> None:
    state, _ = fold(AgentState(), [agent_event(ev.LoggedIn, 0)])
    assert state.open_until(T0 + length_ms) == Span(IDLE, T0, T0 + believed_ms)
    out = agent_event(ev.LoggedOut, length_ms / 1000)
    assert spans_of([agent_event(ev.LoggedIn, 0), out])[1:] == [Span(IDLE, T0, T0 + believed_ms)]


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
    for span in spans_of(events)[1:]:  # the first one is the time before
        seconds = (span.until_ms - span.from_ms) / 1000
        found[span.doing.state] = found.get(span.doing.state, 0) + seconds
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


def test_a_call_that_takes_no_time_is_over() -> None:
    at_once = [
        agent_event(ev.JoinedQueue, 0, queue="PS"),
        agent_event(ev.AgentOffered, 5, contact="c1"),
        agent_event(ev.AgentTalking, 10, contact="c1"),
        agent_event(ev.AgentContactEnded, 10, contact="c1"),
        agent_event(ev.LoggedOut, 50),
    ]
    assert seconds_by_state(at_once) == {"idle": 45, "offered": 5}


def test_a_call_that_takes_no_time_ends_no_other() -> None:
    beside = [
        agent_event(ev.AgentTalking, 0, contact="c1", channel="chat"),
        agent_event(ev.AgentTalking, 10, contact="c2"),
        agent_event(ev.AgentContactEnded, 10, contact="c2"),
        agent_event(ev.AgentContactEnded, 30, contact="c1"),
        agent_event(ev.LoggedOut, 50),
    ]
    assert seconds_by_state(beside) == {"talking": 30, "idle": 20}


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


# -- reasons, contacts, offers


def doings(events: list[ev.AgentEvent]) -> list[Doing]:
    return [span.doing for span in spans_of([*events, agent_event(ev.LoggedOut, 1_000)])][1:]


def test_a_pause_in_a_pause_has_the_reason_that_was_said_last() -> None:
    twice = [
        agent_event(ev.NotReady, 0, reason="lunch"),
        agent_event(ev.NotReady, 10, queue="PS", reason="mails"),
        agent_event(ev.NotReady, 20),
        agent_event(ev.Ready, 30),
        agent_event(ev.NotReady, 40),
    ]
    lunch, mails, none = (Doing("not_ready", r) for r in ("lunch", "mails", "unspecified"))
    assert doings(twice) == [lunch, mails, IDLE, none]


def test_a_reason_is_cut() -> None:
    assert doings([agent_event(ev.NotReady, 0, reason="x" * 100)]) == [Doing("not_ready", "x" * 40)]


def test_a_pause_during_a_call_begins_after_it() -> None:
    events = [
        agent_event(ev.AgentTalking, 0, contact="c1"),
        agent_event(ev.NotReady, 10, reason="lunch"),
        agent_event(ev.AgentContactEnded, 20, contact="c1"),
    ]
    assert doings(events) == [Doing("talking", None, 1), Doing("not_ready", "lunch")]


def test_a_log_off_without_a_login_is_nothing() -> None:
    assert spans_of([agent_event(ev.LoggedOut, 0), agent_event(ev.LoggedOut, 10)]) == []


def test_chats_at_once_are_counted_and_one_that_is_only_offered_is_not() -> None:
    events = [
        agent_event(ev.AgentTalking, 0, contact="c1", channel="chat"),
        agent_event(ev.AgentOffered, 10, contact="c2", channel="chat"),
        agent_event(ev.AgentTalking, 20, contact="c2", channel="chat"),
        agent_event(ev.AgentWrapUp, 30, contact="c2", channel="chat"),
        agent_event(ev.AgentTalking, 40, contact="c3"),
        agent_event(ev.AgentContactEnded, 50, contact="c1", channel="chat"),
        agent_event(ev.AgentContactEnded, 60, contact="c2", channel="chat"),
    ]
    chats = [
        Doing("talking", None, n, (("chat", chat),)) for n, chat in ((1, 1), (2, 2), (3, 2), (2, 1))
    ]
    assert doings(events) == [*chats, Doing("talking", None, 1)]


@pytest.mark.parametrize(
    ("events", "outcomes"),
    [
        ([(ev.AgentOffered, {}), (ev.AgentTalking, {})], ["answered"]),
        ([(ev.AgentTalking, {}), (ev.AgentHolding, {}), (ev.AgentTalking, {})], ["answered"]),
        ([(ev.AgentOfferEnded, {}), (ev.AgentOfferEnded, {"reason": "canceled"})],
         ["no_answer", "canceled"]),
        ([(ev.AgentTalking, {}), (ev.AgentContactEnded, {}), (ev.AgentTalking, {})],
         ["answered", "answered"]),
        ([(ev.AgentOffered, {}), (ev.LoggedOut, None)], []),
    ],
)  # fmt: skip
def test_each_attempt_counts_once(
    events: list[tuple[type, dict[str, str] | None]], outcomes: list[str]
) -> None:
    told = [
        agent_event(cls, at, **({} if fields is None else {"contact": "c1", **fields}))
        for at, (cls, fields) in enumerate(events)
    ]
    found = [proof.outcome for proof in fold(AgentState(), told)[1] if isinstance(proof, Attempt)]
    assert found == outcomes
