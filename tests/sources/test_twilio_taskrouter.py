"""The rules of the TaskRouter adapter that hold beyond the examples."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.codec import decode_agent, decode_contact, encode
from streams.core import events as ev
from streams.core.order import fold
from streams.core.pseudonym import Pseudonymizer, no_pseudonym
from streams.core.source import Event, PartlyRejected, Record, Rejected
from streams.core.terms import Terms
from streams.sources._reading.instants import iso_ms
from streams.sources.twilio_taskrouter import BODY_BYTES_MAX, EVENTS_MAX, decode
from streams.sources.twilio_taskrouter.events import EVENTS

CUSTOMER = Pseudonymizer(b"sixteen bytes ok", "k1")
EXAMPLES = Path(__file__).resolve().parents[2] / "schemas" / "examples" / "twilio_taskrouter"
SECRETS = ("Ann Example", "ann@crm.example", "+4930123456", "4930123456")
DOMAIN_TYPES = """
    reservation.created reservation.accepted reservation.rejected reservation.timeout
    reservation.canceled reservation.rescinded reservation.completed reservation.failed
    reservation.wrapup task.created task.canceled task.wrapup task.completed task.deleted
    task.transfer-initiated task.transfer-completed task-queue.entered task-queue.timeout
    task-queue.moved worker.activity.update worker.deleted
