"""Scripts: short lists of small tuples that become a log, and so shrink and print well.

A step is ``(kind, who, late, gap)``: ``gap`` seconds after the step before, something happens that
is dated ``late`` seconds earlier.  ``who`` is one of a few contacts, agents or customers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from streams import codec
from streams.core import events as ev
from streams.core.source import Record
from streams.core.terms import Patience, Terms
from tests.builders import T0

Step = tuple[str, int, int, int]
TERMS = Terms(
    patience={"voice": Patience(100_000, 400_000), "chat": Patience(50_000, 200_000)},
    agent_silence_ms=400_000,
)
"""Calls are lost after 100 s and forgotten after 400 s, or no script would be long enough.
A message makes a chat of the contact, for which half of that holds."""

_CONTACT: dict[str, tuple[type[ev.ContactEvent], dict[str, Any]]] = {
    "q": (ev.Queued, {"queue": "PS"}),
    "Q": (ev.Queued, {"queue": "IN"}),
    "a": (ev.Answered, {"queue": "PS"}),
    "A": (ev.Answered, {"queue": "IN", "wait_ms": 3_000}),
    "e": (ev.LeftQueue, {"queue": "PS", "outcome": "abandoned"}),
    "E": (ev.LeftQueue, {"queue": "IN", "outcome": "timeout", "wait_ms": -1}),
    "r": (ev.QueueResumed, {"queue": "PS"}),
    "h": (ev.Handled, {"queue": "PS"}),
    "x": (ev.Transferred, {"queue": "PS", "kind": "attended", "talk_ms": 2_000}),
    "m": (ev.Message, {"author": "agent", "channel": "chat"}),
    "z": (ev.Ended, {"ended_by": "customer"}),
    "b": (ev.StageEntered, {"stage": "bot"}),
    "C": (ev.Classified, {"issue_type": "bill", "phrase": "contacted_before", "reason": "slow"}),
    "v": (ev.ResolutionClaimed, {"resolved": True, "by": "survey"}),
    "u": (ev.Merged, {"into": "another"}),
}
_AGENT: dict[str, tuple[type[ev.AgentEvent], dict[str, Any]]] = {
    "i": (ev.LoggedIn, {}),
    "o": (ev.LoggedOut, {}),
    "j": (ev.JoinedQueue, {"queue": "PS"}),
    "n": (ev.NotReady, {}),
    "y": (ev.Ready, {}),
    "k": (ev.AgentTalking, {"contact": "c1"}),
    "K": (ev.AgentOffered, {"contact": "c2"}),
    "f": (ev.AgentContactEnded, {"contact": "c1"}),
    "F": (ev.AgentOfferEnded, {"contact": "c2"}),
    "g": (ev.AgentTalking, {"contact": "c3"}),
    "w": (ev.AgentWrapUp, {"contact": "c1", "wrap_up_ms": 20_000}),
    "c": (ev.AgentTalking, {"contact": "c4", "channel": "chat"}),
    "s": (ev.AgentScheduled, {"start": -90_000, "end": 600_000, "activity": "productive"}),
    "S": (ev.AgentScheduled, {"start": 30_000, "end": 120_000, "activity": "break"}),
}
CONTACT_KINDS = "".join(_CONTACT)
AGENT_KINDS = "".join(_AGENT)
TIME_KINDS = "tR"
"""A tick, a restart of the platform."""
POISON = "p"
"""A record that nobody can use."""
AGAIN = "d"
"""One of the events before, once more."""


class Poison(msgspec.Struct):
    """No event; ``id`` says where it goes."""

    id: str


def told(steps: Iterable[Step]) -> list[tuple[int, msgspec.Struct]]:
    """When each event reached the log, and the event; its id is its place in the script."""
    now, out = T0, list[tuple[int, msgspec.Struct]]()
    for place, (kind, who, late, gap) in enumerate(steps):
        now += gap * 1000
        out.append((now, _event(kind, who, now - late * 1000, place, out)))
    return out


def _event(
    kind: str, who: int, at_ms: int, place: int, before: Sequence[tuple[int, msgspec.Struct]]
) -> msgspec.Struct:
    common: dict[str, Any] = {"id": f"e{place}", "source": f"pbx{who % 2}", "time": at_ms}
    if kind == POISON:
        return Poison(common["id"])
    if kind in _CONTACT:
        cls, fields = _CONTACT[kind]
        if cls is ev.Queued:
            fields = {**fields, "customer": f"p{(who + (kind == 'Q')) % 2}"}
        return cls(**common, contact=f"c{who}", **fields)
    if kind in _AGENT:
        agent_cls, fields = _AGENT[kind]
        if agent_cls is ev.AgentScheduled:  # around the time it is published
            around = {name: at_ms + fields[name] for name in ("start", "end")}
            fields = {**fields, **around}
        return agent_cls(**common, agent=f"a{who}", **fields)
    repeatable = [event for _, event in before if not isinstance(event, ev.Tick)]
    if kind == AGAIN and repeatable:
        return repeatable[who % len(repeatable)]
    if kind == "R":
        return ev.Restarted(**common)
    return ev.Tick(time=at_ms)


def records(steps: Iterable[Step], topic: str = "events") -> list[Record]:
    """The script as the log of one partition."""
    return [
        Record(topic, 0, offset, now, None, codec.encode(event))  # type: ignore[arg-type]
        for offset, (now, event) in enumerate(told(steps))
    ]
