"""One run: load, workers, a nemesis with its plan; then everything heals and is checked."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from streams.worker_process import Flags
from tests.chaos import check, cluster
from tests.chaos.faults.bed import Bed
from tests.chaos.load import FLAGS, Load
from tests.chaos.nemesis import Nemesis, Struck, Watch, all_is_well
from tests.chaos.plan import World, kinds_for, plan
from tests.chaos.producing import Producing
from tests.chaos.proxy import Network
from tests.chaos.report import Complaint, Reporter
from tests.chaos.workers import Fleet

START_SECONDS = 60.0
LOOK_SECONDS = 0.2
CATCH_UP_SECONDS = 90.0
"""Within this after healing, everything that was sent must be in the results."""
SESSION_MS = 4_000
STALL_SECONDS = 20
CODES = frozenset({0, 1, 3, 70, -9})
"""How a worker may end under faults: as asked, told what is wrong with Kafka, by its own rules
(70), killed.  Any other is a crash."""


class Order(NamedTuple):
    """What is to be done.  ``rate``: records a second; ``faults``: kinds, ``all`` or ``none``;
    ``keep``: a folder that stays; ``stall_seconds``: the setting of the workers."""

    seed: int
    seconds: int = 600
    workers: int = 2
    brokers: int = 1
    rate: int = 500
    faults: Sequence[str] = ("all",)
    keep: Path | None = None
    stall_seconds: int = STALL_SECONDS


@dataclass
class Outcome:
    """What came out; ``tails``: the ends of the workers' logs, for who must find out why."""

    complaints: list[Complaint] = field(default_factory=list)
    struck: list[Struck] = field(default_factory=list)
    facts: dict[str, int | float] = field(default_factory=dict)
    tails: str = ""


def run(order: Order, reporter: Reporter) -> Outcome:
    """Everything that is started here has ended when this returns or raises."""
    outcome = Outcome()
    with _made(order, reporter) as bed:
        try:
            _play(order, bed, outcome, reporter)
        finally:
            outcome.tails = bed.fleet.tails()
    reporter.verdict(order.seed, outcome.complaints, outcome.facts)
    return outcome


def _play(order: Order, bed: Bed, outcome: Outcome, reporter: Reporter) -> None:
    kinds = kinds_for(order.faults, order.brokers)
    planned = plan(order.seed, order.seconds, kinds, bed.world)
    reporter.begin(order.seed, kinds, planned)
    if not _at_work(bed, START_SECONDS):
        raise TimeoutError("the workers do not get to work")
    began = time.monotonic()
    watch = Watch(bed, began, reporter.fault)
    try:
        nemesis = Nemesis(bed, planned, watch, began)
        sent = _strike(order, bed, nemesis)
        reporter.step(f"everything is healed, and {sent:,} records are sent")
        outcome.struck = nemesis.struck
        outcome.facts |= {"seconds": order.seconds, "faults": len(nemesis.struck)}
        seconds = _caught_up(bed, outcome)
    finally:
        watch.close()
    if seconds is not None:
        outcome.facts["caught_up_seconds"] = seconds
        reporter.step(f"caught up after {seconds} s; checking")
        _judge(bed, outcome, reporter)


def _strike(order: Order, bed: Bed, nemesis: Nemesis) -> int:
    """Load and faults for as long as ordered, then everything is healed; the records sent."""
    load = Load(order.seed, time.time_ns() // 1_000_000)
    producing = Producing(bed.deployment.bootstrap, bed.deployment, load, order.rate)
    with ExitStack() as stack:
        producing.start()
        stack.callback(producing.stop)
        # Before the load is stopped: it may need a broker that is down to get rid of its last.
        stack.callback(nemesis.heal)
        nemesis.play(order.seconds, bed.fleet.check)
    return producing.count


def _at_work(bed: Bed, seconds: float) -> bool:
    """Waits until every partition is worked on by one worker, and there is hardly any lag."""
    deadline = time.monotonic() + seconds
    while not all_is_well(bed):
        bed.fleet.check()
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_SECONDS)
    return True


def _caught_up(bed: Bed, outcome: Outcome) -> float | None:
    """Waits until all that was sent is in the results, and says how many seconds that took; None,
    and a violation, if that was not in time."""
    began = time.monotonic()
    try:
        check.wait_until_caught_up(bed.deployment, CATCH_UP_SECONDS)
    except check.NotCaughtUp as late:
        outcome.complaints.append(("liveness", str(late)))
        return None
    seconds = time.monotonic() - began
    if not _at_work(bed, CATCH_UP_SECONDS - seconds):
        outcome.complaints.append(("liveness", "not every partition is worked on by one worker"))
        return None
    return round(seconds, 1)


def _judge(bed: Bed, outcome: Outcome, reporter: Reporter) -> None:
    """Looks for whatever is not as promised; twice if the first look finds something.

    The workers write ticks while they are looked at.  On a busy machine what was read first is
    never quite of the same moment as what was read last, and looks late, or ahead.  So the second
    look is at workers that write none, when nothing moves any more, and only it counts.
    """
    found = _look(bed)
    if found.violations:
        reporter.step(f"{len(found.violations)} violations at first sight; a second look, at rest")
        bed.fleet.restart({"processing.tick_ms": 0})
        if _caught_up(bed, outcome) is None:
            return
        found = _look(bed)
    outcome.facts |= found.facts
    outcome.complaints += [(one.kind, one.detail) for one in found.violations]
    _judge_exits(bed, outcome)


def _look(bed: Bed) -> check.Report:
    return check.check(
        bed.deployment, metrics_urls=bed.fleet.metrics_urls(), memory=list(bed.fleet.memory)
    )


def _judge_exits(bed: Bed, outcome: Outcome) -> None:
    for code, count in sorted(bed.fleet.codes().items()):
        outcome.facts[f"exits_with_{code}"] = count
        if code not in CODES:
            outcome.complaints.append(("exit", f"{count} workers ended with code {code}"))


@contextmanager
def _made(order: Order, reporter: Reporter) -> Iterator[Bed]:
    """Brokers, topics and workers, in the order they need one another."""
    world = World(order.workers, order.brokers, SESSION_MS)
    with ExitStack() as stack:
        folder = order.keep or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="contact-streams-chaos-"))
        )
        folder.mkdir(parents=True, exist_ok=True)
        network = Network()
        stack.callback(network.close)
        data_dir = order.keep and order.keep / "brokers"
        # One door more than workers: for the one that comes and goes.
        brokers = cluster.ProxiedCluster(world.brokers, world.workers + 1, network, data_dir)
        stack.enter_context(brokers)
        deployment = cluster.deploy(_flags(order, brokers.bootstrap))
        fleet = Fleet(lambda worker: _flags(order, brokers.bootstrap_of(worker)), folder)
        stack.callback(fleet.close)
        fleet.add(range(world.workers))
        reporter.step(f"{world.brokers} brokers at {brokers.bootstrap}, logs in {folder}")
        yield Bed(world, brokers, network, fleet, deployment)


def _flags(order: Order, bootstrap: str) -> Flags:
    own = {
        "kafka.replication": order.brokers,
        "kafka.session_ms": SESSION_MS,
        "processing.stall_seconds": order.stall_seconds,
    }
    return {**cluster.flags_of(bootstrap), **FLAGS, **own}
