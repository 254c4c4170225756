"""Events as bytes: nothing is lost on the way, bad bytes get a stable reason without content."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.codec import EVENT_BYTES_MAX, decode_agent, decode_contact, encode
from streams.core.events import (
    AGENT_EVENTS,
    CONTACT_EVENTS,
    LoggedIn,
    Queued,
    Restarted,
    Tick,
    type_of,
)
from streams.core.source import Rejected
from tests.event_strategies import agent_events, contact_events

QUEUED: dict[str, Any] = {
    "type": "contact.queued",
    "id": "e1",
    "source": "pbx",
    "contact": "c1",
    "time": 1_791_183_466_000,
    "queue": "sales",
}


def rejected(value: bytes | None) -> Rejected:
    answer = decode_contact(value)
    assert isinstance(answer, Rejected), answer
    return answer


def changed(**fields: object) -> bytes:
    return json.dumps(QUEUED | fields).encode()


def without(field: str) -> bytes:
    return json.dumps({name: value for name, value in QUEUED.items() if name != field}).encode()


# --- there and back


@given(contact_events)
def test_a_contact_event_comes_back_as_it_was(event: Any) -> None:
    assert decode_contact(encode(event)) == event


@given(agent_events)
def test_an_agent_event_comes_back_as_it_was(event: Any) -> None:
    assert decode_agent(encode(event)) == event


def test_every_event_has_a_name_of_its_own() -> None:
    assert len(set(type_of.values())) == len(type_of) == len(CONTACT_EVENTS) + len(AGENT_EVENTS) + 2


def test_unknown_fields_are_ignored_so_newer_publishers_do_no_harm() -> None:
    event = decode_contact(changed(sentiment={"score": [1, 2]}, priority=None))
    assert event == Queued(id="e1", source="pbx", contact="c1", time=QUEUED["time"], queue="sales")


def test_system_events_are_read_from_both_topics() -> None:
    for event in (Tick(time=5), Restarted(id="r", source="pbx", time=5)):
        assert decode_contact(encode(event)) == event
        assert decode_agent(encode(event)) == event


def test_fields_at_their_default_are_not_written() -> None:
    event = Queued(id="e", source="s", contact="c", time=1, queue="q")
    assert encode(event) == (
        b'{"type":"contact.queued","id":"e","source":"s","contact":"c","time":1,"queue":"q"}'
    )


# --- bad input


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        (None, "value.null", ""),
        (b"", "json.malformed", ""),
        (b"{", "json.malformed", ""),
        (b"\xff", "json.malformed", ""),
        (changed() + b"x", "json.malformed", ""),
        (changed(queue="x").replace(b'"x"', b'"\xff"'), "json.malformed", ""),
        (changed(queue="x").replace(b'"x"', b'"\\ud800"'), "json.malformed", ""),
        (b'{"type":' + b"[" * 100_000, "json.malformed", ""),
        (changed(deep=0)[:-2] + b"[" * 9_000 + b"]" * 9_000 + b"}", "json.malformed", ""),
        (b"[]", "schema.invalid", "$: Expected `object`, got `array`"),
        (b'"text"', "schema.invalid", "$: Expected `object`, got `str`"),
        (b"{}", "event.type_unknown", "$: Object missing required field `type`"),
        (changed(type="contact.vanished"), "event.type_unknown", "$.type"),
        (changed(type="agent.logged_in"), "event.type_unknown", "$.type"),
        (changed(type=7), "event.type_unknown", "$.type: Expected `str`"),
        (without("queue"), "schema.invalid", "$: Object missing required field `queue`"),
        (changed(queue=""), "schema.invalid", "$.queue: Expected `str` of length >= 1"),
        (changed(queue="q" * 121), "schema.invalid", "$.queue: Expected `str` of length <= 120"),
        (changed(queue=None), "schema.invalid", "$.queue: Expected `str`, got `null`"),
        (changed(channel="telepathy"), "schema.invalid", "$.channel"),
        (changed(position=-1), "schema.invalid", "$.position: Expected `int` >= 0"),
        (changed(time=-1), "time.out_of_range", "$.time: Expected `int` >= 0"),
        (changed(time=10**30), "time.out_of_range", "$.time: Expected `int` <= 4102444800000"),
        (changed(time=1.5), "schema.invalid", "$.time: Expected `int`, got `float`"),
        (changed(time="now"), "schema.invalid", "$.time: Expected `int`, got `str`"),
    ],
)
def test_bad_input_gets_a_stable_reason(value: bytes | None, reason: str, detail: str) -> None:
    assert rejected(value) == Rejected(reason, detail)


def test_size_is_judged_before_anything_is_read() -> None:
    full = changed(pad="").replace(
        b'""', b'"' + b"x" * (EVENT_BYTES_MAX - len(changed(pad=""))) + b'"'
    )
    assert len(full) == EVENT_BYTES_MAX
    assert isinstance(decode_contact(full), Queued)
    assert rejected(full + b" ").reason == "size.exceeded"
    assert decode_agent(b"x" * (EVENT_BYTES_MAX + 1)) == rejected(b"x" * (EVENT_BYTES_MAX + 1))


def test_the_agent_topic_has_events_of_its_own() -> None:
    logged_in = LoggedIn(id="e", source="s", agent="a", time=1)
    assert decode_agent(encode(logged_in)) == logged_in
    assert rejected(encode(logged_in)).reason == "event.type_unknown"
    assert decode_agent(changed()) == Rejected("event.type_unknown", "$.type")
    assert decode_agent(None) == Rejected("value.null")


@pytest.mark.parametrize("field", ["type", "time", "queue", "channel", "position", "customer"])
@pytest.mark.parametrize("secret", ["SECRET", "` - at `$.SECRET`", ["SECRET"], {"SECRET": 1}])
def test_the_detail_never_shows_what_was_there(field: str, secret: object) -> None:
    answer = decode_contact(changed(**{field: secret}))
    if isinstance(answer, Rejected):
        assert "SECRET" not in answer.detail
    else:
        assert secret in (answer.queue, answer.customer)  # type: ignore[union-attr]


@given(st.one_of(st.binary(), st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner)
    | st.dictionaries(st.sampled_from(["type", "id", "time", "x"]), inner),
).map(lambda found: json.dumps(found).encode())))  # fmt: skip
def test_any_bytes_get_an_answer(value: bytes) -> None:
    assert isinstance(decode_contact(value), Rejected | Tick)
    assert isinstance(decode_agent(value), Rejected | Tick)
