"""A change of meaning needs a new version, a new version another topic, and nothing else does."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streams import kpis
from streams.core.pseudonym import no_pseudonym
from streams.core.terms import Terms
from streams.deployment import Deployment
from streams.kpis import FAMILIES, topic_of, version_of
from streams.runtime import stages
from tests.kpis import golden
from tests.kpis.golden import definitions, unversioned

PRESENT = definitions()
Edit = Callable[[dict[str, Any]], None]


def after(edit: Edit) -> list[str]:
    """What is wrong if the definitions are edited so."""
    edited = copy.deepcopy(PRESENT)
    edit(edited)
    return list(unversioned(PRESENT, edited))


def of_kpi(name: str, **fields: Any) -> Edit:
    return lambda all_: all_["kpis"][name].update(fields)


def of_measure(name: str, **fields: Any) -> Edit:
    return lambda all_: all_["measures"][name].update(fields)


def both(*edits: Edit) -> Edit:
    def edit(all_: dict[str, Any]) -> None:
        for one in edits:
            one(all_)

    return edit


RATIO = {"is": "Ratio", "over": ["cohort_answered"], "under": ["cohort_left"]}
NO_QUEUES = of_kpi("service_level_pos", cuts=["channel"])


CHANGES: dict[str, Edit] = {
    "KPI service_level_pos: its formula": of_kpi("service_level_pos", formula=RATIO),
    "KPI contacts_offered: its attribution": of_kpi("contacts_offered", attribution="cohort"),
    "KPI contacts_offered: its unit": of_kpi("contacts_offered", unit="legs"),
    "KPI longest_wait: its family": of_kpi("longest_wait", family="volume"),
    "KPI contacts_offered: its windows": of_kpi("contacts_offered", windows=["day"]),
    "KPI service_level_pos: its cuts": NO_QUEUES,
    "KPI agent_state_time_idle: its cuts": lambda all_: all_["cuts"].update(staff=["team"]),
    "KPI talk_time_mean: its measures": of_measure("legs_timed", where=[]),
    "KPI talk_time_distribution: its measures": of_measure("talk_time", bounds_ms=[5_000]),
    "KPI contacts_offered: its version fell": of_kpi("contacts_offered", version=0),
    "KPI longest_wait: it is gone": lambda all_: all_["kpis"].pop("longest_wait"),
}


@pytest.mark.parametrize(("told", "edit"), CHANGES.items(), ids=CHANGES)
def test_a_change_of_meaning_is_told(told: str, edit: Edit) -> None:
    assert any(told in problem for problem in after(edit))


def test_what_is_told_says_what_to_do() -> None:
    (problem,) = after(NO_QUEUES)
    assert "Set version=2" in problem
    assert "CHANGELOG" in problem


def test_a_measure_is_the_meaning_of_all_that_read_it() -> None:
    named = {p.split(":")[0] for p in after(of_measure("cohort_answered", at="answered_ms"))}
    assert {"KPI service_level_pos", "KPI contacts_open", "KPI abandonment_ratio"} <= named
    assert "KPI contacts_offered" not in named


ADDITIONS: dict[str, Edit] = {
    "nothing": lambda all_: None,
    "a cut less, versioned": both(NO_QUEUES, of_kpi("service_level_pos", version=2)),
    "a KPI": lambda all_: all_["kpis"].update(new=all_["kpis"]["longest_wait"]),
    "a cut": both(
        lambda all_: all_["cuts"].update(team=["team", "channel"]),
        of_kpi("contacts_offered", cuts=["queue", "channel", "team"]),
    ),
    "a cut of a measure": of_measure("contacts_offered", cuts=["queue", "channel", "team"]),
    "another metric": of_kpi("contacts_waiting", metric=None),
    "a KPI less, versioned": both(
        lambda all_: all_["kpis"].pop("longest_wait"), of_kpi("contacts_waiting", version=2)
    ),
}


@pytest.mark.parametrize("edit", ADDITIONS.values(), ids=ADDITIONS)
def test_what_only_adds_or_has_its_version_is_right(edit: Edit) -> None:
    assert after(edit) == []


def test_a_family_never_goes_back_to_an_older_topic() -> None:
    old, new = copy.deepcopy(PRESENT), copy.deepcopy(PRESENT)
    old["kpis"]["longest_wait"]["version"] = 3
    new["kpis"].pop("longest_wait")
    problems = list(unversioned(old, new))
    assert any("family waiting: its version fell below 3" in problem for problem in problems)


def test_recording_refuses_what_lacks_its_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = copy.deepcopy(PRESENT)
    NO_QUEUES(old)
    old["kpis"]["service_level_pos"]["unit"] = "points"
    file = tmp_path / "golden.json"
    file.write_text(json.dumps(old))
    monkeypatch.setattr(golden, "GOLDEN", file)
    assert golden.record([]) == 1
    assert "KPI service_level_pos: its unit changed" in capsys.readouterr().err
    assert golden.recorded() == old
    assert golden.record(["--unreleased"]) == 0
    assert golden.recorded() == PRESENT
    assert golden.record([]) == 0


def test_nothing_is_released_so_all_is_version_one() -> None:
    assert {topic_of(family) for family in FAMILIES} == {f"kpi.{f}.v1" for f in FAMILIES}


def test_a_new_version_moves_the_whole_family_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker, the readers and ``topics apply`` must agree."""
    first, *others = FAMILIES["speed"]
    changed = dict(FAMILIES) | {"speed": (first._replace(version=2), *others)}
    monkeypatch.setattr(kpis, "FAMILIES", changed)
    assert version_of("speed") == 2
    deployment = Deployment("nowhere:1", "cc", "g", 2, 1, {})
    facts: Any = (Terms(), no_pseudonym)
    shape = stages.Shape("cc", "g", 2, 256, 0, 0, *facts)
    topics = {t.topic for n, t in stages.targets(shape).items() if n.startswith("kpi.")}
    assert "cc.kpi.speed.v2" in topics
    assert "cc.kpi.volume.v1" in topics
    assert topics == set(deployment.kpi_topics())
    assert topics == {s.name for s in deployment.specs() if s.name.startswith("cc.kpi.")}
    assert deployment.kpi_topics([others[0].name]) == ["cc.kpi.speed.v2"]
