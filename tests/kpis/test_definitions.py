"""The definitions of all KPIs: complete, consistent, and not changed without being seen."""

from __future__ import annotations

import subprocess
import sys
from typing import get_args

import pytest

from streams.core import events
from streams.core.agent_facts import StateSlice
from streams.core.facts import VisitLeft, VisitOffered
from streams.core.kpi import NOW, Count, Distribution, Kpi, Level, Mean, Quantile, Ratio
from streams.core.levels import ContactLevels
from streams.core.measure import AGENT, ISSUE_TYPE, QUEUE_AND_CHANNEL, STAFF, Cut, Is, Measure
from streams.definitions.series import series
from streams.kpis import (
    ALL_KPIS,
    ALL_MEASURES,
    FAMILIES,
    agents,
    check,
    first_response,
    key_of,
    outcomes,
    unique,
)
from tests.kpis.golden import definitions, record, recorded, unversioned


def test_a_change_of_meaning_has_a_new_version() -> None:
    """Stored sums and results are of the old definition."""
    assert list(unversioned(recorded(), definitions())) == []


def test_the_definitions_are_the_recorded_ones() -> None:
    """More KPIs, cuts and windows are welcome, but seen: if they are meant, run
    ``python -m tests.kpis.golden`` and commit the difference."""
    assert definitions() == recorded()


def test_all_definitions_are_right() -> None:
    assert check(ALL_KPIS, ALL_MEASURES) == []


def test_every_kpi_of_the_issue_is_there() -> None:
    names = {k.name for k in ALL_KPIS}
    variants = (
        "pos",
        "answered",
        "neg",
        "late_ab",
        "short_pos",
        "short_excl",
        "offered",
        "removed",
    )
    assert {f"service_level_{v}" for v in variants} <= names
    assert {
        "contacts_offered", "contacts_arrived", "contacts_answered", "contacts_abandoned",
        "answer_speed_mean", "abandonment_ratio", "talk_time_mean", "handle_time_mean",
        "contacts_waiting", "longest_wait", "agents_by_state", "contacts_open",
    } <= names  # fmt: skip


def test_every_way_to_leave_a_queue_has_a_count() -> None:
    names = {k.name for k in ALL_KPIS}
    ways = [*get_args(events.LeftOutcome)]
    ways.remove("abandoned")
    assert {f"contacts_left_{way}" for way in ways} <= names
    assert {f"entries_refused_{reason}" for reason in get_args(events.NotAdmitted)} <= names
    assert {f"offers_failed_{reason}" for reason in get_args(events.OfferEnd)} <= names
    assert set(outcomes.LEFT) == set(ways)


def test_the_registers_read_are_those_the_contacts_stage_posts() -> None:
    levels = ContactLevels()
    levels.change("c", (), [("waiting", "PS", "voice", 1_000, 2_000)])
    posted = {name for _, values in levels.take_changed() for name in values}
    assert posted == {name for kpi in FAMILIES["waiting"] for name in kpi.formula.reads()}


def test_the_registers_of_written_channels_are_posted() -> None:
    levels = ContactLevels()
    levels.change("c", (), [("unanswered", "PS", "email", 1_000, 2_000)])
    posted = {name for _, values in levels.take_changed() for name in values}
    assert set(first_response.REGISTERS) <= posted


def test_a_family_is_a_file_and_a_topic() -> None:
    for family, kpis in FAMILIES.items():
        module = f"streams.kpis.{family.replace('-', '_')}"
        assert kpis == sys.modules[module].KPIS


def test_every_state_time_adds_up_time_of_that_state_only() -> None:
    slice_ = StateSlice("Ann", "talking", None, 1, 0, 1_500)
    states = [s for s, m in agents.TIMES.items() if all(c(slice_, None) for c in m.where)]  # type: ignore[arg-type]
    assert states == ["talking"]


