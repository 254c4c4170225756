"""What a check says: how it stands, what was found, and the command to run next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

Status = Literal["ok", "warn", "fail"]
STATUSES: tuple[Status, ...] = ("ok", "warn", "fail")
"""From good to bad."""
LISTED_MAX = 3


class Verdict(NamedTuple):
    """What a judge says.  ``next`` is a command or what to set; empty if nothing is to be done."""

    status: Status
    found: str
    next: str = ""


class Finding(NamedTuple):
    """A verdict with its check; ``subject`` groups checks."""

    check: str
    subject: str
    status: Status
    found: str
    next: str


def ok(found: str) -> Verdict:
    return Verdict("ok", found)


def warn(found: str, next: str) -> Verdict:
    return Verdict("warn", found, next)


def fail(found: str, next: str) -> Verdict:
    return Verdict("fail", found, next)


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """All that is as bad as the worst, in one; its first ``next``.  Not for none.

    >>> worst([ok("a is well"), warn("b is slow", "look at b"), warn("c is slow", "look at c")])
    Verdict(status='warn', found='b is slow; c is slow', next='look at b')
    """
    status = max((verdict.status for verdict in verdicts), key=STATUSES.index)
    told = [verdict for verdict in verdicts if verdict.status == status]
    return Verdict(status, listed([verdict.found for verdict in told], "; "), told[0].next)


def listed(names: Iterable[str], between: str = ", ") -> str:
    """The first few of them.

    >>> listed("abcde")
    'a, b, c and 2 more'
    """
    every = list(names)
    more = len(every) - LISTED_MAX
    return between.join(every[:LISTED_MAX]) + (f" and {more} more" if more > 0 else "")


def counted(count: int, one: str, many: str = "") -> str:
    """A number and what it is of.

    >>> counted(1, "broker"), counted(1200, "broker"), counted(2, "copy", "copies")
    ('1 broker', '1,200 brokers', '2 copies')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def lasting(ms: float) -> str:
    """A duration as people say it.

    >>> lasting(250), lasting(90_000), lasting(7_200_000), lasting(864_000_000)
    ('250 ms', '90 s', '120 min', '10 days')
    """
    for unit, name, most in ((1, "ms", 1_000), (1_000, "s", 120_000), (60_000, "min", 7_200_001)):
        if ms < most:
            return f"{ms / unit:.0f} {name}"
    return f"{ms / 3_600_000:.0f} h" if ms < 172_800_000 else f"{ms / 86_400_000:.0f} days"
