"""Mails, chats and tickets: first response, what is unanswered, backlog and solutions."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as model

from deploy.dashboards.frame import About, Section, channels, framed, queues, rolling
from deploy.dashboards.panels import (
    COUNT,
    RATIO,
    SECONDS,
    STEPS,
    Panel,
    Told,
    lines,
    meter,
    standing_tile,
    tile,
)
from deploy.dashboards.series import Query, by_standing, just_over, kpi, limit
from deploy.dashboards.wall import COLORS

ROLLING = {"window": "$window", "state": "now"}
TODAY = {"window": "day", "state": "open"}


def dashboard() -> model.Dashboard:
    about = About(
        "cc-written",
        "Contact centre: mails, chats, tickets",
        "First response, what is unanswered, backlog and solutions. Bots and automatic answers "
        "are no response.",
        (
            queues("cc_contacts_unanswered"),
            channels("cc_contacts_unanswered"),
            rolling("cc_window_contacts_arrived"),
        ),
        since="now-24h",
    )
    return framed(
        about,
        Section("", _now()),
        Section("First response", _response()),
        Section("Backlog and solutions", _solutions()),
    )


def _now() -> list[Panel]:
    level = kpi("cc_window_service_level_first_response_ratio", **ROLLING)
    return [
        standing_tile(
            Told(
                "First response in time",
                "Share of first responses that came within the queue's threshold, in the rolling "
                f"window. {COLORS}",
                RATIO,
                12,
                5,
                decimals=1,
            ),
            by_standing(level, "service_level_first_response", "$window"),
        ),
        standing_tile(
            Told(
                "Unanswered too long",
                "Without a first response for longer than the queue's threshold, where there are "
                f"any. {COLORS}",
                COUNT,
                12,
                5,
            ),
            by_standing(
                f"{kpi('cc_contacts_unanswered_beyond_threshold')} > 0",
                "contacts_unanswered_beyond_threshold",
                "now",
            ),
        ).no_value("none"),
        standing_tile(
            Told(
                "Oldest in the backlog",
                f"Age of the oldest contact that is not solved. {COLORS}",
                SECONDS,
                24,
                4,
                decimals=1,
            ),
            by_standing(kpi("cc_oldest_in_backlog_seconds"), "oldest_in_backlog", "now"),
        ),
    ]


def _response() -> list[Panel]:
    return [
        lines(
            Told(
                "Time to first response",
                "Mean over the rolling window; dotted beside it the same in opening hours alone.",
                SECONDS,
                12,
            ),
            Query(kpi("cc_window_first_response_mean_seconds", **ROLLING)),
            Query(
                kpi("cc_window_first_response_open_hours_mean_seconds", **ROLLING),
                "{{queue}} · {{channel}}, open hours",
                "open",
            ),
            limit("first_response_mean", "$window"),
        ).override_by_query("open", [_dotted()]),
        lines(
            Told(
                "First response in time, by hour",
                "Share of first responses within the threshold. Each point shows the last whole "
                "hour before it.",
                RATIO,
                12,
                max=1,
                decimals=0,
            ),
            Query(just_over("cc_window_service_level_first_response_ratio", "hour")),
            limit("service_level_first_response", "hour"),
            style=STEPS,
        ),
        lines(
            Told("Unanswered", "Contacts without a first response, at each moment.", COUNT, 12),
            Query(kpi("cc_contacts_unanswered")),
            limit("contacts_unanswered", "now"),
        ),
        lines(
            Told(
                "Longest without a response",
                "Age of the oldest contact without a first response, at each moment.",
                SECONDS,
                12,
            ),
            Query(kpi("cc_longest_unanswered_seconds")),
            limit("longest_unanswered", "now"),
        ),
    ]


def _solutions() -> list[Panel]:
    return [
        meter(
            Told("Backlog now", "Contacts that are not solved.", COUNT, 8, 9),
            Query(kpi("cc_contacts_backlog")),
        ),
        lines(
            Told("Backlog", "Contacts that were not solved at each moment.", COUNT, 8, 9),
            Query(kpi("cc_contacts_backlog")),
            limit("tickets_backlog", "now"),
        ),
        lines(
            Told(
                "Arrived and solved, today",
                "Since midnight, by the queue's clock, the queues chosen together. If the lines "
                "part, the backlog grows.",
                COUNT,
                8,
                9,
            ),
            *(
                Query(
                    f"sum by (job, channel) ({kpi(f'cc_window_contacts_{what}', **TODAY)})",
                    f"{{{{channel}}}} {what}",
                    what,
                )
                for what in ("arrived", "solved")
            ),
            style=STEPS,
        ),
        tile(
            Told(
                "Reopened, of those solved today",
                "Share of what was solved today that has been opened again.",
                RATIO,
                24,
                5,
                decimals=1,
            ),
            Query(kpi("cc_window_reopen_ratio", **TODAY)),
        ),
    ]


def _dotted() -> model.DynamicConfigValue:
    return model.DynamicConfigValue("custom.lineStyle", {"fill": "dot", "dash": [2, 8]})
