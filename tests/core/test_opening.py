"""Opening hours: what one would count on the wall's clock, also when clocks change."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.calendar import stretches_of
from streams.core.opening import ALL_DAY, ALWAYS, DayHours, Era, OpenHours, Opening, Week
from streams.core.terms import DAY_MS, HOUR_MS, MINUTE_MS

BERLIN, NEW_YORK, LORD_HOWE, CAIRO = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
)
OFFICE: DayHours = (OpenHours(9 * 60, 17 * 60),)
SHOP: DayHours = (OpenHours(9 * 60, 12 * 60), OpenHours(13 * 60, 18 * 60))
NIGHT: DayHours = (OpenHours(22 * 60, 30 * 60),)
EVER = date.min


def weekdays(hours: DayHours) -> Week:
    return (hours, hours, hours, hours, hours, (), ())


def every_day(hours: DayHours) -> Week:
    return (hours,) * 7


def at(text: str, zone: str, fold: int = 0) -> int:
    """What the clock on the wall says, as epoch ms; ``fold`` 1 is the second of two."""
    time = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return round(time.timestamp() * 1000)


def opening(week: Week, zone: str = BERLIN, *special: tuple[date, DayHours]) -> Opening:
    return Opening(zone, (Era(EVER, week),), special)


def minutes(calendar: Opening, start: str, end: str) -> int:
    start_ms, end_ms = at(start, calendar.zone), at(end, calendar.zone)
    open_ms = calendar.between_ms(start_ms, end_ms)
    assert open_ms % MINUTE_MS == 0
    return open_ms // MINUTE_MS


# -- what an analyst would write down


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-10-05T10:00", "2026-10-05T10:30", 30),  # within one morning
        ("2026-10-05T11:30", "2026-10-05T13:30", 60),  # lunch does not count
        ("2026-10-05T20:00", "2026-10-06T09:10", 10),  # comes in the evening: the clock starts at 9
        ("2026-10-05T20:00", "2026-10-05T23:00", 0),  # asked and answered while closed
        ("2026-10-09T17:50", "2026-10-12T09:05", 15),  # over a weekend
        ("2026-10-05T00:00", "2026-10-12T00:00", 5 * 480),  # a week
        ("2026-10-05T10:00", "2026-10-05T10:00", 0),
        ("2026-10-05T11:00", "2026-10-05T10:00", 0),
    ],
)
def test_only_open_time_counts(start: str, end: str, expected: int) -> None:
    assert minutes(opening(weekdays(SHOP)), start, end) == expected


@pytest.mark.parametrize(
    ("zone", "start", "end", "hours"),
    [
        (BERLIN, "2026-03-28T22:00", "2026-03-29T06:00", 7),
        (BERLIN, "2026-10-24T22:00", "2026-10-25T06:00", 9),
        (NEW_YORK, "2026-03-07T22:00", "2026-03-08T06:00", 7),
        (NEW_YORK, "2026-10-31T22:00", "2026-11-01T06:00", 9),
        (LORD_HOWE, "2026-10-03T22:00", "2026-10-04T06:00", 7.5),
        (LORD_HOWE, "2026-04-04T22:00", "2026-04-05T06:00", 8.5),
        (CAIRO, "2026-04-23T22:00", "2026-04-24T06:00", 7),  # 00:00 is skipped
        (CAIRO, "2026-10-29T22:00", "2026-10-30T06:00", 9),  # 23:00 is there twice
    ],
)
def test_a_night_shift_is_as_long_as_the_night(
    zone: str, start: str, end: str, hours: float
) -> None:
    night = opening(every_day(NIGHT), zone)
    assert minutes(night, start, end) == hours * 60
    before = at(start, zone) - HOUR_MS
    assert night.between_ms(before, at(end, zone) + HOUR_MS) == hours * HOUR_MS


def test_a_ticket_of_winter_time_is_timed_by_winters_rules() -> None:
    """Not today's offset for all of history."""
    office = opening(weekdays(OFFICE))
    assert office.next_open_ms(at("2026-03-27T20:00", BERLIN)) == at("2026-03-30T09:00", BERLIN)
    assert datetime.fromtimestamp(at("2026-03-30T09:00", BERLIN) / 1000, UTC).hour == 7
    assert minutes(office, "2026-03-27T16:00", "2026-03-30T10:00") == 120
    assert minutes(office, "2026-01-01T00:00", "2026-04-01T00:00") == 64 * 480


