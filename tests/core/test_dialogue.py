"""What is said of a conversation, by what happens in it."""

from __future__ import annotations

from typing import Any

import pytest

from streams.core import events as ev
from streams.core.course import Course
from streams.core.facts import Response, ResponseMissed, ValueRefused
from streams.core.levels import Open
from streams.core.order import fold
from streams.core.signed import net
from streams.core.terms import DAY_MS, HOUR_MS, MINUTE_MS, QueueTerms, Terms
from tests.builders import TERMS, Story, ms, story

M = 60


def told(channel: str = "email", **fields: Any) -> Story:
    return story(channel=channel, **fields)


def course_of(of: Story, terms: Terms = TERMS) -> Course:
    return fold(of.events, terms)


def responses(of: Story, terms: Terms = TERMS) -> dict[str, list[int | None]]:
    """The waits in seconds, by clock."""
    found: dict[str, list[int | None]] = {}
    for fact, _ in net(course_of(of, terms).said):
        if isinstance(fact, Response):
            wait = None if fact.wait_ms is None else fact.wait_ms // 1000
            found.setdefault(fact.clock, []).append(wait)
    return found


def missed(of: Story) -> list[str]:
    return [f.how for f, _ in net(course_of(of).said) if isinstance(f, ResponseMissed)]


def asks(of: Story, at: float, **fields: Any) -> Story:
    return of.tell(ev.Message, at, author="customer", **fields)


def answers(of: Story, at: float, **fields: Any) -> Story:
    return of.tell(ev.Message, at, author="agent", **fields)


def status(of: Story, at: float, status: str) -> Story:
    return of.tell(ev.StatusChanged, at, status=status)


def started(channel: str = "email", **fields: Any) -> Story:
    return told(channel).tell(ev.ContactStarted, 0, **fields)


def waits(of: Story) -> list[Open]:
    """What nobody has answered yet."""
    return [level for level in course_of(of).levels() if level[0] == "unanswered"]


@pytest.mark.parametrize(
    ("channel", "asked", "expected"),
    [
        ("email", None, 600),  # nothing but the start: it asks
        ("email", 0, 600),
        ("email", 60, 540),  # within a minute: what the mail began with
        ("email", 61, 600),  # later: a second mail, and the first one still waits
        ("chat", None, 600),  # the agent speaks first
        ("chat", 300, 300),  # the chat is open, the question comes later
    ],
)
def test_what_a_start_asks(channel: str, asked: float | None, expected: int) -> None:
    of = started(channel)
    if asked is not None:
        asks(of, asked)
    assert responses(answers(of, 600))["first"] == [expected]


@pytest.mark.parametrize(
    ("channel", "count"), [("email", 1), ("ticket", 1), ("chat", 0), ("voice", 0)]
)
def test_a_start_waits_where_something_was_written(channel: str, count: int) -> None:
    of = started(channel)
    assert len(waits(of)) == count
    assert len(missed(of.tell(ev.Ended, 60))) == count


def test_who_takes_contacts_without_messages_may_have_answered() -> None:
    of = started().queued(0).answered(10)
    assert waits(of) == []
    assert missed(of.handled(60).tell(ev.Ended, 60)) == []
    assert responses(answers(started().answered(10), 30))["first"] == [30]
    assert responses(answers(asks(started().answered(10), 300), 330))["first"] == [30]


@pytest.mark.parametrize("fields", [{"public": False}, {"automatic": True}, {"author": "system"}])
def test_what_is_no_answer(fields: dict[str, Any]) -> None:
    of = asks(told(), 0).tell(ev.Message, 5, **{"author": "agent", **fields})
    assert responses(of) == {}
    assert responses(answers(of, 9))["first"] == [9]


@pytest.mark.parametrize("fields", [{"public": False}, {"automatic": True}])
def test_what_is_no_question(fields: dict[str, Any]) -> None:
    of = told().tell(ev.Message, 0, author="customer", **fields)
    assert waits(of) == []
    assert responses(answers(of, 600)).get("first") is None


