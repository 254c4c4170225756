"""What is true of the customers of the week: of each contact the little that counts, all compared
with all (``tests.simulation.who_came_again``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from streams.core import events as ev
from streams.core.customer import Seen
from streams.core.facts import Fact
from tests.simulation.who_came_again import of_one
from tests.week.calls import Call
from tests.week.conversations import Conversation
from tests.week.written import Written

ZONE = "Europe/Berlin"


def of_call(call: Call) -> Seen | None:
    """None if it is no contact of anybody."""
    queue, arrived = call.arrived or (None, None)
    if call.excluded or (arrived is None and call.menu_since is None):
        return None
    answered = [e.agent for e in call.events if isinstance(e, ev.Answered)]
    return Seen(
        0, call.name, 0, arrived, "voice", 0, queue,
        issue_type=call.issue,
        agent=answered[-1] if answered else None,
        human=bool(answered),
        ours=call.direction == "outbound",
        self_service_ms=call.menu_since,
        contained=call.menu_since is not None and arrived is None,
    )  # fmt: skip


def of_conversation(conversation: Conversation) -> Seen | None:
    told = Written(conversation.events)
    if told.of(ev.Merged):
        return None
    arrival = told.arrival()
    human = [e for e in told.of(ev.Message) if e.author == "agent" and e.public]
    human += [e for e in told.of(ev.StatusChanged) if e.agent and e.status in ("solved", "closed")]
    bot = [e for e in told.of(ev.Message) if e.author == "bot" and not e.automatic]
    handed = told.of(ev.BotHandedOff)
    served = min((e.time for e in (*bot, *handed)), default=None)
    last = told.events[-1].time
    asked = human or handed or told.queue(last) != "none"
    return Seen(
        0, conversation.name, 0, arrival.entered_ms, told.channel, 0, arrival.queue,
        issue_type=told.issue,
        agent=told.owner(last),
        human=bool(human),
        ours=arrival.direction == "outbound",
        self_service_ms=served,
        contained=served is not None and not asked,
    )  # fmt: skip


def facts(calls: list[Call], conversations: list[Conversation]) -> Iterator[Fact]:
    seen: dict[str, list[Seen]] = defaultdict(list)
    told = [(c.customer, of_call(c)) for c in calls]
    told += [(c.customer, of_conversation(c)) for c in conversations]
    for customer, one in told:
        if customer is not None and one is not None:
            seen[customer].append(one)
    for all_of_one in seen.values():
        yield from of_one(all_of_one, ZONE)
