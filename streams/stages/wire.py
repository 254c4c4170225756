"""How partials, registers and marks look on the partials topic, and cut keys as bytes.

A value is a MessagePack array, written in a third of the time that JSON takes, whose first element
says what it is:

* ``["p", origin, segment, cut, minute, position, amounts]``
* ``["l", origin, cut, position, values]``
* ``["m", origin, position, mark_ms]``  (sent to every board partition)
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from zlib import crc32

import msgspec
import orjson

from streams.core.measure import CutKey
from streams.core.partials import Mark, Partial, Register

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


@lru_cache(65_536)
def cut_bytes(cut: CutKey) -> bytes:
    """A cut key as JSON bytes: the board's entity and result keys begin with it."""
    return orjson.dumps(cut)


def board_partition(cut: CutKey, partitions: int) -> int:
    """Which board partition owns a cut key."""
    return crc32(cut_bytes(cut)) % partitions


_KINDS: dict[type, str] = {Partial: "p", Register: "l", Mark: "m"}


def encode(message: Partial | Register | Mark) -> bytes:
    return _pack((_KINDS[type(message)], *message))


_MARK = _pack(("m", "", 0, 0))[:3]


def is_mark(value: bytes) -> bool:
    """Whether a record is a mark, without decoding it: most are not."""
    return value.startswith(_MARK)


def decode(value: bytes) -> Partial | Register | Mark:
    """Our own record back; anything else raises ValueError, because it is a bug and not bad
    input."""
    row: Any = _unpack(value)
    if row[0] == "p":
        return Partial(row[1], row[2], tuple(row[3]), row[4], row[5], row[6])
    if row[0] == "l":
        return Register(row[1], tuple(row[2]), row[3], row[4])
    if row[0] == "m":
        return Mark(row[1], row[2], row[3])
    raise ValueError(f"not a partial: kind {row[0]!r}")
