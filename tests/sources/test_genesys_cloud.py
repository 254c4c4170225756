"""The rules of the Genesys Cloud adapter that hold beyond the examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.codec import decode_agent, decode_contact, encode
from streams.core import events as ev
from streams.core.facts import LegEnded, VisitAnswered, VisitOffered, WrapUpDone
from streams.core.order import fold
from streams.core.pseudonym import Pseudonymizer, no_pseudonym
from streams.core.source import Event, Record, Rejected
from streams.core.terms import Terms
from streams.sources.genesys_cloud import RECORD_BYTES_MAX, decode
from streams.sources.genesys_cloud.conversation import CONVERSATION

CUSTOMER = Pseudonymizer(b"sixteen bytes ok", "k1")
EXAMPLES = Path(__file__).resolve().parents[2] / "schemas" / "examples" / "genesys_cloud"
SECRET = "zebra.finch@example.org"
BODY = {
    "eventTime": 1712000000123,
    "conversationId": "c",
    "participantId": "p",
    "sessionId": "s",
    "mediaType": "VOICE",
    "direction": "INBOUND",
    "queueId": "q",
    "userId": "u",
}


def record(value: bytes | None, **headers: bytes) -> Record:
    return Record("raw", 0, 0, 0, None, value, tuple(headers.items()))


def notified(kind: str, **body: Any) -> bytes:
    topic = f"v2.detail.events.conversation.c.{kind}"
    return json.dumps({"topicName": topic, "eventBody": BODY | body}).encode()


def events(value: bytes, **headers: bytes) -> list[Event]:
    answer = decode(record(value, **headers), CUSTOMER)
    assert not isinstance(answer, Rejected), answer
    return list(answer)


def reason(value: bytes | None) -> str:
    answer = decode(record(value), CUSTOMER)
    assert isinstance(answer, Rejected), answer
    return answer.reason


# --- meaning


@pytest.mark.parametrize(
    ("outcome", "told", "left"),
    [
        ("ABANDON", ev.LeftQueue, "abandoned"),
        ("FLOW_OUT", ev.LeftQueue, "unknown"),
        ("OutdatedSdkVersion", ev.LeftQueue, "unknown"),
        ("ANSWERED", ev.Answered, None),
    ],
)
def test_how_a_queue_is_left(outcome: str, told: type, left: str | None) -> None:
    (event,) = events(notified("acd.end", acdOutcome=outcome, connectedDurationMs=18000))
    assert isinstance(event, told)
    assert getattr(event, "outcome", None) == left
    assert getattr(event, "wait_ms", None) is None, "what the figure means is not documented"


@pytest.mark.parametrize(
    ("disconnect", "spent", "told"),
    [
        ("PEER", 9, ["contact.handled", "agent.contact_ended"]),
        ("TRANSFER", 9, ["contact.transferred", "agent.contact_ended"]),
        ("NO_ANSWER_TRANSFER", 0, ["contact.offer_ended", "agent.offer_ended"]),
        (None, 0, ["contact.offer_ended", "agent.offer_ended"]),
    ],
)
def test_how_an_agents_session_ends(disconnect: str | None, spent: int, told: list[str]) -> None:
    found = events(notified("user.end", disconnectType=disconnect, interactingDurationMs=spent))
    assert [ev.type_of[type(event)] for event in found] == told


@pytest.mark.parametrize(
    ("disconnect", "ended_by"),
    [
        ("CLIENT", "customer"),
        ("ENDPOINT", "customer"),
        ("PEER", "unknown"),
        ("SYSTEM", "system"),
        ("OutdatedSdkVersion", "unknown"),
        (None, "unknown"),
    ],
)
def test_the_customers_end_says_what_their_side_did(disconnect: str | None, ended_by: str) -> None:
    (ended,) = events(notified("customer.end", disconnectType=disconnect))
    assert isinstance(ended, ev.Ended)
    assert ended.ended_by == ended_by


def test_a_callbacks_session_ends_no_waiting_and_spam_is_classified() -> None:
    assert events(notified("customer.end", mediaType="CALLBACK")) == []
    assert events(notified("customer.end", callbackScheduledTime=1712000000123)) == []
    spam = events(notified("customer.end", mediaType="EMAIL", disconnectType="SPAM"))
    assert [type(event) for event in spam] == [ev.Ended, ev.Classified]


def test_a_transfer_is_attended_only_where_the_reason_says_so() -> None:
    kinds = {}
    for disconnect in ("TRANSFER", "FORWARD_TRANSFER", "CONSULT_TRANSFER", "CONFERENCE_TRANSFER"):
        leg = events(notified("user.end", disconnectType=disconnect, interactingDurationMs=9))[0]
        assert isinstance(leg, ev.Transferred)
        kinds[disconnect] = leg.kind
    assert list(kinds.values()) == ["unknown", "unknown", "attended", "attended"]


@pytest.mark.parametrize("kind", sorted(CONVERSATION))
def test_what_was_never_in_a_queue_says_nothing_of_one(kind: str) -> None:
    if kind.startswith("acd"):
        return
    outbound = events(notified(kind, direction="OUTBOUND", interactingDurationMs=5))
    queues = (ev.Queued, ev.Answered, ev.Handled, ev.Transferred, ev.OfferEnded, ev.WrapUpEnded)
    assert not any(isinstance(event, queues) for event in outbound)


@pytest.mark.parametrize(
    ("media", "message", "channel"),
    [
        ("VOICE", None, "voice"),
        ("CALLBACK", None, "callback"),
        ("MESSAGE", "WHATSAPP", "social"),
        ("MESSAGE", "SMS", "sms"),
        ("MESSAGE", "WEBMESSAGING", "chat"),
        ("OutdatedSdkVersion", None, "voice"),
        (None, None, "voice"),
    ],
)
def test_channels(media: str | None, message: str | None, channel: str) -> None:
    event = events(notified("acd.start", mediaType=media, messageType=message))[0]
    assert isinstance(event, ev.Queued)
    assert event.channel == channel


def test_a_call_is_one_visit_with_one_leg_in_whatever_order() -> None:
    """Without the end of the customer's session, which a later end of the leg has to replace."""
    told = [
        event
        for line in (EXAMPLES / "answered_call.txt").read_bytes().splitlines()
        for event in events(line)
        if isinstance(event, ev.ContactEvent) and not isinstance(event, ev.Ended)
    ]
    again = (EXAMPLES / "answered_call_again_disordered_from_a_websocket.txt").read_bytes()
    ids = {event.id for line in again.splitlines() for event in events(line)}
    assert {event.id for event in told} <= ids
    facts = [fact for fact, _ in fold(reversed(told), Terms()).out]
    kinds = (VisitAnswered, LegEnded, WrapUpDone)
    answered, leg, wrapped_up = (next(f for f in facts if isinstance(f, kind)) for kind in kinds)
    assert isinstance(answered, VisitAnswered)
    assert isinstance(leg, LegEnded)
    assert isinstance(wrapped_up, WrapUpDone)
    assert (answered.wait_ms, leg.talk_ms, leg.hold_ms) == (12000, 80000, 20000)
    assert wrapped_up.wrap_up_ms == 15000
    assert sum(isinstance(fact, VisitOffered) for fact in facts) == 1


