"""An agent's day: events in time order in, states and what they prove out.

The state is one of ``offline, idle, offered, talking, on_hold, wrap_up, not_ready``.  An agent with
several contacts is in the busiest of their states.  A platform that never reports logins still
shows its agents: whoever is given a contact is there, until a log-off or a long silence.

An agent never ends, so events that are old enough are folded into a *base* (``settled``).  That
happens at the beginning of a segment and for events before it only, so that a restore comes to the
same base.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from streams.core import events as ev
from streams.core.agent_facts import ON_CONTACT, Attempt, Doing, Proof, Span
from streams.core.schedule import SHIFTS_MAX, Schedule, Shift, plan, still
from streams.core.terms import DAY_MS, HOUR_MS

SETTLE_MS = 6 * HOUR_MS
"""An event this much older than the mark is folded into the base; later ones with an earlier time
are too late."""
STAY_MS_MAX = 7 * DAY_MS
"""What a stay in one state lasts beyond this is not believed."""
CONTACTS_MAX = 100
QUEUES_MAX = 1_000
REASON_CHARS_MAX = 40
NO_REASON = "unspecified"

OURS = "contact-streams"
"""Source of the events that ticks add."""

_BUSY = (*ON_CONTACT, "offered")
_ONE_CALL = {state: Doing(state, None, 1) for state in ON_CONTACT} | {"offered": Doing("offered")}
OFFLINE, IDLE = Doing("offline"), Doing("idle")


class AgentState(Struct, array_like=True):
    """What is known of an agent after some events; ``since_ms`` is when what they do now began."""

    present: bool = False
    paused: bool = False
    queues: dict[str, bool] = field(default_factory=dict)
    contacts: dict[str, str] = field(default_factory=dict)
    doing: Doing = OFFLINE
    since_ms: int = 0
    last_ms: int = -1
    wraps: dict[str, int] = field(default_factory=dict)
    """Contact -> when its wrap-up is over, where the platform said so beforehand."""
    heard_ms: int = 0
    """Of a base: when the last event folded into it was heard of."""
    spoken_ms: int = 0
    """Of a base: the same, of events that the agent did something in."""
    acted_ms: int = -1
    """The last event that was no schedule."""
    reason: str = NO_REASON
    """Why the agent is not ready, if so."""
    channels: dict[str, str] = field(default_factory=dict)
    """Contact -> its channel, where that is not voice."""
    schedule: Schedule = ()
    early: dict[str, tuple[str, str] | None] = field(default_factory=dict)
    """Contacts that were said to end in this millisecond, and not to have begun before it; and the
    contact with its channel that was taken to be meant."""

    @property
    def state(self) -> str:
        return self.doing.state

    def copy(self) -> AgentState:
        return AgentState(
            self.present,
            self.paused,
            dict(self.queues),
            dict(self.contacts),
            self.doing,
            self.since_ms,
            self.last_ms,
            dict(self.wraps),
            self.heard_ms,
            self.spoken_ms,
            self.acted_ms,
            self.reason,
            dict(self.channels),
            self.schedule,
            dict(self.early),
        )

    def apply(self, event: ev.AgentEvent) -> list[Proof]:
        """Fold one event; what was proven by then and not before."""
        out: list[Proof] = []
        time_ms = event.time
        if self.wraps:
            for contact, until_ms in sorted(self.wraps.items(), key=lambda kv: (kv[1], kv[0])):
                if until_ms <= time_ms:
                    self._end(contact)
                    self._pass(until_ms, out)
        if time_ms > self.last_ms:
            self.last_ms = time_ms
            if self.early:
                self.early = {}
        if type(event) is ev.AgentScheduled:
            self._plan(event)
            return out
        self.acted_ms = max(self.acted_ms, time_ms)
        self._change(event, out)
        self._pass(time_ms, out)
        return out

    def open_until(self, until_ms: int) -> Span | None:
        """What the agent does now, as far as it is known to have gone on; None for no time."""
        return self._stay(until_ms) if until_ms > self.since_ms else None

    def _stay(self, until_ms: int) -> Span:
        since_ms = self.since_ms
        if until_ms - since_ms > STAY_MS_MAX and self.doing.state != "offline":
            until_ms = since_ms + STAY_MS_MAX
        return Span(self.doing, since_ms, until_ms)

    def _pass(self, at_ms: int, out: list[Proof]) -> None:
        """What the agent does may have changed at ``at_ms``."""
        doing = self._doing()
        if doing != self.doing:
            if at_ms > self.since_ms:
                out.append(self._stay(at_ms))
            self.doing, self.since_ms = doing, at_ms

    def levels(self) -> list[tuple[str, ...]]:
        """The level keys this agent counts in: all agents, and each queue it is a member of."""
        mine = self.doing.state
        if mine == "offline":
            return []
        rows: list[tuple[str, ...]] = [("agents_all", mine)]
        for queue, paused in self.queues.items():
            state = "not_ready" if paused and mine == "idle" else mine
            rows.append(("agents", queue, state))
        return rows

    def _doing(self) -> Doing:
        contacts = self.contacts
        if len(contacts) == 1 and not self.channels:
            for state in contacts.values():
                return _ONE_CALL[state]
        if contacts:
            return self._with_contacts()
        if not self.present:
            return OFFLINE
        return Doing("not_ready", self.reason) if self._not_ready() else IDLE

    def _with_contacts(self) -> Doing:
        states = self.contacts.values()
        busiest = next(busy for busy in _BUSY if busy in states)
        at_work = [contact for contact, state in self.contacts.items() if state != "offered"]
        found: dict[str, int] = {}
        for contact in at_work if self.channels else ():
            channel = self.channels.get(contact)
            if channel is not None:
                found[channel] = found.get(channel, 0) + 1
        return Doing(busiest, None, len(at_work), tuple(sorted(found.items())))

    def _not_ready(self) -> bool:
        return self.paused or (bool(self.queues) and all(self.queues.values()))

    def _change(self, event: ev.AgentEvent, out: list[Proof]) -> None:
        match event:
            case ev.AgentContactEnded(contact=contact, source=source):
                self._contact_ended(contact, source == OURS)
            case ev.AgentTalking(contact=contact):
                if self.contacts.get(contact, "offered") == "offered":
                    out.append(Attempt("answered", event.time))
                self._with(contact, "talking", event.channel)
            case ev.AgentOffered(contact=contact):
                self._with(contact, "offered", event.channel)
            case ev.AgentOfferEnded(contact=contact):
                out.append(Attempt(event.reason, event.time))
                self._end(contact)
            case ev.AgentHolding(contact=contact):
                self._with(contact, "on_hold", event.channel)
            case ev.AgentWrapUp(contact=contact, time=time_ms, wrap_up_ms=wrap_up_ms):
                self._with(contact, "wrap_up", event.channel)
                if wrap_up_ms is not None and contact in self.contacts:
                    self.wraps[contact] = time_ms + max(0, wrap_up_ms)
            case _:
                self._change_presence(event)

    def _change_presence(self, event: ev.AgentEvent) -> None:
        match event:
            case ev.LoggedIn():
                self.present = True
            case ev.LoggedOut():
                self.present, self.paused, self.reason = False, False, NO_REASON
                self.contacts, self.wraps, self.channels = {}, {}, {}
            case ev.JoinedQueue(queue=queue, paused=paused):
                self.present = True
                if len(self.queues) < QUEUES_MAX:
                    self.queues[queue] = paused
            case ev.LeftMembership(queue=queue):
                self.queues.pop(queue, None)
                self.present = self.present and bool(self.queues)
            case ev.Ready(queue=queue):
                self._pause(queue, False)
                if not self._not_ready():
                    self.reason = NO_REASON
            case ev.NotReady(queue=queue, reason=reason):
                if reason or not self._not_ready():
                    self.reason = (reason or NO_REASON)[:REASON_CHARS_MAX]
                self._pause(queue, True)
            case _:
                pass

    def _pause(self, queue: str | None, paused: bool) -> None:
        self.present = True
        if queue is None:
            self.paused = paused
            self.queues = dict.fromkeys(self.queues, paused)
        elif len(self.queues) < QUEUES_MAX:
            self.queues[queue] = paused

    def _end(self, contact: str) -> None:
        self.contacts.pop(contact, None)
        self.wraps.pop(contact, None)
        self.channels.pop(contact, None)

    def _contact_ended(self, contact: str, ours: bool) -> None:
        """Of one that the agent never had, it is the end of a swapped one, or of one that begins in
        the same millisecond: whole seconds are common, and so is hanging up at once."""
        state = self.contacts.get(contact)
        meant = contact
        if contact in self.early:
            return
        if not ours and state in (None, "offered"):
            swapped = None if state else self._swapped()
            channel = self.channels.get(swapped or "", "voice")
            self.early[contact] = None if swapped is None else (swapped, channel)
            meant = swapped or contact
        self._end(meant)

    def _swapped(self) -> str | None:
        """The end of a call that the agent never had: after an attended transfer the ids are
        swapped, so it is the one call they have."""
        talking = [contact for contact, state in self.contacts.items() if state == "talking"]
        return talking[0] if len(talking) == 1 else None

    def _with(self, contact: str, state: str, channel: str) -> None:
        self.present = True
        if contact in self.early and state != "wrap_up":
            self._begin_ended(contact)
            return
        self.wraps.pop(contact, None)
        if len(self.contacts) < CONTACTS_MAX or contact in self.contacts:
            self.contacts[contact] = state
            if channel != "voice":
                self.channels[contact] = channel

    def _begin_ended(self, contact: str) -> None:
        """It took no time, and so its end was not that of another one."""
        self._end(contact)
        another = self.early[contact]
        if another is not None:
            self.early[contact] = None
            self._with(another[0], "talking", another[1])

    def _plan(self, event: ev.AgentScheduled) -> None:
        """In the order of the events, so of two plans for the same time the later one counts."""
        if len(self.schedule) < SHIFTS_MAX:
            self.schedule = plan(self.schedule, Shift(event.start, event.end, event.activity))


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


def fold(base: AgentState, events: Iterable[ev.AgentEvent]) -> tuple[AgentState, list[Proof]]:
    """The state after all events, whatever their order in the list, and what they prove."""
    state = base.copy()
    proofs: list[Proof] = []
    for event in sorted(events, key=rank):
        proofs.extend(state.apply(event))
    return state, proofs


def settled(base: AgentState, events: Sequence[ev.AgentEvent]) -> AgentState:
    """The base with these events in it, without the shifts that nothing can be said of any more."""
    state, _ = fold(base, events)
    state.schedule = still(state.schedule, state.since_ms)
    return state
