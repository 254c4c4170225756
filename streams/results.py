"""Results as readers see them: taken from the KPI topics, the latest revision of each key.

A record's key names KPI, cut key and window; its value is the result as one JSON object, or null
where the result was withdrawn.  Topics are read committed, so what a dying worker left half
written is never seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import orjson

from streams.deployment import Deployment

WINDOW_ORDER = ("day", "hour", "quarter_hour", "rolling_60m", "rolling_30m", "rolling_5m", "now")


class Row(Protocol):
    """What is needed of a record; ``streams.kafka.consume.Record`` is one."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


class Result(NamedTuple):
    """One result: ``line`` is the JSON as it stands in the topic, ``fields`` what it says."""

    line: bytes
    fields: Mapping[str, Any]

    @property
    def kpi(self) -> str:
        return str(self.fields["kpi"])

    @property
    def key(self) -> Mapping[str, str]:
        """Dimension -> value, e.g. ``{"queue": "PS", "channel": "voice"}``."""
        key: Mapping[str, str] = self.fields["key"]
        return key

    @property
    def window(self) -> str:
        """The window's kind, e.g. ``day``."""
        return str(self.fields["window"]["kind"])

    @property
    def start(self) -> str:
        """The window's start as ISO 8601 in UTC; empty for a level."""
        return str(self.fields["window"].get("start") or "")

    @property
    def value(self) -> Any:
        return self.fields.get("value")


class Latest:
    """The latest result of each key, out of records in the order of their partitions."""

    def __init__(self) -> None:
        self._known: dict[bytes, Result] = {}

    def take(self, records: Iterable[Row]) -> list[Result]:
        """Note the records; gives the results that are new or changed, in their order."""
        changed = []
        for record in records:
            result = self._take(record.key or b"", record.value)
            if result is not None:
                changed.append(result)
        return changed

    def _take(self, key: bytes, value: bytes | None) -> Result | None:
        if not value:
            self._known.pop(key, None)
            return None
        result = Result(value, orjson.loads(value))
        known = self._known.get(key)
        if known is not None and known.fields["revision"] > result.fields["revision"]:
            return None
        self._known[key] = result
        return result

    def results(self) -> list[Result]:
        """Those that hold, in the order people read them: by KPI, key and window."""
        found = [result for result in self._known.values() if result.value is not None]
        return sorted(found, key=_order)


def _order(result: Result) -> tuple[object, ...]:
    window = result.window
    rank = WINDOW_ORDER.index(window) if window in WINDOW_ORDER else len(WINDOW_ORDER)
    return result.kpi, tuple(result.key.items()), rank, result.start


@dataclass(frozen=True)
class Choice:
    """Which results are wanted; what is empty does not restrict.  ``since`` is ISO 8601 in UTC and
    inclusive; results without a start (levels) are always recent enough."""

    kpis: Sequence[str] = ()
    queue: str = ""
    window: str = ""
    since: str = ""

    def of(self, results: Iterable[Result]) -> Iterator[Result]:
        """The wanted ones, in the given order."""
        return (result for result in results if self.has(result))

    def has(self, result: Result) -> bool:
        """Is this one wanted?"""
        return (
            (not self.kpis or result.kpi in self.kpis)
            and (not self.queue or result.key.get("queue") == self.queue)
            and (not self.window or result.window == self.window)
            and (not self.since or not result.start or result.start >= self.since)
        )


def read_latest(deployment: Deployment, kpis: Iterable[str] = ()) -> Latest:
    """What stands in the KPI topics now, of these KPIs and others of their families, or of all.

    Raises as ``streams.kafka.consume.read_all`` does.
    """
    from streams.kafka.consume import read_all

    topics, options = deployment.kpi_topics(kpis), deployment.reader_options()
    latest = Latest()
    latest.take(read_all(deployment.bootstrap, topics, "read_committed", options))
    return latest
