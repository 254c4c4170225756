"""Runs the scenarios of this folder through all five stages; see README.md for the language."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from streams.core.terms import DAY_MS
from streams.kpis import ALL_KPIS, FAMILIES
from tests.pipeline import Pipeline

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*.txt"))
MIDNIGHT_MS = int(datetime(2026, 10, 5, tzinfo=UTC).timestamp() * 1000)
GRACE_MS = 120_000


class Expected(NamedTuple):
    """One ``=>`` line; ``value`` None: absent."""

    line: int
    kpi: str
    key: dict[str, str]
    value: float | None
    kind: str
    start_ms: int | None


def time_ms(text: str) -> int:
    """``10:00:05``, or ``+1 00:10:00`` on the next day."""
    days, clock = (int(text[1]), text[2:]) if text.startswith("+") else (0, text)
    hours, minutes, *seconds = clock.split(":")
    total = int(hours) * 3600 + int(minutes) * 60 + (float(seconds[0]) if seconds else 0)
    return MIDNIGHT_MS + days * DAY_MS + round(total * 1000)


def expected(number: int, text: str) -> Expected:
    kpi, place, value, *window = text.split()
    key = {"channel": "voice", "queue": place}
    if "=" in place:
        key = dict(part.split("=") for part in place.split(","))
    elif place in ("*", "-"):
        key = {"channel": "voice"} if place == "*" else {}
    at, kind = (window[0][1:], window[1]) if window else ("00:00", "day")
    kpis = {k.name: k for k in ALL_KPIS}
    assert kpi in kpis, f"line {number}: no such KPI"
    level = kpis[kpi].windows == ("now",)
    wanted = None if value == "absent" else float(value)
    return Expected(
        number, kpi, key, wanted, "now" if level else kind, None if level else time_ms(at)
    )


def start_of(row: dict[str, Any]) -> int | None:
    start = row["window"]["start"]
    return None if start is None else int(datetime.fromisoformat(start).timestamp() * 1000)


def value_of(rows: list[dict[str, Any]], wanted: Expected) -> float | None:
    for row in rows:
        names = (row["kpi"], row["key"], row["window"]["kind"])
        start_ms = None if wanted.kind == "now" else start_of(row)
        if (*names, start_ms) == (wanted.kpi, wanted.key, wanted.kind, wanted.start_ms):
            return float(row["value"])
    return None


class Scenario:
    """A file: what happens, and what must come out."""

    def __init__(self, path: Path) -> None:
        self.steps: list[tuple[str, Any]] = []
        self.expected: list[Expected] = []
        self.open = False
        for number, raw in enumerate(path.read_text().splitlines(), 1):
            line = raw.split("#")[0].strip()
            if line.startswith("=>"):
                self.expected.append(expected(number, line[2:]))
            elif line == "open":
                self.open = True
            elif line.startswith("tick "):
                self.steps.append(("tick", time_ms(line[5:])))
            elif line:
                clock, rest = line.split("|", 1)
                at_ms = time_ms(clock)
                self.steps.append(("line", f"{at_ms / 1000:.3f}|{rest}".encode()))

    def rows(self) -> list[dict[str, Any]]:
        pipeline = Pipeline("asterisk_queue_log")
        for kind, value in self.steps:
            if kind == "tick":
                pipeline.tick(value)
            else:
                pipeline.lines([value])
        if not self.open:
            pipeline.tick(MIDNIGHT_MS + DAY_MS + GRACE_MS + 1)
        assert not pipeline.letters, [dict(x.headers)["cc_dlq_reason"] for x in pipeline.letters]
        return pipeline.results()


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_scenario(path: Path) -> None:
    scenario = Scenario(path)
    rows = scenario.rows()
    assert scenario.expected, "a scenario expects something"
    for wanted in scenario.expected:
        found = value_of(rows, wanted)
        same = found == (
            wanted.value if wanted.value is None else pytest.approx(wanted.value, abs=5e-5)
        )
        assert same, f"{path.name}:{wanted.line}: {wanted.kpi} {wanted.key} is {found}"


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_nothing_is_lost(path: Path) -> None:
    """Offered = answered + left + open, in every window and cut."""
    rows = {}
    for row in Scenario(path).rows():
        rows[row["kpi"], tuple(row["key"].items()), row["window"]["kind"], start_of(row)] = row[
            "value"
        ]
    opens = {
        at: value for at, value in rows.items() if at[0] == "contacts_open" and at[3] is not None
    }
    for at, value in opens.items():
        assert value >= 0, at
    assert opens or not any(at[0] == "contacts_offered" for at in rows)


OTHER_PLATFORMS = {
    "agent_state_time_offered",
    "contacts_left_callback",
    "contacts_left_overflow",
    "contacts_left_unknown",
    "contacts_left_voicemail",
    "contacts_transferred_unknown",
    "offers_failed_error",
}
"""What Asterisk's queue_log never says."""


def test_every_kpi_is_expected_somewhere() -> None:
    expected_kpis = {wanted.kpi for path in FILES for wanted in Scenario(path).expected}
    missing = {kpi.name for kpi in ALL_KPIS} - expected_kpis
    assert missing == OTHER_PLATFORMS


def test_every_family_has_a_scenario() -> None:
    stems = {path.stem.replace("_", "-") for path in FILES}
    missing = [family for family in FAMILIES if not any(s.startswith(family) for s in stems)]
    assert missing == []