# --- envelopes and ids


def test_the_envelope_changes_nothing() -> None:
    inner = json.loads(notified("acd.start"))
    bridged = json.dumps({"id": "e", "detail-type": "x", "detail": inner}).encode()
    bare = json.dumps(inner["eventBody"]).encode()
    plain = events(notified("acd.start"))
    assert events(bridged) == plain
    assert events(bare, topic_name=inner["topicName"].encode()) == plain


def test_what_tells_happenings_apart() -> None:
    changes: list[dict[str, Any]] = [
        {}, {"eventTime": 5}, {"conversationId": "d"}, {"participantId": "r"}, {"sessionId": "t"},
    ]  # fmt: skip
    assert len({events(notified("acd.start", **change))[0].id for change in changes}) == 5
    assert events(notified("acd.start", ani="tel:1"))[0].id == events(notified("acd.start"))[0].id


# --- bad input


def test_rejections() -> None:
    assert reason(None) == "value.null"
    assert reason(b"x" * (RECORD_BYTES_MAX + 1)) == "size.exceeded"
    assert reason(b"\xff") == "json.malformed"
    assert reason(b"[" * 100_000) in ("json.malformed", "schema.invalid")
    assert reason(b'{"a":' * 40_000) == "json.malformed"
    assert reason(json.dumps(BODY).encode()) == "topic.missing"
    assert reason(notified("acd.start", queueId="")) == "queue.missing"
    assert reason(notified("user.end", userId=None)) == "agent.missing"
    assert reason(notified("acd.start", eventTime=1712000000123000)) == "time.out_of_range"
    assert reason(notified("acd.start", conversationId="c" * 201)) == "schema.invalid"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
