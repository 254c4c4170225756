"""What is changed in the shipped configuration: intervals and addresses, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.live import shipped

FACTOR = 10


def leaves(config: Any, path: tuple[object, ...] = ()) -> Iterator[tuple[tuple[object, ...], Any]]:
    """(Path, value) of everything in it."""
    if isinstance(config, dict | list):
        pairs = config.items() if isinstance(config, dict) else enumerate(config)
        for key, value in pairs:
            yield from leaves(value, (*path, key))
    else:
        yield path, config


@pytest.mark.parametrize("path", [*sorted(shipped.RULES.glob("*.yml")), shipped.PROMETHEUS])
def test_intervals_are_shortened_by_one_factor_and_nothing_else_is_changed(path: Any) -> None:
    before = shipped.load(path)
    changed = dict(leaves(shipped.shortened(before, FACTOR)))
    for place, value in leaves(before):
        if place[-1] in shipped.SHORTENED and shipped.ms(value):
            assert shipped.ms(changed[place]) == shipped.ms(value) / FACTOR
        else:
            assert changed[place] == value


@pytest.mark.parametrize(("text", "ms"), [("0", 0), ("100ms", 100), ("1m30s", 90_000)])
def test_durations(text: str, ms: int) -> None:
    assert shipped.ms(text) == ms


@pytest.mark.parametrize("text", ["", "5", "5 m", "m", "-1s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        shipped.ms(text)
