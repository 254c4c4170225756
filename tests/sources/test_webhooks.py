"""What holds for the platforms all of whose names are identifiers: Zendesk and Intercom."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.codec import encode
from streams.core.source import Record, Rejected
from streams.sources import SOURCES
from streams.sources.zendesk import BODY_BYTES_MAX
from tests.sources.test_any_source import CUSTOMER, LINES, changed, parts, paths

NAMES = ("intercom", "zendesk")
DISCRIMINATOR = {"intercom": b"topic", "zendesk": b"type"}


def readable(name: str) -> list[Any]:
    """The examples that give events."""
    decode = SOURCES[name].decode
    lines = [
        line for line in LINES[name] if parts(decode(Record("", 0, 0, 0, None, line), CUSTOMER))[0]
    ]
    return [json.loads(line) for line in lines]


BODIES = {name: readable(name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "value.null"),
        (b" " * (BODY_BYTES_MAX + 1), "size.exceeded"),
        (b"", "json.malformed"),
        (b"\xff", "json.malformed"),
        (b'{"%b":"\xff"}', "json.malformed"),
        (b'{"x":' * 100_000, "json.malformed"),
        (b"{}", "schema.invalid"),
        (b"[]", "schema.invalid"),
    ],
)
def test_what_cannot_be_read_is_rejected(name: str, value: bytes | None, reason: str) -> None:
    value = value and value.replace(b"%b", DISCRIMINATOR[name])
    rejected = SOURCES[name].decode(Record("raw", 0, 0, 0, None, value), CUSTOMER)
    assert isinstance(rejected, Rejected)
    assert rejected.reason == reason


@pytest.mark.parametrize("name", NAMES)
def test_what_came_with_the_customer_leaves_in_no_event(name: str) -> None:
    privates = "Ann ANN 3238679471 crm @ lunch cannot 8447388090494 696205460674dbb9050aa7fd"
    for line in LINES[name]:
        events, _ = parts(SOURCES[name].decode(Record("raw", 0, 0, 0, None, line), CUSTOMER))
        told = b"".join(encode(event) for event in events).decode()
        assert not any(private in told for private in privates.split()), told


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data(), text=st.text(min_size=8, max_size=70))
def test_text_written_anywhere_leaves_only_as_an_identifier(
    name: str, data: st.DataObject, text: str
) -> None:
    """A name or an address has characters that no identifier has."""
    text = f"{text} @"
    body = data.draw(st.sampled_from(BODIES[name]))
    value = json.dumps(changed(body, data.draw(st.sampled_from(paths(body))), text)).encode()
    events, rejected = parts(SOURCES[name].decode(Record("raw", 0, 0, 0, None, value), CUSTOMER))
    assert all(text not in each.detail for each in rejected)
    assert all(text not in str(event) for event in events)
