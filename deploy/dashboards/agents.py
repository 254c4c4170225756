"""Agents, as a staff: no series names an agent.  Opt-in; works councils may want to be asked."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as model

from deploy.dashboards.frame import About, Section, framed, queues, rolling
from deploy.dashboards.panels import COUNT, RATIO, Panel, Told, lines, meter, tile
from deploy.dashboards.series import Query, kpi

STAFF = "All agents together; nobody is named."


def dashboard() -> model.Dashboard:
    about = About(
        "cc-agents",
        "Contact centre: agents",
        "Agents by state and queue, and how busy they are. No series names an agent.",
        (queues("cc_queue_agents"), rolling("cc_window_occupancy_ratio")),
    )
    return framed(
        about,
        Section("", _states()),
        Section("By queue", _queues()),
        Section("How busy", _busy()),
    )


def _states() -> list[Panel]:
    return [
        tile(
            Told("Agents now", f"By what they do. {STAFF}", COUNT, 24, 5),
            Query(kpi("cc_agents"), "{{state}}"),
        ),
        lines(
            Told("Agents by state", f"Each agent is in one state. {STAFF}", COUNT, 24, 9),
            Query(kpi("cc_agents"), "{{state}}"),
            stacked=True,
        ),
    ]


def _queues() -> list[Panel]:
    return [
        meter(
            Told(
                "Now, by queue",
                "Agents of each queue by what they do; who is in several queues is in each.",
                COUNT,
                12,
                10,
            ),
            Query(kpi("cc_queue_agents"), "{{queue}} {{state}}"),
        ),
        lines(
            Told("Ready, by queue", "Agents who are ready and have no contact.", COUNT, 12, 10),
            Query(kpi("cc_queue_agents", state="idle"), "{{queue}}"),
        ),
    ]


def _busy() -> list[Panel]:
    meanings = {
        "ring_excluded": "Time with a contact, over that and idle time",
        "logged_in": "Time with a contact, over all time logged in",
    }
    return [
        lines(
            Told(f"Occupancy, {variant}", f"{text}; rolling window. {STAFF}", RATIO, 12, 9, 0, 1),
            Query(
                kpi("cc_window_occupancy_ratio", window="$window", state="now", variant=variant),
                "all agents",
            ),
        )
        for variant, text in meanings.items()
    ]
