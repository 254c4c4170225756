"""Nothing that can go wrong shows in the results.

Two searches over the same scenarios: Hypothesis, which makes what it finds small, and a plain
random one, which tries more of them.  ``SEARCH_FACTOR=100`` searches for minutes.
"""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import T0
from tests.profiles import SEARCH_FACTOR
from tests.simulation.actions import ON_SEATS, Action, do
from tests.simulation.check import problems, said
from tests.simulation.kinds import ANYTHING, EVERYTHING, TWO_BOARDS, TWO_SOURCES
from tests.simulation.script import AGAIN, AGENT_KINDS, CONTACT_KINDS, TIME_KINDS, Step
from tests.simulation.search import Scenario, draw, run, search, shrunk
from tests.simulation.world import Rules, World

TRIES = round(250 * SEARCH_FACTOR)
OPS = (*ON_SEATS, "feed", "feed", "take", "back", "crash", "compact", "hole")


@pytest.mark.parametrize("name", ANYTHING)
def test_random_trouble_never_shows(name: str) -> None:
    found = search(ANYTHING[name], Rules(), TRIES)
    if found.scenario is not None:
        smallest = shrunk(found.scenario, lambda scenario: bool(run(scenario, Rules())))
        pytest.fail(f"after {found.tried}: {smallest}\n{run(smallest, Rules())}")


def actions() -> st.SearchStrategy[tuple[Action, ...]]:
    few = st.sets(st.sampled_from(OPS), max_size=6).map(lambda ops: (*sorted(ops), "run", "write"))
    number = st.integers(0, 3)
    return few.flatmap(
        lambda ops: st.lists(
            st.tuples(st.sampled_from(ops), st.integers(0, 9), st.integers(0, 2), number),
            max_size=40,
        ).map(tuple)
    )


def steps(kinds: str) -> st.SearchStrategy[tuple[Step, ...]]:
    late, gap = st.sampled_from((0, 0, 3)), st.sampled_from((0, 1, 5, 30, 110, 420))
    step = st.tuples(st.sampled_from(kinds), st.integers(0, 2), late, gap)
    return st.lists(step, min_size=1, max_size=24).map(tuple)


SCENARIOS = st.builds(
    Scenario,
    st.sampled_from((TWO_BOARDS, TWO_SOURCES, EVERYTHING)),
    steps(CONTACT_KINDS * 2 + AGENT_KINDS + TIME_KINDS * 2 + AGAIN),
    actions(),
    st.booleans(),
)


@given(SCENARIOS)
def test_no_trouble_that_hypothesis_thinks_of_shows(scenario: Scenario) -> None:
    assert run(scenario, Rules()) == []


# -- the simulation itself


def test_without_trouble_the_results_are_those_of_all_events() -> None:
    calls: list[Step] = [("q", 0, 0, 0), ("q", 1, 0, 4), ("a", 0, 0, 6), ("e", 1, 0, 5)]
    world = World(TWO_SOURCES, [*calls, ("h", 0, 0, 60)])
    world.heal(False)
    assert problems(world) == []
    last = {one.name: one.value for one in said(world)}
    day = ("queue", "PS", "voice", "day", T0 - 36_000_000)
    assert last["contacts_offered", *day] == (2, 2, None)
    assert last["contacts_abandoned", *day] == (1, 1, None)
    assert last["service_level_neg", *day] == (0.5, 1, 2)
    assert last["contacts_open", *day] == (0, 0, None)


def test_a_sum_that_is_wrong_is_noticed() -> None:
    world = World(TWO_BOARDS, [("q", 0, 0, 0), ("a", 0, 0, 6)])
    world.heal(False)
    world.kafka.append(("contact-events", 0), [(None, b'{"type":"system.tick","time":1}', ())])
    assert problems(world) == []
    late = (
        b'{"type":"contact.handled","id":"x","source":"pbx0","contact":"c0","time":1,"queue":"PS"}'
    )
    world.kafka.append(("contact-events", 0), [(None, late, ())])
    assert any(problem.startswith("result") for problem in problems(world))


def test_the_same_scenario_runs_the_same_way_again() -> None:
    def logs() -> list[list[object]]:
        scenario = draw(ANYTHING["everything"], Random(5))
        world = World(scenario.plan, scenario.steps)
        do(world, scenario.actions)
        world.heal(True)
        return [[e.record for e in log.entries] for _, log in sorted(world.kafka.logs.items())]

    assert logs() == logs()
