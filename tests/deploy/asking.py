"""Asks what a dashboard would ask: variables filled in from the data, each expression executed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.deploy.centre.prometheus import Answers
from tests.deploy.linter import USE, Json, label_values, panels, variables

Values = dict[str, str]


class View(NamedTuple):
    """What a person looks at: from ``start`` to ``end``, in s, about ``points`` values a line."""

    start: float
    end: float
    scrape: float = 30
    points: int = 200

    def step(self, panel: Json) -> float:
        """Distance of two points in s: some scrapes; a panel may want it wider."""
        least = seconds(panel["interval"]) if panel.get("interval") else self.scrape
        return max(least, round((self.end - self.start) / self.points / self.scrape) * self.scrape)


class Asked(NamedTuple):
    """One query with what came of it: Prometheus' result, instant or over time."""

    panel: Json
    target: Json
    expr: str
    result: list[Any]


def seconds(text: str) -> float:
    """``15m`` or ``1d`` as a number."""
    return float(text[:-1]) * {"s": 1, "m": 60, "h": 3_600, "d": 86_400}[text[-1]]


def chosen(dashboard: Json, answers: Answers, view: View) -> Values:
    """Variable -> what its first choice puts into an expression.

    That is its default where the data have it, everything where everything is the default, and
    else the first of what is offered.  Raises AssertionError if nothing is offered.
    """
    values: Values = {}
    for variable in variables(dashboard):
        if variable["type"] == "query":
            values[variable["name"]] = _first_choice(variable, answers, view, values)
    return values


def _first_choice(variable: Json, answers: Answers, view: View, values: Values) -> str:
    selector, label = label_values(variable) or ("", "")
    match = filled(selector, values, view, view.scrape)
    offered = answers.label_values(label, match, view.start, view.end)
    assert offered, f"there is nothing to choose for {variable['name']}: {match}"
    wanted = variable["current"]["value"]
    if wanted == "$__all":
        if variable.get("allValue"):
            return str(variable["allValue"])
        wanted = offered
    wanted = wanted if isinstance(wanted, list) else [wanted]
    found = [value for value in wanted if value in offered] or offered[:1]
    return "|".join(re.escape(value).replace("\\", "\\\\") for value in found)


def filled(expr: str, values: Values, view: View, step: float) -> str:
    """The expression as Grafana would send it."""
    durations = {
        "$__rate_interval": max(step + view.scrape, 4 * view.scrape),
        "$__interval": step,
        "$__range": view.end - view.start,
    }
    for name, duration in durations.items():
        expr = expr.replace(name, f"{duration:.0f}s")
    return USE.sub(lambda found: values[found[1] or found[2]], expr)


def asked(dashboard: Json, answers: Answers, view: View, values: Values) -> Iterator[Asked]:
    """Every query of every panel."""
    for panel in panels(dashboard):
        step = view.step(panel)
        for target in panel["targets"]:
            expr = filled(target["expr"], values, view, step)
            if target.get("instant"):
                result = answers.at(expr, view.end)
            else:
                start = view.start // step * step
                result = answers.over(expr, start, view.end, step)
            yield Asked(panel, target, expr, result)


def annotated(
    dashboard: Json, answers: Answers, view: View, values: Values
) -> dict[str, list[Any]]:
    """Annotation -> (its series, times)."""
    return {
        annotation["name"]: answers.over(
            filled(annotation["expr"], values, view, seconds(annotation["step"])),
            view.start // 60 * 60,
            view.end,
            seconds(annotation["step"]),
        )
        for annotation in dashboard["annotations"]["list"]
    }
