"""What /metrics shows of a board partition: the latest value of every open and closed window.

Only of KPIs that have a gauge, and by the cut that it shows (``plan.shows``).

``open`` is the window that contains the board's mark (the newest one while there is no mark),
``closed`` the newest one before it in which the cut has anything.  Rolling windows and levels are
``now``.  A row whose window is neither any more is gone.  After a restart the first results fill
the rows again.

The dictionaries are read by another thread with ``list(d.items())``; only the board changes them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from streams.core.kpi import Kpi, Number, Value
from streams.core.line import Line
from streams.core.measure import CutKey
from streams.core.window import FIXED, ROLLING, Span, Window, local_hour, start_of

OPEN = "open"
CLOSED = "closed"

_PLACES = (
    *((kind, state) for kind in FIXED for state in (OPEN, CLOSED)),
    *((kind, "now") for kind, _ in ROLLING),
    ("now", "now"),
)
"""Every kind of window and the states it is shown in."""
RowKey = tuple[str, CutKey, str, str]
"""(KPI name, cut key, window kind, state)."""


class Row(NamedTuple):
    """``end_ms`` of the window (0 for levels) and the board's mark when the row changed, -1 while
    there is none."""

    value: Number
    numerator: Number | None
    denominator: Number | None
    end_ms: int
    updated_mark_ms: int


class Rows:
    """See the module.

    ``revisions``: what is shown of a cut key, kind of window and state is what the board says as of
    this offset or a later one, and nothing before a change at a later one.  So of two owners' rows
    those with the higher one are right, and with the same one both are.  It stays when the rows go:
    that nothing is shown is said, too.

    ``hours``: (cut key, local hour of the day) -> how often ``offered`` was
    counted in the open day, or in the newest one if nothing has happened in the open one."""

    def __init__(self, offered: str) -> None:
        self.rows: dict[RowKey, Row] = {}
        self.revisions: dict[tuple[CutKey, str, str], int] = {}
        self.hours: dict[tuple[CutKey, int], int] = {}
        self._offered = offered

    def show(self, window: Window, kpi: Kpi, value: Value | None, mark_ms: int) -> None:
        """The row of a KPI of a window that /metrics shows; no value, no row."""
        at = (kpi.name, window.cut, window.span.kind, window.state)
        if value is None:
            self.rows.pop(at, None)
        else:
            self.rows[at] = Row(*value[:3], window.span.end_ms, mark_ms)

    def stamp(self, window: Window) -> None:
        """All rows of the window are as of its revision now."""
        self._stamp((window.cut, window.span.kind, window.state), window.revision)

    def stamp_rolling(self, line: Line, moved_at: int) -> None:
        """The line has no rolling windows as of this offset."""
        for _, window in line.rolling:
            self._stamp((line.cut, window.span.kind, window.state), moved_at)

    def _stamp(self, at: tuple[CutKey, str, str], revision: int) -> None:
        if revision > self.revisions.get(at, -1):
            self.revisions[at] = revision

    def place(self, line: Line, spans: Sequence[Span] | None, mark_ms: int, moved_at: int) -> None:
        """Find the open and the closed window of each kind; ``spans`` are those that contain the
        mark, None if there is no mark; ``moved_at`` is the offset that brought the mark there."""
        for index, kind in enumerate(FIXED):
            placed = _placed(line, kind, None if spans is None else spans[index])
            if placed != line.placed.get(kind, (None, None)):
                self._clear(line, kind)
                line.placed[kind] = placed
                self._fill(placed, mark_ms)
            for state in (OPEN, CLOSED):
                self._stamp((line.cut, kind, state), moved_at)

    def _clear(self, line: Line, kind: str) -> None:
        for window, state in zip(line.placed.get(kind, ()), (OPEN, CLOSED), strict=False):
            if window is not None:
                window.state = ""
                for _, kpi, _, _ in line.plan.of_kind(kind, line.plan.shown):
                    self.rows.pop((kpi.name, line.cut, kind, state), None)

    def _fill(self, placed: tuple[Window | None, Window | None], mark_ms: int) -> None:
        for window, state in zip(placed, (OPEN, CLOSED), strict=True):
            if window is not None:
                window.state = state
                self.stamp(window)
                plan = window.plan
                for _, kpi, evaluate, _ in plan.of_kind(window.span.kind, plan.shown):
                    self.show(window, kpi, evaluate(window.sums, mark_ms), mark_ms)

    def count_hours(self, line: Line) -> None:
        """Bring the hours of the day up to date; none for cuts that do not know ``offered``."""
        if not line.plan.reading((self._offered,)):
            return
        day = next((window for window in line.placed.get("day", ()) if window is not None), None)
        counted: dict[int, int] = {}
        if day is not None:
            for window in _within(line.by_kind["hour"], day.span):
                hour = local_hour(window.span)
                counted[hour] = counted.get(hour, 0) + window.sums.get(self._offered, 0)
        for hour in range(24):
            if hour in counted:
                self.hours[line.cut, hour] = counted[hour]
            else:
                self.hours.pop((line.cut, hour), None)

    def forget(self, line: Line) -> None:
        """The line is gone."""
        for kind in FIXED:
            self._clear(line, kind)
        for kind, state in _PLACES:
            self.revisions.pop((line.cut, kind, state), None)
        line.placed = {}
        self.count_hours(line)


def _placed(line: Line, kind: str, span: Span | None) -> tuple[Window | None, Window | None]:
    windows = line.by_kind[kind]
    if span is None:
        known = [None, None, *windows]
        return known[-1], known[-2]
    before = bisect_left(windows, span.start_ms, key=start_of)
    return line.by_span.get(span), windows[before - 1] if before else None


def _within(windows: Sequence[Window], span: Span) -> Sequence[Window]:
    first = bisect_left(windows, span.start_ms, key=start_of)
    return windows[first : bisect_left(windows, span.end_ms, key=start_of)]
