"""Letters are read as they were written, and what is sent back is told for what it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.source import PartlyRejected, Record, Rejected
from streams.dead_letters.letter import letter_of, replay_name
from streams.runtime.fetching import Fetched
from streams.sources import SOURCES
from streams.stages import dead_letter as names
from streams.stages.dead_letter import as_first_told, dead_letter, origin_of
from streams.stages.ingest import decode
from tests.dead_letters.builders import RAW, a_letter, a_record, stands
from tests.sources.test_examples import CUSTOMER, PAYLOADS, records

OURS = [value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)]
_NUMBER = st.integers(0, 2**53)
_BYTES = st.none() | st.binary(max_size=40)
_HEADER = st.tuples(st.sampled_from([*OURS, "source", ""]), st.none() | st.binary(max_size=12))
_RECORDS = st.builds(
    Record,
    st.sampled_from((RAW, "cc.events.contact.v1")), st.integers(0, 511), _NUMBER, _NUMBER,
    _BYTES, _BYTES, st.lists(_HEADER, max_size=12),
)  # fmt: skip
_WORDS = st.text(max_size=600)


@given(_RECORDS, st.text(max_size=20), _WORDS, st.sampled_from(("ingest", "board")), _NUMBER)
def test_a_letter_is_read_as_it_was_written(
    record: Record, reason: str, detail: str, stage: str, used: int
) -> None:
    """Whatever the record's own headers are, also when they look like ours."""
    written = dead_letter(record, Rejected(reason, detail), stage, used)
    letter = letter_of(stands(written, offset=5, at_ms=9))
    assert letter is not None
    assert letter.record == record._replace(headers=tuple(record.headers))
    assert (letter.offset, letter.refused_ms) == (5, 9)
    assert (letter.reason, letter.stage, letter.used) == (reason, stage, used)
    assert detail.startswith(letter.message.rstrip("\ufffd"))


@given(_RECORDS, st.integers(0, 7))
def test_what_is_sent_back_is_as_it_was_and_says_where_it_was(record: Record, rounds: int) -> None:
    """Through any number of refusals it stays the record it was at first."""
    first = origin_of(record.headers)
    told = as_first_told(record)
    for offset in range(rounds):
        back = a_letter(record).sent_back()
        assert (back.key, back.value) == (record.key, record.value)
        own = [h for h in record.headers if h[0] not in names.REPLAY_HEADERS]
        assert back.headers == [*own, *back.headers[-3:]]
        record = back._replace(topic="elsewhere", partition=9, offset=offset, timestamp=1)
    assert as_first_told(record)[:4] == told[:4]
    if rounds:
        origin = origin_of(record.headers)
        assert origin is not None
        assert origin.attempts == rounds + (first.attempts if first else 0)


def test_records_as_a_worker_fetches_them_are_understood() -> None:
    back = a_letter().sent_back()
    fetched: Any = Fetched("raw", 0, 99, 5, back.key, back.value, list(back.headers))
    assert as_first_told(fetched)[:4] == a_record()[:4]


def test_a_header_without_a_value_is_none_when_it_is_sent_back() -> None:
    """Kafka allows it, and nobody is to fall over it."""
    letter = a_letter(a_record(headers=[("trace", None)]))
    assert letter.sent_back().headers[0] == ("trace", None)
    assert letter.bytes == a_letter(a_record(headers=[("trace", b"")])).bytes


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_sent_back_a_record_means_what_it_meant(payload: Any) -> None:
    """Every platform: ids and times are those it had, though it stands elsewhere now."""
    source = SOURCES[payload.parent.name]
    for record in records(payload):
        before = decode(source, record, CUSTOMER)
        back = a_letter(record).sent_back()._replace(partition=1, offset=4_711, timestamp=77)
        after = decode(source, back, CUSTOMER)
        assert after == before
        if isinstance(before, PartlyRejected):
            assert before.events


def test_a_platform_without_ids_and_times_gets_both_from_where_the_record_first_stood() -> None:
    ami = SOURCES["asterisk_ami"]
    joined = b"Event: QueueCallerJoin\r\nUniqueid: 1.1\r\nQueue: sales\r\n\r\n"
    record = Record("raw", 0, 3, 7_000, None, joined)
    elsewhere = record._replace(offset=4, timestamp=8_000)
    assert decode(ami, elsewhere, CUSTOMER) != decode(ami, record, CUSTOMER)
    back = a_letter(record).sent_back()._replace(offset=4, timestamp=8_000)
    assert decode(ami, back, CUSTOMER) == decode(ami, record, CUSTOMER)


def test_the_replay_of_a_letter_is_known_by_the_record_it_sends() -> None:
    letter = a_letter()
    again = a_letter(letter.sent_back()._replace(offset=4_711))
    for one in (letter, again):
        origin = origin_of(one.sent_back().headers)
        assert origin is not None
        assert replay_name(origin) == one.replay
    assert letter.replay != again.replay
    recreated = a_letter(a_record(timestamp=1))
    assert recreated.id == letter.id
    assert recreated.replay != letter.replay


_LETTER = dict(dead_letter(a_record(), Rejected("a.b"), "ingest").headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"cc_dlq_reason": b"a.b"},
        {**_LETTER, "cc_dlq_offset": b"-1"},
        {**_LETTER, "cc_dlq_partition": b""},
        {**_LETTER, "cc_dlq_topic": b"\xff"},
        {**_LETTER, "cc_dlq_used": b"9" * 19},
        {**_LETTER, "cc_dlq_topic": None},
        {**_LETTER, "cc_dlq_reason": None},
    ],
)
def test_what_we_have_not_written_is_no_letter(headers: dict[str, bytes | None]) -> None:
    assert letter_of(a_record(headers=list(headers.items()))) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"cc_replayed_from": b"raw/1"},
        {"cc_replayed_from": b"raw/1/x"},
        {"cc_replayed_from": b"\xff/1/1"},
        {"cc_replayed_from": None},
        {"cc_replay_attempts": None},
        {"cc_replay_attempts": b"-1"},
        {"cc_replayed_appended_at": b"1e3"},
    ],
)
def test_a_record_that_only_looks_sent_back_is_itself(changed: dict[str, bytes | None]) -> None:
    headers = dict(a_letter().sent_back().headers) | changed
    record = a_record(headers=list(headers.items()))
    assert as_first_told(record) is record
