"""Dead letters added up by reason, stage and topic."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from streams.dead_letters.letter import Letter


class Kind(NamedTuple):
    """What letters are counted by; ``topic`` is where the records were refused."""

    reason: str
    stage: str
    topic: str


@dataclass
class Count:
    """Letters of one kind; times in ms, of the first and the last."""

    letters: int = 0
    replayed: int = 0
    first_ms: int = 0
    last_ms: int = 0

    def add(self, letter: Letter, replayed: bool) -> None:
        """One more."""
        self.first_ms = min(self.first_ms or letter.refused_ms, letter.refused_ms)
        self.last_ms = max(self.last_ms, letter.refused_ms)
        self.letters += 1
        self.replayed += replayed


@dataclass
class Counts:
    """By kind; ``foreign`` records of the topic are none of our letters."""

    by_kind: dict[Kind, Count] = field(default_factory=dict)
    foreign: int = 0

    def add(self, letter: Letter, replayed: bool) -> None:
        """One more."""
        kind = Kind(letter.reason, letter.stage, letter.record.topic)
        self.by_kind.setdefault(kind, Count()).add(letter, replayed)

    def rows(self) -> list[tuple[Kind, Count]]:
        """The most frequent first."""
        return sorted(self.by_kind.items(), key=lambda row: (-row[1].letters, row[0]))
