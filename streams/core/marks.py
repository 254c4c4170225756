"""How far time has come on the board, and from which minute on it still counts.

Each origin says how far its time has come; the board's mark is the lowest of them once all have
said so.  It never falls.  The mark decides nothing about values: only the words provisional, final
and corrected, which minutes the rolling windows hold, and what is old enough to be dropped.

**The floor.**  Cells of minutes below the floor have been dropped, and with them the positions by
which a repeat is known.  So nothing below the floor is taken any more: a share that came once more
would count from zero.  The floor follows the mark at ``keep_ms``, and is stored all the same: after
a restart with a longer ``keep_ms`` it would come out lower than it was, and the first late share of
a dropped minute would pass for its whole sum.  Each mark is stored with the floor it caused, so a
replay passes the same floors at the same offsets.

**The base.**  What is stored may be newer than the commit: a transaction was aborted, or the commit
did not get through.  For cells that is harmless, a replay changes nothing in them.  But the cells
that the replay does change (whose newer record was not written) must be stamped with the mark as it
was at that offset.  So two things are stored: the marks as they stood at an offset before which
everything is known to be stored and said, the ``base``, and each mark taken since with its offset.
If the commit shows that this record is itself acknowledged, all of it is the base.  Else a restart
stands at the base and takes again the marks before the commit.  If the commit is older than the
base (an operator has set it back) it stays there: the replay changes no cell before the base.
"""

from __future__ import annotations

from typing import NamedTuple

from streams.core.partials import Mark
from streams.core.terms import MINUTE_MS

UNKNOWN = -1
"""The mark before every expected origin has said one."""


class Moved(NamedTuple):
    """A mark that was taken at ``offset`` of the partials topic, and the floor after it."""

    offset: int
    origin: str
    position: int
    mark_ms: int
    floor: int


class Standing(NamedTuple):
    """The marks as they stand at an offset.  ``origins``: origin -> (position, mark_ms).

    ``moved_at`` and ``minute_at`` are the offsets at which the board's mark, and its minute, moved
    last; ``floor`` is the first minute that counts.
    """

    offset: int
    origins: dict[str, tuple[int, int]]
    mark_ms: int = UNKNOWN
    moved_at: int = -1
    minute_at: int = -1
    floor: int = 0


class MarksRecord(NamedTuple):
    """What is stored.  ``version``: the last offset absorbed before it was; ``said``: the results
    up to there are written with it; ``until``: the highest version of anything stored so far."""

    version: int
    said: bool
    until: int
    base: Standing
    since: list[Moved]

    @property
    def rank(self) -> int:
        """Which record wins on restore: the later one, and of two as of the same offset the one
        that claims less.  The other may stand in an aborted transaction, and its offset have been
        committed by a seal without results."""
        return 2 * self.version + (not self.said)


class Marks:
    """The marks of one board partition.

    ``expected`` origins must have said a mark before there is one for the board.  ``keep_ms`` 0:
    the floor stays where it is.
    """

    __slots__ = (
        "_expected",
        "_keep_ms",
        "_origins",
        "_since",
        "base",
        "floor",
        "mark_ms",
        "minute_at",
        "moved_at",
    )

    def __init__(self, expected: int, keep_ms: int = 0) -> None:
        self._expected = expected
        self._keep_ms = keep_ms
        self._stand(Standing(0, {}))

    def _stand(self, standing: Standing) -> None:
        self.base = standing
        self._since: list[Moved] = []
        self._origins = dict(standing.origins)
        self.mark_ms = standing.mark_ms
        self.moved_at = standing.moved_at
        self.minute_at = standing.minute_at
        self.floor = standing.floor

    def absorb(self, mark: Mark, offset: int) -> bool:
        """Take a mark; whether the board's mark moved.  A position not higher is a repeat."""
        known = self._origins.get(mark.origin)
        if known is not None and mark.position <= known[0]:
            return False
        moved = self._set(offset, mark.origin, mark.position, mark.mark_ms)
        if self._keep_ms and moved:
            self.floor = max(self.floor, (self.mark_ms - self._keep_ms) // MINUTE_MS)
        self._since.append(Moved(offset, *mark, self.floor))
        return moved

    def _set(self, offset: int, origin: str, position: int, mark_ms: int) -> bool:
        _, known_ms = self._origins.get(origin, (-1, UNKNOWN))
        self._origins[origin] = (position, max(known_ms, mark_ms))
        if len(self._origins) < self._expected:
            return False
        lowest = min(ms for _, ms in self._origins.values())
        if lowest <= self.mark_ms:
            return False
        if lowest // MINUTE_MS != self.mark_ms // MINUTE_MS:
            self.minute_at = offset
        self.mark_ms, self.moved_at = lowest, offset
        return True

    @property
    def minute(self) -> int:
        """The minute the mark is in; -1 if there is no mark."""
        return self.mark_ms // MINUTE_MS

    @property
    def known_ms(self) -> int | None:
        """The mark, None if there is none."""
        return None if self.mark_ms == UNKNOWN else self.mark_ms

    def restore(self, record: MarksRecord, committed: int) -> list[Moved]:
        """Stand at the base; the marks to take ``again`` after it."""
        self._stand(record.base)
        if record.said and record.version < committed:
            for moved in record.since:
                self.again(moved)
            self.settle(record.version + 1)
            return []
        return [moved for moved in record.since if moved.offset < committed]

    def again(self, moved: Moved) -> bool:
        """Take a stored mark; whether the board's mark moved."""
        self._since.append(moved)
        self.floor = moved.floor
        return self._set(*moved[:-1])

    def taken(self) -> bool:
        """Whether marks were taken since the base."""
        return bool(self._since)

    def record(self, end: int, *, said: bool, until: int) -> MarksRecord:
        """What to store after everything before ``end`` was absorbed."""
        return MarksRecord(end - 1, said, until, self.base, self._since)

    def settle(self, end: int) -> None:
        """Everything before ``end`` is being stored and said: it is the base of the next record,
        which is made only when that is acknowledged."""
        origins = dict(self._origins)
        self._stand(Standing(end, origins, self.mark_ms, self.moved_at, self.minute_at, self.floor))