def test_a_cut_key_becomes_a_result_key() -> None:
    assert key_of(("queue", "PS", "voice")) == {"queue": "PS", "channel": "voice"}
    assert key_of(("agents", "PS", "idle")) == {"queue": "PS", "state": "idle"}
    assert key_of(("staff",)) == {}


def test_series_stay_bounded_per_queue() -> None:
    """Most cost nine series a pair; tests/sinks/test_series.py has the bound of all."""
    assert series().per_pair <= 450
    shown = [k for k in ALL_KPIS if k.metric]
    assert all("agent" not in k.cuts[0].dimensions for k in shown)


def test_the_same_measure_twice_is_one() -> None:
    m = Measure("m", VisitOffered, "entered_ms", "h")
    assert unique([m, m]) == (m,)
    with pytest.raises(ValueError, match="'m' is defined twice"):
        unique([m, m._replace(value="entered_ms")])


def test_definitions_are_the_same_in_another_process() -> None:
    """Nothing in them hangs on the order of a set or of the file system."""
    code = "from streams.kpis import *; print([k.name for k in ALL_KPIS])"
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={"PYTHONHASHSEED": "7", "PYTHONPATH": "."},
    )  # fmt: skip
    assert other.stdout.strip() == str([k.name for k in ALL_KPIS])


# -- what check finds

OFFERED = Measure("offered", VisitOffered, "entered_ms", "h")
COHORT = Measure("cohort_left", VisitLeft, "entered_ms", "h")
LEFT = Measure("left", VisitLeft, "left_ms", "h")
BUCKETS = Measure("wait", VisitLeft, "left_ms", "h", value="wait_ms", bounds_ms=(1, 2))
MEASURES = (OFFERED, COHORT, LEFT, BUCKETS)
READ_ALL = Kpi("all", "f", "H.", "contacts", Count(("offered", "left")), "event")
ALL_BUCKETS = Kpi("waits", "f", "H.", "contacts", Distribution(BUCKETS), "event")
LEFT_COHORT = Kpi("cohort", "f", "H.", "contacts", Count(("cohort_left",)), "cohort")
GOOD = (READ_ALL, ALL_BUCKETS, LEFT_COHORT)
GAUGE = READ_ALL._replace(name="x", metric="cc_window_contacts_x")
RATIO = READ_ALL._replace(
    name="x", unit="ratio", formula=Ratio(("left",), ("offered",)), metric="cc_window_x_ratio"
)
NOW_KPI = Kpi(
    "now", "f", "H.", "contacts", Level("waiting"), "now", windows=NOW, metric="cc_contacts_waiting"
)


def test_a_good_set_has_no_problem() -> None:
    assert check((*GOOD, GAUGE, NOW_KPI), MEASURES) == []


