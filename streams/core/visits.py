"""The book of a contact's visits: what is known of each, and what has been said about it.

``streams.core.journey`` writes into it, event by event.
"""

from __future__ import annotations

from math import inf

from streams.core import events as ev
from streams.core.about import NO_QUEUE, About
from streams.core.facts import (
    ContactArrived,
    ContactHandled,
    Fact,
    LegEnded,
    StagePassed,
    ValueRefused,
    VisitAnswered,
    VisitLeft,
    VisitOffered,
    WrapUpDone,
)
from streams.core.levels import Open
from streams.core.signed import Signed, net
from streams.core.terms import Terms
from streams.core.visit import Visit

Reporting = ev.Answered | ev.LeftQueue | ev.Handled | ev.Transferred
_OF_CONTACT = frozenset((ContactArrived, LegEnded, WrapUpDone))
"""Facts that say something about the contact as a whole."""


class Work:
    """What agents' legs have come to, and what was said of that.  ``untold``: legs that are over
    and whose end was not told."""

    __slots__ = ("hold_ms", "legs", "said", "talk_ms", "untimed", "untold", "wrap_up_ms")

    def __init__(self) -> None:
        self.talk_ms = self.hold_ms = self.wrap_up_ms = 0
        self.legs = self.untimed = self.untold = 0
        self.said: ContactHandled | None = None

    def count(self, leg: LegEnded, sign: int) -> None:
        """A leg that ended, or (-1) did not end as was said."""
        self.legs += sign
        if leg.talk_ms is None:
            self.untimed += sign
        else:
            self.talk_ms += sign * leg.talk_ms
            self.hold_ms += sign * leg.hold_ms


