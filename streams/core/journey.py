"""A contact's way through queues and agents: events in time order in, signed facts out.

Theory of operation
-------------------
A *visit* is one stay in one queue.  It is waiting, then answered or left;
answered visits end with an agent's leg.  The journey keeps the visits and, per event, emits the
facts that this event proves.  What a later event disproves (a lost contact that speaks again, an
abandonment that un-happened) is emitted with sign -1.  So the facts of an event list are the sum of
what its events emit, and a later event in order only ever adds to it.

Logs are incomplete.  An end without a start infers the start from the reported durations; a start
without an end stays open until the platform restarts or is silent for too long.  An entry dated
after the answer is no second visit: clocks differ, and the wait is not known.

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
from typing import Any

from streams.core import events as ev
from streams.core.about import NO_QUEUE, WRITTEN
from streams.core.facts import EntryRefused, OfferFailed, Transferred, VisitOffered, WrapUpDone
from streams.core.visit import Visit
from streams.core.visits import Visits


class Journey(Visits):
    """The fold.  ``apply`` takes events in the order of ``order.fold`` and appends signed facts to
    ``out``."""

    __slots__ = ()

    def apply(self, event: ev.ContactEvent) -> None:
        """Fold one event; kinds that no fact needs yet change nothing."""
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)

    def started(self, event: ev.ContactStarted) -> None:
        """Who writes has arrived, in a queue or not; who calls has when a queue takes the call."""
        if event.channel in WRITTEN:
            self._arrive(NO_QUEUE, event.channel, event.time)

    def assigned(self, event: ev.Assigned) -> None:
        if event.queue is not None and self.arrived is not None:
            self._arrive(event.queue, event.channel, event.time)

    def queued(self, event: ev.Queued) -> None:
        visit = self.last(event.queue, "open")
        if visit is not None and visit.unseen:
            self._begin_later(visit, event.time)
            return
        if visit is not None:
            self._give_up(visit, event.time, "lost")
        self._enter(event.queue, event.channel, event.time)

    def answered(self, event: ev.Answered) -> None:
        visit = self._expecting(event.queue)
        if visit is None and event.queue is not None:
            visit = self._infer(event, event.queue, event.time)
        # Else another agent in a visit already answered.
        if visit is not None and visit.answered_ms is None:
            self._supersede(visit)
            self._answer(visit, event.time, event.wait_ms)
            visit.agent = event.agent

    def _expecting(self, queue: str | None) -> Visit | None:
        """The visit that an answer or an exit is about: waiting, or being handled, parked or given
        up before."""
        return (
            self.last(queue, "waiting")
            or self.last(queue, "handling")
            or self._unpark(queue)
            or self._revive(queue)
        )

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

    def queue_resumed(self, event: ev.QueueResumed) -> None:
        """Taken back unless the customer is in the queue already, having entered it anew."""
        if self.last(event.queue, "open") is not None:
            return
        for visit in reversed(self.visits):
            if visit.queue == event.queue and visit.left is not None:
                self._unleave(visit)
                return

    def queue_refused(self, event: ev.QueueRefused) -> None:
        self._say(EntryRefused(event.queue, event.channel, event.time, event.reason))

    def offered(self, event: ev.Offered) -> None:
        visit = self.last(event.queue, "waiting")
        if visit is not None:
            visit.ringing = True
            if visit.ring_since is None:
                visit.ring_since = event.time

    def offer_ended(self, event: ev.OfferEnded) -> None:
        visit = self.last(event.queue, "waiting")
        if visit is not None:
            visit.ringing = False
            visit.ring_canceled_ms = event.time if event.reason == "canceled" else None
            if visit.ring_since is None:
                visit.ring_since = event.time - self._believable(event.ring_ms)
        queue = event.queue or (visit.queue if visit else None)
        if queue is not None:
            self._say(OfferFailed(queue, event.channel, event.time, event.reason, event.agent))

    def held(self, event: ev.Held) -> None:
        visit = self.last(None, "handling")
        if visit is not None and visit.held_since is None:
            visit.held_since = event.time
            if visit.held_from is None:
                visit.held_from = event.time

    def resumed(self, event: ev.Resumed) -> None:
        visit = self.last(None, "handling")
        if visit is not None:
            self._end_hold(visit, event.time)

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
            agent = event.agent or (visit.agent if visit else None)
            self._say(
                Transferred(
                    queue,
                    event.channel,
                    event.time,
                    event.kind,
                    agent,
                    event.to_kind,
                    event.to_queue,
                    event.reason,
                )
            )

    def _is_consult_leg(self, event: ev.Transferred) -> bool:
        """The transfer of a leg in a queue this contact never entered, while it has visits of its
        own elsewhere."""
        if event.queue is None or event.kind != "attended" or not self.visits:
            return False
        return all(v.queue != event.queue for v in self.visits)

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
        agent = event.agent or ghost.agent
        self._say(
            WrapUpDone(queue, event.channel, event.time, wrap_up, agent, self._about.issue_type)
        )
        self.work.wrap_up_ms += wrap_up or 0
        self._say_work()
        self.wrap_since = None

    def finished(self, event: ev.Ended) -> None:
        """The contact is over: what is still open ends with it."""
        for visit in [v for v in self.visits if v.open and _ends_with(v, event)]:
            if visit.waiting:
                outcome = "abandoned" if event.ended_by == "customer" else "system"
                self._leave(visit, event.time, None, outcome)
            else:
                self._end_leg(visit, _leg_end(event), event.ended_by)
                visit.assumed = True

    def lost(self, event: ev.Lost) -> None:
        for visit in self.visits:
            if visit.open:
                self._give_up(visit, event.time, "lost")


def _ends_with(visit: Visit, event: ev.Ended) -> bool:
    """A callback that was promised outlives the call in which it was (Genesys has both under one
    id)."""
    return visit.channel != "callback" or event.channel == "callback"


def _leg_end(event: ev.Ended) -> ev.Handled:
    return ev.Handled(
        id=event.id, source=event.source, contact=event.contact, time=event.time,
        channel=event.channel,
    )  # fmt: skip


_HANDLERS: dict[type, Callable[[Journey, Any], None]] = {
    ev.ContactStarted: Journey.started,
    ev.Assigned: Journey.assigned,
    ev.Queued: Journey.queued,
    ev.QueueRefused: Journey.queue_refused,
    ev.QueueResumed: Journey.queue_resumed,
    ev.Offered: Journey.offered,
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
