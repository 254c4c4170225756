"""Whether a law notices that a rule was broken on purpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[..., object]


def seed_that_shows(check: Check, life: Mapping[str, Any], seeds: int) -> int | None:
    """The first of so many seeds for which the check fails; None if it passes for all."""
    return next((seed for seed in range(seeds) if _fails(check, seed, life)), None)


def _fails(check: Check, seed: int, life: Mapping[str, Any]) -> bool:
    try:
        check(seed, **life)
    except AssertionError:
        return True
    return False
