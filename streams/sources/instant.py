"""Times as platforms write them in JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

TEXT_CHARS_MAX = 40
_DATE_AND_TIME_CHARS = len("2026-01-15T10:30:00")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def epoch_ms(text: str) -> int | None:
    """ISO 8601 (or Ruby's ``2026-01-15 10:30:00 UTC``) as milliseconds; without a zone it is UTC.

    >>> epoch_ms("2025-01-01T00:00:00.250Z"), epoch_ms("2025-01-01 01:00:00 UTC"), epoch_ms("soon")
    (1735689600250, 1735693200000, None)
    """
    if not _DATE_AND_TIME_CHARS <= len(text) <= TEXT_CHARS_MAX:
        return None
    try:
        at = datetime.fromisoformat(text.removesuffix(" UTC"))
        return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // _MS
    except (ValueError, OverflowError):
        return None
