"""What a target is: where a KPI has to be, from when it is worrying, and when it is well again.

Pure data: ``streams.settings`` reads it from the TOML file.  A target is looked up by event time
(the start of the window; for levels the board's mark), so one that is changed with its date does
not judge what was before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping
from typing import NamedTuple

from streams.core.kpi import Count, Kpi, Level, Number, Oldest, Total, Value

MET = "met"
WARNING = "warning"
BREACHED = "breached"
STATES = (MET, WARNING, BREACHED)
"""What may be said of a target, the worst last."""
DIMENSIONS = frozenset(("queue", "channel"))
"""What the cut of a target may be made of: all of them become labels."""
AFTER_MAX = 1_000
"""Most values in a row that can be asked for."""


class Limits(NamedTuple):
    """What holds at one time, in the KPI's unit (a ratio is 0 to 1).

    ``value`` is missed by what lies beyond it, not by itself; ``warning`` (None: there is none)
    likewise.  What is breached is so until values reach ``clear``.  Values made of fewer than
    ``volume_min`` say nothing.  It takes ``breach_after`` values in a row to make it worse and
    ``clear_after`` to make it better.
    """

    value: Number
    clear: Number
    warning: Number | None = None
    volume_min: int = 0
    breach_after: int = 1
    clear_after: int = 1


class Since(NamedTuple):
    """Limits in force from ``since_ms`` (inclusive) until the next entry."""

    since_ms: int
    limits: Limits


class Target(NamedTuple):
    """A named target of one KPI, for every key of one cut or some of them.

    ``window`` is the kind of the windows that are judged; ``at_least`` False means at most.
    ``dated`` is in the order of time and begins at 0.  ``queues`` and ``channel`` choose the keys;
    empty: all of them.
    """

    name: str
    kpi: Kpi
    window: str
    at_least: bool
    dated: tuple[Since, ...]
    cut: str = "queue"
    queues: Collection[str] = ()
    channel: str = ""

    def at(self, time_ms: int) -> Limits:
        """The limits in force."""
        index = bisect_right(self.dated, time_ms, key=since_of) - 1
        return self.dated[max(0, index)].limits

    def concerns(self, key: Mapping[str, str]) -> bool:
        """Whether a key of its cut (dimension -> value) is judged."""
        return (not self.queues or key.get("queue") in self.queues) and (
            not self.channel or key.get("channel") == self.channel
        )

    def reaches(self, value: Number, limit: Number) -> bool:
        """Whether a value is at the limit or on the good side of it."""
        return value >= limit if self.at_least else value <= limit


def since_of(since: Since) -> int:
    """What the entries of a target are ordered by."""
    return since.since_ms


def has_volume(kpi: Kpi) -> bool:
    """Whether values of the KPI are made of a number of something."""
    return not isinstance(kpi.formula, Oldest | Total)


def volume(kpi: Kpi, value: Value) -> Number:
    """Of how many contacts (legs, answers) a value is made: what it was divided by, or the count
    itself; 0 for sums of time and ages."""
    if not has_volume(kpi):
        return 0
    if isinstance(kpi.formula, Count | Level):
        return value.value
    return value.denominator or value.numerator or 0
