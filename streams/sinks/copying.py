"""Copies of dictionaries that another thread is changing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TypeVar

COPY_ATTEMPTS_MAX = 100
K = TypeVar("K")
V = TypeVar("V")


def copied(shared: Mapping[K, V]) -> dict[K, V]:
    """A copy of a dictionary that another thread is changing."""
    for _ in range(COPY_ATTEMPTS_MAX):
        try:
            return dict(shared)
        except RuntimeError:  # its size changed half-way; the next copy is whole again
            time.sleep(0)
    return dict(shared)
