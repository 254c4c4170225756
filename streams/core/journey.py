"""A contact's way through queues and agents: events in time order in, signed facts out.

Theory of operation
-------------------
A *visit* is one stay in one queue.  It is waiting, then answered or left;
answered visits end with an agent's leg.  The journey keeps the visits and, per event, emits the
facts that this event proves.  What a later event disproves (a lost contact that speaks again, an
abandonment that un-happened) is emitted with sign -1.  So the facts of an event list are the sum of
what its events emit, and a later event in order only ever adds to it.

Logs are incomplete.  An end without a start infers the start from the reported durations; a start
without an end stays open until the platform restarts or is silent for too long.

Attended transfers swap ids: the queue that is consulted may be entered under the *consult* leg's
id, and the transfer then be reported under that id with the first queue's name, while the customer
goes on under the first id (asterisk#759).  The rule that gets the sums right without looking at two
contacts at once: a contact that reports the transfer of a leg in a queue it never entered is a
consult leg.  Its own unfinished visits are *parked* (taken back), and come back only if the story
goes on under its id; under the customer's id the visit is inferred from the answer.

Events of one and the same millisecond (whole seconds are common) have no order of their own;
``streams.core.order.fold`` finds the one in which each is legal, whatever order they came in.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from streams.core import events as ev
from streams.core.facts import (
    ContactArrived,
    EntryRefused,
    Fact,
    LegEnded,
    OfferFailed,
    Transferred,
    ValueRefused,
    VisitAnswered,
    VisitLeft,
    VisitOffered,
    WrapUpDone,
)
from streams.core.visit import Visit

Signed = tuple[Fact, int]
_Reporting = ev.Answered | ev.LeftQueue | ev.Handled | ev.Transferred


class Journey:
    """The fold.  ``apply`` takes events in the order of ``order.fold`` and appends signed facts to
    ``out``."""

    __slots__ = ("_duration_max_ms", "arrived", "customer", "out", "visits", "wrap_since")

    def __init__(self, duration_max_ms: int) -> None:
        self._duration_max_ms = duration_max_ms
        self.visits: list[Visit] = []
        self.arrived: ContactArrived | None = None
        self.customer: str | None = None
        self.wrap_since: int | None = None
        self.out: list[Signed] = []

    # -- asking

    @property
    def open(self) -> bool:
        """Somebody waits or is being handled."""
        return any(v.open for v in self.visits)

    @property
    def began_ms(self) -> float:
        """When the first visit began; infinity if there is none."""
        return min((visit.entered_ms for visit in self.visits), default=inf)

    def levels(self) -> list[tuple[str, str, int | None]]:
        """(queue, channel, entered_ms while waiting, None while handled) of every open visit."""
        return [
            (v.queue, v.channel, v.entered_ms if v.waiting else None) for v in self.visits if v.open
        ]

    def last(self, queue: str | None, state: str) -> Visit | None:
        """The latest visit (to ``queue``, if given) that is ``waiting``, ``handling``, ``open`` or
        ``parked``."""
        for visit in reversed(self.visits):
            if (queue is None or visit.queue == queue) and getattr(visit, state):
                return visit
        return None

    # -- telling

    def apply(self, event: ev.ContactEvent) -> None:
        """Fold one event; kinds that no fact needs yet change nothing."""
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)

    def _say(self, fact: Fact, sign: int = 1) -> None:
        self.out.append((fact, sign))

    def _duration(
        self, visit: Visit, at_ms: int, field: str, reported: int | None, derived: int | None
    ) -> int | None:
        """The platform's figure, else the difference of times; nothing (and a ValueRefused) if it
        cannot be true."""
        value = derived if reported is None else reported
        if value is None or 0 <= value <= self._duration_max_ms:
            return value
        self._say(ValueRefused(visit.queue, visit.channel, at_ms, field))
        return None

    def _believable(self, value: int | None) -> int:
        return value if value is not None and 0 <= value <= self._duration_max_ms else 0

    def _enter(self, queue: str, channel: str, at_ms: int, inferred: bool = False) -> Visit:
        repeat = bool(self.visits) and any(v.queue == queue and not v.parked for v in self.visits)
        offer = VisitOffered(queue, channel, at_ms, repeat, inferred)
        visit = Visit(queue, channel, at_ms, offer)
        self._arrive(visit)
        self.visits.append(visit)
        self._say(offer)
        return visit

    def _arrive(self, visit: Visit) -> None:
        if self.arrived is None:
            self.arrived = ContactArrived(visit.queue, visit.channel, visit.entered_ms)
            self._say(self.arrived)

    def started(self, event: ev.ContactStarted) -> None:
        self.customer = self.customer or event.customer

    def queued(self, event: ev.Queued) -> None:
        self.customer = self.customer or event.customer
        visit = self.last(event.queue, "open")
        if visit is not None:
            self._give_up(visit, event.time, "lost")
        self._enter(event.queue, event.channel, event.time)

    def _give_up(self, visit: Visit, at_ms: int, outcome: str) -> None:
        """The end of an open visit was never reported."""
        if visit.waiting:
            self._leave(visit, at_ms, None, outcome)
        else:
            visit.ended = True

    def answered(self, event: ev.Answered) -> None:
        visit = self._expecting(event.queue)
        if visit is None and event.queue is not None:
            visit = self._infer(event, event.queue, event.time)
        # Else another agent in a visit already answered.
        if visit is not None and visit.answered_ms is None:
            self._supersede(visit)
            self._answer(visit, event.time, event.wait_ms)

    def _expecting(self, queue: str | None) -> Visit | None:
        """The visit that an answer or an exit is about: waiting, or being handled, parked or given
        up before."""
        return (
            self.last(queue, "waiting")
            or self.last(queue, "handling")
            or self._unpark(queue)
            or self._revive(queue)
        )

    def _infer(self, event: _Reporting, queue: str, until_ms: int) -> Visit | None:
        """A visit whose beginning was never reported; none if it lies within one that is over: a
        second report."""
        entered = until_ms - self._believable(event.wait_ms)
        if any(
            v.queue == queue and v.over_ms is not None and v.over_ms > entered for v in self.visits
        ):
            return None
        return self._enter(queue, event.channel, entered, True)

    def _supersede(self, by: Visit) -> None:
        """Another agent has the customer now: the leg before ended, and its end is (or will be)
        told elsewhere."""
        for visit in self.visits:
            if visit.handling and visit is not by:
                visit.ended = True

    def _answer(self, visit: Visit, at_ms: int, wait_ms: int | None) -> None:
        wait = self._duration(visit, at_ms, "wait_ms", wait_ms, at_ms - visit.entered_ms)
        visit.answered_ms = at_ms
        visit.answer = VisitAnswered(visit.queue, visit.channel, visit.entered_ms, at_ms, wait)
        self._say(visit.answer)

    def left_queue(self, event: ev.LeftQueue) -> None:
        visit = self._expecting(event.queue) or self._left_unseen(event)
        # Else it contradicts the answer; the leg's end will come.
        if visit is not None and visit.answered_ms is None:
            self._leave(visit, event.time, event.wait_ms, event.outcome)

    def _left_unseen(self, event: ev.LeftQueue) -> Visit | None:
        """An exit without an entry; one that names no wait, after an exit from the same queue, is a
        second report."""
        if event.wait_ms is None and any(
            v.queue == event.queue and v.left is not None for v in self.visits
        ):
            return None
        return self._infer(event, event.queue, event.time)

    def _leave(self, visit: Visit, at_ms: int, wait_ms: int | None, outcome: str) -> None:
        wait = self._duration(visit, at_ms, "wait_ms", wait_ms, at_ms - visit.entered_ms)
        visit.left = VisitLeft(visit.queue, visit.channel, visit.entered_ms, at_ms, wait, outcome)
        self._say(visit.left)

    def queue_resumed(self, event: ev.QueueResumed) -> None:
        """Taken back unless the customer is in the queue already, having entered it anew."""
        if self.last(event.queue, "open") is not None:
            return
        for visit in reversed(self.visits):
            if visit.queue == event.queue and visit.left is not None:
                self._say(visit.left, -1)
                visit.left = None
                return

    def queue_refused(self, event: ev.QueueRefused) -> None:
        self._say(EntryRefused(event.queue, event.channel, event.time, event.reason))

    def offer_ended(self, event: ev.OfferEnded) -> None:
        visit = self.last(event.queue, "waiting")
        queue = event.queue or (visit.queue if visit else None)
        if queue is not None:
            self._say(OfferFailed(queue, event.channel, event.time, event.reason))

    def held(self, event: ev.Held) -> None:
        visit = self.last(None, "handling")
        if visit is not None and visit.held_since is None:
            visit.held_since = event.time

    def resumed(self, event: ev.Resumed) -> None:
        visit = self.last(None, "handling")
        if visit is not None:
            self._end_hold(visit, event.time)

    def _end_hold(self, visit: Visit, at_ms: int) -> None:
        if visit.held_since is not None:
            visit.held_ms += at_ms - visit.held_since
            visit.held_since = None

    def handled(self, event: ev.Handled) -> None:
        visit = self._leg(event)
        if visit is not None:
            self._end_leg(visit, event, event.ended_by)

    def transferred(self, event: ev.Transferred) -> None:
        visit = None if self._is_consult_leg(event) else self._leg(event)
        if visit is not None:
            self._end_leg(visit, event, "transfer")
        elif event.queue is not None:
            self._park()
            ghost = Visit(
                event.queue,
                event.channel,
                event.time,
                VisitOffered(event.queue, "", 0, False, True),
            )
            self._end_leg(ghost, event, "transfer")
        queue = event.queue or (visit.queue if visit else None)
        if queue is not None:
            self._say(Transferred(queue, event.channel, event.time, event.kind))

    def _is_consult_leg(self, event: ev.Transferred) -> bool:
        """The transfer of a leg in a queue this contact never entered, while it has visits of its
        own elsewhere."""
        if event.queue is None or event.kind != "attended" or not self.visits:
            return False
        return all(v.queue != event.queue for v in self.visits)

    def _park(self) -> None:
        """Take back the unfinished visits of a consult leg."""
        for visit in self.visits:
            if visit.open:
                visit.parked = True
                self._say_visit(visit, -1)
        if self.arrived is not None and all(v.parked for v in self.visits):
            self._say(self.arrived, -1)
            self.arrived = None

    def _unpark(self, queue: str | None) -> Visit | None:
        """The story goes on under this id after all."""
        visit = self.last(queue, "parked")
        if visit is not None:
            visit.parked = False
            self._arrive(visit)
            self._say_visit(visit, 1)
        return visit

    def _say_visit(self, visit: Visit, sign: int) -> None:
        self._say(visit.offer, sign)
        if visit.answer is not None:
            self._say(visit.answer, sign)

    def _revive(self, queue: str | None) -> Visit | None:
        """A visit given up as lost goes on."""
        for visit in reversed(self.visits):
            if (
                visit.left is not None
                and visit.left.outcome == "lost"
                and queue in (None, visit.queue)
            ):
                self._say(visit.left, -1)
                visit.left = None
                return visit
        return None

    def _leg(self, event: ev.Handled | ev.Transferred) -> Visit | None:
        """The answered visit whose leg ends; what is missing of it is inferred from the reported
        durations."""
        queue = event.queue
        visit = (
            self.last(queue, "handling") or self._silently_ended(queue) or self._expecting(queue)
        )
        answered = event.time - self._believable(event.talk_ms)
        if visit is None and queue is not None:
            visit = self._infer(event, queue, answered)
        if visit is not None and visit.answered_ms is None:
            self._answer(visit, answered, event.wait_ms)
        return visit

    def _silently_ended(self, queue: str | None) -> Visit | None:
        """An answered visit that was closed without a leg (superseded or lost) and now gets its
        end."""
        for visit in reversed(self.visits):
            if (
                visit.answered_ms is not None
                and visit.ended
                and visit.leg_ms is None
                and queue in (None, visit.queue)
            ):
                return visit
        return None

    def _end_leg(self, visit: Visit, event: ev.Handled | ev.Transferred, ended_by: str) -> None:
        self._end_hold(visit, event.time)
        hold = self._believable(visit.held_ms if event.hold_ms is None else event.hold_ms)
        derived = None if visit.answered_ms is None else event.time - visit.answered_ms - hold
        talk = self._duration(visit, event.time, "talk_ms", event.talk_ms, derived)
        self._say(LegEnded(visit.queue, visit.channel, event.time, talk, hold, ended_by))
        visit.ended = True
        visit.leg_ms = event.time

    def wrap_up_started(self, event: ev.WrapUpStarted) -> None:
        self.wrap_since = event.time

    def wrap_up_ended(self, event: ev.WrapUpEnded) -> None:
        visit = next((v for v in reversed(self.visits) if v.answered_ms is not None), None)
        queue = event.queue or (visit.queue if visit else None)
        if queue is None:
            return
        ghost = visit or Visit(
            queue, event.channel, event.time, VisitOffered(queue, "", 0, False, True)
        )
        derived = None if self.wrap_since is None else event.time - self.wrap_since
        wrap_up = self._duration(ghost, event.time, "wrap_up_ms", event.wrap_up_ms, derived)
        self._say(WrapUpDone(queue, event.channel, event.time, wrap_up))
        self.wrap_since = None

    def finished(self, event: ev.Ended) -> None:
        """The contact is over: what is still open ends with it."""
        for visit in [v for v in self.visits if v.open]:
            if visit.waiting:
                outcome = "abandoned" if event.ended_by == "customer" else "system"
                self._leave(visit, event.time, None, outcome)
            else:
                self._end_leg(visit, _leg_end(event), event.ended_by)

    def lost(self, event: ev.Lost) -> None:
        for visit in self.visits:
            if visit.open:
                self._give_up(visit, event.time, "lost")


def _leg_end(event: ev.Ended) -> ev.Handled:
    return ev.Handled(
        id=event.id, source=event.source, contact=event.contact, time=event.time,
        channel=event.channel,
    )  # fmt: skip


_HANDLERS: dict[type, Callable[[Journey, Any], None]] = {
    ev.ContactStarted: Journey.started,
    ev.Queued: Journey.queued,
    ev.QueueRefused: Journey.queue_refused,
    ev.QueueResumed: Journey.queue_resumed,
    ev.OfferEnded: Journey.offer_ended,
    ev.Answered: Journey.answered,
    ev.Held: Journey.held,
    ev.Resumed: Journey.resumed,
    ev.LeftQueue: Journey.left_queue,
    ev.Handled: Journey.handled,
    ev.Transferred: Journey.transferred,
    ev.WrapUpStarted: Journey.wrap_up_started,
    ev.WrapUpEnded: Journey.wrap_up_ended,
    ev.Ended: Journey.finished,
    ev.Lost: Journey.lost,
}
