"""The watchdog ends a worker that has work and does none; one without work it leaves alone."""

from __future__ import annotations

from streams.runtime.stall import Watchdog

READ = ("read", "cc.events.contact.v1[0]")
LOOP = ("loop", "the event loop")


def test_work_that_moves_is_never_stalled() -> None:
    dog = Watchdog(10)
    assert all(dog.stalled([(READ, at)], at) is None for at in range(100))


def test_work_that_stands_still_is_told_after_so_long() -> None:
    dog = Watchdog(10)
    found = [dog.stalled([(LOOP, at), (READ, 7)], at) for at in range(12)]
    assert found == [None] * 10 + [READ] * 2


def test_standing_still_without_work_does_not_count() -> None:
    dog = Watchdog(10)
    for at in range(9):
        assert dog.stalled([(READ, 7)], at) is None
    assert dog.stalled([], 9) is None
    assert [dog.stalled([(READ, 7)], at) for at in (10, 19, 20)] == [None, None, READ]


def test_one_step_begins_the_wait_anew() -> None:
    dog = Watchdog(10)
    dog.stalled([(READ, 7)], 0)
    dog.stalled([(READ, 8)], 9)
    assert dog.stalled([(READ, 8)], 18) is None
    assert dog.stalled([(READ, 8)], 19) == READ
