"""What the consumer makes of the bytes of a fetch: all records of a partition at once, each as a
light object.

aiokafka makes a frozen dataclass of twelve fields of each record, in a generator behind an
iterator: 0.8 us a record, and then the cycle collector looks at each of them.  We need seven
fields, of records that are in no cycle.  What aiokafka's fetcher keeps for the caller is its own
object with one method replaced, so positions, paused partitions and reassignments stay its
business (docs/adr/0011).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import msgspec
from aiokafka.consumer.fetcher import READ_UNCOMMITTED, FetchResult
from aiokafka.errors import CorruptRecordException


class Fetched(msgspec.Struct, gc=False):
    """One record, with the names of ``streams.core.source.Record``; ``timestamp`` in ms."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


class Run(list[Any]):
    """Records of a partition and what they are all of: the offsets from ``since`` up to
    ``until``."""

    __slots__ = ("since", "until")

    def __init__(self, records: Iterable[Any], since: int, until: int) -> None:
        super().__init__(records)
        self.since = since
        self.until = until


class Results(OrderedDict[Any, Any]):
    """What was fetched and not yet taken, by partition: aiokafka's own results, unpacked our
    way."""

    def __init__(self, *args: Any) -> None:
        self._empty: dict[Any, tuple[int, int]] = {}
        """Partition -> the offsets of fetches that had nothing for us, the last one before the
        next."""
        super().__init__(*args)

    def __setitem__(self, tp: Any, result: Any) -> None:
        if _is_plain(result):
            result.getall = partial(self._take, tp, result)
        super().__setitem__(tp, result)

    def _take(self, tp: Any, result: Any, max_records: int | None = None) -> list[Any]:
        run = _take_all(result, max_records)
        if not isinstance(run, Run):
            return run
        since, until = self._empty.pop(tp, (run.since, run.since))
        if until == run.since:
            run.since = since
        if not run:
            self._empty[tp] = (run.since, run.until)
        return run


def lighten(fetcher: Any) -> None:
    """Have this fetcher unpack our way from now on; repeats are harmless."""
    if type(fetcher._records) is not Results:
        fetcher._records = Results(fetcher._records)


def _is_plain(result: Any) -> bool:
    """Nothing to leave out (read committed) and nothing to decode: otherwise aiokafka does it."""
    if type(result) is not FetchResult:
        return False  # an error, kept in the place of a result
    records = result._partition_records
    return (
        records._isolation_level == READ_UNCOMMITTED
        and records._key_deserializer is None
        and records._value_deserializer is None
    )


def _take_all(result: Any, max_records: int | None = None) -> list[Any]:
    """``FetchResult.getall``: the whole fetch in one go, and the position goes behind it."""
    if max_records is not None:
        return FetchResult.getall(result, max_records)  # type: ignore[no-any-return]
    if not result.has_more() or not result.check_assignment(result._topic_partition):
        return []
    fetch, result._partition_records = result._partition_records, None
    since = fetch.next_fetch_offset
    taken = list(_unpacked(fetch))
    result._assignment.state_value(result._topic_partition).consumed_to(fetch.next_fetch_offset)
    return Run(taken, since, fetch.next_fetch_offset)


def _unpacked(fetch: Any) -> Iterator[Fetched]:
    """Every record at or behind the position; batches of markers and what the log cleaner left
    empty only move it."""
    topic, partition = fetch._tp
    while fetch._records.has_next():
        batch = fetch._records.next_batch()
        if fetch._check_crcs and not batch.validate_crc():
            raise CorruptRecordException(f"Invalid CRC - {fetch._tp}")
        if not batch.is_control_batch:
            # A batch that is fetched for a record in its middle begins before the position.
            since = fetch.next_fetch_offset
            yield from [
                Fetched(topic, partition, r.offset, r.timestamp, r.key, r.value, r.headers)
                for r in batch
                if r.offset >= since
            ]
        fetch.next_fetch_offset = batch.next_offset
