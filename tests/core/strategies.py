"""Hypothesis strategies for the events of one contact or agent: the usual course, and nonsense.

*Realistic* lists are legal walks with what goes wrong in logs: events missing, told twice, told
late, several in one millisecond.  *Hostile* lists are any events in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from streams.core import events as ev
from tests.builders import Story, ms, story

T = TypeVar("T")

QUEUES = ("PS", "IN")
SECONDS = st.sampled_from((0, 0, 1, 1, 2, 5, 14, 59, 60, 61, 125, 4_000))
STEPS = st.sampled_from((0, 0, 1, 5, 20, 59, 61, 300))
DURATIONS = st.sampled_from((None, None, 0, 5_000, 20_000, 20_001, -1, -90_000, 2**50))
_QUEUE = st.sampled_from(QUEUES)
_QUEUE_OR_NONE = st.sampled_from((*QUEUES, None))
_STAGES = st.sampled_from(("greeting", "ivr", "bot", "queue", "callback_wait"))
_ENDED_BY = st.sampled_from(("customer", "system", None))
_OUTCOMES = st.sampled_from(("abandoned", "timeout", "key", "empty", "callback", "lost"))

_HOSTILE: dict[type[ev.ContactEvent], dict[str, st.SearchStrategy[Any]]] = {
    ev.ContactStarted: {
        "customer": st.sampled_from((None, "p1")),
        "direction": st.sampled_from(("inbound", "outbound")),
    },
    ev.Assigned: {"queue": _QUEUE_OR_NONE},
    ev.Classified: {
        "issue_type": st.sampled_from((None, "billing", "fault")),
        "spam": st.sampled_from((None, None, True, False)),
    },
    ev.Queued: {"queue": _QUEUE, "customer": st.sampled_from((None, "p1"))},
    ev.QueueRefused: {"queue": _QUEUE, "reason": st.sampled_from(("full", "closed"))},
    ev.QueueResumed: {"queue": _QUEUE},
    ev.Offered: {"queue": _QUEUE_OR_NONE, "agent": st.just("Ann")},
    ev.OfferEnded: {"queue": _QUEUE_OR_NONE, "agent": st.just("Ann")},
    ev.Answered: {"queue": _QUEUE_OR_NONE, "wait_ms": DURATIONS},
    ev.LeftQueue: {"queue": _QUEUE, "outcome": _OUTCOMES, "wait_ms": DURATIONS},
    ev.Held: {},
    ev.Resumed: {},
    ev.Handled: {
        "queue": _QUEUE_OR_NONE, "wait_ms": DURATIONS, "talk_ms": DURATIONS, "hold_ms": DURATIONS,
    },
    ev.Transferred: {
        "queue": _QUEUE_OR_NONE, "wait_ms": DURATIONS, "talk_ms": DURATIONS,
        "kind": st.sampled_from(("blind", "attended", "attended")),
    },
    ev.WrapUpStarted: {},
    ev.WrapUpEnded: {"queue": _QUEUE_OR_NONE, "wrap_up_ms": DURATIONS},
    ev.Message: {
        "author": st.sampled_from(("customer", "agent", "bot")),
        "public": st.booleans(), "automatic": st.booleans(),
    },
    ev.StageEntered: {"stage": _STAGES}, ev.StageLeft: {"stage": _STAGES, "ended_by": _ENDED_BY},
    ev.StatusChanged: {"status": st.sampled_from(("open", "pending", "solved", "closed"))},
    ev.BotHandedOff: {},
    ev.ResolutionClaimed: {
        "resolved": st.booleans(), "by": st.sampled_from(("customer", "bot", "agent")),
    },
    ev.SurveySent: {"survey": st.sampled_from(("csat", "ces"))},
    ev.Rated: {
        "survey": st.sampled_from(("csat", "ces")), "score": st.integers(0, 8),
        "scale": st.sampled_from((5, 7, 10)),
    },
    ev.Ended: {"ended_by": st.sampled_from(("customer", "agent", "unknown"))},
    ev.Lost: {"reason": st.just("silence")},
}  # fmt: skip


@st.composite
def _hostile_event(draw: st.DrawFn) -> tuple[type[ev.ContactEvent], float, dict[str, Any]]:
    cls = draw(st.sampled_from(list(_HOSTILE)))
    fields = {name: draw(values) for name, values in _HOSTILE[cls].items()}
    if draw(st.integers(0, 7)) == 0:
        fields |= {"id": "record", "version": draw(st.integers(0, 3))}
    return cls, draw(SECONDS), fields


@st.composite
def hostile(draw: st.DrawFn, max_size: int = 12) -> list[ev.ContactEvent]:
    """Any events, in any order, many of them in the same millisecond."""
    told = story(channel=draw(st.sampled_from(("voice", "voice", "chat"))))
    for cls, at, fields in draw(st.lists(_hostile_event(), max_size=max_size)):
        told.tell(cls, at, **fields)
    unique = {(event.id, event.version): event for event in told.events}
    return list(unique.values())


def _visit(draw: st.DrawFn, told: Story, at: float) -> float:
    """One stay in one queue, from entering it to leaving it or the agent's leg."""
    queue = draw(_QUEUE)
    told.queued(at, queue)
    for _ in range(draw(st.integers(0, 2))):
        at += draw(STEPS)
        told.tell(ev.OfferEnded, at, queue=queue, agent="Ann")
    at += draw(STEPS)
    if draw(st.integers(0, 2)) == 0:
        told.left(at, draw(_OUTCOMES), queue)
        if draw(st.integers(0, 4)) == 0:
            told.tell(ev.QueueResumed, at + draw(STEPS), queue=queue)
        return at
    told.answered(at, queue, wait_ms=draw(DURATIONS))
    if draw(st.booleans()):
        told.tell(ev.Held, at + draw(STEPS))
        told.tell(ev.Resumed, at + draw(STEPS))
    at += draw(STEPS)
    if draw(st.integers(0, 2)) == 0:
        kind = draw(st.sampled_from(("blind", "attended")))
        told.transferred(at, draw(_QUEUE), kind=kind, talk_ms=draw(DURATIONS))
    else:
        told.handled(at, queue, talk_ms=draw(DURATIONS))
    return at


