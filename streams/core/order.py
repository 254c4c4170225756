"""The one order of a contact's events, whatever order they arrived in.

By time; and among events of the same millisecond the usual course of a contact, but only if each
fits what is known so far: someone who is waiting in a queue must leave it before entering it again,
someone who is not must enter it first.  A status fits if it is another one than the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, get_args

from streams.core import events as ev
from streams.core.course import Course
from streams.core.terms import Terms
from streams.core.vocabulary import Author, TicketStatus

_RANK: dict[type, int] = {
    cls: rank
    for rank, cls in enumerate(
        (
            ev.ContactStarted,
            ev.StageEntered,
            ev.QueueResumed,
            ev.Queued,
            ev.StageLeft,
            ev.QueueRefused,
            ev.Offered,
            ev.OfferEnded,
            ev.Answered,
            ev.Held,
            ev.Resumed,
            ev.LeftQueue,
            ev.Handled,
            ev.Transferred,
            ev.WrapUpStarted,
            ev.WrapUpEnded,
        )
    )
}
_REST = 50
"""Of kinds whose place among others changes nothing."""
_RANK[ev.Escalated] = 39  # by those who pass it on
_RANK[ev.Assigned] = 40  # who answers at once answers as the one it belongs to
_RANK[ev.BotHandedOff] = 62
_RANK[ev.Ended] = 90
_RANK[ev.Lost] = 95
_AUTHOR_RANK: dict[Author, int] = {"customer": 60, "system": 60, "bot": 61, "agent": 63}
"""A message of the customer, then the bot's answer, the hand-off, the agent's answer."""
_STATUS_RANK: dict[TicketStatus, int] = {
    status: 70 + place for place, status in enumerate(get_args(TicketStatus))
}
"""Who answers and solves at once has answered first; statuses come in the order of life."""


_FITS: dict[type, Callable[[Course, Any], bool]] = {
    ev.Queued: lambda c, e: c.journey.last(e.queue, "open") is None,
    ev.Answered: lambda c, e: c.journey.last(e.queue, "waiting") is not None,
    ev.LeftQueue: lambda c, e: c.journey.last(e.queue, "waiting") is not None,
    ev.QueueResumed: lambda c, e: any(
        v.queue == e.queue and v.left is not None for v in c.journey.visits
    ),
    ev.Handled: lambda c, e: c.journey.last(e.queue, "handling") is not None,
    ev.Transferred: lambda c, e: c.journey.last(e.queue, "handling") is not None,
    ev.StatusChanged: lambda c, e: e.status != c.about.status,
}


def fits(course: Course, event: ev.ContactEvent) -> bool:
    """Does the event fit what is known so far, without inferring anything?"""
    check = _FITS.get(type(event))
    return check is None or check(course, event)


def rank(event: ev.ContactEvent) -> tuple[int, int, str]:
    """The order of a contact's events: time, then the usual course of a contact, then the id."""
    if isinstance(event, ev.Message):
        return event.time, _AUTHOR_RANK[event.author], event.id
    if isinstance(event, ev.StatusChanged):
        return event.time, _STATUS_RANK[event.status], event.id
    return event.time, _RANK.get(type(event), _REST), event.id


def fold(events: Iterable[ev.ContactEvent], terms: Terms) -> Course:
    """The course of a whole event list, in whatever order the list is.

    Of events with one id the highest version counts.  The others stay in a contact's list all the
    same: a restore may cut off what replaced them.
    """
    course = Course(terms)
    for group in _same_time(sorted(_latest(events), key=rank)):
        while len(group) > 1:
            at = next((i for i, e in enumerate(group) if fits(course, e)), 0)
            course.take(group.pop(at))
        course.take(group[0])
    course.settle()
    return course


def _latest(events: Iterable[ev.ContactEvent]) -> Iterable[ev.ContactEvent]:
    known = list(events)
    if not any(event.version for event in known):
        return known
    versions = {e.id: e.version for e in sorted(known, key=attrgetter("version"))}
    return [e for e in known if e.version == versions[e.id]]


def _same_time(events: Sequence[ev.ContactEvent]) -> Iterator[list[ev.ContactEvent]]:
    group: list[ev.ContactEvent] = []
    for event in events:
        if group and event.time != group[0].time:
            yield group
            group = []
        group.append(event)
    if group:
        yield group
