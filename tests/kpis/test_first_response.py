"""Bands and buckets of first responses."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from streams.core.terms import HOUR_MS, RESPONSE_BANDS_MS, RESPONSE_BY_CHANNEL, Terms
from streams.kpis.first_response import BANDS, BOUNDS_MS, InBand


class Waited(NamedTuple):
    wait_ms: int | None


@pytest.mark.parametrize("borders", [RESPONSE_BANDS_MS, (1_000, 2_000, 3_000, 4_000)])
def test_every_wait_is_in_one_band_and_borders_are_inclusive(borders: tuple[int, ...]) -> None:
    terms = Terms(response_bands_ms=borders)
    found = [
        [band for band in BANDS if InBand("wait_ms", band)(Waited(wait), terms)]
        for border in borders
        for wait in (border, border + 1)
    ]
    assert found == [[1], [2], [2], [3], [3], [4], [4], [5]]
    assert [band for band in BANDS if InBand("wait_ms", band)(Waited(0), terms)] == [1]
    assert not any(InBand("wait_ms", band)(Waited(None), terms) for band in BANDS)


def test_thresholds_and_bands_are_borders_of_buckets() -> None:
    assert {*RESPONSE_BY_CHANNEL.values(), *RESPONSE_BANDS_MS, HOUR_MS} <= set(BOUNDS_MS)
