"""What the engines wrote to their output topics, compared with the exact answer, window by window.

A key is ``partition|queue|start in ms``, a value JSON with ``count`` and ``sum``; of a key the last
record counts.  Every window must be there and right; the last one of each queue may be missing,
because some engines write a window only when it is over.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from bench.load import Totals
from streams.kafka.consume import read_all

Windows = Mapping[tuple[int, str, int], Totals]


class _Value(msgspec.Struct, gc=False):
    count: int
    sum: int


_decode = msgspec.json.Decoder(_Value).decode


def problem(bootstrap: str, topic: str, expected: Windows) -> str:
    """What is wrong with an output topic; empty if nothing is."""
    return compare(_last(bootstrap, topic), expected)


def compare(found: Windows, expected: Windows) -> str:
    """What is wrong with these windows; empty if nothing is."""
    wrong = [at for at, totals in found.items() if expected.get(at) != totals]
    missing = expected.keys() - found.keys() - _last_of_queues(expected)
    if not wrong and not missing:
        return ""
    return f"WRONG: of {len(expected)} windows {len(wrong)} wrong, {len(missing)} missing"


def _last(bootstrap: str, topic: str) -> dict[tuple[int, str, int], Totals]:
    found = {}
    for record in read_all(bootstrap, [topic], client={"check_crcs": False}):
        partition, queue, start = (record.key or b"").decode().split("|")
        value = _decode(record.value or b"")
        found[int(partition), queue, int(start)] = Totals(value.count, value.sum)
    return found


def _last_of_queues(expected: Windows) -> set[tuple[int, str, int]]:
    last: dict[tuple[int, str], int] = {}
    for partition, queue, start in expected:
        last[partition, queue] = max(start, last.get((partition, queue), start))
    return {(*place, start) for place, start in last.items()}
