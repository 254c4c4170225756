"""The shard: only the next offset, seals at borders, and no trace of how the log was cut."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.segment import Segments
from streams.core.shard import Jump, Shard
from streams.core.source import Record
from tests.builders import record

SIZE = 4


class Listening:
    """A stage that writes down what it is given, and seals what came since the last seal."""

    def __init__(self, by_segment: bool = True) -> None:
        self.by_segment = by_segment
        self.started_at = -1
        self.pieces: list[list[int]] = []
        self.since: list[int] = []

    def start(self, committed: int) -> None:
        self.started_at = committed

    def absorb(self, records: Sequence[Record]) -> None:
        self.pieces.append([r.offset for r in records])
        self.since += self.pieces[-1]

    def seal(self, end: int) -> tuple[int, tuple[int, ...]]:
        sealed, self.since = tuple(self.since), []
        return end, sealed

    @property
    def absorbed(self) -> list[int]:
        return [offset for piece in self.pieces for offset in piece]


Seals = list[tuple[int, tuple[int, ...]]]


def started(by_segment: bool = True, committed: int = 0) -> tuple[Shard[object], Listening]:
    stage = Listening(by_segment)
    shard: Shard[object] = Shard(stage, Segments(SIZE))
    shard.start(committed)
    assert stage.started_at == committed
    return shard, stage


def offsets(first: int, end: int) -> list[Record]:
    return [record(b"", offset) for offset in range(first, end)]


def absorbed(shard: Shard[object], batches: Sequence[Sequence[Record]]) -> list[object]:
    seals: list[object] = []
    for batch in batches:
        shard.absorb(batch)
        seals += shard.take_seals()
    return seals


@given(st.integers(0, 3), st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_any_cutting_gives_the_same_seals(segment: int, sizes: list[int]) -> None:
    first, length = segment * SIZE, sum(sizes)
    cuts = [first + sum(sizes[:i]) for i in range(len(sizes) + 1)]
    whole, _ = started(committed=first)
    cut, stage = started(committed=first)
    expected = absorbed(whole, [offsets(first, first + length)])
    assert absorbed(cut, [offsets(a, b) for a, b in pairwise(cuts)]) == expected
    assert stage.absorbed == list(range(first, first + length))
    assert cut.next == first + length


@given(st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_a_piece_never_spans_a_border_and_a_seal_holds_one_segment(sizes: list[int]) -> None:
    shard, stage = started()
    at, seals = 0, []
    for size in sizes:
        seals += absorbed(shard, [offsets(at, at + size)])
        at += size
    assert all(piece[0] // SIZE == piece[-1] // SIZE for piece in stage.pieces)
    borders = range(SIZE, at + 1, SIZE)
    assert seals == [(end, tuple(range(end - SIZE, end))) for end in borders]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 9)), min_size=1, max_size=9))
def test_what_was_absorbed_is_skipped_when_it_comes_again(spans: list[tuple[int, int]]) -> None:
    shard, stage = started()
    for back, size in spans:
        assert shard.next is not None
        first, was = max(0, shard.next - back), shard.next
        taken = shard.absorb(offsets(first, first + size))
        assert taken == shard.next - was
    assert shard.next is not None
    assert stage.absorbed == list(range(shard.next))


def test_a_batch_of_nothing_but_repeats_changes_nothing() -> None:
    shard, stage = started(committed=8)
    assert shard.absorb(offsets(0, 8)) == 0
    assert (shard.next, stage.pieces, shard.take_seals()) == (8, [], [])


def test_a_hole_before_a_batch_is_raised_and_nothing_of_it_is_taken() -> None:
    shard, stage = started()
    shard.absorb(offsets(0, 2))
    with pytest.raises(Jump, match="expected offset 2, got 5"):
        shard.absorb(offsets(5, 7))
    assert (shard.next, stage.absorbed) == (2, [0, 1])


def test_a_hole_within_a_batch_is_raised_when_all_before_it_is_taken() -> None:
    shard, stage = started()
    with pytest.raises(Jump) as jump:
        shard.absorb([*offsets(0, 3), *offsets(6, 8)])
    assert (jump.value.expected, jump.value.got) == (3, 6)
    assert stage.absorbed == [0, 1, 2]


def test_behind_a_hole_of_the_log_the_same_batch_goes_on() -> None:
    shard, stage = started()
    batch = [*offsets(0, 3), *offsets(6, 8)]
    with pytest.raises(Jump) as jump:
        shard.absorb(batch)
    shard.allow_jump(jump.value.got)
    assert shard.absorb(batch) == 2
    assert stage.absorbed == [0, 1, 2, 6, 7]
    assert shard.take_seals() == [(4, (0, 1, 2)), (8, (6, 7))]


def test_a_hole_over_several_borders_seals_once() -> None:
    shard, _ = started()
    shard.absorb(offsets(0, 2))
    shard.allow_jump(13)
    shard.absorb(offsets(13, 14))
    assert shard.take_seals() == [(12, (0, 1))]


def test_a_hole_that_begins_at_a_border_seals_nothing_again() -> None:
    shard, _ = started()
    shard.absorb(offsets(0, SIZE))
    shard.allow_jump(9)
    shard.absorb(offsets(9, 12))
    assert shard.take_seals() == [(4, (0, 1, 2, 3)), (12, (9, 10, 11))]


def test_a_stage_without_segments_is_sealed_where_it_stands() -> None:
    shard, stage = started(by_segment=False)
    shard.absorb(offsets(0, 6))
    assert stage.pieces == [list(range(6))]
    assert shard.take_seals() == [(6, (0, 1, 2, 3, 4, 5))]
    assert shard.take_seals() == []


def test_a_dead_shard_takes_nothing() -> None:
    shard, _ = started()
    shard.dead = True
    with pytest.raises(AssertionError, match="dead"):
        shard.absorb(offsets(0, 1))


def test_a_shard_that_was_not_started_takes_nothing() -> None:
    shard: Shard[object] = Shard(Listening(), Segments(SIZE))
    with pytest.raises(AssertionError, match="start"):
        shard.absorb(offsets(0, 1))


def test_a_shard_starts_once() -> None:
    shard, _ = started()
    with pytest.raises(AssertionError, match="once"):
        shard.start(4)


# -- segments


@given(st.integers(1, 40), st.integers(0, 70_000), st.integers(0, 500))
def test_every_offset_is_between_two_borders_a_segment_apart(
    size: int, partition: int, offset: int
) -> None:
    segments = Segments.of(size, partition)
    first, end = segments.border(offset), segments.next_border(offset)
    assert first <= offset < end
    assert end - first == size or (first == 0 and end == size - segments.shift)
    assert {segments.number(at) for at in range(first, end)} == {segments.number(offset)}
    assert segments.border(end) == end


@pytest.mark.parametrize("partitions", [2, 4, 8, 64])
def test_partitions_that_grow_alike_end_their_segments_evenly_spread(partitions: int) -> None:
    ends = sorted(Segments.of(16_384, p).next_border(20_000) for p in range(partitions))
    assert {b - a for a, b in pairwise(ends)} == {16_384 // partitions}


def test_a_shifted_shard_seals_at_its_own_borders() -> None:
    shard: Shard[object] = Shard(Listening(), Segments(SIZE, 1))
    shard.start(0)
    shard.absorb(offsets(0, 8))
    assert shard.take_seals() == [(3, (0, 1, 2)), (7, (3, 4, 5, 6))]
