"""Alerts on the pipeline by the real promtool."""

from __future__ import annotations

from pathlib import Path

from tests.deploy.pipeline_cases import CASES
from tests.deploy.promtool import document, failed, failures


def test_alerts_on_the_pipeline(tmp_path: Path) -> None:
    said = failures([document(CASES, "pipeline")], tmp_path)
    assert not said, (failed(said, CASES), said[:20_000])
