"""The harness measures the middle of a run and believes nobody's totals."""

from __future__ import annotations

import json
import sys
import time

import pytest

from bench import harness, outputs
from bench.catalogue import BY_NAME, ENGINES, JOBS
from bench.harness import Run, Sample, execute, measured
from bench.load import Answers, Totals, events
from bench.session import Plan
from bench.table import render

START_MS = 1_790_000_040_000
SAYS = """
import json, time
for n in range(1, 11):
    print(json.dumps({"processed": n * 100}), flush=True)
    time.sleep(0.02)
print("a line of a library", flush=True)
print(json.dumps({"finished": 1000, "totals": {"count": 1000, "sum": 7}}), flush=True)
"""


def run_of(program: str, expected: Totals | None = None) -> Run:
    command = [sys.executable, "-c", program]
    return Run("ours", 1, 1, command, 1_000, 0.1, frozenset(), expected)


def test_the_middle_of_the_run_is_measured() -> None:
    samples = [Sample(float(n), n * 100, n / 2, n) for n in range(11)]
    found = measured(run_of(""), samples, time.monotonic())
    assert (found.measured_events, found.seconds, found.cpu_seconds) == (800, 8.0, 4.0)
    assert found.events_per_second == 100
    assert found.events_per_cpu_second == 200
    assert found.cpu_seconds_per_million == 5_000
    assert found.memory_peak_bytes == 10


def test_a_run_too_short_to_be_measured_is_no_failure_and_has_no_rate() -> None:
    found = measured(run_of(""), [Sample(1.0, 1_000, 1.0, 1)], time.monotonic())
    assert (found.problem, found.events_per_second, found.events_per_cpu_second) == ("", 0, 0)
    assert "| contact-streams | too short to measure |" in render([found], {})


def test_an_engine_with_the_right_totals_has_no_problem() -> None:
    found = execute(run_of(SAYS, Totals(1_000, 7)), lambda done: None)
    assert found.problem == ""
    assert 0.1 < found.seconds < 5


def test_wrong_totals_are_said() -> None:
    found = execute(run_of(SAYS, Totals(1_000, 8)), lambda done: None)
    assert found.problem == "WRONG: (1000, 7), not (1000, 8)"


def test_an_engine_that_dies_is_quoted() -> None:
    found = execute(run_of("raise SystemExit('no broker')"), lambda done: None)
    assert found.problem == "did not finish: no broker"


def test_an_engine_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "SILENT_SECONDS", 0.3)
    program = "import time; print('{\"processed\": 1}', flush=True); time.sleep(60)"
    began = time.monotonic()
    assert execute(run_of(program), lambda done: None).problem.startswith("did not finish")
    assert time.monotonic() - began < 20


def test_shorter_topics_are_beginnings_of_longer_ones() -> None:
    assert list(events(500, START_MS)) == list(events(2_000, START_MS))[:500]


def test_the_answers_are_those_of_the_events_as_they_stand_in_the_topic() -> None:
    answers = Answers()
    first: dict[str, int] = {}
    talk = since = 0
    for event in events(5_000, START_MS):
        answers.add(event)
        told = json.loads(event.value)
        talk += told["talk_ms"]
        since += told["time"] - first.setdefault(told["contact"], told["time"])
        assert 130 <= len(event.value) <= 170
    assert answers.totals(1) == answers.totals(4) == (5_000, talk)
    assert answers.totals(2) == (5_000, since)
    windows = answers.windows(2)
    assert windows is not None
    assert sum(row.amount for row in windows.values()) == since


def test_a_window_that_is_wrong_or_missing_shows_and_an_open_one_may_be_missing() -> None:
    expected = {(0, "q", 0): Totals(2, 5), (0, "q", 60_000): Totals(1, 1)}
    assert outputs.compare(expected, expected) == ""
    assert outputs.compare({(0, "q", 0): Totals(2, 5)}, expected) == ""
    assert "0 wrong, 1 missing" in outputs.compare({(0, "q", 60_000): Totals(1, 1)}, expected)
    assert "1 wrong, 0 missing" in outputs.compare({(0, "q", 0): Totals(2, 6)}, expected)
    unknown = {**expected, (1, "q", 0): Totals(1, 1)}
    assert "1 wrong" in outputs.compare(unknown, expected)


def test_engines_take_turns() -> None:
    turns = list(Plan([BY_NAME["ours"], BY_NAME["faust"]], [1, 2], 2, None, True).turns())
    names = [(job, repeat, engine.name) for job, repeat, engine in turns]
    assert names[:4] == [(1, 1, "ours"), (1, 1, "faust"), (1, 2, "ours"), (1, 2, "faust")]
    everything = Plan(ENGINES, list(JOBS), 1, None, False)
    assert {job for job, _, _ in everything.turns()} == set(JOBS)


def test_the_table_says_how_many_times_as_fast_ours_is_and_what_is_wrong() -> None:
    samples = [Sample(float(n), n * 100, n / 2, n << 20) for n in range(11)]
    ours = measured(run_of(""), samples, time.monotonic())
    slow = [Sample(n * 4.0, n * 100, float(n), n << 20) for n in range(11)]
    run = Run("faust", 1, 1, [], 1_000, 0.1, frozenset())
    text = render([ours, measured(run, slow, time.monotonic(), "WRONG: so")], {"date": "today"})
    assert "| contact-streams | 100 (100 to 100) | 200 | 5,000.0 | 10 |  | right |" in text
    assert "| Faust as documented | 25 (25 to 25) | 100 |" in text
    assert "| 4.00x; 2.00x per CPU s | WRONG: so |" in text
