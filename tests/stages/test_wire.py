"""Records of the partials topic."""

from __future__ import annotations

import pytest

from streams.core.partials import Mark, Partial, Register
from streams.stages import wire

QUEUE = ("queue", "m", "voice")


@pytest.mark.parametrize(
    "message",
    [
        Partial("contacts/0", 7, QUEUE, 29_000_000, 1 << 40, {"contacts_offered": 3, "wait:0": -1}),
        Register("m", QUEUE, 5, {"waiting": 2}),
        Mark("contacts/0", 1 << 40, 1_790_000_000_000),
        Mark("x" * 300, 0, -1),
    ],
    ids=["partial", "register", "mark", "mark_of_a_long_name"],
)
def test_a_message_comes_back_and_marks_are_told_apart(message: Partial | Register | Mark) -> None:
    value = wire.encode(message)
    found = wire.decode(value)
    assert found == message
    assert type(found) is type(message)
    assert wire.is_mark(value) == isinstance(message, Mark)


@pytest.mark.parametrize("value", [b"\x91\xa1x", b"\xc1"], ids=["another_kind", "no_messagepack"])
def test_what_is_not_ours_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a partial|malformed"):
        wire.decode(value)
