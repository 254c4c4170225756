"""Targets as gauges: what is asked of each queue and channel, and whether it is so.

Only places that are exported at all are shown, and of those ``ROWS_MAX`` at most, the worst first:
those beyond are left out and counted, and no breach is hidden behind what is well.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric

from streams import metrics
from streams.core.judging import MachineKey, Shown
from streams.core.measure import CutKey
from streams.core.target import BREACHED, STATES, WARNING

ROWS_MAX = 1_000
"""Each is four series."""


def target_metrics(
    rows: Mapping[MachineKey, Shown], allows: Callable[[CutKey], bool], dropped: Tally[str]
) -> Iterable[Metric]:
    """The gauges of all targets; what is left out is added to ``dropped``."""
    allowed = [(key, row) for key, row in rows.items() if allows(key[1])]
    shown = sorted(allowed, key=_worst_first)[:ROWS_MAX]
    dropped["targets"] += len(metrics.TARGETS) * (len(rows) - len(shown))
    built = [GaugeMetricFamily(f.name, f.help, labels=f.labels) for f in metrics.TARGETS]
    for (name, _), row in shown:
        place = (row.key.get("queue", ""), row.key.get("channel", ""))
        labels = (name, *place, row.target.kpi.name, row.target.window)
        values = (row.value, row.state == BREACHED, row.state == WARNING, row.revision)
        for metric, value in zip(built, values, strict=True):
            metric.add_metric(labels, float(value))
    return built


def _worst_first(at: tuple[MachineKey, Shown]) -> tuple[int, MachineKey]:
    key, row = at
    return -STATES.index(row.state), key
