"""What is said of a conversation is what an oracle finds that looks back from each answer."""

from __future__ import annotations

from collections import Counter
from datetime import date

from hypothesis import given, settings

from streams.core import events as ev
from streams.core.facts import Response, ResponseMissed, ValueRefused
from streams.core.opening import Era, OpenHours, Opening
from streams.core.order import fold
from streams.core.signed import net
from streams.core.terms import Dated, QueueTerms, Terms
from tests.core.strategies import written
from tests.oracle import response

OFFICE = Opening("Europe/Berlin", (Era(date.min, ((OpenHours(540, 1_020),),) * 7),))
TERMS = Terms(queues={"PS": [Dated(0, QueueTerms(opening=OFFICE, response_ms=3_600_000))]})
CLOCKS = ("first", "reopened", "turn", "hand_off", "creation", "bot")
REFUSED = frozenset(f"{clock}_wait_ms" for clock in CLOCKS)


def said(events: list[ev.ContactEvent]) -> Counter[object]:
    found: Counter[object] = Counter()
    for fact, count in net(fold(events, TERMS).said):
        refused = isinstance(fact, ValueRefused) and fact.field in REFUSED
        if refused or isinstance(fact, Response | ResponseMissed):
            found[type(fact), fact] = count
    return found


@settings(max_examples=max(400, settings().max_examples))
@given(written())
def test_facts_are_those_that_looking_back_finds(events: list[ev.ContactEvent]) -> None:
    expected: Counter[object] = Counter(
        (type(fact), fact) for fact in response.facts(events, TERMS)
    )
    assert said(events) == expected
