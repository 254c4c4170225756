"""What the board writes: results as JSON, cells, registers and marks as changelog records.

A changelog value begins with its version (``keyed.HEAD``), then MessagePack.  The first byte of a
key says what it is: ``c`` cell (cut key, NUL, minute), ``l`` register (cut key, NUL, origin); the
marks have one key of their own.  Cut keys are JSON, which holds no NUL.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import orjson

from streams.core.board import Gone, Stored
from streams.core.cell import Cell, Share
from streams.core.line import Posted
from streams.core.marks import MarksRecord
from streams.core.measure import Amounts, CutKey
from streams.core.result import UNDATED, Result
from streams.core.window import Span
from streams.stages.base import Entity, Output
from streams.stages.keyed import HEAD, SYSTEM, tombstone
from streams.stages.wire import cut_bytes

CELL = b"c"
REGISTER = b"l"
MARKS_KEY = SYSTEM + b"marks"
REVISION_HEADER = "revision"

_Shares = dict[str, tuple[int, int, Amounts | None]]
_pack = msgspec.msgpack.Encoder().encode


class _CellRow(NamedTuple):
    mark_ms: int
    total: Amounts
    shares: _Shares
    matured: dict[int, int] = {}  # noqa: RUF012


_unpack_cell = msgspec.msgpack.Decoder(_CellRow).decode
_unpack_register = msgspec.msgpack.Decoder(tuple[int, Amounts]).decode
_unpack_marks = msgspec.msgpack.Decoder(MarksRecord).decode

# -- entities


def cell_entity(cell: Cell) -> Entity:
    """A cell as it stands; names without an amount are left out."""
    shares = {name: (s.segment, s.position, s.amounts) for name, s in cell.shares.items()}
    total = {name: amount for name, amount in cell.total.items() if amount}
    row = _CellRow(cell.mark_ms, total, shares, dict(cell.matured))
    return Entity(_cell_key(cell.cut, cell.minute), HEAD.pack(cell.version, 0, 0) + _pack(row))


def gone_entity(gone: Gone) -> Entity:
    """The removal of a cell: it wins over every version there was."""
    return tombstone(_cell_key(gone.cut, gone.minute), gone.version + 1)


def register_entity(stored: Stored) -> Entity:
    position, version, values = stored.posted
    key = REGISTER + cut_bytes(stored.cut) + b"\0" + stored.origin.encode()
    return Entity(key, HEAD.pack(version, 0, 0) + _pack((position, values)))


def marks_entity(record: MarksRecord) -> Entity:
    return Entity(MARKS_KEY, HEAD.pack(record.rank, 0, 0) + _pack(record))


def read_cell(key: bytes, version: int, value: bytes) -> Cell:
    """The cell back; so do the next two.  ValueError for bytes that are none of ours."""
    cut, minute = _split(key)
    row = _unpack_cell(value[HEAD.size :])
    return Cell(
        cut,
        int(minute),
        total=row.total,
        shares={name: Share(*share) for name, share in row.shares.items()},
        version=version,
        mark_ms=row.mark_ms,
        matured=row.matured,
    )


def read_register(key: bytes, version: int, value: bytes) -> Stored:
    cut, origin = _split(key)
    position, values = _unpack_register(value[HEAD.size :])
    return Stored(origin.decode(), cut, Posted(position, version, values))


def read_marks(value: bytes) -> MarksRecord:
    return _unpack_marks(value[HEAD.size :])


def _cell_key(cut: CutKey, minute: int) -> bytes:
    return b"%b%b\0%d" % (CELL, cut_bytes(cut), minute)


def _split(key: bytes) -> tuple[CutKey, bytes]:
    cut, rest = key[1:].split(b"\0", 1)
    return tuple(orjson.loads(cut)), rest


# -- results


class ResultWriter:
    """Makes records of results.  Those of one window come one after the other: what is the same in
    them is written once."""

    __slots__ = ("_key", "_key_json", "_partition", "_span", "_where", "_window_json")

    def __init__(self, partition: int) -> None:
        self._partition = partition
        self._key: Mapping[str, str] | None = None
        self._span: Span | None = None

    def output(self, result: Result) -> Output:
        """A result for its family's topic, in the partition of its board; one that is withdrawn is
        a tombstone with its revision."""
        kpi, cut, key, span, value, status, revision, as_of_ms = result
        if key is not self._key or span is not self._span:
            self._turn_to(cut, key, span)
        stream = f"kpi.{kpi.family}"
        name = b"[%b,%b" % (orjson.dumps(kpi.name), self._where)
        if value is None:
            headers = ((REVISION_HEADER, b"%d" % revision),)
            return Output(stream, name, None, self._partition, headers)
        number, numerator, denominator, buckets = value
        row: dict[str, Any] = {
            "kpi": kpi.name,
            "key": self._key_json,
            "window": self._window_json,
            "value": number,
            "numerator": numerator,
            "denominator": denominator,
            "unit": kpi.unit,
            "status": status,
            "revision": revision,
            "as_of": None if as_of_ms is None else iso(as_of_ms),
        }
        if buckets is not None:
            row["buckets"] = buckets
        return Output(stream, name, orjson.dumps(row), self._partition)

    def _turn_to(self, cut: CutKey, key: Mapping[str, str], span: Span) -> None:
        self._key, self._span = key, span
        start = () if span.kind in UNDATED else (span.start_ms,)
        self._where = orjson.dumps((*cut, span.kind, *start))[1:]
        self._key_json = orjson.Fragment(orjson.dumps(key))
        self._window_json = orjson.Fragment(orjson.dumps(window_json(span)))


@lru_cache(4_096)
def window_json(span: Span) -> Mapping[str, Any]:
    """A window as results show it."""
    if span.kind == "now":
        return {"kind": "now", "start": None, "end": None}
    window = {"kind": span.kind, "start": iso(span.start_ms), "end": iso(span.end_ms)}
    if span.kind == "day" and span.zone != "UTC":
        window["zone"] = span.zone
    return window


@lru_cache(4_096)
def iso(time_ms: int) -> str:
    """ISO 8601 in UTC; milliseconds only where there are some.

    >>> iso(1_791_244_800_000), iso(1_791_244_800_250)
    ('2026-10-06T00:00:00Z', '2026-10-06T00:00:00.250Z')
    """
    rest = time_ms % 1000
    text = datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:03}Z" if rest else f"{text}Z"
