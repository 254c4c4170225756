"""A line: everything the board holds for one cut key.

Its cells by minute, the windows they are in, the registers its origins have posted, and the windows
that are summed up when wanted (rolling, now).
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Collection, Iterator
from typing import NamedTuple

from streams.core.calendar import QUARTER_MS
from streams.core.cell import Cell
from streams.core.measure import Amounts, CutKey
from streams.core.partials import Register
from streams.core.plan import OLDEST, Plan
from streams.core.terms import MINUTE_MS
from streams.core.window import (
    FIXED,
    NOW_SPAN,
    ROLLING,
    ROLLING_MINUTES_MAX,
    Quarter,
    Span,
    Window,
    Windows,
    start_of,
)

NOW = "now"
"""What rolling windows and levels are to /metrics."""


class Posted(NamedTuple):
    """A register as last posted; ``version`` is its offset in the partials topic."""

    position: int
    version: int
    values: Amounts


class Line:
    """See the module.  ``key`` is the cut key as dimension -> value; ``live`` says whether the
    rolling windows stand in the topics, ``unsettled`` are quarters with changes that their windows
    have not been told; ``placed`` are the fixed windows that /metrics shows, by
    kind: the open one and the closed one."""

    __slots__ = (
        "_by_quarter",
        "by_kind",
        "by_span",
        "cells",
        "cut",
        "key",
        "live",
        "newest",
        "now",
        "placed",
        "plan",
        "registers",
        "rolling",
        "unsettled",
    )

    def __init__(self, cut: CutKey, plan: Plan) -> None:
        self.cut = cut
        self.plan = plan
        self.key = plan.key(cut)
        self.cells: dict[int, Cell] = {}
        self.by_span: dict[Span, Window] = {}
        self.by_kind: dict[str, list[Window]] = {kind: [] for kind in FIXED}
        self._by_quarter: dict[int, Quarter] = {}
        self.unsettled: dict[Quarter, None] = {}
        self.registers: dict[str, Posted] = {}
        self.rolling = tuple(
            (minutes, Window(cut, self.key, plan, Span(kind, 0, 0), NOW))
            for kind, minutes in ROLLING
        )
        self.now = Window(cut, self.key, plan, NOW_SPAN, NOW)
        self.live = False
        self.newest = -1
        self.placed: dict[str, tuple[Window | None, Window | None]] = {}

    # -- fixed windows

    def enter(self, cell: Cell, windows: Windows, floor: int) -> list[Window]:
        """Put a new cell into its windows; those of them that are new.

        A window that begins before the floor cannot be summed up any more, so there is none.
        """
        self.cells[cell.minute] = cell
        self.newest = max(self.newest, cell.minute)
        quarter = cell.minute * MINUTE_MS // QUARTER_MS
        known = self._by_quarter.get(quarter)
        made: list[Window] = []
        if known is None:
            spans = windows.of(self.cut, cell.minute)
            whole = [span for span in spans if span.start_ms >= floor * MINUTE_MS]
            made = [self._open(span) for span in whole if span not in self.by_span]
            known = Quarter(tuple(self.by_span[span] for span in whole))
            self._by_quarter[quarter] = known
        cell.quarter = known
        return made

    def _open(self, span: Span) -> Window:
        window = self.by_span[span] = Window(self.cut, self.key, self.plan, span)
        insort(self.by_kind[span.kind], window, key=start_of)
        return window

    def add(self, cell: Cell, changes: Amounts, kpis: int) -> None:
        """The cell has changed, and with it the amounts that ``kpis`` read; see ``settle``."""
        cell.quarter.add(changes, cell.version, cell.mark_ms, cell.matured, kpis)
        self.unsettled[cell.quarter] = None

    def settle(self) -> None:
        """Bring the fixed windows up to date.  Before, nothing in them may be looked at."""
        if self.unsettled:
            for quarter in self.unsettled:
                quarter.settle()
            self.unsettled = {}

    def drop(self, minute: int) -> Cell:
        """Take out the cell of a minute that is below the floor."""
        self._by_quarter.pop(minute * MINUTE_MS // QUARTER_MS, None)
        return self.cells.pop(minute)

    def close_before(self, start_ms: int) -> bool:
        """End every window that begins before ``start_ms``; whether there was one."""
        self.settle()
        ended = False
        for kind, windows in self.by_kind.items():
            until = bisect_right(windows, start_ms - 1, key=start_of)
            for window in windows[:until]:
                window.alive = False
                del self.by_span[window.span]
                ended = True
            self.by_kind[kind] = windows[until:]
        return ended

    # -- rolling windows

    def roll(self, mark_minute: int, moved_at: int) -> bool:
        """Sum up the rolling windows that end where ``mark_minute`` begins; whether there is
        anything in the longest.  ``moved_at``: the offset at which the mark came to this minute.

        All of them have the revision of the longest, because what is in it decides whether the
        others are there, if only with counts of 0.
        """
        sums: Amounts = {}
        revision, mark_ms, done, found = moved_at, -1, 0, False
        for minutes, window in self.rolling:
            for minute in range(mark_minute - done - 1, mark_minute - minutes - 1, -1):
                cell = self.cells.get(minute)
                if cell is None:
                    continue
                found = True
                revision, mark_ms = max(revision, cell.version), max(mark_ms, cell.mark_ms)
                for name, amount in cell.total.items():
                    sums[name] = sums.get(name, 0) + amount
            done = minutes
            window.sums, window.mark_ms = dict(sums), mark_ms
            _shift(window, (mark_minute - minutes) * MINUTE_MS, mark_minute * MINUTE_MS)
        for _, window in self.rolling:
            window.revision = revision
        return found

    def rolled(
        self, first: int, last: int, minutes: int, names: Collection[str]
    ) -> Iterator[tuple[int, Amounts]]:
        """Some amounts of the rolling windows that end where the minutes ``first`` to ``last``
        begin, each with its minute; none where there is nothing in the longest.  What is given is
        the same dictionary each time."""
        latest = self._latest_before(first)
        if latest < 0 and self.newest < first:
            return
        sums = dict.fromkeys(names, 0)
        for minute in range(first - minutes, first):
            self._roll_in(sums, minute, 1)
        for minute in range(first, last + 1):
            if minute > first:
                self._roll_in(sums, minute - 1, 1)
                self._roll_in(sums, minute - 1 - minutes, -1)
                latest = minute - 1 if minute - 1 in self.cells else latest
            if latest >= minute - ROLLING_MINUTES_MAX:
                yield minute, sums

    def _latest_before(self, minute: int) -> int:
        """The newest cell before ``minute`` that a rolling window may hold; -1 if there is none."""
        within = range(minute - 1, minute - ROLLING_MINUTES_MAX - 1, -1)
        return next((m for m in within if m in self.cells), -1)

    def _roll_in(self, sums: Amounts, minute: int, sign: int) -> None:
        cell = self.cells.get(minute)
        if cell is not None:
            for name in sums:
                sums[name] += sign * cell.total.get(name, 0)

    # -- registers

    def post(self, register: Register, version: int) -> bool | None:
        """Take a register; whether its values changed, None if it is a repeat."""
        known = self.registers.get(register.origin)
        if known is not None and register.position <= known.position:
            return None
        self.registers[register.origin] = Posted(register.position, version, register.values)
        return known is None or known.values != register.values

    def levels(self, moved_at: int) -> None:
        """Say what all origins together have posted."""
        self.now.sums = self.combined()
        self.now.revision = max((moved_at, *(p.version for p in self.registers.values())))

    def combined(self) -> Amounts:
        """The registers of all origins: of times the minimum, of all else the sum."""
        sums: Amounts = {}
        for posted in self.registers.values():
            for name, value in posted.values.items():
                if name not in sums:
                    sums[name] = value
                elif name.startswith(OLDEST):
                    sums[name] = min(sums[name], value)
                else:
                    sums[name] += value
        return sums


def _shift(window: Window, start_ms: int, end_ms: int) -> None:
    """Another span is another statement: all of it must be said again."""
    if (start_ms, end_ms) != window.span[1:3]:
        window.span = Span(window.span.kind, start_ms, end_ms)
        window.words = None
