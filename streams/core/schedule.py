"""An agent's schedule: shifts that do not overlap, in time order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

from streams.core.terms import DAY_MS

SHIFTS_MAX = 2_000
"""Pieces of schedule of one agent that are not over yet, some months; more are refused."""
AHEAD_MS_MAX = 400 * DAY_MS
"""A piece that ends this long after it was published is a mistake of units."""


class Shift(NamedTuple):
    """``activity`` is one of ``AgentScheduled.activity``; half-open."""

    start_ms: int
    end_ms: int
    activity: str


Schedule = tuple[Shift, ...]
_end = attrgetter("end_ms")


def plan(schedule: Schedule, shift: Shift) -> Schedule:
    """The schedule with this shift in the place of whatever was planned for its time.

    >>> plan((Shift(0, 10, "productive"),), Shift(4, 6, "break"))[1:]
    (Shift(start_ms=4, end_ms=6, activity='break'), Shift(start_ms=6, end_ms=10, \
activity='productive'))
    """
    if shift.start_ms >= shift.end_ms:
        return schedule
    last_ms = max(shift.end_ms, schedule[-1].end_ms if schedule else 0)
    before = within(schedule, 0, shift.start_ms)
    after = within(schedule, shift.end_ms, last_ms)
    return (*map(Shift._make, before), shift, *map(Shift._make, after))


def within(
    schedule: Sequence[Shift], from_ms: int, until_ms: int
) -> Iterator[tuple[int, int, str]]:
    """The parts of the schedule that lie in this time, as the fields of a ``Shift``: a minute of an
    agent is asked for more often than anything else."""
    for i in range(bisect_right(schedule, from_ms, key=_end), len(schedule)):
        start_ms, end_ms, activity = schedule[i]
        if start_ms >= until_ms:
            return
        yield (
            start_ms if start_ms > from_ms else from_ms,
            end_ms if end_ms < until_ms else until_ms,
            activity,
        )


def still(schedule: Schedule, from_ms: int) -> Schedule:
    """Those shifts that are not over before ``from_ms``."""
    return schedule[bisect_right(schedule, from_ms, key=_end) :]
