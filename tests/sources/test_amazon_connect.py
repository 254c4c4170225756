"""The rules of the Amazon Connect adapter that hold beyond the examples."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.codec import decode_agent, decode_contact, encode
from streams.core import events as ev
from streams.core.facts import LegEnded, VisitAnswered, VisitLeft, VisitOffered, WrapUpDone
from streams.core.order import fold
from streams.core.pseudonym import Pseudonymizer
from streams.core.signed import difference
from streams.core.source import Event, Record, Rejected
from streams.core.terms import Terms
from streams.sources.amazon_connect import RECORD_BYTES_MAX, decode

CUSTOMER = Pseudonymizer(b"sixteen bytes ok", "k1")
EXAMPLES = Path(__file__).resolve().parents[2] / "schemas" / "examples" / "amazon_connect"
SECRET = "zebra finch +4930999888"


def record(value: bytes | None) -> Record:
    return Record("raw", 0, 0, 0, None, value)


def events(value: object) -> list[Event]:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    answer = decode(record(raw), CUSTOMER)
    assert not isinstance(answer, Rejected), answer
    return list(answer)


def reason(value: bytes | None) -> str:
    answer = decode(record(value), CUSTOMER)
    assert isinstance(answer, Rejected), answer
    return answer.reason


def example(name: str) -> list[bytes]:
    return (EXAMPLES / f"{name}.txt").read_bytes().splitlines()


def facts(lines: list[bytes]) -> Any:
    """What a contact's list of events proves; of an id the highest version counts."""
    known: dict[str, ev.ContactEvent] = {}
    for line in lines:
        for event in events(line):
            if isinstance(event, ev.ContactEvent):
                earlier = known.get(event.id)
                if earlier is None or event.version > earlier.version:
                    known[event.id] = event
    return fold(known.values(), Terms()).out


def only(told: Any, kind: type) -> Any:
    (fact,) = (fact for fact, sign in told if isinstance(fact, kind) and sign == 1)
    return fact


RECORD = json.loads(example("contact_record")[0])
QUEUE = RECORD["Queue"]


# --- meaning


def test_the_worked_example_of_the_reference() -> None:
    told = facts([example("contact_record")[0]])
    answered, leg = only(told, VisitAnswered), only(told, LegEnded)
    assert (answered.wait_ms, leg.talk_ms, leg.hold_ms) == (7000, 33000, 0)
    assert only(told, WrapUpDone).wrap_up_ms == 32000
    menu = {
        type(e): e.time for e in events(RECORD) if isinstance(e, (ev.StageEntered, ev.StageLeft))
    }
    assert menu[ev.StageLeft] - menu[ev.StageEntered] == 64000


def test_events_and_record_versions_in_whatever_order_count_once() -> None:
    lines = [
        *example("contact_events_disordered")[:4],
        *example("contact_record"),
        *example("contact_record_sent_again"),
    ]
    wanted = facts(example("contact_record"))
    for order in permutations(lines):
        told = facts([*order, order[0]])
        assert not difference(
            [s for s in wanted if not isinstance(s[0], VisitAnswered)],
            [s for s in told if not isinstance(s[0], VisitAnswered)],
        )
        assert only(told, VisitAnswered).wait_ms == 7000


def test_a_record_has_its_last_update_as_version_and_a_contact_event_has_none() -> None:
    assert {e.version for e in events(RECORD) if isinstance(e, ev.ContactEvent)} == {1649430182000}
    undated = RECORD | {"LastUpdateTimestamp": None}
    assert {e.version for e in events(undated) if isinstance(e, ev.ContactEvent)} == {1}
    event = events(example("contact_events_disordered")[0])
    assert {e.version for e in event if isinstance(e, ev.ContactEvent)} == {0}


def test_a_transfers_kind_is_not_in_the_record() -> None:
    for more in ({"NextContactId": "n"}, {"TransferCompletedTimestamp": "2022-04-08T15:01:22Z"}):
        handed_on = RECORD | more | {"DisconnectReason": "AGENT_DISCONNECT"}
        kinds = [e.kind for e in events(handed_on) if isinstance(e, ev.Transferred)]
        assert kinds == ["unknown"]


def test_an_answer_the_events_told_a_second_earlier_is_still_one() -> None:
    lines = [
        line.replace(b":42.713Z", b":41.999Z") for line in example("contact_events_disordered")
    ]
    told = facts([*lines, *example("contact_record")])
    assert len([fact for fact, _ in told if isinstance(fact, VisitOffered)]) == 1
    assert len([fact for fact, _ in told if isinstance(fact, LegEnded)]) == 1


@pytest.mark.parametrize(
    ("why", "outcome"),
    [
        ("CUSTOMER_DISCONNECT", "abandoned"),
        (None, "abandoned"),
        ("CONTACT_FLOW_DISCONNECT", "withdrawn"),
        ("TELECOM_PROBLEM", "system"),
        ("EXPIRED", "timeout"),
        ("A_NEW_ONE", "system"),
    ],
)
def test_leaving_the_queue_unanswered(why: str | None, outcome: str) -> None:
    lost = RECORD | {"Agent": None, "DisconnectReason": why}
    told = facts([json.dumps(lost).encode()])
    assert only(told, VisitLeft).outcome == outcome
    assert only(told, VisitLeft).wait_ms == 7000


