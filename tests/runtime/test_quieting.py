"""A library's repeated message is said once in a while; ours always."""

from __future__ import annotations

import logging

import pytest

from streams.runtime import quieting
from streams.runtime.quieting import Sparse


def record(name: str, text: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, __file__, 1, text, args, None)


def test_a_repeated_message_is_held_back_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(quieting, "monotonic", lambda: now)
    sparse = Sparse()
    told = []
    for _ in range(25):
        said = record("aiokafka", "no connection to %s", now)
        if sparse.filter(said):
            told.append(said.getMessage())
        now += 1
    assert told == [
        "no connection to 0.0",
        "no connection to 10.0 (and 9 times before)",
        "no connection to 20.0 (and 9 times before)",
    ]


def test_ours_and_other_messages_pass() -> None:
    sparse = Sparse()
    assert all(sparse.filter(record("streams", "again")) for _ in range(5))
    assert sparse.filter(record("aiokafka", "one"))
    assert sparse.filter(record("aiokafka", "two"))
    assert not sparse.filter(record("aiokafka", "two"))
