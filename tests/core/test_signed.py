"""What must be posted so that other facts stand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.core.facts import ArrivalEscalated, Fact, StageEntered
from streams.core.signed import difference, replaced, standing

FACTS: st.SearchStrategy[Fact] = st.builds(
    lambda kind, at_ms: kind("bot", "chat", at_ms),
    st.sampled_from((StageEntered, ArrivalEscalated)),
    st.integers(0, 2),
)
"""Two kinds of the same values, which are equal as tuples."""


@given(st.lists(FACTS, max_size=4), st.lists(FACTS, max_size=3), st.lists(FACTS, max_size=3))
def test_what_is_replaced_is_the_difference_of_what_stands(
    same: list[Fact], known: list[Fact], now: list[Fact]
) -> None:
    said = replaced([*same, *known], [*same, *now])
    assert difference(said, difference(standing(known), standing(now))) == []


def test_what_stays_is_not_said_again() -> None:
    first, second, third = (StageEntered("bot", "chat", at_ms) for at_ms in (1, 2, 3))
    assert replaced([first, second], [first, second, third]) == [(third, 1)]
    assert replaced([first, second, third], [second, third]) == [(first, -1)]
