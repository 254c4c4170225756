"""Committed offsets: at the borders of segments, and none left behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from streams.core.segment import Segments
from tests.chaos.checks.violation import Violation
from tests.chaos.expected import Expected

At = tuple[str, int]
"""Topic and partition."""


def offsets(
    expected: Expected, committed: Mapping[At, int], ends: Mapping[At, int]
) -> Iterator[Violation]:
    """``committed`` is of no earlier moment than ``ends``, where the logs of the stages end."""
    for folded in expected.folded.values():
        size = expected.shape.segment_size if folded.by_segment else 1
        for partition in range(expected.shape.partitions):
            at = (folded.topic, partition)
            segments = Segments.of(size, partition)
            found, wanted = committed.get(at, 0), segments.border(ends.get(at, 0))
            if found != segments.border(found):
                detail = f"{at[0]}[{at[1]}] at {found}, segments of {size}"
                yield Violation("offsets.inside_segment", detail)
            elif found < wanted:
                yield Violation("offsets.behind", f"{at[0]}[{at[1]}] at {found} of {wanted}")
