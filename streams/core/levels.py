"""Levels: who waits and who is being handled now, per queue.  Registers, not sums: the latest by
position counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from streams.core.measure import CHANNEL, QUEUE, Amounts, CutKey

Open = tuple[str, str, int | None]
"""(queue, channel, entered_ms while waiting, None while handled)."""


class ContactLevels:
    """The open visits of one partition, by queue and by channel."""

    __slots__ = ("_handling", "_touched", "_waiting")

    def __init__(self) -> None:
        self._waiting: dict[CutKey, dict[str, int]] = {}
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
                self._waiting.setdefault(cut, {})[f"{contact}\n{queue}"] = entered_ms
            else:
                self._waiting[cut].pop(f"{contact}\n{queue}", None)

    def take_changed(self) -> list[tuple[CutKey, Amounts]]:
        """The registers touched since the last call, as they stand now."""
        taken = [(cut, self._values(cut)) for cut in self._touched]
        self._touched = set()
        return taken

    def _values(self, cut: CutKey) -> Amounts:
        waiting = self._waiting.get(cut)
        values = {"waiting": len(waiting) if waiting else 0, "handling": self._handling[cut]}
        if waiting:
            values["oldest_entered_ms"] = min(waiting.values())
        else:
            self._waiting.pop(cut, None)
        return values
