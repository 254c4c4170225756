"""One event as named values: a block of ``Key: value`` lines, or a JSON object of strings.

Asterisk's manager interface and FreeSWITCH's event socket both speak this way.  Names are compared
without regard to case; a name that comes twice keeps its first value.  What is no string (a list, a
nested object) says nothing we use and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec

from streams.sources._reading.body import BAD_JSON, Unusable

RECORD_BYTES_MAX = 256 * 1024
"""FreeSWITCH sends every variable of the channel along: tens of KiB are common."""
HEADERS_MAX = 2_000
POSITION_MAX = 1_000_000

_WHOLE = re.compile(r"[+-]?\d{1,12}", re.ASCII)
_POSITION = re.compile(r"\d{1,9}", re.ASCII)
_JSON = msgspec.json.Decoder(dict[str, object])


class Headers:
    """The values of one event by name; an absent one is the empty string."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        return self._values.get(name.lower(), "")

    def first(self, *names: str) -> str:
        """The value of the first of these names that has one."""
        return next((found for found in map(self.text, names) if found), "")

    def whole(self, name: str) -> int | None:
        """A whole number; None if it is not there."""
        text = self.text(name)
        if not text:
            return None
        if not _WHOLE.fullmatch(text):
            raise Unusable("parameter.malformed", f"{name} is not a whole number")
        return int(text)

    def seconds(self, name: str) -> int | None:
        """Whole seconds as milliseconds; None if they are not there."""
        seconds = self.whole(name)
        return None if seconds is None else seconds * 1000

    def position(self, name: str) -> int | None:
        """A place in the queue.  It only decorates, so an odd one is left out."""
        text = self.text(name)
        return int(text) if _POSITION.fullmatch(text) and int(text) <= POSITION_MAX else None


def read(body: bytes, plain: Callable[[str], str] = str) -> Headers:
    """Either form; ``plain`` undoes what the form of lines does to a value."""
    pairs = _of_json(body) if body.startswith(b"{") else _of_lines(body, plain)
    values: dict[str, str] = {}
    for name, value in pairs:
        values.setdefault(name.lower(), value)
    return Headers(values)


def _of_json(body: bytes) -> list[tuple[str, str]]:
    try:
        found = _JSON.decode(body)
    except BAD_JSON:
        raise Unusable("json.malformed", "not a JSON object") from None
    _check_count(len(found))
    return [(name, text) for name, value in found.items() if (text := _text(value)) is not None]


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value.strip()
    # Some bridges turn what looks like a number into one.
    small = type(value) is int and abs(value) < 2**63
    return str(value) if small else None


def _of_lines(body: bytes, plain: Callable[[str], str]) -> list[tuple[str, str]]:
    _check_count(body.count(b"\n"))
    lines = decoded(body).replace("\r\n", "\n").split("\n")
    # After an empty line comes the body of a FreeSWITCH event, which is no header.
    head = lines[: lines.index("")] if "" in lines else lines
    split = [line.partition(":") for line in head]
    if not all(colon and name for name, colon, _ in split):
        raise Unusable("headers.malformed", "a line is not Key: value")
    return [(name.strip(), plain(value).strip()) for name, _, value in split]


def _check_count(count: int) -> None:
    if count > HEADERS_MAX:
        raise Unusable("size.exceeded", f"more than {HEADERS_MAX} headers")


def decoded(raw: bytes) -> str:
    """UTF-8, else Latin-1, in which every byte means something."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
