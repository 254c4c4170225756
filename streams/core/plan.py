"""Which KPIs a cut has, and which of them must be computed again when some amounts have changed.

The KPIs of a cut are numbered and a set of them is an integer with one bit each, so that the sets
of a window can be united a few hundred thousand times a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from streams.core.kpi import Evaluate, Kpi, Oldest, Value
from streams.core.measure import QUEUE, Amounts, Cut, CutKey

ALL = -1
"""The set of all KPIs, whatever their number."""
OLDEST = "oldest_"
"""Registers whose name begins so are times: their minimum counts, not their sum."""


class Planned(NamedTuple):
    """A KPI of a cut: its bit, how it is computed, and whether /metrics shows it of this cut."""

    bit: int
    kpi: Kpi
    evaluate: Evaluate
    shown: bool


class Plan:
    """The KPIs of one cut.

    ``shown`` is the set of those that /metrics shows of it, and ``counted`` whether it counts the
    cut's amounts.  ``ripening``: (how long after a window's end they mature, which KPIs do), the
    soonest first."""

    __slots__ = (
        "_kinds",
        "_matures",
        "_of_kind",
        "_planned",
        "_readers",
        "counted",
        "cut",
        "oldest",
        "ripening",
        "shown",
    )

    def __init__(self, cut: Cut, kpis: Iterable[Kpi]) -> None:
        self.cut = cut
        self.counted = cut.dimensions[:1] == QUEUE.dimensions[:1]
        self._planned = tuple(
            Planned(1 << number, kpi, kpi.formula.compiled(), shows(kpi, cut))
            for number, kpi in enumerate(kpi for kpi in kpis if cut in kpi.cuts)
        )
        self.shown = sum(planned.bit for planned in self._planned if planned.shown)
        self._readers: dict[str, int] = {}
        self._kinds: dict[str, int] = {}
        self.oldest = 0
        """The ages: they change with the time alone."""
        ripening: dict[int, int] = {}
        for bit, kpi, _, _ in self._planned:
            self._number(bit, kpi)
            ripening[kpi.matures_ms] = ripening.get(kpi.matures_ms, 0) | bit
        self.ripening = tuple(sorted(ripening.items()))
        self._matures: dict[int, tuple[int, ...]] = {}
        self._of_kind = {
            kind: tuple(planned for planned in self._planned if planned.bit & kpis)
            for kind, kpis in self._kinds.items()
        }

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
        found = self._matures.get(chosen)
        if found is None:
            found = tuple(ms for ms, kpis in self.ripening if kpis & chosen)
            self._matures[chosen] = found
        return found

    def of_kind(self, kind: str, chosen: int) -> Iterable[Planned]:
        """Those of ``chosen`` that have windows of this kind."""
        if chosen == ALL:
            return self._of_kind.get(kind, ())
        return self._some(chosen & self._kinds.get(kind, 0))

    def _some(self, rest: int) -> Iterator[Planned]:
        while rest:
            bit = rest & -rest
            rest ^= bit
            yield self._planned[bit.bit_length() - 1]

    def maturities(self, kind: str) -> tuple[int, ...]:
        """How long after the end of a window of this kind its KPIs mature."""
        return self.matures(self._kinds.get(kind, 0))

    def key(self, cut: CutKey) -> dict[str, str]:
        """A cut key as the key of a result: dimension -> value."""
        return dict(zip(self.cut.dimensions, cut[1:], strict=True))


def shows(kpi: Kpi, cut: Cut) -> bool:
    """Whether /metrics shows the KPI by this cut: with a gauge, by the first of its cuts."""
    return kpi.metric is not None and cut == kpi.cuts[0]


def plans(kpis: Iterable[Kpi]) -> dict[str, Plan]:
    """The plan of every cut that some KPI has, by the cut's name."""
    known = tuple(kpis)
    cuts: Mapping[str, Cut] = {cut.name: cut for kpi in known for cut in kpi.cuts}
    return {name: Plan(cut, known) for name, cut in cuts.items()}


def evaluate(kpi: Kpi, amounts: Amounts, mark_ms: int) -> Value | None:
    """The KPI's value, None if it is undefined; ``mark_ms`` -1: the time is not known.  Who
    asks often keeps what this compiles, as a ``Plan`` does."""
    return kpi.formula.compiled()(amounts, mark_ms)
