"""The dashboards as files: schema, linter, links, provisioning.  No Grafana is started."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.dashboards import DASHBOARDS
from deploy.generated import FOLDER
from deploy.rules import groups
from deploy.rules.rule import Alert
from tests.deploy import linter
from tests.deploy.linter import Json, panels, targets, variables

UIDS = {
    "cc-wall", "cc-queue", "cc-history", "cc-written", "cc-satisfaction", "cc-agents",
    "cc-pipeline",
}  # fmt: skip
FILES = sorted((FOLDER / "grafana" / "dashboards").rglob("*.json"))
LOADED: dict[str, Json] = {path.stem: json.loads(path.read_text("utf-8")) for path in FILES}


def test_there_are_those_that_alerts_lead_to() -> None:
    assert set(LOADED) == UIDS
    assert all(dashboard["uid"] == name for name, dashboard in LOADED.items())


@pytest.mark.parametrize("name", LOADED)
def test_it_loads_by_the_schema_and_comes_back_the_same(name: str) -> None:
    back = json.loads(json.dumps(Dashboard.from_json(LOADED[name]), cls=JSONEncoder))
    for part in (*back["links"], *back["annotations"]["list"], *_links(back)):
        part.pop("placement")  # which the SDK adds, whatever it reads
    assert back == LOADED[name]


def _links(dashboard: Json) -> list[Json]:
    defaults = [panel["fieldConfig"]["defaults"] for panel in panels(dashboard)]
    return [link for of in defaults for link in of.get("links", ())]


@pytest.mark.parametrize("name", LOADED)
def test_the_linter_finds_nothing(name: str) -> None:
    assert linter.problems(LOADED[name]) == []


# -- the linter finds what is wrong


def _panel(dashboard: Json) -> Json:
    return next(panels(dashboard))


def _target(dashboard: Json) -> Json:
    found: Json = _panel(dashboard)["targets"][0]
    return found


def _asks(expr: str) -> Callable[[Json], None]:
    return lambda dashboard: _target(dashboard).update(expr=expr)


def _variable(dashboard: Json, name: str) -> Json:
    return next(v for v in variables(dashboard) if v["name"] == name)


JOB = 'job=~"$job"'
WRONGS: list[tuple[linter.Rule, Callable[[Json], Any]]] = [
    (linter.has_title_and_description, lambda d: _panel(d).pop("title")),
    (linter.has_title_and_description, lambda d: _panel(d).update(description="")),
    (linter.has_title_and_description, lambda d: d.pop("description")),
    (linter.has_unit, lambda d: _panel(d)["fieldConfig"]["defaults"].pop("unit")),
    (linter.has_targets, lambda d: _panel(d).pop("targets")),
    (linter.has_targets, lambda d: _panel(d)["targets"].append(_target(d))),
    (linter.has_datasource_variable, lambda d: _variable(d, "datasource").update(query="loki")),
    (linter.has_datasource_variable, lambda d: _variable(d, "datasource").update(name="ds")),
    (linter.uses_datasource_variable, lambda d: _panel(d)["datasource"].update(uid="prometheus")),
    (linter.uses_datasource_variable, lambda d: _target(d).pop("datasource")),
    (linter.uses_datasource_variable, lambda d: _variable(d, "job").pop("datasource")),
    (linter.has_job_variable, lambda d: _variable(d, "job").update(multi=False)),
    (linter.has_job_variable, lambda d: _variable(d, "job").update(allValue="")),
    (linter.refreshes_variables, lambda d: _variable(d, "job").update(refresh=1)),
    (linter.declares_and_uses_variables, _asks('up{job=~"$job", queue="$site"}')),
    (linter.declares_and_uses_variables, lambda d: _variable(d, "queue").update(name="lane")),
    (linter.has_valid_promql, _asks('sum(up{job=~"$job"}')),
    (linter.matches_job, _asks("sum(up)")),
    (linter.matches_job, _asks('sum(up{job="cc"})')),
    (linter.matches_job, _asks(f"up{{{JOB}}} and on (job) up")),
    (linter.reads_recorded_kpis, _asks(f"max(cc_contacts_waiting{{{JOB}}})")),
    (linter.reads_recorded_kpis, _asks(f"sum(cc_target_breached{{{JOB}}})")),
    (linter.reads_recorded_kpis, _asks(f"max(cc_now_revision{{{JOB}}})")),
    (linter.rates_counters, _asks(f"sum(cc_events_read_total{{{JOB}}})")),
    (linter.rates_counters, _asks(f"rate(cc_worker_lag_records{{{JOB}}}[$__rate_interval])")),
    (linter.types_no_ranges, _asks(f"rate(cc_events_read_total{{{JOB}}}[5m])")),
    (linter.has_unique_ids, lambda d: _panel(d).update(id=d["panels"][1]["id"])),
    (linter.does_not_overlap, lambda d: _panel(d)["gridPos"].update(h=5)),
    (linter.does_not_overlap, lambda d: _panel(d)["gridPos"].update(w=25)),
    (linter.cannot_be_edited, lambda d: d.update(editable=True)),
    (linter.has_stable_uid, lambda d: d.update(uid="aB3dEf")),
    (linter.has_stable_uid, lambda d: d.update(version=4)),
    (linter.shares_the_crosshair, lambda d: d.update(graphTooltip=0)),
    (linter.colors_existing_queries, lambda d: d["panels"][4]["targets"][0].update(refId="A")),
]


NAMES = [f"{rule.__name__}-{number}" for number, (rule, _) in enumerate(WRONGS)]


@pytest.mark.parametrize(("rule", "wrong"), WRONGS, ids=NAMES)
def test_each_rule_finds_what_it_is_for(rule: linter.Rule, wrong: Callable[[Json], Any]) -> None:
    dashboard = deepcopy(LOADED["cc-wall"])
    wrong(dashboard)
    assert list(rule(dashboard))


def test_no_rule_is_never_seen_to_fail() -> None:
    assert {rule for rule, _ in WRONGS} == set(linter.RULES)


# -- what hangs together


def test_nothing_names_an_agent_or_a_customer() -> None:
    for name, dashboard in LOADED.items():
        for target in targets(dashboard):
            assert not re.search(r"\b(agent|customer|contact)\s*(=|!=|,|\))", target.expr), name


def test_links_lead_to_dashboards_and_variables_that_there_are() -> None:
    for dashboard in LOADED.values():
        for link in _links(dashboard):
            uid, _, query = link["url"].removeprefix("/d/").partition("?")
            known = {variable["name"] for variable in variables(LOADED[uid])}
            assert set(re.findall(r"var-(\w+)=", query)) <= known


def test_alerts_set_variables_that_there_are() -> None:
    for group in groups().values():
        for rule in group.rules:
            if isinstance(rule, Alert):
                known = {variable["name"] for variable in variables(LOADED[rule.dashboard])}
                assert set(rule.variables) <= known, rule.name


@pytest.mark.parametrize("name", LOADED)
def test_all_are_linked_by_tag_and_refresh(name: str) -> None:
    dashboard = LOADED[name]
    assert dashboard["tags"] == dashboard["links"][0]["tags"] == ["contact-streams"]
    assert dashboard["refresh"] == ("10s" if name == "cc-wall" else "30s")
    assert [a["name"] for a in dashboard["annotations"]["list"]] == ["Breaches", "Rebalances"]


def _providers(folder: str) -> list[Json]:
    files = (FOLDER / "grafana" / folder).glob("*.yml")
    return [p for path in files for p in yaml.safe_load(path.read_text("utf-8"))["providers"]]


def test_what_is_provisioned_is_there_and_agents_are_opt_in() -> None:
    shown = {p["options"]["path"]: p["folder"] for p in _providers("provisioning/dashboards")}
    assert shown == {
        "/etc/grafana/dashboards/contact-centre": "Contact centre",
        "/etc/grafana/dashboards/platform": "Platform",
    }
    (agents,) = _providers("optional")
    assert agents["options"]["path"] == "/etc/grafana/dashboards/agents"
    folders = {path.rpartition("/")[2] for path in (*shown, agents["options"]["path"])}
    assert folders == set(DASHBOARDS) == {path.parent.name for path in FILES}
    named = [p["name"] for p in (*_providers("provisioning/dashboards"), agents)]
    assert len(set(named)) == len(named)


def test_the_data_source_has_the_uid_that_others_name() -> None:
    text = (FOLDER / "grafana/provisioning/datasources/prometheus.yml").read_text("utf-8")
    (source,) = yaml.safe_load(text)["datasources"]
    assert (source["uid"], source["type"]) == ("prometheus", "prometheus")
