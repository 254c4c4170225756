"""Sending, without a broker: where a letter goes, and when it must not go any more."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streams.dead_letters import sending
from streams.dead_letters.ledger import Ledger, Note, Sending
from streams.dead_letters.sending import (
    PAUSE_SECONDS_MAX,
    SETTLE_SECONDS,
    PostOffice,
    settle_seconds,
    told,
)
from streams.deployment import Deployment
from streams.errors import BrokerError, StateError
from streams.kafka.partition import partition_of
from tests.dead_letters.builders import RAW, a_letter, a_record


class Office(PostOffice):
    """Writes down what it would send; ``pause`` seconds go by behind the first note."""

    def __init__(self, pause: float = 0.0) -> None:
        self._deployment = Deployment("", "cc", "g", 4, 1, {}, ())
        self._plain: Any = type("Plain", (), {"send": staticmethod(self._take)})
        self.sent: dict[tuple[str, int], Any] = {}
        self.notes: list[Note] = []
        self.now = 0.0
        self._reach = lambda stage, step: self._pause(pause if step == "ahead" else 0)

    def _pause(self, seconds: float) -> None:
        self.now += seconds

    async def _ends_of(self, places: Any) -> list[tuple[str, int, int]]:
        return [(topic, partition, 7) for topic, partition in places]

    async def _note(self, ledger: Ledger, note: Note) -> None:
        self.notes.append(note)
        ledger.note(note)

    async def _take(self, topic: str, partition: int, rows: Any) -> list[Any]:
        self.sent[topic, partition] = rows
        return []


def posted(monkeypatch: pytest.MonkeyPatch, office: Office, *letters: Any) -> Ledger:
    monkeypatch.setattr(sending, "monotonic", lambda: office.now)
    ledger = Ledger()
    asyncio.run(office.send(ledger, letters))
    return ledger


def test_letters_go_where_they_stood(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office()
    gone = a_record(key=b"k", partition=9)
    letters = [a_letter(a_record(key=None, partition=3)), a_letter(gone)]
    ledger = posted(monkeypatch, office, *letters)
    assert set(office.sent) == {(RAW, 3), (RAW, partition_of(b"k", 4))}
    ((key, value, headers),) = office.sent[RAW, 3]
    assert (key, value, headers[0]) == (None, b"x", ("source", b"pbx"))
    assert ledger.replayed == {letter.replay for letter in letters}
    first, _ = office.notes
    assert isinstance(first, Sending)
    assert {(topic, partition) for topic, partition, _ in first.ends} == set(office.sent)


def test_who_stood_still_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(pause=PAUSE_SECONDS_MAX + 1)
    with pytest.raises(StateError, match="stood still"):
        posted(monkeypatch, office, a_letter())
    assert not office.sent
    assert len(office.notes) == 1


@pytest.mark.parametrize(
    ("noted_ms", "seconds"), [(10_000, 3.0), (9_000, 2.0), (1_000, 0.0), (99_000, 3.0)]
)
def test_a_batch_is_looked_for_when_nobody_sends_it_any_more(noted_ms: int, seconds: float) -> None:
    assert settle_seconds(noted_ms, 10_000) == seconds
    assert SETTLE_SECONDS > PAUSE_SECONDS_MAX


def test_a_second_replay_is_told_apart_from_a_broker_that_is_away() -> None:
    from aiokafka.errors import KafkaConnectionError, ProducerFenced

    deployment = Deployment("", "cc", "g", 4, 1, {}, ())
    assert isinstance(told(ProducerFenced(), deployment), StateError)
    assert isinstance(told(KafkaConnectionError(), deployment), BrokerError)
