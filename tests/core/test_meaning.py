"""Which changes of settings and measures say something else about the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import msgspec
import pytest

from streams.core.facts import VisitLeft
from streams.core.meaning import Meaning, changes, meaning_of
from streams.core.measure import Is, Measure, Within
from streams.core.opening import Era, OpenHours, Opening
from streams.core.terms import Dated, QueueTerms, Terms
from streams.kpis import ALL_MEASURES

NOW = 1_000_000
USUAL = QueueTerms(20_000, 5_000)
STRICT = QueueTerms(10_000, 5_000)
LEFT = Measure("left", VisitLeft, "left_ms", "visits", where=(Is("outcome", "key"),))
Rows = Sequence[tuple[int, QueueTerms]]


def meaning(
    rows: Rows = (), default: QueueTerms = USUAL, measures: tuple[Measure, ...] = (LEFT,),
    **others: int,
) -> Meaning:  # fmt: skip
    queues = {"PS": [Dated(*row) for row in rows]} if rows else {}
    terms = Terms(default, queues, **others)  # type: ignore[arg-type]
    return meaning_of(terms, queues, measures)


def told(old: Meaning, new: Meaning) -> list[str]:
    return list(changes(old, new, NOW))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([], [(0, USUAL)]),
        ([(0, USUAL)], []),
        ([(0, USUAL)], [(0, USUAL), (NOW, STRICT)]),
        ([(0, USUAL), (NOW + 5, STRICT)], [(0, USUAL)]),
        ([(0, USUAL), (500, STRICT)], [(0, USUAL), (500, STRICT), (700, STRICT)]),
    ],
    ids=["named", "not named", "from now on", "taken back in time", "said twice"],
)
def test_what_begins_later_or_says_the_same_is_no_change(old: Rows, new: Rows) -> None:
    assert told(meaning(old), meaning(new)) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ([], [(0, STRICT)], "queue PS: threshold_ms was 20000, is 10000"),
        ([(0, USUAL)], [(0, USUAL), (NOW - 1, STRICT)],
         "queue PS, since 999999: threshold_ms was 20000, is 10000"),
        ([(0, USUAL), (500, STRICT)], [(0, USUAL), (600, STRICT)],
         "queue PS, since 500: threshold_ms was 10000, is 20000"),
        ([(0, USUAL)], [(0, USUAL._replace(zone="Asia/Tokyo"))],
         "queue PS: zone was 'UTC', is 'Asia/Tokyo'"),
    ],
)  # fmt: skip
def test_a_change_for_the_past_is_told(old: Rows, new: Rows, said: str) -> None:
    assert told(meaning(old), meaning(new)) == [said]


def test_the_default_and_terms_without_a_queue_have_no_date() -> None:
    assert told(meaning(), meaning(default=STRICT)) == [
        "queues that are not named: threshold_ms was 20000, is 10000"
    ]
    assert told(meaning(), meaning(duration_max_ms=7)) == ["duration_max_ms was 604800000, is 7"]
    assert told(meaning(), meaning(agents_named=True)) == ["agents_named was False, is True"]
    assert told(meaning(), meaning(grace_ms=7)) == []


def test_a_measure_may_be_new_gone_or_told_in_other_words_but_not_another_one() -> None:
    words = LEFT._replace(help="other words")
    more = LEFT._replace(where=(*LEFT.where, Within("wait_ms", "threshold_ms")))
    assert told(meaning(), meaning(measures=(words,))) == []
    assert told(meaning(), meaning(measures=())) == []
    assert told(meaning(measures=()), meaning()) == []
    assert told(meaning(), meaning(measures=(more,))) == ["measure left is defined otherwise"]


def test_a_new_kind_of_term_is_no_change() -> None:
    older = meaning([(0, USUAL)])
    del older.default["zone"], older.queues["PS"][0][1]["zone"]
    assert told(older, meaning([(0, USUAL)])) == []
    assert told(meaning([(0, USUAL)]), older) == []


HOURS = ((OpenHours(540, 1_020),),) * 7
OFFICE = Opening("Europe/Berlin", (Era(date.min, HOURS),))
DAY_2 = 2 * 86_400_000
"""1970-01-03, when it is the 3rd everywhere but in the far west."""


def opening(**changed: object) -> Meaning:
    return meaning([(0, USUAL._replace(opening=replace(OFFICE, **changed)))])  # type: ignore[arg-type]


def test_a_holiday_to_come_is_no_change_of_history_but_one_that_was_is() -> None:
    coming = opening(special_days=((date(1970, 1, 4), ()),))
    past = opening(special_days=((date(1970, 1, 3), ()),))
    assert list(changes(opening(), coming, DAY_2)) == []
    assert list(changes(coming, opening(), DAY_2)) == []
    (told,) = changes(opening(), past, DAY_2)
    assert told == "queue PS: opening on 1970-01-03 was not said, is ()"


def test_hours_change_from_their_date_on() -> None:
    def era(day: int) -> Meaning:
        return opening(eras=(*OFFICE.eras, Era(date(1970, 1, day), ((),) * 7)))

    assert list(changes(opening(), era(4), DAY_2)) == []
    assert len(list(changes(opening(), era(2), DAY_2))) == 1
    assert len(list(changes(opening(), opening(zone="Asia/Tokyo"), DAY_2))) == 1


def test_it_is_the_same_after_being_stored() -> None:
    full = meaning_of(Terms(USUAL), {"PS": [Dated(0, STRICT)]}, ALL_MEASURES)
    assert msgspec.json.decode(msgspec.json.encode(full), type=Meaning) == full
