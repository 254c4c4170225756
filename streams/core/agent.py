"""An agent's day: events in time order in, states and time slices out.

The state is one of ``offline, idle, offered, talking, on_hold, wrap_up, not_ready``.  An agent with
several contacts is in the busiest of their states.  A platform that never reports logins still
shows its agents: whoever is given a contact is there, until a log-off or a long silence.

An agent never ends, so events that are old enough are folded into a *base* (``Agent.settle``).
That happens at the beginning of a segment and for events before it only, so that a restore comes to
the same base.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from streams.core import events as ev
from streams.core.facts import StateSlice
from streams.core.terms import DAY_MS, HOUR_MS, MINUTE_MS

SETTLE_MS = 6 * HOUR_MS
"""An event this much older than the mark is folded into the base; later ones with an earlier time
are too late."""
SLICE_MS_MAX = 7 * DAY_MS
"""A longer stay in one state is not believed."""
CONTACTS_MAX = 100
QUEUES_MAX = 1_000

OURS = "contact-streams"
"""Source of the events that ticks add."""

_BUSY = ("talking", "on_hold", "wrap_up", "offered")


class AgentState(Struct, array_like=True):
    """What is known of an agent after some events; ``since_ms`` is when the present state began."""

    present: bool = False
    paused: bool = False
    queues: dict[str, bool] = field(default_factory=dict)
    contacts: dict[str, str] = field(default_factory=dict)
    state: str = "offline"
    since_ms: int = 0
    last_ms: int = -1
    wraps: dict[str, int] = field(default_factory=dict)
    """Contact -> when its wrap-up is over, where the platform said so beforehand."""
    heard_ms: int = 0
    """Of a base: when the last event folded into it was heard of."""

    def copy(self) -> AgentState:
        return AgentState(
            self.present,
            self.paused,
            dict(self.queues),
            dict(self.contacts),
            self.state,
            self.since_ms,
            self.last_ms,
            dict(self.wraps),
            self.heard_ms,
        )

    def apply(self, event: ev.AgentEvent) -> Iterator[StateSlice]:
        """Fold one event; yields the spans of the states that ended until then."""
        for contact, until_ms in sorted(self.wraps.items(), key=lambda kv: (kv[1], kv[0])):
            if until_ms <= event.time:
                self._end(contact)
                yield from self._pass(until_ms)
        self._change(event)
        self.last_ms = max(self.last_ms, event.time)
        yield from self._pass(event.time)

    def _pass(self, at_ms: int) -> Iterator[StateSlice]:
        """The state may have changed at ``at_ms``."""
        state = self._state()
        if state != self.state:
            if self.state != "offline":
                yield StateSlice(self.state, self.since_ms, at_ms)
            self.state, self.since_ms = state, at_ms

    def levels(self) -> list[tuple[str, ...]]:
        """The level keys this agent counts in: all agents, and each queue it is a member of."""
        if self.state == "offline":
            return []
        rows: list[tuple[str, ...]] = [("agents_all", self.state)]
        for queue, paused in self.queues.items():
            state = "not_ready" if paused and self.state == "idle" else self.state
            rows.append(("agents", queue, state))
        return rows

    def _state(self) -> str:
        for busy in _BUSY:
            if busy in self.contacts.values():
                return busy
        if not self.present:
            return "offline"
        return "not_ready" if self.paused or (self.queues and all(self.queues.values())) else "idle"

    def _change(self, event: ev.AgentEvent) -> None:
        match event:
            case ev.LoggedIn():
                self.present = True
            case ev.LoggedOut():
                self.present, self.paused, self.contacts, self.wraps = False, False, {}, {}
            case ev.JoinedQueue(queue=queue, paused=paused):
                self.present = True
                if len(self.queues) < QUEUES_MAX:
                    self.queues[queue] = paused
            case ev.LeftMembership(queue=queue):
                self.queues.pop(queue, None)
                self.present = self.present and bool(self.queues)
            case ev.Ready(queue=queue):
                self._pause(queue, False)
            case ev.NotReady(queue=queue):
                self._pause(queue, True)
            case ev.AgentContactEnded(contact=contact, source=source):
                known = contact in self.contacts or source == OURS
                self._end(contact if known else self._swapped())
            case ev.AgentOfferEnded(contact=contact):
                self._end(contact)
            case ev.AgentOffered(contact=contact):
                self._with(contact, "offered")
            case ev.AgentTalking(contact=contact):
                self._with(contact, "talking")
            case ev.AgentHolding(contact=contact):
                self._with(contact, "on_hold")
            case ev.AgentWrapUp(contact=contact, time=time_ms, wrap_up_ms=wrap_up_ms):
                self._with(contact, "wrap_up")
                if wrap_up_ms is not None and contact in self.contacts:
                    self.wraps[contact] = time_ms + max(0, wrap_up_ms)
            case _:
                pass

    def _pause(self, queue: str | None, paused: bool) -> None:
        self.present = True
        if queue is None:
            self.paused = paused
            self.queues = dict.fromkeys(self.queues, paused)
        elif len(self.queues) < QUEUES_MAX:
            self.queues[queue] = paused

    def _end(self, contact: str | None) -> None:
        if contact is not None:
            self.contacts.pop(contact, None)
            self.wraps.pop(contact, None)

    def _swapped(self) -> str | None:
        """The end of a call that the agent never had: after an attended transfer the ids are
        swapped, so it is the one call they have."""
        talking = [contact for contact, state in self.contacts.items() if state == "talking"]
        return talking[0] if len(talking) == 1 else None

    def _with(self, contact: str, state: str) -> None:
        self.present = True
        self.wraps.pop(contact, None)
        if len(self.contacts) < CONTACTS_MAX:
            self.contacts[contact] = state


def by_minute(span: StateSlice) -> Iterator[StateSlice]:
    """The span cut at minutes; nothing for one that is empty, negative or not believable.

    >>> [(s.from_ms, s.until_ms) for s in by_minute(StateSlice("idle", 59_000, 121_000))]
    [(59000, 60000), (60000, 120000), (120000, 121000)]
    """
    state, from_ms, until_ms = span
    if until_ms - from_ms > SLICE_MS_MAX:
        return
    while from_ms < until_ms:
        border = min((from_ms // MINUTE_MS + 1) * MINUTE_MS, until_ms)
        yield StateSlice(state, from_ms, border)
        from_ms = border


_RANK = {
    cls: rank
    for rank, cls in enumerate(
        (
            ev.LoggedIn,
            ev.JoinedQueue,
            ev.AgentContactEnded,
            ev.AgentOfferEnded,
            ev.Ready,
            ev.AgentOffered,
            ev.AgentTalking,
            ev.AgentHolding,
            ev.AgentWrapUp,
            ev.NotReady,
            ev.LeftMembership,
            ev.LoggedOut,
        )
    )
}


def rank(event: ev.AgentEvent) -> tuple[int, int, str]:
    """The order of an agent's events: time, then the usual course, then the id."""
    return event.time, _RANK.get(type(event), 50), event.id


def fold(base: AgentState, events: Sequence[ev.AgentEvent]) -> tuple[AgentState, list[StateSlice]]:
    """The state after all events, whatever their order in the list, and the facts they prove."""
    state = base.copy()
    facts: list[StateSlice] = []
    for event in sorted(events, key=rank):
        facts.extend(state.apply(event))
    return state, facts
