"""What flows between the stages: partials, registers and marks, and contact records.

A stage says its running sums again and again, and after a crash it says some of them once more.
What counts is the word with the highest position: it must be what the whole log comes to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from streams.core.measure import Amounts, CutKey
from streams.core.partials import Mark, Partial, Register
from streams.core.source import Record
from streams.stages import wire
from tests.chaos.checks.violation import Violation
from tests.chaos.expected import Expected, Running, told_of


class Partials:
    """Takes the partials topic."""

    def __init__(self, expected: Expected) -> None:
        self._expected = expected
        self._partitions = expected.shape.partitions
        self._shares: dict[Running, tuple[int, Amounts]] = {}
        self._registers: dict[tuple[str, CutKey], tuple[int, Amounts]] = {}
        self._marks: dict[tuple[str, int], tuple[int, int]] = {}
        self._broken: list[Violation] = []
        self.count = 0

    def take(self, records: Sequence[Record]) -> None:
        for record in records:
            assert record.value is not None, "nobody deletes from the partials topic"
            told = wire.decode(record.value)
            if isinstance(told, Partial):
                self._share(told, record)
            elif isinstance(told, Register):
                at = (told.origin, told.cut)
                if told.position >= self._registers.get(at, (-1, {}))[0]:
                    self._registers[at] = (told.position, told.values)
            else:
                self._mark(told, record.partition)
        self.count += len(records)

    def _share(self, told: Partial, record: Record) -> None:
        at = (told.origin, told.segment, told.cut, told.minute)
        known = self._shares.get(at)
        if known is not None and known[0] == told.position and known[1] != told.amounts:
            detail = f"{_named(at)} at {told.position}: {known[1]} and {told.amounts}"
            self._broken.append(Violation("partials.two_values", detail))
        if known is None or told.position > known[0]:
            self._shares[at] = (told.position, told.amounts)
        if wire.board_partition(told.cut, self._partitions) != record.partition:
            detail = f"{_named(at)} lies in partition {record.partition}"
            self._broken.append(Violation("partials.misplaced", detail))

    def _mark(self, told: Mark, partition: int) -> None:
        at = (told.origin, partition)
        if told.position >= self._marks.get(at, (-1, -1))[0]:
            self._marks[at] = (told.position, told.mark_ms)

    def violations(self) -> Iterator[Violation]:
        yield from self._broken
        wanted = self._expected.partials
        for at in wanted.keys() - self._shares.keys():
            yield Violation("partials.missing", _named(at))
        for at, found in self._shares.items():
            if at not in wanted:
                yield Violation("partials.unexpected", f"{_named(at)}: {found}")
            elif found != wanted[at]:
                yield Violation("partials.wrong", f"{_named(at)}: {found}, not {wanted[at]}")
        yield from self._registers_wrong()
        yield from self._marks_wrong()

    def _registers_wrong(self) -> Iterator[Violation]:
        wanted = self._expected.registers
        for at in wanted.keys() | self._registers.keys():
            found = self._registers.get(at, (-1, None))[1]
            # A level that nobody touched since a restart stands as it was posted before it.
            if found != wanted.get(at):
                yield Violation("registers.wrong", f"{at}: {found}, not {wanted.get(at)}")

    def _marks_wrong(self) -> Iterator[Violation]:
        for origin, mark_ms in self._expected.marks.items():
            for partition in range(self._partitions):
                found = self._marks.get((origin, partition), (-1, -1))[1]
                if found != mark_ms:
                    detail = f"{origin} in {partition}: {found}, not {mark_ms}"
                    yield Violation("marks.wrong", detail)

    def facts(self) -> Mapping[str, int]:
        return {"partials": self.count, "shares": len(self._shares)}


class ContactRecords:
    """Takes the topic of contact records."""

    def __init__(self, expected: Expected) -> None:
        self._expected = expected
        self._found: dict[tuple[str, str], tuple[int, bytes]] = {}
        self.count = 0

    def take(self, records: Sequence[Record]) -> None:
        for record in records:
            assert record.value is not None, "nobody deletes from the records topic"
            told = told_of(record.value)
            at, position = (told["customer"], told["contact"]), int(told["position"])
            if position >= self._found.get(at, (-1, b""))[0]:
                self._found[at] = (position, record.value)
        self.count += len(records)

    def violations(self) -> Iterator[Violation]:
        wanted = self._expected.records
        for at in wanted.keys() - self._found.keys():
            yield Violation("records.missing", f"contact {at[1]}")
        for at, (position, value) in self._found.items():
            if at not in wanted:
                yield Violation("records.unexpected", f"contact {at[1]} at {position}")
            elif value != wanted[at]:
                yield Violation("records.wrong", f"contact {at[1]} at {position}")

    def facts(self) -> Mapping[str, int]:
        return {"contact_records": self.count, "contacts_with_customer": len(self._found)}


def _named(at: Running) -> str:
    origin, segment, cut, minute = at
    return f"{origin} segment {segment} {'/'.join(cut)} minute {minute}"
