"""Rules for dashboards: those of Grafana's dashboard-linter that matter here, and some of ours.

Each rule takes a dashboard as it is loaded from JSON and says what is wrong, a sentence each.
Grafana's own program is not to be had as a package, so its rules are written again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import promql_parser

from deploy.names import GAUGES, REVISIONS

Json = dict[str, Any]
Rule = Callable[[Json], Iterator[str]]

DURATIONS = {
    "$__rate_interval": "887699ms",
    "$__interval": "486785ms",
    "$__range": "600651ms",
}
"""What stands for a duration while an expression is parsed: numbers nobody types."""
BUILT_IN = {"__rate_interval", "__interval", "__range", "__url_time_range", "__field"}
USE = re.compile(r"\$(?:\{(\w+)[^}]*\}|(\w+))")
FORBIDDEN = {*GAUGES, *(family.name for family in REVISIONS.values())}
"""Gauges of KPIs: there twice while a partition moves."""


class Target(NamedTuple):
    """One query of a panel or an annotation."""

    where: str
    expr: str


# -- reading


def panels(dashboard: Json) -> Iterator[Json]:
    """All but headings."""
    for panel in dashboard.get("panels", ()):
        yield from panel.get("panels", ()) if panel["type"] == "row" else (panel,)


def targets(dashboard: Json) -> Iterator[Target]:
    for panel in panels(dashboard):
        for target in panel.get("targets", ()):
            yield Target(f"{panel.get('title')}: {target['refId']}", target["expr"])


def annotations(dashboard: Json) -> Iterator[Target]:
    for annotation in dashboard.get("annotations", {}).get("list", ()):
        yield Target(f"annotation {annotation['name']}", annotation["expr"])


def variables(dashboard: Json) -> Sequence[Json]:
    found: Sequence[Json] = dashboard.get("templating", {}).get("list", ())
    return found


def label_values(variable: Json) -> tuple[str, str] | None:
    """(Selector, label) of a variable that asks for values of a label."""
    query = variable["query"]
    text = query["query"] if isinstance(query, dict) else query
    found = re.fullmatch(r"label_values\((.+), (\w+)\)", text)
    return (found[1], found[2]) if found else None


def plain(expr: str, chosen: Callable[[str], str] = lambda name: "a|b") -> str:
    """The expression with every variable replaced."""
    for name, duration in DURATIONS.items():
        expr = expr.replace(name, duration)
    return USE.sub(lambda found: chosen(found[1] or found[2]), expr)


def parsed(expr: str) -> Any:
    return promql_parser.parse(plain(expr))


def nodes(node: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Every node of an expression, with those that it is in."""
    yield node, above
    for name in ("expr", "lhs", "rhs", "param", "vector_selector"):
        part = getattr(node, name, None)
        if part is not None and not isinstance(part, str):
            yield from nodes(part, (*above, node))
    for part in getattr(node, "args", None) or ():
        yield from nodes(part, (*above, node))


