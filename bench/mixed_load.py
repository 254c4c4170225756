"""The load of all channels: calls, chats, mails, tickets and the agents who work on them.

Contacts are made up once by the generator of the tests' simulated week, which knows what is true of
each call.  They are written down as templates and told again and again, each time as other contacts
of other customers and a while later, so that a million events take seconds to make.

Beside each call stands what its agents' telephones report; agents have shifts, breaks and
schedules.  Written mail that would go on for days is told faster: everything happens in some hours.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

from msgspec.structs import replace

from streams import codec
from streams.core import events as ev
from streams.core import facts as fa
from streams.core.terms import HOUR_MS, MINUTE_MS
from tests.week.calls import AGENTS, QUEUES, Call
from tests.week.conversations import Conversation

BEGIN_MS = 1_790_002_800_000
"""A full hour."""
PARTITIONS = 4
CONTACTS_MAX = 4_000
"""So many are made up; the others are copies."""
EVENTS_PER_CONTACT = 13
"""About, with those of agents."""
CALLS_RATIO = 0.6
CUSTOMERS_RATIO = 0.8
"""Of contacts are of a customer who is known."""
LASTS_MS = 2 * HOUR_MS
"""What lasts longer is told faster."""
TICK_MS = MINUTE_MS
EVENTS_PER_AGENT = 1_000
"""In as many hours as it is by default, an agent is then busy a third of the time."""
COPY = "@"
"""Stands for the copy's number in templates."""
_TIME = re.compile(rb'"time":\d+')
Row = tuple[int, bytes | None, bytes]
"""(Partition, key, event)."""
Timed = tuple[int, Row]
"""(Time since the beginning in ms, row)."""