def test_a_border_inside_the_repeated_hour_is_passed_twice() -> None:
    early = opening(every_day((OpenHours(0, 150),)))  # to 02:30
    assert minutes(early, "2026-10-25T00:00", "2026-10-25T12:00") == 180
    found = [
        early.is_open(at(f"2026-10-25T{text}", BERLIN, fold))
        for fold in (0, 1)
        for text in ("02:00", "02:29", "02:30", "02:59")
    ]
    assert found == [True, True, False, False] * 2


def test_an_opening_that_is_skipped_by_the_clock_is_at_the_change() -> None:
    late = opening(every_day((OpenHours(150, 300),)))  # 02:30 to 05:00
    change = at("2026-03-29T03:00", BERLIN)
    assert late.next_open_ms(change - HOUR_MS) == change
    assert minutes(late, "2026-03-29T00:00", "2026-03-29T12:00") == 120


def test_holidays_and_special_days_replace_the_days_hours() -> None:
    eve = (date(2026, 12, 24), (OpenHours(540, 720),))
    christmas = opening(weekdays(OFFICE), BERLIN, eve, (date(2026, 12, 25), ()))
    assert minutes(christmas, "2026-12-23T16:00", "2026-12-28T10:00") == 60 + 180 + 60
    assert christmas.next_open_ms(at("2026-12-24T12:00", BERLIN)) == at("2026-12-28T09:00", BERLIN)
    sunday = opening(weekdays(OFFICE), BERLIN, (date(2026, 10, 4), OFFICE))
    assert minutes(sunday, "2026-10-04T00:00", "2026-10-05T00:00") == 480


def test_hours_past_midnight_belong_to_the_date_on_which_they_begin() -> None:
    friday = date(2026, 10, 9)
    weekend = "2026-10-09T12:00", "2026-10-11T12:00"
    fridays = opening(((), (), (), (), NIGHT, (), ()))
    assert minutes(fridays, *weekend) == 480
    saturday_off = opening(weekdays(NIGHT), BERLIN, (friday + timedelta(1), ()))
    assert minutes(saturday_off, *weekend) == 480
    friday_off = opening(weekdays(NIGHT), BERLIN, (friday, ()))
    assert minutes(friday_off, *weekend) == 0


def test_hours_that_overlap_over_midnight_count_once() -> None:
    week = ((), (), (), (), NIGHT, (OpenHours(300, 600),), ())
    assert minutes(opening(week), "2026-10-09T12:00", "2026-10-11T12:00") == 12 * 60


def test_other_hours_from_a_date_on() -> None:
    longer = Opening(
        BERLIN,
        (Era(EVER, weekdays(OFFICE)), Era(date(2027, 1, 1), weekdays((OpenHours(480, 1_080),)))),
    )
    assert minutes(longer, "2026-12-31T00:00", "2027-01-01T00:00") == 480
    assert minutes(longer, "2027-01-01T00:00", "2027-01-02T00:00") == 600
    later = Opening(BERLIN, (Era(date(2027, 1, 1), every_day(ALL_DAY)),))
    assert minutes(later, "2026-12-31T00:00", "2027-01-01T00:05") == 5


def test_round_the_clock_is_plain_time() -> None:
    start, end = at("2026-03-28T12:00", BERLIN), at("2026-11-01T12:00", BERLIN)
    for always in (ALWAYS, opening(every_day(ALL_DAY)), opening(every_day(ALL_DAY), CAIRO)):
        assert always.between_ms(start + 1, end) == end - start - 1
        assert always.is_open(start)
        assert always.next_open_ms(start) == start
        assert always.between_ms(end, start) == 0


def test_what_never_opens_has_no_next_opening() -> None:
    never = opening(every_day(()))
    start = at("2026-03-28T12:00", BERLIN)
    assert never.next_open_ms(start) is None
    assert never.between_ms(start, start + 100 * DAY_MS) == 0
    next_year = opening(every_day(()), BERLIN, (date(2027, 3, 28), OFFICE))
    assert next_year.next_open_ms(start) == at("2027-03-28T09:00", BERLIN)


