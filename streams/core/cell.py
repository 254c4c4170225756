"""A cell: what the board keeps per (cut key, minute).

Origins do not send increments but *shares*: what one segment of one partition's log adds to the
cell so far, with the offset of the last event in it, its position.  A share comes again whenever it
has grown, and after a crash it comes again although it has not.  So a cell never adds what it is
sent; it *replaces* the share it holds of that segment, and only by one with a higher position:

* position not higher than the one held: a repeat, from a replay or a paused former owner.  Ignored;
* the same segment: the share has grown.  ``total += new - old``;
* a later segment: the share held was the earlier segment's last, because shares of one origin come
  in ascending order of segments (delivery rule 1).  It stays in the total for good, and the new one
  is added;
* an earlier segment cannot come with a higher position, because positions rise along the log.

What the earlier segment's share consisted of is then of no use any more and can be forgotten; its
segment and position stay, or a repeat would be added once more.

``version`` names the cell's value: the offset in the partials topic of the last share it took.  The
partials topic is a total order per board partition, so a version never falls, is the same after
every replay, and says which value the cell had.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from streams.core.measure import Amounts, CutKey
from streams.core.partials import Partial
from streams.core.terms import MINUTE_MS
from streams.core.window import Quarter, add

_NONE: Mapping[int, int] = MappingProxyType({})
_NOWHERE = Quarter(())
"""Of a cell that has not been entered."""


class Share:
    """What an origin sent last of its latest segment; ``amounts`` None: complete and forgotten."""

    __slots__ = ("amounts", "position", "segment")

    def __init__(self, segment: int, position: int, amounts: Amounts | None) -> None:
        self.segment = segment
        self.position = position
        self.amounts = amounts


class Cell:
    """The sum of everything that was added to one (cut key, minute).

    ``mark_ms`` is the board's mark when an amount changed last that a KPI reads which is final with
    its window, -1 if there was none yet.  ``matured``: the same for KPIs that mature so long (ms)
    after it, where that may have been too late.
    ``quarter`` has the running sums the cell is part of.
    """

    __slots__ = ("cut", "mark_ms", "matured", "minute", "quarter", "shares", "total", "version")

    def __init__(
        self,
        cut: CutKey,
        minute: int,
        *,
        total: Amounts | None = None,
        shares: dict[str, Share] | None = None,
        version: int = -1,
        mark_ms: int = -1,
        matured: Mapping[int, int] = _NONE,
    ) -> None:
        self.cut = cut
        self.minute = minute
        self.total: Amounts = {} if total is None else total
        self.shares: dict[str, Share] = {} if shares is None else shares
        self.version = version
        self.mark_ms = mark_ms
        self.matured = matured
        self.quarter = _NOWHERE

    def stamp(self, maturities: Iterable[int], mark_ms: int) -> None:
        """Something was changed that is read by KPIs with these maturities."""
        for matures_ms in maturities:
            if not matures_ms:
                self.mark_ms = mark_ms
            elif mark_ms >= self.minute * MINUTE_MS + matures_ms:
                self.matured = {**self.matured, matures_ms: mark_ms}

    def absorb(self, partial: Partial, version: int) -> Amounts | None:
        """What ``partial`` changes in the total; None if it is a repeat.

        ``version`` is its offset in the partials topic.  Its amounts are kept, not copied.  Raises
        AssertionError if a complete segment grows, because then delivery rule 1 was broken and
        every further sum would be wrong.
        """
        share = self.shares.get(partial.origin)
        if share is None:
            old: Amounts | None = {}
            self.shares[partial.origin] = Share(partial.segment, partial.position, partial.amounts)
        elif partial.position <= share.position:
            return None
        else:
            old = share.amounts if partial.segment == share.segment else {}
            share.segment, share.position = partial.segment, partial.position
            share.amounts = partial.amounts
        assert old is not None, f"a complete segment of {partial.origin} has grown"
        return self._add(difference(old, partial.amounts), version)

    def _add(self, changes: Amounts, version: int) -> Amounts:
        """The version moves even if no amount does: it must tell apart what holds which shares."""
        self.version = version
        add(self.total, changes)
        return changes


def difference(old: Amounts, new: Amounts) -> Amounts:
    """What must be added to ``old`` to get ``new``; names whose amount stays are left out.

    >>> difference({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 5})
    {'b': 3, 'c': -3}
    """
    if not old:
        return {name: amount for name, amount in new.items() if amount}
    changes = {}
    for name, amount in new.items():
        change = amount - old.get(name, 0)
        if change:
            changes[name] = change
    for name, amount in old.items():
        if amount and name not in new:
            changes[name] = -amount
    return changes
