"""The shipped configuration, changed in what a test must change and in nothing else.

Addresses are replaced.  Intervals may be shortened, *all by one factor*: how often is scraped and
evaluated, ``for`` and ``keep_firing_for``, how long Alertmanager waits.  Expressions are not
touched, so thresholds and ranges are those that are shipped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
PROMETHEUS = DEPLOY / "prometheus" / "prometheus.yml"
RULES = DEPLOY / "prometheus" / "rules"
ALERTMANAGER = DEPLOY / "alertmanager" / "alertmanager.yml"

SHORTENED = frozenset(
    {
        "scrape_interval", "scrape_timeout", "evaluation_interval",  # prometheus.yml
        "interval", "for", "keep_firing_for",  # rules
        "group_wait", "group_interval", "repeat_interval",  # alertmanager.yml
    }
)  # fmt: skip
"""Keys whose values are durations that the factor divides."""
LEAST_MS = 100
_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_PART = re.compile(r"(\d+)(ms|[smhdw])")
_DISCOVERY = re.compile(r".*_configs")


def ms(duration: str) -> int:
    """A duration as Prometheus writes it.

    >>> ms("1m30s")
    90000
    """
    if duration == "0":
        return 0
    parts = _PART.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise ValueError(f"{duration!r} is no duration")
    return sum(int(number) * _UNITS_MS[unit] for number, unit in parts)


def shortened(config: Any, factor: float, key: str = "") -> Any:
    """The same with every duration of ``SHORTENED`` divided by ``factor``; none but 0 becomes less
    than ``LEAST_MS``."""
    if isinstance(config, dict):
        return {name: shortened(value, factor, name) for name, value in config.items()}
    if isinstance(config, list):
        return [shortened(value, factor, key) for value in config]
    if key in SHORTENED and isinstance(config, str) and ms(config):
        return f"{max(LEAST_MS, round(ms(config) / factor))}ms"
    return config


def load(path: Path) -> Any:
    """A YAML file."""
    return yaml.safe_load(path.read_text("utf-8"))


def prometheus(
    config: Mapping[str, Any],
    targets: Mapping[str, Sequence[str]],
    alertmanager: str,
    rules: Path,
) -> dict[str, Any]:
    """``prometheus.yml`` for this machine.  ``targets``: name of a scrape job -> addresses; jobs
    that are not named there are left out, because what they scrape does not run here."""
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    missing = targets.keys() - jobs.keys()
    assert not missing, f"{PROMETHEUS.name} has no job {missing}, only {sorted(jobs)}"
    return {
        **config,
        "rule_files": [str(rules / "*.yml")],
        "alerting": {
            **config.get("alerting", {}),
            "alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}],
        },
        "scrape_configs": [_aimed(jobs[name], found) for name, found in targets.items()],
    }


def _aimed(job: Mapping[str, Any], targets: Sequence[str]) -> dict[str, Any]:
    """The job with other targets; labels that it gives all of them stay."""
    kept = {
        key: value
        for key, value in job.items()
        if not _DISCOVERY.fullmatch(key) or key.endswith("relabel_configs")
    }
    labels: dict[str, str] = {}
    for group in job.get("static_configs", ()):
        labels |= group.get("labels", {})
    return {**kept, "static_configs": [{"targets": list(targets), "labels": labels}]}


def alertmanager(config: Mapping[str, Any], webhook: str) -> dict[str, Any]:
    """``alertmanager.yml`` where every receiver that tells anybody tells ``webhook``."""
    receivers = [
        {"name": one["name"]}
        if len(one) == 1
        else {"name": one["name"], "webhook_configs": [{"url": webhook, "send_resolved": True}]}
        for one in config["receivers"]
    ]
    return {**config, "receivers": receivers}


def alert(name: str) -> Mapping[str, Any]:
    """The first alert rule of this name."""
    groups = (group for path in sorted(RULES.glob("*.yml")) for group in load(path)["groups"])
    rules = (rule for group in groups for rule in group["rules"])
    return next(rule for rule in rules if rule.get("alert") == name)


def seconds_to_page(name: str) -> float:
    """What the shipped intervals add up to, at most, from when a worker shows what the alert is
    about until somebody is told: to the next scrape, to the next evaluation, for as long as it has
    to be so, and Alertmanager's wait for more of the same."""
    config = load(PROMETHEUS)["global"]
    waits = [
        config["scrape_interval"],
        config["evaluation_interval"],
        alert(name).get("for", "0"),
        load(ALERTMANAGER)["route"]["group_wait"],
    ]
    return sum(map(ms, waits)) / 1_000
