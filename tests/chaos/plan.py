"""What goes wrong and when: a list that follows from the seed alone, so that a run can be repeated.

Nothing here knows a process or a socket: a plan names workers by their slot, brokers and kinds of
faults by what ``faults`` will look up when the time has come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

Parameters = dict[str, int | str]
_STEPS = {
    "ingest": ("outputs", "letters", "commit"),
    "contacts": ("outputs", "entities", "transaction", "commit"),
    "staff": ("outputs", "entities", "transaction", "commit"),
    "customers": ("outputs", "entities", "transaction", "commit"),
    "board": ("results", "entities", "transaction", "commit"),
}
FAIL_POINTS = tuple(f"{stage}.{step}" for stage, steps in _STEPS.items() for step in steps)
"""Every step of a publish and a seal, by stage, at which something is left behind half done."""
NTH_MAX = 4
DIRECTIONS = ("both", "requests", "answers")
FIRST_MS = 2_000
"""From the start of the load to the first fault."""
GAP_MS = (1_500, 6_000)
"""Between the beginnings of two faults.  Many last longer than that, and so run beside others."""


class World(NamedTuple):
    """What there is to break: workers (slots 0 ...), brokers (1 ...), how long a session is."""

    workers: int
    brokers: int
    session_ms: int


class Kind(NamedTuple):
    """One kind of fault.  ``draw`` decides its parameters, ``lasting_ms`` among them if it lasts;
    ``brokers`` is how many it needs at least; ``mixed``: also drawn when all are mixed."""

    tries: str
    draw: Callable[[Random, World], Parameters]
    brokers: int = 1
    mixed: bool = True


@dataclass(frozen=True)
class Planned:
    """One fault: when it begins, in ms from the start of the load, and its parameters."""

    at_ms: int
    fault: str
    parameters: Parameters

    def __str__(self) -> str:
        shown = " ".join(f"{name}={value}" for name, value in self.parameters.items())
        return f"{self.at_ms / 1000:7.1f} s  {self.fault:<16} {shown}"


def _worker(random: Random, world: World) -> Parameters:
    return {"worker": random.randrange(world.workers)}


def _worker_for(low_ms: int, high_ms: int) -> Callable[[Random, World], Parameters]:
    def draw(random: Random, world: World) -> Parameters:
        return _worker(random, world) | {"lasting_ms": random.randrange(low_ms, high_ms)}

    return draw


def _zombie(random: Random, world: World) -> Parameters:
    longer_ms = world.session_ms + random.randrange(1_500, 5_000)
    return _worker(random, world) | {"lasting_ms": longer_ms}


def _pause(random: Random, world: World) -> Parameters:
    return _worker(random, world) | {"lasting_ms": random.randrange(500, world.session_ms * 2 // 3)}


def _newcomer(random: Random, world: World) -> Parameters:
    # The slot behind the last is free for it.
    return {"worker": world.workers, "lasting_ms": random.randrange(4_000, 9_000)}


def _slow(random: Random, world: World) -> Parameters:
    lasting = _worker_for(4_000, 12_000)(random, world)
    return lasting | {"delay_ms": random.choice((20, 60, 150, 300))}


def _cut(random: Random, world: World) -> Parameters:
    lasting_ms = random.randrange(1_000, 2 * world.session_ms)
    direction = random.choice(DIRECTIONS)
    return _worker(random, world) | {"lasting_ms": lasting_ms, "direction": direction}


def _resets(random: Random, world: World) -> Parameters:
    return _worker(random, world) | {"times": random.randrange(1, 5)}


def _broker(random: Random, world: World) -> Parameters:
    down_ms = random.randrange(1_000, 5_000)
    return {"broker": random.randrange(1, world.brokers + 1), "lasting_ms": down_ms}


def _partition(random: Random, world: World) -> Parameters:
    # Of which topic and partition, and by how many replicas it is turned round, is seen then.
    return {"pick": random.randrange(1_000_000)}


def _coordinator(random: Random, world: World) -> Parameters:
    how = random.choice(("kill", "move"))
    of = random.choice(("group", "transactions"))
    return {"of": of, "how": how, "lasting_ms": random.randrange(1_000, 5_000)}


def _fail_point(how: str) -> Callable[[Random, World], Parameters]:
    def draw(random: Random, world: World) -> Parameters:
        nth = random.randrange(1, NTH_MAX + 1)
        return _worker(random, world) | {"nth": nth, "how": how}

    return draw


KINDS: dict[str, Kind] = {
    "sigkill": Kind("a worker dies without a word, at any instant", _worker),
    "sigterm": Kind("a worker is asked to end, as in a deployment", _worker),
    "sigstop": Kind("a worker stands still longer than its session: a zombie", _zombie),
    "pause": Kind("a worker stands still, but not for a whole session", _pause),
    "failpoint_kill": Kind("a worker dies at a step of a publish or a seal", _fail_point("kill")),
    "failpoint_stop": Kind(
        "a worker stands still at such a step, as a zombie", _fail_point("stop")
    ),
    "scale": Kind("a worker is added, and removed some seconds later", _newcomer),
    "broker_kill": Kind("a broker loses its power and comes back after seconds", _broker),
    "slow_network": Kind("everything between a worker and the brokers is late", _slow),
    "reset_network": Kind("a worker's connections are reset, all at once, a few times", _resets),
    "cut_network": Kind("nothing, or no answer, or no request gets through for a while", _cut),
    "compaction": Kind("a worker dies just when the cleaner has rewritten a changelog", _worker),
    "stall": Kind(
        "a worker's fetches hang while its heartbeats pass: alive, and of no use",
        _worker_for(35_000, 40_000),
        mixed=False,
    ),
    "leader_move": Kind("all partitions of a topic get other leaders", _partition, brokers=3),
    "coordinator_move": Kind(
        "the coordinator of the group or of a transaction goes elsewhere", _coordinator, brokers=3
    ),
}  # fmt: skip


def kinds_for(names: Sequence[str], brokers: int) -> list[str]:
    """The kinds meant by names; ``all`` means those that are mixed and that so many brokers allow,
    ``none`` none.

    KeyError for a name there is not.
    """
    if list(names) == ["none"]:
        return []
    if list(names) == ["all"]:
        return [name for name, kind in KINDS.items() if kind.mixed and kind.brokers <= brokers]
    for name in names:
        KINDS[name]
    return list(names)


def plan(seed: int, seconds: int, kinds: Sequence[str], world: World) -> list[Planned]:
    """The faults of one run, in the order of their beginning.

    Each kind comes as often as any other, in a new order each round; so do the fail points.
    """
    random = Random(seed)
    names, points = _rounds(random, kinds), _rounds(random, FAIL_POINTS)
    found: list[Planned] = []
    at_ms = FIRST_MS
    while kinds and at_ms < seconds * 1_000:
        name = next(names)
        parameters = KINDS[name].draw(random, world)
        if name.startswith("failpoint"):
            parameters["point"] = next(points)
        found.append(Planned(at_ms, name, parameters))
        at_ms += random.randrange(*GAP_MS)
    return found


def _rounds(random: Random, every: Sequence[str]) -> Iterator[str]:
    while True:
        yield from random.sample(every, len(every))
