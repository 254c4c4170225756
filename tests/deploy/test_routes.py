"""Who is told of what, by the real amtool; and the scrape's limits."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deploy.generated import FOLDER
from deploy.rules import INTERVAL
from deploy.rules.defaults import markdown
from streams.definitions.series import series
from streams.sinks.prometheus import LABEL_SETS_MAX
from tests.deploy.test_rules import ALERTS, CONTRACT
from tests.tools.debian import tool

ALERTMANAGER = FOLDER / "alertmanager" / "alertmanager.yml"
PROMETHEUS = FOLDER / "prometheus" / "prometheus.yml"
QUEUE = {"queue": "sales", "channel": "voice"}


def amtool(*arguments: str) -> str:
    done = subprocess.run([str(tool("amtool")), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


BREACHED = {
    "owner": "operations", "severity": "critical", "alertname": "CCTargetBreached", **QUEUE,
}  # fmt: skip


def routed(config: Path, labels: dict[str, str]) -> str:
    pairs = [f"{name}={value}" for name, value in labels.items()]
    return amtool("config", "routes", "test", f"--config.file={config}", *pairs).strip()


def test_amtool_accepts_the_configuration() -> None:
    assert "SUCCESS" in amtool("check-config", str(ALERTMANAGER))


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"owner": "operations", "severity": "critical", **QUEUE}, "operations-page"),
        ({"owner": "operations", "severity": "warning", **QUEUE}, "operations-message"),
        (BREACHED | {"window": "rolling_30m"}, "operations-page"),
        (BREACHED | {"window": "now"}, "operations-page"),
        # A window that is over is nothing to get up for; a burn of the day is not over.
        (BREACHED | {"window": "quarter_hour"}, "operations-message"),
        (BREACHED | {"window": "day"}, "operations-message"),
        (
            BREACHED | {"window": "day", "alertname": "CCQueueServiceLevelBurnMedium"},
            "operations-page",
        ),
        ({"owner": "operations", "severity": "info", **QUEUE}, "nobody"),
        ({"owner": "platform", "severity": "critical"}, "platform-page"),
        ({"owner": "platform", "severity": "warning"}, "platform-message"),
        ({"owner": "platform", "severity": "info"}, "nobody"),
        (
            {"owner": "platform", "severity": "info", "alertname": "CCWatchdog"},
            "dead-mans-switch",
        ),
        # What is not ours.
        ({"severity": "critical", "alertname": "Other"}, "platform-message"),
    ],
)
def test_alerts_go_to(labels: dict[str, str], receiver: str) -> None:
    assert routed(ALERTMANAGER, labels) == receiver


def test_the_nights_of_written_channels_can_be_quiet(tmp_path: Path) -> None:
    """The lines that are commented out are right, too."""
    text = ALERTMANAGER.read_text("utf-8")
    assert "time_intervals:" not in re.sub("(?m)^ *#.*$", "", text), "not every system has zones"
    uncommented = re.sub(r"(?m)^( *)# (- matchers|  receiver|  active)", r"\1\2", text)
    uncommented = re.sub(r"(?m)^# (time_intervals:| {2,})", r"\1", uncommented)
    assert uncommented.count("active_time_intervals: [office]") == 1
    config = tmp_path / "alertmanager.yml"
    config.write_text(uncommented, "utf-8")
    assert "SUCCESS" in amtool("check-config", str(config))
    mail = {"owner": "operations", "severity": "critical", "channel": "email"}
    assert routed(config, mail) == "operations-message"
    assert routed(ALERTMANAGER, mail) == "operations-page"


def _seconds(text: str) -> int:
    return int(text[:-1] or 0) * {"s": 1, "m": 60}[text[-1]]


def test_a_page_leaves_within_a_minute() -> None:
    """Scrape, evaluation, the one that ends ``for``, and the wait for others of its queue."""
    prometheus, route = _config(PROMETHEUS)["global"], _config(ALERTMANAGER)["route"]
    steps = [prometheus["scrape_interval"], INTERVAL, route["group_wait"]]
    pages = [a for a in ALERTS if a.owner == "operations" and a.severity == "critical"]
    slow = {a.name for a in pages if sum(map(_seconds, [*steps, a.lasts or "0s"])) > 60}
    # Agents may be back in a moment.
    assert slow == {"CCQueueNoAgentsReady"}
    assert all(_seconds(a.lasts or "0s") % _seconds(INTERVAL) == 0 for a in pages)


# -- inhibition, read as Alertmanager reads it; the real one is in the live test


@cache
def _config(path: Path) -> Any:
    return msgspec.yaml.decode(path.read_bytes())


def _matches(matchers: list[str], labels: dict[str, str]) -> bool:
    for matcher in matchers:
        name, sign, value = re.fullmatch(r'(\w+)(=~|!=|=)"?(.*?)"?', matcher).groups()  # type: ignore[union-attr]
        found = labels.get(name, "")
        same = re.fullmatch(value, found) is not None if sign == "=~" else found == value
        if same == (sign == "!="):
            return False
    return True


def quiet(target: dict[str, str], source: dict[str, str]) -> bool:
    """Whether one alert keeps another quiet."""
    for rule in _config(ALERTMANAGER)["inhibit_rules"]:
        sources, targets = rule["source_matchers"], rule["target_matchers"]
        if _matches(sources, target) and _matches(targets, source):
            continue  # of two that are both, neither is quiet
        same = all(source.get(name, "") == target.get(name, "") for name in rule["equal"])
        if _matches(sources, source) and _matches(targets, target) and same:
            return True
    return False


def _labels(name: str, **more: str) -> dict[str, str]:
    alert = next(alert for alert in ALERTS if alert.name == name)
    rule = {"alertname": name, "severity": alert.severity, "owner": alert.owner}
    return {"job": "contact-streams", **rule, **more}


OPERATIONS = [name for names in CONTRACT["operations"].values() for name in names.split()]


@pytest.mark.parametrize("source", ["CCPipelineStale", "CCPipelineAbsent"])
def test_nobody_is_called_for_a_queue_by_results_that_are_old(source: str) -> None:
    for name in OPERATIONS:
        assert quiet(_labels(name, **QUEUE), _labels(source))
        assert not quiet(_labels(name, **QUEUE), _labels(source) | {"job": "another"})
    assert not quiet(_labels("CCRecordsLost"), _labels(source))
    # One deployment of two on a cluster.
    here, there = {"namespace": "a"}, {"namespace": "b"}
    stale = _labels("CCPipelineStale", **here)
    assert quiet(_labels("CCTargetBreached", **here), stale)
    assert not quiet(_labels("CCTargetBreached", **there), stale)


def test_one_thing_is_one_page() -> None:
    level = QUEUE | {"kpi": "service_level_pos"}
    breached = _labels("CCTargetBreached", **level, window="rolling_30m")
    fast, slow = (_labels(f"CCQueueServiceLevelBurn{n}", **level) for n in ("Fast", "Slow"))
    assert quiet(fast, breached)
    assert quiet(_labels("CCTargetWarning", **level), breached)
    assert quiet(slow, fast)
    assert not quiet(fast, slow)
    other = {"queue": "help", "channel": "voice"}
    assert not quiet(slow | other, fast)
    assert not quiet(fast | other, breached)
    assert not quiet(_labels("CCQueueLongestWaitHigh", **QUEUE, kpi="longest_wait"), breached)
    assert quiet(
        _labels("CCQueueLongestWaitHigh", **QUEUE, kpi="longest_wait"),
        _labels("CCQueueNoAgentsReady", **QUEUE),
    )


@pytest.mark.parametrize("window", ["quarter_hour", "hour", "day"])
def test_a_breach_of_the_past_does_not_keep_quiet_about_now(window: str) -> None:
    """It stands until the next such window is judged: a day's, all of the next day."""
    level = QUEUE | {"kpi": "service_level_pos"}
    breached = _labels("CCTargetBreached", **level, window=window)
    assert not quiet(_labels("CCQueueServiceLevelBurnFast", **level), breached)
    assert not quiet(_labels("CCTargetWarning", **level, window="rolling_30m"), breached)
    waits = _labels("CCTargetBreached", **QUEUE, kpi="longest_wait", window="now")
    assert quiet(_labels("CCQueueLongestWaitHigh", **QUEUE, kpi="longest_wait"), waits)


