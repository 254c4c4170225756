"""Targets at the board stage: single stories."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from streams.core.partials import Mark, Partial, Register
from streams.core.source import Record
from streams.core.target import Limits, Target
from streams.stages.base import Entity, Seal
from streams.stages.board import BoardStage
from streams.stages.target_wire import STREAM
from tests.boards.definitions import KEEP_MS, KPIS, MINUTE, TERMS, A
from tests.boards.lives import records, whole
from tests.boards.targets import target
from tests.boards.topics import Message

WAITING = target("waiting", "waiting", "now", Limits(1, 0), at_least=False)
LEVEL = target("level", "level", "rolling_5m", Limits(0.5, 0.9, 0.7, volume_min=4))
HOUR = target("hour", "offered", "quarter_hour", Limits(5, 5))


def new_stage(*targets: Target) -> BoardStage:
    return BoardStage(
        0, terms=TERMS, kpis=KPIS, origins=1, keep_ms=KEEP_MS, offered="offered", targets=targets
    )


def mark(position: int, minute: float) -> Mark:
    return Mark("o", position, int((MINUTE + minute) * 60_000))


def share(position: int, minute: int, **amounts: int) -> Partial:
    return Partial("o", position, A, MINUTE + minute, position, amounts)


def waiting(position: int, count: int) -> Register:
    return Register("o", A, position, {"waiting": count})


def played(*targets: Target, topic: Sequence[Message]) -> tuple[BoardStage, Seal]:
    stage = new_stage(*targets)
    stage.start(0)
    stage.absorb(records(topic))
    return stage, whole(stage, len(topic))


def events(seal: Seal) -> list[dict[str, Any] | None]:
    return [
        None if o.value is None else json.loads(o.value) for o in seal.results if o.stream == STREAM
    ]


def again(entities: Sequence[Entity], committed: int, *targets: Target) -> BoardStage:
    stage = new_stage(*targets)
    stage.restore(Record("log", 0, i, 0, *entity) for i, entity in enumerate(entities))
    stage.start(committed)
    return stage


LONG_QUEUE = (waiting(1, 3), mark(1, 0), mark(2, 0.5), mark(3, 1))


def test_an_event_says_everything() -> None:
    topic = [mark(1, 1), share(2, 3, offered=8, answered=3), mark(3, 6.5)]
    _, seal = played(LEVEL, topic=topic)
    (event,) = events(seal)
    assert event == {
        "target": "level",
        "kpi": "level",
        "key": {"queue": "A", "channel": "voice"},
        "window": {
            "kind": "rolling_5m", "start": "2026-03-28T22:49:00Z", "end": "2026-03-28T22:54:00Z",
        },
        "event": "breached",
        "state": "breached",
        "severity": "critical",
        "since": "2026-03-28T22:54:00Z",
        "was": "met",
        "was_since": None,
        "value": 0.375,
        "numerator": 3,
        "denominator": 8,
        "unit": "contacts",
        "at_least": 0.5,
        "warning": 0.7,
        "clear": 0.9,
        "volume_min": 4,
        "status": "provisional",
        "revision": 2,
        "as_of": "2026-03-28T22:56:30Z",
    }  # fmt: skip
    assert (
        next(o for o in seal.results if o.stream == STREAM).key == b'["level","queue","A","voice"]'
    )


def test_levels_are_judged_when_the_minute_turns_and_not_in_between() -> None:
    up_and_down = [mark(1, 0), waiting(2, 9), mark(3, 0.9), waiting(4, 0), mark(5, 1)]
    assert events(played(WAITING, topic=up_and_down)[1]) == []
    (event,) = events(played(WAITING, topic=[*up_and_down, waiting(6, 2), mark(7, 2)])[1])
    assert event is not None
    assert (event["value"], event["revision"], event["window"]["kind"]) == (2, 6, "now")


def test_a_fixed_window_is_judged_once_when_it_is_final() -> None:
    before = [share(1, 1, offered=2), mark(2, 11.9)]
    assert events(played(HOUR, topic=before)[1]) == []
    late = [*before, mark(3, 12), share(4, 2, offered=1), mark(5, 20)]
    (event,) = events(played(HOUR, topic=late)[1])
    assert event is not None
    assert (event["value"], event["status"], event["event"]) == (2, "final", "breached")


def test_machines_go_ahead_and_only_if_they_have_changed() -> None:
    stage, seal = played(WAITING, topic=LONG_QUEUE)
    assert [entity.key[:1] for entity in seal.ahead] == [b"t"]
    assert b"t" not in {entity.key[:1] for entity in seal.entities}
    stage.absorb([r._replace(offset=4 + r.offset) for r in records([mark(4, 2), mark(5, 3)])])
    second = whole(stage, 6)
    assert (list(second.ahead), events(second)) == ([], [])


def test_an_event_that_may_not_have_been_said_is_said_again_just_so() -> None:
    _, seal = played(WAITING, topic=LONG_QUEUE)
    nobody_knows = again([*seal.ahead, *seal.entities], 0, WAITING)
    assert events(whole(nobody_knows, 1)) == []  # it is catching up
    nobody_knows.absorb(records(LONG_QUEUE))
    assert events(whole(nobody_knows, 4)) == events(seal) != []
    acknowledged = again([*seal.ahead, *seal.entities], 4, WAITING)
    assert events(whole(acknowledged, 4)) == []


def test_a_target_that_is_taken_out_is_withdrawn() -> None:
    _, seal = played(WAITING, topic=LONG_QUEUE)
    entities = [*seal.ahead, *seal.entities]
    for targets in ((), (WAITING._replace(queues=("B",)),), (WAITING._replace(cut="channel"),)):
        stage = again(entities, 4, *targets)
        last = whole(stage, 5)
        assert events(last) == [None]
        assert [e.value for e in last.entities if e.key.startswith(b"t")] == [None]
        assert events(whole(again([*entities, *last.entities], 5, *targets), 6)) == []


def test_what_is_shown_and_counted() -> None:
    stage, _ = played(WAITING, topic=LONG_QUEUE)
    row = stage.targets["waiting", A]
    assert (row.value, row.state, row.key) == (1, "breached", {"queue": "A", "channel": "voice"})
    assert (stage.counts["target.breached"], stage.counts["target.cleared"]) == (1, 0)


def test_minutes_that_are_not_looked_at_are_counted() -> None:
    stage, _ = played(LEVEL, topic=[mark(1, 0), mark(2, 60)])
    assert stage.counts["target_minutes_skipped"] == 0
    stage, _ = played(LEVEL, topic=[mark(1, 0), mark(2, 65)])
    assert stage.counts["target_minutes_skipped"] == 5
