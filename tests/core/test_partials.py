"""Partials are a function of the log up to their position, whatever was taken when."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from streams.core.facts import ContactArrived, Fact, StagePassed, VisitLeft
from streams.core.measure import CHANNEL, CutKey, Is, Measure, Post, compile_measures
from streams.core.partials import Partial, RunningSegment
from streams.core.posting import generate_post
from streams.core.terms import Terms
from streams.stages import wire
from tests.builders import T0

MEASURES = (
    Measure("left", VisitLeft, "left_ms", ""),
    Measure("left_wait_ms", VisitLeft, "left_ms", "", value="wait_ms"),
    Measure("began", VisitLeft, "entered_ms", "", where=(Is("outcome", "abandoned"),)),
    Measure("arrived", ContactArrived, "entered_ms", "", cuts=(CHANNEL,)),
    Measure("passed", StagePassed, "entered_ms", ""),
)
ROLLING, PLAIN = generate_post(MEASURES, Terms()), compile_measures(MEASURES, Terms())
MINUTES = st.sampled_from([T0, T0 + 60_000])
QUEUES, CHANNELS = st.sampled_from(["PS", "IN"]), st.sampled_from(["voice", "chat"])
FACTS: st.SearchStrategy[Fact] = st.one_of(
    st.builds(
        VisitLeft,
        QUEUES,
        CHANNELS,
        MINUTES,
        MINUTES,
        st.none() | st.integers(0, 9),
        st.sampled_from(["abandoned", "key"]),
    ),
    st.builds(ContactArrived, QUEUES, CHANNELS, MINUTES),
    st.builds(
        StagePassed,
        st.just("hold"),
        st.none() | QUEUES,
        CHANNELS,
        MINUTES,
        MINUTES,
        st.none(),
        st.booleans(),
    ),
)
SIGNED = st.lists(st.tuples(FACTS, st.sampled_from((1, -1))), max_size=2)
LOG = st.lists(st.tuples(SIGNED, st.booleans()), max_size=12)
"""Per event: what it proves and disproves, and whether the changed sums are taken after it."""
Events = Sequence[tuple[Sequence[tuple[Fact, int]], bool]]


def published(post: Post, log: Events, *, takes: bool = True) -> list[list[Partial]]:
    """The changed sums of every publish, in an order of their own; the last is at the border."""
    running = RunningSegment("contacts/0")
    running.begin(0)
    taken = []
    for position, (signed, take) in enumerate(log):
        running.position = position
        for fact, sign in signed:
            post(fact, sign, running.cell)
        if take and takes:
            taken.append(running.take_changed())
    return [*taken, running.take_changed()]


def latest(publishes: Sequence[Sequence[Partial]]) -> dict[tuple[CutKey, int], bytes]:
    return {(p.cut, p.minute): wire.encode(p) for taken in publishes for p in taken}


@given(LOG)
def test_sums_rolled_up_are_the_sums_added_up(log: Events) -> None:
    rolled, plain = published(ROLLING, log), published(PLAIN, log)
    assert [sorted(taken, key=str_of) for taken in rolled] == [
        sorted(taken, key=str_of) for taken in plain
    ]


def str_of(partial: Partial) -> str:
    return f"{partial.cut} {partial.minute}"


@given(LOG)
def test_the_bytes_of_a_partial_do_not_tell_when_it_was_published(log: Events) -> None:
    assert latest(published(ROLLING, log)) == latest(published(ROLLING, log, takes=False))


def test_a_channel_has_the_position_of_its_latest_queue() -> None:
    log = [([(VisitLeft(queue, "voice", T0, T0, 5, "key"), 1)], False) for queue in ("PS", "IN")]
    found = {p.cut: p for p in published(ROLLING, [*log, ([], True)])[0]}
    assert found["channel", "voice"].position == found["queue", "IN", "voice"].position == 1
    assert found["channel", "voice"].amounts == {"left": 2, "left_wait_ms": 10}
    assert found["queue", "PS", "voice"].position == 0