def test_no_two_alerts_keep_each_other_quiet() -> None:
    """Else nobody would be told at all."""
    for one in ALERTS:
        for other in ALERTS:
            labels = [
                {**_labels(a.name), "kpi": "k", "window": "now", **QUEUE} for a in (one, other)
            ]
            assert not (quiet(labels[0], labels[1]) and quiet(labels[1], labels[0]))


def test_a_worker_that_is_well_is_within_the_limits_of_a_scrape() -> None:
    job = _config(PROMETHEUS)["scrape_configs"][0]
    assert job["job_name"] == "contact-streams"
    # And 4,000 of targets, and the worker's own.
    assert series().at_most(LABEL_SETS_MAX) + 4_000 < job["sample_limit"] < 100_000


def test_the_examples_of_the_docs_are_right(tmp_path: Path) -> None:
    text = (FOLDER.parent / "docs" / "alerts.md").read_text("utf-8")
    receivers, route = (
        msgspec.yaml.decode(y) for y in re.findall(r"```yaml\n(.*?)```", text, re.S)
    )
    config = _config(ALERTMANAGER)
    named = {receiver["name"]: receiver for receiver in (*config["receivers"], *receivers)}
    for changed in ({"receivers": list(named.values())}, route):
        path = tmp_path / "alertmanager.yml"
        root = {"receiver": "nobody"} | changed.get("route", {})
        path.write_bytes(msgspec.yaml.encode({**config, **changed, "route": root}))
        assert "SUCCESS" in amtool("check-config", str(path))


def test_the_docs_have_the_numbers_of_the_rules() -> None:
    text = (FOLDER.parent / "docs" / "alerts.md").read_text("utf-8")
    assert markdown() in text, "python -m deploy.rules.defaults writes the tables"
