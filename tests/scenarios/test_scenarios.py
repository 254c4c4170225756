"""Runs the scenarios of this folder through all five stages; see README.md for the language."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from streams.kpis import ALL_KPIS, FAMILIES
from tests.scenarios.language import Scenario, row_of, start_of

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*.txt"))


class Played(NamedTuple):
    """A scenario and all that came out."""

    scenario: Scenario
    rows: list[dict[str, Any]]


@pytest.fixture(scope="module", params=FILES, ids=[path.stem for path in FILES])
def played(request: pytest.FixtureRequest) -> Played:
    """Each file in turn, once for all that is asked of it."""
    scenario = Scenario(request.param)
    return Played(scenario, scenario.rows())


def test_scenario(played: Played) -> None:
    scenario, rows = played
    name = scenario.path.name
    assert scenario.expected, "a scenario expects something"
    for wanted in scenario.expected:
        row = row_of(rows, wanted)
        found = None if row is None else row["value"]
        same = found == (
            wanted.value if wanted.value is None else pytest.approx(wanted.value, abs=5e-5)
        )
        assert same, f"{name}:{wanted.line}: {wanted.kpi} {wanted.key} is {found}"
        if wanted.status:
            assert row is not None, f"{name}:{wanted.line}"
            assert row["status"] == wanted.status, f"{name}:{wanted.line}"


def test_nothing_is_lost(played: Played) -> None:
    """Offered = answered + left + open, in every window and cut."""
    rows = {}
    for row in played.rows:
        rows[row["kpi"], tuple(row["key"].items()), row["window"]["kind"], start_of(row)] = row[
            "value"
        ]
    opens = {
        at: value for at, value in rows.items() if at[0] == "contacts_open" and at[3] is not None
    }
    for at, value in opens.items():
        assert value >= 0, at
    assert opens or not any(at[0] == "contacts_offered" for at in rows)


def test_every_kpi_is_expected_somewhere() -> None:
    expected_kpis = {wanted.kpi for path in FILES for wanted in Scenario(path).expected}
    assert {kpi.name for kpi in ALL_KPIS} - expected_kpis == set()


def test_every_family_has_a_scenario() -> None:
    stems = {path.stem.replace("_", "-") for path in FILES}
    missing = [family for family in FAMILIES if not any(s.startswith(family) for s in stems)]
    assert missing == []
