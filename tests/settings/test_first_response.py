"""Bands of first responses, as set."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.core.terms import HOUR_MS, RESPONSE_BANDS_MS
from streams.errors import SettingsError
from streams.settings import load


def test_the_borders_of_the_bands_are_set_in_hours(tmp_path: Path) -> None:
    assert load({}, folder=tmp_path).terms().response_bands_ms == RESPONSE_BANDS_MS
    said = {"first_response_bands.first_hours": 0.5, "first_response_bands.fourth_hours": 48}
    borders = load({}, flags=said, folder=tmp_path).terms().response_bands_ms
    assert borders == (HOUR_MS // 2, 6 * HOUR_MS, 12 * HOUR_MS, 48 * HOUR_MS)


def test_borders_must_rise(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="first_response_bands: each border"):
        load({}, flags={"first_response_bands.first_hours": 6}, folder=tmp_path)
