"""Times as platforms write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from streams.core.vocabulary import TIME_MS_MAX
from streams.sources._reading.body import Unusable

TEXT_CHARS_MAX = 40
_DATE_AND_TIME_CHARS = len("2026-01-15T10:30:00")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def iso_ms(text: str) -> int | None:
    """ISO 8601 (or Ruby's ``2026-01-15 10:30:00 UTC``) as milliseconds; without a zone it is UTC.

    >>> iso_ms("2025-01-01T00:00:00.250Z"), iso_ms("2025-01-01 01:00:00 UTC"), iso_ms("soon")
    (1735689600250, 1735693200000, None)
    """
    if not _DATE_AND_TIME_CHARS <= len(text) <= TEXT_CHARS_MAX:
        return None
    try:
        at = datetime.fromisoformat(text.removesuffix(" UTC"))
        return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // _MS
    except (ValueError, OverflowError):
        return None


def needed_iso_ms(text: str, detail: str) -> int:
    """The same, where there must be a time and it must be one of ours."""
    time_ms = iso_ms(text)
    if time_ms is None:
        raise Unusable("time.malformed", detail)
    return in_range(time_ms, detail)


def datetime_ms(when: datetime, detail: str = "") -> int:
    """Milliseconds since 1970 of a time with a zone."""
    return in_range((when - _EPOCH) // _MS, detail)


def in_range(time_ms: int, detail: str = "") -> int:
    """The time itself, if it is between 1970 and 2100."""
    if not 0 <= time_ms <= TIME_MS_MAX:
        raise Unusable("time.out_of_range", detail or "before 1970 or after 2099")
    return time_ms


def thousandths(fraction: str | None) -> int:
    """The digits after a decimal point as thousandths, what is finer cut off.

    >>> thousandths("25"), thousandths(None)
    (250, 0)
    """
    return int(fraction[:3].ljust(3, "0")) if fraction else 0
