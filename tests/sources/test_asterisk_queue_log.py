"""The rules of the queue_log adapter that hold beyond the examples."""

from __future__ import annotations

import ast
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import streams.sources
from streams.codec import decode_agent, decode_contact, encode
from streams.core.events import AgentEvent, Answered, ContactEvent, Queued, Restarted
from streams.core.pseudonym import Pseudonymizer, no_pseudonym
from streams.core.source import Event, Record, Rejected
from streams.sources import SOURCES
from streams.sources.asterisk_queue_log import LINE_BYTES_MAX, decode
from streams.sources.asterisk_queue_log.verbs import VERBS

CUSTOMER = Pseudonymizer(b"sixteen bytes ok", "k1")
CALL = b"1791183466|1791183466.1|sales|Agent/7|CONNECT|4|1791183466.2|3"
DOMAIN_VERBS = """
    ENTERQUEUE CONNECT RINGNOANSWER RINGCANCELED COMPLETEAGENT COMPLETECALLER BLINDTRANSFER
    ATTENDEDTRANSFER TRANSFER ABANDON EXITWITHTIMEOUT EXITEMPTY EXITWITHKEY WITHDRAW SYSCOMPAT
    AGENTDUMP AGENTLOGIN AGENTLOGOFF AGENTCALLBACKLOGIN AGENTCALLBACKLOGOFF ADDMEMBER REMOVEMEMBER
    PAUSE UNPAUSE PAUSEALL UNPAUSEALL PENALTY RINGINUSE QUEUESTART CONFIGRELOAD OUTCALL DID
    JOINEMPTY FULL CLOSED LEAVEEMPTY DIVERT_CA_RATIO DIVERT_HOLDTIME WRAPUPSTART INFO CALLERONHOLD
    CALLEROFFHOLD CALLSTATUS HOTDESK
"""


def record(value: bytes | None, **headers: bytes | None) -> Record:
    return Record("raw", 0, 0, 0, None, value, tuple(headers.items()))


def events(value: bytes, **headers: bytes) -> list[Event]:
    answer = decode(record(value, **headers), CUSTOMER)
    assert not isinstance(answer, Rejected), answer
    return list(answer)


def rejection(value: bytes | None, **headers: bytes | None) -> str:
    answer = decode(record(value, **headers), CUSTOMER)
    assert isinstance(answer, Rejected), answer
    return answer.reason


def only(value: bytes, **headers: bytes) -> Event:
    (event,) = events(value, **headers)
    return event


# --- which lines are understood


@pytest.mark.parametrize("verb", DOMAIN_VERBS.split())
def test_every_verb_of_the_domain_reference_is_understood(verb: str) -> None:
    line = f"1791183466|1791183466.1|sales|Agent/7|{verb}|"
    if verb in ("ATTENDEDTRANSFER", "CALLSTATUS"):
        line += "APP"
    assert not isinstance(decode(record(line.encode()), CUSTOMER), Rejected)


def test_no_record_is_too_odd_to_get_an_answer() -> None:
    assert rejection(None) == "value.null"
    assert rejection(b"x" * (LINE_BYTES_MAX + 1)) == "size.exceeded"
    assert rejection(b"\0" * 512) == "line.malformed"
    assert events(b" \r\n") == []


@pytest.mark.parametrize("call", ["NONE", "REALTIME", "MANAGER", "CLI", ""])
def test_a_line_without_a_call_cannot_be_about_one(call: str) -> None:
    assert rejection(f"1|{call}|sales|Agent/7|CONNECT|1|1|1".encode()) == "call.missing"


@pytest.mark.parametrize(
    ("epoch", "time_ms"),
    [("1791183466", 1791183466000), ("1791183466.25", 1791183466250), ("0.0009", 0), ("7", 7000)],
)
def test_times_are_epoch_seconds_broken_ones_included(epoch: str, time_ms: int) -> None:
    restarted = only(f"{epoch}|NONE|NONE|NONE|QUEUESTART|".encode())
    assert isinstance(restarted, Restarted)
    assert restarted.time == time_ms


@pytest.mark.parametrize("epoch", ["1791183466000", "1791183466000000", "4102444801", "9" * 20])
def test_a_time_in_another_unit_is_out_of_range(epoch: str) -> None:
    assert rejection(f"{epoch}|NONE|NONE|NONE|QUEUESTART|".encode()) == "time.out_of_range"


