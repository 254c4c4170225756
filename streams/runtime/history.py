"""Whether the settings say of the past what they said when it was processed.

A worker compares its terms and measures with those that the last one left in a topic of one record,
before it absorbs anything.  ``streams.core.meaning`` says why.  Nothing is compared as long as
nothing was committed: then everything is read again anyway.
"""

from __future__ import annotations

import logging
import time

import msgspec

from streams.core.meaning import Meaning, changes, meaning_of
from streams.errors import StateError
from streams.kafka.connect import client_options
from streams.kafka.consume import read_all
from streams.kafka.groups import committed
from streams.kpis import ALL_MEASURES
from streams.settings import Settings

log = logging.getLogger("streams")
KEY = b"meaning"
SHOWN_MAX = 10
_decode = msgspec.json.Decoder(Meaning).decode
_encode = msgspec.json.Encoder().encode


def check_history(settings: Settings) -> None:
    """Note what the settings mean; StateError if they mean something else of what was processed
    (``processing.changed_history``: or a warning)."""
    now = meaning_of(settings.terms(), settings.queues, ALL_MEASURES)
    before = _noted(settings)
    if before == now:
        return
    if before is not None and committed(settings.kafka, settings.kafka.group):
        until_ms = time.time_ns() // 1_000_000 + settings.processing.skew_ms
        _judge(settings, list(changes(before, now, until_ms)))
    _note(settings, now)


def _judge(settings: Settings, found: list[str]) -> None:
    if not found:
        return
    shown = "\n".join(f"- {change}" for change in found[:SHOWN_MAX])
    if settings.processing.changed_history == "stop":
        raise StateError(
            "the settings say something else about the time that has been processed",
            f"{shown}\ncorrections of that time would take away what was never added",
            'give the change its date, [[queues."NAME".since]]; or compute all again: '
            "contact-streams replay --recompute; "
            "or set processing.changed_history = accept to live with it",
        )
    log.warning("history is changed, and corrections of it will be off:\n%s", shown)


def _topic(settings: Settings) -> str:
    return f"{settings.kafka.group}-meaning"


def _noted(settings: Settings) -> Meaning | None:
    kafka = settings.kafka
    records = read_all(kafka.bootstrap, [_topic(settings)], client=kafka.client_options())
    values = [record.value for record in records if record.key == KEY and record.value]
    return _decode(values[-1]) if values else None


def _note(settings: Settings, meaning: Meaning) -> None:
    from kafka import KafkaProducer

    kafka = settings.kafka
    producer = KafkaProducer(**client_options(kafka.bootstrap, kafka.client_options()))
    try:
        producer.send(_topic(settings), _encode(meaning), KEY).get(30)
    finally:
        producer.close()
