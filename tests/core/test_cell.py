"""Cells: any repeats and any interleaving of origins give the same total."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.core.cell import Cell, difference
from streams.core.measure import Amounts
from streams.core.partials import Partial

CUT = ("queue", "A", "voice")
MINUTE = 29_000_000


class Sent(NamedTuple):
    """A share as sent: the amount of ``n`` that the origin's segment has added up to a position."""

    origin: str
    segment: int
    position: int
    n: int

    def partial(self) -> Partial:
        return Partial(self.origin, self.segment, CUT, MINUTE, self.position, {"n": self.n})


@pytest.mark.parametrize(
    ("sent", "total", "version"),
    [
        pytest.param([("a", 0, 3, 5)], 5, 0, id="first"),
        pytest.param([("a", 0, 3, 5), ("a", 0, 3, 5)], 5, 0, id="repeat"),
        pytest.param([("a", 0, 3, 5), ("a", 0, 7, 8)], 8, 1, id="the segment has grown"),
        pytest.param([("a", 0, 3, 5), ("a", 0, 7, 2)], 2, 1, id="something was taken back"),
        pytest.param([("a", 0, 7, 8), ("a", 0, 3, 5)], 8, 0, id="an older owner's share"),
        pytest.param([("a", 0, 7, 8), ("a", 1, 10, 1)], 9, 1, id="a later segment"),
        pytest.param(
            [("a", 0, 7, 8), ("a", 1, 10, 1), ("a", 0, 7, 8)], 9, 1, id="repeat of a left segment"
        ),
        pytest.param(
            [("a", 0, 7, 8), ("a", 1, 10, 1), ("a", 1, 12, 4)], 12, 2, id="growth after a segment"
        ),
        pytest.param([("a", 0, 7, 8), ("b", 0, 2, 1)], 9, 1, id="two origins"),
        pytest.param([("a", 0, 3, 5), ("a", 0, 9, 5)], 5, 1, id="a higher position, no change"),
    ],
)
def test_shares(sent: list[tuple[str, int, int, int]], total: int, version: int) -> None:
    cell = Cell(CUT, MINUTE)
    for offset, row in enumerate(sent):
        cell.absorb(Sent(*row).partial(), offset)
    assert (cell.total["n"], cell.version) == (total, version)


def test_what_a_share_changes() -> None:
    cell = Cell(CUT, MINUTE)
    assert cell.absorb(Partial("a", 0, CUT, MINUTE, 1, {"n": 2, "zero": 0}), 0) == {"n": 2}
    assert cell.absorb(Partial("a", 0, CUT, MINUTE, 2, {"n": 2, "m": 1}), 1) == {"m": 1}
    assert cell.absorb(Partial("a", 0, CUT, MINUTE, 3, {"n": 2, "m": 1}), 2) == {}
    assert cell.absorb(Partial("a", 0, CUT, MINUTE, 3, {"n": 2, "m": 1}), 3) is None


def test_the_mark_is_that_of_the_last_change_that_a_kpi_reads() -> None:
    cell = Cell(CUT, MINUTE)
    start_ms = MINUTE * 60_000
    cell.stamp((0, 1_000), start_ms + 999)
    assert (cell.mark_ms, cell.matured) == (start_ms + 999, {})
    cell.stamp((1_000,), start_ms + 1_000)
    assert (cell.mark_ms, cell.matured) == (start_ms + 999, {1_000: start_ms + 1_000})
    cell.stamp((), start_ms + 2_000)
    assert cell.mark_ms == start_ms + 999


def test_a_complete_segment_cannot_grow() -> None:
    """That would be a broken delivery rule 1, and every later sum wrong: the worker stops."""
    cell = Cell(CUT, MINUTE)
    cell.absorb(Sent("a", 0, 3, 5).partial(), 0)
    cell.shares["a"].amounts = None
    with pytest.raises(AssertionError, match="has grown"):
        cell.absorb(Sent("a", 0, 4, 6).partial(), 1)


amounts = st.dictionaries(st.sampled_from("abcd"), st.integers(-3, 3))


