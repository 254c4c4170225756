"""Which KPIs a cut has, and which of them must be computed again when some amounts have changed.

The KPIs of a cut are numbered and a set of them is an integer with one bit each, so that the sets
of a window can be united a few hundred thousand times a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from streams.core.kpi import Kpi, Level, Oldest, Value, seconds
from streams.core.measure import Amounts, Cut, CutKey

ALL = -1
"""The set of all KPIs, whatever their number."""
OLDEST = "oldest_"
"""Registers whose name begins so are times: their minimum counts, not their sum."""


class Plan:
    """The KPIs of one cut.

    ``ripening``: (how long after a window's end they mature, which KPIs do), the soonest first."""

    __slots__ = ("_kinds", "_read", "_readers", "cut", "kpis", "oldest", "ripening")

    def __init__(self, cut: Cut, kpis: Iterable[Kpi]) -> None:
        self.cut = cut
        self.kpis = tuple(kpi for kpi in kpis if cut in kpi.cuts)
        self._readers: dict[str, int] = {}
        self._kinds: dict[str, int] = {}
        self.oldest = 0
        """The ages: they change with the time alone."""
        ripening: dict[int, int] = {}
        for number, kpi in enumerate(self.kpis):
            self._number(1 << number, kpi)
            ripening[kpi.matures_ms] = ripening.get(kpi.matures_ms, 0) | 1 << number
        self.ripening = tuple(sorted(ripening.items()))
        self._read: dict[int, tuple[int, ...]] = {}

    def _number(self, bit: int, kpi: Kpi) -> None:
        for name in kpi.formula.reads():
            self._readers[name] = self._readers.get(name, 0) | bit
        for kind in kpi.windows:
            self._kinds[kind] = self._kinds.get(kind, 0) | bit
        if isinstance(kpi.formula, Oldest):
            self.oldest |= bit

    def reading(self, names: Iterable[str]) -> int:
        """The KPIs that read at least one of the amounts ``names``."""
        readers = self._readers
        found = 0
        for name in names:
            found |= readers.get(name, 0)
        return found

    def matures(self, chosen: int) -> tuple[int, ...]:
        """How long after a window's end those of ``chosen`` mature, the soonest first."""
        found = self._read.get(chosen)
        if found is None:
            found = tuple(ms for ms, kpis in self.ripening if kpis & chosen)
            self._read[chosen] = found
        return found

    def of_kind(self, kind: str, chosen: int) -> Iterator[tuple[int, Kpi]]:
        """Those of ``chosen`` that have windows of this kind, each with its bit."""
        rest = chosen & self._kinds.get(kind, 0)
        while rest:
            bit = rest & -rest
            rest ^= bit
            yield bit, self.kpis[bit.bit_length() - 1]

    def maturities(self, kind: str) -> tuple[int, ...]:
        """How long after the end of a window of this kind its KPIs mature."""
        return self.matures(self._kinds.get(kind, 0))

    def key(self, cut: CutKey) -> dict[str, str]:
        """A cut key as the key of a result: dimension -> value."""
        return dict(zip(self.cut.dimensions, cut[1:], strict=True))


def plans(kpis: Iterable[Kpi]) -> dict[str, Plan]:
    """The plan of every cut that some KPI has, by the cut's name."""
    known = tuple(kpis)
    cuts: Mapping[str, Cut] = {cut.name: cut for kpi in known for cut in kpi.cuts}
    return {name: Plan(cut, known) for name, cut in cuts.items()}


def evaluate(kpi: Kpi, amounts: Amounts, mark_ms: int) -> Value | None:
    """The KPI's value, None if it is undefined.

    A level that no origin reports is undefined, not 0.  The age of the oldest entry is undefined
    while nothing waits or the time (``mark_ms``) is not known, and never negative: an origin may be
    ahead of the board's mark.
    """
    formula = kpi.formula
    if isinstance(formula, Level):
        level = amounts.get(formula.of)
        return None if level is None else Value(level, level)
    if isinstance(formula, Oldest):
        since_ms = amounts.get(formula.of)
        if since_ms is None or mark_ms < 0:
            return None
        return Value(seconds(max(0, mark_ms - since_ms)))
    return formula.evaluate(amounts)
