"""The rules of the FreeSWITCH adapter that hold beyond the examples."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.codec import encode
from streams.core.events import (
    AgentContactEnded,
    Answered,
    Handled,
    LeftQueue,
    OfferEnded,
)
from streams.core.pseudonym import Pseudonymizer
from streams.core.source import Event, Record, Rejected
from streams.sources._reading.header_block import RECORD_BYTES_MAX
from streams.sources.freeswitch_callcenter import ACTIONS, decode

CUSTOMER = Pseudonymizer(b"sixteen bytes ok", "k1")
FULL = {
    "Event-Name": "CUSTOM", "Event-Subclass": "callcenter::info", "Core-UUID": "2130a7d1-c1f7",
    "Event-Sequence": "4001", "Event-Date-Timestamp": "1790071729079910",
    "FreeSWITCH-Hostname": "pbx1", "CC-Queue": "support@default", "CC-Agent": "1001@default",
    "CC-Agent-Status": "Available (On Demand)", "CC-Member-UUID": "453324f8",
    "CC-Member-Session-UUID": "b77c49c2", "CC-Member-CID-Name": "Ann Example",
    "CC-Member-CID-Number": "+4930123456", "CC-Member-DNIS": "5556667775", "CC-Cause": "Cancel",
    "CC-Cancel-Reason": "BREAK_OUT", "CC-Member-Joined-Time": "1790071700",
    "CC-Member-Leaving-Time": "1790071720", "CC-Agent-Called-Time": "1790071710",
    "CC-Agent-Answered-Time": "1790071714", "CC-Agent-Aborted-Time": "1790071715",
    "CC-Bridge-Terminated-Time": "1790071720", "CC-Hangup-Cause": "NO_ANSWER",
    "variable_sip_from_user": "+4930123456",
}  # fmt: skip


def block(action: str, **changed: str) -> bytes:
    values = {"CC-Action": action, **FULL}
    values |= {name.replace("_", "-"): value for name, value in changed.items()}
    lines = (f"{name}: {quote(value, safe='')}\n" for name, value in values.items())
    return "".join(lines).encode() + b"\n"


def record(value: bytes | None, offset: int = 0, source: bytes | None = None) -> Record:
    return Record("raw", 0, offset, 0, None, value, () if source is None else (("source", source),))


def events(value: bytes, offset: int = 0, source: bytes | None = None) -> list[Event]:
    answer = decode(record(value, offset, source=source), CUSTOMER)
    assert not isinstance(answer, Rejected), answer
    return list(answer)


def rejection(value: bytes | None, source: bytes | None = None) -> str:
    answer = decode(record(value, source=source), CUSTOMER)
    assert isinstance(answer, Rejected), answer
    return answer.reason


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_both_forms_say_the_same_and_nothing_of_the_customer(action: str) -> None:
    told = events(block(action))
    assert told == events(json.dumps({"CC-Action": action, **FULL}).encode())
    assert told
    text = b"".join(map(encode, told))
    for private in (b"30123456", b"Ann", b"5556667775"):
        assert private not in text


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_ids_are_of_core_and_sequence(action: str) -> None:
    first = {event.id for event in events(block(action), 1)}
    assert first == {event.id for event in events(block(action), 2, source=b"x")}
    for changed in ({"Event_Sequence": "4002"}, {"Core_UUID": "another"}):
        again = {event.id for event in events(block(action, **changed))}
        assert {id for id in first & again if not id.endswith("-answer")} == set()
    nameless = block(action, Event_Sequence="")
    assert events(nameless, 1) == events(nameless, 1) != events(nameless, 2)


@pytest.mark.parametrize(
    ("state", "answer_state", "outcome"),
    [
        ("", "", "unknown"),
        ("CS_HANGUP", "hangup", "abandoned"),
        ("CS_EXECUTE", "hangup", "abandoned"),
        ("CS_REPORTING", "answered", "abandoned"),
        ("CS_ROUTING", "answered", "withdrawn"),
        ("CS_EXECUTE", "answered", "withdrawn"),
    ],
)
def test_broken_out_is_abandoned_unless_the_channel_lives_on(
    state: str, answer_state: str, outcome: str
) -> None:
    (left,) = events(block("member-queue-end", Channel_State=state, Answer_State=answer_state))
    assert isinstance(left, LeftQueue)
    assert (left.outcome, left.wait_ms, left.time) == (outcome, 20_000, 1790071729079)


def test_a_key_leaves_the_queue_by_its_own_name() -> None:
    value = block("member-queue-end", CC_Cancel_Reason="EXIT_WITH_KEY")
    (left,) = events(value + b"")
    assert isinstance(left, LeftQueue)
    assert (left.outcome, left.key) == ("key", None)
    (left,) = events(b"variable_cc_exit_key: 5\n" + value)
    assert getattr(left, "key", "") == "5"


def test_an_answer_that_could_not_be_connected_is_taken_back() -> None:
    usual = {"CC_Agent_UUID": "8c1f"}
    answered = events(block("bridge-agent-start", **usual))[0]
    failed, freed = events(
        block("bridge-agent-end", CC_Agent_Bridged="false", Event_Sequence="4009", **usual)
    )
    assert isinstance(answered, Answered)
    assert isinstance(failed, OfferEnded)
    assert isinstance(freed, AgentContactEnded)
    assert (failed.id, answered.version) == (answered.id, 0)
    assert failed.version > 0
    done = events(block("bridge-agent-end", CC_Agent_Bridged="true", **usual))[0]
    assert isinstance(done, Handled)
    assert done.id != answered.id


def test_the_end_of_an_answered_member_says_nothing_new() -> None:
    assert events(block("member-queue-end", CC_Cause="Terminated")) == []


def test_a_time_of_zero_was_never_set() -> None:
    (answered, _) = events(block("bridge-agent-start", CC_Agent_Answered_Time="0"))
    assert getattr(answered, "wait_ms", 0) is None


def test_no_record_is_too_odd_to_get_an_answer() -> None:
    assert rejection(None) == "value.null"
    assert rejection(b"x" * (RECORD_BYTES_MAX + 1)) == "size.exceeded"
    assert rejection(b"\0" * 9) == "headers.malformed"
    assert rejection(b"[1]") == "headers.malformed"
    assert rejection(block("agent-offering"), source=b"") == "header.invalid"
    assert events(b"\n\n") == []
    assert events(block("agent-state-change")) == []


@given(st.binary(max_size=300))
def test_any_bytes_get_an_answer(value: bytes) -> None:
    for body in (value, b"{" + value, b"CC-Action: agent-offering\n" + value):
        assert isinstance(decode(record(body), CUSTOMER), (Rejected, tuple, list))