@pytest.mark.parametrize("epoch", ["", "-1", "1e9", "1.", "٣", "1_0", "9" * 21])
def test_a_time_that_is_no_number_is_malformed(epoch: str) -> None:
    assert rejection(f"{epoch}|NONE|NONE|NONE|QUEUESTART|".encode()) == "time.malformed"


@pytest.mark.parametrize("field", [1, 2, 3])
def test_names_beyond_the_bounds_of_an_event_are_rejected(field: int) -> None:
    fields = CALL.split(b"|")
    fields[field] = b"n" * (201 if field == 1 else 121)
    assert rejection(b"|".join(fields)) == "schema.invalid"
    fields[field] = fields[field][:-1]
    assert len(events(b"|".join(fields))) == 2


@pytest.mark.parametrize(
    ("text", "wait_ms"), [("", None), ("12", 12000), ("12.5", 12500), ("-3", -3000), ("+3", 3000)]
)
def test_durations_are_seconds_negative_ones_as_reported(text: str, wait_ms: int | None) -> None:
    left = only(f"1791183466|1.1|sales|NONE|ABANDON|1|1|{text}".encode())
    assert getattr(left, "wait_ms", 0) == wait_ms


@pytest.mark.parametrize("text", ["ten", "1e3", " 1", "1" * 13, "0x1f", "٣", "--1"])
def test_a_duration_that_is_no_number_rejects_the_line(text: str) -> None:
    line = f"1791183466|1.1|sales|NONE|ABANDON|1|1|{text}".encode()
    assert rejection(line) == "parameter.malformed"


# --- ids


def test_ids_depend_on_the_line_the_source_and_the_ordinal_and_nothing_else() -> None:
    first = [event.id for event in events(CALL)]
    assert [event.id for event in events(CALL + b"\r\n", ordinal=b"0")] == first
    assert [event.id for event in events(CALL, source=b"asterisk", other=b"x")] == first
    other_offset = record(CALL)._replace(topic="t", partition=3, offset=9, timestamp=5, key=b"k")
    assert [e.id for e in decode(other_offset, no_pseudonym) if not isinstance(e, str)] == first
    different = [events(CALL, ordinal=b"1"), events(CALL, source=b"pbx"), events(CALL + b"0")]
    ids = first + [event.id for some in different for event in some]
    assert len(set(ids)) == len(ids) == 8


def test_ordinals_are_numbers_however_written() -> None:
    assert events(CALL, ordinal=b"01") == events(CALL, ordinal=b"1")


@pytest.mark.parametrize(
    "headers",
    [
        {"ordinal": b""},
        {"ordinal": b"-1"},
        {"ordinal": b"x"},
        {"ordinal": b"1" * 10},
        {"source": b""},
        {"source": b"s" * 121},
        {"source": b"\xff"},
        {"source": None},
        {"ordinal": None},
    ],
)
def test_headers_that_make_no_sense_reject_the_line(headers: dict[str, bytes | None]) -> None:
    assert rejection(CALL, **headers) == "header.invalid"


def test_call_ids_of_a_named_source_are_its_own() -> None:
    plain, named = events(CALL)[0], events(CALL, source=b"pbx-2")[0]
    assert isinstance(plain, Answered)
    assert isinstance(named, Answered)
    assert (plain.contact, plain.source) == ("1791183466.1", "asterisk")
    assert (named.contact, named.source) == ("pbx-2:1791183466.1", "pbx-2")


# --- privacy


def entered(number: str, name: str = "") -> Queued:
    event = only(f"1791183466|1.1|sales|NONE|ENTERQUEUE|http://crm|{number}|1|{name}".encode())
    assert isinstance(event, Queued)
    return event


def test_a_caller_is_the_same_pseudonym_however_the_trunk_writes_the_number() -> None:
    assert entered("+4930123456").customer == entered("004930123456").customer
    assert entered("+4930123456").customer != entered("+4930123457").customer


@pytest.mark.parametrize("number", ["", "anonymous", "Unknown", "<unknown>", "0000", "266696687"])
def test_a_withheld_number_is_no_customer(number: str) -> None:
    assert entered(number).customer is None