"""


def record(value: bytes | None, **headers: bytes) -> Record:
    return Record("raw", 0, 0, 0, None, value, tuple(headers.items()))


def form(kind: str, **fields: str) -> bytes:
    task = {"TaskSid": "WT1", "TaskQueueSid": "WQ1", "TaskChannelUniqueName": "voice"}
    usual = {"Sid": "EV1", "WorkerSid": "WK1", "TimestampMs": "1791183466123"}
    return urlencode({"EventType": kind, **task, **usual, **fields}).encode()


def cloud(kind: str, **fields: Any) -> dict[str, Any]:
    payload = {"task_sid": "WT1", "task_queue_sid": "WQ1", "worker_sid": "WK1"}
    payload["task_channel_unique_name"] = "voice"
    data = {"sid": "EV1", "timestamp": "2026-10-05T06:57:46.123Z", "payload": payload | fields}
    return {"type": f"com.twilio.taskrouter.{kind}", "id": "NO1", "data": data}


def events(value: bytes, **headers: bytes) -> list[Any]:
    answer = decode(record(value, **headers), CUSTOMER)
    assert not isinstance(answer, Rejected | PartlyRejected), answer
    return list(answer)


def rejection(value: bytes | None, **headers: bytes) -> str:
    answer = decode(record(value, **headers), CUSTOMER)
    assert isinstance(answer, Rejected), answer
    return answer.reason


def example(name: str) -> list[Event]:
    lines = (EXAMPLES / f"{name}.txt").read_bytes().splitlines()
    return [event for line in lines for event in events(line)]


@pytest.mark.parametrize("kind", DOMAIN_TYPES.split())
def test_every_type_the_kpis_need_is_understood(kind: str) -> None:
    assert kind in EVENTS
    assert not isinstance(decode(record(form(kind)), CUSTOMER), Rejected)


def test_no_type_is_understood_that_is_not_in_the_reference() -> None:
    assert set(EVENTS) == set(DOMAIN_TYPES.split())


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_both_transports_tell_the_same(kind: str) -> None:
    assert events(json.dumps(cloud(kind)).encode()) == events(form(kind))


def test_no_record_is_too_odd_to_get_an_answer() -> None:
    assert rejection(None) == "value.null"
    assert rejection(b"x" * (BODY_BYTES_MAX + 1)) == "size.exceeded"
    assert rejection(b"EventType=%ff%fe") == "form.malformed"
    assert rejection("EventType=ö".encode()) == "form.malformed"
    assert rejection(b"&".join([b"a=1"] * 300)) == "form.malformed"
    assert rejection(b"[" * 100_000) in ("json.malformed", "schema.invalid")
    assert rejection(json.dumps([cloud("x")] * (EVENTS_MAX + 1)).encode()) == "schema.invalid"
    assert rejection(form("task.created"), source=b"") == "header.invalid"
    assert events(b" \n") == []


def test_what_is_not_ours_is_neither_used_nor_rejected() -> None:
    assert events(form("task.levitated", TimestampMs="x", TaskSid="?")) == []
    assert events(b'{"type":"com.twilio.messaging.message.sent","data":7}') == []


def test_of_a_list_what_can_be_used_is_used() -> None:
    """Event Streams puts events of several tasks into one list."""
    good, bad = cloud("task.created"), cloud("task.created", task_sid="Ann Example")
    answer = decode(record(json.dumps([good, bad, 7]).encode()), CUSTOMER)
    assert isinstance(answer, PartlyRejected)
    assert answer.events == events(json.dumps(good).encode())
    assert [each.reason for each in answer.rejected] == ["schema.invalid", "schema.invalid"]
    assert rejection(json.dumps([bad]).encode()) == "schema.invalid"
    assert events(json.dumps([good, good]).encode()) == [*answer.events] * 2


# --- ids and times


def test_ids_come_from_twilio_and_from_nothing_else() -> None:
    first = decode(record(form("reservation.accepted")), CUSTOMER)
    again = record(form("reservation.accepted"))._replace(partition=3, offset=9, timestamp=5)
    assert decode(again, CUSTOMER) == first
    assert [event.id for event in events(form("reservation.accepted"))] == ["EV1-0", "EV1-1"]


def test_without_a_sid_the_id_is_of_what_happened() -> None:
    bare, other = form("task.created", Sid=""), form("task.created", Sid="", TaskSid="WT2")
    assert events(bare) == events(bare)
    assert events(bare)[0].id != events(other)[0].id


@pytest.mark.parametrize(
    ("fields", "time_ms"),
    [
        ({}, 1791183466123),
        ({"Timestamp": "7"}, 1791183466123),
        ({"TimestampMs": "", "Timestamp": "1791183466"}, 1791183466000),
        ({"TimestampMs": "", "Timestamp": "2025-01-01T00:00:00.5Z"}, 1735689600500),
    ],
)
def test_times_are_milliseconds_else_seconds(fields: dict[str, str], time_ms: int) -> None:
    assert events(form("task.created", **fields))[0].time == time_ms


@pytest.mark.parametrize("text", ["", "-1", "1e9", "٣", "9" * 18, "soon", "2025-01-01"])
def test_a_time_that_is_none_rejects_the_event(text: str) -> None:
    reason = rejection(form("task.created", TimestampMs=text, Timestamp=""))
    assert reason == "time.malformed"


@pytest.mark.parametrize("text", ["1791183466123000", "4102444800001"])
def test_a_time_in_another_unit_is_out_of_range(text: str) -> None:
    assert rejection(form("task.created", TimestampMs=text)) == "time.out_of_range"


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "x" * 25]
)
def test_an_instant_at_the_edge_of_the_calendar_is_some_number_or_none(text: str) -> None:
    assert isinstance(iso_ms(text), int | None)


# --- meaning


@pytest.mark.parametrize(
    ("reason", "outcome", "ended_by"),
    [
        ("hangup", "abandoned", "customer"),
        ("", "unknown", "unknown"),
        ("Caller abandoned the chat", "abandoned", "customer"),
        ("Task TTL Exceeded or Max assignment count exceeded", "timeout", "system"),
        ("Task canceled on Workflow timeout", "timeout", "system"),
        ("Ann Example asked us to", "withdrawn", "system"),
    ],
)
def test_why_a_task_was_canceled(reason: str, outcome: str, ended_by: str) -> None:
    left, ended = events(form("task.canceled", TaskCanceledReason=reason))
    assert (left.outcome, ended.ended_by) == (outcome, ended_by)


def test_an_abandonment_without_a_queue_still_ends_the_contact() -> None:
    (ended,) = events(form("task.canceled", TaskQueueSid="", TaskCanceledReason="hangup"))
    assert ended.ended_by == "customer"


@pytest.mark.parametrize("given", ["", "x", "-1", "2147483647", "9" * 400])
def test_an_odd_priority_is_left_out(given: str) -> None:
    assert events(form("task-queue.entered", TaskPriority=given))[0].priority is None


@pytest.mark.parametrize(
    ("mode", "to", "when"),
    [
        ("COLD", "WORKER", "initiated"),
        ("COLD", "QUEUE", "initiated"),
        ("WARM", "QUEUE", "initiated"),
        ("WARM", "WORKER", "completed"),
        ("", "", "completed"),
    ],
)
def test_a_transfer_is_told_once(mode: str, to: str, when: str) -> None:
    kinds = {"COLD": "blind", "WARM": "attended"}
    for step in ("initiated", "completed"):
        told = events(form(f"task.transfer-{step}", TransferMode=mode, TransferType=to))
        assert [t.kind for t in told] == [kinds.get(mode, "unknown")] * (step == when)


def test_outbound_tasks_visit_no_queue() -> None:
    outbound = {"TaskAttributes": '{"direction":"outbound","outbound_to":"+4930123456"}'}
    for kind in EVENTS:
        for event in events(form(kind, PreviousTaskQueueSid="WQ2", **outbound)):
            assert not isinstance(event, ev.Queued | ev.LeftQueue)
            assert getattr(event, "queue", None) is None


def facts(name: str) -> dict[str, int]:
    """How many facts of each kind the journey proves of an example's events."""
    told = [event for event in example(name) if isinstance(event, ev.ContactEvent)]
    of_task = [event for event in told if event.contact.endswith("51")]
    return Counter(type(fact).__name__ for fact, _ in fold(of_task, Terms()).out)


