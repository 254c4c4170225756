"""The language of scenarios; README.md tells it to those who write them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from streams.core import events as ev
from streams.core.events import type_of
from streams.core.terms import DAY_MS, Terms
from streams.kpis import ALL_KPIS
from streams.settings import load
from tests.pipeline import Pipeline

MONDAY = date(2026, 10, 5)
GRACE_MS = 120_000
_STATUSES = ("provisional", "final", "corrected")
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_EVENTS = {name: cls for cls, name in type_of.items()}
_KPIS = {kpi.name: kpi for kpi in ALL_KPIS}


class Expected(NamedTuple):
    """One ``=>`` line; ``value`` None: absent, ``status`` "": any."""

    line: int
    kpi: str
    key: dict[str, str]
    value: float | None
    kind: str
    start_ms: int | None
    status: str


class Scenario:
    """A file: what happens, and what must come out.  ``covers``: edge cases, and of which families
    (none: of the one the file is named after)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.steps: list[tuple[str, Any]] = []
        self.expected: list[Expected] = []
        self.covers: list[tuple[list[str], list[str]]] = []
        self.open = False
        self._day, self.zone = MONDAY, "UTC"
        self._until: int | None = None
        self._settings: list[str] = []
        for number, raw in enumerate(path.read_text().splitlines(), 1):
            text = raw if raw.startswith("%") else raw.split("#")[0].strip()
            if text:
                self._line(number, text)

    def _line(self, number: int, text: str) -> None:
        word, _, rest = text.partition(" ")
        if word == "%":
            self._settings.append(rest)
        elif word == "=>":
            self.expected.append(self._expected(number, rest))
        elif word == "day":
            day, *zone = rest.split()
            self._day, self.zone = date.fromisoformat(day), "".join(zone) or "UTC"
        elif word == "covers":
            edges, _, families = rest.partition(" of ")
            self.covers.append((names_of(edges), names_of(families)))
        elif word == "open":
            self.open = True
        elif word == "until":
            self._until = self._time_ms(rest)
        elif word == "tick":
            self.steps.append(("tick", self._time_ms(rest)))
        elif "|" in text:
            clock, line = text.split("|", 1)
            at_ms = self._time_ms(clock)
            self.steps.append(("line", f"{at_ms / 1000:.3f}|{line}".encode()))
        else:
            self.steps.append(("event", self._event(number, text)))

    def _time_ms(self, text: str) -> int:
        """``10:00:05``, or ``+1 00:10:00`` on the next day, on the clock of the file's zone."""
        days, clock = (int(text.split()[0]), text.split()[1]) if text[0] == "+" else (0, text)
        hours, minutes, *seconds = clock.split(":")
        moment = timedelta(
            hours=int(hours), minutes=int(minutes), seconds=float(seconds[0]) if seconds else 0
        )
        midnight = datetime.combine(self._day + timedelta(days), datetime.min.time())
        return round((midnight + moment).replace(tzinfo=ZoneInfo(self.zone)).timestamp() * 1000)

    def _event(self, number: int, text: str) -> ev.ContactEvent | ev.AgentEvent:
        """``10:00:00 mail-1 email message author=customer``; ``10:00:00 agent Anna ready``."""
        words = text.split()
        at = f"{words.pop(0)} {words.pop(0)}" if text[0] == "+" else words.pop(0)
        who, what, name, *rest = words
        given = dict(word.split("=", 1) for word in rest)
        said: dict[str, Any] = {"id": f"line-{number}", "source": "scenario"}
        if who == "agent":
            kind = _EVENTS[f"agent.{name}"]
            said |= {"agent": what}
        else:
            kind = _EVENTS[f"contact.{name}"]
            said |= {"contact": who, "channel": what}
        assert given.keys() <= set(kind.__struct_fields__), f"line {number}: no such field"
        for field in ("due", "start", "end"):
            if field in given:
                given[field] = str(self._time_ms(given[field].replace("_", " ")))
        said |= given | {"time": self._time_ms(at), "type": type_of[kind]}
        found: ev.ContactEvent | ev.AgentEvent = msgspec.convert(said, kind, strict=False)
        return found

    def _expected(self, number: int, text: str) -> Expected:
        kpi, place, value, *window = text.split()
        assert kpi in _KPIS, f"{self.path.name}:{number}: no such KPI: {kpi}"
        status = window.pop() if window and window[-1] in _STATUSES else ""
        kind, start_ms = "day", self._time_ms("00:00")
        if window:
            kind = window[-1]
            start_ms = self._time_ms(" ".join(window[:-1])[1:])
        level = _KPIS[kpi].windows == ("now",)
        wanted = None if value == "absent" else number_of(value)
        if level or kind.startswith("rolling"):
            return Expected(
                number, kpi, key_of(place), wanted, "now" if level else kind, None, status
            )
        return Expected(number, kpi, key_of(place), wanted, kind, start_ms, status)

    @cached_property
    def terms(self) -> Terms:
        """What the file's settings say."""
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "contact-streams.toml").write_text("\n".join(self._settings))
            return load({}, folder=Path(folder)).terms()

    def rows(self) -> list[dict[str, Any]]:
        """Everything that comes out."""
        pipeline = Pipeline("asterisk_queue_log", self.terms)
        self.run(pipeline)
        assert not pipeline.letters, [dict(x.headers)["cc_dlq_reason"] for x in pipeline.letters]
        return pipeline.results()

    def run(self, pipeline: Pipeline) -> None:
        """All that happens."""
        for kind, value in self.steps:
            if kind == "tick":
                pipeline.tick(value)
            elif kind == "line":
                pipeline.lines([value])
            else:
                pipeline.events([value])
        if not self.open:
            midnight_ms = self._time_ms("00:00") + DAY_MS
            pipeline.tick((self._until or midnight_ms) + GRACE_MS + 1)


def key_of(place: str) -> dict[str, str]:
    """``PS``: a queue of calls; ``PS/email``; ``*/email``: all queues; ``a=b,c=d``; ``-``: none."""
    if place == "-":
        return {}
    if "=" in place:
        return dict(part.split("=") for part in place.split(","))
    queue, _, channel = place.partition("/")
    key = {"channel": channel or "voice"}
    return key if queue == "*" else key | {"queue": queue}


def names_of(text: str) -> list[str]:
    """
    >>> names_of("late, repeated"), names_of("")
    (['late', 'repeated'], [])
    """
    return text.replace(",", " ").split()


def number_of(text: str) -> float:
    """A number, or a time in seconds.

    >>> number_of("0.5"), number_of("1h30m"), number_of("2d")
    (0.5, 5400.0, 172800.0)
    """
    parts = re.findall(r"(-?[\d.]+)([dhms])", text)
    if not parts:
        return float(text)
    return float(sum(float(number) * _UNITS[unit] for number, unit in parts))


def start_of(row: dict[str, Any]) -> int | None:
    start = row["window"]["start"]
    return None if start is None else int(datetime.fromisoformat(start).timestamp() * 1000)


def row_of(rows: Iterable[dict[str, Any]], wanted: Expected) -> dict[str, Any] | None:
    for row in rows:
        start_ms = None if wanted.start_ms is None else start_of(row)
        found = (row["kpi"], row["key"], row["window"]["kind"], start_ms)
        if found == (wanted.kpi, wanted.key, wanted.kind, wanted.start_ms):
            return row
    return None


assert datetime.combine(MONDAY, datetime.min.time(), UTC).weekday() == 0
