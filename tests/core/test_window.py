"""Windows and the calendar: half-open, local, right on the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.calendar import QUARTER_MS, day_at
from streams.core.measure import CHANNEL, QUEUE, STAFF, Cut
from streams.core.terms import DAY_MS, HOUR_MS, MINUTE_MS, Dated, QueueTerms, Terms
from streams.core.window import Windows, local_hour, spans_at
from tests.boards.account import end_of, starts

BERLIN, NEW_YORK, KOLKATA = "Europe/Berlin", "America/New_York", "Asia/Kolkata"
LORD_HOWE, CAIRO, HAVANA, APIA = (
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/Havana",
    "Pacific/Apia",
)
ZONES = ("UTC", BERLIN, NEW_YORK, KOLKATA, LORD_HOWE, CAIRO, HAVANA, "Asia/Kathmandu")


def at(text: str) -> int:
    """ISO 8601, UTC unless it says so, as epoch ms."""
    time = datetime.fromisoformat(text)
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()) * 1000


@pytest.mark.parametrize(
    ("zone", "inside", "start", "quarters", "hours"),
    [
        ("UTC", "2026-10-05T12:00", "2026-10-05T00:00", 96, 24),
        (BERLIN, "2026-10-05T12:00", "2026-10-04T22:00", 96, 24),
        (BERLIN, "2026-03-29T12:00", "2026-03-28T23:00", 92, 23),
        (BERLIN, "2026-10-25T12:00", "2026-10-24T22:00", 100, 25),
        (NEW_YORK, "2026-03-08T12:00", "2026-03-08T05:00", 92, 23),
        (NEW_YORK, "2026-11-01T12:00", "2026-11-01T04:00", 100, 25),
        (KOLKATA, "2026-03-29T12:00", "2026-03-28T18:30", 96, 24),
        # Clocks move by half an hour: one hour of the day is a half one.
        (LORD_HOWE, "2026-10-03T20:00", "2026-10-03T13:30", 94, 24),
        (LORD_HOWE, "2026-04-04T20:00", "2026-04-04T13:00", 98, 25),
        # 00:00 is skipped: the day begins at 01:00.
        (CAIRO, "2026-04-24T12:00", "2026-04-23T22:00", 92, 23),
        # 00:00 is there twice: the day begins at the first.
        (HAVANA, "2026-11-01T12:00", "2026-11-01T04:00", 100, 25),
        # 2011-12-30 was left out: the 29th ends where the 31st begins.
        (APIA, "2011-12-30T09:59", "2011-12-29T10:00", 96, 24),
        (APIA, "2011-12-30T10:00", "2011-12-30T10:00", 96, 24),
    ],
)
def test_days(zone: str, inside: str, start: str, quarters: int, hours: int) -> None:
    day = day_at(zone, at(inside))
    assert day.start_ms == at(start)
    assert (day.end_ms - day.start_ms) // QUARTER_MS == quarters
    assert len(day.hours) == hours


@pytest.mark.parametrize(
    ("zone", "midnight"), [(BERLIN, "2026-03-28T23:00"), ("UTC", "2026-03-29")]
)
def test_midnight_belongs_to_the_day_that_begins(zone: str, midnight: str) -> None:
    border = at(midnight)
    assert day_at(zone, border).start_ms == border
    assert day_at(zone, border - 1).end_ms == border


def test_hours_are_local() -> None:
    """In Kolkata an hour begins at half past of UTC; where all is at full hours it is UTC's."""
    _, hour, _ = spans_at(KOLKATA, at("2026-10-05T10:15"))
    assert (hour.start_ms, hour.end_ms) == (at("2026-10-05T09:30"), at("2026-10-05T10:30"))
    assert local_hour(hour) == 15
    _, hour, _ = spans_at(BERLIN, at("2026-10-05T10:15"))
    assert (hour.start_ms, local_hour(hour)) == (at("2026-10-05T10:00"), 12)


