"""A whole dashboard as a picture."""

from __future__ import annotations

from datetime import datetime, tzinfo
from itertools import groupby
from pathlib import Path

from tests.deploy.asking import View, annotated, asked, chosen
from tests.deploy.centre.prometheus import Answers
from tests.deploy.linter import Json, variables
from tests.deploy.sheet.look import FAINT, PANEL, TEXT
from tests.deploy.sheet.page import WIDTH, Box, Page
from tests.deploy.sheet.panels import Context, draw

CELL_HEIGHT, GAP, EDGE, HEAD = 38, 8, 16, 92
CELL_WIDTH = (WIDTH - 2 * EDGE + GAP) / 24
KIOSK = ("cc-wall",)
"""Shown without the bar on top."""


def picture(dashboard: Json, answers: Answers, view: View, zone: tzinfo, path: Path) -> None:
    """Ask everything and draw it."""
    values = chosen(dashboard, answers, view)
    head = EDGE if dashboard["uid"] in KIOSK else HEAD
    rows = max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in dashboard["panels"])
    page = Page(head + rows * CELL_HEIGHT - GAP + EDGE)
    shown = {a["name"] for a in dashboard["annotations"]["list"] if a["enable"]}
    marks = {
        name: sorted({float(at) for one in series for at, _ in one["values"]})
        for name, series in annotated(dashboard, answers, view, values).items()
        if name in shown
    }
    if head == HEAD:
        _head(page, dashboard, values, view, zone)
    context = Context(page, view, zone, marks)
    found = asked(dashboard, answers, view, values)
    by_panel = {number: list(of) for number, of in groupby(found, lambda one: one.panel["id"])}
    for panel in dashboard["panels"]:
        box = _box(panel, head)
        if panel["type"] == "row":
            page.text(box.left + 4, box.center[1], f"▾  {panel['title']}", 17, TEXT)
        else:
            draw(panel, by_panel[panel["id"]], box, context)
    page.save(path)


def _box(panel: Json, head: int) -> Box:
    at = panel["gridPos"]
    left, top = EDGE + at["x"] * CELL_WIDTH, head + at["y"] * CELL_HEIGHT
    return Box(left, top, at["w"] * CELL_WIDTH - GAP, at["h"] * CELL_HEIGHT - GAP)


def _head(page: Page, dashboard: Json, values: dict[str, str], view: View, zone: tzinfo) -> None:
    page.text(EDGE, 26, dashboard["title"], 22, TEXT, weight="bold")
    start, end = (datetime.fromtimestamp(at, zone) for at in (view.start, view.end))
    span = f"{start:%a %d %b %H:%M} to {end:%a %d %b %H:%M}"
    page.text(WIDTH - EDGE, 26, span, 15, FAINT, ha="right")
    left = float(EDGE)
    for variable in variables(dashboard):
        value = values.get(variable["name"], "Prometheus").replace(".+", "All")
        text = f"{variable['label']}   {value.replace('|', ' + ')}"
        width = len(text) * 14 * 0.58 + 16
        page.frame(Box(left, 48, width, 30), PANEL, "#3a3d44")
        page.text(left + 8, 63, text, 14, TEXT)
        left += width + GAP
