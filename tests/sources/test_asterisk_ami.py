"""The rules of the AMI adapter that hold beyond the examples."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.codec import encode
from streams.core.events import LeftQueue, Queued, Transferred
from streams.core.pseudonym import Pseudonymizer
from streams.core.source import Event, Record, Rejected
from streams.sources._reading.header_block import HEADERS_MAX, RECORD_BYTES_MAX
from streams.sources.asterisk_ami import EVENTS, decode

CUSTOMER = Pseudonymizer(b"sixteen bytes ok", "k1")
FULL = {
    "Timestamp": "1585318545.25", "SystemName": "pbx", "Uniqueid": "pbx-1.1",
    "DestUniqueid": "pbx-1.2", "Queue": "sales", "MemberName": "PJSIP/7", "Interface": "PJSIP/7",
    "Position": "1", "HoldTime": "4", "RingTime": "3", "TalkTime": "9", "Reason": "agent",
    "Paused": "1", "CallerIDNum": "+4930123456", "CallerIDName": "Ann Example",
    "ConnectedLineName": "Ann Example", "ConnectedLineNum": "+4930123456",
}  # fmt: skip


def block(event: str, **changed: str) -> bytes:
    values = {"Event": event, **FULL, **changed}
    lines = (f"{name}: {value}\r\n" for name, value in values.items() if value)
    return "".join(lines).encode() + b"\r\n"


def as_json(event: str) -> bytes:
    return json.dumps({"Event": event, **FULL}).encode()


def record(
    value: bytes | None, offset: int = 0, at_ms: int = 7000, source: bytes | None = None
) -> Record:
    return Record(
        "raw", 0, offset, at_ms, None, value, () if source is None else (("source", source),)
    )


def events(value: bytes, offset: int = 0, source: bytes | None = None) -> list[Event]:
    answer = decode(record(value, offset, source=source), CUSTOMER)
    assert not isinstance(answer, Rejected), answer
    return list(answer)


def rejection(value: bytes | None, source: bytes | None = None) -> str:
    answer = decode(record(value, source=source), CUSTOMER)
    assert isinstance(answer, Rejected), answer
    return answer.reason


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_both_forms_say_the_same_and_nothing_of_the_customer(event: str) -> None:
    told = events(block(event))
    assert told == events(as_json(event))
    assert told
    text = b"".join(map(encode, told))
    assert b"30123456" not in text
    assert b"Ann" not in text


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_an_event_sent_twice_has_the_same_ids_wherever_it_stands(event: str) -> None:
    assert events(block(event), 1) == events(block(event), 2)
    other = events(block(event, Timestamp="1585318546.25"), 1)
    assert {e.id for e in other}.isdisjoint(e.id for e in events(block(event), 1))


def test_without_timestamp_the_append_time_and_the_place_of_the_record_stand_in() -> None:
    join = block("QueueCallerJoin", Timestamp="", DestUniqueid="")
    first, again = events(join, 1)[0], events(join, 1)[0]
    assert first == again
    assert first.time == 7000
    assert first.id != events(join, 2)[0].id
    called = block("AgentCalled", Timestamp="")
    assert events(called, 1) == events(called, 2)


def test_an_id_cannot_be_used_to_find_the_number_by_trying() -> None:
    one, other = (block("QueueCallerJoin", CallerIDNum=n) for n in ("+4930123456", "+4930123457"))
    assert events(one)[0].id == events(other)[0].id


@pytest.mark.parametrize(
    ("source", "system", "call", "contact"),
    [
        (None, "", "1.1", "1.1"),
        (None, "pbx", "pbx-1.1", "pbx-1.1"),
        (None, "pbx", "1.1", "pbx:1.1"),
        (b"site", "", "1.1", "site:1.1"),
    ],
)
def test_a_call_belongs_to_its_pbx(
    source: bytes | None, system: str, call: str, contact: str
) -> None:
    (joined,) = events(block("QueueCallerJoin", SystemName=system, Uniqueid=call), source=source)
    assert isinstance(joined, Queued)
    assert joined.contact == contact


def test_a_transfer_is_one() -> None:
    transferred = events(block("AgentComplete", Reason="transfer"))[0]
    assert isinstance(transferred, Transferred)
    assert transferred.kind == "unknown"


def test_leaving_is_not_called_abandonment_because_the_event_is_raised_for_every_exit() -> None:
    (left,) = events(block("QueueCallerAbandon"))
    assert isinstance(left, LeftQueue)
    assert (left.outcome, left.wait_ms) == ("unknown", 4000)


def test_ringing_is_told_in_milliseconds_and_in_seconds() -> None:
    assert getattr(events(block("AgentRingNoAnswer", RingTime="3"))[0], "ring_ms", 0) == 3
    assert getattr(events(block("AgentConnect", RingTime="3"))[0], "ring_ms", 0) == 3000


def test_names_of_headers_have_no_case_and_the_first_value_counts() -> None:
    value = b"event: QUEUECALLERJOIN\nuniqueid: 1\nQUEUE: q\nqueue: p\nTimestamp: 1\n"
    assert getattr(events(value)[0], "queue", "") == "q"


def test_no_record_is_too_odd_to_get_an_answer() -> None:
    assert rejection(None) == "value.null"
    assert rejection(b"x" * (RECORD_BYTES_MAX + 1)) == "size.exceeded"
    assert rejection(b"a: b\n" * (HEADERS_MAX + 2)) == "size.exceeded"
    assert rejection(b'{"a":' * 100_00) == "json.malformed"
    assert rejection(b"\0" * 9) == "headers.malformed"
    assert rejection(block("QueueCallerJoin"), source=b"\xff") == "header.invalid"
    assert events(b" \r\n") == []
    assert events(block("Hangup")) == []


def test_an_append_time_that_is_none_is_refused() -> None:
    answer = decode(record(block("AgentCalled", Timestamp=""), at_ms=-1), CUSTOMER)
    assert answer == Rejected("time.out_of_range", "before 1970 or after 2099")


@given(st.binary(max_size=300))
def test_any_bytes_get_an_answer(value: bytes) -> None:
    for body in (value, b"{" + value, b"Event: AgentCalled\n" + value):
        assert isinstance(decode(record(body), CUSTOMER), (Rejected, tuple, list))