def test_a_date_that_was_left_out_is_left_out() -> None:
    """Samoa had no 2011-12-30."""
    samoa = opening(every_day(OFFICE), "Pacific/Apia")
    assert minutes(samoa, "2011-12-29T00:00", "2012-01-01T00:00") == 2 * 480


def test_clocks_that_change_at_odd_seconds_are_cut_there() -> None:
    """St. John's put its clock back at 00:01."""
    utc_day = at("2010-11-07T12:00", "UTC") // DAY_MS
    cut = [s.start_ms for s in stretches_of("America/St_Johns", utc_day)]
    assert cut[1:] == [at("2010-11-07T02:31", "UTC")]


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        ("2026-10-05T10:00", 1, "2026-10-05T11:00"),
        ("2026-10-05T20:00", 0, "2026-10-06T09:00"),  # comes in the evening
        ("2026-10-05T09:00", 8, "2026-10-06T09:00"),  # all day: late only when it is open again
        ("2026-10-09T16:00", 2, "2026-10-12T10:00"),  # over a weekend
        ("2026-03-27T16:00", 9, "2026-03-31T09:00"),  # and over a change of clocks
    ],
)
def test_what_is_due_in_open_time_is_late_after(start: str, hours: int, expected: str) -> None:
    office = opening(weekdays(OFFICE))
    assert office.after_ms(at(start, BERLIN), hours * HOUR_MS) == at(expected, BERLIN)


def test_nothing_is_due_where_it_never_opens() -> None:
    assert opening(every_day(())).after_ms(0, 0) is None
    assert ALWAYS.after_ms(5, 7) == 12


# -- values


def test_equal_hours_are_equal_and_copies_are_too() -> None:
    one, two = opening(weekdays(SHOP)), opening(weekdays(SHOP))
    one.is_open(0)
    assert (one, hash(one)) == (two, hash(two))
    assert one != opening(weekdays(SHOP), CAIRO)
    for other in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert other == one
        assert minutes(other, "2026-10-05T11:30", "2026-10-05T13:30") == 60


@pytest.mark.parametrize(
    ("eras", "special"),
    [
        ((Era(date(2027, 1, 1), every_day(())), Era(date(2026, 1, 1), every_day(()))), ()),
        ((Era(EVER, every_day(())), Era(EVER, every_day(()))), ()),
        ((), ((date(2026, 1, 1), ()), (date(2026, 1, 1), OFFICE))),
        ((Era(EVER, every_day((OpenHours(-1, 5),))),), ()),
        ((Era(EVER, every_day((OpenHours(1_440, 1_500),))),), ()),
        ((Era(EVER, every_day((OpenHours(540, 540),))),), ()),
        ((), ((date(2026, 1, 1), (OpenHours(540, 1_981),)),)),
    ],
)
def test_what_is_no_calendar_is_refused(
    eras: tuple[Era, ...], special: tuple[tuple[date, DayHours], ...]
) -> None:
    with pytest.raises(ValueError, match="must"):
        Opening("UTC", eras, special)


# -- laws

STEP_MS = 5 * MINUTE_MS


def any_of(start: int, stop: int) -> st.SearchStrategy[int]:
    """Each as often as the next: ``integers`` prefers small ones, and so days and blocks whole."""
    return st.sampled_from(range(start, stop))


TIMES = st.builds(lambda days, ms: days * DAY_MS + ms, any_of(-200, 200), st.integers(0, DAY_MS))
"""ms before and after a midnight."""
NIGHTS = [
    (zone, datetime.fromisoformat(day))
    for zone, days in {
        BERLIN: ("2026-03-29", "2026-10-25"),
        NEW_YORK: ("2026-03-08", "2026-11-01"),
        LORD_HOWE: ("2026-04-05", "2026-10-04"),
        CAIRO: ("2026-04-24", "2026-10-30"),
        "Asia/Kathmandu": ("2026-06-01",),
    }.items()
    for day in days
]