class Visits:
    """The visits of one contact, and in ``out`` every signed fact that was said about them."""

    __slots__ = ("_about", "_terms", "out", "visits", "work", "wrap_since")

    def __init__(self, terms: Terms, about: About) -> None:
        self._terms = terms
        self._about = about
        self.visits: list[Visit] = []
        self.wrap_since: int | None = None
        self.work = Work()
        self.out: list[Signed] = []

    # -- asking

    @property
    def arrived(self) -> ContactArrived | None:
        """The arrival that stands; every aspect of the contact may read it."""
        return self._about.arrived

    @arrived.setter
    def arrived(self, fact: ContactArrived | None) -> None:
        self._about.arrived = fact

    @property
    def open(self) -> bool:
        """Somebody waits or is being handled."""
        return any(v.open for v in self.visits)

    @property
    def began_ms(self) -> float:
        """When the first visit began; infinity if there is none."""
        return min((visit.entered_ms for visit in self.visits), default=inf)

    def levels(self) -> list[Open]:
        """Every open visit: who waits since when and until when in time, and who is handled."""
        found: list[Open] = []
        for visit in self.visits:
            if visit.waiting:
                since_ms = visit.entered_ms
                due_ms = since_ms + self._terms.at(visit.queue, since_ms).threshold_ms
                found.append(("waiting", visit.queue, visit.channel, since_ms, due_ms))
            elif visit.handling:
                found.append(("handling", visit.queue, visit.channel, None, None))
        return found

    def last(self, queue: str | None, state: str) -> Visit | None:
        """The latest visit (to ``queue``, if given) that is ``waiting``, ``handling``, ``open`` or
        ``parked``."""
        for visit in reversed(self.visits):
            if (queue is None or visit.queue == queue) and getattr(visit, state):
                return visit
        return None

    # -- telling

    def restate(self) -> None:
        """What is known of the contact as a whole has changed: say with it what was said
        without."""
        direction, issue_type = self._about.direction, self._about.issue_type
        identified = self._about.customer is not None
        for fact, count in net(said for said in self.out if type(said[0]) in _OF_CONTACT):
            if isinstance(fact, ContactArrived):
                now: Fact = fact._replace(direction=direction, identified=identified)
            elif isinstance(fact, LegEnded | WrapUpDone):
                now = fact._replace(issue_type=issue_type)
            else:
                continue
            if now != fact:
                self.out += [(fact, -count), (now, count)]
        if self.arrived is not None:
            self.arrived = self.arrived._replace(direction=direction, identified=identified)
        for visit in self.visits:
            if visit.leg is not None:
                visit.leg = visit.leg._replace(issue_type=issue_type)
        self._say_work()

    def _say_work(self) -> None:
        """What all legs together have come to, if that has changed."""
        work, arrived = self.work, self.arrived
        now = None
        legs = work.legs + work.untold
        if arrived is not None and legs:
            now = ContactHandled(
                arrived.queue,
                arrived.channel,
                arrived.entered_ms,
                work.talk_ms,
                work.hold_ms,
                work.wrap_up_ms,
                legs,
                work.untimed + work.untold,
                self._about.issue_type,
            )
        if now != work.said:
            if work.said is not None:
                self._say(work.said, -1)
            if now is not None:
                self._say(now)
            work.said = now

    def _say(self, fact: Fact, sign: int = 1) -> None:
        self.out.append((fact, sign))

    def _duration(
        self, visit: Visit, at_ms: int, field: str, reported: int | None, derived: int | None
    ) -> int | None:
        """The platform's figure, else the difference of times; nothing (and a ValueRefused) if it
        cannot be true."""
        value = derived if reported is None else reported
        believed = self._terms.believed(value)
        if believed != value:
            self._say(ValueRefused(visit.queue, visit.channel, at_ms, field))
        return believed

    def _believable(self, value: int | None) -> int:
        return self._terms.believed(value) or 0

    def _enter(self, queue: str, channel: str, at_ms: int, inferred: bool = False) -> Visit:
        repeat = bool(self.visits) and any(v.queue == queue and not v.parked for v in self.visits)
        offer = VisitOffered(queue, channel, at_ms, repeat, inferred)
        visit = Visit(queue, channel, at_ms, offer)
        self._arrive(queue, channel, at_ms)
        self.visits.append(visit)
        self._say(offer)
        return visit

    def _arrive(self, queue: str, channel: str, at_ms: int) -> None:
        """The contact is there: in its first queue, or in none yet."""
        if self.arrived is not None:
            if self.arrived.queue != NO_QUEUE or queue == NO_QUEUE:
                return
            at_ms = self.arrived.entered_ms
            self._say(self.arrived, -1)
        in_hours = self._terms.at(queue, at_ms).opening.is_open(at_ms)
        about = self._about
        identified = about.customer is not None
        self.arrived = ContactArrived(queue, channel, at_ms, about.direction, in_hours, identified)
        self._say(self.arrived)
        self._say_work()

    def _give_up(self, visit: Visit, at_ms: int, outcome: str) -> None:
        """The end of an open visit was never reported."""
        if visit.waiting:
            self._leave(visit, at_ms, None, outcome)
        else:
            self._end_untold(visit)

    def _end_untold(self, visit: Visit) -> None:
        """The agent's leg is over, and nobody has said so: it may still be told."""
        visit.ended = True
        if visit.leg is None:
            self.work.untold += 1
            self._say_work()

    def _infer(self, event: Reporting, queue: str, until_ms: int) -> Visit | None:
        """A visit whose beginning was never reported; none if it lies within one that is over: a
        second report."""
        entered = until_ms - self._believable(event.wait_ms)
        if any(
            v.queue == queue and v.over_ms is not None and v.over_ms > entered for v in self.visits
        ):
            return None
        return self._enter(queue, event.channel, entered, True)

    def _begin_later(self, visit: Visit, at_ms: int) -> None:
        """The entry of a visit is told after all, for a time after its answer."""
        for fact in (visit.offer, visit.answer):
            if fact is not None:
                self._say(fact, -1)
        visit.entered_ms = at_ms
        visit.offer = visit.offer._replace(entered_ms=at_ms, inferred=False)
        self._say(visit.offer)
        if visit.answered_ms is not None:
            self._answer(visit, visit.answered_ms, None)

    def _supersede(self, by: Visit) -> None:
        """Another agent has the customer now: the leg before ended, and its end is (or will be)
        told elsewhere."""
        for visit in self.visits:
            if visit.handling and visit is not by:
                self._end_untold(visit)

    def _answer(self, visit: Visit, at_ms: int, wait_ms: int | None) -> None:
        wait = self._duration(visit, at_ms, "wait_ms", wait_ms, at_ms - visit.entered_ms)
        visit.answered_ms = at_ms
        visit.answer = VisitAnswered(visit.queue, visit.channel, visit.entered_ms, at_ms, wait)
        self._say(visit.answer)
        self._end_ring(visit, at_ms, False)

    def _leave(self, visit: Visit, at_ms: int, wait_ms: int | None, outcome: str) -> None:
        wait = self._duration(visit, at_ms, "wait_ms", wait_ms, at_ms - visit.entered_ms)
        rang = outcome == "abandoned" and visit.rings_at(at_ms)
        visit.left = VisitLeft(
            visit.queue, visit.channel, visit.entered_ms, at_ms, wait, outcome, rang
        )
        self._say(visit.left)
        self._end_ring(visit, at_ms, rang)

    def _unleave(self, visit: Visit) -> None:
        """The visit goes on."""
        for fact in (visit.left, visit.ring):
            if fact is not None:
                self._say(fact, -1)
        visit.left = visit.ring = None

    def _end_ring(self, visit: Visit, at_ms: int, abandoned: bool) -> None:
        since_ms = visit.ring_since
        if since_ms is not None:
            wait = self._terms.believed(at_ms - since_ms)
            visit.ring = StagePassed(
                "ringing", visit.queue, visit.channel, since_ms, at_ms, wait, abandoned
            )
            self._say(visit.ring)

    def _end_hold(self, visit: Visit, at_ms: int) -> None:
        if visit.held_since is not None:
            visit.held_ms += at_ms - visit.held_since
            visit.held_since = None

    def _end_held_leg(self, visit: Visit, at_ms: int, ended_by: str) -> None:
        """A leg with a hold in it ended, perhaps in the middle of one."""
        if visit.held_since is not None:
            visit.hung_up_on_hold = at_ms - visit.held_since
        if visit.hold is not None:
            self._say(visit.hold, -1)
        if visit.held_from is not None:
            given_up = visit.hung_up_on_hold if ended_by == "customer" else None
            wait = self._terms.believed(given_up)
            visit.hold = StagePassed(
                "hold", visit.queue, visit.channel, visit.held_from, at_ms,
                wait, given_up is not None,
            )  # fmt: skip
            self._say(visit.hold)

    def _park(self) -> None:
        """Take back the unfinished visits of a consult leg."""
        for visit in self.visits:
            if visit.open:
                visit.parked = True
                self._say_visit(visit, -1)
        if self.arrived is not None and all(v.parked for v in self.visits):
            self._say(self.arrived, -1)
            self.arrived = None
            self._say_work()

    def _unpark(self, queue: str | None) -> Visit | None:
        """The story goes on under this id after all."""
        visit = self.last(queue, "parked")
        if visit is not None:
            visit.parked = False
            self._arrive(visit.queue, visit.channel, visit.entered_ms)
            self._say_visit(visit, 1)
        return visit

    def _say_visit(self, visit: Visit, sign: int) -> None:
        self._say(visit.offer, sign)
        for fact in (visit.answer, visit.ring):
            if fact is not None:
                self._say(fact, sign)

    def _revive(self, queue: str | None) -> Visit | None:
        """A visit given up as lost goes on."""
        for visit in reversed(self.visits):
            if (
                visit.left is not None
                and visit.left.outcome == "lost"
                and queue in (None, visit.queue)
            ):
                self._unleave(visit)
                return visit
        return None

    def _silently_ended(self, queue: str | None) -> Visit | None:
        """An answered visit that was closed without a leg (superseded or lost), or whose leg only
        the end of the contact ended, and that now gets its end."""
        for visit in reversed(self.visits):
            if (
                visit.answered_ms is not None
                and visit.ended
                and (visit.leg is None or visit.assumed)
                and queue in (None, visit.queue)
            ):
                return visit
        return None

    def _end_leg(self, visit: Visit, event: ev.Handled | ev.Transferred, ended_by: str) -> None:
        if visit.leg is not None:  # what the end of the contact made of it
            self._say(visit.leg, -1)
            self.work.count(visit.leg, -1)
        elif visit.ended:
            self.work.untold -= 1
        self._end_held_leg(visit, event.time, ended_by)
        self._end_hold(visit, event.time)
        hold = self._believable(visit.held_ms if event.hold_ms is None else event.hold_ms)
        derived = None if visit.answered_ms is None else event.time - visit.answered_ms - hold
        talk = self._duration(visit, event.time, "talk_ms", event.talk_ms, derived)
        visit.leg = LegEnded(
            visit.queue, visit.channel, event.time, talk, hold, ended_by,
            event.agent or visit.agent, self._about.issue_type,
        )  # fmt: skip
        self._say(visit.leg)
        self.work.count(visit.leg, 1)
        self._say_work()
        visit.ended = True
        visit.assumed = False
        visit.leg_ms = event.time
