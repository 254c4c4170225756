"""Recorded limits: of each queue and channel its target for a KPI, else the default; and what the
service level must not fall below, which depends on how much its objective allows to be missed.

Limits are remembered for a few minutes: while partitions move, a target's row may come back later
than the KPI's, and the default must not judge a queue that has a laxer target.
"""

from __future__ import annotations

from deploy.names import recorded
from deploy.rules.defaults import (
    BURNS,
    FACTOR_MIN,
    LIMITS,
    LIVE,
    OBJECTIVE,
    OBJECTIVE_VARIANT,
    Burn,
    Limit,
)
from deploy.rules.rule import Record
from streams.kpis import ALL_KPIS
from streams.metrics import TARGET

REMEMBERED = "5m"
OBJECTIVES = "queue_channel_variant:cc_service_level_objective:limit"
"""What the service level of a queue and channel has to be at least."""
SERVICE_LEVEL = "cc_window_service_level_ratio"
_VARIANTS = "|".join(dict(k.labels)["variant"] for k in ALL_KPIS if k.metric == SERVICE_LEVEL)


def limits() -> tuple[Record, ...]:
    """All of them, in the order in which they need one another."""
    burns = (Record(floor_of(name), _floor(burn)) for name, burn in BURNS.items())
    return (
        *(Record(limit_of(k), _limit(limit)) for k, limit in LIMITS.items()),
        _objectives(),
        *burns,
    )


def floor_of(burn: str) -> str:
    """The recorded service level below which it burns: fast, medium or slow.

    >>> floor_of("fast")
    'queue_channel_variant:cc_service_level_burning_fast:limit'
    """
    return f"queue_channel_variant:cc_service_level_burning_{burn}:limit"


def limit_of(kpi: str) -> str:
    """The recorded limit of a KPI.

    >>> limit_of("longest_wait")
    'queue_channel:cc_longest_wait_seconds:limit'
    """
    return f"queue_channel:{LIMITS[kpi].metric}:limit"


def judged(kpi: str) -> str:
    """The rows of a KPI that its limit is for."""
    limit = LIMITS[kpi]
    return recorded(limit.metric) + (f"{{{limit.select}}}" if limit.select else "")


def _limit(limit: Limit) -> str:
    """Of several targets the one that is reached last.  (``* 0 +`` gives it the right labels.)"""
    strictest = "max" if limit.at_least else "min"
    return f"""
        {strictest} without (target, kpi, window) (
            {_targets(f'kpi="{limit.kpi}"')}
        )
        or
        max without (window, state) ({_on(limit.channels, judged(limit.kpi))}) * 0 + {limit.value:g}
    """


def _on(channels: str, selector: str) -> str:
    name, _, matchers = selector.removesuffix("}").partition("{")
    return f'{name}{{channel=~"{channels}"{", " + matchers if matchers else ""}}}'


def _targets(matchers: str) -> str:
    """A target of a whole channel has no queue, and is judged by the board alone."""
    return f'last_over_time({recorded(TARGET.name)}{{{matchers}, queue!=""}}[{REMEMBERED}])'


def _objectives() -> Record:
    """The variant is the KPI's name without its beginning, as the gauge has it.  The default is for
    queues that have a target for none of them."""
    targets = _targets(f'kpi=~"service_level_({_VARIANTS})"')
    variant = f'channel=~"{LIVE}", variant="{OBJECTIVE_VARIANT}"'
    return Record(
        OBJECTIVES,
        f"""
        max without (target, kpi, window) (
          label_replace({targets}, "variant", "$1", "kpi", "service_level_(.+)")
        )
        or
        (
            max without (window, state) ({recorded(SERVICE_LEVEL)}{{{variant}}}) * 0 + {OBJECTIVE:g}
          unless ignoring (variant)
            max without (target, kpi, window) ({targets})
        )
        """,
    )


def _floor(burn: Burn) -> str:
    """Misses are ``factor`` times those allowed; no factor may be more than all contacts."""
    factor = f"{burn.factor_max:g}"
    if burn.share:
        factor = f"clamp_max({burn.share:g} / (1 - {OBJECTIVES}), {factor})"
        factor = f"clamp_min({factor}, {FACTOR_MIN:g})"
    return f"1 - {factor} * (1 - {OBJECTIVES})"