@given(amounts, amounts)
def test_difference(old: Amounts, new: Amounts) -> None:
    changes = difference(old, new)
    assert 0 not in changes.values()
    names = {*old, *new}
    assert all(old.get(n, 0) + changes.get(n, 0) == new.get(n, 0) for n in names)


@st.composite
def logs(draw: st.DrawFn) -> list[Sent]:
    """What reaches a cell: each origin's shares in order, some of them again, origins mixed."""
    streams = []
    for origin in "ab"[: draw(st.integers(1, 2))]:
        steps = draw(st.lists(st.tuples(st.integers(0, 1), st.integers(-2, 3)), max_size=6))
        shares: list[Sent] = []
        segment = n = 0
        for position, (next_segment, change) in enumerate(steps):
            segment, n = segment + next_segment, change if next_segment else n + change
            shares.append(Sent(origin, segment, position, n))
        streams += [shares, *draw(st.lists(st.sampled_from([shares]), max_size=2))]
    order = draw(st.permutations([i for i, shares in enumerate(streams) for _ in shares]))
    rest = [iter(shares) for shares in streams]
    return [next(rest[i]) for i in order]


def oracle(log: list[Sent]) -> int:
    """The share with the highest position of every origin and segment, added up."""
    best: dict[tuple[str, int], Sent] = {}
    for sent in log:
        at = (sent.origin, sent.segment)
        if at not in best or sent.position > best[at].position:
            best[at] = sent
    return sum(sent.n for sent in best.values())


def total_of(log: list[Sent], absorb: Callable[[Cell, Partial, int], object]) -> int:
    cell = Cell(CUT, MINUTE)
    for offset, sent in enumerate(log):
        absorb(cell, sent.partial(), offset)
    return cell.total.get("n", 0)


def right(cell: Cell, partial: Partial, offset: int) -> None:
    cell.absorb(partial, offset)


@given(logs())
def test_every_event_counts_once(log: list[Sent]) -> None:
    """Writers of one origin (its owners, a zombie) are mixed freely, each in its own order."""
    assert total_of(log, right) == oracle(log)


def without_position(cell: Cell, partial: Partial, offset: int) -> None:
    """Broken: takes a share whatever its position."""
    if partial.origin in cell.shares:
        cell.shares[partial.origin].position = -1
    cell.absorb(partial, offset)


def adding(cell: Cell, partial: Partial, offset: int) -> None:
    """Broken: adds a share that has grown to what it was before."""
    if partial.origin in cell.shares:
        cell.shares[partial.origin].amounts = {}
    cell.absorb(partial, offset)


def forgetting_positions(cell: Cell, partial: Partial, offset: int) -> None:
    """Broken: forgets the whole share, not only its amounts, when the origin moves on."""
    cell.absorb(partial, offset)
    if partial.segment > 0:
        del cell.shares[partial.origin]


@pytest.mark.parametrize("broken", [without_position, adding, forgetting_positions])
def test_the_law_fails_if_a_rule_is_broken(
    broken: Callable[[Cell, Partial, int], object],
) -> None:
    """Each of the three variants above gives a wrong total for the same small log.

    A segment grows, the next one begins, then a paused owner sends all of it again.
    """
    mine = [Sent("a", 0, 1, 1), Sent("a", 0, 2, 3), Sent("a", 1, 5, 1)]
    log = [*mine, *mine]
    assert total_of(log, right) == oracle(log) == 4
    assert total_of(log, broken) != 4


def test_the_logs_are_not_trivial() -> None:
    """The strategy above makes what the law is about: growth, segments, repeats, two origins."""
    seen: Counter[str] = Counter()

    @given(logs())
    @example([Sent("a", 0, 0, 1)])
    def look(log: list[Sent]) -> None:
        seen["repeats"] += len(log) > len(set(log))
        seen["segments"] += len({s.segment for s in log}) > 1
        seen["growth"] += len({(s.segment, s.origin) for s in log}) < len(set(log))
        seen["origins"] += len({s.origin for s in log}) > 1

    look()
    assert min(seen[k] for k in ("repeats", "segments", "growth", "origins")) > 5