@st.composite
def realistic(draw: st.DrawFn) -> list[ev.ContactEvent]:
    """One to three visits in turn, some events missing; perhaps lost and alive again."""
    told = story()
    at = float(draw(SECONDS))
    for _ in range(draw(st.integers(1, 3))):
        at = _visit(draw, told, at) + draw(STEPS)
        if draw(st.integers(0, 5)) == 0:
            told.tell(ev.Lost, at, reason=draw(st.sampled_from(("silence", "restart"))))
    if draw(st.booleans()):
        told.tell(ev.Ended, at, ended_by=draw(st.sampled_from(("customer", "agent"))))
    missing = draw(st.sets(st.integers(0, len(told.events) - 1), max_size=2))
    return [event for i, event in enumerate(told.events) if i not in missing]


_GAPS = st.sampled_from((0, 0, 0.5, 1, 20, 59, 61, 600, 5_000, 40_000, 90_000, 800_000))
_STATUSES = st.sampled_from(("open", "pending", "solved", "solved", "closed"))
_ASKS, _ANSWERS = {"author": "customer"}, {"author": "agent", "agent": "Ann"}


@st.composite
def _written_event(draw: st.DrawFn) -> tuple[type[ev.ContactEvent], dict[str, Any]]:
    """What happens in a conversation; mostly somebody writes."""
    automatic = draw(st.sampled_from((False, False, False, True)))
    public = draw(st.sampled_from((True, True, True, False)))
    author = draw(st.sampled_from(("customer", "customer", "agent", "agent", "bot", "system")))
    agent = draw(st.sampled_from((None, "Ann", "Ben")))
    said = {"author": author, "public": public, "automatic": automatic, "agent": agent}
    assigned = {"queue": draw(_QUEUE_OR_NONE), "agent": agent, "team": draw(_QUEUE_OR_NONE)}
    kinds: tuple[tuple[type[ev.ContactEvent], dict[str, Any]], ...] = (
        (ev.Message, said),
        (ev.Message, said),
        (ev.Message, said),
        (ev.Message, _ASKS),
        (ev.Message, _ANSWERS),
        (ev.Assigned, assigned),
        (ev.StatusChanged, {"status": draw(_STATUSES)}),
        (ev.StatusChanged, {"status": draw(_STATUSES)}),
        (ev.BotHandedOff, {}),
        (ev.Queued, {"queue": draw(_QUEUE)}),
        (ev.Answered, {"agent": agent}),
        (ev.Classified, {"issue_type": draw(st.sampled_from(("billing", "fault")))}),
        (ev.Ended, {}),
        (ev.Lost, {"reason": "silence"}),
    )
    return draw(st.sampled_from(kinds))