@st.composite
def hours(draw: st.DrawFn) -> DayHours:
    """Up to three spans at multiples of five minutes; they may overlap and pass midnight."""
    starts = draw(st.lists(any_of(0, 288), max_size=3))
    return tuple(OpenHours(5 * s, 5 * (s + draw(any_of(1, 289)))) for s in starts)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Opening, int]:
    """Any hours, and the midnight (of UTC) of a date on which its clock changes."""
    zone, night = draw(st.sampled_from(NIGHTS))
    weeks = st.tuples(*[hours()] * 7)
    days = st.integers(-3, 3).map(lambda n: night.date() + timedelta(n))
    eras = [Era(EVER, draw(weeks))]
    eras += draw(st.lists(st.builds(Era, days, weeks), max_size=1))
    special = draw(st.dictionaries(days, hours(), max_size=3))
    midnight_ms = round(night.replace(tzinfo=UTC).timestamp()) * 1000
    return Opening(zone, tuple(eras), tuple(special.items())), midnight_ms


def looked_up(calendar: Opening, time_ms: int) -> bool:
    """The oracle: look at the wall's clock, then at the hours of its date and the date before."""
    wall = datetime.fromtimestamp(time_ms / 1000, ZoneInfo(calendar.zone))
    minute = wall.hour * 60 + wall.minute
    return any(
        start <= minute + past < end
        for day, past in ((wall.date(), 0), (wall.date() - timedelta(1), 1_440))
        for start, end in hours_of(calendar, day)
    )


def hours_of(calendar: Opening, day: date) -> DayHours:
    if day in dict(calendar.special_days):
        return dict(calendar.special_days)[day]
    return [era for era in calendar.eras if era.since <= day][-1].week[day.weekday()]


@given(calendars(), any_of(-400, 400), any_of(0, 700))
def test_open_time_is_that_of_looking_every_five_minutes(
    made: tuple[Opening, int], first: int, steps: int
) -> None:
    calendar, midnight_ms = made
    start = midnight_ms + first * STEP_MS
    times = range(start, start + steps * STEP_MS, STEP_MS)
    looked = [looked_up(calendar, time) for time in times]
    assert [calendar.is_open(time) for time in times] == looked
    assert calendar.between_ms(start, times.stop) == STEP_MS * sum(looked)
    if True in looked:
        assert calendar.next_open_ms(start) == times[looked.index(True)]
    else:
        following = calendar.next_open_ms(start)
        assert following is None or following >= times.stop


@given(calendars(), st.lists(TIMES, min_size=3, max_size=3).map(sorted))
def test_open_time_adds_up(made: tuple[Opening, int], times: list[int]) -> None:
    calendar, midnight_ms = made
    a, b, c = (midnight_ms + time for time in times)
    parts = [calendar.between_ms(x, y) for x, y in pairwise((a, b, c))]
    assert sum(parts) == calendar.between_ms(a, c)
    assert all(0 <= part <= y - x for part, (x, y) in zip(parts, pairwise((a, b, c)), strict=True))
    assert calendar.between_ms(a, a + 1) == calendar.is_open(a)


@given(calendars(), any_of(-2 * DAY_MS, 2 * DAY_MS))
def test_nothing_is_open_before_the_next_opening(made: tuple[Opening, int], offset: int) -> None:
    calendar, midnight_ms = made
    time = midnight_ms + offset
    following = calendar.next_open_ms(time)
    if following is None:
        assert not any(calendar.is_open(time + n * STEP_MS) for n in range(8 * 288))
    else:
        assert calendar.is_open(following)
        assert calendar.between_ms(time, following) == 0


@given(calendars(), any_of(-2 * DAY_MS, 2 * DAY_MS), any_of(0, 60 * HOUR_MS))
def test_after_open_time_is_the_open_instant_with_it_behind(
    made: tuple[Opening, int], offset: int, open_ms: int
) -> None:
    calendar, midnight_ms = made
    start = midnight_ms + offset
    late = calendar.after_ms(start, open_ms)
    if late is None:
        assert calendar.between_ms(start, start + 390 * DAY_MS) <= open_ms
    else:
        assert calendar.is_open(late)
        assert calendar.between_ms(start, late) == open_ms
