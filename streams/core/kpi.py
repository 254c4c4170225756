"""A KPI is data: a formula over measures, its cuts, its windows, its unit, its names.

One file of ``streams/kpis`` holds one family and exports ``MEASURES`` and ``KPIS``.  Where vendors
differ, every variant has a name of its own; there is no bare "service level".
"""

from __future__ import annotations

from collections.abc import Mapping
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


def linear(terms: tuple[str, ...], amounts: Mapping[str, int]) -> int:
    """The sum of the named amounts; a name with a leading ``-`` is subtracted.

    >>> linear(("answered", "-late"), {"answered": 5, "late": 2})
    3
    """
    total = 0
    for term in terms:
        total += -amounts.get(term[1:], 0) if term[0] == "-" else amounts.get(term, 0)
    return total


class Count(NamedTuple):
    """How many; 0 is a value."""

    of: tuple[str, ...]

    def reads(self) -> frozenset[str]:
        return frozenset(t.lstrip("-") for t in self.of)

    def evaluate(self, amounts: Amounts) -> Value | None:
        total = linear(self.of, amounts)
        return Value(total, total, None)


class Ratio(NamedTuple):
    """A share between 0 and 1.  Nothing below the line: no value, never 0 or 1."""

    over: tuple[str, ...]
    under: tuple[str, ...]

    def reads(self) -> frozenset[str]:
        return frozenset(t.lstrip("-") for t in self.over + self.under)

    def evaluate(self, amounts: Amounts) -> Value | None:
        over, under = linear(self.over, amounts), linear(self.under, amounts)
        return Value(over / under, over, under) if under > 0 else None


def seconds(ms: int) -> Number:
    """Milliseconds as seconds, whole where they are whole."""
    return ms // 1000 if ms % 1000 == 0 else ms / 1000


class Total(NamedTuple):
    """A sum of durations in seconds; 0 is a value."""

    total_ms: tuple[str, ...]

    def reads(self) -> frozenset[str]:
        return frozenset(t.lstrip("-") for t in self.total_ms)

    def evaluate(self, amounts: Amounts) -> Value | None:
        total = seconds(linear(self.total_ms, amounts))
        return Value(total, total, None)


class Mean(NamedTuple):
    """A mean duration in seconds: a sum of milliseconds over a count."""

    total_ms: tuple[str, ...]
    per: tuple[str, ...]

    def reads(self) -> frozenset[str]:
        return frozenset(t.lstrip("-") for t in self.total_ms + self.per)

    def evaluate(self, amounts: Amounts) -> Value | None:
        total, count = linear(self.total_ms, amounts), linear(self.per, amounts)
        return Value(total / 1000 / count, seconds(total), count) if count > 0 else None


class Average(NamedTuple):
    """A mean of something that is no duration (a score, contacts per customer), or a difference of
    shares: ``times * over / (under * divisor)``."""

    over: tuple[str, ...]
    under: tuple[str, ...]
    divisor: int = 1
    times: int = 1

    def reads(self) -> frozenset[str]:
        return frozenset(t.lstrip("-") for t in self.over + self.under)

    def evaluate(self, amounts: Amounts) -> Value | None:
        over, under = linear(self.over, amounts), linear(self.under, amounts)
        if under <= 0:
            return None
        return Value(self.times * over / (under * self.divisor), over, under)


class Distribution(NamedTuple):
    """How many in each bucket; the value is how many in all."""

    histogram: Measure

    def reads(self) -> frozenset[str]:
        return frozenset(bucket_names(self.histogram))

    def evaluate(self, amounts: Amounts) -> Value | None:
        counts = [amounts.get(name, 0) for name in bucket_names(self.histogram)]
        total = sum(counts)
        bounds: list[float | None] = [b / 1000 for b in self.histogram.bounds_ms]
        return (
            Value(total, total, None, tuple(zip([*bounds, None], counts, strict=True)))
            if total > 0
            else None
        )


class Quantile(NamedTuple):
    """The upper bound in seconds of the bucket that holds the quantile; beyond the last bound there
    is no value."""

    histogram: Measure
    quantile: float

    def reads(self) -> frozenset[str]:
        return frozenset(bucket_names(self.histogram))

    def evaluate(self, amounts: Amounts) -> Value | None:
        counts = [amounts.get(name, 0) for name in bucket_names(self.histogram)]
        total, seen = sum(counts), 0
        for bound, count in zip(self.histogram.bounds_ms, counts, strict=False):
            seen += count
            if total > 0 and seen >= self.quantile * total:
                return Value(bound / 1000, seen, total)
        return None


class Level(NamedTuple):
    """A state now: the sum over origins of a register."""

    of: str

    def reads(self) -> frozenset[str]:
        return frozenset((self.of,))


class Oldest(NamedTuple):
    """The age in seconds of the oldest entry now: as-of time less the minimum over origins of a
    register of times."""

    of: str

    def reads(self) -> frozenset[str]:
        return frozenset((self.of,))


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
