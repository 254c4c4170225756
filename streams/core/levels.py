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
Entry = tuple[str, str, str, str]
"""(Kind, contact, queue, channel)."""


class Times:
    """The earliest of some entries' times.  ``of`` has the times of the entries that are there."""

    __slots__ = ("_heap", "_of")

    def __init__(self, of: dict[Entry, int]) -> None:
        self._of = of
        self._heap: list[tuple[int, Entry]] = []
        """All of them, and some that have left."""

    def enter(self, timed: tuple[int, Entry]) -> None:
        """Its time is in ``of``."""
        heappush(self._heap, timed)

    def trim(self, count: int) -> None:
        """Forget those who have left, if they are many more than the ``count`` who are there."""
        if len(self._heap) > 2 * count + GONE_MAX:
            of = self._of
            self._heap = list({timed for timed in self._heap if of.get(timed[1]) == timed[0]})
            heapify(self._heap)

    def first(self) -> tuple[int, Entry] | None:
        """The earliest, None if there is none."""
        while self._heap:
            first = self._heap[0]
            if self._of.get(first[1]) == first[0]:
                return first
            heappop(self._heap)
        return None


class Standing:
    """What one cut has of one kind."""

    __slots__ = ("count", "cut", "older", "overdue", "since")

    def __init__(self, cut: CutKey, since_of: dict[Entry, int]) -> None:
        self.cut = cut
        self.count = 0
        self.overdue = 0
        self.older = [0] * len(_BORDERS_MS)
        self.since = Times(since_of)


class ContactLevels:
    """What is open in one partition, by queue and by channel."""

    __slots__ = (
        "_ages",
        "_by_cut",
        "_due",
        "_due_of",
        "_late",
        "_pairs",
        "_since_of",
        "_touched",
        "_turns",
        "_turns_of",
    )

    def __init__(self) -> None:
        self._by_cut: dict[CutKey, dict[str, Standing]] = {}
        self._pairs: dict[tuple[str, str, str], tuple[Standing, Standing]] = {}
        """(Kind, queue, channel) -> what the queue and the channel have of it."""
        self._touched: set[CutKey] = set()
        self._since_of: dict[Entry, int] = {}
        """Since when who is open is."""
        self._due_of: dict[Entry, int] = {}
        """Who is in time, and until when."""
        self._due = Times(self._due_of)
        self._late: set[Entry] = set()
        """Who is not."""
        self._turns_of: dict[Entry, int] = {}
        """Who grows older than the next age, and when."""
        self._turns = Times(self._turns_of)
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
        by_queue, by_channel = self._standing(kind, queue, channel)
        by_queue.count += 1
        by_channel.count += 1
        if since_ms is None and due_ms is None:
            return
        entry = (kind, contact, queue, channel)
        if since_ms is not None:
            self._since_of[entry] = since_ms
            timed = (since_ms, entry)
            by_queue.since.enter(timed)
            by_channel.since.enter(timed)
        if due_ms is not None:
            self._due_of[entry] = due_ms
            self._due.enter((due_ms, entry))
        if kind == _AGED and since_ms is not None:
            self._ages[entry] = 0
            self._turn(entry, since_ms + _BORDERS_MS[0])

    def _leave(self, contact: str, found: Open) -> None:
        kind, queue, channel, since_ms, due_ms = found
        by_queue, by_channel = self._standing(kind, queue, channel)
        by_queue.count -= 1
        by_channel.count -= 1
        if since_ms is None and due_ms is None:
            return
        entry = (kind, contact, queue, channel)
        if self._since_of.pop(entry, None) is not None:
            by_queue.since.trim(by_queue.count)
            by_channel.since.trim(by_channel.count)
        if entry in self._late:
            self._late.discard(entry)
            by_queue.overdue -= 1
            by_channel.overdue -= 1
        if self._due_of.pop(entry, None) is not None:
            self._due.trim(len(self._due_of))
        if kind == _AGED:
            for age in range(self._ages.pop(entry, 0)):
                by_queue.older[age] -= 1
                by_channel.older[age] -= 1
            self._turns_of.pop(entry, None)
            self._turns.trim(len(self._turns_of))

    def _turn(self, entry: Entry, at_ms: int) -> None:
        self._turns_of[entry] = at_ms
        self._turns.enter((at_ms, entry))

    def _standing(self, kind: str, queue: str, channel: str) -> tuple[Standing, Standing]:
        """Of the queue and of the channel, which both change now."""
        pair = self._pairs.get((kind, queue, channel))
        if pair is None:
            pair = self._pairs[kind, queue, channel] = (
                self._of(kind, (QUEUE.name, queue, channel)),
                self._of(kind, (CHANNEL.name, channel)),
            )
        self._touched.add(pair[0].cut)
        self._touched.add(pair[1].cut)
        return pair

    def _of(self, kind: str, cut: CutKey) -> Standing:
        kinds = self._by_cut.setdefault(cut, {})
        standing = kinds.get(kind)
        if standing is None:
            standing = kinds[kind] = Standing(cut, self._since_of)
        return standing

    def pass_time(self, now_ms: int) -> None:
        """Whose time is over before ``now_ms`` is overdue; others grow older."""
        self._grow_older(now_ms)
        while (first := self._due.first()) is not None and first[0] < now_ms:
            entry = first[1]
            del self._due_of[entry]
            self._late.add(entry)
            kind, _, queue, channel = entry
            for standing in self._standing(kind, queue, channel):
                standing.overdue += 1

    def _grow_older(self, now_ms: int) -> None:
        while (first := self._turns.first()) is not None and first[0] < now_ms:
            at_ms, entry = first
            age = self._ages[entry]
            self._ages[entry] = age + 1
            del self._turns_of[entry]
            if age + 1 < len(_BORDERS_MS):
                self._turn(entry, at_ms - _BORDERS_MS[age] + _BORDERS_MS[age + 1])
            kind, _, queue, channel = entry
            for standing in self._standing(kind, queue, channel):
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


_NOTHING = Standing((), {})
