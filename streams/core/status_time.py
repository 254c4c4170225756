"""How long a ticket was in each status."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from streams.core.opening import ALWAYS, Opening
from streams.core.vocabulary import TicketStatus


class Spent(NamedTuple):
    """Time on the calendar, and the open time of it."""

    calendar_ms: int = 0
    business_ms: int = 0

    def plus(self, other: Spent) -> Spent:
        return Spent(self.calendar_ms + other.calendar_ms, self.business_ms + other.business_ms)


NO_TIME = Spent()


class StatusTime:
    """The statuses of one ticket in turn, ``new`` before the first."""

    __slots__ = ("_begin_ms", "_entered", "_next", "_opening", "_spent")

    def __init__(self) -> None:
        self._entered: list[tuple[TicketStatus, int]] = [("new", 0)]
        self._spent: dict[TicketStatus, Spent] = {}
        """Of the stretches before ``_next``, as of the last call: one calendar, one beginning."""
        self._next = 0
        self._begin_ms = 0
        self._opening = ALWAYS

    def enter(self, status: TicketStatus, at_ms: int) -> None:
        """The status is ``status`` from ``at_ms`` on; times do not fall."""
        if status != self._entered[-1][0]:
            self._entered.append((status, at_ms))

    def spent(self, begin_ms: int, opening: Opening) -> dict[TicketStatus, Spent]:
        """Time from ``begin_ms`` until the present status began, by status; one that is missing was
        never there.  Open time is by one calendar throughout."""
        if begin_ms != self._begin_ms or opening != self._opening:
            self._begin_ms, self._opening = begin_ms, opening
            self._spent, self._next = {}, 0
        for (status, from_ms), (_, until_ms) in pairwise(self._entered[self._next :]):
            from_ms = max(from_ms, begin_ms)
            if from_ms < until_ms:
                stretch = Spent(until_ms - from_ms, opening.between_ms(from_ms, until_ms))
                self._spent[status] = self._spent.get(status, NO_TIME).plus(stretch)
        self._next = len(self._entered) - 1
        return self._spent
