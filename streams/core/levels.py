"""Levels: what is open now (who waits, who is being handled, what is unanswered), per queue.

Registers, not sums: the latest by position counts.  For each kind there is ``<kind>``, how many;
for those that are open since a time ``oldest_<kind>_ms``, unless there is none; and for those that
are due at a time ``<kind>_overdue``, how many are later than that.  Of the backlog there is also
``backlog_older_<age>``.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from streams.core.about import WRITTEN
from streams.core.measure import CHANNEL, QUEUE, Amounts, CutKey
from streams.core.terms import DAY_MS

GONE_MAX = 100
"""How many of a heap's entries beyond half of them may be of those who have left."""
Open = tuple[str, str, str, int | None, int | None]
"""(kind, queue, channel, since_ms, due_ms): ``waiting``, ``handling`` ...; open since when, and
until when it is in time, where that is known."""
CALLED = ("waiting", "handling")
"""Kinds that every channel has, and ..."""
WRITTEN_KINDS = (*CALLED, "unanswered", "backlog")
"""... those of written ones: said at 0 too, so that a register is a function of what is open."""
DUE = frozenset(("waiting", "unanswered"))
"""Kinds that have a time to be in."""
AGES_MS = {f"{days}d": days * DAY_MS for days in (1, 3, 7, 30)}
"""Ages by which the backlog is told; ours."""
_AGED = "backlog"
_BORDERS_MS = tuple(AGES_MS.values())
Entry = tuple[str, str, str]
"""(Kind, contact, queue)."""


class Times:
    """Some entries, each with a time, and the earliest of them."""

    __slots__ = ("_heap", "of")

    def __init__(self) -> None:
        self.of: dict[Entry, int] = {}
        self._heap: list[tuple[int, Entry]] = []
        """All of them, and some that have left."""

    def enter(self, entry: Entry, time_ms: int) -> None:
        self.of[entry] = time_ms
        heappush(self._heap, (time_ms, entry))

    def leave(self, entry: Entry) -> None:
        self.of.pop(entry, None)
        if len(self._heap) > 2 * len(self.of) + GONE_MAX:
            self._heap = [(time_ms, entry) for entry, time_ms in self.of.items()]
            heapify(self._heap)

    def first(self) -> tuple[int, Entry] | None:
        """The earliest, None if there is none."""
        while self._heap:
            time_ms, entry = self._heap[0]
            if self.of.get(entry) == time_ms:
                return time_ms, entry
            heappop(self._heap)
        return None


class Standing:
    """What one cut has of one kind."""

    __slots__ = ("count", "older", "overdue", "since")

    def __init__(self) -> None:
        self.count = 0
        self.overdue = 0
        self.older = [0] * len(_BORDERS_MS)
        self.since = Times()


class ContactLevels:
    """What is open in one partition, by queue and by channel."""

    __slots__ = ("_ages", "_by_cut", "_channels", "_due", "_late", "_touched", "_turns")

    def __init__(self) -> None:
        self._by_cut: dict[CutKey, dict[str, Standing]] = {}
        self._touched: set[CutKey] = set()
        self._due = Times()
        """Who is in time, and until when."""
        self._late: set[Entry] = set()
        """Who is not."""
        self._channels: dict[Entry, str] = {}
        """Of those that are due at some time, or have an age."""
        self._turns = Times()
        """Who grows older than the next age, and when."""
        self._ages: dict[Entry, int] = {}
        """Than how many ages they are older."""

    def change(self, contact: str, old: Iterable[Open], new: Iterable[Open]) -> None:
        """What is open of a contact was ``old`` and is ``new``."""
        for found in old:
            self._leave(contact, found)
        for found in new:
            self._enter(contact, found)

    def _enter(self, contact: str, found: Open) -> None:
        kind, queue, channel, since_ms, due_ms = found
        entry = (kind, contact, queue)
        for standing in self._standing(kind, queue, channel):
            standing.count += 1
            if since_ms is not None:
                standing.since.enter(entry, since_ms)
        if due_ms is not None:
            self._due.enter(entry, due_ms)
            self._channels[entry] = channel
        if kind == _AGED and since_ms is not None:
            self._ages[entry] = 0
            self._turns.enter(entry, since_ms + _BORDERS_MS[0])
            self._channels[entry] = channel

    def _leave(self, contact: str, found: Open) -> None:
        kind, queue, channel, *_ = found
        entry = (kind, contact, queue)
        late, older = entry in self._late, self._ages.pop(entry, 0)
        for standing in self._standing(kind, queue, channel):
            standing.count -= 1
            standing.since.leave(entry)
            standing.overdue -= late
            for age in range(older):
                standing.older[age] -= 1
        self._late.discard(entry)
        if self._channels.pop(entry, None) is not None:
            self._due.leave(entry)
            self._turns.leave(entry)

    def _standing(self, kind: str, queue: str, channel: str) -> list[Standing]:
        """Of the queue and of the channel, which both change now."""
        found = []
        for cut in ((QUEUE.name, queue, channel), (CHANNEL.name, channel)):
            self._touched.add(cut)
            kinds = self._by_cut.setdefault(cut, {})
            standing = kinds.get(kind)
            if standing is None:
                standing = kinds[kind] = Standing()
            found.append(standing)
        return found

    def pass_time(self, now_ms: int) -> None:
        """Whose time is over before ``now_ms`` is overdue; others grow older."""
        self._grow_older(now_ms)
        while (first := self._due.first()) is not None and first[0] < now_ms:
            entry = first[1]
            self._due.leave(entry)
            self._late.add(entry)
            kind, _, queue = entry
            for standing in self._standing(kind, queue, self._channels[entry]):
                standing.overdue += 1

    def _grow_older(self, now_ms: int) -> None:
        while (first := self._turns.first()) is not None and first[0] < now_ms:
            at_ms, entry = first
            age = self._ages[entry]
            self._ages[entry] = age + 1
            self._turns.leave(entry)
            if age + 1 < len(_BORDERS_MS):
                self._turns.enter(entry, at_ms - _BORDERS_MS[age] + _BORDERS_MS[age + 1])
            kind, _, queue = entry
            for standing in self._standing(kind, queue, self._channels[entry]):
                standing.older[age] += 1

    def take_changed(self) -> list[tuple[CutKey, Amounts]]:
        """The registers touched since the last call, as they stand now."""
        taken = [(cut, self._values(cut)) for cut in self._touched]
        self._touched = set()
        return taken

    def _values(self, cut: CutKey) -> Amounts:
        values: Amounts = {}
        kinds = self._by_cut[cut]
        for kind in WRITTEN_KINDS if cut[-1] in WRITTEN else CALLED:
            standing = kinds.get(kind, _NOTHING)
            values[kind] = standing.count
            if kind in DUE:
                values[f"{kind}_overdue"] = standing.overdue
            if kind == _AGED:
                values |= {
                    f"{kind}_older_{a}": n for a, n in zip(AGES_MS, standing.older, strict=True)
                }
            first = standing.since.first()
            if first is not None:
                values[f"oldest_{kind}_ms"] = first[0]
        return values


_NOTHING = Standing()
