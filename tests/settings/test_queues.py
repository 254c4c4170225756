"""Terms of queues by name and date, from TOML to ``Terms``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from streams.core.terms import QueueTerms, Terms
from streams.errors import SettingsError
from streams.settings import load


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def terms(folder: Path, text: str) -> Terms:
    (folder / "contact-streams.toml").write_text(text)
    return load({}, folder=folder).terms()


def problem(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as raised:
        terms(folder, text)
    assert len(raised.value.problems) == 1, raised.value.problems
    return raised.value.problems[0]


def test_what_a_queue_does_not_say_is_the_default(tmp_path: Path) -> None:
    found = terms(
        tmp_path,
        """
        [defaults]
        service_level_threshold_seconds = 30
        zone = "Europe/Paris"
        [queues."PS"]
        short_abandon_seconds = 7.5
        [queues."Sales & more"]
        """,
    )
    assert found.at("PS", 0) == QueueTerms(30_000, 7_500, "Europe/Paris")
    assert found.at("Sales & more", 0) == QueueTerms(30_000, 5_000, "Europe/Paris")
    assert found.at("nobody", 0) == QueueTerms(30_000, 5_000, "Europe/Paris")


DATED = """
[queues."PS"]
service_level_threshold_seconds = 30
zone = "Europe/Berlin"
[[queues."PS".since]]
from = "2026-11-01"
service_level_threshold_seconds = 20
[[queues."PS".since]]
from = 2027-01-01T00:00:00-05:00
zone = "America/New_York"
[[queues."PS".since]]
from = 2027-02-01
short_abandon_seconds = 10
"""


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("1970-01-01T00:00:00", QueueTerms(30_000, 5_000, "Europe/Berlin")),
        ("2026-10-31T22:59:59.999", QueueTerms(30_000, 5_000, "Europe/Berlin")),
        ("2026-10-31T23:00:00", QueueTerms(20_000, 5_000, "Europe/Berlin")),
        ("2027-01-01T04:59:59.999", QueueTerms(20_000, 5_000, "Europe/Berlin")),
        ("2027-01-01T05:00:00", QueueTerms(20_000, 5_000, "America/New_York")),
        ("2027-02-01T04:59:59.999", QueueTerms(20_000, 5_000, "America/New_York")),
        ("2027-02-01T05:00:00", QueueTerms(20_000, 10_000, "America/New_York")),
    ],
)
def test_terms_come_into_force_at_local_midnight_or_at_a_time(
    tmp_path: Path, time: str, expected: QueueTerms
) -> None:
    assert terms(tmp_path, DATED).at("PS", at(time)) == expected


@pytest.mark.parametrize(
    ("zone", "day", "first"),
    [
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00"),  # 00:00 does not exist
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00"),  # 00:00 is there twice
        ("Asia/Kathmandu", "2026-11-01", "2026-10-31T18:15:00"),
    ],
)
def test_a_day_begins_at_its_first_instant(tmp_path: Path, zone: str, day: str, first: str) -> None:
    found = terms(
        tmp_path,
        f'[queues.Q]\nzone = "{zone}"\n[[queues.Q.since]]\nfrom = "{day}"\n'
        "service_level_threshold_seconds = 1\n",
    )
    assert found.at("Q", at(first) - 1).threshold_ms == 20_000
    assert found.at("Q", at(first)).threshold_ms == 1_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("queues = 1", "queues (from"),
        ("[queues]\nPS = 1", "queues.'PS': must be a table"),
        ('[queues.""]', "a queue's name has 1 to 120 characters"),
        ("[queues.PS]\nzon = 1", "queues.'PS'.zon: there is no such setting; did you mean zone?"),
        ('[queues.PS]\nzone = "Mars"', "queues.'PS'.zone = 'Mars': is not an IANA time zone"),
        ("[queues.PS]\nservice_level_threshold_seconds = 700000", "must be 0 to 604800"),
        ('[queues.PS]\nservice_level_threshold_seconds = "20 s"', "must be a number"),
        ("[queues.PS]\nsince = 1", "queues.'PS'.since: must be at most 1000 tables"),
        ("[queues.PS]\nsince = [1]", ".since[0]: must be a table"),
        ("[[queues.PS.since]]\nzone = 'UTC'", ".since[0].from: is missing"),
        ('[[queues.PS.since]]\nfrom = "soon"', "must be a date such as"),
        ("[[queues.PS.since]]\nfrom = 5", "must be a date such as"),
        ("[[queues.PS.since]]\nfrom = 09:00:00", "must be a date such as"),
        ("[[queues.PS.since]]\nfrom = 2026-11-01T00:00:00", "a time needs an offset"),
        ('[[queues.PS.since]]\nfrom = "2026-11-01 09:00"', "a time needs an offset"),
        ("[[queues.PS.since]]\nfrom = 1969-01-01", "must lie between 1970 and 2100"),
        ("[[queues.PS.since]]\nfrom = 2126-01-01", "must lie between 1970 and 2100"),
        ("[[queues.PS.since]]\nfrom = 2026-11-01\nuntil = 1", ".since[0].until: there is no such"),
        (
            "[[queues.PS.since]]\nfrom = 2026-11-01\n[[queues.PS.since]]\nfrom = 2026-11-01",
            ".since[1].from: must be later than the entry before it",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert said in problem(tmp_path, text)
