"""The wall: few big numbers per queue, to be read from five metres."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as model

from deploy.dashboards.frame import About, Section, framed, of_calls_now
from deploy.dashboards.panels import (
    CLOCK,
    COUNT,
    RATIO,
    SECONDS,
    WAITED,
    Panel,
    Told,
    mapped,
    standing_tile,
    steps,
    tile,
    to_queue,
)
from deploy.dashboards.series import ABSENT_SECONDS, AGE, Query, by_standing, kpi

STALE_SECONDS = 60
"""Older numbers than this are no longer now."""
COLORS = (
    "Red: its target is breached. Orange: warning. Green: met. Gray: there is no target. The worst "
    "come first."
)


def dashboard() -> model.Dashboard:
    about = About(
        "cc-wall",
        "Contact centre: wall",
        "Now, for a screen on a wall: open it with ?kiosk. A click leads to the queue.",
        of_calls_now(),
        since="now-1h",
        refresh="10s",
    )
    return framed(about, Section("", [*_head(), _service_level(), *_now(), *_today()]))


def _head() -> list[Panel]:
    return [
        tile(
            Told(
                "As of",
                "Event time up to which everything has been counted.",
                CLOCK,
                6,
                4,
            ),
            Query(f"(time() - {AGE}) * 1000", ""),
        ),
        stale_tile(6, 4),
        tile(
            Told("Waiting, all queues", "Contacts that wait in the queues shown.", COUNT, 6, 4),
            Query(f"sum({kpi('cc_contacts_waiting')})", ""),
        ),
        tile(
            Told(
                "Targets breached",
                "Targets of levels and rolling windows that are breached, in the queues shown, of "
                "all KPIs.",
                COUNT,
                6,
                4,
            ),
            Query(f"sum({kpi('cc_target_breached', window='~rolling_.+|now')})", ""),
        ).thresholds(steps("dark-green", (1, "dark-red"))),
    ]


def stale_tile(width: int, height: int) -> Panel:
    """How old everything is; red when it is stale, or when nobody knows."""
    told = Told(
        "Data age",
        f"How long ago that was. Red above {STALE_SECONDS} s: the numbers are not those of now, "
        "and the alert CCPipelineStale says why.",
        SECONDS,
        width,
        height,
    )
    panel = tile(told, Query(f"{AGE} or vector({ABSENT_SECONDS})", ""))
    panel = panel.thresholds(steps("dark-green", (STALE_SECONDS, "dark-red")))
    return panel.mappings(mapped({str(ABSENT_SECONDS): ("no data", "dark-red")}))


def _service_level() -> Panel:
    value = kpi("cc_window_service_level_ratio", window="$window", state="now", variant="$variant")
    told = Told(
        "Service level now",
        f"Of the contacts of the rolling window, the share that was answered in time. {COLORS}",
        RATIO,
        24,
        9,
        decimals=1,
    )
    return standing_tile(told, by_standing(value, "service_level_$variant", "$window"))


def _now() -> list[Panel]:
    return [
        standing_tile(
            Told("Waiting", f"Contacts that wait for an agent. {COLORS}", COUNT, 8, 7),
            by_standing(kpi("cc_contacts_waiting"), "contacts_waiting", "now"),
        ),
        standing_tile(
            Told(
                "Longest wait",
                f"How long the one at the head of the queue has waited. {COLORS}",
                WAITED,
                8,
                7,
            ),
            by_standing(kpi("cc_longest_wait_seconds"), "longest_wait", "now"),
        ).no_value("nobody waits"),
        tile(
            Told(
                "Agents ready",
                "Agents of the queue who are ready and have no contact. Orange: nobody.",
                COUNT,
                8,
                7,
            ),
            Query(kpi("cc_queue_agents", state="idle"), "{{queue}}"),
        )
        .thresholds(steps("dark-orange", (1, "dark-green")))
        .data_links([to_queue()]),
    ]


def _today() -> list[Panel]:
    abandonment = kpi("cc_window_abandonment_ratio", window="$window", state="now")
    return [
        standing_tile(
            Told(
                "Abandonment",
                f"Of the contacts of the rolling window, the share that gave up. {COLORS}",
                RATIO,
                12,
                7,
                decimals=1,
            ),
            by_standing(abandonment, "abandonment_ratio", "$window"),
        ),
        tile(
            Told(
                "Offered today",
                "Contacts offered since midnight, by the queue's clock.",
                COUNT,
                12,
                7,
            ),
            Query(kpi("cc_window_contacts_offered", window="day", state="open")),
        ).data_links([to_queue()]),
    ]
