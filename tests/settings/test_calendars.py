"""Opening hours by name, from TOML to the terms of queues."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from streams.core.opening import ALWAYS, OpenHours, Opening
from streams.core.terms import MINUTE_MS, Terms
from streams.errors import SettingsError
from streams.settings import load


def at(text: str) -> int:
    """ISO 8601, UTC unless it says so, as epoch ms."""
    time = datetime.fromisoformat(text)
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()) * 1000


def terms(folder: Path, text: str) -> Terms:
    (folder / "contact-streams.toml").write_text(text)
    return load({}, folder=folder).terms()


def office(folder: Path, text: str) -> Opening:
    """The calendar ``Office``, as the default queue has it."""
    return terms(folder, f'[defaults]\ncalendar = "Office"\n{text}').default.opening


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        terms(folder, text)
    return list(raised.value.problems)


def test_what_is_written_is_what_is_open(tmp_path: Path) -> None:
    found = office(
        tmp_path,
        """
        [calendars."Office"]
        zone = "Europe/Berlin"
        monday = ["13:00-17:00", " 09:00-12:00"]
        friday = ["22:00-06:00"]
        saturday = ["20:00-24:00", "18:30-20:00"]
        sunday = ["20:00-00:00"]
        holidays = ["2026-12-25", 2026-12-26]
        [calendars."Office".special_days]
        "2026-12-24" = ["09:00-12:00"]
        2026-12-31 = []
        [[calendars."Office".since]]
        from = "2027-01-01"
        friday = ["00:00-24:00"]
        [[calendars."Office".since]]
        from = 2027-02-01
        monday = []
        """,
    )
    assert found.zone == "Europe/Berlin"
    first, second, third = (era.week for era in found.eras)
    assert [era.since for era in found.eras[1:]] == [date(2027, 1, 1), date(2027, 2, 1)]
    monday = (OpenHours(540, 720), OpenHours(780, 1_020))
    saturday = (OpenHours(1_110, 1_200), OpenHours(1_200, 1_440))
    sunday = (OpenHours(1_200, 1_440),)
    assert first == (monday, (), (), (), (OpenHours(1_320, 1_800),), saturday, sunday)
    assert second == (monday, (), (), (), (OpenHours(0, 1_440),), saturday, sunday)
    assert third == ((), (), (), (), (OpenHours(0, 1_440),), saturday, sunday)
    assert found.special_days == (
        (date(2026, 12, 24), (OpenHours(540, 720),)),
        (date(2026, 12, 25), ()),
        (date(2026, 12, 26), ()),
        (date(2026, 12, 31), ()),
    )


def test_a_calendar_without_a_zone_has_the_default_one(tmp_path: Path) -> None:
    text = '[defaults]\nzone = "Asia/Tokyo"\n[queues.PS]\nzone = "Europe/Berlin"\ncalendar = "A"\n'
    found = terms(tmp_path, text + '[calendars.A]\nmonday = ["09:00-17:00"]\n').at("PS", 0)
    assert (found.zone, found.opening.zone) == ("Europe/Berlin", "Asia/Tokyo")


def test_queues_take_a_calendar_from_a_date_on(tmp_path: Path) -> None:
    found = terms(
        tmp_path,
        """
        [defaults]
        calendar = "Office"
        [calendars.Office]
        monday = ["09:00-17:00"]
        [calendars.Night]
        monday = ["22:00-06:00"]
        [queues.PS]
        [queues.CS]
        calendar = ""
        [[queues.CS.since]]
        from = "2026-11-01"
        calendar = "Night"
        [[queues.CS.since]]
        from = "2026-12-01"
        zone = "Europe/Berlin"
        """,
    )
    before, after = at("2026-10-31T23:59:59"), at("2026-11-01")
    assert found.at("other", 0).opening.eras[0].week[0] == (OpenHours(540, 1_020),)
    assert found.at("PS", after).opening == found.default.opening
    assert found.at("CS", before).opening == ALWAYS
    assert found.at("CS", after).opening.eras[0].week[0] == (OpenHours(1_320, 1_800),)
    assert found.at("CS", at("2026-12-02")).opening == found.at("CS", after).opening


def test_a_mail_of_friday_evening_waits_from_monday_morning(tmp_path: Path) -> None:
    """Over the night in which clocks go forward, with a holiday on Monday."""
    found = office(
        tmp_path,
        """
        [calendars.Office]
        zone = "Europe/Berlin"
        monday = ["09:00-17:00"]
        tuesday = ["09:00-17:00"]
        friday = ["09:00-17:00"]
        holidays = ["2026-03-30"]
        """,
    )
    asked, answered = at("2026-03-27T16:50+01:00"), at("2026-03-31T09:20+02:00")
    assert found.between_ms(asked, answered) == 30 * MINUTE_MS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[calendars]\nA = 1", "calendars.'A': must be a table: [calendars.\"NAME\"]"),
        ('[calendars.""]\nmonday = ["09:00-17:00"]', "a calendar's name has 1 to 120 characters"),
        ("[calendars.A]", "calendars.'A': is never open; name hours, such as monday ="),
        ("[calendars.A]\nmonday = []\nholidays = [2026-12-25]", "is never open"),
        ("[calendars.A]\nmondy = []", ".mondy: there is no such setting; did you mean monday?"),
        ('[calendars.A]\nzone = "Europe/Berln"', "did you mean Europe/Berlin?"),
        ("[calendars.A]\nzone = 1", "calendars.'A'.zone = 1: must be text in quotes"),
        ('[calendars.A]\nmonday = "09:00-17:00"', ".monday = '09:00-17:00': must be a list of"),
        ("[calendars.A]\nmonday = [9]", "must be a list of spans"),
        ('[calendars.A]\nmonday = ["9-17"]', 'a span is written as "09:00-17:00"'),
        ('[calendars.A]\nmonday = ["09:00-24:30"]', "a span is written as"),
        ('[calendars.A]\nmonday = ["24:00-06:00"]', "a span is written as"),
        ('[calendars.A]\nmonday = ["09:60-17:00"]', "a span is written as"),
        ('[calendars.A]\nmonday = ["09:00-09:00"]', 'all day is "00:00-24:00"'),
        ('[calendars.A]\nmonday = ["09:00-12:00", "11:59-17:00"]', "spans overlap"),
        ('[calendars.A]\nmonday = ["22:00-06:00", "23:00-23:30"]', "spans overlap"),
        (f"[calendars.A]\nmonday = {['09:00-17:00'] * 13}", "a day has at most 12 spans"),
        ("[calendars.A]\nholidays = 1", ".holidays: must be a list of at most"),
        (f"[calendars.A]\nholidays = {['2026-12-25'] * 5_001}", "must be a list of at most 5000"),
        ('[calendars.A]\nholidays = ["25.12."]', ".holidays[0] = '25.12.': must be a date such"),
        ("[calendars.A]\nholidays = [2026-12-25T00:00:00Z]", "must be a date such as"),
        ("[calendars.A]\nholidays = [1969-12-25]", "must lie between 1970 and 2100"),
        ("[calendars.A]\nspecial_days = 1", ".special_days: must be a table of at most 5000"),
        ("[calendars.A.special_days]\nxmas = []", ".special_days.xmas: must be a date such as"),
        ("[calendars.A.special_days]\n2026-12-24 = [1]", "24 = [1]: must be a list of spans"),
        (
            "[calendars.A]\nholidays = [2026-12-24]\n[calendars.A.special_days]\n2026-12-24 = []",
            ".special_days.2026-12-24: is a holiday too, or there twice",
        ),
        ("[calendars.A]\nsince = 1", ".since: must be at most 1000 tables: [[calendars"),
        ("[[calendars.A.since]]\nmonday = []", ".since[0].from: is missing"),
        ("[[calendars.A.since]]\nfrom = 2027-01-01\nmonday = [1]", ".since[0].monday = [1]: must"),
        ("[[calendars.A.since]]\nfrom = 2027-01-01\nzone = 'UTC'", ".since[0].zone: there is no"),
        (
            "[[calendars.A.since]]\nfrom = 2027-01-01\n[[calendars.A.since]]\nfrom = 2027-01-01",
            ".since[1].from: must be later than the entry before it",
        ),
        (
            '[queues.PS]\ncalendar = "A"',
            "'PS'.calendar = 'A': there is no such calendar; it needs",
        ),
        ("[queues.PS]\ncalendar = 1", "must be text in quotes, not a number"),
        ('[defaults]\ncalendar = "A"', "defaults.calendar = 'A' (from"),
        ("calendars = 1", "calendars (from"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, said: str) -> None:
    found = problems(tmp_path, text)
    assert len(found) == 1, found
    assert said in found[0]
    assert "contact-streams.toml)" in found[0]


def test_there_may_be_so_many_calendars_and_no_more(tmp_path: Path) -> None:
    text = "".join(f'[calendars.A{n}]\nmonday = ["09:00-17:00"]\n' for n in range(1_001))
    assert "there may be 1000 at most" in problems(tmp_path, text)[0]


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """A queue's calendar that is there, but wrong, is not told to be missing."""
    found = problems(
        tmp_path,
        "[calendars.A]\nmonday = [1]\ntuesday = [1]\nholidays = [1, 2]\n"
        '[queues.PS]\ncalendar = "A"',
    )
    assert len(found) == 4
