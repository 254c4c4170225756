"""Panels as these dashboards use them.  None is made without a title, a description and a unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.dashboards.series import Query

SOURCE = look.DataSourceRef(type_val="prometheus", uid="${datasource}")
STANDING_COLORS = {
    "breached": "dark-red",
    "warning": "dark-orange",
    "met": "dark-green",
    "untargeted": "#464c54",
}
"""Query of ``series.by_standing`` -> color.  Gray says that nobody has set a target."""
RATIO, SECONDS, COUNT, CLOCK = "percentunit", "s", "short", "time:HH:mm:ss"
WAITED = "dthms"
"""Hours, minutes, seconds: of a wait no digit is left out."""
BARS, LINES, STEPS = "bars", "lines", "steps"

Panel = stat.Panel | bargauge.Panel | timeseries.Panel | table.Panel
P = TypeVar("P", stat.Panel, bargauge.Panel, timeseries.Panel, table.Panel)


class Told(NamedTuple):
    """What a panel says of itself: a title, what a person should know, the unit, and its size in
    cells of the grid (24 to a row, each 38 pixels high)."""

    title: str
    description: str
    unit: str
    width: int
    height: int = 8
    decimals: int | None = None
    max: float | None = None


def steps(base: str, *above: tuple[float, str]) -> dashboard.ThresholdsConfig:
    """Colors by value: ``base``, and from each value on another."""
    found = [model.Threshold(value=None, color=base)]
    found += [model.Threshold(value=value, color=color) for value, color in above]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(found)


def fixed(color: str) -> model.DynamicConfigValue:
    """One color, whatever the value."""
    return model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color})


def link(title: str, uid: str, *labels: str) -> dashboard.DashboardLink:
    """To another dashboard, at the place and time of the value that was clicked."""
    chosen = [f"var-{name}=${{__field.labels.{name}:percentencode}}" for name in labels]
    query = "&".join(["var-datasource=${datasource}", *chosen, "${__url_time_range}"])
    to = dashboard.DashboardLink(title).type(model.DashboardLinkType.LINK)
    return to.url(f"/d/{uid}?{query}")


def to_queue() -> dashboard.DashboardLink:
    """From a value to its queue."""
    return link("The queue in detail", "cc-queue", "job", "queue", "channel")


def mapped(text: dict[str, tuple[str, str]]) -> list[model.ValueMapping]:
    """Value -> what is shown instead, and its color."""
    results = {
        value: model.ValueMappingResult(text=word, color=color, index=index)
        for index, (value, (word, color)) in enumerate(text.items())
    }
    return [model.ValueMap(options=results)]


# -- kinds of panels


def tile(told: Told, *queries: Query, orientation: str = "vertical") -> stat.Panel:
    """The value now, one big number for each series."""
    panel = _told(stat.Panel(), told)
    panel = _asked(panel, queries, instant=True)
    panel = panel.reduce_options(_last()).graph_mode(look.BigValueGraphMode.NONE)
    panel = panel.color_mode(look.BigValueColorMode.BACKGROUND_SOLID)
    panel = panel.orientation(look.VizOrientation(orientation)).no_value("no data")
    named = look.BigValueTextMode.VALUE_AND_NAME
    alone = look.BigValueTextMode.VALUE
    panel = panel.text_mode(named if any(query.legend for query in queries) else alone)
    return panel.thresholds(steps(STANDING_COLORS["untargeted"]))


def standing_tile(told: Told, queries: Sequence[Query]) -> stat.Panel:
    """A tile of queries ``by_standing``: colored by the target, worst first."""
    panel = tile(told, *queries).data_links([to_queue()])
    for name, color in STANDING_COLORS.items():
        panel = panel.override_by_query(name, [fixed(color)])
    return panel


def lines(
    told: Told, *queries: Query, style: str = LINES, stacked: bool = False, interval: str = ""
) -> timeseries.Panel:
    """Values over time.  A query called ``target`` is drawn as a limit.  ``interval`` is the least
    distance of two points, for windows of the clock."""
    panel = _asked(_told(timeseries.Panel(), told), queries, instant=False)
    panel = panel.line_width(2).fill_opacity(8).axis_soft_min(0)
    panel = panel.show_points(look.VisibilityMode.NEVER).legend(_legend()).tooltip(_tooltip())
    if style == BARS:
        panel = panel.draw_style(look.GraphDrawStyle.BARS).fill_opacity(80).line_width(0)
    if style == STEPS:
        panel = panel.line_interpolation(look.LineInterpolation.STEP_AFTER)
    if stacked:
        mode = common.StackingConfig().mode(look.StackingMode.NORMAL).group("A")
        panel = panel.stacking(mode).fill_opacity(60).line_width(1)
    if interval:
        panel = panel.interval(interval)
    return panel.override_by_query("target", _limit_line())


def meter(told: Told, *queries: Query) -> bargauge.Panel:
    """The value now of many series beside one another, as bars."""
    panel = _asked(_told(bargauge.Panel(), told), queries, instant=True)
    panel = panel.reduce_options(_last()).orientation(look.VizOrientation.HORIZONTAL).min(0)
    panel = panel.display_mode(look.BarGaugeDisplayMode.BASIC).no_value("no data")
    return panel.thresholds(steps("blue"))


def rows(told: Told, columns: dict[str, str], *queries: Query) -> table.Panel:
    """The value now of each query as a column, labels as others; ``columns``: label or query ->
    heading, in their order.  The queries aggregate other labels away, but for ``job``."""
    panel = _asked(_told(table.Panel(), told), queries, instant=True, format=PromQueryFormat.TABLE)
    shown = {_column(name, queries): heading for name, heading in columns.items()}
    organized = {
        "excludeByName": {"Time": True, "job": True},
        "indexByName": {name: index for index, name in enumerate(shown)},
        "renameByName": shown,
    }
    for name, options in (("merge", {}), ("organize", organized)):
        panel = panel.with_transformation(model.DataTransformerConfig(name, options=options))
    return panel.no_value("none")


def _column(name: str, queries: Sequence[Query]) -> str:
    refs = [query.ref for query in queries]
    if name not in refs:
        return name
    return f"Value #{name}" if len(refs) > 1 else "Value"


# -- what they have in common


def _told(panel: P, told: Told) -> P:
    panel = panel.title(told.title).description(told.description).unit(told.unit)
    panel = panel.datasource(SOURCE).span(told.width).height(told.height)
    if told.decimals is not None:
        panel = panel.decimals(told.decimals)
    if told.max is not None:
        panel = panel.min(0).max(told.max)
    return panel


def _asked(
    panel: P,
    queries: Sequence[Query],
    instant: bool,
    format: PromQueryFormat = PromQueryFormat.TIME_SERIES,
) -> P:
    for query in queries:
        target = prometheus.Dataquery().expr(query.expr).ref_id(query.ref).datasource(SOURCE)
        target = target.legend_format(query.legend).format(format)
        panel = panel.with_target(target.instant() if instant else target.range())
    return panel


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"])


def _legend() -> common.VizLegendOptions:
    shown = common.VizLegendOptions().display_mode(look.LegendDisplayMode.LIST)
    return shown.placement(look.LegendPlacement.BOTTOM).show_legend(True)


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(look.TooltipDisplayMode.MULTI)


def _limit_line() -> list[model.DynamicConfigValue]:
    """Dashed, red, and never filled or stacked."""
    custom = {
        "drawStyle": "line",
        "lineStyle": {"fill": "dash", "dash": [10, 10]},
        "lineWidth": 2,
        "fillOpacity": 0,
        "stacking": {"mode": "none"},
    }
    found = [model.DynamicConfigValue(f"custom.{name}", value) for name, value in custom.items()]
    return [fixed("red"), *found]
