"""Rules hang together: names that exist, texts, links, and cases for every alert."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import promql_parser
import pytest

from deploy.generated import FOLDER
from deploy.names import DATA_AGE_SECONDS, GAUGES, REVISIONS, recorded
from deploy.rules import groups
from deploy.rules.links import DASHBOARDS
from deploy.rules.newest import owners
from deploy.rules.rule import Alert, Record, Rule
from streams.kpis import ALL_KPIS
from streams.metrics import all_families
from tests.deploy.kpi_cases import USUAL
from tests.deploy.pipeline_cases import CASES
from tests.tools.debian import tool

PROMETHEUS_OWN = {"up", "scrape_duration_seconds", "process_start_time_seconds"}
"""Not ours: of each scrape, and of any process."""
RULES: tuple[Rule, ...] = tuple(rule for group in groups().values() for rule in group.rules)
ALERTS = [rule for rule in RULES if isinstance(rule, Alert)]
RECORDS = [rule for rule in RULES if isinstance(rule, Record)]
CONTRACT = {
    "operations": {
        "critical": "CCQueueServiceLevelBurnFast CCQueueServiceLevelBurnMedium CCTargetBreached "
        "CCQueueLongestWaitHigh CCQueueNoAgentsReady",
        "warning": "CCQueueServiceLevelBurnSlow CCQueueAbandonmentHigh "
        "CCQueueWaitingBeyondThreshold CCQueueFirstResponseLow CCQueueUnansweredBeyondThreshold "
        "CCQueueBacklogOld CCOccupancyHigh",
        "info": "CCTargetWarning",
    },
    "platform": {
        "critical": "CCPipelineStale CCPipelineAbsent CCEventsRejectedHigh CCRecordsLost",
        "warning": "CCWorkerMissing CCWorkerLagHigh CCBoardMarkBehind CCDeadLetters "
        "CCRebalancingOften CCRestoreRunning CCSeriesDropped CCKeysRefused CCSumsLate CCScrapeSlow",
        "info": "CCRestoreRunning CCWatchdog",
    },
}
"""Owner -> severity -> alerts: routes and runbooks of others hang on these."""


def metrics_in(expression: str) -> Iterator[str]:
    """Names of what an expression reads."""
    names: list[str] = []

    def visit(node: object) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            assert node.name, f"a selector without a name in {expression}"
            names.append(node.name)
        return True

    promql_parser.walk(promql_parser.parse(expression), visit)
    yield from names


def test_names_severities_and_owners_are_those_promised() -> None:
    made = {(a.owner, a.severity, a.name) for a in ALERTS}
    assert made == {
        (owner, severity, name)
        for owner, by_severity in CONTRACT.items()
        for severity, names in by_severity.items()
        for name in names.split()
    }


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: f"{alert.name}-{alert.severity}")
def test_an_alert_has_all_that_whoever_reads_it_needs(alert: Alert) -> None:
    texts = alert.annotations()
    assert re.fullmatch(r"[A-Z][^{}]*\.", texts["summary"])
    assert texts["description"].endswith(".")
    assert texts["runbook_url"].endswith(f"/docs/runbooks/{alert.name}.md")
    assert re.search(r"/d/([\w-]+)", texts["dashboard_url"])[1] in DASHBOARDS  # type: ignore[index]
    assert set(alert.all_labels()) >= {"severity", "owner"}


def test_every_gauge_that_moves_is_recorded_before_anything_reads_it() -> None:
    assert {rule.name for rule in RECORDS} >= {recorded(metric) for metric in GAUGES}
    known = {family.name for family in all_families(ALL_KPIS)} | PROMETHEUS_OWN
    # Of the other group, which is evaluated at another moment.
    known.add(DATA_AGE_SECONDS)
    for rule in RULES:
        assert set(metrics_in(rule.expression)) <= known, rule.name
        if isinstance(rule, Record):
            known.add(rule.name)


def test_nothing_but_the_recording_reads_what_two_workers_may_show() -> None:
    moving = set(GAUGES) | {family.name for family in REVISIONS.values()}
    first = {recorded(metric) for metric in GAUGES} | {record.name for record in owners()}
    for rule in RULES:
        if rule.name not in first:
            assert not moving & set(metrics_in(rule.expression)), rule.name


def test_every_alert_has_its_cases() -> None:
    kinds: dict[str, set[str]] = {}
    for case in (*USUAL, *CASES):
        kinds.setdefault(case.alert, set()).update(case.kind.split(", "))
    for name in {alert.name for alert in ALERTS} - {"CCWatchdog"}:
        assert kinds[name] >= {"fires", "clears", "quiet"}, name
    for name in CONTRACT["operations"]["critical"].split():
        assert kinds[name] >= {"restart", "rebalance", "missing"}, name


def test_promtool_accepts_the_configuration_and_all_rules() -> None:
    for command in (
        ["check", "rules", "--lint=all", "--lint-fatal", *_rule_files()],
        ["check", "config", "--lint=all", "--lint-fatal", "prometheus/prometheus.yml"],
    ):
        done = subprocess.run(
            [str(tool("promtool")), *command], cwd=FOLDER, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def _rule_files() -> list[str]:
    return [str(p.relative_to(FOLDER)) for p in sorted(FOLDER.glob("prometheus/rules/*.yml"))]
