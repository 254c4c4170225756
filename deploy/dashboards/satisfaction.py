"""What customers say, and whether one contact was enough.  Numbers that are final late say so."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as model

from deploy.dashboards.frame import About, Section, channels, framed, queues
from deploy.dashboards.panels import RATIO, STEPS, Panel, Told, lines, meter, tile
from deploy.dashboards.series import Query, kpi, limit

DAY = {"window": "day", "state": "closed"}
TODAY = {"window": "day", "state": "open"}
POINTS = "none"
SURVEYS = "Answers count on the day they come."
SOONER = (
    "It can only fall from here: who contacts us again later counts against that day. Final "
    "when the last of its contacts is that old; what is shown here is one day old."
)


def dashboard() -> model.Dashboard:
    about = About(
        "cc-satisfaction",
        "Contact centre: satisfaction",
        "Surveys, and first-contact resolution. Of few answers a share says little.",
        (queues("cc_window_csat_positive_ratio"), channels("cc_window_csat_positive_ratio")),
        since="now-7d",
        breaches="hour|day",
    )
    return framed(
        about,
        Section("Surveys", _surveys()),
        Section("First-contact resolution", _resolution()),
    )


def _surveys() -> list[Panel]:
    csat, nps = "cc_window_csat_positive_ratio", "cc_window_nps_transactional_points"
    return [
        tile(
            Told("CSAT today", f"Share of positive answers. {SURVEYS}", RATIO, 12, 5, 1),
            Query(kpi(csat, **TODAY)),
        ),
        tile(
            Told(
                "NPS today",
                f"Promoters less detractors of 100 answers, after a contact. {SURVEYS}",
                POINTS,
                12,
                5,
                0,
            ),
            Query(kpi(nps, **TODAY)),
        ),
        lines(
            Told("CSAT by day", _days("Share of positive answers."), RATIO, 12, 8, 0, 1),
            Query(kpi(csat, **DAY)),
            limit("csat_positive_ratio", "day"),
            style=STEPS,
        ),
        lines(
            Told(
                "NPS by day",
                _days("After a contact, and of the relationship; -100 to 100."),
                POINTS,
                12,
            ),
            Query(kpi(nps, **DAY), "{{queue}} · {{channel}} contact", "contact"),
            Query(
                kpi("cc_window_nps_relationship_points", **DAY),
                "{{queue}} · {{channel}} relationship",
                "relationship",
            ),
            limit("nps_transactional", "day"),
            style=STEPS,
        ),
    ]


def _resolution() -> list[Panel]:
    fcr = "cc_window_fcr_ratio"
    repeats = [
        lines(
            Told(
                f"No repeat within {days} d (final after {days} d)",
                f"Share of the last whole day's contacts after which the customer did not come "
                f"back within {days} d. {SOONER}",
                RATIO,
                8,
                8,
                0,
                1,
            ),
            Query(kpi(fcr, **DAY, method=f"no_repeat_{days}d")),
            limit(f"fcr_ratio_{days}d", "day"),
            style=STEPS,
        )
        for days in (1, 7, 30)
    ]
    survey = meter(
        Told(
            "Solved, customers say",
            "Share of the last whole day's answers that say the issue is solved. Final when "
            "the day is over.",
            RATIO,
            24,
            7,
            0,
            1,
        ),
        Query(kpi("cc_window_fcr_survey_ratio", **DAY)),
    )
    return [*repeats, survey]


def _days(text: str) -> str:
    return f"{text} Each point shows the last whole day before it. {SURVEYS}"
