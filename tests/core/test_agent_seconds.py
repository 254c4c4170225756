"""An agent's facts against the dumbest oracle: what the agent does is asked every second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streams.core import events as ev
from streams.core.agent import AgentState, fold, rank
from streams.core.agent_facts import (
    ChannelSlice,
    ScheduledSlice,
    StateSlice,
    facts_of,
)
from streams.core.agent_history import AgentHistory, changed
from streams.core.facts import Fact
from streams.core.schedule import Shift, plan, still, within
from tests.builders import ms
from tests.core.strategies import agents

UNTIL = 4_100
Told = list[ev.AgentEvent]
BUSY = ("talking", "on_hold", "wrap_up")
CONTACT_EVENTS = {
    ev.AgentOffered: "offered", ev.AgentTalking: "talking", ev.AgentHolding: "on_hold",
    ev.AgentWrapUp: "wrap_up",
}  # fmt: skip


class Desk:
    """What lies on an agent's desk, written down as plainly as can be."""

    def __init__(self) -> None:
        self.there = False
        self.paused = False
        self.queues: dict[str, bool] = {}
        self.contacts: dict[str, str] = {}
        self.channels: dict[str, str] = {}
        self.reason = "unspecified"
        self.ended: dict[str, tuple[str, str] | None] = {}
        """Contacts that ended before they began, and the one (with its channel) ended for them."""
        self.now = 0

    def hear(self, event: ev.AgentEvent) -> None:
        if event.time > self.now:
            self.now, self.ended = event.time, {}
        before = self.no()
        if isinstance(event, ev.LoggedOut):
            self.there = self.paused = False
            self.contacts = {}
        elif isinstance(event, ev.LeftMembership):
            self.queues.pop(event.queue, None)
            self.there = self.there and self.queues != {}
        elif isinstance(event, ev.AgentContactEnded | ev.AgentOfferEnded):
            self._drop(event)
        elif not isinstance(event, ev.AgentScheduled):
            self.there = True
        if isinstance(event, ev.JoinedQueue):
            self.queues[event.queue] = event.paused
        if isinstance(event, ev.Ready | ev.NotReady):
            self._pause(event.queue, isinstance(event, ev.NotReady))
        if isinstance(event, ev.NotReady) and (event.reason or not before):
            self.reason = event.reason or "unspecified"
        if isinstance(event, ev.LoggedOut) or (isinstance(event, ev.Ready) and not self.no()):
            self.reason = "unspecified"
        if type(event) in CONTACT_EVENTS:
            self._take(event)

    def _take(self, event: ev.AgentEvent) -> None:
        contact, channel = event.contact, event.channel  # type: ignore[attr-defined]
        if contact in self.ended and not isinstance(event, ev.AgentWrapUp):
            another, self.ended[contact] = self.ended[contact], None
            self.contacts.pop(contact, None)
            if another is not None and another[0] not in self.ended:
                self.contacts[another[0]], self.channels[another[0]] = "talking", another[1]
            return
        if contact not in self.contacts:
            self.channels[contact] = "voice"
        if channel != "voice":
            self.channels[contact] = channel
        self.contacts[contact] = CONTACT_EVENTS[type(event)]

    def _drop(self, event: ev.AgentContactEnded | ev.AgentOfferEnded) -> None:
        talking = [c for c, state in self.contacts.items() if state == "talking"]
        ends = isinstance(event, ev.AgentContactEnded)
        if ends and event.contact in self.ended:
            return
        if ends and self.contacts.get(event.contact, "offered") == "offered":
            self.ended[event.contact] = None
            if event.contact not in self.contacts and len(talking) == 1:
                self.ended[event.contact] = talking[0], self.channels[talking[0]]
                self.contacts.pop(talking[0])
        self.contacts.pop(event.contact, None)

    def _pause(self, queue: str | None, paused: bool) -> None:
        if queue is None:
            self.paused = paused
            self.queues = dict.fromkeys(self.queues, paused)
        else:
            self.queues[queue] = paused

    def no(self) -> bool:
        return self.paused or (self.queues != {} and all(self.queues.values()))

    def state(self) -> str:
        found = list(self.contacts.values())
        for state in (*BUSY, "offered"):
            if state in found:
                return state
        if not self.there:
            return "offline"
        return "not_ready" if self.no() else "idle"

    def busy_with(self) -> list[str]:
        """The channel of each contact that is worked on."""
        return [self.channels[c] for c, state in self.contacts.items() if state in BUSY]