def test_without_a_key_nobody_is_a_customer() -> None:
    line = b"1791183466|1.1|sales|NONE|ENTERQUEUE||+4930123456|1"
    answer = decode(record(line), no_pseudonym)
    assert isinstance(answer[0], Queued)
    assert answer[0].customer is None


def test_an_id_cannot_be_used_to_find_the_number_by_trying() -> None:
    assert entered("+4930123456", "Ann").id == entered("+4930123457", "Bob").id


@pytest.mark.parametrize("verb", sorted(verb for verb in VERBS if VERBS[verb].private))
def test_what_is_declared_private_leaves_in_no_event(verb: str) -> None:
    def decoded(secret: str) -> list[Event]:
        params = ["LINK" if verb == "ATTENDEDTRANSFER" else "1", *"11111"]
        for at in VERBS[verb].private:
            params[at] = secret
        return events("|".join(["1791183466", "1.1", "sales", "Agent/7", verb, *params]).encode())

    assert decoded("anonymous") == decoded("Unknown")
    assert all(b"anonymous" not in encode(event) for event in decoded("anonymous"))


# --- anything

FIELD = st.one_of(
    st.sampled_from(
        ["", "NONE", "1.1", "sales", "0", "-5", "12", "99999999999", "PAUSED", "BRIDGE"]
    ),
    st.text(st.characters(exclude_characters="|\n\r", exclude_categories=["Cs"]), max_size=130),
)
LINES = st.builds(
    lambda verb, fields, params: "|".join(["1791183466", *fields, verb, *params]).encode(),
    st.sampled_from([*VERBS, "DIVERT_X", "HOTDESK"]),
    st.tuples(FIELD, FIELD, FIELD),
    st.lists(FIELD, max_size=7),
)


@given(st.binary(max_size=300), st.dictionaries(st.text(max_size=9), st.binary(max_size=130)))
@example(b"1|1|\xff|q|CONNECT|", {})
def test_any_bytes_get_an_answer(value: bytes, headers: dict[str, bytes]) -> None:
    answer = decode(record(value)._replace(headers=tuple(headers.items())), CUSTOMER)
    assert isinstance(answer, (Rejected, tuple, list))


@given(LINES)
def test_whatever_is_decoded_is_a_valid_event_and_is_decoded_the_same_again(line: bytes) -> None:
    answer = decode(record(line), CUSTOMER)
    assert decode(record(line), CUSTOMER) == answer
    for event in () if isinstance(answer, Rejected) else answer:
        read = decode_agent if isinstance(event, AgentEvent) else decode_contact
        assert read(encode(event)) == event


@given(LINES)
def test_a_rejection_tells_nothing_of_the_line_but_its_verb(line: bytes) -> None:
    answer = decode(record(line), CUSTOMER)
    if isinstance(answer, Rejected):
        verb = line.decode().split("|")[4]
        assert answer.detail.startswith((verb, "fewer", "field"))
        assert len(answer.detail) < 100


@given(LINES)
def test_contact_events_come_first_and_are_numbered(line: bytes) -> None:
    answer = decode(record(line), CUSTOMER)
    if not isinstance(answer, Rejected):
        assert [e.id.rpartition("-")[2] for e in answer] == [str(i) for i in range(len(answer))]
        kinds = [isinstance(event, ContactEvent) for event in answer]
        assert kinds == sorted(kinds, reverse=True)


# --- all sources


def test_sources_are_found_by_the_name_users_type() -> None:
    assert all(SOURCES[name].name == name for name in SOURCES)
    assert "asterisk_queue_log" in SOURCES


def test_sources_see_no_clock_and_no_world() -> None:
    banned = {"asyncio", "logging", "os", "random", "socket", "threading", "time", "uuid"}
    for path in Path(streams.sources.__path__[0]).rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        names = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
        names |= {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)}
        assert not banned & {name.partition(".")[0] for name in names}, path


def test_events_are_built_as_their_structs_say() -> None:
    for line in (CALL, b"1791183466|1.1|sales|Agent/7|ATTENDEDTRANSFER|LINK|a|b|1|2|3"):
        for event in events(line):
            assert msgspec.convert(msgspec.to_builtins(event), type(event)) == event
