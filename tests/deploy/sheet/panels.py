"""Panels, each drawn into a box of pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

import matplotlib.dates as dates
from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator

from tests.deploy.asking import Asked, View
from tests.deploy.linter import Json
from tests.deploy.sheet.look import (
    BORDER,
    FAINT,
    GRID,
    PANEL,
    TEXT,
    color,
    number,
)
from tests.deploy.sheet.page import Box, Page
from tests.deploy.sheet.series import (
    Shown,
    by_order,
    by_threshold,
    mapping,
    overridden,
    shown,
)

CLOCK_SPANS = (
    0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400,
    21_600, 43_200,
)  # fmt: skip
MARKS = {"Breaches": "red", "Rebalances": "purple"}


class Context(NamedTuple):
    """What all panels of a dashboard share; ``marks``: annotation -> times in s."""

    page: Page
    view: View
    zone: tzinfo
    marks: Mapping[str, Sequence[float]]


def draw(panel: Json, asked: Sequence[Asked], box: Box, context: Context) -> None:
    """Frame, title, and what is inside."""
    context.page.frame(box, PANEL, BORDER)
    context.page.text(box.left + 10, box.top + 16, panel["title"], 14, TEXT, weight="bold")
    inner = Box(box.left + 8, box.top + 30, box.width - 16, box.height - 38)
    if not any(query.result for query in asked):
        text = panel["fieldConfig"]["defaults"].get("noValue", "No data")
        context.page.text(*inner.center, text, 16, FAINT, ha="center")
        return
    KINDS[panel["type"]](panel, asked, inner, context)


def _number(panel: Json, value: float, context: Context) -> str:
    defaults = panel["fieldConfig"]["defaults"]
    found = mapping(defaults, value)
    if found:
        return found[0]
    return number(value, defaults["unit"], defaults.get("decimals"), context.zone)


# -- tiles


def _stat(panel: Json, asked: Sequence[Asked], box: Box, context: Context) -> None:
    """Tiles beside one another; letters as big as all of them fit in."""
    tiles = shown(asked)
    width = (box.width - 6 * (len(tiles) - 1)) / len(tiles)
    named = panel["options"]["textMode"] != "value"
    texts = [_number(panel, tile.last, context) for tile in tiles]
    widest = max(len(text) + 0.5 * text.count("%") for text in texts)
    size = min(box.height * (0.46 if named else 0.6), (width - 20) / (0.68 * widest))
    for index, (tile, text) in enumerate(zip(tiles, texts, strict=True)):
        at = Box(box.left + index * (width + 6), box.top, width, box.height)
        context.page.frame(at, by_threshold(panel, tile), None)
        if not named:
            context.page.text(*at.center, text, size, "white", ha="center", weight="bold")
            continue
        small = min(size * 0.5, (width - 20) / (0.6 * max(len(tile.name), 1)), 30)
        middle, center = at.center
        context.page.text(middle, at.top + 8 + small * 0.75, tile.name, small, "white", ha="center")
        context.page.text(
            middle, center + small * 0.6, text, size, "white", ha="center", weight="bold"
        )


# -- over time


def _timeseries(panel: Json, asked: Sequence[Asked], box: Box, context: Context) -> None:
    series = shown(asked)
    colors = by_order(series)
    custom = panel["fieldConfig"]["defaults"].get("custom", {})
    rows = context.page.legend_rows([one.name for one in series], box.width)
    legend = 8 + 20 * rows
    axes = context.page.axes(
        Box(box.left + 58, box.top + 4, box.width - 66, box.height - legend - 26)
    )
    _stacked = custom.get("stacking", {}).get("mode") == "normal"
    lines = [(one, tint) for one, tint in zip(series, colors, strict=True)]
    if _stacked:
        _pile(axes, lines, custom, panel, context)
    else:
        for one, tint in lines:
            _line(axes, one, tint, custom, panel, context)
    _dress(axes, panel, context)
    for kind, times in context.marks.items():
        for at in times:
            axes.axvline(_date(at, context), color=color(MARKS[kind]), ls=(0, (4, 4)), lw=0.9)
    names = [(one.name, tint) for one, tint in lines]
    context.page.legend(names, Box(box.left, box.top + box.height - legend + 4, box.width, legend))


def _date(at: float, context: Context) -> datetime:
    return datetime.fromtimestamp(at, context.zone)


def _line(axes: Axes, one: Shown, tint: str, custom: Json, panel: Json, context: Context) -> None:
    style = custom | {k.removeprefix("custom."): v for k, v in one.look.items()}
    when = [_date(at, context) for at, _ in one.points]
    values = [value for _, value in one.points]
    if style.get("drawStyle") == "bars":
        step = context.view.step(panel)
        axes.bar(when, values, width=step * 0.8 / 86_400, color=tint, alpha=0.8, lw=0)
        return
    dash = {"dash": (0, (6, 5)), "dot": (0, (1, 3))}.get(style.get("lineStyle", {}).get("fill"))
    steps = "steps-post" if style.get("lineInterpolation") == "stepAfter" else "default"
    gaps = _broken(one, context.view.step(panel))
    line_at, line = [_date(at, context) for at, _ in gaps], [value for _, value in gaps]
    axes.plot(line_at, line, color=tint, lw=1.7, ls=dash or "-", drawstyle=steps)
    if style.get("fillOpacity"):
        fill = "post" if steps != "default" else None
        alpha = style["fillOpacity"] / 100
        axes.fill_between(line_at, line, color=tint, alpha=alpha, lw=0, step=fill)


def _round_span(seconds: float) -> float:
    """The next one that a clock has."""
    return next((span for span in CLOCK_SPANS if span >= seconds), 86_400.0)


def _broken(one: Shown, step: float) -> list[tuple[float, float]]:
    """With a gap where there are no points."""
    found: list[tuple[float, float]] = []
    for at, value in one.points:
        if found and at - found[-1][0] > step * 1.5:
            found.append((found[-1][0] + step, float("nan")))
        found.append((at, value))
    return found


def _pile(
    axes: Axes, lines: Sequence[tuple[Shown, str]], custom: Json, panel: Json, context: Context
) -> None:
    """Series on top of one another, at the times any of them has."""
    times = sorted({at for one, _ in lines for at, _ in one.points})
    below = [0.0] * len(times)
    when = [_date(at, context) for at in times]
    for one, tint in lines:
        values = dict(one.points)
        top = [base + values.get(at, 0) for base, at in zip(below, times, strict=True)]
        if custom.get("drawStyle") == "bars":
            heights = [values.get(at, 0) for at in times]
            width = context.view.step(panel) * 0.8 / 86_400
            axes.bar(when, heights, width=width, bottom=below, color=tint, alpha=0.8, lw=0)
        else:
            axes.fill_between(when, below, top, color=tint, alpha=0.6, lw=0)
            axes.plot(when, top, color=tint, lw=1)
        below = top


def _dress(axes: Axes, panel: Json, context: Context) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    axes.set_xlim(_date(context.view.start, context), _date(context.view.end, context))
    low, high = axes.dataLim.intervaly
    high = max(high, low + 0.001) if high > 0 else 1
    axes.set_ylim(defaults.get("min", min(0, low * 1.1)), defaults.get("max", high * 1.08))
    axes.yaxis.set_major_formatter(lambda value, _: _number(panel, value, context))
    if defaults["unit"] == "s":
        axes.yaxis.set_major_locator(MultipleLocator(_round_span(high / 4)))
    else:
        axes.locator_params(axis="y", nbins=5)
    days = context.view.end - context.view.start > 2 * 86_400
    form = "%d %b" if days else "%H:%M"
    axes.xaxis.set_major_locator(dates.AutoDateLocator(maxticks=8, tz=context.zone))
    axes.xaxis.set_major_formatter(dates.DateFormatter(form, tz=context.zone))
    axes.grid(color=GRID, lw=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=FAINT, labelsize=context.page.points(11), length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_facecolor("none")


# -- bars and tables


def _bargauge(panel: Json, asked: Sequence[Asked], box: Box, context: Context) -> None:
    bars = shown(asked)
    most = panel["fieldConfig"]["defaults"].get("max") or max(bar.last for bar in bars) or 1
    height = min(34.0, box.height / len(bars))
    names = box.width * 0.34
    room = box.width * 0.52
    for index, bar in enumerate(bars):
        top = box.top + index * height
        middle = top + height / 2
        context.page.text(box.left + names - 8, middle, bar.name, 13, TEXT, ha="right")
        whole = Box(box.left + names, top + 3, room, height - 6)
        context.page.frame(whole, "#22252b", None)
        tint = by_threshold(panel, bar)
        share = max(bar.last / most, 0.004)
        context.page.frame(whole._replace(width=room * share), tint, None)
        text = _number(panel, bar.last, context)
        context.page.text(whole.left + room + 10, middle, text, 14, tint, weight="bold")


def _table(panel: Json, asked: Sequence[Asked], box: Box, context: Context) -> None:
    columns, rows = _merged(panel, asked)
    widths = [box.width / len(columns)] * len(columns)
    for index, (_, heading) in enumerate(columns):
        left = box.left + sum(widths[:index]) + 6
        context.page.text(left, box.top + 12, heading, 13, "#6e9fff", weight="bold")
    fitting = int((box.height - 26) // 26)
    for line, row in enumerate(rows[:fitting]):
        top = box.top + 26 + line * 26
        for index, (name, heading) in enumerate(columns):
            at = Box(box.left + sum(widths[:index]), top, widths[index] - 2, 24)
            _cell(panel, heading, row.get(name, ""), at, context)


def _cell(panel: Json, heading: str, value: Any, box: Box, context: Context) -> None:
    look = overridden(panel, "byName", heading)
    text = value if isinstance(value, str) else _number(panel, value, context)
    found = (
        None if isinstance(value, str) else mapping({"mappings": look.get("mappings", ())}, value)
    )
    if found:
        text = found[0]
        context.page.frame(box, found[1], None)
    context.page.text(box.left + 6, box.center[1], text, 13, TEXT)


def _merged(panel: Json, asked: Sequence[Asked]) -> tuple[list[tuple[str, str]], list[Json]]:
    """Columns as (name, heading), and rows: what ``merge`` and ``organize`` do."""
    (organize,) = [t["options"] for t in panel["transformations"] if t["id"] == "organize"]
    rows: dict[tuple[Any, ...], Json] = {}
    for query in asked:
        name = f"Value #{query.target['refId']}" if len(asked) > 1 else "Value"
        for series in query.result:
            key = tuple(sorted(series["metric"].items()))
            rows.setdefault(key, dict(series["metric"]))[name] = float(series["value"][1])
    names = sorted(organize["indexByName"], key=organize["indexByName"].__getitem__)
    columns = [(name, organize["renameByName"][name]) for name in names]
    return columns, sorted(rows.values(), key=lambda row: [str(row.get(n, "")) for n in names])


KINDS: dict[str, Callable[[Json, Sequence[Asked], Box, Context], None]] = {
    "stat": _stat,
    "timeseries": _timeseries,
    "bargauge": _bargauge,
    "table": _table,
}
