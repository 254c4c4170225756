"""Levels: who waits and who is being handled now, per queue.  Registers, not sums: the latest by
position counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from streams.core.measure import CHANNEL, QUEUE, Amounts, CutKey

GONE_MAX = 100
"""How many of a heap's entries beyond half of them may be of those who have left."""
Open = tuple[str, str, int | None]
"""(queue, channel, entered_ms while waiting, None while handled)."""


class Waiting:
    """Who waits since when, and since when the oldest does."""

    __slots__ = ("_ages", "since_ms")

    def __init__(self) -> None:
        self.since_ms: dict[str, int] = {}
        self._ages: list[tuple[int, str]] = []
        """A heap of all, and of some who wait no more."""

    def enter(self, name: str, entered_ms: int) -> None:
        self.since_ms[name] = entered_ms
        heappush(self._ages, (entered_ms, name))

    def leave(self, name: str) -> None:
        self.since_ms.pop(name, None)
        if len(self._ages) > 2 * len(self.since_ms) + GONE_MAX:
            self._ages = [(entered_ms, name) for name, entered_ms in self.since_ms.items()]
            heapify(self._ages)

    def oldest_ms(self) -> int:
        """Since when; somebody must wait."""
        entered_ms, name = self._ages[0]
        while self.since_ms.get(name) != entered_ms:
            heappop(self._ages)
            entered_ms, name = self._ages[0]
        return entered_ms


class ContactLevels:
    """The open visits of one partition, by queue and by channel."""

    __slots__ = ("_handling", "_touched", "_waiting")

    def __init__(self) -> None:
        self._waiting: dict[CutKey, Waiting] = {}
        self._handling: Counter[CutKey] = Counter()
        self._touched: set[CutKey] = set()

    def change(self, contact: str, old: Iterable[Open], new: Iterable[Open]) -> None:
        """The open visits of a contact were ``old`` and are ``new``."""
        for visit in old:
            self._move(contact, visit, -1)
        for visit in new:
            self._move(contact, visit, 1)

    def _move(self, contact: str, visit: Open, sign: int) -> None:
        queue, channel, entered_ms = visit
        for cut in ((QUEUE.name, queue, channel), (CHANNEL.name, channel)):
            self._touched.add(cut)
            if entered_ms is None:
                self._handling[cut] += sign
            elif sign > 0:
                self._at(cut).enter(f"{contact}\n{queue}", entered_ms)
            else:
                self._at(cut).leave(f"{contact}\n{queue}")

    def _at(self, cut: CutKey) -> Waiting:
        waiting = self._waiting.get(cut)
        if waiting is None:
            waiting = self._waiting[cut] = Waiting()
        return waiting

    def take_changed(self) -> list[tuple[CutKey, Amounts]]:
        """The registers touched since the last call, as they stand now."""
        taken = [(cut, self._values(cut)) for cut in self._touched]
        self._touched = set()
        return taken

    def _values(self, cut: CutKey) -> Amounts:
        waiting = self._waiting.get(cut)
        count = len(waiting.since_ms) if waiting else 0
        values = {"waiting": count, "handling": self._handling[cut]}
        if waiting and count:
            values["oldest_entered_ms"] = waiting.oldest_ms()
        else:
            self._waiting.pop(cut, None)
        return values
