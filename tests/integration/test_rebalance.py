"""What a rebalance costs: nothing for a partition that stays, and with static membership a restart
moves nothing at all."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from streams.kafka.embedded import EmbeddedCluster
from streams.results import read_latest
from tests.integration.one_day import LOG, assert_expected
from tests.integration.runs import Run, Told, a_run, stopping, wait_for_partials

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
REBALANCE = "rebalance: generation"
SHARDS = 5 * 4
"""Stages times partitions."""


@contextmanager
def told(run: Run, **environment: str) -> Iterator[Told]:
    worker = Told(run, **environment)
    try:
        yield worker
    finally:
        worker.end(signal.SIGKILL)


def kept_and_taken(line: str) -> tuple[int, int]:
    found = re.search(r"(\d+) partitions kept, (\d+) fenced", line)
    assert found is not None, line
    return int(found[1]), int(found[2])


def test_partitions_that_stay_are_kept_and_what_moved_comes_back(
    broker: EmbeddedCluster, prefix: str
) -> None:
    """A second worker joins in the middle of the day and is killed later.  The first one keeps at
    each rebalance what it has, and takes anew only what comes; the numbers are exact."""
    with a_run(broker, prefix, partitions=4) as run, told(run) as first:
        assert kept_and_taken(first.wait_for(REBALANCE)) == (0, SHARDS)
        run.send(LOG)
        wait_for_partials(run, 500)
        with told(run) as second:
            kept, taken = kept_and_taken(first.wait_for(REBALANCE, 2))
            assert kept >= 4
            assert taken == 0
            _, moved = kept_and_taken(second.wait_for(REBALANCE))
            assert kept + moved == SHARDS
            wait_for_partials(run, 1_500)
        assert kept_and_taken(first.wait_for(REBALANCE, 3)) == (kept, moved)
        with stopping(run.worker()) as third:
            run.finish(third)
        assert_expected(read_latest(run.deployment).results())
        assert first.process.poll() is None


def test_a_restart_with_static_membership_does_not_rebalance(
    broker: EmbeddedCluster, prefix: str
) -> None:
    """Two workers with names of their own; one is ended and started again within the session.  It
    has its partitions again, in the same generation, and the other one hears of nothing."""
    with a_run(broker, prefix, partitions=4, session_ms=30_000) as run:
        names = [{"STREAMS_KAFKA_INSTANCE_ID": name} for name in ("one", "two")]
        with told(run, **names[0]) as first:
            first.wait_for(REBALANCE)
            with told(run, **names[1]) as second:
                before = second.wait_for(REBALANCE)
                first.wait_for(REBALANCE, 2)
                time.sleep(2)
                heard = len(first.saying(REBALANCE))
                assert second.end() == 0
            with told(run, **names[1]) as second:
                after = second.wait_for(REBALANCE)
                run.send(LOG)
                wait_for_partials(run, 500)
                assert len(first.saying(REBALANCE)) == heard
                generations = [re.findall(r"generation (\d+)", line) for line in (before, after)]
                assert generations[0] == generations[1]
                assert kept_and_taken(after)[1] == kept_and_taken(before)[1]
