"""The weekday profile: weeks an analyst can count on fingers, and laws against a dumb oracle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.kpi import (
    Average,
    Count,
    Distribution,
    Formula,
    Level,
    Mean,
    Quantile,
    Ratio,
    Total,
)
from streams.core.profile import (
    Cell,
    HourResult,
    Period,
    can_profile,
    hours_of,
    period_of,
    profile,
    slot_at,
    whole,
    written,
)
from streams.kpis import ALL_KPIS, ALL_MEASURES

HOUR = 3_600_000
BERLIN = "Europe/Berlin"
ZONES = (BERLIN, "UTC", "Asia/Kolkata", "Australia/Lord_Howe", "America/New_York")
MON, TUE, SAT, SUN = 0, 1, 5, 6
COUNT, RATIO = Count(("a",)), Ratio(("a",), ("b",))


def at(text: str, zone: str = BERLIN, fold: int = 0) -> int:
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return round(local.timestamp() * 1000)


def weeks_before(text: str, weeks: int, zone: str = BERLIN) -> Period:
    return period_of(lambda ms: zone, at(text, zone), weeks)


def berlin(ms: int) -> str:
    return BERLIN


def test_a_count_is_a_mean_over_all_hours_of_the_name_also_those_without_a_result() -> None:
    period = weeks_before("2026-10-05T08:20", 4)
    results = [HourResult(at(f"2026-{day}T10:00"), n) for day, n in (("09-07", 8), ("09-28", 2))]
    cells = profile(COUNT, results, period, berlin)
    assert cells[MON, 10] == Cell(2.5, 4, 10, 0)
    assert cells[TUE, 10] == Cell(0, 4, 0, 0)
    assert len(cells) == 7 * 24


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        (RATIO, 0.3),
        (Mean(("a",), ("b",)), 0.0003),
        (Average(("a",), ("b",)), 0.3),
        (Average(("a",), ("b",), divisor=2, times=100), 15.0),
        (Total(("a",)), 0.0015),
        (Distribution(ALL_MEASURES[0]), 1.5),
    ],
)
def test_each_formula_pools_in_its_own_way(formula: Formula, value: float) -> None:
    period = weeks_before("2026-10-05T08:00", 2)
    hours = [("09-21", 1, 9), ("09-28", 2, 1)]
    results = [HourResult(at(f"2026-{day}T10:00"), over, under) for day, over, under in hours]
    found = profile(formula, results, period, berlin)[MON, 10]
    assert found.value == pytest.approx(value)
    assert found.hours == 2


def test_a_ratio_is_pooled_and_says_nothing_of_hours_without_a_result() -> None:
    period = weeks_before("2026-10-05T08:00", 4)
    results = [
        HourResult(at("2026-09-21T10:00"), 0, 1),
        HourResult(at("2026-09-28T10:00"), 9, 9),
        HourResult(at("2026-09-28T11:00"), 0, 0),
    ]
    cells = profile(RATIO, results, period, berlin)
    assert cells[MON, 10] == Cell(0.9, 2, 9, 10)
    assert cells[MON, 11] == Cell(None, 1, 0, 0)
    assert cells[MON, 12] == Cell(None, 0, 0, 0)


def test_the_period_is_whole_weeks_before_the_running_hour() -> None:
    assert weeks_before("2026-10-05T08:59", 1) == (at("2026-09-28T08:00"), at("2026-10-05T08:00"))
    # By the clock on the wall: an hour longer than a week, in autumn.
    autumn = weeks_before("2026-10-26T08:00", 1)
    assert autumn == (at("2026-10-19T08:00"), at("2026-10-26T08:00"))
    assert autumn.end_ms - autumn.start_ms == 169 * HOUR


def test_the_period_begins_with_the_first_result_of_all() -> None:
    begun = at("2026-10-02T09:30")
    assert period_of(berlin, at("2026-10-05T08:00"), 4, begun).start_ms == at("2026-10-02T09:00")
    assert period_of(berlin, at("2026-09-05T08:00"), 4, begun) == (at("2026-09-05T08:00"),) * 2


def test_results_outside_the_period_do_not_count() -> None:
    period = weeks_before("2026-10-05T10:30", 1)
    results = [HourResult(at(f"2026-{day}T10:00"), 7) for day in ("09-21", "09-28", "10-05")]
    assert profile(COUNT, results, period, berlin)[MON, 10] == Cell(7, 1, 7, 0)


def test_the_hour_that_is_there_twice_is_two_hours_of_one_name() -> None:
    period = weeks_before("2026-10-26T08:00", 2)
    results = [
        HourResult(at("2026-10-18T02:00"), 1),
        HourResult(at("2026-10-25T02:00"), 2),
        HourResult(at("2026-10-25T02:00", fold=1), 6),
    ]
    cells = profile(COUNT, results, period, berlin)
    assert cells[SUN, 2] == Cell(3, 3, 9, 0)
    assert cells[SUN, 3].hours == cells[SAT, 2].hours == 2


def test_the_hour_that_is_left_out_is_none() -> None:
    cells = profile(COUNT, [], weeks_before("2026-03-30T08:00", 1), berlin)
    assert (SUN, 2) not in cells
    assert cells[SUN, 3].hours == 1


def test_a_result_the_zone_of_today_would_not_cut_is_an_hour_all_the_same() -> None:
    results = [HourResult(at("2026-10-05T10:30", "UTC"), 5)]
    period = weeks_before("2026-10-12T00:00", 1, "UTC")
    assert profile(COUNT, results, period, lambda ms: "UTC")[MON, 10] == Cell(2.5, 2, 5, 0)


def test_quantiles_and_states_do_not_follow_from_hours() -> None:
    histogram = next(k.formula for k in ALL_KPIS if isinstance(k.formula, Distribution)).histogram
    assert not can_profile(Quantile(histogram, 0.9))
    with pytest.raises(ValueError, match="cannot be put together"):
        profile(Level("a"), [], Period(0, 0), berlin)


@given(st.integers(0, 10**12))
def test_milliseconds_survive_being_written_as_seconds(ms: int) -> None:
    for formula in (Mean((), ()), Total(()), COUNT):
        assert whole(formula, written(formula, ms)) == ms


# -- laws


def every_minute(zone: str, period: Period) -> dict[tuple[int, int], set[object]]:
    """Slot -> the hours of that name, told apart by date and offset; the dumb way."""
    found: dict[tuple[int, int], set[object]] = {}
    for ms in range(period.start_ms, period.end_ms, 900_000):
        local = datetime.fromtimestamp(ms / 1000, UTC).astimezone(ZoneInfo(zone))
        hour = (local.date(), local.hour, local.utcoffset())
        found.setdefault((local.weekday(), local.hour), set()).add(hour)
    return found


FIRST = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.integers(0, 365 * 24 * 60 - 1).map(
    lambda n: round((FIRST + timedelta(minutes=n)).timestamp() * 1000)
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, Period, list[HourResult]]:
    """A zone, a period and results of some of its hours and of the two after it."""
    zone = draw(st.sampled_from(ZONES))
    period = period_of(lambda ms: zone, draw(moments), draw(st.integers(1, 5)))
    hours = [*hours_of(lambda ms: zone, period), period.end_ms, period.end_ms + HOUR]
    starts = draw(st.sets(st.sampled_from(hours), max_size=40))
    amounts = st.integers(0, 9)
    return zone, period, [HourResult(s, draw(amounts), draw(amounts)) for s in starts]


@given(cases())
def test_what_the_table_says_times_its_hours_is_what_the_hours_said(
    case: tuple[str, Period, list[HourResult]],
) -> None:
    zone, period, results = case
    cells = profile(COUNT, results, period, lambda ms: zone)
    total = sum(Fraction(c.value or 0).limit_denominator(100) * c.hours for c in cells.values())
    assert total == sum(r.numerator for r in results if r.start_ms < period.end_ms)


@given(cases())
def test_every_cell_is_what_counting_by_hand_gives(
    case: tuple[str, Period, list[HourResult]],
) -> None:
    zone, period, results = case
    within = [r for r in results if r.start_ms < period.end_ms]
    by_hand = {slot: len(hours) for slot, hours in every_minute(zone, period).items()}
    counts = profile(COUNT, results, period, lambda ms: zone)
    assert {slot: cell.hours for slot, cell in counts.items()} == by_hand
    for slot, cell in profile(RATIO, results, period, lambda ms: zone).items():
        mine = [r for r in within if slot_at(zone, r.start_ms) == slot]
        over, under = sum(r.numerator for r in mine), sum(r.denominator for r in mine)
        assert cell == (over / under if under else None, len(mine), over, under)
        assert counts[slot].value == over / by_hand[slot]
