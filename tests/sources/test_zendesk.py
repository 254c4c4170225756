"""The rules of the Zendesk adapter that hold beyond the examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streams.sources.webhook_json import BODY_BYTES_MAX

from streams.codec import decode_agent, decode_contact, encode
from streams.core import events as ev
from streams.core.pseudonym import Pseudonymizer
from streams.core.source import Event, Record, Rejected
from streams.sources.zendesk import decode

CUSTOMER = Pseudonymizer(b"sixteen bytes ok", "k1")
EXAMPLES = Path(__file__).resolve().parents[2] / "schemas" / "examples" / "zendesk"
BODIES: list[dict[str, Any]] = [
    json.loads(line)
    for path in sorted(EXAMPLES.glob("*.txt"))
    if "dirt" not in path.name
    for line in path.read_bytes().splitlines()
]


def record(value: bytes | None) -> Record:
    return Record("raw", 0, 0, 0, None, value)


def answer(body: Any) -> Any:
    return decode(record(json.dumps(body).encode()), CUSTOMER)


def events(body: Any) -> list[Event]:
    found = answer(body)
    assert not isinstance(found, Rejected), found
    return list(found)


def kinds(body: Any) -> list[str]:
    return [ev.type_of[type(event)] for event in events(body)]


def changed(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """A copy with one thing in it exchanged."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = changed(copy[path[0]], path[1:], new)
    return copy