def test_the_hour_that_is_there_twice_is_two_hours() -> None:
    first, second = at("2026-10-25T00:30"), at("2026-10-25T01:30")
    assert [local_hour(spans_at(BERLIN, t)[1]) for t in (first, second)] == [2, 2]
    assert spans_at(BERLIN, first)[1].end_ms == spans_at(BERLIN, second)[1].start_ms


def test_the_hour_that_is_skipped_is_none() -> None:
    hours = [hour.hour for hour in day_at(BERLIN, at("2026-03-29T12:00")).hours]
    assert hours == [0, 1, *range(3, 24)]


def test_half_an_hour_is_an_hour_where_clocks_move_by_half() -> None:
    hours = day_at(LORD_HOWE, at("2026-10-03T20:00")).hours
    lengths = {hour.hour: hour.end_ms - hour.start_ms for hour in hours}
    assert lengths[2] == HOUR_MS // 2
    assert all(length == HOUR_MS for hour, length in lengths.items() if hour != 2)


def test_the_zone_is_the_queues_when_the_quarter_begins() -> None:
    change = at("2026-10-04T22:00")
    dated = [Dated(0, QueueTerms(zone=BERLIN)), Dated(change, QueueTerms(zone=KOLKATA))]
    terms = Terms(QueueTerms(zone=NEW_YORK), {"A": dated})
    agents = Cut("agents", ("state", "queue"))
    windows = Windows(terms, (QUEUE, CHANNEL, STAFF, agents))
    for cut, time_ms, zone in (
        (("queue", "A", "voice"), change - 1, BERLIN),
        (("queue", "A", "voice"), change, KOLKATA),
        (("agents", "idle", "A"), change, KOLKATA),
        (("queue", "other", "voice"), change, NEW_YORK),
        (("channel", "A"), change, NEW_YORK),
        (("staff",), change, NEW_YORK),
        (("unheard-of", "A"), change, NEW_YORK),
    ):
        day = windows.of(cut, time_ms // MINUTE_MS)[2]
        assert (day.zone, day.start_ms) == (zone, day_at(zone, time_ms).start_ms)


# Two years with every change of clocks, and the odd one out.
minutes = st.integers(at("2025-01-01") // MINUTE_MS, at("2027-01-01") // MINUTE_MS)


@given(st.sampled_from(ZONES), minutes)
def test_a_minute_lies_in_one_window_of_each_kind(zone: str, minute: int) -> None:
    """Equal to going through the minutes one by one and looking at the clock on the wall."""
    spans = spans_at(zone, minute * MINUTE_MS // QUARTER_MS * QUARTER_MS)
    assert [(s.kind, s.start_ms) for s in spans] == starts(zone, minute)
    assert [s.end_ms for s in spans] == [end_of(zone, s.kind, s.start_ms) for s in spans]
    assert all(s.start_ms <= minute * MINUTE_MS < s.end_ms for s in spans)


@given(st.sampled_from(ZONES), minutes)
def test_days_follow_one_another_without_gaps(zone: str, minute: int) -> None:
    day = day_at(zone, minute * MINUTE_MS)
    assert day_at(zone, day.end_ms).start_ms == day.end_ms
    assert abs(day.end_ms - day.start_ms - DAY_MS) <= HOUR_MS
    borders = [day.start_ms, *(hour.end_ms for hour in day.hours)]
    assert [hour.start_ms for hour in day.hours] == borders[:-1]
    assert borders[-1] == day.end_ms


@given(st.sampled_from(ZONES), minutes)
def test_the_date_is_that_of_the_first_instant(zone: str, minute: int) -> None:
    tz, day = ZoneInfo(zone), day_at(zone, minute * MINUTE_MS)
    dates = [
        datetime.fromtimestamp(ms / 1000, tz).date()
        for ms in (day.start_ms - 1, day.start_ms, minute * MINUTE_MS, day.end_ms - 1, day.end_ms)
    ]
    assert dates[0] < dates[1] == dates[2] == dates[3] < dates[4]
