"""Each family has a scenario for each edge case that can make it wrong, and COVERAGE.md says which.

If the page is old: ``python -m tests.scenarios.coverage``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.kpis import ALL_KPIS, FAMILIES
from tests.scenarios.coverage import APPLIES, EDGES, FILES, PAGE, PROOFS, claims, covered, page
from tests.scenarios.language import Scenario

FAMILY_OF = {kpi.name: kpi.family for kpi in ALL_KPIS}
CLAIMING = [path for path in FILES if Scenario(path).covers]


def test_every_edge_case_of_every_family_is_covered() -> None:
    wanted = {(family, edge) for family, edges in APPLIES.items() for edge in edges}
    assert sorted(wanted - covered().keys()) == []
    assert APPLIES.keys() == set(FAMILIES)
    assert set().union(*APPLIES.values()) == set(EDGES)


@pytest.mark.parametrize("path", CLAIMING, ids=[path.stem for path in CLAIMING])
def test_a_file_is_about_what_it_claims(path: Path) -> None:
    scenario = Scenario(path)
    expected = {FAMILY_OF[wanted.kpi] for wanted in scenario.expected}
    for family, edge in claims(scenario):
        assert family in expected, f"expects nothing of {family}"
        assert edge in APPLIES[family], f"{edge} is no edge case of {family}"
        assert edge not in PROOFS or PROOFS[edge](scenario), f"there is no {edge}"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page()
