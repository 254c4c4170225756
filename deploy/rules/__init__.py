"""Recording and alert rules for Prometheus, 2.42 and later."""

from __future__ import annotations

from deploy.names import GAUGES
from deploy.rules import kpi_alerts, pipeline, rule
from deploy.rules.limits import limits
from deploy.rules.newest import newest, owners
from deploy.rules.rule import Group

INTERVAL = "15s"


def groups() -> dict[str, Group]:
    """Rule file -> its group.

    What is recorded and what alerts on it are one group: its rules are evaluated in their order at
    one moment, so no alert waits another interval for a recorded series, or meets one half made.
    """
    recorded = (*owners(), *(newest(metric) for metric in GAUGES))
    return {
        "kpi": Group("contact-streams-kpi", INTERVAL, (*recorded, *limits(), *kpi_alerts.alerts())),
        "pipeline": Group("contact-streams-pipeline", INTERVAL, pipeline.rules()),
    }


def files() -> dict[str, str]:
    """See ``deploy.generated``."""
    return {
        f"prometheus/rules/{name}.rules.yml": rule.text([group]) for name, group in groups().items()
    }
