"""What becomes of letters today, and which are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streams import codec
from streams.core import events as ev
from streams.core.source import Decoded, PartlyRejected, Record, Rejected, Source
from streams.core.terms import DAY_MS, HOUR_MS
from streams.dead_letters.choosing import Wanted
from streams.dead_letters.counting import Counts
from streams.dead_letters.judging import RECORD_BYTES_MAX, Rules, Word, judge
from streams.dead_letters.letter import Letter
from streams.dead_letters.reading import rules_of
from streams.settings import load
from tests.dead_letters.builders import RAW, WRITTEN_MS, a_letter, a_record

SETTINGS = load({}, flags={}, folder=Path("/nowhere"))
RULES = rules_of(SETTINGS)
CONTACTS, AGENTS = "cc.events.contact.v1", "cc.events.agent.v1"
AT = (WRITTEN_MS - 5_000) // 1000


def line(verb: str = "ABANDON", at: int = AT) -> bytes:
    return f"{at}|c|PS|NONE|{verb}|1|1|9".encode()


def event(kind: type[Any] = ev.ContactStarted, after_ms: int = 0, **others: Any) -> bytes:
    who = {"agent": "a"} if issubclass(kind, ev.AgentEvent) else {"contact": "c"}
    time = WRITTEN_MS - 1_000 + after_ms
    return codec.encode(kind(id="i", source="s", time=time, **{**who, **others}))


def canonical(value: bytes, topic: str = CONTACTS, stage: str = "contacts") -> Letter:
    return a_letter(a_record(value, topic=topic), "time.in_future", stage)


def scheduled(end: int) -> bytes:
    return event(ev.AgentScheduled, start=WRITTEN_MS, end=end, activity="productive")


SKEW = SETTINGS.processing.skew_ms
BACK = a_letter(a_record(line())).sent_back()


def back(attempts: int) -> Letter:
    """A letter about a record that was sent back so often."""
    record = a_record(line())
    for _ in range(attempts):
        record = a_letter(record).sent_back()
    return a_letter(record)


@pytest.mark.parametrize(
    ("letter", "word", "reason"),
    [
        (a_letter(a_record(line())), "passes", ""),
        (a_letter(a_record(line("NEW"))), "refused", "verb.unknown"),
        (a_letter(a_record(None)), "refused", "value.null"),
        (a_letter(a_record(b"")), "passes", ""),
        (a_letter(a_record(line(at=AT + 3_600))), "refused", "time.in_future"),
        (a_letter(a_record(line()), "contact.events_max"), "refused", "contact.events_max"),
        (a_letter(a_record(line()), "no.longer_known"), "passes", ""),
        (a_letter(a_record(line(), topic="cc.raw.zendesk.v1")), "unread", ""),
        (a_letter(a_record(line(), topic="other.events.contact.v1")), "unread", ""),
        (a_letter(a_record(b"x" * RECORD_BYTES_MAX)), "too_large", ""),
        (back(2), "passes", ""),
        (back(3), "looped", ""),
        (a_letter(a_record(topic="cc.partials.v1"), "window.dropped", "board"), "never", ""),
        (a_letter(a_record(topic="cc.r"), "schema.invalid", "customers"), "never", ""),
        (canonical(event()), "passes", ""),
        (canonical(b"{}"), "refused", "event.type_unknown"),
        (canonical(event(after_ms=SKEW)), "passes", ""),
        (canonical(event(after_ms=SKEW + 1)), "refused", "time.in_future"),
        (canonical(codec.encode(ev.Tick(time=1))), "never", ""),
        (canonical(event(ev.LoggedIn), AGENTS, "staff"), "passes", ""),
        (canonical(event(ev.LoggedIn)), "refused", "event.type_unknown"),
        (canonical(scheduled(WRITTEN_MS + 1), AGENTS, "staff"), "passes", ""),
        (canonical(scheduled(WRITTEN_MS), AGENTS, "staff"), "refused", "agent.schedule_span"),
    ],
)
def test_what_becomes_of_a_letter(letter: Letter, word: Word, reason: str) -> None:
    verdict = judge(letter, RULES, WRITTEN_MS)
    assert (verdict.word, verdict.reason) == (word, reason)


def test_a_record_dated_ahead_does_not_become_right_by_waiting() -> None:
    letter = canonical(event(after_ms=SKEW + 1))
    assert judge(letter, RULES, WRITTEN_MS + DAY_MS).word == "refused"
    record = letter.sent_back()._replace(timestamp=WRITTEN_MS + HOUR_MS)
    assert judge(a_letter(record, "x.y", "contacts"), RULES, WRITTEN_MS).word == "refused"
    larger = RULES._replace(skew_ms=2 * SKEW)
    assert judge(letter, larger, WRITTEN_MS).word == "passes"
    assert judge(letter, RULES._replace(skew_ms=0), WRITTEN_MS).word == "passes"


@pytest.mark.parametrize(
    ("letter", "after_ms", "word", "dropped", "forgotten"),
    [
        (canonical(event()), DAY_MS - 1_000, "passes", False, False),
        (canonical(event()), DAY_MS, "late", False, True),
        (canonical(event(channel="email")), 2 * DAY_MS, "passes", False, False),
        (canonical(event(channel="ticket")), 36 * DAY_MS, "late", True, False),
        (canonical(event(ev.LoggedIn), AGENTS), 5 * HOUR_MS, "passes", False, False),
        (canonical(event(ev.LoggedIn), AGENTS), 6 * HOUR_MS, "late", True, False),
        (a_letter(a_record(line()), used=2), HOUR_MS, "passes", False, False),
        (a_letter(a_record(line()), used=2), 2 * DAY_MS, "counted", False, True),
    ],
)
def test_what_comes_too_late(
    letter: Letter, after_ms: int, word: Word, dropped: bool, forgotten: bool
) -> None:
    now_ms = WRITTEN_MS + after_ms
    found = judge(letter, RULES, now_ms)
    assert (found.word, found.dropped, found.forgotten) == (word, dropped, forgotten)
    asked = judge(letter, RULES, now_ms, late=True)
    assert asked.word == ("counted" if word == "counted" else "passes")


def test_without_a_bound_nothing_is_dropped() -> None:
    rules = RULES._replace(keep_ms=0)
    letter = canonical(event())
    assert not judge(letter, rules, WRITTEN_MS + 999 * DAY_MS).dropped


def test_what_still_passes_in_part_only_is_refused() -> None:
    """It would become a letter again."""

    def partly(record: Record, pseudonym: object) -> Decoded:
        return PartlyRejected([], [Rejected("queue.missing", "b")])

    rules: Rules = RULES._replace(sources={RAW: Source("s", "s", partly, "")})
    assert judge(a_letter(), rules, WRITTEN_MS).reason == "queue.missing"


def test_a_platform_is_read_only_where_it_is_switched_on() -> None:
    ingest = replace(SETTINGS.ingest, sources=("zendesk",))
    rules = rules_of(replace(SETTINGS, ingest=ingest))
    assert judge(a_letter(a_record(line())), rules, WRITTEN_MS).word == "unread"


# -- choosing and counting

LETTERS = (
    a_letter(reason="time.malformed", at_ms=100),
    a_letter(reason="time.in_future", stage="contacts", at_ms=200),
    a_letter(a_record(topic="cc.partials.v1"), "window.dropped", "board", at_ms=300),
)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), [0, 1, 2]),
        (Wanted(reasons=["time.malformed", "window.dropped"]), [0, 2]),
        (Wanted(reasons=["time.*"]), [0, 1]),
        (Wanted(reasons=["time"]), []),
        (Wanted(stages=["board", "contacts"]), [1, 2]),
        (Wanted(topics=[RAW]), [0, 1]),
        (Wanted(since_ms=200), [1, 2]),
        (Wanted(until_ms=200), [0]),
        (Wanted(since_ms=101, until_ms=300, stages=["contacts"]), [1]),
    ],
)
def test_which_are_chosen(wanted: Wanted, found: Sequence[int]) -> None:
    assert [n for n, letter in enumerate(LETTERS) if wanted.has(letter)] == list(found)


def test_they_are_counted_by_reason_stage_and_topic() -> None:
    counts = Counts()
    for letter, replayed in ((LETTERS[1], True), (LETTERS[0], False), (LETTERS[0], True)):
        counts.add(letter, replayed)
    counts.add(a_letter(reason="time.malformed", at_ms=50), False)
    (kind, most), (_, other) = counts.rows()
    assert kind == ("time.malformed", "ingest", RAW)
    assert (most.letters, most.replayed, most.first_ms, most.last_ms) == (3, 1, 50, 100)
    assert (other.letters, other.replayed) == (1, 1)
