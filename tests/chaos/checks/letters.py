"""The dead letters: every record that cannot be used, once, untouched, for the right reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from streams.core.source import Record
from tests.chaos.checks.violation import Violation
from tests.chaos.expected import LETTER_ID, LETTER_REASON, Expected
from tests.chaos.stories import LOAD_HEADER

POISON = b"poison:"


class Poison:
    """What the load has meant to be refused, by its own word.  Takes raw and event topics."""

    def __init__(self) -> None:
        self.reasons: dict[bytes, bytes] = {}
        """Id of the letter -> reason."""

    def take(self, records: Sequence[Record]) -> None:
        for record in records:
            said = dict(record.headers).get(LOAD_HEADER, b"")
            if said.startswith(POISON):
                at = f"{record.topic}/{record.partition}/{record.offset}".encode()
                self.reasons[at] = said.removeprefix(POISON)


class Letters:
    """Takes the topic of dead letters, read committed."""

    def __init__(self, expected: Expected, poison: Poison) -> None:
        self._expected = expected
        self._poison = poison
        self._times: Counter[bytes] = Counter()
        self._found: dict[bytes, tuple[bytes, bytes | None]] = {}

    def take(self, records: Sequence[Record]) -> None:
        for record in records:
            headers = dict(record.headers)
            self._times[headers[LETTER_ID]] += 1
            self._found[headers[LETTER_ID]] = (headers[LETTER_REASON], record.value)

    def violations(self) -> Iterator[Violation]:
        yield from self._planned()
        wanted = self._expected.letters
        for name in wanted.keys() - self._found.keys():
            yield Violation("letters.missing", name.decode())
        for name, found in self._found.items():
            if name not in wanted:
                yield Violation("letters.unexpected", f"{name.decode()}: {found[0].decode()}")
            elif found[0] != wanted[name][0]:
                yield Violation("letters.reason", f"{name.decode()}: {found[0].decode()}")
            elif found[1] != wanted[name][1]:
                yield Violation("letters.changed", name.decode())
        for name, times in self._times.items():
            if times > 1:
                yield Violation("letters.repeated", f"{name.decode()}: {times} times")

    def _planned(self) -> Iterator[Violation]:
        """The stages, folded offline, refuse what was meant to be refused and nothing else."""
        wanted = {name: reason for name, (reason, _) in self._expected.letters.items()}
        for name in wanted.keys() | self._poison.reasons.keys():
            meant, refused = self._poison.reasons.get(name), wanted.get(name)
            if meant != refused:
                detail = f"{name.decode()}: meant {meant!r}, refused {refused!r}"
                yield Violation("letters.not_as_planned", detail)

    def facts(self) -> Mapping[str, int]:
        return {"letters": len(self._found)}
