"""The laws of targets: the same events whatever happens between two seals.

As ``test_board_laws``: any topics, any lives of boards over them, and an account from the topic
alone (``tests.boards.targets``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.board import Board
from streams.core.judging import Judging, Machine
from streams.stages.board import BoardStage
from tests.boards.breaking import seed_that_shows
from tests.boards.definitions import KEEP_MS
from tests.boards.lives import FATES, Life, live
from tests.boards.targets import TARGETS, Judged, expected
from tests.boards.topics import DAYS, MINUTES, random_topic

seeds = st.integers(0, 2**32 - 1)


def seen(life: Life) -> list[Judged]:
    """The events of a life, each once, in the order in which it was first seen; and the last that
    was seen of a key is the newest."""
    once: dict[tuple[str, int, int], Judged] = {}
    last: dict[str, tuple[int, int]] = {}
    for key, row in life.events:
        name = json.dumps(json.loads(key))
        at = (row["revision"], ms(row["since"]))
        target = row["at_least"] if "at_least" in row else row["at_most"]
        found = Judged(name, *at, (row["event"], row["state"], row["value"], target))
        assert once.setdefault((name, *at), found) == found, "two events for one thing"
        last[name] = at
    assert all(last[name] == max(a[1:] for a in once if a[0] == name) for name in last)
    return list(once.values())


def ms(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


def by_key(events: Sequence[Judged]) -> dict[str, list[Judged]]:
    found: dict[str, list[Judged]] = {}
    for event in events:
        found.setdefault(event.key, []).append(event)
    return found


def check(
    seed: int, fates: Sequence[str] = FATES, *, keep_ms: int = 0, minutes: Sequence[int] = MINUTES
) -> None:
    """One topic, one life: every event there is, in its order, and no other."""
    random = Random(seed)
    topic = random_topic(random, minutes)
    life = live(topic, random, fates, keep_ms=keep_ms, targets=TARGETS)
    assert by_key(seen(life)) == by_key(expected(topic, keep_ms))


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_any_batches_any_repeats_any_crashes_same_events(seed: int) -> None:
    check(seed)


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_the_same_with_cells_dropped(seed: int) -> None:
    check(seed, keep_ms=KEEP_MS, minutes=DAYS)


def test_the_topics_are_not_trivial() -> None:
    """Every target has events, every kind comes up, and more than one can be in a turn."""
    found = [event for seed in range(40) for event in expected(random_topic(Random(seed)))]
    kinds = {(json.loads(event.key)[0], event.says[0]) for event in found}
    assert {name for name, _ in kinds} == {target.name for target in TARGETS}
    assert {what for _, what in kinds} == {"warning", "breached", "cleared"}
    assert len({(e.key, e.revision) for e in found}) < len(found)


# -- what breaks them


def _judged_when_said(patch: pytest.MonkeyPatch) -> None:
    right = BoardStage.seal

    def seal(self: BoardStage, end: int) -> Any:
        board = self._board
        turn = Judging.turn
        if board.marks.mark_ms >= 0:
            now = (board.marks.minute - 1, board.marks.mark_ms, end)
            turn(board.judging, board.lines.values(), *now)
        return right(self, end)

    patch.setattr(BoardStage, "seal", seal)


def _judged_while_catching_up(patch: pytest.MonkeyPatch) -> None:
    right = Board._mark

    def mark(self: Board, mark: Any, offset: int) -> None:
        until, self._restored_until = self._restored_until, -1
        right(self, mark, offset)
        self._restored_until = until

    patch.setattr(Board, "_mark", mark)


def _not_ahead(patch: pytest.MonkeyPatch) -> None:
    right = BoardStage.seal

    def seal(self: BoardStage, end: int) -> Any:
        made = right(self, end)
        return made._replace(ahead=[], entities=[*made.entities, *made.ahead])

    patch.setattr(BoardStage, "seal", seal)


def _judged_again(patch: pytest.MonkeyPatch) -> None:
    right = Judging.turn

    def turn(self: Judging, *args: Any) -> None:
        for machine in self._machines.values():
            machine.version = -1
        right(self, *args)

    patch.setattr(Judging, "turn", turn)


def _not_said_again(patch: pytest.MonkeyPatch) -> None:
    right = Judging.restore

    def restore(self: Judging, *args: Any, **known: Any) -> None:
        right(self, *args, **known)
        for machine in self._machines.values():
            machine.unsaid = []

    patch.setattr(Judging, "restore", restore)


def _not_stored_again(patch: pytest.MonkeyPatch) -> None:
    right = Judging.restore

    def restore(self: Judging, *args: Any, **known: Any) -> None:
        right(self, *args, **known)
        self._changed = {}

    patch.setattr(Judging, "restore", restore)


def _said_by_the_commit(patch: pytest.MonkeyPatch) -> None:
    right = Judging.restore

    def restore(self: Judging, kept: Any, lines: Any, *, committed: int, base: int) -> None:
        right(self, kept, lines, committed=committed, base=committed)

    patch.setattr(Judging, "restore", restore)


def _only_the_last_minute(patch: pytest.MonkeyPatch) -> None:
    right = Judging.turn

    def turn(self: Judging, lines: Any, was: int, mark_ms: int, offset: int) -> None:
        right(self, lines, mark_ms // 60_000 - 1, mark_ms, offset)

    patch.setattr(Judging, "turn", turn)


def _volume_ignored(patch: pytest.MonkeyPatch) -> None:
    right = Machine.take

    def take(self: Machine, sample: Any) -> Any:
        if sample.value is not None:
            sample = sample._replace(value=sample.value._replace(denominator=99))
        return right(self, sample)

    patch.setattr(Machine, "take", take)


Patch = Callable[[pytest.MonkeyPatch], None]
BROKEN: Mapping[Patch, Mapping[str, Any]] = {
    _judged_when_said: {"fates": ("ok",)},
    _judged_while_catching_up: {"fates": ("ok", "abort", "unacknowledged")},
    _not_ahead: {"fates": ("ok", "abort")},
    _judged_again: {"fates": ("ok", "abort")},
    _not_said_again: {"fates": ("ok", "abort")},
    _not_stored_again: {"fates": ("ok", "abort", "clean")},
    _said_by_the_commit: {"fates": ("ok", "abort")},
    _only_the_last_minute: {"fates": ("ok",)},
    _volume_ignored: {"fates": ("ok",)},
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__[1:])
def test_the_law_fails_if_a_rule_is_broken(broken: Patch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each variant leaves out one rule; some life of some topic then comes out wrong.

    * ``judged_when_said``: values are judged at seals, which fall as they may;
    * ``judged_while_catching_up``: values as of no one offset are judged;
    * ``not_ahead``: machines are written with the cells, so an aborted transaction leaves new cells
      and an old machine, whose turn can never be judged right again;
    * ``judged_again``: a machine that is newer than the commit is judged twice for one turn;
    * ``not_said_again``: events of an aborted transaction are never said again;
    * ``not_stored_again``: the log cleaner removes the aborted record a machine was restored from;
    * ``said_by_the_commit``: the commit is taken for what was said, but seals of one who is
      catching up move it and say nothing;
    * ``only_the_last_minute``: minutes that a mark jumps over are not judged;
    * ``volume_ignored``: a value of one contact counts.
    """
    with monkeypatch.context() as patch:
        broken(patch)
        failed = seed_that_shows(check, BROKEN[broken], 600)
    assert failed is not None, "no seed shows it"
    check(failed, **BROKEN[broken])