def test_an_answered_call_is_one_visit_with_one_leg() -> None:
    for kind in ("ContactArrived", "VisitOffered", "VisitAnswered", "LegEnded", "WrapUpDone"):
        assert facts("answered_call")[kind] == 1
    assert facts("answered_call")["VisitLeft"] == 0
    assert facts("answered_call_sent_again_in_disorder") == facts("answered_call")


def test_what_is_sent_again_has_the_ids_it_had() -> None:
    ids = {event.id for event in example("answered_call")}
    assert {event.id for event in example("answered_call_sent_again_in_disorder")} == ids


# --- privacy


@pytest.mark.parametrize("address", ["whatsapp:+4930123456", "+4930123456", "tel:004930123456"])
def test_a_number_is_one_customer_by_every_channel(address: str) -> None:
    attributes = json.dumps({"from": address})
    (started,) = events(form("task.created", TaskAttributes=attributes))
    assert started.customer == CUSTOMER("phone", "+4930123456")


def test_who_is_no_number_is_not_taken_for_one() -> None:
    def of(address: str) -> str | None:
        (started,) = events(form("task.created", TaskAttributes=json.dumps({"from": address})))
        return started.customer  # type: ignore[no-any-return]

    assert of("client:agent123") == CUSTOMER("id", "client:agent123")
    assert of("ann@crm.example") == CUSTOMER("email", "ann@crm.example")
    assert of("") is None
    assert of("x" * 321) is None


@pytest.mark.parametrize("attributes", ["", "{", "[]", '{"from":7}', "[" * 60_000, "x" * 70_000])
def test_odd_attributes_tell_nothing(attributes: str) -> None:
    (started,) = events(form("task.created", TaskAttributes=attributes))
    assert started.customer is None


def test_without_a_key_nobody_is_a_customer() -> None:
    body = form("task.created", TaskAttributes='{"from":"+4930123456"}')
    assert decode(record(body), no_pseudonym)[0].customer is None  # type: ignore[union-attr]


# --- anything

TEXT = st.one_of(st.text(max_size=40), st.sampled_from(["", "WT1", "WK1", "7", *SECRETS]))


def check(body: bytes) -> None:
    answer = decode(record(body), CUSTOMER)
    assert decode(record(body), CUSTOMER) == answer
    assert not isinstance(answer, PartlyRejected)
    if isinstance(answer, Rejected):
        assert not any(secret in answer.detail for secret in SECRETS)
        return
    for event in answer:
        read = decode_agent if isinstance(event, ev.AgentEvent) else decode_contact
        assert read(encode(event)) == event


@given(
    st.sampled_from(sorted(EVENTS)),
    st.dictionaries(st.sampled_from(["TaskSid", "TaskAttributes", "Sid", "TransferTo"]), TEXT),
)
def test_any_form_gets_an_answer(kind: str, fields: dict[str, str]) -> None:
    usable = {name: text.encode("utf-8", "replace").decode() for name, text in fields.items()}
    check(form(kind, **usable))


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_nothing_personal_leaves(kind: str) -> None:
    fields = ["TaskCanceledReason", "TaskCompletedReason", "Reason", "WorkerName", "TransferTo"]
    fields += ["EventDescription", "TaskQueueName", "WorkspaceName", "TaskChannelUniqueName"]
    for secret in SECRETS:
        attributes = json.dumps({"from": secret, "name": secret, "direction": secret})
        body = form(kind, TaskAttributes=attributes, **dict.fromkeys(fields, secret))
        told = b"".join(encode(event) for event in events(body)).decode()
        assert not any(each in told for each in SECRETS)
