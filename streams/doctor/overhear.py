"""Why a client could not connect.  It says no more than that there was no time left; its log says
what went wrong with each attempt."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

_LOST = re.compile(r"(?:Connection lost: |Handshake failed: )(.+)")
_TELLING = re.compile(r"Sasl|Auth|SSL|TLS", re.IGNORECASE)
_LENGTH_MAX = 120


class Overheard(logging.Handler):
    """Keeps the reasons, each once, in their order."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.reasons: dict[str, None] = {}

    def emit(self, record: logging.LogRecord) -> None:
        found = _LOST.search(record.getMessage())
        if found:
            self.reasons[found[1][:_LENGTH_MAX]] = None

    def why(self) -> str:
        """What is said of login or TLS, if anything is; empty if nothing was said at all."""
        telling = [reason for reason in self.reasons if _TELLING.search(reason)]
        if telling or not self.reasons:
            return telling[0] if telling else ""
        return "it hangs up, as brokers do on a wrong password or protocol"


@contextmanager
def overhearing() -> Iterator[Overheard]:
    """What the client logs meanwhile is for us alone."""
    logger, heard = logging.getLogger("kafka"), Overheard()
    level, propagate = logger.level, logger.propagate
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    logger.addHandler(heard)
    try:
        yield heard
    finally:
        logger.removeHandler(heard)
        logger.propagate = propagate
        logger.setLevel(level)