def selectors(expr: str) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Selectors of series, with what they are in."""
    for node, above in nodes(parsed(expr)):
        if isinstance(node, promql_parser.VectorSelector):
            yield node, above


def _valid(targets: Iterator[Target]) -> Iterator[tuple[Target, Any, tuple[Any, ...]]]:
    """Selectors of all expressions that can be parsed; of others another rule speaks."""
    for target in targets:
        try:
            yield from ((target, node, above) for node, above in selectors(target.expr))
        except ValueError:
            continue


def _asked(dashboard: Json) -> Iterator[Target]:
    yield from targets(dashboard)
    yield from annotations(dashboard)
    for variable in variables(dashboard):
        found = variable["type"] == "query" and label_values(variable)
        if found:
            yield Target(f"variable {variable['name']}", found[0])


# -- rules


def has_title_and_description(dashboard: Json) -> Iterator[str]:
    for panel in panels(dashboard):
        for name in ("title", "description"):
            if not panel.get(name):
                yield f"{panel.get('title') or panel['id']} has no {name}"
    if not dashboard.get("description"):
        yield "the dashboard has no description"


def has_unit(dashboard: Json) -> Iterator[str]:
    for panel in panels(dashboard):
        if not panel.get("fieldConfig", {}).get("defaults", {}).get("unit"):
            yield f"{panel.get('title')} has no unit"


def has_targets(dashboard: Json) -> Iterator[str]:
    for panel in panels(dashboard):
        if not panel.get("targets"):
            yield f"{panel.get('title')} asks for nothing"
        refs = Counter(target["refId"] for target in panel.get("targets", ()))
        for ref in [ref for ref, count in refs.items() if count > 1]:
            yield f"{panel.get('title')} has two queries called {ref}"


def has_datasource_variable(dashboard: Json) -> Iterator[str]:
    of = [v for v in variables(dashboard) if v["type"] == "datasource"]
    if [(v["name"], v.get("label"), v["query"]) for v in of] != [
        ("datasource", "Data source", "prometheus")
    ]:
        yield "there is no variable for the data source, or not as it should be"


def uses_datasource_variable(dashboard: Json) -> Iterator[str]:
    users = [*panels(dashboard), *dashboard.get("annotations", {}).get("list", ())]
    users += [target for panel in panels(dashboard) for target in panel.get("targets", ())]
    users += [v for v in variables(dashboard) if v["type"] == "query"]
    for user in users:
        if user.get("datasource", {}).get("uid") != "${datasource}":
            named = user.get("title") or user.get("name") or user.get("refId")
            yield f"{named} does not ask the data source that was chosen"


def has_job_variable(dashboard: Json) -> Iterator[str]:
    found = [v for v in variables(dashboard) if v["name"] == "job"]
    if not found or not found[0]["multi"] or found[0].get("allValue") != ".+":
        yield "there is no variable job that takes several and all"


def refreshes_variables(dashboard: Json) -> Iterator[str]:
    for variable in variables(dashboard):
        if variable["type"] == "query" and variable.get("refresh") != 2:
            yield f"variable {variable['name']} is not asked for anew when the time changes"


def declares_and_uses_variables(dashboard: Json) -> Iterator[str]:
    declared = {variable["name"] for variable in variables(dashboard)}
    text = str(dashboard.get("panels")) + str(dashboard.get("annotations"))
    text += str([variable["query"] for variable in variables(dashboard)])
    used = {found[0] or found[1] for found in USE.findall(text)} - BUILT_IN
    yield from (f"variable {name} is used and not declared" for name in sorted(used - declared))
    yield from (f"variable {name} is declared and not used" for name in sorted(declared - used))


def has_valid_promql(dashboard: Json) -> Iterator[str]:
    for target in _asked(dashboard):
        try:
            parsed(target.expr)
        except ValueError as error:
            yield f"{target.where}: {error}"


def matches_job(dashboard: Json) -> Iterator[str]:
    exempt = "variable job"
    for target, node, _ in _valid(_asked(dashboard)):
        matchers = [(m.name, str(m.op), m.value) for m in node.matchers.matchers]
        chosen = [m for m in matchers if m[0] == "job" and m[2] == "a|b"]
        if not chosen and target.where != exempt:
            yield f'{target.where}: {node.name} has no job=~"$job"'


def reads_recorded_kpis(dashboard: Json) -> Iterator[str]:
    for target, node, _ in _valid(_asked(dashboard)):
        if node.name in FORBIDDEN:
            yield f"{target.where}: {node.name} is a gauge; read what is recorded of it"


def rates_counters(dashboard: Json) -> Iterator[str]:
    """Totals inside rate and increase, and nothing else in there."""
    for target, node, above in _valid(_asked(dashboard)):
        functions = {a.func.name for a in above if isinstance(a, promql_parser.Call)}
        rated = functions & {"rate", "irate", "increase"}
        if (node.name or "").endswith("_total") and not rated:
            yield f"{target.where}: {node.name} is a counter and not rated"
        if rated and not (node.name or "").endswith("_total"):
            yield f"{target.where}: {node.name} is rated and no counter"


def types_no_ranges(dashboard: Json) -> Iterator[str]:
    """Of panels alone: annotations have a step of their own."""
    for target in targets(dashboard):
        for found in re.findall(r"\[([^\]]*)\]", target.expr):
            if found not in ("$__rate_interval", "$__range"):
                yield f"{target.where}: [{found}] does not follow the time shown"


def has_unique_ids(dashboard: Json) -> Iterator[str]:
    ids = [row["id"] for row in dashboard["panels"]]
    ids += [p["id"] for row in dashboard["panels"] for p in row.get("panels", ())]
    yield from (f"id {number} is used twice" for number, n in Counter(ids).items() if n > 1)


def does_not_overlap(dashboard: Json) -> Iterator[str]:
    placed = [(p.get("title"), p["gridPos"]) for p in dashboard["panels"]]
    for title, at in placed:
        if at["x"] < 0 or at["x"] + at["w"] > 24 or min(at["w"], at["h"]) < 1:
            yield f"{title} is not on the grid"
    for (one, a), (other, b) in combinations(placed, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        below = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        if not beside and not below:
            yield f"{one} and {other} overlap"


def cannot_be_edited(dashboard: Json) -> Iterator[str]:
    if dashboard.get("editable") is not False:
        yield "it can be edited, and would differ from the file"


def has_stable_uid(dashboard: Json) -> Iterator[str]:
    if not re.fullmatch(r"cc-[a-z]+", dashboard.get("uid", "")):
        yield "it has no uid of ours, and links to it would break"
    if dashboard.get("id") is not None or dashboard.get("version"):
        yield "it has an id or version of some server"


def shares_the_crosshair(dashboard: Json) -> Iterator[str]:
    if dashboard.get("graphTooltip") != 1:
        yield "the crosshair is not shared"


def colors_existing_queries(dashboard: Json) -> Iterator[str]:
    """An override for a query that is not there says something was renamed."""
    for panel in panels(dashboard):
        refs = {target["refId"] for target in panel.get("targets", ())} | {"target"}
        for override in panel.get("fieldConfig", {}).get("overrides", ()):
            matcher = override["matcher"]
            if matcher["id"] == "byFrameRefID" and matcher["options"] not in refs:
                yield f"{panel['title']} colors a query {matcher['options']} that it has not"


RULES: tuple[Rule, ...] = (
    has_title_and_description,
    has_unit,
    has_targets,
    has_datasource_variable,
    uses_datasource_variable,
    has_job_variable,
    refreshes_variables,
    declares_and_uses_variables,
    has_valid_promql,
    matches_job,
    reads_recorded_kpis,
    rates_counters,
    types_no_ranges,
    has_unique_ids,
    does_not_overlap,
    cannot_be_edited,
    has_stable_uid,
    shares_the_crosshair,
    colors_existing_queries,
)


def problems(dashboard: Json) -> list[str]:
    """Everything that is wrong with it."""
    return [text for rule in RULES for text in rule(dashboard)]
