"""The names that rules, alerts and dashboards share.

Of every gauge that a worker builds from the rows it owns there is one *recorded* series, which
keeps the newest owner's rows alone; nothing else reads the gauge itself.
"""

from __future__ import annotations

from streams.kpis import ALL_KPIS
from streams.metrics import (
    TARGET_REVISION,
    TARGETS,
    WINDOW,
    WINDOW_END,
    Family,
    kpi_families,
    revision_families,
)

GAUGES: dict[str, Family] = kpi_families(ALL_KPIS) | {
    family.name: family for family in (WINDOW_END, *TARGETS) if family is not TARGET_REVISION
}
"""Metric -> family, of all KPIs that have a gauge, of windows' ends, and of targets."""
_OF_KPIS = revision_families(ALL_KPIS)
REVISIONS: dict[str, Family] = (
    _OF_KPIS
    | {WINDOW_END.name: _OF_KPIS["cc_window_contacts_offered"]}
    | {name: TARGET_REVISION for name in GAUGES if name.startswith("cc_target")}
)
"""Metric -> the gauge that tells which owner's row of it is right."""


DATA_AGE_SECONDS = "cc:data_age_seconds"
"""Recorded: how old the event time of the oldest board is, by job."""


def recorded(metric: str) -> str:
    """The recorded series of a gauge.

    >>> recorded("cc_window_contacts_offered")
    'queue_channel:cc_window_contacts_offered:newest'
    >>> recorded("cc_agents")
    'state:cc_agents:newest'
    """
    labels = GAUGES[metric].labels
    # A level has no window, and its ``state`` is one of an agent; a target's window is its own.
    windowed = set(WINDOW) <= set(labels)
    dimensions = [name for name in labels if not windowed or name not in WINDOW]
    return f"{'_'.join(dimensions) or 'all'}:{metric}:newest"
