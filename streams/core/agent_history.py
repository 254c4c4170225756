"""An agent's events in order, and the states on the way, so that a late event costs little.

A late event is put in its place, and the fold is done again from the checkpoint before it, only
until the state is what it was before at a later checkpoint: from there on nothing can differ.  An
agent's state forgets fast (a call ends, and it is as if it had not been), so that is soon.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence

from streams.core import events as ev
from streams.core.agent import AgentState, rank
from streams.core.agent_facts import Doing, Proof, Span

CHECKPOINT_EVENTS = 32
Proofs = list[Proof]


class AgentHistory:
    """The events since ``base``.  ``state`` is the one after all of them."""

    __slots__ = ("_checkpoints", "_events", "_keys", "state")

    def __init__(self, base: AgentState, events: Iterable[ev.AgentEvent] = ()) -> None:
        self.state = base.copy()
        self._keys: list[tuple[int, int, str]] = []
        self._events: list[ev.AgentEvent] = []
        self._checkpoints: list[tuple[int, AgentState]] = [(0, base.copy())]
        """(How many events before it, the state then), ascending."""
        for event in sorted(events, key=rank):
            self.add(event)

    def spans(self, from_ms: int, until_ms: int) -> list[Span]:
        """What the agent did from ``from_ms`` on or shortly before; what they still do, until
        ``until_ms``."""
        at = bisect_right(self._checkpoints, from_ms, key=lambda c: c[1].since_ms) - 1
        start, state = self._checkpoints[max(0, at)]
        state = state.copy()
        found = [proof for e in self._events[start:] for proof in state.apply(e)]
        return [p for p in (*found, state.open_until(until_ms)) if isinstance(p, Span)]

    def add(self, event: ev.AgentEvent) -> tuple[Proofs, Proofs]:
        """Take an event; what is not true any more, and what is true instead."""
        key = rank(event)
        if self._keys and key < self._keys[-1]:
            return self._insert(key, event)
        if len(self._events) >= self._checkpoints[-1][0] + CHECKPOINT_EVENTS:
            self._checkpoints.append((len(self._events), self.state.copy()))
        self._keys.append(key)
        self._events.append(event)
        return [], self.state.apply(event)

    def _insert(self, key: tuple[int, int, str], event: ev.AgentEvent) -> tuple[Proofs, Proofs]:
        at = bisect_left(self._keys, key)
        nearest = bisect_right(self._checkpoints, at, key=lambda c: c[0]) - 1
        start, state = self._checkpoints[nearest]
        later = self._checkpoints[nearest + 1 :]
        del self._checkpoints[nearest + 1 :]
        old, new = state.copy(), state.copy()
        was = [proof for e in self._events[start:at] for proof in old.apply(e)]
        self._keys.insert(at, key)
        self._events.insert(at, event)
        now = [proof for e in self._events[start : at + 1] for proof in new.apply(e)]
        self._go_on(at + 1, (old, was), (new, now), later)
        return was, now

    def _go_on(
        self,
        index: int,
        before: tuple[AgentState, Proofs],
        after: tuple[AgentState, Proofs],
        later: list[tuple[int, AgentState]],
    ) -> None:
        """From ``index`` on, fold both ways until they agree at a checkpoint, or to the end."""
        (old, was), (new, now) = before, after
        for i in range(index, len(self._events)):
            if later and later[0][0] + 1 == i:
                if later[0][1] == new:
                    self._checkpoints += [(count + 1, state) for count, state in later]
                    return
                del later[0]
            if i >= self._checkpoints[-1][0] + CHECKPOINT_EVENTS:
                self._checkpoints.append((i, new.copy()))
            was.extend(old.apply(self._events[i]))
            now.extend(new.apply(self._events[i]))
        self.state = new


def changed(was: Sequence[Proof], now: Sequence[Proof]) -> list[tuple[Proof, int]]:
    """What must be posted so that ``was`` becomes ``now``.

    A span that only got longer or shorter is posted by what it grew or shrank.
    """
    if not was:
        return [(proof, 1) for proof in now]
    if len(was) == 1 and isinstance(was[0], Span):  # nearly always
        doing, from_ms, until_ms = was[0]
        same = [p for p in now if isinstance(p, Span) and p.from_ms == from_ms and p.doing == doing]
        if same:
            rest = [(proof, 1) for proof in now if proof is not same[0]]
            return [_grown(same[0], until_ms), *rest]
    count = Counter(now)
    count.subtract(was)
    out: list[tuple[Proof, int]] = []
    gone: dict[tuple[Doing, int], int] = {}
    for proof, n in count.items():
        if n < 0 and isinstance(proof, Span):
            gone[proof.doing, proof.from_ms] = proof.until_ms
    for proof, n in count.items():
        if not isinstance(proof, Span):
            out += [(proof, n)] if n else []
        elif n > 0:
            until_ms = gone.pop((proof.doing, proof.from_ms), proof.from_ms)
            out.append(_grown(proof, until_ms))
    out += [(Span(doing, from_ms, end_ms), -1) for (doing, from_ms), end_ms in gone.items()]
    return out


def _grown(span: Span, from_until_ms: int) -> tuple[Span, int]:
    """What is new of a span that was known until then, or too much of it (-1)."""
    if span.until_ms >= from_until_ms:
        return Span(span.doing, from_until_ms, span.until_ms), 1
    return Span(span.doing, span.until_ms, from_until_ms), -1
