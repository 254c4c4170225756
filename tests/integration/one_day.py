"""The shipped day and the numbers that must come out of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from streams.results import Result

FOLDER = Path(str(files("streams"))) / "data" / "one_day"
LOG = FOLDER / "queue_log"
EXPECTED: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text())
DAY = "2026-10-05T00:00:00Z"
Found = dict[tuple[str, str | None, str, str], Result]

VALUES = {
    "contacts_offered": "offered",
    "contacts_answered": "answered",
    "contacts_abandoned": "abandoned",
    "contacts_abandoned_short": "abandoned_5s",
    "answer_speed_mean": "asa_s",
    "abandonment_ratio": "abandonment_ratio",
    "talk_time_mean": "mean_talk_s",
    "service_level_pos": "sl_pos_20",
    "service_level_answered": "sl_answered_20",
    "service_level_neg": "sl_neg_20",
    "service_level_late_ab": "sl_late_ab_20",
    "service_level_short_pos": "sl_short_pos_20",
}
NUMERATORS = {
    "answer_speed_mean": "wait_answered_s",
    "abandonment_wait_mean": "wait_abandoned_s",
    "talk_time_mean": "talk_s",
    "service_level_neg": "answered_20s",
}
COUNTS = {"contacts_abandoned", "contacts_abandoned_short", "service_level_neg"}
"""Where the file leaves zeros out."""


def by_place(results: Iterable[Result]) -> Found:
    """(KPI, queue or None for all, window kind, start) -> result, of queues and of the channel."""
    return {
        (r.kpi, r.key.get("queue"), r.window, r.start): r for r in results if "state" not in r.key
    }


def assert_expected(results: Iterable[Result]) -> None:
    """Every number of ``expected.json``, per queue, in all and per hour."""
    found = by_place(results)
    for queue, wanted in EXPECTED["by_queue"].items():
        place = None if queue == "__all__" else queue
        for kpi, name in VALUES.items():
            _check(found, kpi, place, wanted.get(name, 0 if kpi in COUNTS else None), "value")
        for kpi, name in NUMERATORS.items():
            _check(found, kpi, place, wanted.get(name, 0 if kpi in COUNTS else None), "numerator")
    for hour, offered in EXPECTED["offered_by_hour_utc"].items():
        start = hour.replace("+00:00", "Z")
        assert found["contacts_offered", None, "hour", start].fields["value"] == offered


def _check(found: Found, kpi: str, queue: str | None, wanted: float | None, part: str) -> None:
    result = found.get((kpi, queue, "day", DAY))
    got = None if result is None else result.fields[part]
    assert got == (wanted if wanted is None else pytest.approx(wanted, rel=1e-12)), (
        f"{kpi} of {queue or 'all'}: {part} {got}, not {wanted}"
    )
    assert result is None or result.fields["status"] in ("final", "corrected")
