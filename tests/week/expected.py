"""What must stand in the KPI topics, from facts known to be true: for every KPI, key and window.

The dumbest way: each fact is looked at for each measure, each sum is made for each window.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from streams.core.facts import Fact
from streams.core.kpi import Evaluate, Kpi, Level, Oldest, Value
from streams.core.measure import CutKey, Measure
from streams.core.terms import Terms
from streams.kpis import ALL_KPIS, ALL_MEASURES

MINUTE_MS = 60_000
QUARTER_MS = 15 * MINUTE_MS
Name = tuple[str, CutKey, str, int]
"""(KPI, cut key, kind of window, its start)."""
Amounts = dict[str, int]


def added(measure: Measure, fact: Any, terms: Terms) -> tuple[str, int] | None:
    """What the fact adds to the measure."""
    if not all(condition(fact, terms) for condition in measure.where):
        return None
    if measure.value is None:
        return measure.name, 1
    value = getattr(fact, measure.value)
    if value is None:
        return None
    if measure.bounds_ms:
        return f"{measure.name}:{bisect_left(measure.bounds_ms, value)}", 1
    return measure.name, value


def minutes(facts: Iterable[Fact], terms: Terms) -> dict[tuple[CutKey, int], Amounts]:
    by_kind: dict[type, list[Measure]] = defaultdict(list)
    for measure in ALL_MEASURES:
        by_kind[measure.fact].append(measure)
    cells: dict[tuple[CutKey, int], Amounts] = defaultdict(lambda: defaultdict(int))
    for fact in facts:
        for measure in by_kind[type(fact)]:
            amount = added(measure, fact, terms)
            if amount is None:
                continue
            for cut in measure.cuts:
                key = (cut.name, *(getattr(fact, name) for name in cut.dimensions))
                if None not in key:
                    minute = getattr(fact, measure.at) // MINUTE_MS
                    cells[key, minute][amount[0]] += amount[1]
    return cells


@lru_cache(100_000)
def starts(zone: str, quarter: int) -> tuple[tuple[str, int], ...]:
    """(Kind, start) of the windows that a quarter of an hour lies in, by looking back."""
    tz = ZoneInfo(zone)
    at = datetime.fromtimestamp(quarter * 900, tz)
    hour = quarter
    while _hour(tz, hour - 1) == _hour(tz, quarter):
        hour -= 1
    midnight = datetime.combine(at.date(), datetime.min.time(), tz)
    return (
        ("quarter_hour", quarter * QUARTER_MS),
        ("hour", hour * QUARTER_MS),
        ("day", round(midnight.timestamp() * 1000)),
    )


def _hour(tz: ZoneInfo, quarter: int) -> tuple[object, int, timedelta | None]:
    at = datetime.fromtimestamp(quarter * 900, tz)
    return at.date(), at.hour, at.utcoffset()


def results(facts: Iterable[Fact], terms: Terms) -> Iterator[tuple[Name, Value]]:
    """Every value that is defined, of windows of the clock."""
    windows: dict[tuple[CutKey, str, int], Amounts] = defaultdict(lambda: defaultdict(int))
    for (key, minute), amounts in minutes(facts, terms).items():
        for kind, start in starts(terms.default.zone, minute // 15):
            for name, amount in amounts.items():
                windows[key, kind, start][name] += amount
    by_cut: dict[str, list[tuple[Kpi, Evaluate]]] = defaultdict(list)
    for kpi in ALL_KPIS:
        for cut in kpi.cuts:
            if not isinstance(kpi.formula, Level | Oldest):
                by_cut[cut.name].append((kpi, kpi.formula.compiled()))
    for (key, kind, start), amounts in windows.items():
        for kpi, evaluate in by_cut[key[0]]:
            if kind in kpi.windows:
                value = evaluate(amounts, -1)
                if value is not None:
                    yield (kpi.name, key, kind, start), value
