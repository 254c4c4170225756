"""Service level and abandonment over days."""

from __future__ import annotations

from collections.abc import Callable

from grafana_foundation_sdk.models import dashboard as model

from deploy.dashboards.frame import About, Section, framed, of_calls, service_level_by
from deploy.dashboards.panels import COUNT, RATIO, SECONDS, STEPS, Panel, Told, lines, tile
from deploy.dashboards.series import Query, just_over, kpi, limit

TODAY = {"window": "day", "state": "open"}
DAYS = (
    "Each point shows the last whole day before it in which there was anything, corrected as late "
    "events came."
)
HOURS = "Each point shows the whole hour before it, corrected as late events came."


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
        Section("Days", _windows(_last_day, "day", DAYS)),
        Section("Hours", _windows(_last_hour, "hour", HOURS)),
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


def _last_day(metric: str, **labels: str) -> str:
    return kpi(metric, window="day", state="closed", **labels)


def _last_hour(metric: str, **labels: str) -> str:
    return just_over(metric, "hour", **labels)


def _windows(last: Callable[..., str], window: str, text: str) -> list[Panel]:
    level = last("cc_window_service_level_ratio", variant="$variant")
    abandonment = last("cc_window_abandonment_ratio")
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
            Query(last("cc_window_contacts_offered")),
            style=STEPS,
        ),
        lines(
            Told(f"Mean speed of answer by {window}", text, SECONDS, 12, 8),
            Query(last("cc_window_answer_speed_mean_seconds")),
            limit("answer_speed_mean", window),
            style=STEPS,
        ),
    ]
