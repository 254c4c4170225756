"""``contact-streams targets``, without a broker."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams import breaches
from streams.breaches import Latest, Wanted
from streams.cli import targets
from streams.cli.parsing import UsageError


class Rec:
    def __init__(self, queue: str, state: str, since: str = "10:00", revision: int = 1) -> None:
        event = {
            "target": "Soon", "kpi": "service_level_pos", "key": {"queue": queue},
            "window": {"kind": "rolling_30m"}, "event": state, "state": state,
            "since": f"2026-10-05T{since}:00Z", "value": 0.712, "unit": "ratio", "at_least": 0.8,
            "revision": revision,
        }  # fmt: skip
        self.key: bytes | None = json.dumps(["Soon", "queue", queue]).encode()
        self.value: bytes | None = json.dumps(event).encode()


def gone(queue: str) -> Rec:
    record = Rec(queue, "met")
    record.value = None
    return record


def latest(*records: Rec) -> Latest:
    made = Latest()
    made.take(records)
    return made


def queues(found: Latest, **wanted: Any) -> list[str]:
    return [event["key"]["queue"] for event in found.events(Wanted(**wanted))]


def test_breaches_come_first_and_what_is_met_again_only_when_asked_for() -> None:
    found = latest(
        Rec("a", "warning"), Rec("b", "breached", "11:00"), Rec("c", "met"), Rec("d", "breached")
    )
    assert queues(found) == ["d", "b", "a"]
    assert queues(found, met=True) == ["d", "b", "a", "c"]
    assert queues(found, queue="b") == ["b"]


def test_a_later_event_replaces_and_a_tombstone_withdraws() -> None:
    found = latest(Rec("a", "breached"), Rec("a", "met", revision=2), Rec("b", "breached"))
    assert queues(found) == ["b"]
    found.take([gone("b"), gone("nobody")])
    assert queues(found) == []


def test_what_comes_again_is_no_news() -> None:
    found = Latest()
    assert len(found.take([Rec("a", "breached"), Rec("a", "breached")])) == 1


@pytest.fixture
def stands(monkeypatch: pytest.MonkeyPatch) -> None:
    found = latest(Rec("a", "breached"), Rec("c", "met"))
    monkeypatch.setattr(breaches, "read_latest", lambda deployment: found)


@pytest.mark.usefixtures("stands")
def test_list_shows_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert targets.main(["list"]) == 0
    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split() == [
        "state",
        "target",
        "kpi",
        "key",
        "window",
        "since",
        "value",
        "wanted",
    ]
    assert row.split()[:4] == ["breached", "Soon", "service_level_pos", "queue=a"]
    assert row.endswith("2026-10-05T10:00:00Z  71.2%  >= 80.0%")


@pytest.mark.usefixtures("stands")
def test_list_shows_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert targets.main(["list", "--json", "--all"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["state"] for line in lines] == ["breached", "met"]


@pytest.mark.usefixtures("stands")
def test_nothing_is_said_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert targets.main(["list", "--queue", "nobody"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "no target is breached, and there is no warning\n")


def test_an_action_is_needed() -> None:
    with pytest.raises(UsageError):
        targets.main([])
