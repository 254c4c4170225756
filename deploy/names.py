"""The names that rules, alerts and dashboards share.

Of every gauge that a worker builds from the rows it owns there is one *recorded* series, which
keeps the newest owner's rows alone; nothing else reads the gauge itself.
"""

from __future__ import annotations

from streams.kpis import ALL_KPIS
from streams.metrics import WINDOW, Family, kpi_families

GAUGES: dict[str, Family] = kpi_families(ALL_KPIS)
"""Metric -> family, of all KPIs that have a gauge."""


def recorded(metric: str) -> str:
    """The recorded series of a gauge.

    >>> recorded("cc_window_contacts_offered")
    'queue_channel:cc_window_contacts_offered:newest'
    >>> recorded("cc_agents")
    'state:cc_agents:newest'
    """
    labels = GAUGES[metric].labels
    # A level has no window, and its ``state`` is one of an agent.
    dimensions = [name for name in labels if "window" not in labels or name not in WINDOW]
    return f"{'_'.join(dimensions) or 'all'}:{metric}:newest"
