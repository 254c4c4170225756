"""The board: adds up what all origins have sent about the cut keys of one partition.

What it holds is a function of the partials topic up to an offset.  Nothing depends on how the topic
was cut into batches, on when results were taken, or on how often the process died in between: cells
ignore repeats, and everything else (windows, revisions, statuses, rows) is derived from cells,
registers and marks, as incremental sums that a restart builds anew.

**Writing.**  ``results`` takes what must be said and ``changes`` what must be stored; they are
written together, then the offset absorbed so far is committed, and neither is called again before.

**After a restart** some of what is restored may be newer than the commit.  The replay does not
change it.  Three consequences:

* it may stand in a transaction that was aborted, and the log cleaner removes such records, so it is
  stored again (``start`` puts it among the changes);
* its results may never have been seen, so they are said again;
* what is restored is not the state of any one offset until the replay has passed the newest of it:
  two cells of a window would be shown as of two different times, under the revision of the later
  one.  So while ``catching_up`` nothing is said.  What changes is stored and the commit goes on,
  but the base of the marks stays, and with it the knowledge of what has not been said.

**Dropping.**  Cells below the floor (see ``marks``) are taken out at the offset that raised it, and
windows that begin below it end; what they have still to say is said.  If the replay has not yet
passed what was restored, all this waits until it has, though no share below the floor is taken any
more: a window that ended earlier would hold what some of its cells, the restored ones, took after
its end and others did not, and the next owner, who finds more of them, would say something else
under the same revision.  So a window may grow for longer after a crash than without one, but what
is said of it is always the sum as of its revision.

The removal of a cell is written when a base beyond that offset has been stored: with an older one,
a restart would find the windows still open and the cell gone, or a replay meet its shares above the
floor and count them from zero.  A base that follows from the commit is not stored yet, for the
commit may be set back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from streams.core.cell import Cell, Share
from streams.core.judging import Judging, Kept
from streams.core.kpi import Kpi
from streams.core.line import Line, Posted
from streams.core.marks import Marks, MarksRecord, Moved
from streams.core.measure import Amounts, Cut, CutKey
from streams.core.news import News
from streams.core.partials import TIMELESS, Mark, Partial, Register
from streams.core.plan import ALL, Plan, plans
from streams.core.result import Result
from streams.core.target import Target
from streams.core.terms import HOUR_MS, MINUTE_MS, Terms
from streams.core.window import Window, Windows

KEYS_MAX = 100_000
"""Keys of one cut on one board partition: queues, issue types and reasons are what platforms write.
Sums and levels of further keys are refused until old ones are dropped.  Which keys that hits
depends on restarts, too: it guards the memory, and what it hits is not exact any more."""
KEEP_HOURS_MIN = 25
"""The longest local day: every window must be whole until it is final."""
LATE, TOO_MANY = "window.dropped", "cut.keys_max"
"""Why a partial is refused: its minute is below the floor; its key is beyond ``KEYS_MAX``."""


class Stored(NamedTuple):
    """A register as it is stored."""

    origin: str
    cut: CutKey
    posted: Posted


class Gone(NamedTuple):
    """A cell to remove; ``version`` is the last it had."""

    cut: CutKey
    minute: int
    version: int


class Changes(NamedTuple):
    """What has to be stored; ``marks`` None: nothing at all."""

    cells: Sequence[Cell]
    registers: Sequence[Stored]
    marks: MarksRecord | None
    gone: Sequence[Gone]
    ahead: Sequence[Kept]
    """To be committed before any of the rest is written; see ``streams.core.judging``."""


class Board:
    """One partition of the board.  See the module."""

    def __init__(
        self,
        terms: Terms,
        kpis: Iterable[Kpi],
        origins: int,
        *,
        keep_ms: int = 0,
        offered: str = "contacts_offered",
        targets: Iterable[Target] = (),
    ) -> None:
        """``origins`` must report marks before time is known.  Cells are dropped ``keep_ms`` after
        their minute, 0 for never; ValueError if that is before their day is final.  ``offered`` is
        the measure that is shown by the hour of the day, ``targets`` are judged."""
        self._plans = plans(kpis)
        ripe_ms = max((ms for p in self._plans.values() for ms, _ in p.ripening), default=0)
        if keep_ms and keep_ms < KEEP_HOURS_MIN * HOUR_MS + terms.grace_ms + ripe_ms:
            raise ValueError(f"keep_ms {keep_ms} ends before a day of {KEEP_HOURS_MIN} h is final")
        self._windows = Windows(terms, [plan.cut for plan in self._plans.values()])
        self.marks = Marks(origins, keep_ms)
        self.lines: dict[CutKey, Line] = {}
        self._keys: Counter[str] = Counter()
        """A cut's name -> how many lines."""
        self.news = News(
            self.lines, self.marks, self._windows, grace_ms=terms.grace_ms, offered=offered
        )
        self.judging = Judging(targets, terms.grace_ms)
        self.counted: dict[tuple[CutKey, str], int] = {}
        """What partials of queues have added since the process started: it never goes down ..."""
        self.corrections: dict[tuple[CutKey, str], int] = {}
        """... and what they have taken back, as a positive number."""
        self.late_dropped = 0
        """Partials for minutes below the floor."""
        self.keys_refused = 0
        """Partials and registers of keys beyond ``KEYS_MAX``."""
        self.refused: list[tuple[int, str]] = []
        """(Offset, reason) of the partials among both that nobody has listed yet."""
        self._origins: dict[str, _Origin] = {}
        self._lines_at: dict[int, list[Line]] = {}
        """Minute -> who has a cell of it; kept only if cells are dropped."""
        self._drops = keep_ms > 0
        self._dropped_to = 0
        self._emptied: dict[Line, None] = {}
        self._restored_until = self._listed_until = -1
        self._cells: dict[Cell, None] = {}
        self._registers: dict[tuple[Line, str], None] = {}
        self._gone: list[list[Gone]] = [[], [], []]
        """Removals: since the last seal; waiting for their base to be stored; due."""

    # -- restore

    def start(
        self,
        cells: Iterable[Cell],
        registers: Iterable[Stored],
        marks: MarksRecord | None,
        committed: int,
        kept: Iterable[Kept] = (),
    ) -> None:
        """Take what was stored, once and before anything else; the log goes on at ``committed``."""
        again: Sequence[Moved] = ()
        if marks is not None:
            self._restored_until = marks.until
            again = self.marks.restore(marks, committed)
            self._dropped_to = self.marks.floor
            self._listed_until = self.marks.base.offset
        unsaid: set[Window] = set()
        for cell in cells:
            if cell.minute < self._dropped_to:
                self._gone[1].append(Gone(cell.cut, cell.minute, cell.version))
            else:
                self._restore(cell, committed, unsaid)
        for stored in registers:
            self._restore_register(stored, committed)
        for line in self.lines.values():
            self.news.restarted(line, unsaid)
        for moved in again:
            if self.marks.again(moved):
                self.news.time_moved()
        self.judging.restore(kept, self.lines, committed=committed, base=self.marks.base.offset)

    def _restore(self, cell: Cell, committed: int, unsaid: set[Window]) -> None:
        self._restored_until = max(self._restored_until, cell.version)
        self._enter(self._line(cell.cut), cell)
        for name, share in cell.shares.items():
            if share.amounts is not None:
                self._origin(name).shares.add(share)
        for window in cell.quarter.windows:
            window.add(cell.total, cell.version, cell.mark_ms, cell.matured)
        if cell.version >= self.marks.base.offset:
            unsaid.update(cell.quarter.windows)
        if self._may_be_lost(cell.version, committed):
            self._cells[cell] = None

    def _restore_register(self, stored: Stored, committed: int) -> None:
        self._restored_until = max(self._restored_until, stored.posted.version)
        line = self._line(stored.cut)
        line.registers[stored.origin] = stored.posted
        if self._may_be_lost(stored.posted.version, committed):
            self._registers[line, stored.origin] = None

    def _may_be_lost(self, version: int, committed: int) -> bool:
        """Whether a record with this version may stand in an aborted transaction."""
        return version >= max(committed, self.marks.base.offset)

    def catching_up(self, end: int) -> bool:
        """Whether a replay up to the offset ``end`` has not yet passed what was restored."""
        return end <= self._restored_until

    # -- absorb

    def absorb(self, message: Partial | Register | Mark, offset: int) -> None:
        """Take the record at ``offset`` of the partials topic; offsets rise."""
        if isinstance(message, Partial):
            self._partial(message, offset)
        elif isinstance(message, Register):
            self._register(message, offset)
        elif not message.origin.startswith(TIMELESS):
            self._mark(message, offset)

    def _partial(self, partial: Partial, offset: int) -> None:
        origin = self._origin(partial.origin)
        if partial.segment > origin.segment:
            origin.reach(partial.segment)
        if partial.minute < self.marks.floor:
            self.late_dropped += 1
            self._refuse(offset, LATE)
            return
        line = self._admitted(partial.cut)
        if line is None:
            self._refuse(offset, TOO_MANY)
            return
        cell = line.cells.get(partial.minute)
        if cell is None:
            cell = Cell(partial.cut, partial.minute)
            self._enter(line, cell)
        new = cell.version < 0
        changes = cell.absorb(partial, offset)
        if changes is not None:
            origin.shares.add(cell.shares[partial.origin])
            self._changed(line, cell, changes, new)

    def _changed(self, line: Line, cell: Cell, changes: Amounts, new: bool) -> None:
        self._cells[cell] = None
        changed = line.plan.reading(changes)
        cell.stamp(line.plan.matures(ALL if new else changed), self.marks.mark_ms)
        line.add(cell, changes, changed)
        self.news.touched(line, cell, changed)
        if line.plan.counted:
            self._count(cell.cut, changes)

    def _count(self, cut: CutKey, changes: Amounts) -> None:
        for name, change in changes.items():
            counts = self.counted if change > 0 else self.corrections
            at = (cut, name)
            counts[at] = counts.get(at, 0) + abs(change)

    def _refuse(self, offset: int, reason: str) -> None:
        """Of what lies before the restored base, all that was refused is listed; the floor is too
        high for the rest, which the commit was set back to."""
        if offset >= self._listed_until:
            self.refused.append((offset, reason))

    def _register(self, register: Register, offset: int) -> None:
        line = self._admitted(register.cut)
        if line is None:
            return
        changed = line.post(register, offset)
        if changed is not None:
            self._registers[line, register.origin] = None
        if changed:
            self.news.posted(line)

    def _origin(self, name: str) -> _Origin:
        origin = self._origins.get(name)
        if origin is None:
            origin = self._origins[name] = _Origin()
        return origin

    def _admitted(self, cut: CutKey) -> Line | None:
        """The line of a cut key; None if it is a new one and there are too many."""
        line = self.lines.get(cut)
        if line is None:
            if self._keys[cut[0]] >= KEYS_MAX:
                self.keys_refused += 1
                return None
            line = self._line(cut)
        return line

    def _line(self, cut: CutKey) -> Line:
        line = self.lines.get(cut)
        if line is None:
            # A cut without any KPI is kept all the same: its values stand in for its dimensions.
            plan = self._plans.get(cut[0]) or Plan(Cut(cut[0], cut[1:]), ())
            line = self.lines[cut] = Line(cut, plan)
            self._keys[cut[0]] += 1
        return line

    def _enter(self, line: Line, cell: Cell) -> None:
        self.news.opened(line, line.enter(cell, self._windows, self._dropped_to))
        if self._drops:
            self._lines_at.setdefault(cell.minute, []).append(line)

    # -- time

    def _mark(self, mark: Mark, offset: int) -> None:
        """Targets are judged before anything is dropped, and never on what is as of two times."""
        was = self.marks.minute
        if not self.marks.absorb(mark, offset):
            return
        if self.marks.minute != was and offset > self._restored_until:
            self.judging.turn(self.lines.values(), was, self.marks.mark_ms, offset)
        self.news.time_moved()
        if not self.catching_up(offset + 1):
            self._drop()

    def _drop(self) -> None:
        """Take out what is below the floor, if it has risen."""
        floor = self.marks.floor
        if floor == self._dropped_to:
            return
        self._dropped_to = floor
        for minute in sorted(m for m in self._lines_at if m < floor):
            for line in self._lines_at.pop(minute):
                self._drop_cell(line, minute)
        for line in self.lines.values():
            if line.close_before(floor * MINUTE_MS):
                self.news.ended(line)

    def _drop_cell(self, line: Line, minute: int) -> None:
        cell = line.drop(minute)
        for name, share in cell.shares.items():
            self._origin(name).shares.discard(share)
        self._gone[0].append(Gone(cell.cut, minute, cell.version))
        if not line.cells and not line.registers:
            self._emptied[line] = None

    def _forget_emptied(self) -> None:
        """Lines that hold nothing any more go when the last has been said of them."""
        for line in [line for line in self._emptied if not line.live]:
            del self._emptied[line]
            if not line.cells and not line.registers:
                del self.lines[line.cut]
                self._keys[line.cut[0]] -= 1
                self.news.forgotten(line)

    # -- say and store

    def said(self) -> Iterator[Result]:
        """Every result that has changed since the last call, one by one, as of what was absorbed:
        nothing may be absorbed before the last of them is taken."""
        yield from self.news.take()
        self._forget_emptied()

    def results(self) -> list[Result]:
        """All that ``said`` yields."""
        return list(self.said())

    def changes(self, end: int, *, said: bool) -> Changes:
        """Everything that has changed since the last call and must be stored, with ``end`` the
        offset after what was absorbed; ``said``: the results are written with it."""
        if said:
            self._drop()  # what had to wait for the replay
        cells, registers = list(self._cells), list(self._registers)
        stored = [Stored(name, line.cut, line.registers[name]) for line, name in registers]
        record = None
        if cells or registers or self.marks.taken() or any(self._gone) or not said:
            until = max(end - 1, self._restored_until)
            record = self.marks.record(end, said=said, until=until)
        gone: Sequence[Gone] = ()
        if said:
            self.marks.settle(end)
            new, waiting, gone = self._gone
            self._gone = [[], new, waiting]
        self._cells, self._registers = {}, {}
        return Changes(cells, stored, record, gone, self.judging.ahead())


class _Origin:
    """``segment`` is the latest seen *in the log* since the start, ``shares`` those not forgotten.

    What was restored says nothing about the log: a cell newer than the commit may have a later
    segment while another cell still waits for the rest of an earlier one.
    """

    __slots__ = ("segment", "shares")

    def __init__(self) -> None:
        self.segment = -1
        self.shares: set[Share] = set()

    def reach(self, segment: int) -> None:
        """Shares of earlier segments are complete: what they consisted of is forgotten."""
        self.segment = segment
        running = set()
        for share in self.shares:
            if share.segment < segment:
                share.amounts = None
            else:
                running.add(share)
        self.shares = running
