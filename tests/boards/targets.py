"""Targets over the KPIs of ``definitions``, and what they come to, computed the dumbest way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from streams.core.breach import Event, Sample, Standing, judged
from streams.core.judging import LOOKS_MAX
from streams.core.kpi import Kpi, Value
from streams.core.measure import CutKey
from streams.core.plan import evaluate
from streams.core.target import Limits, Since, Target
from streams.core.terms import MINUTE_MS
from streams.core.window import FIXED, NOW_SPAN, Span
from tests.boards.account import Account, end_of
from tests.boards.definitions import CUTS, GRACE_MS, KPIS, START_MS, ZONES
from tests.boards.topics import Message

KPI: dict[str, Kpi] = {kpi.name: kpi for kpi in KPIS}
LATER_MS = START_MS + 30 * MINUTE_MS
"""When the dated target changes."""


def target(name: str, kpi: str, window: str, limits: Limits, **known: Any) -> Target:
    dated = known.pop("dated", (Since(0, limits),))
    return Target(name, KPI[kpi], window, known.pop("at_least", True), dated, **known)


TARGETS = (
    target("level", "level", "rolling_5m", Limits(0.6, 0.9, 0.8, volume_min=2)),
    target("channel", "level", "rolling_30m", Limits(0.5, 0.6, breach_after=2), cut="channel"),
    target("quarter", "offered", "quarter_hour", Limits(3, 3), queues=("A",)),
    target("hour", "missed", "hour", Limits(1, 0, 0), at_least=False),
    target("day", "level", "day", Limits(0.7, 0.7), channel="voice"),
    target("waiting", "waiting", "now", Limits(1, 0, clear_after=2), at_least=False),
    target("longest", "longest", "now", Limits(300, 60, 120), at_least=False),
    target(
        "dated", "offered", "rolling_60m", Limits(0, 0),
        dated=(Since(0, Limits(2, 4)), Since(LATER_MS, Limits(5, 7))),
    ),
)  # fmt: skip


class Judged(NamedTuple):
    """An event as a reader sees it: what tells it from others, and what it says."""

    key: str
    revision: int
    since_ms: int
    says: tuple[str, str, float, float]


def expected(topic: Sequence[Message], keep_ms: int = 0) -> list[Judged]:
    """Everything a topic means: at each turn of the mark's minute, the values of an account of all
    there was up to it."""
    standing: dict[tuple[str, CutKey], Standing] = {}
    events, was = [], -1
    for at in range(len(topic)):
        minute = _mark_ms(topic[: at + 1]) // MINUTE_MS
        if minute == was:
            continue
        before = Account(topic[:at], keep_ms=keep_ms)  # whole: what this mark drops is judged first
        account = Account(topic[: at + 1], keep_ms=keep_ms)
        for one in TARGETS:
            for cut in CUTS:
                for sample in _samples(one, cut, before, account.mark_ms, (was, at)):
                    now = standing.get((one.name, cut), Standing())
                    standing[one.name, cut], event = judged(one, now, sample)
                    if event is not None:
                        events.append(_judged(one, cut, event))
        was = minute
    return events


def _mark_ms(topic: Sequence[Message]) -> int:
    return Account([m for m in topic if type(m).__name__ == "Mark"]).mark_ms


def _samples(
    one: Target, cut: CutKey, seen: Account, mark_ms: int, turn: tuple[int, int]
) -> Iterator[Sample]:
    was, offset = turn
    if cut[0] != one.cut or (one.queues and cut[1] not in one.queues):
        return
    for span, value in _values(one, cut, seen, was, mark_ms):
        at_ms = mark_ms if span is NOW_SPAN else span.end_ms
        yield Sample(span, value, at_ms, mark_ms, offset)


def _values(
    one: Target, cut: CutKey, seen: Account, was: int, mark_ms: int
) -> list[tuple[Span, Value | None]]:
    minute = mark_ms // MINUTE_MS
    if one.window == "now":
        return [(NOW_SPAN, _level(one.kpi, cut, seen, mark_ms))]
    if one.window in FIXED:
        found = [
            (Span(one.window, start, end), evaluate(one.kpi, seen.sum(cut, minutes), -1))
            for c, kind, start, minutes in seen.windows()
            if (c, kind) == (cut, one.window)
            for end in [end_of(ZONES[cut], kind, start)]
            if was * MINUTE_MS < end + GRACE_MS <= minute * MINUTE_MS
        ]
        return sorted(found, key=lambda row: row[0].start_ms)[-LOOKS_MAX:]
    length = int(one.window[8:-1])
    rolled = []
    for end in range(max(was + 1, minute + 1 - LOOKS_MAX), minute + 1):
        if any(end - 60 <= m < end for c, m in seen.totals if c == cut):
            minutes = [m for c, m in seen.totals if c == cut and end - length <= m < end]
            span = Span(one.window, (end - length) * MINUTE_MS, end * MINUTE_MS)
            rolled.append((span, evaluate(one.kpi, seen.sum(cut, minutes), -1)))
    return rolled


def _level(kpi: Kpi, cut: CutKey, seen: Account, mark_ms: int) -> Value | None:
    seen.mark_ms = mark_ms
    value = seen.levels().get(json.dumps([kpi.name, *cut, "now"]))
    return None if value is None else Value(value, value)


def _judged(one: Target, cut: CutKey, event: Event) -> Judged:
    sample, value = event.sample, event.sample.value
    assert value is not None
    key = json.dumps([one.name, *cut])
    return Judged(
        key,
        sample.revision,
        sample.at_ms,
        (event.what, event.state, value.value, event.limits.value),
    )
