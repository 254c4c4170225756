"""An agent's events in order, and the states on the way, so that a late event costs little.

A late event is put in its place, and the fold is done again from the checkpoint before it, only
until the state is what it was before at a later checkpoint: from there on nothing can differ.  An
agent's state forgets fast (a call ends, and it is as if it had not been), so that is soon.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from streams.core import events as ev
from streams.core.agent import AgentState, rank
from streams.core.facts import StateSlice

CHECKPOINT_EVENTS = 32
Spans = list[StateSlice]


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

    def add(self, event: ev.AgentEvent) -> tuple[Spans, Spans]:
        """Take an event; the spans that are not true any more, and those that are true instead."""
        key = rank(event)
        if self._keys and key < self._keys[-1]:
            return self._insert(key, event)
        if len(self._events) >= self._checkpoints[-1][0] + CHECKPOINT_EVENTS:
            self._checkpoints.append((len(self._events), self.state.copy()))
        self._keys.append(key)
        self._events.append(event)
        return [], list(self.state.apply(event))

    def _insert(self, key: tuple[int, int, str], event: ev.AgentEvent) -> tuple[Spans, Spans]:
        at = bisect_left(self._keys, key)
        nearest = bisect_right(self._checkpoints, at, key=lambda c: c[0]) - 1
        start, state = self._checkpoints[nearest]
        later = self._checkpoints[nearest + 1 :]
        del self._checkpoints[nearest + 1 :]
        old, new = state.copy(), state.copy()
        was = [span for e in self._events[start:at] for span in old.apply(e)]
        self._keys.insert(at, key)
        self._events.insert(at, event)
        now = [span for e in self._events[start : at + 1] for span in new.apply(e)]
        self._go_on(at + 1, (old, was), (new, now), later)
        return was, now

    def _go_on(
        self,
        index: int,
        before: tuple[AgentState, Spans],
        after: tuple[AgentState, Spans],
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
