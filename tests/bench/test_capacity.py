"""The table of docs/operations.md is the program's, and grows as it must."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.capacity import CENTRES, main, markdown
from bench.needs import Centre, Need

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def test_the_documentation_shows_what_the_program_prints() -> None:
    said = markdown(CENTRES)
    assert said in OPERATIONS.read_text("utf-8"), "put in: python -m bench.capacity"


def test_the_arithmetic_can_be_done_by_hand() -> None:
    need = Need(Centre(1e6, 100))
    assert need.contacts_per_second == pytest.approx(1e6 * 0.12 / 3600 * 1.25)
    assert need.events_per_second == pytest.approx(41.667 * 13, rel=1e-3)
    assert need.contacts_open == pytest.approx(37_500)
    assert need.cells == (2 * 100 + 10) * 720 * 35


def test_places_cannot_have_news_more_often_than_there_are_publishes() -> None:
    need = Need(Centre(1e8, 10))
    assert need.touches_per_second(10) == pytest.approx(50)


def test_places_with_few_events_have_news_once_for_each() -> None:
    need = Need(Centre(1e4, 100))
    assert need.touches_per_second(1e6) == pytest.approx(need.events_per_second, rel=1e-3)


@pytest.mark.parametrize("name", ["contacts_per_day", "queues"])
def test_more_of_it_never_needs_less(name: str) -> None:
    less, more = ({"contacts_per_day": 1e6, "queues": 100, name: n} for n in (1e6, 1e7))
    small, large = Need(Centre(**less)), Need(Centre(**more))  # type: ignore[arg-type]
    assert large.workers >= small.workers
    assert large.memory_bytes > small.memory_bytes
    assert sum(large.disk_bytes.values()) > sum(small.disk_bytes.values())


def test_the_command_takes_ones_own_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--contacts-per-day", "250e3,1e6", "--queues", "60,80", "--keep-days", "33"]) == 0
    assert "| contacts a day | C, yours | 250,000 | 1,000,000 |" in capsys.readouterr().out
    assert main(["--contacts-per-day", "250e3"]) == 2
