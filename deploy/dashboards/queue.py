"""One queue in detail; several beside one another where that is readable."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as model

from deploy.dashboards.frame import About, Section, framed, of_calls_now
from deploy.dashboards.panels import (
    BARS,
    COUNT,
    RATIO,
    SECONDS,
    WAITED,
    Panel,
    Told,
    lines,
    mapped,
    rows,
    standing_tile,
    tile,
)
from deploy.dashboards.series import Query, by_standing, just_over, kpi, limit
from deploy.dashboards.wall import COLORS, stale_tile

ROLLING = {"window": "$window", "state": "now"}
QUARTER = "Each point shows the last quarter of an hour that is over."
WITH_TARGET = "In the rolling window, with the target of that window, if there is one."
TARGETS = {
    "target": "Target",
    "queue": "Queue",
    "channel": "Channel",
    "kpi": "KPI",
    "window": "Window",
    "limit": "Limit",
    "breached": "Stands",
}
STANDS = mapped({"0": ("met", "green"), "1": ("warning", "orange"), "2": ("breached", "red")})


def dashboard() -> model.Dashboard:
    about = About(
        "cc-queue",
        "Contact centre: queue",
        "One queue, or a few: how it is now, and how it came to that.",
        of_calls_now(),
    )
    return framed(
        about,
        Section("", _now()),
        Section("How soon", _soon()),
        Section("How much", _much()),
        Section("Agents and their work", _work()),
        Section("Targets", [targets()]),
    )


def _now() -> list[Panel]:
    level = kpi("cc_window_service_level_ratio", **ROLLING, variant="$variant")
    return [
        standing_tile(
            Told("Service level", f"In the rolling window. {COLORS}", RATIO, 5, 5, decimals=1),
            by_standing(level, "service_level_$variant", "$window"),
        ),
        standing_tile(
            Told("Waiting", f"Contacts that wait now. {COLORS}", COUNT, 4, 5),
            by_standing(kpi("cc_contacts_waiting"), "contacts_waiting", "now"),
        ),
        standing_tile(
            Told("Longest wait", f"Of those that wait now. {COLORS}", WAITED, 4, 5),
            by_standing(kpi("cc_longest_wait_seconds"), "longest_wait", "now"),
        ).no_value("nobody waits"),
        standing_tile(
            Told("Abandonment", f"In the rolling window. {COLORS}", RATIO, 4, 5, decimals=1),
            by_standing(
                kpi("cc_window_abandonment_ratio", **ROLLING), "abandonment_ratio", "$window"
            ),
        ),
        tile(
            Told("Offered today", "Since midnight, by the queue's clock.", COUNT, 4, 5),
            Query(kpi("cc_window_contacts_offered", window="day", state="open")),
        ),
        stale_tile(3, 5),
    ]


def _soon() -> list[Panel]:
    return [
        lines(
            Told("Service level", WITH_TARGET, RATIO, 12, decimals=0, max=1),
            Query(kpi("cc_window_service_level_ratio", **ROLLING, variant="$variant")),
            limit("service_level_$variant", "$window"),
        ),
        lines(
            Told(
                "Longest wait",
                "How long the one at the head of the queue had waited at each moment.",
                SECONDS,
                12,
            ),
            Query(kpi("cc_longest_wait_seconds")),
            limit("longest_wait", "now"),
        ),
        lines(
            Told(
                "Waiting",
                "Contacts that waited at each moment, and of those, how many for longer than the "
                "queue's service level threshold.",
                COUNT,
                12,
            ),
            Query(kpi("cc_contacts_waiting")),
            Query(
                kpi("cc_contacts_waiting_beyond_threshold"),
                "{{queue}} · {{channel}}, too long",
                "beyond",
            ),
            limit("contacts_waiting", "now"),
        ),
        lines(
            Told("Abandonment", WITH_TARGET, RATIO, 12, decimals=0),
            Query(kpi("cc_window_abandonment_ratio", **ROLLING)),
            limit("abandonment_ratio", "$window"),
        ),
    ]


def _much() -> list[Panel]:
    def quarters(title: str, metric: str, text: str) -> Panel:
        told = Told(title, f"{text} {QUARTER}", COUNT, 8)
        return lines(
            told, Query(just_over(metric, "quarter_hour")), style=BARS, stacked=True, interval="15m"
        )

    return [
        quarters("Offered", "cc_window_contacts_offered", "Visits that began."),
        quarters("Answered", "cc_window_contacts_answered", "Visits an agent answered."),
        quarters("Abandoned", "cc_window_contacts_abandoned", "Visits the customer gave up."),
    ]


def _work() -> list[Panel]:
    return [
        lines(
            Told(
                "Agents by state",
                "Agents of the queue by what they do; who is in several queues is in each.",
                COUNT,
                8,
            ),
            Query(kpi("cc_queue_agents"), "{{queue}} {{state}}"),
            stacked=True,
        ),
        lines(
            Told(
                "Mean times",
                "Speed of answer, talk and handle time in the rolling window; each is a mean of "
                "its own contacts.",
                SECONDS,
                8,
            ),
            *(
                Query(kpi(metric, **ROLLING), f"{{{{queue}}}} · {{{{channel}}}} {word}", word)
                for metric, word in (
                    ("cc_window_answer_speed_mean_seconds", "answer"),
                    ("cc_window_talk_time_mean_seconds", "talk"),
                    ("cc_window_handle_time_mean_seconds", "handle"),
                )
            ),
        ),
        lines(
            Told(
                "Transfers",
                "Share of answered visits that ended by a transfer, in the rolling window.",
                RATIO,
                8,
                decimals=0,
            ),
            Query(kpi("cc_window_transfer_ratio", **ROLLING)),
        ),
    ]


def targets() -> Panel:
    """Every target of the queues chosen, and how it stands."""
    by = "max by (job, target, queue, channel, kpi, window)"
    breached, warning = kpi("cc_target_breached"), kpi("cc_target_warning")
    panel = rows(
        Told(
            "Targets",
            "Every target of the queues chosen, its limit in the KPI's own unit (a ratio is 0 to "
            "1), and how it stands.",
            "none",
            24,
            9,
        ),
        TARGETS,
        Query(f"{by} ({kpi('cc_target')})", "", "limit"),
        Query(f"{by} (2 * {breached} + {warning})", "", "breached"),
    )
    return panel.override_by_name(
        TARGETS["breached"],
        [
            model.DynamicConfigValue("mappings", STANDS),
            model.DynamicConfigValue(
                "custom.cellOptions", {"type": "color-background", "mode": "basic"}
            ),
        ],
    )
