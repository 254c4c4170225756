"""A record's body within bounds; whatever is wrong with it becomes a reason.

Reasons made here: ``value.null``, ``size.exceeded``, ``json.malformed``, ``schema.invalid``.  An
adapter adds those that it raises as ``Unusable``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from streams.core.source import Event, Record, Rejected

# RecursionError (nested too deep) and UnicodeDecodeError pass through msgspec as they are.
BAD_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Unusable(Exception):
    """The record cannot be used; the arguments are the reason's code and, without payload, a
    detail."""


def answer(
    record: Record, bytes_max: int, events: Callable[[bytes], Sequence[Event]]
) -> Sequence[Event] | Rejected:
    """What ``events`` makes of the body; its failures as rejections."""
    value = record.value
    if value is None:
        return Rejected("value.null")
    if len(value) > bytes_max:
        return Rejected("size.exceeded", f"{len(value)} bytes, at most {bytes_max}")
    return attempt(lambda: events(value))


def attempt(events: Callable[[], Sequence[Event]]) -> Sequence[Event] | Rejected:
    """What ``events`` returns; its failures as rejections."""
    try:
        return events()
    except Unusable as error:
        return Rejected(*error.args)
    except msgspec.ValidationError as error:
        return Rejected("schema.invalid", _where(error))
    except BAD_JSON:
        return Rejected("json.malformed")


def _where(error: msgspec.ValidationError) -> str:
    """The path of the wrong field.  It names fields of our structs only: where a payload's own keys
    would stand (they may be private) it has dots."""
    return str(error).rpartition(" - at `")[2].rstrip("`") if " - at `$." in str(error) else "$"
