"""The KPI topics, as those see them who read committed: their whole history, and what stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from streams.core.kpi import Oldest
from streams.core.source import Record
from streams.kpis import ALL_KPIS
from streams.stages.board_wire import REVISION_HEADER
from tests.chaos.checks.violation import Violation
from tests.chaos.expected import Expected

VALUE = ("value", "numerator", "denominator", "buckets")
COMPARED = (*VALUE, "kpi", "key", "window", "unit", "status")
AGES = frozenset(kpi.name for kpi in ALL_KPIS if isinstance(kpi.formula, Oldest))
"""KPIs that change while nothing happens."""
AGE_MS_MAX = 2_000
"""Ages are said again when a second has passed, not with every mark."""


class Results:
    """Takes the KPI topics.  Of each key the last revision is enough: they may not fall."""

    def __init__(self, expected: Expected) -> None:
        self.standing: dict[bytes, bytes] = {}
        """Key -> the result that stands."""
        self._expected = expected
        self._last: dict[bytes, tuple[int, Any]] = {}
        self._broken: list[Violation] = []
        self.count = 0

    def take(self, records: Sequence[Record]) -> None:
        for record in records:
            assert record.key is not None, "every result has a key"
            if record.value:
                row = orjson.loads(record.value)
                said = tuple(row.get(field) for field in VALUE)
                self._check(record.key, row["revision"], said)
                self.standing[record.key] = record.value
            else:
                self._check(record.key, int(dict(record.headers)[REVISION_HEADER]), None)
                self.standing.pop(record.key, None)
        self.count += len(records)

    def _check(self, key: bytes, revision: int, said: Any) -> None:
        last, before = self._last.get(key, (-1, None))
        if revision < last:
            detail = f"{key.decode()}: from {last} to {revision}"
            self._broken.append(Violation("results.revision_fell", detail))
        elif revision == last and said != before:
            detail = f"{key.decode()} revision {revision}: {before} and {said}"
            self._broken.append(Violation("results.two_values", detail))
        self._last[key] = (revision, said)

    def violations(self) -> Iterator[Violation]:
        yield from self._broken
        wanted = {key: value for key, value in self._expected.results.items() if value is not None}
        for key in wanted.keys() - self.standing.keys():
            yield Violation("results.missing", key.decode())
        for key, value in self.standing.items():
            if key not in wanted:
                yield Violation("results.unexpected", f"{key.decode()}: {value.decode()}")
            elif value != wanted[key]:
                yield from _differences(key, orjson.loads(value), orjson.loads(wanted[key]))

    def facts(self) -> Mapping[str, int]:
        return {"results": len(self.standing), "results_said": self.count}


def _differences(key: bytes, found: Any, wanted: Any) -> Iterator[Violation]:
    name = key.decode()
    if found["kpi"] in AGES:
        yield from _older(name, found, wanted)
        return
    for field in COMPARED:
        if found.get(field) != wanted.get(field):
            kind = "results.status" if field == "status" else "results.wrong"
            detail = f"{name}: {field} {found.get(field)}, not {wanted.get(field)}"
            yield Violation(kind, detail)
    # A share that changes nothing moves the revision, but need not be said.
    if found["revision"] > wanted["revision"]:
        detail = f"{name}: {found['revision']}, the log ends at {wanted['revision']}"
        yield Violation("results.revision_ahead", detail)


def _older(name: str, found: Any, wanted: Any) -> Iterator[Violation]:
    """Who has waited longest is the same; how long may be said as of a moment before."""
    began = [_ms(row["as_of"]) - round(row["value"] * 1_000) for row in (found, wanted)]
    if began[0] != began[1] or _ms(wanted["as_of"]) - _ms(found["as_of"]) > AGE_MS_MAX:
        yield Violation("results.wrong", f"{name}: {found['value']}, not {wanted['value']}")


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000)