def planned(events: Told, at_ms: int) -> str | None:
    covering = [
        e for e in sorted(events, key=rank)
        if isinstance(e, ev.AgentScheduled) and e.start <= at_ms < e.end
    ]  # fmt: skip
    return covering[-1].activity if covering else None


def every_second(events: Told) -> Counter[tuple[object, ...]]:
    """Seconds of each kind until ``UNTIL``."""
    found: Counter[tuple[object, ...]] = Counter()
    desk, to_come = Desk(), sorted(events, key=rank)
    has_plan = any(isinstance(e, ev.AgentScheduled) for e in events)
    for second in range(UNTIL):
        while to_come and to_come[0].time <= ms(second):
            desk.hear(to_come.pop(0))
        state, channels = desk.state(), desk.busy_with()
        if state != "offline":
            reason = desk.reason if state == "not_ready" else None
            found["state", state, reason, len(channels)] += 1
        for channel in set(channels) - {"voice"}:
            found["channel", channel, channels.count(channel)] += 1
        activity = planned(events, ms(second)) if has_plan else None
        if activity is not None:
            working = state not in ("offline", "not_ready")
            adherent = working if activity == "productive" else not working
            found["plan", activity, adherent] += 1
    return found


def seconds(facts: Iterable[Fact], sign: int = 1) -> Counter[tuple[object, ...]]:
    """The same of facts."""
    found: Counter[tuple[object, ...]] = Counter()
    for fact in facts:
        match fact:
            case StateSlice():
                kind: tuple[object, ...] = ("state", fact.state, fact.reason, fact.contacts)
            case ChannelSlice():
                kind = ("channel", fact.channel, fact.contacts)
            case ScheduledSlice():
                kind = ("plan", fact.activity, fact.adherent)
            case _:
                continue
        found[kind] += sign * fact.duration_ms // 1000
    return found


def what_is_there(counts: Counter[tuple[object, ...]]) -> dict[tuple[object, ...], int]:
    return {kind: n for kind, n in counts.items() if n}


@given(agents())
def test_time_is_what_asking_every_second_gives(events: Told) -> None:
    state, proofs = fold(AgentState(), events)
    now = state.open_until(ms(UNTIL))
    facts = [
        fact
        for proof in [*proofs, *([now] if now else [])]
        for fact in facts_of("Ann", proof, state.schedule)
    ]
    assert what_is_there(seconds(facts)) == what_is_there(every_second(events))


@given(agents(), st.integers(0, UNTIL))
def test_what_changed_turns_the_old_spans_into_the_new(events: Told, at: int) -> None:
    """In any order of the events, as if everything had been known at once."""
    history, posted = AgentHistory(AgentState()), Counter[tuple[object, ...]]()
    for event in events:
        was, now = history.add(event)
        for proof, sign in changed(was, now):
            found = seconds(facts_of("Ann", proof, ()), sign)
            for kind, n in found.items():
                posted[kind] += n
    _, proofs = fold(AgentState(), events)
    expected = seconds(fact for proof in proofs for fact in facts_of("Ann", proof, ()))
    assert what_is_there(posted) == what_is_there(expected)
    spans = history.spans(ms(at), ms(UNTIL))
    assert all(a.until_ms == b.from_ms for a, b in pairwise(spans))
    assert not spans or (spans[0].from_ms <= ms(at) and spans[-1].until_ms == ms(UNTIL))


SHIFTS = st.lists(
    st.builds(
        Shift, st.integers(0, 20), st.integers(0, 20), st.sampled_from(("productive", "break"))
    ),
    max_size=8,
)


@given(SHIFTS, st.integers(0, 20), st.integers(0, 20))
def test_of_two_plans_for_the_same_time_the_later_one_counts(
    shifts: list[Shift], from_ms: int, until_ms: int
) -> None:
    painted: list[str | None] = [None] * 20
    schedule: tuple[Shift, ...] = ()
    for shift in shifts:
        schedule = plan(schedule, shift)
        for at in range(shift.start_ms, shift.end_ms):
            painted[at] = shift.activity

    def activities(parts: Iterable[Shift]) -> list[str | None]:
        found: list[str | None] = [None] * 20
        for start_ms, end_ms, activity in parts:
            for at in range(start_ms, end_ms):
                assert found[at] is None, "two shifts at once"
                found[at] = activity
        return found

    assert activities(schedule) == painted
    assert list(schedule) == sorted(schedule)
    seen = [a if from_ms <= at < until_ms else None for at, a in enumerate(painted)]
    assert activities(within(schedule, from_ms, until_ms)) == seen
    assert activities(still(schedule, from_ms))[from_ms:] == painted[from_ms:]
