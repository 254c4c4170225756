"""``contact-streams dlq``, without a broker."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from streams.cli import dlq
from streams.cli.letters import safe, safe_bytes, time_told
from streams.cli.parsing import UsageError
from streams.dead_letters import reading, replaying
from streams.dead_letters.judging import Word
from streams.dead_letters.ledger import Ledger
from streams.dead_letters.letter import Letter
from streams.dead_letters.replaying import Order, Outcome
from tests.dead_letters.builders import RAW, a_letter, a_record

SECRET = "+4930123456"
HOSTILE = f"\x1b[2J{SECRET}\u202e\n\x00".encode() + b"\xff"
LETTERS = (
    a_letter(
        a_record(HOSTILE, headers=[("auth", SECRET.encode()), ("trace", None)], key=SECRET.encode())
    ),
    a_letter(a_record(b"y", offset=18), reason="time.malformed"),
)


@pytest.fixture(autouse=True)
def topic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two letters, the second of which was sent back."""

    def read(deployment: object, take: Callable[[Letter | None], object], *_: object) -> None:
        for letter in (*LETTERS, None):
            take(letter)

    def ledger(deployment: object) -> Ledger:
        found = Ledger()
        found.replayed = {LETTERS[1].replay}
        return found

    monkeypatch.setattr(reading, "read_letters", read)
    monkeypatch.setattr(reading, "read_ledger", ledger)
    monkeypatch.setattr(reading, "letter_at", lambda *_: LETTERS[0])


@pytest.fixture
def says(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    def said(*words: str) -> tuple[str, str]:
        assert dlq.main(words) == 0
        captured = capsys.readouterr()
        return captured.out, captured.err

    return said


Says = Callable[..., tuple[str, str]]


def test_list_counts(says: Says) -> None:
    out, err = says("list")
    heading, *rows = out.splitlines()
    assert heading.split()[:6] == ["reason", "stage", "topic", "letters", "open", "replayed"]
    assert [row.split()[3:6] for row in rows] == [["1", "0", "1"], ["1", "1", "0"]]
    assert "1 records of the topic are no letters of ours" in err
    told = [json.loads(line) for line in says("list", "--json")[0].splitlines()]
    assert [one["reason"] for one in told] == ["time.malformed", "verb.unknown"]


def test_list_shows_records_up_to_a_limit(says: Says) -> None:
    out, err = says("list", "--records", "--limit", "1")
    assert len(out.splitlines()) == 2
    assert "1 more" in err
    out, err = says("list", "--records", "--json", "--limit", "0")
    assert [json.loads(line)["state"] for line in out.splitlines()] == ["open", "replayed"]
    assert "more" not in err


@pytest.mark.parametrize("more", [[], ["--json"]])
@pytest.mark.parametrize("words", [["list"], ["list", "--records"], ["show", "0:0"]])
def test_what_is_in_a_letter_is_shown_only_when_asked_for(
    says: Says, words: Sequence[str], more: Sequence[str]
) -> None:
    assert SECRET not in "".join(says(*words, *more))


def test_show_with_the_body_warns_and_escapes(says: Says) -> None:
    out, err = says("show", "0:0", "--body")
    assert r"body     \x1b[2J+4930123456\u202e\n\x00\xff" in out
    assert f"auth = {SECRET}" in out
    assert "trace = (none)" in out
    assert "personal data" in err
    told = json.loads(says("show", "0:0", "--body", "--json")[0])
    assert told["key"] == SECRET
    assert told["body_base64"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("ü ok", "ü ok"), ("a\tb", "a\\tb"), ("\x9b", "\\x9b"), ("\u2028", "\\u2028")],
)
def test_nothing_acts_on_a_terminal(text: str, shown: str) -> None:
    assert safe(text) == shown
    assert safe_bytes(text.encode()) == shown


def test_a_time_that_is_in_no_calendar_is_told_as_it_is() -> None:
    assert time_told(10**17) == "100000000000000000 ms"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["list", "--reason", "verb.unknwon"],
        ["list", "--stage", "injest"],
        ["list", "--since", "yesterday"],
        ["show"],
        ["show", "12"],
        ["replay", "--rate", "0"],
        ["replay", "--rate", "fast"],
        ["replay", "--limit", "-1"],
        ["list", "--records", "--limit", "-1"],
    ],
)
def test_what_cannot_be_understood_is_refused(words: Sequence[str]) -> None:
    with pytest.raises(UsageError):
        dlq.main(words)


def test_a_topic_may_be_named_without_its_prefix(says: Says) -> None:
    for name in (RAW, RAW.removeprefix("cc.")):
        assert len(says("list", "--topic", name)[0].splitlines()) == 3
    assert says("list", "--topic", "events.contact.v1")[0] == ""


@pytest.mark.parametrize(
    ("words", "signal", "code"),
    [
        ({}, 0, 0),
        ({"passes": 3, "never": 2, "late": 1}, 0, 0),
        *(({word: 1}, 0, 1) for word in ("refused", "counted", "looped", "too_large", "unread")),
        ({"refused": 1}, 2, 130),
        ({}, 15, 143),
    ],
)
def test_the_exit_code_says_whether_something_is_to_be_done(
    words: dict[Word, int],
    signal: int,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    orders: list[Order] = []

    def replay(settings: object, order: Order, progress: object) -> Outcome:
        orders.append(order)
        return Outcome(words=Counter(words), forgotten=7, signal=signal, limited=True)

    monkeypatch.setattr(replaying, "replay", replay)
    assert dlq.main(["replay", "--limit", "9", "--rate", "30/m"]) == code
    assert orders[0][1:] == (False, 0.5, 9, False)
    said: Any = capsys.readouterr()
    assert "a dry run: nothing was sent" in said.err
    assert "7 tell of contacts that may be forgotten" in said.err
    assert "--limit was reached" in said.err
    assert dlq.main(["replay", "--apply", "--json"]) == code
    assert orders[1].apply
    assert json.loads(capsys.readouterr().out)["refused"] == words.get("refused", 0)
