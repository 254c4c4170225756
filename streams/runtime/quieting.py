"""Keeping a log readable while brokers are away: clients say the same a dozen times a second."""

from __future__ import annotations

import logging
from time import monotonic

EVERY_SECONDS = 10.0
KEPT_MAX = 1_000
OURS = "streams"


class Sparse(logging.Filter):
    """Lets a message of a library (by its template, place aside) through once in a while, and then
    with how often it was held back.  Our own messages all pass."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.split(".")[0] == OURS:
            return True
        what, now = (record.name, str(record.msg)[:200]), monotonic()
        at, held = self._said.get(what, (-EVERY_SECONDS, 0))
        if now - at < EVERY_SECONDS:
            self._said[what] = (at, held + 1)
            return False
        if len(self._said) >= KEPT_MAX:
            self._said.clear()
        self._said[what] = (now, 0)
        if held:
            record.msg = f"{record.msg} (and {held} times before)"
        return True
