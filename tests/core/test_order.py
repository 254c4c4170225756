"""The place of what is written among events of one millisecond."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from streams.core import events as ev
from streams.core.order import rank
from tests.builders import story

Told = tuple[type[ev.ContactEvent], dict[str, Any]]
START: Told = (ev.ContactStarted, {})
QUEUED: Told = (ev.Queued, {"queue": "PS"})
ASSIGNED: Told = (ev.Assigned, {"queue": "PS", "team": "A"})
ASKS: Told = (ev.Message, {"author": "customer"})
BOT: Told = (ev.Message, {"author": "bot"})
HANDED: Told = (ev.BotHandedOff, {})
ANSWERS: Told = (ev.Message, {"author": "agent"})
SOLVED: Told = (ev.StatusChanged, {"status": "solved"})
ENDED: Told = (ev.Ended, {})
LOST: Told = (ev.Lost, {"reason": "silence"})


@pytest.mark.parametrize(
    "course",
    [
        (START, ASSIGNED, ASKS, ANSWERS),  # the team is known when it answers
        (QUEUED, ASSIGNED, ASKS),
        (ASKS, BOT, HANDED, ANSWERS),
        (ANSWERS, SOLVED, ENDED, LOST),  # answered and solved at once: it was answered
    ],
)
def test_the_usual_course_of_a_conversation(course: tuple[Told, ...]) -> None:
    for order in permutations(course):
        told = story(channel="email")
        for cls, fields in order:
            told.tell(cls, 0, **fields)
        found = sorted(told.events, key=rank)
        assert [(type(e), getattr(e, "author", None)) for e in found] == [
            (cls, fields.get("author")) for cls, fields in course
        ]
