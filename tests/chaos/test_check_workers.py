"""The checker finds each way in which workers can be wrong: /metrics, memory (see test_check)."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from streams.metrics import WorkerView
from streams.sinks.prometheus import KpiCollector
from tests.chaos import metrics_check
from tests.chaos.broken import DEPLOYMENT, World, kinds, the_world
from tests.chaos.checks.memory import START_BYTES, memory
from tests.chaos.stories import PHONE_PREFIX


@pytest.fixture(scope="module")
def world() -> World:
    return the_world()


# -- workers


def text_of(world: World, **fields: Any) -> str:
    """What one worker with everything would answer."""
    ends = {at: end for at, end in world.quiet.ends().items() if end}
    owned = {folded.topic: DEPLOYMENT.partitions for folded in world.expected.folded.values()}
    told = {
        "assigned": owned,
        "lag": dict.fromkeys(ends, 0),
        "absorbed": {at: end - 1 for at, end in ends.items()},
        **fields,
    }
    registry = CollectorRegistry()
    registry.register(KpiCollector(lambda: world.expected.boards, lambda: WorkerView(**told)))
    return generate_latest(registry).decode()


def scraped(world: World, *texts: str) -> set[str]:
    ends = world.quiet.ends()
    workers = [metrics_check.parsed(text) for text in texts]
    return kinds(metrics_check.violations(world.expected, workers, ends, ends))


def test_metrics_of_a_worker_that_is_right(world: World) -> None:
    text = text_of(world)
    assert scraped(world, text) == set()
    assert len(metrics_check._exact(metrics_check.parsed(text).series)) > 500


def test_metrics_that_are_wrong_missing_or_too_many(world: World) -> None:
    text = text_of(world)
    shown = [x for x in text.splitlines() if x.startswith("cc_window_contacts_offered{")]
    line = next(x for x in shown if '"sales"' in x)
    name, value = line.rsplit(" ", 1)
    wrong = text.replace(line, f"{name} {float(value) + 1}")
    more = text.replace(line, f"{line}\n{name.replace('sales', 'elsewhere')} 1.0")
    assert scraped(world, wrong) == {"metrics.wrong"}
    assert scraped(world, text.replace(line + "\n", "")) == {"metrics.missing"}
    assert scraped(world, more) == {"metrics.unexpected"}
    assert {"metrics.twice", "metrics.owners"} <= scraped(world, text, text)


def test_metrics_of_a_worker_that_is_behind_or_lets_go(world: World) -> None:
    ends = {at: end for at, end in world.quiet.ends().items() if end}
    at = next(iter(ends))
    absorbed = {place: end - 1 for place, end in ends.items()}
    behind = text_of(world, absorbed={**absorbed, at: ends[at] - 5})
    lag = text_of(world, lag={**dict.fromkeys(ends, 0), at: 4})
    stuck = text_of(world, assigned={})
    assert scraped(world, behind) == {"metrics.absorbed"}
    assert scraped(world, lag) == {"metrics.lag"}
    assert scraped(world, stuck) == {"metrics.owners"}
    assert "metrics.missing" in scraped(world)
    assert "metrics.unreachable" in scraped(world, text_of(world), "")


def test_metrics_with_a_number_in_them(world: World) -> None:
    assert "metrics.private" in scraped(world, text_of(world).replace("sales", f"+{PHONE_PREFIX}1"))


def test_memory_that_grows_without_bound() -> None:
    small, large = (1.0, 1, START_BYTES - 1), (2.0, 1, START_BYTES + 1)
    assert kinds(memory([small], 0, 0)) == set()
    assert kinds(memory([small, large], 0, 0)) == {"memory.unbounded"}
    assert kinds(memory([small, large], 1, 0)) == set()
    assert kinds(memory([small, large], 0, 1)) == set()