@pytest.mark.parametrize(
    ("kpi", "problem"),
    [
        (READ_ALL, "KPI all: the name is used 2 times"),
        (READ_ALL._replace(name="Bad"), "name is not lower case"),
        (READ_ALL._replace(name="x", family="a_b"), "cannot be part of a topic"),
        (READ_ALL._replace(name="x", help=""), "help is not a sentence"),
        (READ_ALL._replace(name="x", formula=Count(("nobody",))), "no measure produces"),
        (READ_ALL._replace(name="x", formula=Count(("-left",))), "adds nothing up"),
        (RATIO._replace(formula=Ratio(("left",), ())), "adds nothing up"),
        (RATIO._replace(formula=Ratio((), ("left",))), "adds nothing up"),
        (RATIO._replace(formula=Mean(("left",), ("offered",))), "unit 'ratio' does not fit a Mean"),
        (READ_ALL._replace(name="x", unit="percent"), "unit 'percent' does not fit"),
        (READ_ALL._replace(name="x", cuts=(STAFF,)), "has a cut that 'left' is not kept by"),
        (READ_ALL._replace(name="x", attribution="cohort"), "'left' is dated at left_ms"),
        (LEFT_COHORT._replace(name="x", attribution="event"), "is of events, but"),
        (READ_ALL._replace(name="x", attribution="vibes"), "attribution 'vibes'"),
        (READ_ALL._replace(name="x", windows=("fortnight",)), "are not some of"),
        (READ_ALL._replace(name="x", windows=NOW), "a level, and nothing else"),
        (NOW_KPI._replace(name="x", windows=("day",)), "a level, and nothing else"),
        (NOW_KPI._replace(name="x", formula=Level("nobody")), "which no stage posts"),
        (GAUGE._replace(metric="window_contacts_x"), "breaks the naming rules"),
        (GAUGE._replace(metric="cc_window_contacts_total"), "breaks the naming rules"),
        (GAUGE._replace(metric="cc_contacts_x"), "cc_window_ is the prefix"),
        (GAUGE._replace(metric="cc_window_x"), "does not name its unit"),
        (RATIO._replace(metric="cc_window_ratio_x"), "does not end in its unit"),
        (GAUGE._replace(labels=(("queue", "a"),)), "label 'queue' is taken"),
        (GAUGE._replace(labels=(("state", "a"),)), "label 'state' is taken"),
        (ALL_BUCKETS._replace(name="x", metric="cc_window_contacts_y"), "has no gauge"),
        (GAUGE._replace(cuts=(AGENT,)), "by agent, which must not become a label"),
        (GAUGE._replace(cuts=(ISSUE_TYPE, *QUEUE_AND_CHANNEL)), "by issue_type, which must not"),
        (
            READ_ALL._replace(name="x", formula=Quantile(BUCKETS, 90), unit="seconds"),
            "lies between 0 and 1",
        ),
    ],
)
def test_check_finds_what_is_wrong_with_a_kpi(kpi: Kpi, problem: str) -> None:
    assert any(problem in found for found in check((*GOOD, kpi), MEASURES))


@pytest.mark.parametrize(
    ("measure", "problem"),
    [
        (OFFERED, "measure offered: the name is used 2 times"),
        (OFFERED._replace(name="extra"), "measure extra: no KPI reads it"),
        (OFFERED._replace(name="x", at="when"), "VisitOffered has no field 'when'"),
        (OFFERED._replace(name="x", value="wait_ms"), "VisitOffered has no field 'wait_ms'"),
        (OFFERED._replace(name="x", where=(Is("mood", 1),)), "VisitOffered has no field 'mood'"),
        (OFFERED._replace(name="x", cuts=(Cut("c", ("agent",)),)), "has no field 'agent'"),
        (LEFT._replace(name="cohort_x"), "says cohort, but it is dated"),
        (BUCKETS._replace(name="x", bounds_ms=(2, 1)), "rising bounds"),
        (BUCKETS._replace(name="x", value=None), "buckets need a value"),
        (OFFERED._replace(name="x", cuts=(Cut("queue", ("queue",)),)), "cut queue: has 2"),
    ],
)
def test_check_finds_what_is_wrong_with_a_measure(measure: Measure, problem: str) -> None:
    assert any(problem in found for found in check(GOOD, (*MEASURES, measure)))


def test_two_kpis_may_share_a_metric_only_if_labels_tell_them_apart() -> None:
    a = GAUGE._replace(name="a", labels=(("variant", "a"),))
    b = GAUGE._replace(name="b", labels=(("variant", "b"),))
    assert check((*GOOD, a, b), MEASURES) == []
    for clash in (
        b._replace(labels=a.labels),
        b._replace(labels=(("kind", "b"),)),
        b._replace(windows=("day",)),
        b._replace(cuts=QUEUE_AND_CHANNEL[:1]),
    ):
        assert any("cannot be told apart" in p for p in check((*GOOD, a, clash), MEASURES))


if __name__ == "__main__":
    raise SystemExit(record(sys.argv[1:]))