def test_an_automatic_mail_does_not_ask_by_its_start() -> None:
    of = asks(started(), 1, automatic=True)
    assert waits(of) == []
    assert missed(of.tell(ev.Ended, 60)) == []


def test_a_start_that_is_told_after_the_answer_asks_nothing() -> None:
    of = answers(asks(told(), 0), 10).tell(ev.ContactStarted, 20)
    assert waits(of) == []


def test_every_turn_counts_from_its_first_message() -> None:
    of = answers(asks(asks(answers(asks(told(), 0), 10), 20), 30), 50)
    found = responses(answers(of, 60))
    assert (found["first"], found["turn"]) == ([10], [30])


@pytest.mark.parametrize("first", ["status", "message"])
def test_a_reopened_contact_is_timed_from_the_reopening(first: str) -> None:
    """Whichever comes first."""
    of = status(answers(asks(told(), 0), 60), 120, "solved")
    if first == "status":
        asks(status(of, 5 * M, "open"), 6 * M)
    else:
        status(asks(of, 5 * M), 6 * M, "open")
    found = responses(answers(of, 15 * M))
    assert (found["first"], found["reopened"]) == ([60], [600])


def test_solved_again_without_an_answer_is_a_word_of_thanks() -> None:
    of = status(asks(status(answers(asks(told(), 0), 60), 120, "solved"), 180), 240, "closed")
    assert missed(of) == ["needless"]


def test_reopened_and_never_heard_again_is_missed() -> None:
    of = asks(status(answers(asks(told(), 0), 60), 120, "solved"), 180)
    assert missed(of.tell(ev.Lost, 9_000, reason="silence")) == ["unanswered"]


@pytest.mark.parametrize("end", [ev.Ended, ev.Lost])
def test_an_answer_after_the_end_takes_the_miss_back(end: type[ev.ContactEvent]) -> None:
    of = asks(told(), 0).tell(end, 60, **({"reason": "silence"} if end is ev.Lost else {}))
    assert missed(of) == ["unanswered"]
    assert responses(answers(of, 90))["first"] == [90]
    assert missed(of) == []


def test_who_was_taken_for_lost_has_waited_all_the_time() -> None:
    of = asks(asks(told(), 0).tell(ev.Lost, 60, reason="silence"), 100)
    assert [since for *_, since, _ in waits(of)] == [ms(0)]
    assert responses(answers(of, 130)) == {"creation": [130], "first": [130], "hand_off": [130]}


def test_what_a_chat_asks_after_it_was_taken_for_lost_still_waits() -> None:
    of = asks(started("chat").queued(1).tell(ev.Lost, 60, reason="silence"), 100)
    assert len(waits(of)) == 1


def test_a_miss_stays_one_when_the_contact_is_reopened_and_answered() -> None:
    of = answers(asks(status(asks(told(), 0), 60, "solved"), 120), 130)
    assert missed(of) == ["unanswered"]
    assert responses(of)["reopened"] == [10]


def test_who_was_lost_and_is_solved_is_over() -> None:
    of = status(asks(told(), 0).tell(ev.Lost, 60, reason="silence"), 90, "solved")
    assert responses(answers(asks(of, 100), 130))["reopened"] == [30]


def test_a_bot_that_hands_over_after_an_answer_asks_nothing() -> None:
    of = answers(answers(asks(told("chat"), 0), 10).tell(ev.BotHandedOff, 20), 30)
    assert "turn" not in responses(of)


@pytest.mark.parametrize(
    ("handed", "how"), [(None, "bot"), (15, "unanswered")], ids=["kept", "handed over"]
)
def test_what_a_bot_answers_is_its_own(handed: float | None, how: str) -> None:
    of = asks(told("chat"), 0).tell(ev.Message, 5, author="bot").tell(ev.Message, 9, author="bot")
    if handed is not None:
        of.tell(ev.BotHandedOff, handed)
    assert responses(of) == {"bot": [5]}
    assert missed(of.tell(ev.Ended, 60)) == [how]


