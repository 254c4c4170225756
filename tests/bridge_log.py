"""Builders for tests of the bridge: a log's lines, and an outlet that keeps what it is sent."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from streams.bridge import Bridge, BridgeError, Row
from streams.bridge.tail import Tail

PARTITIONS = 4


class Collected:
    """An outlet that keeps what it is sent; ``failing_at`` counts sends from 1."""

    def __init__(self, failing_at: int = 0) -> None:
        self.rows: list[tuple[int, Row]] = []
        self._sends = 0
        self._failing_at = failing_at

    async def start(self) -> int:
        return PARTITIONS

    async def send(self, rows: Mapping[int, Sequence[Row]]) -> None:
        self._sends += 1
        if self._sends == self._failing_at:
            raise BridgeError("the broker is gone")
        self.rows += [(part, row) for part, some in rows.items() for row in some]

    async def stop(self) -> None:
        pass

    def lines(self) -> list[bytes]:
        return sorted(row.value for _, row in self.rows)

    def told_apart(self) -> set[tuple[bytes, bytes]]:
        """(line, ordinal): what the adapter makes ids of."""
        return {(row.value, dict(row.headers).get("ordinal", b"0")) for _, row in self.rows}


def line(n: int, what: str = "ENTERQUEUE||1|1") -> bytes:
    return b"%d|%d.%d|sales|NONE|%s" % (1_791_183_466 + n, 1_791_183_466 + n, n, what.encode())


def text(*lines: bytes) -> bytes:
    return b"".join(one + b"\n" for one in lines)


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def once(path: Path, state: Path | None = None) -> Collected:
    outlet = Collected()
    Bridge(path, outlet, state=state).run()
    return outlet


def all_of(tail: Tail) -> list[bytes]:
    lines: list[bytes] = []
    while (chunk := tail.read()) is not None:
        lines += chunk.lines
    return lines


def rotate(log: Path, number: int = 1) -> Path:
    """Rename it.  Real rotations are hours apart, a file system's clock ticks every 4 ms."""
    older = log.with_name(f"{log.name}.{number}")
    log.rename(older)
    at = time.time_ns() - number * 3_600_000_000_000
    os.utime(older, ns=(at, at))
    return older
