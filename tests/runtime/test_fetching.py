"""Our way of unpacking a fetch against aiokafka's own, on the same bytes: the same records and the
same position."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from streams.core.source import Record
from streams.runtime.fetching import Fetched, lighten

TP = TopicPartition("events", 3)
ATTRIBUTES, LAST_OFFSET = 21, 23
CONTROL = 0x20
READ_UNCOMMITTED, READ_COMMITTED = 0, 1
Row = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]
ROWS: list[Row] = [
    (b"k1", b"v1", []),
    (None, b"v2", [("position", b"7"), ("empty", None)]),
    (b"k3", None, [("position", b"8")]),
    (b"", b"", []),
]


def batch(first: int, rows: Sequence[Row] = ROWS, *, last: int | None = None) -> bytearray:
    """A record batch at ``first``; ``last``: the offset it ends at, if the log cleaner took the
    records there."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    for number, (key, value, headers) in enumerate(rows):
        builder.append(number, 1_000 + first + number, key, value, headers)
    data = bytearray(builder.build())
    struct.pack_into(">q", data, 0, first)
    if last is not None:
        struct.pack_into(">i", data, LAST_OFFSET, last - first)
    return data


def marker(first: int) -> bytearray:
    data = batch(first, [(b"\0\0\0\1", b"\0\0\0\0\0\0", [])])
    struct.pack_into(">h", data, ATTRIBUTES, CONTROL)
    return data


class State:
    """A partition of the assignment, as far as a result looks at it."""

    def __init__(self, position: int) -> None:
        self.position = position
        self.paused = False

    def consumed_to(self, position: int) -> None:
        self.position = position


class Fetch:
    """A fetcher that holds one fetched result."""

    def __init__(
        self, data: bytes, position: int, *, crcs: bool = False, isolation: int = READ_UNCOMMITTED
    ) -> None:
        self.state = State(position)
        assignment = SimpleNamespace(active=True, state_value=lambda tp: self.state)
        records = PartitionRecords(
            TP, MemoryRecords(data), [], position, None, None, crcs, isolation
        )
        result = FetchResult(TP, assignment=assignment, partition_records=records, backoff=0)
        self.fetcher = SimpleNamespace(_records={TP: result})

    @property
    def result(self) -> Any:
        return self.fetcher._records[TP]

    def lightened(self) -> Fetch:
        lighten(self.fetcher)
        return self


def fields(records: Sequence[Any]) -> list[Record]:
    return [
        Record(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, tuple(r.headers))
        for r in records
    ]


@pytest.mark.parametrize(
    ("data", "position"),
    [
        pytest.param(batch(100), 100, id="one batch"),
        pytest.param(batch(100) + batch(104), 100, id="two"),
        pytest.param(batch(100) + batch(104), 102, id="from the middle of one"),
        pytest.param(batch(100) + marker(104) + batch(105), 100, id="a marker between"),
        pytest.param(batch(100) + marker(104), 100, id="a marker at the end"),
        pytest.param(marker(104), 104, id="nothing but a marker"),
        pytest.param(batch(100, last=110) + batch(120), 100, id="holes of the log cleaner"),
        pytest.param(batch(100, last=110), 107, id="a batch emptied behind the position"),
    ],
)
def test_the_same_records_and_the_same_position_as_aiokafka(data: bytes, position: int) -> None:
    theirs, ours = Fetch(bytes(data), position), Fetch(bytes(data), position).lightened()
    expected = theirs.result.getall()
    found = ours.result.getall()
    assert all(type(record) is Fetched for record in found)
    assert fields(found) == fields(expected)
    assert ours.state.position == theirs.state.position
    assert ours.result.has_more() is theirs.result.has_more() is False
    assert ours.result.getall() == []


def test_what_comes_later_is_unpacked_our_way_too() -> None:
    fetch = Fetch(bytes(batch(100)), 100).lightened()
    fetch.fetcher._records[TP] = Fetch(bytes(batch(104)), 104).result
    assert [type(record) for record in fetch.result.getall()] == [Fetched] * len(ROWS)


@pytest.mark.parametrize("how", ["paused", "sought", "taken away"])
def test_a_result_that_is_not_wanted_any_more_gives_nothing(how: str) -> None:
    fetch = Fetch(bytes(batch(100)), 100).lightened()
    if how == "paused":
        fetch.state.paused = True
    elif how == "sought":
        fetch.state.position = 50
    else:
        fetch.result._assignment.active = False
    position = fetch.state.position
    assert fetch.result.getall() == []
    assert fetch.state.position == position


def test_a_batch_that_was_damaged_is_refused_and_fetched_again() -> None:
    good, bad = batch(100), batch(104)
    bad[-1] ^= 1
    fetch = Fetch(bytes(good + bad), 100, crcs=True).lightened()
    with pytest.raises(CorruptRecordException):
        fetch.result.getall()
    assert fetch.state.position == 100
    assert fetch.result.getall() == []


def test_who_reads_committed_or_asks_for_a_few_is_left_to_aiokafka() -> None:
    committed = Fetch(bytes(batch(100)), 100, isolation=READ_COMMITTED).lightened()
    assert type(committed.result.getall()[0]) is not Fetched
    few = Fetch(bytes(batch(100)), 100).lightened()
    assert [record.offset for record in few.result.getall(2)] == [100, 101]
    assert few.state.position == 102
