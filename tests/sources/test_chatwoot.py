"""The rules of the Chatwoot adapter that hold beyond the examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streams.codec import decode_contact, encode
from streams.core import events as ev
from streams.core.pseudonym import Pseudonymizer, no_pseudonym
from streams.core.source import Record, Rejected
from streams.sources.chatwoot import BODY_BYTES_MAX, SOURCE_CHARS_MAX, decode
from streams.sources.chatwoot.body import CHANGES_MAX, CHANNELS
from streams.sources.chatwoot.events import EVENTS

CUSTOMER = Pseudonymizer(b"sixteen bytes ok", "k1")
EXAMPLES = Path(__file__).resolve().parents[2] / "schemas" / "examples" / "chatwoot"
SECRETS = ("Ann Example", "ann@crm.example", "+4930123456", "4930123456")
USER = {"id": 7, "type": "user", "name": "Ann Example", "email": "ann@crm.example"}
BOT = {"id": 2, "type": "agent_bot", "name": "Ann Example"}


def conversation(**fields: Any) -> dict[str, Any]:
    sender = {"id": 42, "name": "Ann Example", "phone_number": "+4930123456"}
    times = {"created_at": 1791183466, "updated_at": 1791183466.25}
    meta = {"sender": sender, "assignee": None, "team": None}
    return (
        {"id": 207, "inbox_id": 3, "channel": "Channel::WebWidget", "meta": meta} | times | fields
    )


def changed(before: str, status: str, **fields: Any) -> dict[str, Any]:
    changes = [{"status": {"previous_value": before, "current_value": status}}]
    body = conversation(status=status, changed_attributes=changes, **fields)
    return {"event": "conversation_status_changed"} | body


def message(kind: object = "outgoing", sender: object = None, **fields: Any) -> dict[str, Any]:
    body = {"event": "message_created", "id": 9, "created_at": "2026-10-05T06:57:46.123Z"}
    written = {"message_type": kind, "sender": sender, "private": False, "content": "Ann Example"}
    return body | written | {"conversation": conversation()} | fields


def record(value: bytes | None, **headers: bytes) -> Record:
    return Record("raw", 0, 0, 0, None, value, tuple(headers.items()))


def events(body: object, **headers: bytes) -> list[Any]:
    answer = decode(record(json.dumps(body).encode(), **headers), CUSTOMER)
    assert not isinstance(answer, Rejected), answer
    return list(answer)


def rejection(body: object, **headers: bytes) -> str:
    value = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    answer = decode(record(value, **headers), CUSTOMER)
    assert isinstance(answer, Rejected), answer
    return answer.reason


def types(body: object) -> list[str]:
    return [ev.type_of[type(event)].removeprefix("contact.") for event in events(body)]


# --- which bodies are understood


def test_no_record_is_too_odd_to_get_an_answer() -> None:
    assert rejection(None) == "value.null"
    assert rejection(b"x" * (BODY_BYTES_MAX + 1)) == "size.exceeded"
    assert rejection(b"") == "json.malformed"
    assert rejection(b'{"event":"\xff"}') == "json.malformed"
    assert rejection(b'{"x":' + b"[" * 100_000) == "json.malformed"
    assert rejection({"id": 7}) == "event.missing"
    assert rejection(message(), source=b"\xff") == "header.invalid"
    assert rejection(message(), source=b"s" * (SOURCE_CHARS_MAX + 1)) == "header.invalid"


def test_what_is_not_for_us_is_neither_used_nor_rejected() -> None:
    assert events({"event": "contact_created", "id": "x"}) == []
    assert events({"event": "telepathy", "created_at": []}) == []


def test_lists_are_bounded() -> None:
    body = changed("open", "resolved")
    assert rejection(body | {"changed_attributes": [{}] * (CHANGES_MAX + 1)}) == "schema.invalid"
    assert events(body | {"changed_attributes": [{}] * CHANGES_MAX})


@pytest.mark.parametrize("number", [0, -1, 2**63, 1.5, "7", True, [], {}])
def test_ids_are_whole_numbers(number: object) -> None:
    assert rejection(changed("open", "resolved") | {"id": number}) == "schema.invalid"


@pytest.mark.parametrize(
    ("written", "time_ms"),
    [
        ("2026-10-05T06:57:46.123Z", 1791183466123),
        ("2026-10-05T08:57:46.123+02:00", 1791183466123),
        ("2026-10-05 06:57:46 UTC", 1791183466000),
        (1791183466, 1791183466000),
        (1791183466.25, 1791183466250),
    ],
)
def test_times_are_epoch_seconds_or_iso_8601(written: object, time_ms: int) -> None:
    assert events(message(created_at=written))[0].time == time_ms


@pytest.mark.parametrize("written", [None, "", "soon", "2026-10-05", "x" * 99, 0])
def test_a_time_that_is_none_rejects_the_event(written: object) -> None:
    assert rejection(message(created_at=written)) == "time.malformed"


@pytest.mark.parametrize("written", [1791183466123, 1e300, -5, 10**40, "2101-01-01T00:00:00Z"])
def test_a_time_in_another_unit_is_out_of_range(written: object) -> None:
    assert rejection(message(created_at=written)) in ("time.out_of_range", "schema.invalid")


def test_a_status_without_a_time_has_no_identity() -> None:
    body = changed("open", "resolved", updated_at=None)
    assert rejection(body) == "time.malformed"
    assert events(body | {"last_activity_at": 7})[0].time == 7000


# --- ids


def test_ids_come_from_the_body_and_from_nothing_else() -> None:
    for body in (message(), changed("pending", "open")):
        first = events(body)
        assert events(body, **{"x-chatwoot-delivery": b"1f0a"}) == first
        assert events(body | {"content": "changed", "labels": []}) == first


def test_ids_of_different_happenings_differ() -> None:
    bodies = [
        message(),
        message() | {"id": 10},
        changed("open", "resolved"),
        changed("open", "snoozed"),
        changed("open", "resolved", updated_at=1791183467.25),
        {"event": "conversation_created"} | conversation(status="open"),
    ]
    ids = [event.id for body in bodies for event in events(body)]
    assert len(ids) == len(set(ids))


def test_contacts_of_a_named_installation_are_its_own() -> None:
    plain, named = events(message())[0], events(message(), source=b"eu")[0]
    assert (plain.contact, plain.source) == ("3-207", "chatwoot")
    assert (named.contact, named.source) == ("eu:3-207", "eu")


def test_ids_of_the_longest_names_still_fit() -> None:
    large = {"id": 2**63 - 1, "inbox_id": 2**63 - 1}
    bodies = [changed("open", "pending") | large, rated(5) | {"id": 2**63 - 1}]
    bodies[1]["conversation"] |= large
    for body in bodies:
        for event in events(body, source=b"s" * SOURCE_CHARS_MAX):
            assert decode_contact(encode(event)) == event


# --- meaning


@pytest.mark.parametrize(
    ("body", "author", "automatic", "answers"),
    [
        (message("incoming"), "customer", False, False),
        (message("outgoing", USER), "agent", False, True),
        (message(1, USER), "agent", False, True),
        (message("outgoing", {"id": 7}), "agent", False, True),
        (message("outgoing", USER, private=True), "agent", False, False),
        (message("outgoing", BOT), "bot", False, False),
        (message("outgoing", {"id": 1, "type": "captain_assistant"}), "bot", False, False),
        (message("outgoing"), "system", False, False),
        (message(content_attributes={"external_echo": True}), "agent", False, True),
        (message(1, USER, content_attributes={"automation_rule_id": 3}), "agent", True, False),
        (message(1, USER, additional_attributes={"campaign_id": 3}), "agent", True, False),
        (message("template"), "system", True, False),
        (message(3), "system", True, False),
    ],
)
def test_only_what_a_person_wrote_to_the_customer_is_an_answer(
    body: object, author: str, automatic: bool, answers: bool
) -> None:
    said, *more = events(body)
    assert (said.author, said.automatic) == (author, automatic)
    assert more == []
    assert (author == "agent" and said.public and not automatic) is answers


@pytest.mark.parametrize("kind", [None, "telepathy", 4, -1, True, []])
def test_a_message_of_no_known_type_is_rejected(kind: object) -> None:
    assert rejection(message(kind)) == "schema.invalid"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("pending", "open", ["status_changed", "stage_left", "bot_handed_off"]),
        ("pending", "resolved", ["status_changed", "stage_left", "resolution_claimed", "ended"]),
        ("resolved", "open", ["status_changed"]),
        ("resolved", "pending", ["status_changed", "stage_entered"]),
        ("open", "pending", ["status_changed", "stage_entered"]),
        ("open", "snoozed", ["status_changed"]),
        ("snoozed", "open", ["status_changed"]),
        ("open", "resolved", ["status_changed", "ended"]),
        ("telepathy", "open", ["status_changed"]),
    ],
)
def test_what_a_change_of_status_means(before: str, after: str, expected: list[str]) -> None:
    assert types(changed(before, after)) == expected


def test_without_the_status_before_only_the_status_is_told() -> None:
    assert types(changed("x", "open") | {"changed_attributes": None}) == ["status_changed"]


@pytest.mark.parametrize(
    ("kind", "agent"), [({"type": "user"}, "user-7"), ({}, "user-7"), ({"type": "agent_bot"}, None)]
)
def test_only_a_person_is_an_assignee(kind: dict[str, str], agent: str | None) -> None:
    meta = {"assignee": {"id": 7, **kind}, "team": {"id": 4, "name": "Ann Example"}}
    changes = [{"assignee_id": {"previous_value": None, "current_value": 7}}]
    body = conversation(meta=meta, changed_attributes=changes)
    (assigned,) = events({"event": "conversation_updated"} | body)
    assert (assigned.agent, assigned.team, assigned.queue) == (agent, "team-4", "inbox-3")


def rated(score: object) -> dict[str, Any]:
    survey = {"submitted_values": {"csat_survey_response": {"rating": score}}}
    return message(3, content_type="input_csat", content_attributes=survey) | {
        "event": "message_updated"
    }


def test_an_answer_to_the_survey_is_told_once_however_often_its_message_changes() -> None:
    (first,) = events(rated(4))
    body = rated(4)
    body["conversation"]["updated_at"] = 1791189999.5
    (again,) = events(body)
    (changed_mind,) = events(rated(5))
    assert again.id == first.id != changed_mind.id
    assert again.time > first.time


def test_a_rating_is_told_with_its_scale() -> None:
    (told,) = events(rated(4))
    assert (told.survey, told.score, told.scale, told.time) == ("csat", 4, 5, 1791183466250)
    assert [rejection(rated(score)) for score in (0, 6, "4", [])] == ["schema.invalid"] * 4
    assert events(rated(None)) == []
    assert types(message(3, content_type="input_csat")) == ["message", "survey_sent"]


@pytest.mark.parametrize("name", sorted(CHANNELS))
def test_channels(name: str) -> None:
    body = message(conversation=conversation(channel=name))
    assert events(body)[0].channel == CHANNELS[name]


def test_nothing_here_opens_a_visit_or_handle_time() -> None:
    """A conversation is open for days; that is no work, and no stay in a queue."""
    visits = (ev.Queued, ev.Answered, ev.Handled, ev.Transferred, ev.LeftQueue)
    lines = [line for file in EXAMPLES.glob("*.txt") for line in file.read_bytes().splitlines()]
    answers = [decode(record(line), CUSTOMER) for line in lines]
    told = [event for answer in answers if not isinstance(answer, Rejected) for event in answer]
    assert told
    assert not any(isinstance(event, visits) for event in told)


# --- who begins


def opened(*messages: dict[str, Any]) -> Any:
    body = conversation(status="open", messages=list(messages))
    return events({"event": "conversation_created"} | body)[0]


BEGUN = 1791183466


@pytest.mark.parametrize(
    ("first", "direction"),
    [
        ({"message_type": 0, "created_at": BEGUN}, "inbound"),
        ({"message_type": 1, "created_at": BEGUN, "sender": USER}, "outbound"),
        ({"message_type": 1, "created_at": BEGUN + 1, "sender": USER}, "outbound"),
        ({"message_type": 1, "created_at": BEGUN + 2, "sender": USER}, "inbound"),
        ({"message_type": 1, "created_at": BEGUN, "sender": BOT}, "inbound"),
        ({"message_type": 1, "created_at": BEGUN}, "inbound"),
        ({"message_type": 3, "created_at": BEGUN}, "inbound"),
        ({"message_type": 1, "sender": USER}, "inbound"),
        (
            {"message_type": 1, "created_at": BEGUN, "additional_attributes": {"campaign_id": 3}},
            "outbound",
        ),
        (
            {
                "message_type": 1,
                "created_at": BEGUN,
                "sender": USER,
                "content_attributes": {"automation_rule_id": 3},
            },
            "inbound",
        ),
    ],
)
def test_a_conversation_is_outbound_if_we_wrote_first(
    first: dict[str, Any], direction: str
) -> None:
    assert opened(first).direction == direction


def test_a_conversation_without_a_message_is_inbound() -> None:
    assert opened().direction == "inbound"


# --- privacy


def customer(**sender: Any) -> str | None:
    body = conversation(status="open", meta={"sender": sender})
    return events({"event": "conversation_created"} | body)[0].customer  # type: ignore[no-any-return]


def test_a_customer_is_the_number_else_the_address_else_chatwoots_id() -> None:
    assert customer(id=1, phone_number="0049 30 12345678", email="a@b") == CUSTOMER(
        "phone", "+493012345678"
    )
    assert customer(id=1, phone_number=None, email="A@b") == CUSTOMER("email", "a@b")
    assert customer(id=1, phone_number="anonymous", email=" ") == CUSTOMER("id", "chatwoot:1")
    assert customer() is None


def test_without_a_key_nobody_is_a_customer() -> None:
    body = {"event": "conversation_created"} | conversation(status="open")
    answer = decode(record(json.dumps(body).encode()), no_pseudonym)
    assert answer[0].customer is None  # type: ignore[union-attr]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("name", sorted(EVENTS))
def test_nothing_personal_leaves(name: str, secret: str) -> None:
    sender = {"id": 42, "name": secret, "email": secret, "phone_number": secret, "type": secret}
    team, survey = {"id": 4, "name": secret}, {"rating": 4, "feedback_message": secret}
    meta = {"sender": sender, "assignee": sender, "team": team}
    status = {"previous_value": secret, "current_value": "open"}
    changes = [{"status": status, "assignee_id": {"previous_value": secret}}]
    body = conversation(status="open", meta=meta, changed_attributes=changes, labels=[secret])
    spoilt = message(1, sender, content=secret, source_id=secret, content_type="input_csat")
    spoilt["content_attributes"] = {"submitted_values": {"csat_survey_response": survey}}
    told = events(spoilt | body | {"event": name, "conversation": body, "channel": secret})
    assert told
    assert not any(each in encode(event).decode() for event in told for each in SECRETS)