@st.composite
def written(draw: st.DrawFn, max_size: int = 10) -> list[ev.ContactEvent]:
    """A conversation: it may be started and begun by either side; later it is assigned, handed
    over by a bot, solved, reopened ...; messages may be corrected."""
    told = story(channel=draw(st.sampled_from(("chat", "email", "ticket", "voice"))))
    at = 0.0
    direction = draw(st.sampled_from((None, "inbound", "inbound", "outbound")))
    if direction is not None:
        told.tell(ev.ContactStarted, at, direction=direction)
    if draw(st.booleans()):
        told.tell(ev.Message, at, **draw(st.sampled_from((_ASKS, _ANSWERS))))
    for cls, fields in draw(st.lists(_written_event(), max_size=max_size)):
        # What the journey may put off has a moment of its own: its place is the journey's matter.
        apart = 0.25 * (cls in (ev.Queued, ev.Answered))
        at += draw(_GAPS) + apart
        told.tell(cls, at, **fields)
        at += apart
    messages = [event for event in told.events if isinstance(event, ev.Message)]
    if messages and draw(st.integers(0, 3)) == 0:
        event = draw(st.sampled_from(messages))
        told.tell(
            ev.Message, 0, id=event.id, time=event.time, version=1, author=event.author,
            agent=event.agent, public=not event.public,
        )  # fmt: skip
    return told.events


contacts = st.one_of(realistic(), hostile(), written())
"""The events of one contact; ids are unique, but for versions of one event."""


@st.composite
def told_again(draw: st.DrawFn, events: Sequence[T]) -> list[T]:
    """The same events in any order, some of them several times."""
    if not events:
        return []
    again = draw(st.lists(st.sampled_from(list(events)), max_size=len(events)))
    return list(draw(st.permutations([*events, *again])))


_CHANNELS = ("voice", "chat", "email")
_AGENT: dict[type[ev.AgentEvent], dict[str, st.SearchStrategy[Any]]] = {
    ev.LoggedIn: {}, ev.LoggedOut: {},
    ev.JoinedQueue: {"queue": _QUEUE, "paused": st.booleans()},
    ev.LeftMembership: {"queue": _QUEUE},
    ev.Ready: {"queue": _QUEUE_OR_NONE},
    ev.NotReady: {"queue": _QUEUE_OR_NONE, "reason": st.sampled_from((None, "lunch", "mails"))},
    **{cls: {"contact": st.sampled_from(("c1", "c2")), "channel": st.sampled_from(_CHANNELS)}
       for cls in (
        ev.AgentOffered, ev.AgentOfferEnded, ev.AgentTalking, ev.AgentHolding, ev.AgentWrapUp,
        ev.AgentContactEnded)},
    ev.AgentScheduled: {
        "start": SECONDS.map(ms), "end": SECONDS.map(ms),
        "activity": st.sampled_from(("productive", "productive", "break", "absent")),
    },
}  # fmt: skip


@st.composite
def agents(draw: st.DrawFn, max_size: int = 12) -> list[ev.AgentEvent]:
    """Any events of one agent; ids are unique."""
    events: list[ev.AgentEvent] = []
    for i in range(draw(st.integers(0, max_size))):
        cls = draw(st.sampled_from(list(_AGENT)))
        fields = {name: draw(values) for name, values in _AGENT[cls].items()}
        at = ms(draw(SECONDS))
        events.append(cls(id=f"a-{i}", source="pbx", agent="Ann", time=at, **fields))
    return events
