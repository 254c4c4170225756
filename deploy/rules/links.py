"""Where alerts point to.  Both addresses are placeholders: set yours, then ``python -m deploy``."""

from __future__ import annotations

DOCS_URL = "https://contact-streams.example/docs"
"""Where docs/ of this repository can be read."""
GRAFANA_URL = "https://grafana.example"

DASHBOARDS = (
    "cc-wall",
    "cc-queue",
    "cc-history",
    "cc-written",
    "cc-satisfaction",
    "cc-agents",
    "cc-pipeline",
)
"""Uids of the dashboards that are shipped."""


def runbook_url(alert: str) -> str:
    """The page that tells what to do."""
    return f"{DOCS_URL}/runbooks/{alert}.md"


def dashboard_url(uid: str, labels: tuple[str, ...]) -> str:
    """A dashboard with variables set to the alert's labels of the same names (a template)."""
    if uid not in DASHBOARDS:
        raise ValueError(f"no dashboard {uid}; there are {', '.join(DASHBOARDS)}")
    chosen = "&".join(f"var-{name}={{{{ $labels.{name} | urlquery }}}}" for name in labels)
    return f"{GRAFANA_URL}/d/{uid}" + (f"?{chosen}" if chosen else "")
