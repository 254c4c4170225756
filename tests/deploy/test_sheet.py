"""Numbers as the pictures show them, which is as Grafana does."""

from __future__ import annotations

from datetime import UTC

import pytest

from tests.deploy.sheet.look import number


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "shown"),
    [
        (0.8333, "percentunit", 1, "83.3%"),
        (1, "percentunit", 0, "100%"),
        (12, "s", 0, "12 s"),
        (0.25, "s", None, "250 ms"),
        (0, "s", 0, "0 s"),
        (150, "s", None, "2.50 mins"),
        (3_666, "dthms", None, "01:01:06"),
        (90_000, "s", 1, "1.0 days"),
        (1_234, "short", None, "1.23 K"),
        (7, "short", None, "7"),
        (220_200_960, "bytes", None, "210 MiB"),
        (12.345, "cps", None, "12.3 c/s"),
        (-20, "none", 0, "-20"),
        (1_791_205_200_000, "time:HH:mm:ss", None, "13:00:00"),
    ],
)
def test_a_value_in_its_unit(value: float, unit: str, decimals: int | None, shown: str) -> None:
    assert number(value, unit, decimals, UTC) == shown
