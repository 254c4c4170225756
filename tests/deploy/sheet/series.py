"""What a panel shows: named values and lines with their colors, from results of its queries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tests.deploy.asking import Asked
from tests.deploy.linter import Json
from tests.deploy.sheet.look import PALETTE, color

Points = list[tuple[float, float]]


class Shown(NamedTuple):
    """One series.  An instant one has one point.  ``look`` has what overrides say."""

    name: str
    points: Points
    ref: str
    labels: dict[str, str]
    look: dict[str, Any]

    @property
    def last(self) -> float:
        return self.points[-1][1]


def shown(asked: Sequence[Asked]) -> list[Shown]:
    """All series of a panel's queries, in Grafana's order: by query, then as they came."""
    return [one for query in asked for one in _of(query)]


def _of(query: Asked) -> Iterator[Shown]:
    ref = query.target["refId"]
    look = overridden(query.panel, "byFrameRefID", ref)
    for series in query.result:
        pairs = series.get("values") or [series["value"]]
        points = [(float(at), float(value)) for at, value in pairs]
        labels = series["metric"]
        name = _named(query.target["legendFormat"], labels)
        yield Shown(name, points, ref, labels, look)


def _named(legend: str, labels: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), legend)


def overridden(panel: Json, matcher: str, options: str) -> dict[str, Any]:
    """Property -> value, of the overrides that match."""
    return {
        each["id"]: each["value"]
        for override in panel["fieldConfig"].get("overrides", ())
        if override["matcher"] == {"id": matcher, "options": options}
        for each in override["properties"]
    }


def mapping(defaults: Json, value: float) -> tuple[str, str] | None:
    """(Text, color) a value is mapped to, if it is."""
    for each in defaults.get("mappings", ()):
        found = each["options"].get(f"{value:g}")
        if found:
            return found["text"], color(found["color"])
    return None


def by_threshold(panel: Json, one: Shown) -> str:
    """The color of a value: its query's, its mapping's, or that of its threshold."""
    defaults = panel["fieldConfig"]["defaults"]
    if "color" in one.look:
        return color(one.look["color"]["fixedColor"])
    found = mapping(defaults, one.last)
    if found:
        return found[1]
    steps = defaults["thresholds"]["steps"]
    passed = [s["color"] for s in steps if s["value"] is None or one.last >= s["value"]]
    return color(passed[-1])


def by_order(series: Sequence[Shown]) -> list[str]:
    """The color of each line."""
    return [
        color(one.look["color"]["fixedColor"])
        if "color" in one.look
        else PALETTE[index % len(PALETTE)]
        for index, one in enumerate(series)
    ]
