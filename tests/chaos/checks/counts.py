"""Conservation: offered = answered + abandoned + left + open, by a count without any stage.

The load says in a header what each record tells of a visit.  Those headers are counted here, and
the KPIs of all days must come to the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import orjson

from streams.core.source import Record
from streams.kpis.outcomes import LEFT_MEASURES
from tests.chaos.checks.results import Results
from tests.chaos.checks.violation import Violation
from tests.chaos.stories import TELLS_HEADER

Place = tuple[str, str]
"""(Queue, channel)."""
LOST = "contacts_left_lost"
KPIS = {
    "offered": ("contacts_offered",),
    "answered": ("contacts_answered",),
    "abandoned": ("contacts_abandoned",),
    "left": tuple(m.name for m in LEFT_MEASURES.values() if m.name != LOST),
    "unfinished": ("contacts_open", LOST),
}
"""Count -> the KPIs that add up to it.  A visit whose end nobody tells is open until it is given up
as lost, so these two are one count."""


class Counts:
    """Takes raw and event topics; ``results`` are what is to be compared."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._visits: dict[str, tuple[Place, set[str]]] = {}

    def take(self, records: Sequence[Record]) -> None:
        for record in records:
            told = dict(record.headers).get(TELLS_HEADER)
            if told is not None:
                step, queue, channel, visit = told.decode().split("|")
                self._visits.setdefault(visit, ((queue, channel), set()))[1].add(step)

    def violations(self) -> Iterator[Violation]:
        wanted, found = self._counted(), self._said()
        for place in sorted({place for place, _ in wanted.keys() | found.keys()}):
            for step in KPIS:
                if wanted[place, step] != found[place, step]:
                    detail = f"{'/'.join(place)}: {found[place, step]}, not {wanted[place, step]}"
                    yield Violation(f"counts.{step}", detail)
            ways = sum(found[place, step] for step in KPIS if step != "offered")
            if found[place, "offered"] != ways:
                detail = f"{'/'.join(place)}: {found[place, 'offered']} offered, {ways} ways on"
                yield Violation("counts.conservation", detail)

    def _counted(self) -> Counter[tuple[Place, str]]:
        counts: Counter[tuple[Place, str]] = Counter()
        for place, steps in self._visits.values():
            for step in steps:
                counts[place, step] += 1
            counts[place, "unfinished"] += len(steps) == 1
        return counts

    def _said(self) -> Counter[tuple[Place, str]]:
        """The sums of the KPIs over all days."""
        steps = {kpi: step for step, kpis in KPIS.items() for kpi in kpis}
        counts: Counter[tuple[Place, str]] = Counter()
        for key, value in self._results.standing.items():
            name = orjson.loads(key)
            if name[0] in steps and name[1] == "queue" and name[4] == "day":
                counts[(name[2], name[3]), steps[name[0]]] += orjson.loads(value)["value"]
        return counts

    def facts(self) -> Mapping[str, int]:
        counts = self._counted()
        return {
            "visits" if step == "offered" else step: sum(
                count for (_, one), count in counts.items() if one == step
            )
            for step in KPIS
        }
