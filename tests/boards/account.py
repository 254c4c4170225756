"""What a partials topic means, computed the dumbest way, from the topic alone."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from streams.core.kpi import Value
from streams.core.measure import Amounts, CutKey
from streams.core.partials import Mark, Partial, Register
from streams.core.plan import evaluate
from streams.core.terms import MINUTE_MS
from streams.core.window import FIXED
from tests.boards.definitions import CUTS, GRACE_MS, SUMMED, ZONES
from tests.boards.topics import Message


@dataclass
class Account:
    """Everything a topic says, by going over all of it again for each record.

    ``totals``: (cut, minute) -> amounts other than 0; ``versions`` and ``stamps``: the offset of
    the last share that was news to the cell; ``stamps``: the mark when an amount changed last that
    KPIs of that maturity read.
    """

    topic: Sequence[Message]
    origins: int = 3
    keep_ms: int = 0
    totals: dict[tuple[CutKey, int], Amounts] = field(default_factory=dict)
    versions: dict[tuple[CutKey, int], int] = field(default_factory=dict)
    stamps: dict[tuple[CutKey, int, int], int] = field(default_factory=dict)
    mark_ms: int = -1
    floor: int = 0
    late: set[int] = field(default_factory=set)
    """Offsets of partials for minutes below the floor."""

    def __post_init__(self) -> None:
        shares: dict[tuple[str, int, CutKey, int], Partial] = {}
        marks: dict[str, int] = {}
        for offset, message in enumerate(self.topic):
            if isinstance(message, Mark):
                marks[message.origin] = max(message.mark_ms, marks.get(message.origin, -1))
                if len(marks) == self.origins:
                    self.mark_ms = min(marks.values())
                if self.keep_ms and self.mark_ms >= 0:
                    self.floor = max(self.floor, (self.mark_ms - self.keep_ms) // MINUTE_MS)
            elif isinstance(message, Partial) and message.minute < self.floor:
                self.late.add(offset)
            elif isinstance(message, Partial):
                key = (message.origin, message.segment, message.cut, message.minute)
                if key not in shares or message.position > shares[key].position:
                    shares[key] = message
                    self._recount(shares, (message.cut, message.minute), offset)
        self.totals = {at: t for at, t in self.totals.items() if at[1] >= self.floor}

    def _recount(self, shares: dict[Any, Partial], at: tuple[CutKey, int], offset: int) -> None:
        total: Amounts = defaultdict(int)
        for share in shares.values():
            if (share.cut, share.minute) == at:
                for name, amount in share.amounts.items():
                    total[name] += amount
        before = self.totals.get(at, {})
        self.totals[at] = {name: amount for name, amount in total.items() if amount}
        for one in SUMMED:
            changed = any(total[name] != before.get(name, 0) for name in one.formula.reads())
            if changed or at not in self.versions:
                self.stamps[*at, one.matures_ms] = self.mark_ms
        self.versions[at] = offset

    def windows(self) -> Iterator[tuple[CutKey, str, int, list[int]]]:
        """(cut, kind, start, minutes) of every window that can be said."""
        by_window: dict[tuple[CutKey, str, int], list[int]] = defaultdict(list)
        for cut, minute in self.totals:
            for kind, start in starts(ZONES[cut], minute):
                by_window[cut, kind, start].append(minute)
        for (cut, kind, start), minutes in by_window.items():
            if start >= self.floor * MINUTE_MS:
                yield cut, kind, start, minutes

    def said(self) -> dict[str, tuple[Any, str]]:
        """Result key -> (value, status) of every fixed window that has a value."""
        said = {}
        for cut, kind, start, minutes in self.windows():
            for one in SUMMED:
                due = end_of(ZONES[cut], kind, start) + GRACE_MS + one.matures_ms
                changed = max(self.stamps[cut, m, one.matures_ms] for m in minutes)
                status = "provisional"
                if self.mark_ms >= due:
                    status = "corrected" if changed >= due else "final"
                value = evaluate(one, self.sum(cut, minutes), -1)
                if value is not None and kind in one.windows:
                    said[json.dumps([one.name, *cut, kind, start])] = (plain(value), status)
        return said

    def rolling(self) -> dict[str, Any]:
        """Result key -> value of every rolling window."""
        said: dict[str, Any] = {}
        if self.mark_ms < 0:
            return said
        now = self.mark_ms // MINUTE_MS
        for cut in CUTS:
            if any(now - 60 <= m < now for c, m in self.totals if c == cut):
                for length in (5, 30, 60):
                    minutes = [m for c, m in self.totals if c == cut and now - length <= m < now]
                    for one in (k for k in SUMMED if f"rolling_{length}m" in k.windows):
                        value = evaluate(one, self.sum(cut, minutes), -1)
                        if value is not None:
                            said[json.dumps([one.name, *cut, f"rolling_{length}m"])] = plain(value)
        return said

    def levels(self) -> dict[str, Any]:
        """Result key -> value of every level."""
        latest: dict[tuple[CutKey, str], Register] = {}
        for message in self.topic:
            if isinstance(message, Register):
                known = latest.get((message.cut, message.origin))
                if known is None or message.position > known.position:
                    latest[message.cut, message.origin] = message
        said: dict[str, Any] = {}
        for cut in CUTS:
            mine = [r.values for (c, _), r in latest.items() if c == cut]
            if mine:
                said[json.dumps(["waiting", *cut, "now"])] = sum(v["waiting"] for v in mine)
            since = [v["oldest_ms"] for v in mine if "oldest_ms" in v]
            if since and self.mark_ms >= 0:
                age = max(0, self.mark_ms - min(since)) / 1000
                said[json.dumps(["longest", *cut, "now"])] = age
        return said

    def sum(self, cut: CutKey, minutes: Sequence[int]) -> Amounts:
        total: Amounts = defaultdict(int)
        for minute in minutes:
            for name, amount in self.totals[cut, minute].items():
                total[name] += amount
        return total


def plain(value: Value) -> list[Any]:
    """A value as it comes out of JSON."""
    return list(json.loads(json.dumps(value)))


def starts(zone: str, minute: int) -> list[tuple[str, int]]:
    """Where the fixed windows of a minute begin, found by walking back minute by minute."""
    return [(kind, walk_back(zone, kind, minute)) for kind in FIXED]


def names(zone: str, kind: str, minute: int) -> Any:
    """What all minutes of one window have in common."""
    local = datetime.fromtimestamp(minute * 60, ZoneInfo(zone))
    if kind == "quarter_hour":
        return minute // 15
    return local.date() if kind == "day" else (local.date(), local.hour, local.utcoffset())


@lru_cache(None)
def walk_back(zone: str, kind: str, minute: int) -> int:
    first = minute
    while names(zone, kind, first - 1) == names(zone, kind, minute):
        first -= 1
    return first * MINUTE_MS


@lru_cache(None)
def end_of(zone: str, kind: str, start_ms: int) -> int:
    first = last = start_ms // MINUTE_MS
    while names(zone, kind, last) == names(zone, kind, first):
        last += 1
    return last * MINUTE_MS
