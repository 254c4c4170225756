"""Results as readers see them: taken from the KPI topics, the latest revision of each key.

A record's key is a JSON list: KPI, cut and its values, window kind, window start.  Its value is the
result as one JSON object, and none where the result was withdrawn.  Topics are read committed, so
what a dying worker left half written is never seen.

There may be half a million of them, of which somebody wants ten: values are parsed when looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from streams.deployment import Deployment

WINDOWS = ("day", "hour", "quarter_hour", "rolling_60m", "rolling_30m", "rolling_5m", "now")


class Row(Protocol):
    """What is needed of a record, whichever client it came from."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


class Result:
    """One result: ``line`` is the JSON as it stands in the topic, ``kpi`` and ``window`` (its kind)
    are from the record's key.

    >>> result = Result(b'["contacts_offered","queue","PS","voice","now"]', b'{"value":7}')
    >>> result.kpi, result.window, result.value
    ('contacts_offered', 'now', 7)
    """

    __slots__ = ("_fields", "_name", "line")

    def __init__(self, name: bytes, line: bytes) -> None:
        self._name = name
        self.line = line
        self._fields: Mapping[str, Any] | None = None

    @property
    def kpi(self) -> str:
        return str(orjson.loads(self._name)[0])

    @property
    def window(self) -> str:
        last, before = orjson.loads(self._name)[:-3:-1]
        return str(last if isinstance(last, str) else before)

    @property
    def fields(self) -> Mapping[str, Any]:
        """Everything the result says."""
        if self._fields is None:
            self._fields = orjson.loads(self.line)
        return self._fields

    @property
    def key(self) -> Mapping[str, str]:
        """Dimension -> value, e.g. ``{"queue": "PS", "channel": "voice"}``."""
        key: Mapping[str, str] = self.fields["key"]
        return key

    @property
    def start(self) -> str:
        """The window's start as ISO 8601 in UTC; empty for a level."""
        return str(self.fields["window"].get("start") or "")

    @property
    def value(self) -> Any:
        return self.fields["value"]


class Latest:
    """The latest result of each key, out of records in the order of their partitions.

    A later record of a key replaces an earlier one: only the owner of a partition can write there,
    and its revisions never fall.  ``wanted`` says which results are noted at all.
    """

    def __init__(self, wanted: Callable[[Result], bool] | None = None) -> None:
        self._lines: dict[bytes, bytes] = {}
        self._wanted = wanted

    def take(self, records: Iterable[Row]) -> list[bytes]:
        """Note the records; gives the lines of those that were noted, in their order."""
        lines, wanted = self._lines, self._wanted
        new = []
        for record in records:
            name, value = record.key, record.value
            assert name is not None, "every result has a key"
            if not value:
                lines.pop(name, None)
            elif wanted is None or wanted(Result(name, value)):
                lines[name] = value
                new.append(value)
        return new

    def results(self) -> list[Result]:
        """Those that hold, by KPI, key, window and start."""
        return [Result(name, line) for name, line in sorted(self._lines.items())]


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
        return filter(self.has, results)

    def has(self, result: Result) -> bool:
        """Is this one wanted?"""
        return (
            (not self.kpis or result.kpi in self.kpis)
            and (not self.window or result.window == self.window)
            and (not self.queue or result.key.get("queue") == self.queue)
            and (not self.since or not result.start or result.start >= self.since)
        )


def read_latest(deployment: Deployment, kpis: Iterable[str] = ()) -> Latest:
    """What stands in the KPI topics now, of these KPIs and others of their families, or of all.

    Raises as ``streams.reading.read_to_end`` does.
    """
    from streams.reading import read_to_end

    latest = Latest()
    read_to_end(deployment, deployment.kpi_topics(kpis), latest.take, "read_committed")
    return latest
