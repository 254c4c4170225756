"""Whether a target is met: a state machine that is fed one value after the other.

One machine is for one target and one key of its cut.  It does no I/O and knows no time but that of
the values: ``judged`` takes what it stands at and a value and gives where it stands then, and the
event if that is worth one.  So it may be replayed from any stored standing.

* A value is *beyond the target*, *beyond the warning* or *well*.  ``breach_after`` values in a row
  beyond the target make it breached, as many beyond the warning make it a warning.
* What is breached, or warned of, is so until ``clear_after`` values in a row have reached ``clear``
  (hysteresis); then it is as good as all of those values were.  Others change nothing for the
  better.
* No value at all, or one made of fewer than ``volume_min``, changes nothing: it neither breaks a
  row nor makes it longer.
"""

from __future__ import annotations

from typing import NamedTuple

from streams.core.kpi import Value
from streams.core.target import BREACHED, MET, WARNING, Limits, Target, volume
from streams.core.window import Span

CLEARED = "cleared"
EVENTS = (WARNING, BREACHED, CLEARED)


class Sample(NamedTuple):
    """A value to judge.  ``at_ms`` is the end of its window, or the mark for a level; ``as_of_ms``
    the board's mark and ``revision`` the board's offset at which it was taken."""

    span: Span
    value: Value | None
    at_ms: int
    as_of_ms: int
    revision: int


class Standing(NamedTuple):
    """What a machine has come to.

    ``since_ms``: the value from which on ``state`` holds, -1: ever.  The others count values in a
    row, up to what is asked for: beyond the target; beyond target or warning; at ``clear`` and not
    beyond the target; at ``clear`` and well.
    """

    state: str = MET
    since_ms: int = -1
    beyond: int = 0
    warned: int = 0
    cleared: int = 0
    well: int = 0


class Event(NamedTuple):
    """A standing that has changed for better or worse: ``what`` is one of ``EVENTS``, ``state`` and
    ``was`` before and after; it had been ``was`` since ``was_since_ms``."""

    what: str
    state: str
    was: str
    was_since_ms: int
    sample: Sample
    limits: Limits


def judged(target: Target, standing: Standing, sample: Sample) -> tuple[Standing, Event | None]:
    """Where one value leads.

    >>> from streams.core.kpi import Count, Kpi
    >>> from streams.core.target import Since
    >>> kpi = Kpi("waiting", "speed", "", "contacts", Count(("waiting",)), "now")
    >>> target = Target("queue too long", kpi, "now", False, (Since(0, Limits(10, 5)),))
    >>> at = lambda n: Sample(Span("now", 0, 0), Value(n, n), 60_000, 60_000, 7)
    >>> now, event = judged(target, Standing(), at(11))
    >>> now.state, event.what
    ('breached', 'breached')
    >>> now, event = judged(target, now, at(8))
    >>> now.state, event
    ('breached', None)
    """
    limits = limits_of(target, sample)
    value = sample.value
    if value is None or volume(target.kpi, value) < limits.volume_min:
        return standing, None
    counted = _counted(standing, target, limits, value)
    state = _state(counted, limits)
    if state == standing.state:
        return counted, None
    return counted._replace(state=state, since_ms=sample.at_ms), Event(
        state if _worse(state, standing.state) else CLEARED,
        state,
        standing.state,
        standing.since_ms,
        sample,
        limits,
    )


def limits_of(target: Target, sample: Sample) -> Limits:
    """Those in force at the start of the window, or at the mark for a level."""
    return target.at(sample.as_of_ms if sample.span.kind == "now" else sample.span.start_ms)


def _counted(standing: Standing, target: Target, limits: Limits, value: Value) -> Standing:
    """The rows with one more value.  They stop at what is asked for, so that a machine to which
    nothing happens does not change and need not be stored."""
    beyond = not target.reaches(value.value, limits.value)
    warning = limits.warning
    warned = beyond or (warning is not None and not target.reaches(value.value, warning))
    cleared = not beyond and target.reaches(value.value, limits.clear)
    worse, better = limits.breach_after, limits.clear_after
    return standing._replace(
        beyond=_row(standing.beyond, beyond, worse),
        warned=_row(standing.warned, warned, worse),
        cleared=_row(standing.cleared, cleared, better),
        well=_row(standing.well, cleared and not warned, better),
    )


def _row(count: int, goes_on: bool, enough: int) -> int:
    return min(count + 1, enough) if goes_on else 0


def _state(counted: Standing, limits: Limits) -> str:
    state = counted.state
    if counted.beyond >= limits.breach_after:
        return BREACHED
    if state == MET:
        return WARNING if counted.warned >= limits.breach_after else MET
    if counted.well >= limits.clear_after:
        return MET
    if state == BREACHED and counted.cleared >= limits.clear_after:
        return WARNING
    return state


def _worse(state: str, than: str) -> bool:
    return state == BREACHED or (state == WARNING and than == MET)