@dataclass(frozen=True)
class Mix:
    """``events`` is about how many there are to be; ``hours`` of event time in which contacts
    begin."""

    events: int
    hours: int = 4
    queues: int = 40
    seed: int = 1

    @property
    def agent_groups(self) -> int:
        """An agent of the generator is one in each."""
        return max(1, self.events // EVENTS_PER_AGENT // len(AGENTS))

    @property
    def queue_groups(self) -> int:
        return max(1, self.queues // len(QUEUES))


class Template(NamedTuple):
    """One event; ``at_ms`` in its copy.  ``key`` and ``value`` want the copy's number (``c``) and
    the time (``t``)."""

    at_ms: int
    of_agent: bool
    lane: int
    key: bytes
    value: bytes


class Arrivals:
    """When contacts begin: evenly, in a span of ``length_ms``; everybody is always open."""

    def __init__(self, length_ms: int) -> None:
        self._length_ms = length_ms

    def moment(self, chance: Random) -> int:
        return BEGIN_MS + chance.randrange(self._length_ms)

    def is_open(self, queue: str, time_ms: int) -> bool:
        return True


class Load:
    """The events and what is true of them.  ``counts`` is events by channel, ``agent`` for those of
    agents; ``true`` what the KPIs of all calls must come to."""

    def __init__(self, mix: Mix) -> None:
        self.mix = mix
        wanted = max(1, mix.events // EVENTS_PER_CONTACT)
        self.copies = -(-wanted // CONTACTS_MAX)
        contacts = wanted // self.copies
        self._step_ms = mix.hours * HOUR_MS // self.copies
        self.counts: Counter[str] = Counter()
        self.true: Counter[str] = Counter()
        self._templates: list[Template] = []
        chance = Random(mix.seed)
        arrivals: Any = Arrivals(self._step_ms)
        for number in range(contacts):
            known = chance.random() < CUSTOMERS_RATIO
            customer = f"customer-{chance.randrange(contacts)}{COPY}" if known else None
            if chance.random() < CALLS_RATIO:
                self._add_call(Call(f"call-{number}{COPY}", chance, arrivals, customer), number)
            else:
                talk = Conversation(f"talk-{number}{COPY}", chance, arrivals, customer)
                self._add_conversation(talk, number)
        self._shifts = [row for agent in self._agents() for row in shift(agent, mix, chance)]
        self._shifts.sort(key=_when)
        self.counts["agent"] += len(self._shifts)

    @property
    def events(self) -> int:
        """How many there are, without ticks."""
        return self.counts.total()

    @property
    def agents(self) -> int:
        return len(AGENTS) * self.mix.agent_groups

    def _agents(self) -> Iterator[str]:
        for group in range(self.mix.agent_groups):
            yield from (f"{agent}-{group}" for agent in AGENTS)

    def _add_call(self, call: Call, number: int) -> None:
        call.happen()
        self.true["contacts_offered"] += self.copies * _of(call, fa.VisitOffered)
        self.true["contacts_answered"] += self.copies * _of(call, fa.VisitAnswered)
        placed = [_placed(event, self.mix, number) for event in call.events]
        self._add(placed, number)
        self._add(list(telephones(placed)), number)

    def _add_conversation(self, conversation: Conversation, number: int) -> None:
        conversation.happen()
        told = faster(conversation.events)
        placed = [_placed(event, self.mix, number) for event in told]
        self._add(placed, number)
        self._add(list(desk(placed)), number)

    def _add(self, events: Sequence[Any], number: int) -> None:
        for event in events:
            agent = isinstance(event, ev.AgentEvent)
            lane = _lane(event.agent) if agent else number
            key = event.agent if agent else event.contact
            value = _TIME.sub(b'"time":%(t)d', _open(codec.encode(event)))
            at_ms = event.time - BEGIN_MS
            self._templates.append(Template(at_ms, agent, lane, _open(key.encode()), value))
            self.counts["agent" if agent else event.channel] += self.copies

    # -- told

    def rows(self, of_agents: bool) -> Iterator[Row]:
        """The log of one topic in the order of time, with a tick a minute and one at the end."""
        told = self._told([t for t in self._templates if t.of_agent == of_agents])
        shifts = self._shifts if of_agents else []
        minutes = range(0, self._end_ms, TICK_MS)
        every_minute = ((at_ms, row) for at_ms in minutes for row in ticks(at_ms))
        for _, row in merge(every_minute, shifts, told, key=_when):
            yield row
        yield from ticks(self._end_ms)

    def _told(self, templates: Sequence[Template]) -> Iterator[Timed]:
        """Every copy of every event, in the order of time."""
        order = sorted(
            (template.at_ms + copy * self._step_ms, copy, index)
            for index, template in enumerate(templates)
            for copy in range(self.copies)
        )
        for at_ms, copy, index in order:
            _, of_agent, lane, key, value = templates[index]
            named = {b"c": copy, b"t": BEGIN_MS + at_ms}
            # A contact stays in its partition, an agent in theirs.
            partition = (lane if of_agent else lane + copy) % PARTITIONS
            yield at_ms, (partition, key % named, value % named)

    @property
    def _end_ms(self) -> int:
        """Later than everything, and late enough that its windows are final."""
        last_ms = max(t.at_ms for t in self._templates) + (self.copies - 1) * self._step_ms
        return max(last_ms, self.mix.hours * HOUR_MS) + HOUR_MS


def ticks(at_ms: int) -> Iterator[Row]:
    """In every partition."""
    value = codec.encode(ev.Tick(time=BEGIN_MS + at_ms))
    return ((partition, None, value) for partition in range(PARTITIONS))


def _when(timed: Timed) -> int:
    return timed[0]


def _open(template: bytes) -> bytes:
    return template.replace(b"%", b"%%").replace(COPY.encode(), b".%(c)d")


def _of(call: Call, kind: type) -> int:
    return sum(isinstance(fact, kind) for fact in call.facts)


def _lane(agent: str) -> int:
    return sum(agent.encode())


def _placed(event: Any, mix: Mix, number: int) -> Any:
    """The same in the queues and with the agents of a group: the generator knows but a few."""
    groups = {"agent": mix.agent_groups, "queue": mix.queue_groups, "to_queue": mix.queue_groups}
    changes = {
        field: f"{name}-{number % count}"
        for field, count in groups.items()
        if (name := getattr(event, field, None)) is not None
    }
    return replace(event, **changes)


def faster(events: Sequence[ev.ContactEvent]) -> list[ev.ContactEvent]:
    """In at most ``LASTS_MS``, in the same proportions."""
    first, last = events[0].time, events[-1].time
    if last - first <= LASTS_MS:
        return list(events)
    return [
        replace(event, time=first + (event.time - first) * LASTS_MS // (last - first))
        for event in events
    ]


# -- agents


def telephones(call: Sequence[ev.ContactEvent]) -> Iterator[ev.AgentEvent]:
    """What the agents' telephones report of a call."""
    queue = None
    for event, following in pairwise([*call, None]):
        assert event is not None
        queue = getattr(event, "queue", None) or queue
        agent = getattr(event, "agent", None)
        if agent is None:
            continue
        common = {
            "id": f"{event.id}-agent", "source": event.source, "agent": agent, "time": event.time,
            "contact": event.contact,
        }  # fmt: skip
        match event:
            case ev.Offered():
                yield ev.AgentOffered(**common, queue=queue)
            case ev.OfferEnded():
                yield ev.AgentOfferEnded(**common, queue=queue, reason=event.reason)
            case ev.Answered() | ev.Resumed():
                yield ev.AgentTalking(**common, queue=queue)
            case ev.Held():
                yield ev.AgentHolding(**common)
            case ev.WrapUpStarted():
                yield ev.AgentWrapUp(**common, queue=queue)
            case ev.WrapUpEnded():
                yield ev.AgentContactEnded(**common, queue=queue)
            case ev.Handled() | ev.Transferred() if not isinstance(following, ev.WrapUpStarted):
                yield ev.AgentContactEnded(**common, queue=queue)


def desk(chat: Sequence[ev.ContactEvent]) -> Iterator[ev.AgentEvent]:
    """What the desk reports of the agent who has a chat; written mail is nobody's all the time."""
    taken = next((e for e in chat if isinstance(e, ev.Assigned) and e.agent), None)
    if taken is None or taken.channel != "chat":
        return
    common: dict[str, Any] = {
        "source": taken.source,
        "agent": taken.agent,
        "contact": taken.contact,
    }
    for name, what, event in (
        ("talking", ev.AgentTalking, taken),
        ("ended", ev.AgentContactEnded, chat[-1]),
    ):
        yield what(id=f"{event.id}-{name}", time=event.time, channel="chat", **common)


def shift(agent: str, mix: Mix, chance: Random) -> Iterator[Timed]:
    """An agent's day: schedule, login, a break, logout."""
    end = mix.hours * HOUR_MS
    pause = end // 2 // MINUTE_MS * MINUTE_MS
    back = pause + 15 * MINUTE_MS
    late = chance.randrange(5 * MINUTE_MS)
    spans = ((0, pause, "productive"), (pause, back, "break"), (back, end, "productive"))
    told: list[tuple[int, type[ev.AgentEvent], dict[str, Any]]] = [
        (0, ev.AgentScheduled, {"start": BEGIN_MS + a, "end": BEGIN_MS + b, "activity": activity})
        for a, b, activity in spans
    ]
    told += [(late, ev.LoggedIn, {}), (late, ev.Ready, {})]
    told += [
        (late, ev.JoinedQueue, {"queue": f"{queue}-{chance.randrange(mix.queue_groups)}"})
        for queue in QUEUES
    ]
    told += [(pause + late, ev.NotReady, {"reason": "break"}), (back + late, ev.Ready, {})]
    told.append((end, ev.LoggedOut, {}))
    for number, (at_ms, what, fields) in enumerate(told):
        name = {"id": f"{agent}-shift-{number}", "source": "pbx", "agent": agent}
        value = codec.encode(what(**name, time=BEGIN_MS + at_ms, **fields))
        yield at_ms, (_lane(agent) % PARTITIONS, agent.encode(), value)
