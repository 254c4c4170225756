"""What Faust gets of a fetch: one object per partition, and nothing lost or moved."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka import TopicPartition

from streams.core.source import Record
from streams.runtime.folding import Folding

A, B = TopicPartition("a", 0), TopicPartition("b", 1)


def rows(tp: Any, first: int, count: int) -> list[Record]:
    return [Record(tp.topic, tp.partition, first + i, 1_000 + i, None, b"v") for i in range(count)]


class Small(Folding):
    batch_max = 3


def test_a_fetch_is_one_object_that_stands_where_its_last_record_stands() -> None:
    fetched = rows(B, 10, 5)
    [(tp, batch)] = Folding().iterate({B: fetched})
    assert tp == B
    assert batch.value == fetched
    assert (batch.topic, batch.partition, batch.offset, batch.timestamp) == ("b", 1, 14, 1_004)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_batches_are_bounded_and_partitions_take_turns(count: int) -> None:
    fetched = {A: rows(A, 10, count), B: rows(B, 10, 4)}
    found = list(Small().iterate(fetched))
    for tp, records in fetched.items():
        assert [r for at, batch in found if at == tp for r in batch.value] == records
    assert max(len(batch.value) for _, batch in found) <= 3
    assert [tp for tp, _ in found][:2] == [A, B]


def test_offsets_0_and_1_come_alone() -> None:
    found = [batch.value for _, batch in Folding().iterate({A: rows(A, 0, 4)})]
    assert [[r.offset for r in value] for value in found] == [[0], [1], [2, 3]]


def test_an_empty_fetch_is_nothing() -> None:
    assert list(Folding().iterate({A: []})) == []
