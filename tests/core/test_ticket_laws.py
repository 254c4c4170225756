"""Laws of tickets: they say what the dumb computation says, in whatever order they are told."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.core import events as ev
from streams.core import facts, ticket_facts
from streams.core.contact import Contact, Kept
from streams.core.opening import Era, OpenHours, Opening
from streams.core.order import fold
from streams.core.signed import net
from streams.core.terms import Dated, QueueTerms, Terms
from tests.builders import ms, story, summed, total
from tests.core.strategies import told_again
from tests.oracle.resolution import facts_of_ticket

OFFICE = Opening(
    "Europe/Berlin",
    (Era(date.min, (*(((OpenHours(540, 1_020),),) * 5), (), ())),),
    ((date(2026, 10, 8), ()),),
)
TERMS = Terms(
    QueueTerms(),
    {"Help": [Dated(0, QueueTerms(opening=OFFICE)), Dated(ms(86_400), QueueTerms())]},
)
TICKETS = (
    ticket_facts.TicketCreated, ticket_facts.TicketSolved, ticket_facts.TicketResolved,
    ticket_facts.TicketReopened, ticket_facts.TicketGivenUp, facts.ValueRefused,
)  # fmt: skip
_AGENT = st.sampled_from((None, "Ann", "Bo"))
_QUEUE = st.sampled_from((None, "Help", "PS"))
_STATUS = st.sampled_from(
    ("new", "open", "open", "pending", "on_hold", "snoozed", "solved", "solved", "closed")
)
_FIELDS: dict[type[ev.ContactEvent], dict[str, st.SearchStrategy[Any]]] = {
    ev.ContactStarted: {
        "direction": st.sampled_from(("inbound", "outbound")),
        "issue_type": st.sampled_from((None, "fault")),
    },
    ev.StatusChanged: {"status": _STATUS, "agent": _AGENT},
    ev.Message: {
        "author": st.sampled_from(("customer", "agent", "bot", "system")), "agent": _AGENT,
        "public": st.sampled_from((True, True, False)),
        "automatic": st.sampled_from((False, False, True)),
    },
    ev.Assigned: {
        "queue": _QUEUE, "agent": _AGENT, "team": st.sampled_from((None, "first", "second")),
    },
    ev.Queued: {"queue": st.sampled_from(("Help", "PS"))},
    ev.Answered: {"agent": _AGENT},
    ev.BotHandedOff: {},
    ev.Classified: {
        "issue_type": st.sampled_from((None, "billing")),
        "spam": st.sampled_from((None, None, None, True, False)),
    },
    ev.Ended: {},
    ev.Lost: {"reason": st.just("silence")},
}  # fmt: skip
_KINDS = [*_FIELDS, ev.StatusChanged, ev.StatusChanged, ev.StatusChanged, ev.Message]
_GAPS = st.sampled_from((0.001, 1, 90, 3_600, 7_200.5, 30_000, 86_400, 400_000))


@st.composite
def tickets(draw: st.DrawFn) -> list[ev.ContactEvent]:
    """Mostly begun as it should be, then anything; sorted, no two events at one time."""
    told = story(channel=draw(st.sampled_from(("email", "ticket", "chat", "voice"))))
    at = 0.0
    if draw(st.integers(0, 4)):
        told.tell(ev.ContactStarted, at, direction=draw(st.sampled_from(("inbound", "outbound"))))
    for cls in draw(st.lists(st.sampled_from(_KINDS), max_size=14)):
        at += draw(_GAPS)
        told.tell(cls, at, **{name: draw(values) for name, values in _FIELDS[cls].items()})
    if draw(st.integers(0, 9)) == 0:
        told.tell(ev.Merged, at + 1, into="c2")
    return told.events


def said_of(events: list[ev.ContactEvent]) -> list[tuple[facts.Fact, int]]:
    contact = Contact(TERMS)
    said: list[tuple[facts.Fact, int]] = []
    for offset, event in enumerate(events):
        if not contact.knows(event):
            said += contact.add(Kept(offset, event.time, b""), event)
    return said


def of_tickets(fact: facts.Fact) -> bool:
    return type(fact) in TICKETS and getattr(fact, "field", "resolution_ms") == "resolution_ms"


@given(st.data())
def test_a_ticket_says_what_the_dumb_computation_says(data: st.DataObject) -> None:
    events = data.draw(tickets())
    said = [(f, n) for f, n in net(said_of(data.draw(told_again(events)))) if of_tickets(f)]
    expected = Counter((type(f), f) for f in (facts_of_ticket(events, TERMS) if events else ()))
    assert Counter({(type(f), f): n for f, n in said}) == expected


@given(tickets())
def test_created_is_solved_and_open_and_given_up(events: list[ev.ContactEvent]) -> None:
    course = fold(events, TERMS)
    amounts = total(summed(course.said, terms=TERMS), ("channel", course.about.channel))
    backlog = sum(level[0] == "backlog" for level in course.levels())
    if course.about.channel == "voice":
        assert backlog == 0
        return
    count = {name: amounts.get(name, 0) for name in (
        "tickets_created", "tickets_reopened", "tickets_solved", "tickets_lost",
        "tickets_ended_unanswered", "cohort_tickets_solved", "cohort_tickets_given_up",
    )}  # fmt: skip
    given_up = count["tickets_lost"] + count["tickets_ended_unanswered"]
    came = count["tickets_created"] + count["tickets_reopened"]
    assert came == count["tickets_solved"] + given_up + backlog
    never_open = count["tickets_created"] - count["cohort_tickets_solved"]
    assert never_open - count["cohort_tickets_given_up"] in (0, backlog)


@given(tickets())
def test_the_time_until_solved_is_spent_in_some_status(events: list[ev.ContactEvent]) -> None:
    """Nothing is lost between the statuses, on the calendar or in open time."""
    for fact, sign in net(fold(events, TERMS).said):
        if isinstance(fact, ticket_facts.TicketResolved) and fact.requester_wait_ms is not None:
            assert sign == 1
            assert fact.resolution_ms is not None
            assert fact.agent_wait_ms is not None
            assert fact.on_hold_ms is not None
            assert 0 <= fact.on_hold_ms <= fact.requester_wait_ms
            waits = fact.requester_wait_ms + fact.agent_wait_ms
            assert waits <= fact.resolution_ms
            if _always_waiting(events):
                assert waits == fact.resolution_ms


def _always_waiting(events: list[ev.ContactEvent]) -> bool:
    statuses = [e.status for e in events if isinstance(e, ev.StatusChanged)]
    done = [status in ("solved", "closed") for status in statuses]
    return "snoozed" not in statuses and done == sorted(done)
