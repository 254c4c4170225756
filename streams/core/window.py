"""Windows: spans of time, and the running sum of one cut key over one span.

Spans are half-open and in integer ms.  A minute lies in exactly one quarter of an hour, one hour
and one day; hours and days are local to the queue's zone, those of cuts without a queue to the
default zone.  A minute also lies in the rolling windows of the minutes that follow; those are
summed up anew when they are wanted, because each minute they are different ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from streams.core.calendar import QUARTER_MS, day_at
from streams.core.measure import Amounts, Cut, CutKey
from streams.core.plan import ALL, Plan
from streams.core.terms import MINUTE_MS, Terms

FIXED = ("quarter_hour", "hour", "day")
ROLLING = (("rolling_5m", 5), ("rolling_30m", 30), ("rolling_60m", 60))
"""Kind and length in minutes, the shortest first."""
ROLLING_MINUTES_MAX = ROLLING[-1][1]


class Span(NamedTuple):
    """``[start_ms, end_ms)``; ``zone`` is whose clock cut it out."""

    kind: str
    start_ms: int
    end_ms: int
    zone: str = "UTC"


_NONE: Mapping[int, int] = {}
NOW_SPAN = Span("now", 0, 0)
"""A level has no span: its times are not used."""


class Windows:
    """Which windows a minute of a cut lies in.

    A queue's zone is the one in force at the start of the quarter.  It should change at a local
    midnight: else one day is two windows, one in each zone.
    """

    __slots__ = ("_queue_at", "_terms")

    def __init__(self, terms: Terms, cuts: Iterable[Cut]) -> None:
        self._terms = terms
        self._queue_at = {
            cut.name: 1 + cut.dimensions.index("queue") for cut in cuts if "queue" in cut.dimensions
        }

    def zone(self, cut: CutKey, time_ms: int) -> str:
        """The zone of the cut's queue at ``time_ms``, or the default one."""
        at = self._queue_at.get(cut[0])
        terms = self._terms.default if at is None else self._terms.at(cut[at], time_ms)
        return terms.zone

    def of(self, cut: CutKey, minute: int) -> tuple[Span, ...]:
        """The quarter of an hour, the hour and the day that ``minute`` (since the epoch) lies in.

        >>> [s.kind for s in Windows(Terms(), ()).of(("channel", "voice"), 29_000_000)]
        ['quarter_hour', 'hour', 'day']
        """
        quarter = minute * MINUTE_MS // QUARTER_MS * QUARTER_MS
        return spans_at(self.zone(cut, quarter), quarter)


@lru_cache(65_536)
def spans_at(zone: str, quarter_ms: int) -> tuple[Span, ...]:
    """The fixed windows of ``zone`` that the quarter of an hour from ``quarter_ms`` on is in."""
    day = day_at(zone, quarter_ms)
    hour = day.hour_at(quarter_ms)
    return (
        Span("quarter_hour", quarter_ms, quarter_ms + QUARTER_MS, zone),
        Span("hour", hour.start_ms, hour.end_ms, zone),
        Span("day", day.start_ms, day.end_ms, zone),
    )


def local_hour(span: Span) -> int:
    """The hour of the local day, 0 to 23, that a window of kind ``hour`` is."""
    return day_at(span.zone, span.start_ms).hour_at(span.start_ms).hour


class Window:
    """The running sum of one cut key over one span, and what was last said about it.

    ``revision`` is the highest version of its cells, ``mark_ms`` the highest mark at which one of
    them changed, and so is ``matured`` (see ``Cell``).  ``changed`` and ``published`` are sets of
    KPIs (see ``Plan``): those that read an amount changed since they were said, and those that
    stand in the topic.  ``words`` are those last said (see ``result.Words``), None if none were.
    ``state`` is what the window is to /metrics, and ``alive`` until the floor has passed its start.
    """

    __slots__ = (
        "alive",
        "changed",
        "cut",
        "key",
        "mark_ms",
        "matured",
        "plan",
        "published",
        "revision",
        "span",
        "state",
        "sums",
        "words",
    )

    def __init__(
        self, cut: CutKey, key: Mapping[str, str], plan: Plan, span: Span, state: str = ""
    ) -> None:
        self.cut = cut
        self.key = key
        self.plan = plan
        self.span = span
        self.state = state
        self.sums: Amounts = {}
        self.revision = -1
        self.mark_ms = -1
        self.changed = 0
        self.published = 0
        self.words: tuple[int, int] | None = None
        self.alive = True
        self.matured: dict[int, int] = {}

    def add(
        self, changes: Amounts, revision: int, mark_ms: int, matured: Mapping[int, int] = _NONE
    ) -> None:
        """Some of the cells have changed by ``changes``, or one is first met with that total."""
        add(self.sums, changes)
        if revision > self.revision:
            self.revision = revision
        if mark_ms > self.mark_ms:
            self.mark_ms = mark_ms
        if matured:
            _mature(self.matured, matured)

    def forget(self) -> None:
        """What was said of this window is not known any more: say all of it again, and take back
        what is undefined, for it may stand in the topic."""
        self.words = None
        self.published = ALL


class Quarter:
    """The fixed windows that the minutes of a quarter of an hour of one cut key are in.

    What changes in its cells is added up here and told to the windows together, when somebody wants
    to know them: each of three windows every time would cost most of what a partial does.
    """

    __slots__ = ("_changed", "_mark_ms", "_matured", "_revision", "_sums", "windows")

    def __init__(self, windows: tuple[Window, ...]) -> None:
        self.windows = windows
        self._forget()

    def _forget(self) -> None:
        self._sums: Amounts = {}
        self._revision = -1
        self._mark_ms = -1
        self._matured: dict[int, int] = {}
        self._changed = 0

    def add(
        self, changes: Amounts, revision: int, mark_ms: int, matured: Mapping[int, int], kpis: int
    ) -> None:
        """As ``Window.add``, which may be later; ``kpis`` are those that read the changes."""
        add(self._sums, changes)
        self._revision = max(self._revision, revision)
        self._mark_ms = max(self._mark_ms, mark_ms)
        if matured:
            _mature(self._matured, matured)
        self._changed |= kpis

    def settle(self) -> None:
        """Tell the windows, but those that have ended."""
        for window in self.windows:
            if window.alive:
                window.add(self._sums, self._revision, self._mark_ms, self._matured)
                window.changed |= self._changed
        self._forget()


def add(sums: Amounts, changes: Amounts) -> None:
    """Add ``changes`` to ``sums``."""
    if not sums:
        sums.update(changes)
        return
    get = sums.get
    for name, change in changes.items():
        sums[name] = get(name, 0) + change


def _mature(known: dict[int, int], matured: Mapping[int, int]) -> None:
    for matures_ms, at_ms in matured.items():
        known[matures_ms] = max(at_ms, known.get(matures_ms, -1))


def start_of(window: Window) -> int:
    """What windows of one kind are ordered by."""
    return window.span.start_ms
