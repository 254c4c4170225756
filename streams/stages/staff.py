"""The staff stage: events of agents in, time by state and agents by state out.

An agent who is offline and whom nobody has spoken of for ``KEEP_MS`` is forgotten at the next
border of a segment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from streams import codec
from streams.core import events as ev
from streams.core.agent import OURS, SETTLE_MS, AgentState, by_minute, fold
from streams.core.agent_history import AgentHistory
from streams.core.contact import Kept
from streams.core.facts import StateSlice
from streams.core.measure import CutKey, Post
from streams.core.partials import Register
from streams.core.signed import difference, standing
from streams.core.source import Record, Rejected
from streams.core.terms import DAY_MS, Terms
from streams.stages import wire
from streams.stages.base import Entity, Output, Seal
from streams.stages.keyed import HEAD, SYSTEM, SegmentedStage

EVENTS_MAX = 20_000
"""Events of one agent within the settling time; more are refused and counted."""
KEEP_MS = 60 * DAY_MS
"""Longer than any leave: an event told again after it would count again."""
_AGENT = b"a"
_Stored = tuple[AgentState, list[tuple[int, int, bytes]]]
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(_Stored).decode


class Agent:
    """One agent: the settled base and the events since, with their offsets."""

    __slots__ = ("base", "events", "heard_ms", "history", "ids", "kept", "position", "settled_at")

    def __init__(self, base: AgentState) -> None:
        self.base = base
        self.history = AgentHistory(base)
        self.kept: list[Kept] = []
        self.events: list[ev.AgentEvent] = []
        self.ids: set[str] = set()
        self.position = -1
        self.heard_ms = 0
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
        self.heard_ms = max(self.heard_ms, event.time, kept.append_ms)

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
        self.base, _ = fold(self.base, [e for _, e in old])
        heard = [max(k.append_ms, e.time) for k, e in old]
        self.base.heard_ms = max(self.base.heard_ms, *heard)
        settled = {e.id for _, e in old}
        pairs = [(k, e) for k, e in zip(self.kept, self.events, strict=True) if e.id not in settled]
        self.kept, self.events = [k for k, _ in pairs], [e for _, e in pairs]
        self.ids -= settled
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
        for _, key, value in self.versions.drain():
            if key == SYSTEM + b"mark":
                self.marks.restore(value, committed)
            else:
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
        agent.heard_ms = max(agent.heard_ms, base.heard_ms)
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
        elif len(agent.kept) >= EVENTS_MAX:
            self._repeated.add(event.agent)
            self._reject(
                record, Rejected("agent.events_max", f"more than {EVENTS_MAX} events of one agent")
            )
        else:
            assert record.value is not None
            self.marks.see(event.time)
            self._add(agent, event, Kept(record.offset, record.timestamp, record.value))

    def _add(self, agent: Agent, event: ev.AgentEvent, kept: Kept) -> None:
        before = agent.state.levels()
        agent.keep(kept, event)
        old, new = agent.history.add(event)
        for fact, sign in difference(standing(old), standing(new)):
            assert isinstance(fact, StateSlice)
            for piece in by_minute(fact):
                self._post(piece, sign, self.running.cell)
        self._dirty[event.agent] = None
        self._note(event.agent, agent, before)

    def _note(self, name: str, agent: Agent, before: Sequence[CutKey]) -> None:
        now = agent.state.levels()
        for cuts, sign in ((before, -1), (now, 1)):
            for cut in cuts:
                self._levels[cut] += sign
                self._touched.add(cut)
        self._present.pop(name, None)
        if now:
            self._present[name] = None
        self._wraps.pop(name, None)
        if agent.state.wraps:
            self._wraps[name] = min(agent.state.wraps.values())

    # -- time: acts only by adding an event to the agent it concerns

    def _tick(self, record: Record, tick: ev.Tick) -> None:
        if not self._tells_time(record, tick):
            return
        silent_since = tick.time - self._terms.agent_silence_ms
        for name in [n for n in self._present if self._agents[n].heard_ms <= silent_since]:
            self._log_out(name, record)
        for name in [n for n, until_ms in self._wraps.items() if until_ms <= tick.time]:
            self._end_wrap_up(name, record)

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
        at = agent.state.last_ms + 1
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
        entities.append(self.marks.border(end))
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
            and name not in self._repeated
        ]
        for name in gone:
            del self._agents[name]
        return gone