def test_the_clock_of_the_hand_off_is_that_of_the_last_one() -> None:
    of = asks(started("chat"), 10).tell(ev.BotHandedOff, 60).tell(ev.BotHandedOff, 90)
    found = responses(answers(asks(answers(of, 100), 200), 230))
    assert (found["first"], found["hand_off"], found["turn"]) == ([90], [10], [30])
    assert responses(answers(asks(started("chat"), 10), 100))["hand_off"] == [100]


def test_who_is_handed_over_waits_even_if_nothing_was_written() -> None:
    of = started("chat").tell(ev.BotHandedOff, 60)
    assert len(waits(of)) == 1
    assert responses(answers(told("chat").tell(ev.BotHandedOff, 60), 70))["first"] == [10]


@pytest.mark.parametrize(
    ("direction", "first", "expected"),
    [
        ("outbound", 0, 3_600),  # ours: the second comment counts
        ("outbound", 61, 61),  # begun with a note: the first public one
        ("inbound", 0, 0),
        (None, 20, 20),  # the customer wrote first
    ],
)
def test_the_clock_of_the_creation(direction: str | None, first: float, expected: int) -> None:
    of = started("ticket", direction=direction) if direction else asks(told("ticket"), 0)
    answers(answers(of, first), 3_600)
    assert responses(of)["creation"] == [expected]


def test_facts_have_the_queue_of_the_question_and_the_people_of_the_answer() -> None:
    of = asks(told(), 0).tell(ev.Assigned, 1, queue="A", team="T1", agent="Ann")
    of.tell(ev.Assigned, 5, queue="B", team="T2").tell(ev.Classified, 20, issue_type="fault")
    answers(of, 10, agent="Ben").tell(ev.Assigned, 15, team="T3")
    found = [f for f, _ in net(course_of(of).said) if isinstance(f, Response)]
    assert {(f.queue, f.team, f.agent, f.issue_type) for f in found} == {
        ("A", "T2", "Ben", "fault")
    }


def test_thresholds_are_inclusive() -> None:
    terms = Terms(QueueTerms(response_ms=MINUTE_MS))
    for wait, hit in ((60, True), (60.001, False)):
        of = answers(asks(told("chat"), 0), wait)
        first = next(f for f, _ in course_of(of, terms).said if isinstance(f, Response))
        assert (first.in_time, first.in_calendar_time) == (hit, hit)


@pytest.mark.parametrize(("days", "believed"), [(40, True), (40.01, False)])
def test_a_time_beyond_what_is_remembered_is_not_believed(days: float, believed: bool) -> None:
    terms = Terms(patience={"email": TERMS.patience["email"]._replace(horizon_ms=40 * DAY_MS)})
    of = answers(asks(told(), 0), days * DAY_MS / 1000)
    assert (responses(of, terms)["first"] == [None]) is not believed
    refused = [f for f, _ in course_of(of, terms).said if isinstance(f, ValueRefused)]
    assert len(refused) == (0 if believed else 3)


def test_the_level_says_until_when_an_answer_is_in_time() -> None:
    of = asks(told(), 0).tell(ev.Assigned, 1, queue="A")
    assert waits(of) == [("unanswered", "A", "email", ms(0), ms(0) + 4 * HOUR_MS)]
    assert waits(answers(of, 5)) == []
    assert waits(asks(of, 9)) == []  # a later turn is no first response


def test_a_long_conversation_is_told_in_time() -> None:
    """Each event says what is new, not all there is: 2,000 of them take well under a second."""
    of = told("chat")
    for n in range(1_000):
        answers(asks(of, 2 * n), 2 * n + 1)
    assert len(responses(of)["turn"]) == 999
    assert len(course_of(of).out) < 1_010
