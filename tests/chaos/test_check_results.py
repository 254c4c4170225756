"""The checker finds each way in which results can be wrong (see test_check)."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from streams.stages import board_wire
from tests.chaos.broken import Log, World, final, judged, kinds, rewritten, the_world
from tests.chaos.checks.counts import Counts
from tests.chaos.checks.results import Results


@pytest.fixture(scope="module")
def world() -> World:
    return the_world()


# -- results


def results(world: World, log: Log) -> set[str]:
    return judged(Results(world.expected), log)


def test_a_result_is_missing(world: World) -> None:
    log = world.results()
    key = log[final(log, b"contacts_offered")].key
    assert results(world, [r for r in log if r.key != key]) == {"results.missing"}


def test_a_result_is_too_many(world: World) -> None:
    log = world.results()
    one = log[final(log, b"contacts_offered")]
    assert results(
        world, [*log, one._replace(key=b'["contacts_offered","queue","x","y","now"]')]
    ) == {"results.unexpected"}


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"value": 999_999, "revision": 10**9}, {"results.wrong", "results.revision_ahead"}),
        ({"status": "corrected"}, {"results.status"}),
        ({"value": 999_999}, {"results.wrong", "results.two_values"}),
        ({"revision": 0}, {"results.revision_fell"}),
    ],
)
def test_a_result_says_something_else_in_the_end(
    world: World, change: dict[str, Any], wanted: set[str]
) -> None:
    log = world.results()
    one = log[final(log, b'"contacts_offered","queue","sales"')]
    assert results(world, [*log, rewritten(one, **change)]) == wanted


def test_a_revision_that_fell_for_a_moment(world: World) -> None:
    """The last word is right; before it somebody said an older one."""
    log = world.results()
    at = final(log, b'"contacts_offered","queue","sales"')
    old = rewritten(log[at], revision=0, value=0)
    assert results(world, [*log, old, log[at]]) == {"results.revision_fell"}


def test_a_result_that_was_taken_back(world: World) -> None:
    log = world.results()
    one = log[final(log, b"contacts_offered")]
    revision = b"%d" % (orjson.loads(one.value or b"")["revision"] + 1)
    gone = one._replace(value=None, headers=((board_wire.REVISION_HEADER, revision),))
    assert results(world, [*log, gone]) == {"results.missing"}


def test_an_age_may_be_a_moment_old_but_not_wrong(world: World) -> None:
    log = world.results()
    one = log[final(log, b'"longest_wait"')]
    row = orjson.loads(one.value or b"")
    assert results(world, [*log, rewritten(one, value=row["value"] + 3, revision=10**9)]) == {
        "results.wrong"
    }


# -- conservation


@pytest.mark.parametrize(
    ("kpi", "kind"),
    [
        (b"contacts_offered", "counts.offered"),
        (b"contacts_answered", "counts.answered"),
        (b"contacts_abandoned", "counts.abandoned"),
        (b"contacts_open", "counts.unfinished"),
    ],
)
def test_a_kpi_that_does_not_add_up(world: World, kpi: bytes, kind: str) -> None:
    log = world.results()
    at = final(log, b'["' + kpi + b'","queue","sales","voice","day"')
    value = orjson.loads(log[at].value or b"")["value"]
    results = Results(world.expected)
    counts = Counts(results)
    for name in (world.quiet.raw_topic, *map(world.topic, ("events.contact.v1",))):
        counts.take(world.quiet.of(name))
    results.take(log)
    assert kinds(counts.violations()) == set()
    results.take([rewritten(log[at], value=value + 1)])
    assert kinds(counts.violations()) == {kind, "counts.conservation"}