def paths(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where something stands in a body."""
    inside = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [at, *(path for key, inner in inside for path in paths(inner, (*at, key)))]


def of(kind: str, at: int = 0, **detail: Any) -> dict[str, Any]:
    """The n-th example of this type, with the ticket changed."""
    found = [body for body in BODIES if body["type"].endswith(kind)][at]
    return found | {"detail": found["detail"] | detail}


@pytest.mark.parametrize(
    ("current", "previous", "status", "ended"),
    [
        ("OPEN", "NEW", "open", False),
        ("HOLD", "OPEN", "on_hold", False),
        ("Pending", "open", "pending", False),
        ("SOLVED", "OPEN", "solved", True),
        ("CLOSED", "SOLVED", "closed", False),
        ("CLOSED", "OPEN", "closed", True),
        ("OPEN", "SOLVED", "open", False),
    ],
)
def test_a_contact_ends_when_it_is_solved_first(
    current: str, previous: str, status: str, ended: bool
) -> None:
    body = of(".status_changed") | {"event": {"current": current, "previous": previous}}
    assert getattr(events(body)[0], "status", "") == status
    assert ("contact.ended" in kinds(body)) is ended


@pytest.mark.parametrize(
    ("writer", "is_staff", "author", "automatic"),
    [
        ("8447388090777", True, "agent", False),
        ("8447388090494", False, "customer", False),
        ("8447388090494", True, "customer", False),
        ("-1", True, "system", True),
        (-1, False, "system", True),
    ],
)
def test_only_staff_that_did_not_ask_replies(
    writer: Any, is_staff: bool, author: str, automatic: bool
) -> None:
    body = of(".comment_added")
    body["event"] = {"comment": {"is_public": True, "author": {"id": writer, "is_staff": is_staff}}}
    (message,) = events(body)
    assert isinstance(message, ev.Message)
    assert (message.author, message.automatic) == (author, automatic)
    assert (message.agent is not None) is (author == "agent")


def test_numbers_and_strings_are_the_same_identifiers() -> None:
    body = of(".created", 1)
    assert events(of(".created", 1, id=5158, group_id=int(body["detail"]["group_id"]))) == events(
        body
    )


def test_a_ticket_waits_only_in_a_group_and_without_an_agent() -> None:
    assert "contact.queued" in kinds(of(".created", 1))
    assert "contact.queued" not in kinds(of(".created", 1, assignee_id="7"))
    assert "contact.queued" not in kinds(of(".created", 1, group_id="0"))


def test_a_change_of_group_is_a_transfer_once_somebody_had_the_ticket() -> None:
    moved = of(".group_assignment_changed", status="NEW", assignee_id=None)
    assert kinds(moved) == ["contact.assigned", "contact.left_queue", "contact.queued"]
    moved["detail"]["status"] = "OPEN"
    assert kinds(moved) == ["contact.assigned", "contact.transferred", "contact.queued"]
    moved["detail"]["status"] = "SOLVED"
    assert kinds(moved) == ["contact.assigned"]


def test_a_change_of_group_that_takes_the_agent_away_is_one_entry() -> None:
    moved = of(".group_assignment_changed", 1)
    freed = of(".agent_assignment_changed", 0) | {"id": "another", "detail": moved["detail"]}
    freed["event"] = {"current": None, "previous": "7", "meta": moved["event"]["meta"]}
    assert kinds(freed) == ["contact.assigned", "contact.queued"]
    assert events(freed)[-1].id == events(moved)[-1].id


@pytest.mark.parametrize(
    ("via", "channel"),
    [("email", "email"), ("native_messaging", "chat"), ("voice", "ticket"), (None, "ticket")],
)
def test_channels(via: str | None, channel: str) -> None:
    assert {getattr(e, "channel", "") for e in events(of(".created", via={"channel": via}))} == {
        channel
    }


@pytest.mark.parametrize("kind", ["ticket.subject_changed", "user.created", "ticket.", ""])
def test_other_types_tell_nothing(kind: str) -> None:
    assert events({"type": f"zen:event-type:{kind}"}) == []


# --- any body


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "value.null"),
        (b" " * (BODY_BYTES_MAX + 1), "size.exceeded"),
        (b"", "json.malformed"),
        (b"\xff", "json.malformed"),
        (b'{"type":"\xff"}', "json.malformed"),
        (b'{"x":' * 100_000, "json.malformed"),
        (b"{}", "schema.invalid"),
        (b"[]", "schema.invalid"),
    ],
)
def test_what_cannot_be_read_is_rejected(value: bytes | None, reason: str) -> None:
    rejected = decode(record(value), CUSTOMER)
    assert isinstance(rejected, Rejected)
    assert rejected.reason == reason


def test_a_redelivery_gives_the_same_ids_wherever_it_stands_in_the_log() -> None:
    for body in BODIES:
        value = json.dumps(body, indent=1).encode()
        again = Record("other", 3, 9, 5, b"k", value, [("h", b"v")])
        assert decode(again, CUSTOMER) == answer(body)


def test_what_came_with_the_customer_leaves_in_no_event() -> None:
    for body in BODIES:
        for event in events(body):
            told = encode(event).decode()
            for private in (
                "Ann",
                "ANN",
                "3238679471",
                "crm",
                "@",
                "lunch",
                "cannot",
                "8447388090494",
            ):
                assert private not in told, (private, told)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=70),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)


def valid(found: Any) -> None:
    assert isinstance(found, Rejected | tuple | list)
    for event in () if isinstance(found, Rejected) else found:
        read = decode_agent if isinstance(event, ev.AgentEvent) else decode_contact
        assert read(encode(event)) == event


@given(st.binary(max_size=300))
def test_any_bytes_get_an_answer(value: bytes) -> None:
    valid(decode(record(value), CUSTOMER))


@given(JSON)
def test_any_json_gets_an_answer(body: Any) -> None:
    valid(answer(body))


@given(st.data())
def test_whatever_stands_in_a_body_what_leaves_is_valid_and_the_same_again(data: Any) -> None:
    body = data.draw(st.sampled_from(BODIES))
    path = data.draw(st.sampled_from(paths(body)))
    body = changed(body, path, data.draw(JSON))
    found = answer(body)
    valid(found)
    assert answer(body) == found
    if isinstance(found, Rejected):
        assert len(found.detail) < 60


@given(st.data(), st.text(min_size=8, max_size=70))
def test_text_written_anywhere_leaves_only_as_an_identifier(data: Any, text: str) -> None:
    """A name or an address has characters that no identifier has."""
    text = f"{text} @"
    body = data.draw(st.sampled_from(BODIES))
    found = answer(changed(body, data.draw(st.sampled_from(paths(body))), text))
    if isinstance(found, Rejected):
        assert text not in found.detail
    else:
        assert all(text not in str(event) for event in found)
