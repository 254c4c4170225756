"""A plan follows from its seed, leaves nothing out, and asks for nothing that is not there."""

from __future__ import annotations

from collections import Counter

import pytest

from streams.runtime.failpoints import fail_point
from tests.chaos.faults.table import FAULTS
from tests.chaos.plan import FAIL_POINTS, KINDS, World, kinds_for, plan

ONE = World(workers=2, brokers=1, session_ms=4_000)
THREE = World(workers=2, brokers=3, session_ms=4_000)


def test_a_seed_gives_the_same_plan_again_and_another_seed_another() -> None:
    kinds = kinds_for(["all"], 1)
    assert plan(7, 600, kinds, ONE) == plan(7, 600, kinds, ONE)
    assert plan(7, 600, kinds, ONE) != plan(8, 600, kinds, ONE)


def test_a_shorter_run_does_the_beginning_of_a_longer_one() -> None:
    kinds = kinds_for(["all"], 3)
    longer, shorter = plan(7, 600, kinds, THREE), plan(7, 60, kinds, THREE)
    assert longer[: len(shorter)] == shorter
    assert shorter[-1].at_ms < 60_000 <= longer[len(shorter)].at_ms


def test_every_kind_of_fault_comes_as_often_as_any_other() -> None:
    kinds = kinds_for(["all"], 3)
    counted = Counter(one.fault for one in plan(7, 3_600, kinds, THREE))
    assert set(counted) == set(kinds)
    assert max(counted.values()) - min(counted.values()) <= 1


def test_every_step_of_every_stage_comes_and_the_worker_understands_it() -> None:
    found = plan(7, 600, ["failpoint_kill", "failpoint_stop"], ONE)
    assert {one.parameters["point"] for one in found} == set(FAIL_POINTS)
    for one in found:
        fail_point("{point}#{nth}:{how}".format(**one.parameters))


def test_what_needs_three_brokers_is_not_in_all_of_one() -> None:
    assert "leader_move" not in kinds_for(["all"], 1)
    assert "leader_move" in kinds_for(["all"], 3)


def test_a_zombie_sleeps_longer_than_its_session() -> None:
    for one in plan(7, 600, ["sigstop"], ONE):
        assert int(one.parameters["lasting_ms"]) > ONE.session_ms


def test_workers_and_brokers_are_those_there_are() -> None:
    for one in plan(7, 3_600, kinds_for(["all"], 3), THREE):
        # One more than there always are: who comes and goes.
        assert int(one.parameters.get("worker", 0)) <= THREE.workers
        assert 1 <= int(one.parameters.get("broker", 1)) <= THREE.brokers


def test_no_faults_are_a_plan_too() -> None:
    assert plan(7, 600, kinds_for(["none"], 1), ONE) == []


def test_a_name_that_no_fault_has_is_refused() -> None:
    with pytest.raises(KeyError):
        kinds_for(["sigkil"], 1)


def test_for_every_kind_there_is_code() -> None:
    assert set(FAULTS) == set(KINDS)
