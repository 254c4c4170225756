"""What all dashboards share: variables, links, annotations, and panels laid out in rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from deploy.dashboards.panels import SOURCE, Panel
from deploy.dashboards.series import CHOSEN
from deploy.names import DATA_AGE_SECONDS, recorded

Made = Callable[[], model.Dashboard]
TAG = "contact-streams"
ANNOTATION_STEP = "60s"


class Section(NamedTuple):
    """Panels under a heading, from left to right and top to bottom; no heading, no row."""

    title: str
    panels: Sequence[Panel]


class About(NamedTuple):
    """A dashboard but for its panels.  The uid never changes: alerts and bookmarks lead there."""

    uid: str
    title: str
    description: str
    variables: Sequence[dashboard.QueryVariable]
    since: str = "now-6h"
    refresh: str = "30s"
    breaches: str = ".+"
    """Of which windows breaches are marked (a regular expression)."""


def framed(about: About, *sections: Section) -> model.Dashboard:
    """The whole dashboard.  Panels have the numbers 1, 2, ... in their order."""
    made = dashboard.Dashboard(about.title).uid(about.uid).description(about.description)
    made = made.tags([TAG]).readonly().tooltip(model.DashboardCursorSync.CROSSHAIR)
    made = made.time(about.since, "now").refresh(about.refresh).timezone("browser")
    for variable in (_datasource(), job(), *about.variables):
        made = made.with_variable(variable)
    for annotation in (_breaches(about), _rebalances()):
        made = made.annotation(annotation)
    made = made.link(_others())
    number = 0
    for section in sections:
        if section.title:
            number += 1
            made = made.with_row(dashboard.Row(section.title).id(number))
        for panel in section.panels:
            number += 1
            made = made.with_panel(panel.id(number))
    return made.build()


# -- variables


def _datasource() -> dashboard.DatasourceVariable:
    return dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")


def _chosen(name: str, label: str, series: str, of: str) -> dashboard.QueryVariable:
    """Values of the label ``of``, asked for anew whenever the time shown changes."""
    query = f"label_values({series}, {of})"
    asked: dict[str, object] = {"qryType": 1, "query": query, "refId": name}
    variable = dashboard.QueryVariable(name).label(label).datasource(SOURCE).query(asked)
    variable = variable.definition(query).sort(model.VariableSort.ALPHABETICAL_ASC)
    return variable.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)


def _several(variable: dashboard.QueryVariable, everything: str = ".+") -> dashboard.QueryVariable:
    """``everything``: what all of them are asked by; empty: one after the other."""
    variable = variable.multi(True).include_all(True)
    if everything:
        variable = variable.all_value(everything)
    return variable.current(model.VariableOption(text="All", value="$__all", selected=True))


def _one(variable: dashboard.QueryVariable, value: str) -> dashboard.QueryVariable:
    return variable.current(model.VariableOption(text=value, value=value, selected=True))


def job() -> dashboard.QueryVariable:
    """Which deployment: its scrape job."""
    return _several(_chosen("job", "Job", DATA_AGE_SECONDS, "job"))


def instance() -> dashboard.QueryVariable:
    """Which workers; of their own metrics only, a KPI has no instance."""
    series = 'cc_build_info{job=~"$job"}'
    return _several(_chosen("instance", "Worker", series, "instance"))


def queues(metric: str) -> dashboard.QueryVariable:
    """Queues, of those that have the KPI."""
    return _several(_chosen("queue", "Queue", f'{recorded(metric)}{{job=~"$job"}}', "queue"))


def channels(metric: str, first: str = "") -> dashboard.QueryVariable:
    """Channels, of those that have the KPI; ``first``: the one to begin with, else all of them,
    and no others."""
    series = f'{recorded(metric)}{{job=~"$job"}}'
    variable = _several(_chosen("channel", "Channel", series, "channel"), everything="")
    if first:
        variable = variable.current(model.VariableOption(True, [first], [first]))
    return variable


def of_calls() -> tuple[dashboard.QueryVariable, ...]:
    """What dashboards about visits of queues are asked with; calls, until somebody says more."""
    offered = "cc_window_contacts_offered"
    return queues(offered), channels(offered, "voice")


def rolling(metric: str) -> dashboard.QueryVariable:
    """What is meant by now: one of the rolling windows."""
    series = f'{recorded(metric)}{{job=~"$job", state="now"}}'
    return _one(_chosen("window", "Now is", series, "window"), "rolling_30m")


def of_calls_now() -> tuple[dashboard.QueryVariable, ...]:
    """``of_calls``, and what is meant by now and by service level."""
    return *of_calls(), rolling("cc_window_contacts_offered"), service_level_by()


def service_level_by() -> dashboard.QueryVariable:
    """Which of the definitions of service level (docs/kpis.md)."""
    series = f'{recorded("cc_window_service_level_ratio")}{{job=~"$job"}}'
    return _one(_chosen("variant", "Service level", series, "variant"), "pos")


# -- annotations and links


def _annotation(name: str, color: str, expr: str) -> dashboard.AnnotationQuery:
    made = dashboard.AnnotationQuery().name(name).datasource(SOURCE).icon_color(color)
    return made.enable(True).expr(expr).step(ANNOTATION_STEP)


def _breaches(about: About) -> dashboard.AnnotationQuery:
    """Where a target was met a minute ago and is breached now, in the places chosen; where none
    are, it is there to be switched on."""
    chosen = [variable.build().name for variable in about.variables]
    places = [name for name in CHOSEN if name in chosen]
    matchers = ", ".join(f'{name}=~"${name}"' for name in ("job", *places))
    of = f'{matchers}, window=~"{about.breaches}"'
    series = f"{recorded('cc_target_breached')}{{{of}}}"
    made = _annotation("Breaches", "red", f"{series} == 1 and {series} offset 1m == 0")
    made = made.title_format("{{target}}").tag_keys("queue,channel").enable(bool(places))
    return made.text_format("Breached: {{kpi}} of {{queue}} {{channel}}, {{window}}")


def _rebalances() -> dashboard.AnnotationQuery:
    series = 'increase(cc_worker_rebalances_total{job=~"$job"}[2m])'
    made = _annotation("Rebalances", "purple", f"sum by (job) ({series}) > 0")
    return made.title_format("Rebalance").text_format("Partitions of {{job}} moved")


def _others() -> dashboard.DashboardLink:
    to = dashboard.DashboardLink("Contact centre").type(model.DashboardLinkType.DASHBOARDS)
    return to.tags([TAG]).as_dropdown(True).include_vars(True).keep_time(True)
