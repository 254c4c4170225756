"""Numbers that vendors and textbooks have published, from log lines through all five stages.

``test_vectors`` has them by amounts and by facts; here a platform reports them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from streams.core.terms import DAY_MS, HOUR_MS, MINUTE_MS
from tests.pipeline import Pipeline

MIDNIGHT_MS = int(datetime(2026, 10, 5, tzinfo=UTC).timestamp() * 1000)
Reported = tuple[int, str]
"""Time in ms, and the line without it."""


def visit(number: int, at_ms: int, verb: str, wait_s: float) -> list[Reported]:
    """One visit to the queue PS: answered (CONNECT) or abandoned (ABANDON) after ``wait_s``."""
    end_ms = at_ms + round(wait_s * 1000)
    params = f"{wait_s}|x|0" if verb == "CONNECT" else f"1|1|{wait_s}"
    agent = f"Agent/{number}" if verb == "CONNECT" else "NONE"
    return [
        (at_ms, f"c{number}|PS|NONE|ENTERQUEUE|||1"),
        (end_ms, f"c{number}|PS|{agent}|{verb}|{params}"),
    ]


def results(reported: Sequence[Reported]) -> dict[tuple[str, str, str], Any]:
    """(KPI, window kind, HH:MM of its start) -> value, of queue PS and of all agents."""
    pipeline = Pipeline("asterisk_queue_log")
    pipeline.lines([f"{at / 1000:.3f}|{text}".encode() for at, text in sorted(reported)])
    pipeline.tick(MIDNIGHT_MS + 2 * DAY_MS)
    assert not pipeline.letters
    return {
        (row["kpi"], row["window"]["kind"], row["window"]["start"][11:16]): row["value"]
        for row in pipeline.results()
        if row["window"]["start"] and row["key"].get("queue", "PS") == "PS" and len(row["key"]) != 1
    }


def day_of(visits: Sequence[tuple[str, float, int]]) -> dict[str, float]:
    """KPI -> value of a day with these visits: (verb, wait in s, how many)."""
    waits = [(verb, wait_s) for verb, wait_s, count in visits for _ in range(count)]
    reported: list[Reported] = []
    for number, (verb, wait_s) in enumerate(waits):
        reported += visit(number, MIDNIGHT_MS + 9 * HOUR_MS + number * 1_000, verb, wait_s)
    return {kpi: v for (kpi, kind, _), v in results(reported).items() if kind == "day"}


@cache
def icmi() -> dict[str, float]:
    """1,000 answered, 860 of them within 20 s; 60 abandoned, 20 within 20 s, 10 within 5 s."""
    answered = [("CONNECT", 0, 60), ("CONNECT", 20, 800), ("CONNECT", 20.001, 140)]
    return day_of([*answered, ("ABANDON", 5, 10), ("ABANDON", 20, 10), ("ABANDON", 20.001, 40)])


@cache
def cisco() -> dict[str, float]:
    """70 answered and 10 abandoned within T; 20 exceeded it."""
    return day_of([("CONNECT", 20, 70), ("ABANDON", 20, 10), ("CONNECT", 21, 20)])


@pytest.mark.parametrize(
    ("kpi", "percent"),
    [
        ("service_level_pos", 83.02),
        ("service_level_answered", 86.00),
        ("service_level_neg", 81.13),
        ("service_level_late_ab", 82.69),
        ("service_level_short_pos", 82.08),
        ("service_level_short_excl", 81.90),
        # Nobody left in another way, so these are the second and the first over again.
        ("service_level_offered", 81.13),
        ("service_level_removed", 83.02),
        ("abandonment_ratio", 5.66),
        ("abandonment_ratio_short_excluded", 4.76),
    ],
)
def test_icmi(kpi: str, percent: float) -> None:
    assert round(100 * icmi()[kpi], 2) == percent


@pytest.mark.parametrize(
    ("kpi", "percent"),
    [("service_level_late_ab", 77.8), ("service_level_neg", 70), ("service_level_pos", 80)],
)
def test_cisco(kpi: str, percent: float) -> None:
    assert round(100 * cisco()[kpi], 1) == percent


@pytest.mark.parametrize(
    ("abandons", "short", "kpi"),
    [
        (True, True, "service_level_neg"),
        (True, False, "service_level_short_excl"),
        (False, True, "service_level_answered"),
    ],
)
def test_genesys_formula(abandons: bool, short: bool, kpi: str) -> None:
    """(ans - ans over T) / (ans + ab, less the short ones, less all of them), as its switches say;
    flow-outs are off, there are none."""
    answered, over, abandoned, within_s = 1000, 140, 60, 10
    under = answered + abandoned
    under -= (0 if short else within_s) + (0 if abandons else abandoned)
    assert icmi()[kpi] == (answered - over) / under


def test_aircall_the_queue_waited_through_both_rings() -> None:
    """25 s unanswered at the first agent and 5 s at the second: 30 s to the queue, a miss."""
    at_ms = MIDNIGHT_MS + 9 * HOUR_MS
    rung = (at_ms + 25_000, "c1|PS|Agent/0|RINGNOANSWER|25000")
    found = results([*visit(1, at_ms, "CONNECT", 30), rung])
    assert found["service_level_answered", "day", "00:00"] == 0
    assert found["answer_speed_mean", "day", "00:00"] == 30
    assert found["offers_failed", "day", "00:00"] == 1


def test_genesys_an_answer_belongs_to_its_own_interval() -> None:
    """Queued at 7:28 and answered at 7:32: offered in the interval before, answered in the next."""
    at_ms = MIDNIGHT_MS + 7 * HOUR_MS + 28 * MINUTE_MS
    found = results(visit(1, at_ms, "CONNECT", 240))
    assert found["contacts_offered", "quarter_hour", "07:15"] == 1
    assert found["contacts_answered", "quarter_hour", "07:15"] == 0
    assert found["contacts_answered", "quarter_hour", "07:30"] == 1
    assert found["contacts_open", "quarter_hour", "07:15"] == 0


def test_wazo_a_visit_belongs_to_the_hour_it_was_queued_in() -> None:
    """Queued at 11:59:52 and over at 12:10: the level is that of 11 h."""
    at_ms = MIDNIGHT_MS + 12 * HOUR_MS - 8_000
    found = results(visit(1, at_ms, "CONNECT", 10))
    assert found["service_level_neg", "hour", "11:00"] == 1
    assert ("service_level_neg", "hour", "12:00") not in found


def test_amazon_time_on_a_contact_is_split_over_the_intervals() -> None:
    """From 05:23 to 06:15 are 7 min until half past, then 30, then 15; the handle time is whole."""
    began_ms = MIDNIGHT_MS + 5 * HOUR_MS + 23 * MINUTE_MS
    talk_s = 52 * 60
    ended = (began_ms + talk_s * 1000, f"c1|PS|Agent/1|COMPLETECALLER|0|{talk_s}|1")
    there = (began_ms, "NONE|PS|Agent/1|ADDMEMBER|")
    found = results([there, *visit(1, began_ms, "CONNECT", 0), ended])
    minutes = {
        start: value / 60
        for (kpi, kind, start), value in found.items()
        if kpi == "agent_state_time_talking" and kind == "quarter_hour" and value
    }
    assert minutes == {"05:15": 7, "05:30": 15, "05:45": 15, "06:00": 15}
    assert found["talk_time_mean", "hour", "06:00"] == talk_s
