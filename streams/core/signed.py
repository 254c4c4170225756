"""Signed facts: what is posted when something becomes true (+1), or turns out not to be (-1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from streams.core.facts import Fact

Signed = tuple[Fact, int]


def difference(old: Iterable[Signed], new: Iterable[Signed]) -> list[Signed]:
    """What must be posted so that ``old`` becomes ``new``; both as sums of signed facts."""
    change: dict[tuple[type, Fact], int] = {}
    for fact, sign in new:
        # Facts are tuples: two kinds with the same values would be equal.
        at = type(fact), fact
        change[at] = change.get(at, 0) + sign
    for fact, sign in old:
        at = type(fact), fact
        change[at] = change.get(at, 0) - sign
    return [(fact, count) for (_, fact), count in change.items() if count]


def net(signed: Iterable[Signed]) -> list[Signed]:
    """What signed facts come to: each fact once, with a sign that is not 0."""
    return difference((), signed)


def standing(facts: Iterable[Fact]) -> list[Signed]:
    """Facts that are all true."""
    return [(fact, 1) for fact in facts]


def replaced(known: Sequence[Fact], now: Sequence[Fact]) -> list[Signed]:
    """What must be posted so that what stands is not ``known`` but ``now``.

    Nearly always both begin alike: a long conversation keeps what it has said.
    """
    same = _same_beginning(known, now)
    gone, come = known[same:], now[same:]
    if gone and come and len(gone) + len(come) > 2:
        return difference(standing(gone), standing(come))
    return [(fact, 1) for fact in come] + [(fact, -1) for fact in gone]


def _same_beginning(known: Sequence[Fact], now: Sequence[Fact]) -> int:
    """How many facts both begin with."""
    count = 0
    for old, new in zip(known, now, strict=False):
        if old is not new and (old != new or type(old) is not type(new)):
            break
        count += 1
    return count
