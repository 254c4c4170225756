"""A worker killed with -9 in the middle of the one-day log: the numbers are exactly the same.

The segments are small here (256 offsets), so that the day has dozens of seals, and the kill falls
between, before or in the middle of one, at another place in each run of the test.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.kafka.embedded import EmbeddedCluster
from streams.results import read_latest
from tests.integration.one_day import LOG, assert_expected
from tests.integration.runs import a_run, kill, stopping, wait_for_partials

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


def halves(folder: Path) -> tuple[Path, Path]:
    lines = LOG.read_bytes().splitlines(keepends=True)
    first, second = folder / "queue_log.1", folder / "queue_log"
    first.write_bytes(b"".join(lines[: len(lines) // 2]))
    second.write_bytes(b"".join(lines[len(lines) // 2 :]))
    return first, second


@pytest.mark.parametrize("partials", [1, 1500])
def test_a_log_split_over_two_runs_with_a_kill_between(
    broker: EmbeddedCluster, prefix: str, tmp_path: Path, partials: int
) -> None:
    first, second = halves(tmp_path)
    with a_run(broker, prefix) as run:
        run.send(first)
        with stopping(run.worker()) as worker:
            wait_for_partials(run, partials)
            kill(worker)
        run.send(second)
        with stopping(run.worker()) as worker:
            run.finish(worker)
        assert_expected(read_latest(run.deployment).results())


def test_partitions_move_between_two_workers_and_one_is_killed(
    broker: EmbeddedCluster, prefix: str
) -> None:
    """A second worker joins in the middle, then the first is killed: nothing counts twice."""
    with a_run(broker, prefix) as run:
        run.send(LOG)
        with stopping(run.worker()) as first:
            wait_for_partials(run, 500)
            with stopping(run.worker()) as second:
                wait_for_partials(run, 2_500)
                kill(first)
                run.finish(second)
        assert_expected(read_latest(run.deployment).results())
