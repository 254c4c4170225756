"""How often an identical line came before in its file: the ordinal that tells repeats apart.

Asterisk can write the same line twice in a second and mean it twice (two unanswered rings, say).
The adapter makes ids from line and ordinal, so the ordinal must come out the same whenever the
file is read: it counts within one file, and is counted anew from the file after a restart.
"""

from __future__ import annotations

from hashlib import blake2b

WINDOW_LINES = 32_768


class Occurrences:
    """Counts identical lines, by a 64-bit digest.

    ``exact`` remembers every line of a file (about 100 bytes each).  Otherwise the latest 32,768
    to 65,536 different lines are remembered: in a log being written identical lines bear the same
    second, so they are never that far apart.
    """

    def __init__(self, exact: bool) -> None:
        self._exact = exact
        self.forget()

    def forget(self) -> None:
        """Another file begins."""
        self._young: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}

    def ordinal(self, line: bytes) -> int:
        """How many identical lines came before this one; it counts from now on."""
        digest = blake2b(line, digest_size=8).digest()
        seen = self._young.get(digest)
        if seen is None:
            seen = self._old.get(digest, 0)
            if not self._exact and len(self._young) >= WINDOW_LINES:
                self._old, self._young = self._young, {}
        self._young[digest] = seen + 1
        return seen
