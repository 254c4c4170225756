"""What the board has to say: which results must be computed, and computing them.

A result is said again when something it is made of has changed:

* fixed windows: the KPIs that read a changed amount; all of them when the window is new, and those
  whose status changes, which the mark does too;
* rolling windows: the same, and all of them whenever the mark's minute changes.  A cut stays in
  them, with counts of 0 if need be, as long as the longest one holds anything;
* levels: all of a cut when one of its registers changes; ages also when the mark has moved by a
  second.

A ratio that has become undefined is withdrawn, once, if it was said before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

from streams.core.calendar import QUARTER_MS
from streams.core.cell import Cell
from streams.core.line import Line
from streams.core.marks import UNKNOWN, Marks
from streams.core.measure import CutKey
from streams.core.plan import ALL
from streams.core.result import PROVISIONAL, Result, Words, words_of
from streams.core.rows import Rows
from streams.core.terms import SECOND_MS
from streams.core.window import ROLLING_MINUTES_MAX, Window, Windows


class News:
    """What changed since it was said last.  Sets are dictionaries, in the order of the log."""

    __slots__ = (
        "_aged_ms",
        "_due",
        "_grace_ms",
        "_levels",
        "_lines",
        "_marks",
        "_numbered",
        "_placed_quarter",
        "_rolled_minute",
        "_rolling",
        "_spans",
        "_touched",
        "_unplaced",
        "_unsettled",
        "shown",
    )

    def __init__(
        self,
        lines: dict[CutKey, Line],
        marks: Marks,
        spans: Windows,
        *,
        grace_ms: int,
        offered: str,
    ) -> None:
        self.shown = Rows(offered)
        self._lines = lines
        self._marks = marks
        self._spans = spans
        self._grace_ms = grace_ms
        self._touched: dict[Window, None] = {}
        self._rolling: dict[Line, None] = {}
        self._levels: dict[Line, None] = {}
        self._unplaced: dict[Line, None] = {}
        self._unsettled: dict[Line, None] = {}
        self._due: list[tuple[int, int, Window]] = []
        """Windows with KPIs that are not final yet, by the mark that makes the next of them so."""
        self._numbered = 0
        self._rolled_minute = -1
        self._placed_quarter = -1
        self._aged_ms = UNKNOWN

    # -- what changes

    def opened(self, line: Line, windows: Iterable[Window]) -> None:
        """The line has new windows.  One that is late is final from the beginning."""
        for window in windows:
            self._unplaced[line] = None
            self._await(window)

    def _await(self, window: Window) -> None:
        """Wait for the mark that makes more of the window final, if there is one."""
        end_ms = window.span.end_ms + self._grace_ms
        for matures_ms in window.plan.maturities(window.span.kind):
            if end_ms + matures_ms > self._marks.mark_ms:
                self._numbered += 1
                heappush(self._due, (end_ms + matures_ms, self._numbered, window))
                return

    def ended(self, line: Line) -> None:
        """Windows of the line have ended."""
        self._unplaced[line] = None

    def touched(self, line: Line, cell: Cell, changed: int) -> None:
        """A cell has changed: what the KPIs ``changed`` read."""
        self._unsettled[line] = None
        for window in cell.quarter.windows:
            if window.alive:
                self._touched[window] = None
        ahead = self._marks.minute - cell.minute
        if 0 < ahead <= ROLLING_MINUTES_MAX:
            self._rolling[line] = None
            for minutes, window in line.rolling:
                if ahead <= minutes:
                    window.changed |= changed

    def posted(self, line: Line) -> None:
        """A register of the line has changed."""
        line.now.changed = ALL
        self._levels[line] = None

    def time_moved(self) -> None:
        """The mark has: windows whose end it has passed by the grace are final now, or more of them
        is."""
        while self._due and self._due[0][0] <= self._marks.mark_ms:
            window = heappop(self._due)[2]
            self._touched[window] = None
            self._await(window)

    def restarted(self, line: Line, unsaid: set[Window]) -> None:
        """What was said of a restored line is derived from the marks, or taken to be everything.

        Windows with a cell beyond the commit are ``unsaid``.  The rolling windows can only hold
        what is not older than their length before the restored mark.
        """
        for windows in line.by_kind.values():
            for window in windows:
                window.forget()
                if window in unsaid:
                    self._touched[window] = None
                else:
                    window.words = self._words(window)
        line.live = line.newest >= self._marks.minute - ROLLING_MINUTES_MAX
        for _, window in line.rolling:
            window.forget()
        line.now.forget()
        if line.registers:
            self.posted(line)

    def forgotten(self, line: Line) -> None:
        """The line holds nothing any more."""
        for waiting in (self._rolling, self._levels, self._unplaced, self._unsettled):
            waiting.pop(line, None)
        self.shown.forget(line)

    def _words(self, window: Window) -> Words:
        return words_of(window, self._marks.mark_ms, self._grace_ms)

    # -- what is said

    def take(self) -> Iterator[Result]:
        """Every result that has changed since the last call, one by one: there may be many.
        Nothing may change before the last of them is taken."""
        unsettled, self._unsettled = self._unsettled, {}
        for line in unsettled:
            line.settle()
        hours = self._place()
        touched, self._touched = self._touched, {}
        for window in touched:
            yield from self._said(window)
            if window.span.kind == "hour" and window.cut in self._lines:
                hours[self._lines[window.cut]] = None
        for line in hours:
            self.shown.count_hours(line)
        if self._marks.mark_ms != UNKNOWN:
            yield from self._rolling_said()
        yield from self._levels_said()

    def _said(self, window: Window) -> list[Result]:
        """What is to be said of a window; brings its rows up to date."""
        said: list[Result] = []
        words, known = self._words(window), window.words
        chosen = ALL
        if known is not None:
            chosen = window.changed | words.due ^ known[0] | words.corrected ^ known[1]
        window.words, window.changed = words, 0
        mark_ms, as_of = self._marks.mark_ms, self._marks.known_ms
        cut, key, span, revision = window.cut, window.key, window.span, window.revision
        sums, published, state, due = window.sums, window.published, window.state, words.due
        for bit, kpi, evaluate, shown in window.plan.of_kind(span.kind, chosen):
            value = evaluate(sums, mark_ms)
            if shown and state:
                self.shown.show(window, kpi, value, mark_ms)
            if value is not None:
                published |= bit
            elif published & bit:
                published &= ~bit
            else:
                continue
            status = words.of(bit) if due & bit else PROVISIONAL
            said.append(Result(kpi, cut, key, span, value, status, revision, as_of))
        window.published = published
        if state:
            self.shown.stamp(window)
        return said

    def _rolling_said(self) -> Iterator[Result]:
        minute = self._marks.minute
        lines: Iterable[Line] = self._rolling
        if minute != self._rolled_minute:
            recent = minute - ROLLING_MINUTES_MAX
            lines = [ln for ln in self._lines.values() if ln.live or ln.newest >= recent]
            for line in self._lines.values():
                if line.plan.shown and not line.live:
                    self.shown.stamp_rolling(line, self._marks.minute_at)
        self._rolled_minute = minute
        self._rolling = {}
        for line in lines:
            if line.roll(minute, self._marks.minute_at):
                line.live = True
                for _, window in line.rolling:
                    yield from self._said(window)
            elif line.live:
                line.live = False
                for _, window in line.rolling:
                    yield from self._withdrawn(window)

    def _withdrawn(self, window: Window) -> Iterator[Result]:
        """Take back everything that stands of a window."""
        cut, key, span = window.cut, window.key, window.span
        revision, as_of = window.revision, self._marks.known_ms
        for _, kpi, _, shown in window.plan.of_kind(span.kind, window.published):
            if shown:
                self.shown.show(window, kpi, None, UNKNOWN)
            yield Result(kpi, cut, key, span, None, PROVISIONAL, revision, as_of)
        window.published = 0
        self.shown.stamp(window)

    def _levels_said(self) -> Iterator[Result]:
        if self._marks.mark_ms >= self._aged_ms + SECOND_MS:
            self._aged_ms = self._marks.mark_ms
            for line in self._lines.values():
                if line.registers and line.plan.oldest:
                    line.now.changed |= line.plan.oldest
                    self._levels[line] = None
        levels, self._levels = self._levels, {}
        for line in levels:
            line.levels(self._marks.moved_at)
            yield from self._said(line.now)

    # -- what is shown

    def _place(self) -> dict[Line, None]:
        """Bring what /metrics shows up to where the mark is; the lines this may concern."""
        quarter = self._marks.mark_ms // QUARTER_MS
        lines, self._unplaced = self._unplaced, {}
        if quarter != self._placed_quarter:
            lines = dict.fromkeys(self._lines.values())
        self._placed_quarter = quarter
        for line in lines:
            known = self._marks.mark_ms != UNKNOWN
            spans = self._spans.of(line.cut, self._marks.minute) if known else None
            self.shown.place(line, spans, self._marks.mark_ms, self._marks.moved_at)
        return lines
