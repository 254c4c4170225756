"""Random search for a scenario in which something goes wrong, and a way to make it small.

Plain random search tries more scenarios a second than Hypothesis; a test that runs it with a seed
tries the same ones every time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from tests.simulation import actions
from tests.simulation.actions import Action
from tests.simulation.check import problems
from tests.simulation.script import Step
from tests.simulation.world import Plan, Rules, World


class Scenario(NamedTuple):
    """A small world, what happens in the contact centre, and what happens to the workers."""

    plan: Plan
    steps: tuple[Step, ...]
    actions: tuple[Action, ...]
    restart: bool


def run(scenario: Scenario, rules: Rules) -> list[str]:
    """What is wrong after all that and a good end; an error of our own code is wrong, too."""
    world = World(scenario.plan, scenario.steps, rules)
    try:
        actions.do(world, scenario.actions)
        world.heal(scenario.restart)
        wrong = problems(world)
        if not wrong:
            world.heal(True)
            wrong = problems(world)
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]
    return wrong


class Kind(NamedTuple):
    """What scenarios of a search are made of: kinds of events, gaps and troubles."""

    plans: tuple[Plan, ...]
    events: str
    troubles: tuple[str, ...]
    focus: tuple[str, ...]
    gaps: tuple[int, ...] = (0, 0, 1, 5, 30)
    events_max: int = 14
    plot: tuple[str, ...] = ()
    """What half of the scenarios begin with; a ``z`` before an operation: by the newest zombie."""


def draw(kind: Kind, luck: Random) -> Scenario:
    """One scenario: few kinds of trouble at a time, most of it in one place (swarm testing)."""
    plan = luck.choice(kind.plans)
    parts = plan.parts()
    steps = tuple(_step(kind, luck) for _ in range(luck.randrange(3, kind.events_max + 1)))
    focus = luck.choice([i for i, part in enumerate(parts) if part[0] in kind.focus])
    found: list[Action] = [("feed", 0, 0, luck.choice((0, 3, 20)))]
    found += _before(luck, focus)
    if luck.random() < 0.5:
        found += [
            (op.removeprefix("z"), focus, int(op[0] == "z"), luck.randrange(4)) for op in kind.plot
        ]
    ops = ("run", "write", "flush", *kind.troubles)
    weights = [luck.choice((0, 1, 1, 3, 6)) + 2 * (op in ops[:3]) for op in ops]
    for op in luck.choices(ops, weights, k=luck.randrange(3, 30)):
        part = focus if luck.random() < 0.8 else luck.randrange(len(parts))
        found.append((op, part, luck.choice((0, 0, 1, 1, 2)), luck.randrange(4)))
        if luck.random() < 0.15:
            found.append(("feed", 0, 0, luck.randrange(3)))
    return Scenario(plan, steps, tuple(found), luck.random() < 0.5)


def _step(kind: Kind, luck: Random) -> Step:
    late = luck.choice((0, 0, 0, 3))
    return luck.choice(kind.events), luck.randrange(2), late, luck.choice(kind.gaps)


def _before(luck: Random, focus: int) -> list[Action]:
    """The stages before the one in focus have mostly done some work."""
    found: list[Action] = []
    for part in range(focus):
        found.append(("begin", part, 0, 0))
        for _ in range(luck.randrange(1, 4)):
            found += [("run", part, 0, luck.randrange(8)), ("flush", part, 0, luck.randrange(4))]
    return [*found, ("begin", focus, 0, 0)]


class Found(NamedTuple):
    tried: int
    scenario: Scenario | None
    problems: list[str]


SUMS = "partials of", "result"
"""How a problem begins that a user would see."""


def search(
    kind: Kind, rules: Rules, tries: int, *, seed: int = 1, evidence: tuple[str, ...] = ("",)
) -> Found:
    """The first of ``tries`` scenarios with a problem that begins with a piece of ``evidence``."""
    luck = Random(seed)
    for tried in range(1, tries + 1):
        scenario = draw(kind, luck)
        wrong = [p for p in run(scenario, rules) if p.startswith(evidence)]
        if wrong:
            return Found(tried, scenario, wrong)
    return Found(tries, None, [])


def shrunk(scenario: Scenario, wrong: Callable[[Scenario], bool]) -> Scenario:
    """A scenario of which nothing can be left out any more."""
    changed = True
    while changed:
        changed = False
        for smaller in _smaller(scenario):
            if wrong(smaller):
                scenario, changed = smaller, True
                break
    return scenario


def _smaller(scenario: Scenario) -> Iterator[Scenario]:
    for name in ("actions", "steps"):
        rows = getattr(scenario, name)
        for at in range(len(rows) - 1, -1, -1):
            yield scenario._replace(**{name: rows[:at] + rows[at + 1 :]})
    for at, (op, part, who, n) in enumerate(scenario.actions):
        for less in range(n):
            rows = (*scenario.actions[:at], (op, part, who, less), *scenario.actions[at + 1 :])
            yield scenario._replace(actions=rows)
