"""Service level and abandonment over days."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as model

from deploy.dashboards.frame import About, Section, framed, of_calls, service_level_by
from deploy.dashboards.panels import COUNT, RATIO, SECONDS, STEPS, Panel, Told, lines, tile
from deploy.dashboards.series import Query, kpi, limit

HOUR = {"window": "hour", "state": "closed"}
DAY = {"window": "day", "state": "closed"}
TODAY = {"window": "day", "state": "open"}
DAYS = "Each point shows the last whole day before it, corrected as late events came."
HOURS = "Each point shows the last whole hour before it, corrected as late events came."


def dashboard() -> model.Dashboard:
    about = About(
        "cc-history",
        "Contact centre: history",
        "Service level and abandonment of whole days and hours. Days are those of the queue's "
        "zone. Longer than Prometheus keeps: the KPI topics.",
        (*of_calls(), service_level_by()),
        since="now-7d",
        breaches="hour|day",
    )
    return framed(
        about,
        Section("Today so far", _today()),
        Section("Days", _windows(DAY, "day", DAYS)),
        Section("Hours", _windows(HOUR, "hour", HOURS)),
    )


def _today() -> list[Panel]:
    level = kpi("cc_window_service_level_ratio", **TODAY, variant="$variant")
    return [
        tile(
            Told("Service level today", "Since midnight, by the queue's clock.", RATIO, 8, 5, 1),
            Query(level),
        ),
        tile(
            Told("Abandonment today", "Since midnight, by the queue's clock.", RATIO, 8, 5, 1),
            Query(kpi("cc_window_abandonment_ratio", **TODAY)),
        ),
        tile(
            Told("Offered today", "Since midnight, by the queue's clock.", COUNT, 8, 5),
            Query(kpi("cc_window_contacts_offered", **TODAY)),
        ),
    ]


def _windows(chosen: dict[str, str], window: str, text: str) -> list[Panel]:
    level = kpi("cc_window_service_level_ratio", **chosen, variant="$variant")
    abandonment = kpi("cc_window_abandonment_ratio", **chosen)
    return [
        lines(
            Told(f"Service level by {window}", text, RATIO, 12, 9, 0, 1),
            Query(level),
            limit("service_level_$variant", window),
            style=STEPS,
        ),
        lines(
            Told(f"Abandonment by {window}", text, RATIO, 12, 9, 0),
            Query(abandonment),
            limit("abandonment_ratio", window),
            style=STEPS,
        ),
        lines(
            Told(f"Offered by {window}", text, COUNT, 12, 8),
            Query(kpi("cc_window_contacts_offered", **chosen)),
            style=STEPS,
        ),
        lines(
            Told(f"Mean speed of answer by {window}", text, SECONDS, 12, 8),
            Query(kpi("cc_window_answer_speed_mean_seconds", **chosen)),
            limit("answer_speed_mean", window),
            style=STEPS,
        ),
    ]
