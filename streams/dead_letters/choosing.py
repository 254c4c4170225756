"""Which dead letters are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from streams.dead_letters.letter import Letter


class Wanted(NamedTuple):
    """What is empty, or 0, does not restrict.  A reason may end in ``.*``; a time is when the
    letter was written, ``since_ms`` inclusive, ``until_ms`` exclusive."""

    reasons: Sequence[str] = ()
    stages: Sequence[str] = ()
    topics: Sequence[str] = ()
    since_ms: int = 0
    until_ms: int = 0

    def has(self, letter: Letter) -> bool:
        """Is this one wanted?"""
        return (
            letter.refused_ms >= self.since_ms
            and (not self.until_ms or letter.refused_ms < self.until_ms)
            and (not self.stages or letter.stage in self.stages)
            and (not self.topics or letter.record.topic in self.topics)
            and (not self.reasons or any(_is(letter.reason, one) for one in self.reasons))
        )


def _is(reason: str, wanted: str) -> bool:
    return reason.startswith(wanted[:-1]) if wanted.endswith(".*") else reason == wanted
