"""Identifiers as platforms write them, and the name of the installation that sent a record."""

from __future__ import annotations

import re
from hashlib import blake2b

import msgspec

from streams.core.source import Headers
from streams.sources._reading.body import Unusable

NAME_CHARS_MAX = 120
ID_CHARS_MAX = 200

Ident = str | int | None
"""Platforms write the same identifier now as a number, now as a string."""

_IDENT = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_NOBODY = frozenset(("", "0"))


def ident(value: Ident, field: str) -> str | None:
    """An identifier as text, None for nobody.  One that could hold a name or an address is refused.

    >>> ident(35436, "id"), ident("0", "group_id")
    ('35436', None)
    """
    if value is None or str(value) in _NOBODY:
        return None
    text = str(value)
    if not _IDENT.fullmatch(text):
        raise Unusable("schema.invalid", f"{field} is no identifier")
    return text


def needed(value: Ident, field: str) -> str:
    """An identifier that must be there."""
    text = ident(value, field)
    if text is None:
        raise Unusable("schema.invalid", f"{field} is missing")
    return text


def within(what: str, value: str, chars_max: int = NAME_CHARS_MAX) -> str:
    """A free name that must be there and within the bounds of an event."""
    if not value:
        raise Unusable(f"{what}.missing")
    if len(value) > chars_max:
        raise Unusable("schema.invalid", f"the {what} is too long")
    return value


def source_named(headers: Headers, default: str, chars_max: int = NAME_CHARS_MAX) -> str:
    """The installation: what the record's header ``source`` says, else ``default``."""
    named = [value for name, value in headers if name == "source"]
    if not named:
        return default
    source = (named[-1] or b"").decode("utf-8", "replace")
    if not 0 < len(source) <= chars_max or "\ufffd" in source:
        raise Unusable("header.invalid")
    return source


def digest(*parts: object) -> str:
    """What the ids of the events of one record begin with; JSON, so that no two lists of parts look
    alike."""
    told = msgspec.json.encode([str(part).encode("utf-8", "replace").decode() for part in parts])
    return blake2b(told, digest_size=12).hexdigest()
