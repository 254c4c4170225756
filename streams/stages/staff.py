"""The staff stage: events of agents in, time by state, offers, adherence and agents by state out.

What an agent does now is posted by every tick that begins a minute, up to that minute, and restated
when an event shows that it had ended before; see docs/adr/0017.  So the facts of an agent follow
from its events and from the last such minute, both as of a position of the log.

An agent who is offline and whom nobody has spoken of for ``KEEP_MS`` is forgotten at the next
border of a segment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from streams import codec
from streams.core import events as ev
from streams.core.agent import OURS, SETTLE_MS, AgentState, settled
from streams.core.agent_facts import Proof, Span, facts_of, scheduled
from streams.core.agent_history import AgentHistory, changed
from streams.core.contact import Kept
from streams.core.measure import CutKey, Post
from streams.core.partials import Register
from streams.core.schedule import AHEAD_MS_MAX, SHIFTS_MAX, Schedule
from streams.core.source import Record, Rejected
from streams.core.terms import DAY_MS, MINUTE_MS, Terms
from streams.stages import wire
from streams.stages.base import Entity, Output, Seal
from streams.stages.keyed import HEAD, SYSTEM, MarkKeeper, SegmentedStage

EVENTS_MAX = 20_000
"""Events of one agent within the settling time; more are refused and counted."""
KEEP_MS = 60 * DAY_MS
"""Longer than any leave: an event told again after it would count again."""
_AGENT = b"a"
_ACCRUED = SYSTEM + b"accrued"
_Stored = tuple[AgentState, list[tuple[int, int, bytes]]]
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(_Stored).decode


class Agent:
    """One agent: the settled base and the events since, with their offsets."""

    __slots__ = (
        "base",
        "events",
        "heard_ms",
        "history",
        "ids",
        "kept",
        "position",
        "settled_at",
        "spoken_ms",
    )

    def __init__(self, base: AgentState) -> None:
        self.base = base
        self.history = AgentHistory(base)
        self.kept: list[Kept] = []
        self.events: list[ev.AgentEvent] = []
        self.ids: set[str] = set()
        self.position = -1
        self.heard_ms = base.heard_ms
        """When the agent was heard of, or is planned to work, for the last time."""
        self.spoken_ms = base.spoken_ms
        """When they were heard of in anything but a schedule: it does not show that they live."""
        self.settled_at = -1

    @property
    def state(self) -> AgentState:
        """The state after all events."""
        return self.history.state

    def keep(self, kept: Kept, event: ev.AgentEvent) -> None:
        self.kept.append(kept)
        self.events.append(event)
        self.ids.add(event.id)
        self.position = kept.offset
        self._heard(kept.append_ms, event)

    def _heard(self, append_ms: int, event: ev.AgentEvent) -> None:
        heard_ms = max(event.time, append_ms)
        if type(event) is ev.AgentScheduled:
            heard_ms = max(heard_ms, event.end)
        elif heard_ms > self.spoken_ms:
            self.spoken_ms = heard_ms
        if heard_ms > self.heard_ms:
            self.heard_ms = heard_ms

    def settle(self, start: int, mark_ms: int) -> None:
        """At the beginning of the segment at ``start``: fold what is old into the base."""
        if self.settled_at == start:
            return
        self.settled_at = start
        until = mark_ms - SETTLE_MS
        old = [
            (k, e)
            for k, e in zip(self.kept, self.events, strict=True)
            if k.offset < start and e.time < until
        ]
        if not old:
            return
        self._settle(old)

    def _settle(self, old: Sequence[tuple[Kept, ev.AgentEvent]]) -> None:
        heard = Agent(self.base)
        for kept, event in old:
            heard._heard(kept.append_ms, event)
        self.base = settled(self.base, [e for _, e in old])
        self.base.heard_ms, self.base.spoken_ms = heard.heard_ms, heard.spoken_ms
        gone = {e.id for _, e in old}
        pairs = [(k, e) for k, e in zip(self.kept, self.events, strict=True) if e.id not in gone]
        self.kept, self.events = [k for k, _ in pairs], [e for _, e in pairs]
        self.ids -= gone
        self.history = AgentHistory(self.base, self.events)


class StaffStage(SegmentedStage):
    """One partition of agent events."""

    name = "staff"

    def __init__(
        self,
        partition: int,
        *,
        terms: Terms,
        post: Post,
        segment_size: int,
        board_partitions: int,
        skew_ms: int = 0,
    ) -> None:
        super().__init__(partition, segment_size, board_partitions)
        self._terms = terms
        self._post = post
        self._skew_ms = skew_ms
        self._agents: dict[str, Agent] = {}
        self._present: dict[str, None] = {}
        """Agents who are not offline."""
        self._quietest_ms = 0
        """None of these was heard of last before then."""
        self._planned: dict[str, None] = {}
        """Agents whose schedule is not over."""
        self._accrued = MarkKeeper(_ACCRUED)
        """Until when what agents do now has been posted; whole minutes."""
        self._wraps: dict[str, int] = {}
        """When the next wrap-up of an agent is over."""
        self._dirty: dict[str, None] = {}
        self._levels: Counter[CutKey] = Counter()
        self._touched: set[CutKey] = set()
        self._start_mark_ms = -1
        self._kinds = {
            ev.Tick: self._tick,
            ev.Restarted: self._restarted,
            Rejected: self._reject,
        }

    def __len__(self) -> int:
        return len(self._agents)

    # -- restore

    def start(self, committed: int) -> None:
        self.running.position = committed - 1
        self._buried.restore(self.versions, committed)
        system, agents = dict[bytes, bytes](), list[tuple[bytes, bytes]]()
        for _, key, value in self.versions.drain():
            if key.startswith(SYSTEM):
                system[key] = value
            else:
                agents.append((key, value))
        for keeper in (self.marks, self._accrued):
            if keeper.key in system:
                keeper.restore(system[keeper.key], committed)
        for key, value in agents:
            self._start_agent(key[1:].decode(), value, committed)
        self._start_mark_ms = self.marks.mark_ms
        self._touched = set()

    def _start_agent(self, name: str, value: bytes, committed: int) -> None:
        base, rows = _unpack(value[HEAD.size :])
        agent = Agent(base)
        for row in rows:
            if row[0] < committed:
                event = codec.decode_agent(row[2])
                assert isinstance(event, ev.AgentEvent)
                agent.keep(Kept(*row), event)
        if not agent.kept and base.last_ms < 0:
            return
        agent.history = AgentHistory(base, agent.events)
        self._agents[name] = agent
        self._note(name, agent, [])

    # -- absorb

    def absorb(self, records: Sequence[Record]) -> None:
        self._absorb_events(records, codec.decode_agent)

    def _event(self, record: Record, event: ev.AgentEvent) -> None:
        agent = self._agents.get(event.agent)
        if agent is None:
            agent = self._agents[event.agent] = Agent(AgentState())
        agent.settle(self.segment_start, self._start_mark_ms)
        if event.id in agent.ids:
            self.counts["duplicates"] += 1
            self._repeated.add(event.agent)
        elif event.time <= agent.base.last_ms:  # perhaps told before: folded ids are forgotten
            self.counts["late"] += 1
            self._repeated.add(event.agent)
        elif refused := _refused(agent, event):
            self._repeated.add(event.agent)
            self._reject(record, refused)
        else:
            assert record.value is not None
            self.marks.see(event.time)
            self._add(agent, event, Kept(record.offset, record.timestamp, record.value))

    def _add(self, agent: Agent, event: ev.AgentEvent, kept: Kept) -> None:
        name, until_ms, state = event.agent, self._accrued.mark_ms, agent.state
        before, schedule, open_before = state.levels(), state.schedule, state.open_until(until_ms)
        agent.keep(kept, event)
        was, now = agent.history.add(event)
        state = agent.state
        open_after = state.open_until(until_ms)
        if open_before != open_after:
            was += [open_before] if open_before else []
            now += [open_after] if open_after else []
        for proof, sign in changed(was, now):
            self._say(name, proof, sign, schedule)
        if type(event) is ev.AgentScheduled:
            self._plan(agent, event, schedule)
        self._dirty[name] = None
        self._note(name, agent, before)

    def _say(self, name: str, proof: Proof, sign: int, schedule: Schedule) -> None:
        post, cell = self._post, self.running.cell
        for fact in facts_of(name, proof, schedule):
            post(fact, sign, cell)

    def _plan(self, agent: Agent, event: ev.AgentScheduled, before: Schedule) -> None:
        """What was said by the schedule before is said anew, for the time that is known."""
        if event.start < agent.base.since_ms:
            self.counts["late.schedule"] += 1
        for span in agent.history.spans(event.start, self._accrued.mark_ms):
            from_ms, until_ms = max(span.from_ms, event.start), min(span.until_ms, event.end)
            part = Span(span.doing, from_ms, until_ms)
            for schedule, sign in ((before, -1), (agent.state.schedule, 1)):
                for fact in scheduled(event.agent, part, schedule):
                    self._post(fact, sign, self.running.cell)

    def _note(self, name: str, agent: Agent, before: Sequence[CutKey]) -> None:
        now = agent.state.levels()
        for cuts, sign in ((before, -1), (now, 1)) if before != now else ():
            for cut in cuts:
                self._levels[cut] += sign
                self._touched.add(cut)
        self._present.pop(name, None)
        if now:
            self._present[name] = None
            self._quietest_ms = min(self._quietest_ms, agent.spoken_ms)
        self._wraps.pop(name, None)
        if agent.state.wraps:
            self._wraps[name] = min(agent.state.wraps.values())
        self._planned.pop(name, None)
        schedule = agent.state.schedule
        if schedule and schedule[-1].end_ms > self._accrued.mark_ms:
            self._planned[name] = None

    # -- time: acts only by adding an event to the agent it concerns

    def _tick(self, record: Record, tick: ev.Tick) -> None:
        if not self._tells_time(record, tick):
            return
        silent_since = tick.time - self._terms.agent_silence_ms
        if self._quietest_ms <= silent_since:
            for name in [n for n in self._present if self._agents[n].spoken_ms <= silent_since]:
                self._log_out(name, record)
            spoken = [self._agents[name].spoken_ms for name in self._present]
            self._quietest_ms = min(spoken, default=tick.time)
        for name in [n for n, until_ms in self._wraps.items() if until_ms <= tick.time]:
            self._end_wrap_up(name, record)
        if tick.time >= self._accrued.mark_ms + MINUTE_MS:
            self._accrue(tick.time // MINUTE_MS * MINUTE_MS)

    def _accrue(self, until_ms: int) -> None:
        """What agents do now has gone on until then, as far as anybody knows."""
        since_ms = self._accrued.mark_ms
        self._accrued.see(until_ms)
        for name in {**self._present, **self._planned}:
            state = self._agents[name].state
            span = state.open_until(until_ms)
            if span is not None and span.until_ms > since_ms:
                if span.from_ms < since_ms:
                    span = Span(span.doing, since_ms, span.until_ms)
                self._say(name, span, 1, state.schedule)
            if not state.schedule or state.schedule[-1].end_ms <= until_ms:
                self._planned.pop(name, None)

    def _end_wrap_up(self, name: str, record: Record) -> None:
        """Wrap-up whose length was known is over."""
        agent = self._agents[name]
        contact, until_ms = min(agent.state.wraps.items(), key=lambda kv: (kv[1], kv[0]))
        event = ev.AgentContactEnded(
            id=f"wrapped:{contact}:{until_ms}",
            source=OURS,
            agent=name,
            time=until_ms,
            contact=contact,
        )
        self._add(agent, event, Kept(record.offset, record.timestamp, codec.encode(event)))

    def _log_out(self, name: str, record: Record) -> None:
        """An agent nobody has heard of for so long is not there."""
        agent = self._agents[name]
        at = agent.state.acted_ms + 1
        event = ev.LoggedOut(id=f"silence:{at}", source=OURS, agent=name, time=at, reason="silence")
        self.counts["lost.silence"] += 1
        self._add(agent, event, Kept(record.offset, record.timestamp, codec.encode(event)))

    def _restarted(self, record: Record, event: ev.Restarted) -> None:
        """A restart of the platform says nothing about who is logged in (it restores its
        members)."""
        self.counts["restarts"] += 1

    # -- publish and seal

    def publish(self) -> list[Output]:
        outputs = self._partials()
        for cut in self._touched:
            register = Register(
                self.running.origin, cut, self.running.position, {"agents": self._levels[cut]}
            )
            outputs.append(self._to_board(cut, wire.encode(register)))
        self._touched = set()
        return outputs + self._mark() + self._letters_taken()

    def seal(self, end: int) -> Seal:
        outputs = self.publish()
        start = self.segment_start
        entities = [self._entity(name) for name in self._dirty]
        entities += self._leave(_AGENT, self._forget(start), end)
        entities += [self.marks.border(end), self._accrued.border(end)]
        self._dirty = {}
        self._start_mark_ms = self.marks.mark_ms
        return Seal(outputs, (), entities, end)

    def _entity(self, name: str) -> Entity:
        agent = self._agents[name]
        value = HEAD.pack(agent.position, agent.heard_ms, 1) + _pack((agent.base, agent.kept))
        return Entity(_AGENT + name.encode(), value)

    def _forget(self, start: int) -> list[str]:
        """Agents who are offline and of whom nobody has told for so long."""
        heard_until_ms = self.marks.mark_ms - KEEP_MS
        gone = [
            name
            for name, agent in self._agents.items()
            if agent.heard_ms <= heard_until_ms
            and agent.position < start
            and name not in self._present
            and name not in self._planned
            and name not in self._repeated
        ]
        for name in gone:
            del self._agents[name]
        return gone


def _refused(agent: Agent, event: ev.AgentEvent) -> Rejected | None:
    """Why an event is not taken, if so."""
    if len(agent.kept) >= EVENTS_MAX:
        return Rejected("agent.events_max", f"more than {EVENTS_MAX} events of one agent")
    if not isinstance(event, ev.AgentScheduled):
        return None
    if impossible := impossible_schedule(event):
        return impossible
    if len(agent.state.schedule) >= SHIFTS_MAX:
        return Rejected("agent.shifts_max", f"more than {SHIFTS_MAX} pieces of one schedule")
    return None


def impossible_schedule(event: ev.AgentScheduled) -> Rejected | None:
    """Why no agent can have such a schedule, if so."""
    if event.start < event.end <= event.time + AHEAD_MS_MAX:
        return None
    return Rejected("agent.schedule_span", "a schedule that ends before it begins, or too late")