def test_the_record_corrects_what_the_event_could_not_know() -> None:
    event = json.loads(example("contact_events_of_the_guide")[1])
    event["detail"]["contactId"] = RECORD["ContactId"]
    moved = RECORD | {"Agent": None, "NextContactId": "n"}
    both = [json.dumps(event).encode(), json.dumps(moved).encode()]
    for order in permutations(both):
        assert only(facts(list(order)), VisitLeft).outcome == "unknown"


def test_a_chain_is_one_contact_with_a_visit_for_each_leg() -> None:
    chain = example("records_of_other_ends")[2:4]
    contacts = {e.contact for line in chain for e in events(line) if isinstance(e, ev.ContactEvent)}
    assert contacts == {"first"}
    told = facts(chain)
    assert len([fact for fact, _ in told if isinstance(fact, VisitOffered)]) == 2
    assert only(told, VisitAnswered).wait_ms == 21000
    assert only(told, VisitAnswered).channel == "callback"


@pytest.mark.parametrize("method", ["OUTBOUND", "MONITOR"])
def test_what_was_never_in_a_queue_says_nothing_of_one(method: str) -> None:
    never = RECORD | {"InitiationMethod": method, "Queue": QUEUE | {"EnqueueTimestamp": None}}
    assert not [f for f, _ in facts([json.dumps(never).encode()]) if isinstance(f, VisitOffered)]


def test_names_of_fields_are_read_in_any_case() -> None:
    def swapped(value: Any) -> Any:
        if isinstance(value, dict):
            return {k.swapcase(): swapped(v) for k, v in value.items()}
        return value

    assert events(swapped(RECORD)) == events(RECORD)


def test_no_time_is_not_1970() -> None:
    agent = RECORD["Agent"] | {"ConnectedToAgentTimestamp": "1970-01-01T00:00:00.001Z"}
    assert not any(isinstance(e, ev.Answered) for e in events(RECORD | {"Agent": agent}))


# --- agents


def test_an_agents_day() -> None:
    told = [ev.type_of[type(e)] for line in example("agent_events") for e in events(line)]
    assert told[:3] == ["agent.logged_in", "agent.joined_queue", "agent.joined_queue"]
    assert told[3] == "agent.logged_out", "offline, as an agent is who has only logged in"
    assert told.count("contact.held") == told.count("contact.resumed") == 1
    assert told.count("agent.wrap_up") == 1
    assert told.count("contact.offer_ended") == 2
    assert told[-1] == "agent.logged_out"


# --- bad input


def test_rejections() -> None:
    assert reason(None) == "value.null"
    assert reason(b"x" * (RECORD_BYTES_MAX + 1)) == "size.exceeded"
    assert reason(b"\xff") == "json.malformed"
    assert reason(b'{"a":' * 100_000) == "json.malformed"
    assert reason(b"{}") == "shape.unknown"
    assert reason(b"[]") == "schema.invalid"
    assert reason(json.dumps(RECORD | {"ContactId": "c" * 151}).encode()) == "schema.invalid"
    too_many = {"Contacts": [{"ContactId": str(i)} for i in range(101)]}
    event = json.loads(example("agent_events")[1]) | {"CurrentAgentSnapshot": too_many}
    assert reason(json.dumps(event).encode()) == "schema.invalid"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
SAMPLES = [
    json.loads(line) for f in EXAMPLES.glob("[acr]*.txt") for line in f.read_bytes().splitlines()
]


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [at, *(path for key, inner in items for path in paths(inner, (*at, key)))]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A real record with one value replaced by another."""
    sample = json.loads(json.dumps(draw(st.sampled_from(SAMPLES))))
    path = draw(st.sampled_from(paths(sample)[1:]))
    within = sample
    for key in path[:-1]:
        within = within[key]
    times = st.sampled_from(
        ["2099-12-31T23:59:59Z", "1969-01-01T00:00:00Z", "0001-01-01T00:00:00Z"]
    )
    within[path[-1]] = draw(JSON | times | st.integers(-(10**13), 10**13) | st.text(max_size=300))
    return json.dumps(sample).encode()


@given(damaged())
def test_what_is_decoded_is_valid_and_the_same_again(value: bytes) -> None:
    answer = decode(record(value), CUSTOMER)
    assert decode(record(value), CUSTOMER) == answer
    told = () if isinstance(answer, Rejected) else answer
    assert len({event.id for event in told}) == len(told)
    for event in told:
        read = decode_agent if isinstance(event, ev.AgentEvent) else decode_contact
        assert read(encode(event)) == event


def test_nothing_private_leaves() -> None:
    for sample in SAMPLES:
        body = sample.get("detail", sample)
        body["Attributes"] = body["tags"] = {"name": SECRET}
        body["CustomerEndpoint"] = {"Address": SECRET, "Type": "TELEPHONE_NUMBER"}
        body["DisconnectReason"] = SECRET
        body.pop("disconnectReason", None)
        for event in events(sample):
            assert SECRET.lower().encode() not in encode(event).lower()
