"""Dead letters, each in its topic once, whoever was killed in between.

The shard's fenced producer writes them in transactions of their own.  A successor reads some of the
same records again and finds the same letters; before its first one it looks up which are there: it
has shut out every earlier owner by then, so the answer stays true.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from streams.stages.base import Output
from streams.stages.dead_letter import APPENDED_AT as APPENDED_HEADER
from streams.stages.dead_letter import ID as ID_HEADER

__all__ = ["CLOCKS_MS", "ID_HEADER", "STREAM", "Letters"]

STREAM = "dlq"
CLOCKS_MS = 60_000
"""By how much the clocks of two brokers may differ."""

Said = Callable[[int], Awaitable[set[bytes]]]
"""``since_ms -> ids`` of the letters in the topic that were appended then or later."""


class Letters:
    """What of one partition is in the dead letters already."""

    def __init__(self, said: Said) -> None:
        self._look_up = said
        self._said: set[bytes] | None = None

    async def unsaid(self, letters: Sequence[Output]) -> list[Output]:
        """Those of ``letters`` that nobody has written.  Call it after fencing; the first call asks
        the topic."""
        if self._said is None:
            # A letter is never older than the record it is about.
            since_ms = int(_header(letters[0], APPENDED_HEADER)) - CLOCKS_MS
            self._said = await self._look_up(max(0, since_ms))
        return [letter for letter in letters if _header(letter, ID_HEADER) not in self._said]


def _header(letter: Output, name: str) -> bytes:
    """Ours come last: the record's own headers may hold anything."""
    return dict(letter.headers)[name] or b""