DURATIONS = st.none() | st.integers(-(2**54), 2**54)
BODIES = st.fixed_dictionaries(
    {
        "eventTime": st.integers(-5, 4_102_444_800_005),
        "mediaType": st.sampled_from(["VOICE", "CALLBACK", "MESSAGE", "EMAIL", "VIDEO", None]),
        "direction": st.sampled_from(["INBOUND", "OUTBOUND", "UNKNOWN"]),
        "flowType": st.sampled_from(["INBOUNDCALL", "BOT", "INQUEUECALL"]),
    },
    optional={
        "queueId": st.text(max_size=130),
        "userId": st.text(max_size=130),
        "conversationId": st.text(max_size=210),
        "answeredUserId": st.text(max_size=5),
        "interactingDurationMs": DURATIONS,
        "heldDurationMs": DURATIONS,
        "wrapupDurationMs": DURATIONS,
        "connectedDurationMs": DURATIONS,
        "callbackScheduledTime": st.integers(),
        "routingPriority": st.integers(),
        "wrapupCode": st.text(max_size=200),
        "disconnectType": st.sampled_from(["PEER", "TRANSFER", "ß" * 120, None]),
    },
)


@given(st.sampled_from(sorted(CONVERSATION)), BODIES)
def test_what_is_decoded_is_valid_and_the_same_again(kind: str, body: dict[str, Any]) -> None:
    answer = decode(record(notified(kind, **body)), CUSTOMER)
    assert decode(record(notified(kind, **body)), CUSTOMER) == answer
    for event in () if isinstance(answer, Rejected) else answer:
        read = decode_agent if isinstance(event, ev.AgentEvent) else decode_contact
        assert read(encode(event)) == event


def activity(status: object, presence: object) -> bytes:
    body = {"id": "u", "routingStatus": status, "presence": presence}
    return json.dumps({"topicName": "v2.users.u.activity", "eventBody": body}).encode()


def test_an_agent_who_has_gone_is_not_brought_back_by_leaving_the_queues() -> None:
    gone = {
        "presenceDefinition": {"systemPresence": "OFFLINE"},
        "modifiedDate": "2021-05-14T16:00:00.000Z",
    }
    off = {"status": "OFF_QUEUE", "startTime": "2021-05-14T16:00:00.100Z"}
    assert [type(event) for event in events(activity(off, gone))] == [ev.LoggedOut]
    assert [type(event) for event in events(activity(off, None))] == [ev.NotReady]


def test_what_an_activity_repeats_of_long_ago_is_not_told_again() -> None:
    on_queue = {"status": "IDLE", "startTime": "2021-05-14T16:00:00.100Z"}
    before = {
        "presenceDefinition": {"systemPresence": "Break"},
        "modifiedDate": "2021-05-14T15:00:00.000Z",
    }
    assert [type(event) for event in events(activity(on_queue, before))] == [ev.Ready]


@given(JSON, JSON)
def test_agents_too(status: object, presence: object) -> None:
    value = activity(status, presence)
    assert isinstance(decode(record(value), no_pseudonym), (Rejected, tuple, list))


@pytest.mark.parametrize("kind", sorted(CONVERSATION))
def test_nothing_private_leaves(kind: str) -> None:
    fields = (
        "ani",
        "dnis",
        "addressTo",
        "addressFrom",
        "subject",
        "callbackUserName",
        "wrapupNotes",
    )
    private = dict.fromkeys(fields, SECRET)
    lists = {"callbackNumbers": [SECRET], "conversationExternalContactIds": [SECRET]}
    more = {"interactingDurationMs": 5, "wrapupDurationMs": 5, "flowType": "BOT"}
    for event in events(notified(kind, **private, **lists, **more)):
        assert SECRET.encode() not in encode(event)
