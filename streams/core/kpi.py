"""A KPI is data: a formula over measures, its cuts, its windows, its unit, its names.

One file of ``streams/kpis`` holds one family and exports ``MEASURES`` and ``KPIS``.  Where vendors
differ, every variant has a name of its own; there is no bare "service level".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from streams.core.measure import QUEUE_AND_CHANNEL, Amounts, Cut, Measure, bucket_names

Number = int | float
WINDOWS = ("quarter_hour", "hour", "day", "rolling_5m", "rolling_30m", "rolling_60m")
NOW = ("now",)
"""The only window of a level: a state, not a sum."""


class Value(NamedTuple):
    """A KPI's value with what it was made of.  ``buckets`` only for distributions: ``(upper bound
    in s, count)``."""

    value: Number
    numerator: Number | None = None
    denominator: Number | None = None
    buckets: tuple[tuple[float | None, int], ...] | None = None


Evaluate = Callable[[Amounts, int], Value | None]
"""``(amounts, mark_ms)`` -> the value, None if it is undefined; the mark is for ages alone.  A
formula is ``compiled`` into one: a board evaluates it a million times."""


def _reads(*parts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(term.lstrip("-") for part in parts for term in part)


def linear(terms: tuple[str, ...], amounts: Amounts) -> int:
    """The sum of the named amounts; a name with a leading ``-`` is subtracted.

    >>> linear(("answered", "-late"), {"answered": 5, "late": 2})
    3
    """
    return _linear(terms)(amounts)


def _linear(terms: tuple[str, ...]) -> Callable[[Amounts], int]:
    if len(terms) == 1 and not terms[0].startswith("-"):  # nearly all of them, and often asked
        (name,) = terms
        return lambda amounts: amounts.get(name, 0)
    signed = [(term.lstrip("-"), -1 if term.startswith("-") else 1) for term in terms]
    return lambda amounts: sum(sign * amounts.get(name, 0) for name, sign in signed)


class Count(NamedTuple):
    """How many; 0 is a value."""

    of: tuple[str, ...]

    def reads(self) -> frozenset[str]:
        return _reads(self.of)

    def compiled(self) -> Evaluate:
        count = _linear(self.of)

        def evaluate(amounts: Amounts, mark_ms: int) -> Value | None:
            total = count(amounts)
            return Value(total, total)

        return evaluate


class Ratio(NamedTuple):
    """A share between 0 and 1.  Nothing below the line: no value, never 0 or 1."""

    over: tuple[str, ...]
    under: tuple[str, ...]

    def reads(self) -> frozenset[str]:
        return _reads(self.over, self.under)

    def compiled(self) -> Evaluate:
        above, below = _linear(self.over), _linear(self.under)

        def evaluate(amounts: Amounts, mark_ms: int) -> Value | None:
            under = below(amounts)
            if under <= 0:
                return None
            over = above(amounts)
            return Value(over / under, over, under)

        return evaluate


def seconds(ms: int) -> Number:
    """Milliseconds as seconds, whole where they are whole."""
    return ms // 1000 if ms % 1000 == 0 else ms / 1000


class Total(NamedTuple):
    """A sum of durations in seconds; 0 is a value."""

    total_ms: tuple[str, ...]

    def reads(self) -> frozenset[str]:
        return _reads(self.total_ms)

    def compiled(self) -> Evaluate:
        summed = _linear(self.total_ms)

        def evaluate(amounts: Amounts, mark_ms: int) -> Value | None:
            total = seconds(summed(amounts))
            return Value(total, total)

        return evaluate


class Mean(NamedTuple):
    """A mean duration in seconds: a sum of milliseconds over a count."""

    total_ms: tuple[str, ...]
    per: tuple[str, ...]

    def reads(self) -> frozenset[str]:
        return _reads(self.total_ms, self.per)

    def compiled(self) -> Evaluate:
        summed, counted = _linear(self.total_ms), _linear(self.per)

        def evaluate(amounts: Amounts, mark_ms: int) -> Value | None:
            count = counted(amounts)
            if count <= 0:
                return None
            total = summed(amounts)
            return Value(total / 1000 / count, seconds(total), count)

        return evaluate


class Average(NamedTuple):
    """A mean of something that is no duration (a score, contacts per customer), or a difference of
    shares: ``times * over / (under * divisor)``."""

    over: tuple[str, ...]
    under: tuple[str, ...]
    divisor: int = 1
    times: int = 1

    def reads(self) -> frozenset[str]:
        return _reads(self.over, self.under)

    def compiled(self) -> Evaluate:
        above, below = _linear(self.over), _linear(self.under)
        times, divisor = self.times, self.divisor

        def evaluate(amounts: Amounts, mark_ms: int) -> Value | None:
            under = below(amounts)
            if under <= 0:
                return None
            over = above(amounts)
            return Value(times * over / (under * divisor), over, under)

        return evaluate


class Distribution(NamedTuple):
    """How many in each bucket; the value is how many in all."""

    histogram: Measure

    def reads(self) -> frozenset[str]:
        return frozenset(bucket_names(self.histogram))

    def compiled(self) -> Evaluate:
        names = bucket_names(self.histogram)
        bounds = (*(ms / 1000 for ms in self.histogram.bounds_ms), None)

        def evaluate(amounts: Amounts, mark_ms: int) -> Value | None:
            if amounts.keys().isdisjoint(names):
                return None
            counts = [amounts.get(name, 0) for name in names]
            total = sum(counts)
            if total <= 0:
                return None
            return Value(total, total, None, tuple(zip(bounds, counts, strict=True)))

        return evaluate


class Quantile(NamedTuple):
    """The upper bound in seconds of the bucket that holds the quantile; beyond the last bound there
    is no value."""

    histogram: Measure
    quantile: float

    def reads(self) -> frozenset[str]:
        return frozenset(bucket_names(self.histogram))

    def compiled(self) -> Evaluate:
        names, quantile = bucket_names(self.histogram), self.quantile
        bounds = [ms / 1000 for ms in self.histogram.bounds_ms]

        def evaluate(amounts: Amounts, mark_ms: int) -> Value | None:
            if amounts.keys().isdisjoint(names):
                return None
            counts = [amounts.get(name, 0) for name in names]
            total, seen = sum(counts), 0
            wanted = quantile * total
            if total > 0:
                for bound, count in zip(bounds, counts, strict=False):
                    seen += count
                    if seen >= wanted:
                        return Value(bound, seen, total)
            return None

        return evaluate


class Level(NamedTuple):
    """A state now: the sum over origins of a register.  One that no origin reports is undefined,
    not 0."""

    of: str

    def reads(self) -> frozenset[str]:
        return frozenset((self.of,))

    def compiled(self) -> Evaluate:
        def evaluate(amounts: Amounts, mark_ms: int) -> Value | None:
            level = amounts.get(self.of)
            return None if level is None else Value(level, level)

        return evaluate


class Oldest(NamedTuple):
    """The age in seconds of the oldest entry now: as-of time less the minimum over origins of a
    register of times.

    Undefined while nothing waits or the time (``mark_ms``) is not known, and never negative: an
    origin may be ahead of the board's mark."""

    of: str

    def reads(self) -> frozenset[str]:
        return frozenset((self.of,))

    def compiled(self) -> Evaluate:
        def evaluate(amounts: Amounts, mark_ms: int) -> Value | None:
            since_ms = amounts.get(self.of)
            if since_ms is None or mark_ms < 0:
                return None
            return Value(seconds(max(0, mark_ms - since_ms)))

        return evaluate


Formula = Count | Total | Ratio | Mean | Average | Distribution | Quantile | Level | Oldest


class Kpi(NamedTuple):
    """A definition.  ``family`` names the topic (``<prefix>.kpi.<family>.v<version>``, the highest
    version of the family); ``metric`` the Prometheus gauge (None: topic only), by the first of the
    ``cuts`` only; ``labels`` are constant labels that tell variants apart;
    ``attribution`` says which interval a contact belongs to: ``cohort`` (the one it was offered
    in, started in ...), ``event`` (the one it happened in), ``span`` (durations split over the
    intervals they lie in), ``now``.

    ``excludes`` says in a sentence what is left out.  ``matures_ms``: how long after the end of a
    window its contacts can still change the value as a matter of course (a repeat contact within
    seven days); the result is provisional until then.  ``version`` is that of the meaning: a
    change of formula, measures, attribution or unit, or a cut or window less, needs a higher one,
    and with it another topic."""

    name: str
    family: str
    help: str
    unit: str
    formula: Formula
    attribution: str
    cuts: tuple[Cut, ...] = QUEUE_AND_CHANNEL
    windows: tuple[str, ...] = WINDOWS
    metric: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    excludes: str = ""
    matures_ms: int = 0
    version: int = 1
