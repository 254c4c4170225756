"""The tables' changelogs: what a restart would stand on.

Whatever lies there, also of a transaction that was aborted, must be a true value: that of the same
entity at the same position.  And the newest version of each must be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from streams.core.source import Record
from streams.stages import board_wire
from streams.stages.keyed import HEAD
from tests.chaos.checks.violation import Violation
from tests.chaos.expected import Expected, Folded, position_of


class Changelog:
    """Takes the changelog of contacts, staff or customers, read uncommitted."""

    def __init__(self, folded: Folded) -> None:
        self._folded = folded
        self._highest: dict[tuple[int, bytes], int] = {}
        self._read: dict[tuple[int, bytes, int], int] = {}
        self._broken: list[Violation] = []
        self.count = 0

    def take(self, records: Sequence[Record]) -> None:
        for record in records:
            position = position_of(record)
            if record.key and position is not None:
                at = (record.partition, record.key)
                self._highest[at] = max(position, self._highest.get(at, -1))
                self._note((*at, position), hash(record.value))
        self.count += len(records)

    def _note(self, at: tuple[int, bytes, int], content: int) -> None:
        if self._read.setdefault(at, content) != content:
            self._broken.append(self._violation("two_values", at))

    def violations(self) -> Iterator[Violation]:
        yield from self._broken
        versions = self._folded.versions
        for at, content in self._read.items():
            if not versions.has(*at):
                yield self._violation("unexpected", at)
            elif not versions.equals(*at, content):
                yield self._violation("wrong", at)
        for key, position in versions.latest.items():
            if self._highest.get(key, -1) < position:
                yield self._violation("missing", (*key, position))

    def _violation(self, kind: str, at: tuple[int, bytes, int]) -> Violation:
        partition, key, position = at
        detail = f"{self._folded.name}[{partition}] {key!r} at {position}"
        return Violation(f"changelog.{kind}", detail)

    def facts(self) -> Mapping[str, int]:
        return {f"{self._folded.name}_kept": len(self._highest)}


class Cells:
    """Takes the board's changelog, read uncommitted."""

    def __init__(self, expected: Expected) -> None:
        self._folded = expected.folded["board"]
        self._found: dict[tuple[int, bytes], tuple[int, bytes | None]] = {}

    def take(self, records: Sequence[Record]) -> None:
        for record in records:
            version = position_of(record)
            # The marks are stored as of each seal, and seals fall as they may.
            if record.key and version is not None and record.key != board_wire.MARKS_KEY:
                at = (record.partition, record.key)
                if version >= self._found.get(at, (-1, None))[0]:
                    self._found[at] = (version, record.value)

    def violations(self) -> Iterator[Violation]:
        wanted = {at: v for at, v in self._folded.cells.items() if at[1] != board_wire.MARKS_KEY}
        for at in wanted.keys() - self._found.keys():
            yield Violation("cells.missing", f"board[{at[0]}] {at[1]!r}")
        for at, (version, value) in self._found.items():
            if at not in wanted:
                yield Violation("cells.unexpected", f"board[{at[0]}] {at[1]!r} at {version}")
            elif value != wanted[at] and _read(at[1], value) != _read(at[1], wanted[at]):
                detail = f"{_read(at[1], value)}, not {_read(at[1], wanted[at])}"
                yield Violation("cells.wrong", f"board[{at[0]}] {at[1]!r}: {detail}")

    def facts(self) -> Mapping[str, int]:
        return {"cells": len(self._found)}


def _read(key: bytes, value: bytes | None) -> Any:
    """What is said, without when a share was forgotten: that may be before or after a seal."""
    if value is None:
        return None
    version = HEAD.unpack_from(value)[0]
    if not key.startswith(board_wire.CELL):
        return board_wire.read_register(key, version, value).posted
    cell = board_wire.read_cell(key, version, value)
    shares = {name: (s.segment, s.position) for name, s in cell.shares.items()}
    return version, cell.total, cell.mark_ms, cell.matured, shares
