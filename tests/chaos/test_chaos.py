"""The short form of ``make chaos``: twenty seconds of everything with a fixed seed, a worker that
must notice that it does nothing, and the damage that a worker must not work through."""

from __future__ import annotations

import pytest

from streams.kafka.embedded import EmbeddedCluster
from tests.chaos.faults import loud
from tests.chaos.report import Reporter, written
from tests.chaos.run import Order, Outcome, run

pytestmark = [pytest.mark.integration, pytest.mark.chaos, pytest.mark.timeout(300)]

SEED = 10
"""Its first faults are of five kinds, one of them the death of the broker."""


def told(outcome: Outcome) -> str:
    """Everything one needs to find out what happened, when an assertion fails."""
    struck = [f"{one.began:.1f} s {one.planned.fault}: {one.what}" for one in outcome.struck]
    return "\n".join([*written(outcome.complaints), *struck, outcome.tails])


def test_twenty_seconds_of_everything_leave_every_number_right() -> None:
    outcome = run(Order(seed=SEED, seconds=20, rate=300), Reporter(None))
    assert outcome.complaints == [], told(outcome)
    assert len({one.planned.fault for one in outcome.struck}) >= 3, told(outcome)


def test_a_worker_that_reads_nothing_ends_and_the_next_one_goes_on() -> None:
    """Its heartbeats pass, so the group believes in it; its fetches hang, so only the watchdog can
    tell.  Nothing is lost, and when the network is well again nothing lags."""
    order = Order(seed=1, seconds=15, workers=1, rate=200, faults=("stall",), stall_seconds=10)
    outcome = run(order, Reporter(None))
    assert outcome.complaints == [], told(outcome)
    assert outcome.facts.get("exits_with_70", 0) >= 1, told(outcome)


@pytest.mark.parametrize("name", loud.SCENARIOS)
def test_the_worker_stops_and_says_what_is_gone(
    broker: EmbeddedCluster, prefix: str, name: str
) -> None:
    complaints = loud.play(name, lambda text: None, broker.bootstrap, prefix)
    assert complaints == [], "\n".join(written(complaints, whole=True))
