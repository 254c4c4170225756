"""Alerts on KPIs by the real promtool: they fire, clear, and are quiet when they have to be."""

from __future__ import annotations

from pathlib import Path

from tests.deploy.kpi_cases import USUAL
from tests.deploy.kpi_special_cases import SPECIAL
from tests.deploy.promtool import document, failed, failures


def test_alerts_stand_what_happens_to_every_row(tmp_path: Path) -> None:
    said = failures([document(USUAL, "kpi")], tmp_path)
    assert not said, (failed(said, USUAL), said[:20_000])


def test_alerts_do_what_is_particular_to_them(tmp_path: Path) -> None:
    said = failures([document(SPECIAL)], tmp_path)
    assert not said, (failed(said, SPECIAL), said[:20_000])
