"""The PromQL of the dashboards: recorded series, chosen by a dashboard's variables."""

from __future__ import annotations

from typing import NamedTuple

from deploy.names import DATA_AGE_SECONDS, GAUGES, recorded

AGE = f'max({DATA_AGE_SECONDS}{{job=~"$job"}})'
CHOSEN = ("queue", "channel")
"""Labels that are chosen by a variable of the same name."""
PLACE = "job, queue, channel"
"""What a value and its target have in common."""
LASTS_SECONDS = {"quarter_hour": 900, "hour": 3_600}
LATE_SECONDS = 120
"""How much later than its end a window may begin to be shown."""
ABSENT_SECONDS = 31_536_000
"""Stands for an age nobody knows: a tile without a value would be green."""


class Query(NamedTuple):
    """One query of a panel; ``ref`` names it for overrides and transformations."""

    expr: str
    legend: str = "{{queue}} · {{channel}}"
    ref: str = "value"


def kpi(metric: str, **labels: str) -> str:
    """The recorded series of a KPI's gauge, or of a target, at the places chosen.

    >>> kpi("cc_contacts_waiting")
    'queue_channel:cc_contacts_waiting:newest{job=~"$job", queue=~"$queue", channel=~"$channel"}'
    """
    chosen = [name for name in CHOSEN if name in GAUGES[metric].labels]
    return _select(recorded(metric), ("job", *chosen), labels)


def just_over(metric: str, window: str, **labels: str) -> str:
    """The window that was over last, for as long as the next one lasts.  What comes after it may
    have nothing in it, as at night, and then it would be shown until the morning."""
    chosen = {"window": window, "state": "closed"}
    end = kpi("cc_window_end_timestamp_seconds", **chosen)
    lasts = LASTS_SECONDS[window] + LATE_SECONDS
    return f"{kpi(metric, **chosen, **labels)} and on ({PLACE}) (time() - {end} < {lasts})"


def worker(metric: str, **labels: str) -> str:
    """A worker's own metric, at the instances chosen."""
    return _select(metric, ("job", "instance"), labels)


def _select(series: str, chosen: tuple[str, ...], labels: dict[str, str]) -> str:
    matchers = [f'{name}=~"${name}"' for name in chosen]
    matchers += [_matcher(name, value) for name, value in labels.items()]
    return f"{series}{{{', '.join(matchers)}}}"


def _matcher(name: str, value: str) -> str:
    """A value that begins with ``~`` is a regular expression."""
    return f'{name}=~"{value[1:]}"' if value.startswith("~") else f'{name}="{value}"'


def rate(metric: str, by: str) -> str:
    """How much a worker's counter grows a second, all workers together."""
    return f"sum by ({by}) (rate({worker(metric)}[$__rate_interval]))"


def grown(metric: str, by: str) -> str:
    """By how much a worker's counter has grown in the time shown, all workers together."""
    return f"sum by ({by}) (increase({worker(metric)}[$__range]))"


def by_standing(value: str, kpi_name: str, window: str) -> tuple[Query, ...]:
    """A value in one of four queries, by how its target stands: what has hysteresis cannot be told
    from the value.  Instant only: over time a value moves from one query to another."""
    at = {"kpi": kpi_name, "window": window}

    def flagged(metric: str) -> str:
        return f"{kpi(metric, **at)} == 1"

    breached, warning = flagged("cc_target_breached"), flagged("cc_target_warning")
    on, target = f"on ({PLACE})", kpi("cc_target", **at)
    return (
        Query(f"{value} and {on} {breached}", ref="breached"),
        Query(f"{value} and {on} {warning} unless {on} {breached}", ref="warning"),
        Query(
            f"{value} and {on} {target} unless {on} {breached} unless {on} {warning}",
            ref="met",
        ),
        Query(f"{value} unless {on} {target}", ref="untargeted"),
    )


def limit(kpi_name: str, window: str) -> Query:
    """What the KPI has to reach, or not to exceed, as a series: of each target one, for it asks
    the same of all its queues."""
    expr = kpi("cc_target", kpi=kpi_name, window=window)
    return Query(f"max by (job, target) ({expr})", "{{target}}", "target")
