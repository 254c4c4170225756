"""Tickets and escalations as tables: events in, what they add up to out."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from typing import Any

import pytest

from streams.core import events as ev
from streams.core.course import Course
from streams.core.facts import ArrivalEscalated, Escalated
from streams.core.opening import ALWAYS, Era, OpenHours, Opening
from streams.core.order import fold
from streams.core.signed import net
from streams.core.status_time import Spent, StatusTime
from streams.core.terms import Dated, QueueTerms, Terms
from streams.core.ticket_facts import TicketResolved, TicketSolved
from tests.builders import TERMS, Story, ms, story, summed, total


def ticket(channel: str = "email") -> Story:
    return story(channel=channel).tell(ev.ContactStarted, 0)


def statuses(told: Story, *rows: tuple[float, str]) -> Story:
    for at, status in rows:
        told.tell(ev.StatusChanged, at, status=status)
    return told


def counts(course: Course) -> tuple[int, ...]:
    """Created, solved, of them for the first time, reopened, given up, in the backlog."""
    amounts = total(summed(course.said), ("channel", course.about.channel))
    names = ("tickets_created", "tickets_solved", "tickets_solved_first", "tickets_reopened")
    given_up = amounts.get("tickets_lost", 0) + amounts.get("tickets_ended_unanswered", 0)
    backlog = sum(level[0] == "backlog" for level in course.levels())
    return *(amounts.get(name, 0) for name in names), given_up, backlog


def told(events: Story) -> tuple[int, ...]:
    return counts(fold(events.events, TERMS))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((), (1, 0, 0, 0, 0, 1)),
        (((10, "solved"),), (1, 1, 1, 0, 0, 0)),
        (((10, "closed"),), (1, 1, 1, 0, 0, 0)),
        (((10, "solved"), (20, "closed")), (1, 1, 1, 0, 0, 0)),
        (((10, "closed"), (20, "solved")), (1, 1, 1, 0, 0, 0)),
        (((10, "solved"), (20, "solved")), (1, 1, 1, 0, 0, 0)),
        (((10, "open"), (20, "pending"), (30, "open")), (1, 0, 0, 0, 0, 1)),
        (((10, "solved"), (20, "open")), (1, 1, 1, 1, 0, 1)),
        (((10, "solved"), (20, "snoozed"), (30, "pending")), (1, 1, 1, 1, 0, 1)),
        (((10, "solved"), (20, "open"), (30, "closed")), (1, 2, 1, 1, 0, 0)),
        (((10, "closed"), (20, "new"), (30, "solved"), (40, "open")), (1, 2, 1, 2, 0, 1)),
    ],
)
def test_what_statuses_make_of_a_ticket(
    rows: tuple[tuple[float, str], ...], expected: tuple[int, ...]
) -> None:
    assert told(statuses(ticket(), *rows)) == expected


def test_a_call_is_a_ticket_from_its_first_status_and_has_no_backlog() -> None:
    called = story().queued(0).answered(5).handled(60)
    assert told(called) == (0, 0, 0, 0, 0, 0)
    assert told(statuses(called, (70, "open"))) == (1, 0, 0, 0, 0, 0)
    assert told(statuses(called, (70, "open"), (90, "solved"))) == (1, 1, 1, 0, 0, 0)


def test_what_is_only_written_to_is_no_ticket() -> None:
    assert told(story(channel="email").tell(ev.Message, 0, author="customer")) == (0,) * 6


def test_lost_leaves_the_backlog_and_comes_back_when_heard_of() -> None:
    lost = ticket().tell(ev.Lost, 100, reason="silence")
    assert told(lost) == (1, 0, 0, 0, 1, 0)
    assert told(statuses(lost, (200, "open"))) == (1, 0, 0, 0, 0, 1)


def test_a_solved_ticket_is_not_lost() -> None:
    assert told(statuses(ticket(), (10, "solved")).tell(ev.Lost, 100, reason="silence")) == (
        (1, 1, 1, 0, 0, 0)
    )


def test_without_statuses_the_first_end_solves_what_was_answered() -> None:
    left = ticket("chat").tell(ev.Ended, 50)
    assert told(left) == (1, 0, 0, 0, 1, 0)
    answered = ticket("chat").tell(ev.Answered, 10, agent="Ann").tell(ev.Ended, 50)
    assert told(answered.tell(ev.Ended, 60)) == (1, 1, 1, 0, 0, 0)
    assert only(answered, TicketSolved).solved_ms == ms(50)


def test_a_status_takes_back_what_the_end_had_made_of_it() -> None:
    ended = ticket("chat").tell(ev.Answered, 10, agent="Ann").tell(ev.Ended, 50)
    assert told(statuses(ended, (70, "pending"))) == (1, 0, 0, 0, 0, 1)


def test_merged_counts_nowhere() -> None:
    assert told(statuses(ticket(), (10, "solved")).tell(ev.Merged, 20, into="c2")) == (0,) * 6


@pytest.mark.parametrize(
    ("before", "at_once", "solved_and_reopened"),
    [
        ("new", ("open", "solved"), (1, 0)),
        ("open", ("open", "solved"), (1, 1)),
        ("pending", ("open", "solved"), (1, 0)),
        ("solved", ("open", "solved"), (2, 1)),
        ("solved", ("closed", "solved"), (1, 0)),
    ],
)
def test_statuses_of_one_millisecond_come_where_they_change_something(
    before: str, at_once: tuple[str, ...], solved_and_reopened: tuple[int, int]
) -> None:
    events = statuses(ticket(), (5, before), *((10, status) for status in at_once)).events
    for again in permutations(events):
        found = counts(fold(again, TERMS))
        assert (found[1], found[3]) == solved_and_reopened


def test_of_one_millisecond_the_assignment_and_the_message_come_before_the_status() -> None:
    at_once = (
        ticket()
        .tell(ev.StatusChanged, 10, status="solved", id="a")
        .tell(ev.Message, 10, author="agent", agent="Ann", id="b")
        .tell(ev.Assigned, 10, queue="Help", agent="Ann", id="c")
        .tell(ev.Escalated, 10, to_tier="2", id="d")
    )
    for again in permutations(at_once.events):
        course = fold(again, TERMS)
        solved = next(f for f, _ in net(course.said) if isinstance(f, TicketSolved))
        assert (solved.queue, solved.agent) == ("Help", "Ann")
        escalated = next(f for f, _ in net(course.said) if isinstance(f, Escalated))
        assert escalated.queue == "none"


def only(said: Story, kind: type) -> Any:
    found = [f for f, sign in net(fold(said.events, TERMS).said) if type(f) is kind and sign == 1]
    assert len(found) == 1
    return found[0]


def test_a_reopened_ticket_has_no_full_resolution_until_it_is_solved_again() -> None:
    open_again = statuses(ticket(), (10, "solved"), (20, "open"))
    assert not [f for f, _ in net(fold(open_again.events, TERMS).said) if type(f) is TicketResolved]
    assert only(statuses(open_again, (50, "solved")), TicketResolved).resolution_ms == 50_000


NEVER = Opening("UTC", (Era(date(2050, 1, 1), ((OpenHours(0, 60),),) * 7),))


def test_open_time_is_by_the_calendar_of_the_queue_that_solved_it_as_in_force_then() -> None:
    shut = [Dated(0, QueueTerms(opening=NEVER)), Dated(ms(100), QueueTerms())]
    terms = Terms(QueueTerms(), {"Help": shut})
    moved = statuses(ticket().tell(ev.Assigned, 0, queue="Help"), (10, "solved"), (20, "open"))
    moved.tell(ev.Assigned, 25, queue="PS")
    course = Course(terms)
    found = []
    for event in statuses(moved, (40, "solved"), (60, "open")).events:
        course.apply(event)
        found += [
            (f.resolution_business_ms, f.requester_wait_business_ms)
            for f, sign in net(course.said)
            if isinstance(f, TicketResolved) and sign > 0
        ]
    # Solved in Help, which was shut; then in PS, whose calendar is that of all the time before.
    assert found == [(0, 0), (40_000, 30_000)]
    late = statuses(ticket().tell(ev.Assigned, 0, queue="Help"), (110, "solved"))
    solved = [f for f, _ in net(fold(late.events, terms).said) if isinstance(f, TicketSolved)]
    assert [f.resolution_business_ms for f in solved] == [110_000]


def test_time_by_status() -> None:
    spent = StatusTime()
    for at, status in ((10, "open"), (10, "open"), (25, "pending"), (30, "solved"), (50, "open")):
        spent.enter(status, ms(at))
    assert spent.spent(ms(0), ALWAYS) == {
        "new": Spent(10_000, 10_000),
        "open": Spent(15_000, 15_000),
        "pending": Spent(5_000, 5_000),
        "solved": Spent(20_000, 20_000),
    }
    spent.enter("closed", ms(60))
    assert spent.spent(ms(0), ALWAYS)["open"] == Spent(25_000, 25_000)
    assert spent.spent(ms(20), NEVER)["open"] == Spent(15_000, 0)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((("1", "2"),), [("1", "2")]),
        (((None, "2"),), [("unknown", "2")]),
        (((None, "2"), (None, "3")), [("unknown", "2"), ("2", "3")]),
        (((None, "2"), (None, "2")), [("unknown", "2")]),
        ((("2", "2"),), []),
        ((("1", "2"), ("1", "2")), [("1", "2"), ("1", "2")]),
    ],
)
def test_steps_to_a_tier(
    steps: tuple[tuple[str | None, str], ...], expected: list[tuple[str, str]]
) -> None:
    told_of = ticket()
    for at, (from_tier, to_tier) in enumerate(steps, 10):
        told_of.tell(ev.Escalated, at, from_tier=from_tier, to_tier=to_tier)
    said = fold(told_of.events, TERMS).said
    found = [(f.from_tier, f.to_tier) for f, _ in net(said) if isinstance(f, Escalated)]
    assert found == expected
    assert sum(isinstance(f, ArrivalEscalated) for f, _ in net(said)) == bool(expected)
