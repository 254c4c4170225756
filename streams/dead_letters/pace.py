"""How fast letters are sent back."""

from __future__ import annotations

import re

BATCHES_PER_SECOND = 5
LETTERS_MAX = 500
BYTES_MAX = 4 * 1024 * 1024
"""Of one batch: what is held in memory, and what a kill leaves to be looked up."""
_RATE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(?:/(s|m|h))?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, None: 1}


class Pace:
    """So many letters a second from the first one on, in batches; no credit for time lost."""

    def __init__(self, rate: float, letters_max: int = LETTERS_MAX) -> None:
        self.rate = rate
        self.batch_max = max(1, min(letters_max, int(rate / BATCHES_PER_SECOND)))
        self._due = 0.0

    def wait_seconds(self, now: float) -> float:
        """How long to wait before the next batch; ``now`` in seconds of any clock."""
        return max(0.0, self._due - now)

    def sent(self, letters: int, now: float) -> None:
        """A batch goes at ``now``."""
        self._due = max(self._due, now) + letters / self.rate


def rate_of(text: str) -> float | None:
    """Letters a second of ``500/s``, ``30/m``, ``20``; None for what is none or 0.

    >>> rate_of("500/s"), rate_of("30/m"), rate_of("fast")
    (500.0, 0.5, None)
    """
    found = _RATE.fullmatch(text)
    return (float(found[1]) / _SECONDS[found[2]] or None) if found else None
