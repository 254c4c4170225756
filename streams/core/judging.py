"""Judging targets: which values a board partition looks at, and what came of it.

**When.**  At the offsets of the partials topic at which the board's mark enters another minute, a
*turn*, and never in between.  A turn is a place in the log, so the values met there are a function
of the log: it does not matter when results are said or how the log is cut into batches.  A turn
looks at

* fixed windows that have become final (and mature) since the turn before: their value then;
* rolling windows that end at a minute since then, one after the other;
* levels as they are, once.

A mark that jumps passes several minutes in one turn; of more than ``LOOKS_MAX`` windows of a kind
the last ones are looked at, and minutes left out are counted.

**After a restart** what is restored may be newer than the commit, and values met before the replay
has passed it would be those of no one offset.  So no such turn is judged again.  Nor need it be:
what came of it is stored, because machines are stored *ahead* of everything else: a machine that
changed at a turn is committed before any cell, register or mark that is as new as the turn is
written.  Where the replay is beyond all of those, the board is as it was, and a machine that is
newer still (its seal got no further) waits until the replay has passed it.

**Events** are stored with their machine until the results that they belong to are known to be
said, and said again after a restart if they may not have been; they are the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from streams.core.breach import EVENTS, Event, Sample, Standing, judged
from streams.core.kpi import NOW, Number, Value
from streams.core.line import Line
from streams.core.measure import CutKey
from streams.core.plan import evaluate
from streams.core.target import Target
from streams.core.terms import MINUTE_MS
from streams.core.window import FIXED, NOW_SPAN, ROLLING, Span, Window

LOOKS_MAX = 60
"""Windows of one kind and key that one turn looks at."""
_MINUTES = dict(ROLLING)

MachineKey = tuple[str, CutKey]
"""(Target's name, cut key)."""


class Machine:
    """One target and cut key; ``version`` is the turn at which it changed last, -1: never.
    ``unsaid`` are the events that may not have been said."""

    __slots__ = ("cut", "key", "standing", "target", "unsaid", "version")

    def __init__(self, target: Target, cut: CutKey, key: Mapping[str, str]) -> None:
        self.target = target
        self.cut = cut
        self.key = key
        self.standing = Standing()
        self.version = -1
        self.unsaid: list[Event] = []

    def take(self, sample: Sample) -> Event | None:
        """Judge a value; the event if there is one."""
        before = self.standing
        self.standing, event = judged(self.target, before, sample)
        if self.standing != before:
            self.version = sample.revision
        if event is not None:
            self.unsaid.append(event)
        return event


class Kept(NamedTuple):
    """A machine as it is stored."""

    target: str
    cut: CutKey
    version: int
    standing: Standing
    unsaid: Sequence[Event]


class Said(NamedTuple):
    """An event to say; None: the target is no more, and what stands of it is withdrawn."""

    target: str
    cut: CutKey
    machine: Machine | None
    event: Event | None


class Shown(NamedTuple):
    """What /metrics shows of a machine: the target in force, how it stands, and the turn that
    found it so (-1: it is restored, and nothing ever changed)."""

    target: Target
    key: Mapping[str, str]
    value: Number
    state: str
    revision: int


class Judging:
    """All machines of a board partition.

    ``shown`` is read by another thread with ``list(d.items())``.  ``counted`` are events by what
    they say, since the process started; ``minutes_skipped``: see the module.
    """

    def __init__(self, targets: Iterable[Target], grace_ms: int) -> None:
        self._by_cut: dict[str, list[Target]] = {}
        for target in targets:
            self._by_cut.setdefault(target.cut, []).append(target)
        self._grace_ms = grace_ms
        self._machines: dict[MachineKey, Machine] = {}
        self._of: dict[CutKey, tuple[Machine, ...]] = {}
        self._changed: dict[Machine, None] = {}
        self._unsaid: dict[Machine, None] = {}
        self._withdrawn: list[Kept] = []
        self.shown: dict[MachineKey, Shown] = {}
        self.counted = dict.fromkeys(EVENTS, 0)
        self.minutes_skipped = 0

    # -- restore

    def restore(
        self, kept: Iterable[Kept], lines: Mapping[CutKey, Line], *, committed: int, base: int
    ) -> None:
        """Take what was stored: what may not have been said, being at ``base`` or later, is said
        again; what may stand in an aborted transaction is stored again."""
        for one in kept:
            machine = self._restored(one, lines)
            if machine is None:
                self._withdrawn.append(one)
                continue
            machine.standing, machine.version = one.standing, one.version
            machine.unsaid = [e for e in one.unsaid if e.sample.revision >= base]
            if machine.unsaid:
                self._unsaid[machine] = None
            if machine.version >= committed:
                self._changed[machine] = None
            self._show(machine, machine.standing.since_ms, machine.version)

    def _restored(self, one: Kept, lines: Mapping[CutKey, Line]) -> Machine | None:
        line = lines.get(one.cut)
        targets = self._by_cut.get(one.cut[0], ())
        target = next((t for t in targets if t.name == one.target), None)
        if target is None:
            return None
        dimensions = next(cut.dimensions for cut in target.kpi.cuts if cut.name == target.cut)
        key = dict(zip(dimensions, one.cut[1:], strict=True)) if line is None else line.key
        if not target.concerns(key):
            return None
        machine = Machine(target, one.cut, key)
        self._machines[target.name, one.cut] = machine
        return machine

    # -- judge

    def turn(self, lines: Iterable[Line], was: int, mark_ms: int, offset: int) -> None:
        """The mark has come from the minute ``was`` (-1: it was unknown) to ``mark_ms``, at
        ``offset``."""
        if not self._by_cut:
            return
        look = _Look(was, mark_ms, offset, self._grace_ms)
        if was >= 0:
            self.minutes_skipped += max(0, look.minute - was - LOOKS_MAX)
        for line in lines:
            if line.cut[0] in self._by_cut:
                for machine in self._at(line):
                    if machine.version < offset:
                        self._judge(machine, look.samples(line, machine.target))

    def _at(self, line: Line) -> tuple[Machine, ...]:
        """The machines of a line; new ones begin here."""
        machines = self._of.get(line.cut)
        if machines is None:
            targets = [t for t in self._by_cut[line.cut[0]] if t.concerns(line.key)]
            machines = tuple(self._machine(target, line) for target in targets)
            self._of[line.cut] = machines
        return machines

    def _machine(self, target: Target, line: Line) -> Machine:
        machine = self._machines.get((target.name, line.cut))
        if machine is None:
            machine = Machine(target, line.cut, line.key)
            self._machines[target.name, line.cut] = machine
        return machine

    def _judge(self, machine: Machine, samples: Iterable[Sample]) -> None:
        version, last = machine.version, None
        for last in samples:
            event = machine.take(last)
            if event is not None:
                self.counted[event.what] += 1
                self._unsaid[machine] = None
        if machine.version != version:
            self._changed[machine] = None
        if last is not None:
            time_ms = last.as_of_ms if last.span.kind == "now" else last.span.start_ms
            self._show(machine, time_ms, last.revision)

    def _show(self, machine: Machine, time_ms: int, revision: int) -> None:
        target = machine.target
        value, state = target.at(time_ms).value, machine.standing.state
        row = Shown(target, machine.key, value, state, revision)
        self.shown[target.name, machine.cut] = row

    # -- say and store

    def ahead(self) -> list[Kept]:
        """Machines to store before anything else is; each once."""
        changed, self._changed = self._changed, {}
        return [Kept(m.target.name, m.cut, m.version, m.standing, tuple(m.unsaid)) for m in changed]

    def said(self) -> Iterator[Said]:
        """Every event that was not said yet, those of one machine in their order."""
        for one in self._withdrawn:
            yield Said(one.target, one.cut, None, None)
        unsaid, self._unsaid = self._unsaid, {}
        for machine in unsaid:
            events, machine.unsaid = machine.unsaid, []
            for event in events:
                yield Said(machine.target.name, machine.cut, machine, event)

    def gone(self) -> list[Kept]:
        """Machines whose removal is stored with what ``said`` says; call it after that."""
        gone, self._withdrawn = self._withdrawn, []
        return gone


class _Look:
    """What one turn looks at."""

    def __init__(self, was: int, mark_ms: int, offset: int, grace_ms: int) -> None:
        self.minute = mark_ms // MINUTE_MS
        self._first = max(was + 1, self.minute + 1 - LOOKS_MAX)
        self._was_ms = was * MINUTE_MS
        self._mark_ms = mark_ms
        self._offset = offset
        self._grace_ms = grace_ms

    def samples(self, line: Line, target: Target) -> Iterator[Sample]:
        """The values of a target's KPI, in the order of time."""
        if target.window in FIXED:
            return self._fixed(line, target)
        return self._now(line, target) if target.window in NOW else self._rolling(line, target)

    def _fixed(self, line: Line, target: Target) -> Iterator[Sample]:
        """Windows become due with their end, so the newest are found from behind."""
        wait_ms = self._grace_ms + target.kpi.matures_ms
        due: list[Window] = []
        for window in reversed(line.by_kind[target.window]):
            due_ms = window.span.end_ms + wait_ms
            if due_ms <= self._was_ms or len(due) == LOOKS_MAX:
                break
            if due_ms <= self.minute * MINUTE_MS:
                due.append(window)
        if due:
            line.settle()
        for window in reversed(due):
            value = evaluate(target.kpi, window.sums, self._mark_ms)
            yield self._sample(window.span, value, window.span.end_ms)

    def _rolling(self, line: Line, target: Target) -> Iterator[Sample]:
        minutes, names = _MINUTES[target.window], target.kpi.formula.reads()
        for minute, sums in line.rolled(self._first, self.minute, minutes, names):
            end_ms = minute * MINUTE_MS
            span = Span(target.window, end_ms - minutes * MINUTE_MS, end_ms)
            yield self._sample(span, evaluate(target.kpi, sums, self._mark_ms), end_ms)

    def _now(self, line: Line, target: Target) -> Iterator[Sample]:
        value = evaluate(target.kpi, line.combined(), self._mark_ms)
        yield self._sample(NOW_SPAN, value, self._mark_ms)

    def _sample(self, span: Span, value: Value | None, at_ms: int) -> Sample:
        return Sample(span, value, at_ms, self._mark_ms, self._offset)
