"""What adapters of JSON webhooks share: reading a body within bounds, and identifiers.

Rejections made here: ``value.null``, ``size.exceeded``, ``json.malformed``, ``schema.invalid``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from streams.core.source import Event, Record, Rejected

BODY_BYTES_MAX = 1024 * 1024
"""Bodies carry the text of a mail; what is larger is not a notification."""

Ident = str | int | None
"""Platforms write the same identifier now as a number, now as a string."""

_IDENT = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_NOBODY = frozenset(("", "0"))
# RecursionError (nested too deep) and UnicodeDecodeError pass through msgspec as they are.
_BAD_INPUT = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Malformed(Exception):
    """A body cannot be used; the arguments are the reason's code and a detail without payload."""


def answer(
    record: Record, events: Callable[[bytes], Sequence[Event]]
) -> Sequence[Event] | Rejected:
    """What ``events`` makes of the body, its failures as rejections."""
    if record.value is None:
        return Rejected("value.null")
    if len(record.value) > BODY_BYTES_MAX:
        return Rejected("size.exceeded", f"{len(record.value)} bytes, at most {BODY_BYTES_MAX}")
    try:
        return events(record.value)
    except Malformed as error:
        return Rejected(*error.args)
    except msgspec.ValidationError:
        return Rejected("schema.invalid")
    except _BAD_INPUT:
        return Rejected("json.malformed")


def ident(value: Ident, field: str) -> str | None:
    """An identifier as text, None for nobody.  One that could hold a name or an address is refused.

    >>> ident(35436, "id"), ident("0", "group_id")
    ('35436', None)
    """
    if value is None or str(value) in _NOBODY:
        return None
    text = str(value)
    if not _IDENT.fullmatch(text):
        raise Malformed("schema.invalid", f"{field} is no identifier")
    return text


def needed(value: Ident, field: str) -> str:
    """An identifier that must be there."""
    text = ident(value, field)
    if text is None:
        raise Malformed("schema.invalid", f"{field} is missing")
    return text
