"""The ledger of replays, and their pace."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.dead_letters.ledger import Ledger, Note, Sending, Sent, encode, ends_by_place
from streams.dead_letters.pace import LETTERS_MAX, Pace, rate_of
from streams.errors import StateError


class Read(NamedTuple):
    value: bytes
    timestamp: int = 7
    topic: str = "cc.dlq.replays.v1"
    partition: int = 0
    offset: int = 3


def ledger(*notes: Note) -> Ledger:
    made = Ledger()
    made.take([Read(encode(note)) for note in notes])
    return made


@pytest.mark.parametrize("value", [b"", b"{", b'{"step":"hop"}', b"\xff"])
def test_what_is_no_note_is_told(value: bytes) -> None:
    with pytest.raises(StateError, match=r"cc\.dlq\.replays\.v1\[0\] has a record"):
        Ledger().take([Read(value)])


ONE = Sending(["raw/0/1@5#1", "raw/0/2@5#1"], [("raw", 0, 40), ("raw", 1, 7)])


def test_what_went_is_known_and_what_was_only_announced_is_in_doubt() -> None:
    found = ledger(ONE)
    assert (found.replayed, found.doubtful, found.noted_ms) == (set(), ONE, 7)
    assert ends_by_place(ONE) == {("raw", 0): 40, ("raw", 1): 7}
    found = ledger(ONE, Sent(ONE.replays[:1]))
    assert (found.replayed, found.doubtful) == ({"raw/0/1@5#1"}, None)
    found = ledger(ONE, Sent(ONE.replays), Sending(["b"], []), Sent([]))
    assert (found.replayed, found.doubtful) == (set(ONE.replays), None)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("500/s", 500),
        ("20", 20),
        ("30/m", 0.5),
        ("0.5", 0.5),
        ("0", None),
        ("x", None),
        ("-1", None),
    ],
)
def test_rates(text: str, rate: float | None) -> None:
    assert rate_of(text) == rate


@given(
    st.floats(0.1, 50_000),
    st.lists(st.floats(0, 5, allow_nan=False), min_size=2, max_size=30),
)
def test_no_faster_than_the_rate_whatever_each_batch_takes(rate: float, takes: list[float]) -> None:
    pace, now, sent = Pace(rate), 100.0, 0
    assert 1 <= pace.batch_max <= LETTERS_MAX
    for seconds in takes:
        now += pace.wait_seconds(now)
        # What went before this batch was allowed to go by now.
        assert sent <= (now - 100.0) * rate + 1e-6 * rate
        pace.sent(pace.batch_max, now)
        sent += pace.batch_max
        now += seconds
