"""The bridge loses no line of a log that is renamed, copied, truncated and packed meanwhile."""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.bridge import Bridge, Progress
from streams.bridge.occurrences import Occurrences
from streams.bridge.outlet import BATCH_BYTES_MAX
from streams.bridge.tail import PIECE_BYTES, Tail
from streams.sources.asterisk_queue_log import LINE_BYTES_MAX
from tests.bridge_log import (
    Collected,
    all_of,
    append,
    line,
    once,
    rotate,
    text,
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "queue_log"


@pytest.fixture
def tail_of() -> Iterator[Callable[..., Tail]]:
    """Makes tails and closes them at the end."""
    tails: list[Tail] = []

    def make(path: Path, follow: bool = True, from_start: bool = True) -> Tail:
        tails.append(Tail(path, follow, from_start=from_start))
        return tails[-1]

    yield make
    for tail in tails:
        tail.close()


# --- following


def test_a_partial_line_waits_for_its_end_when_following(
    log: Path, tail_of: Callable[..., Tail]
) -> None:
    log.write_bytes(text(line(1)) + line(2)[:10])
    tail = tail_of(log)
    assert all_of(tail) == [line(1)]
    append(log, line(2)[10:] + b"\n")
    assert all_of(tail) == [line(2)]


def test_following_waits_for_a_log_that_is_not_there_yet(
    log: Path, tail_of: Callable[..., Tail]
) -> None:
    tail = tail_of(log.parent / "later" / "queue_log")
    assert all_of(tail) == []
    (log.parent / "later").mkdir()
    append(log.parent / "later" / "queue_log", text(line(1)))
    assert all_of(tail) == [line(1)]


def test_from_the_end_only_what_comes_later_is_read(
    log: Path, tail_of: Callable[..., Tail]
) -> None:
    log.write_bytes(text(line(1)) + line(2)[:10])
    tail = tail_of(log, from_start=False)
    append(log, line(2)[10:] + text(b"", line(3)))
    assert all_of(tail) == [line(2), line(3)]


def test_after_a_rename_the_old_file_is_finished_through_the_open_handle(
    log: Path, tail_of: Callable[..., Tail]
) -> None:
    log.write_bytes(text(line(1)))
    tail = tail_of(log)
    assert all_of(tail) == [line(1)]
    older = rotate(log)
    append(older, text(line(2)))  # Asterisk has not reopened its log yet
    log.touch()
    assert all_of(tail) == [line(2)]
    append(older, line(3))
    append(log, text(line(4)))
    older.unlink()
    assert all_of(tail) == [line(3), line(4)]
    assert tail.gaps == 0


def test_after_a_truncation_the_rest_is_read_from_the_copy(
    log: Path, tail_of: Callable[..., Tail]
) -> None:
    log.write_bytes(text(line(1)) + line(2)[:8])
    tail = tail_of(log)
    assert all_of(tail) == [line(1)]
    append(log, line(2)[8:] + text(b"", line(3)))
    shutil.copy(log, log.with_name("queue_log.1"))
    log.write_bytes(text(*(line(n) for n in range(4, 40))))
    assert all_of(tail) == [line(n) for n in range(2, 40)]
    assert tail.gaps == 0


def test_a_truncation_without_a_copy_is_counted(log: Path, tail_of: Callable[..., Tail]) -> None:
    log.write_bytes(text(line(1), line(2)))
    tail = tail_of(log)
    assert len(all_of(tail)) == 2
    log.write_bytes(text(line(3)))
    assert all_of(tail) == [line(3)]
    assert tail.gaps == 1


def test_a_log_cut_short_is_read_again_from_its_start(
    log: Path, tail_of: Callable[..., Tail]
) -> None:
    lines = [line(n) for n in range(100)]
    log.write_bytes(text(*lines))
    tail = tail_of(log)
    assert all_of(tail) == lines
    os.truncate(log, len(text(*lines[:90])))
    assert all_of(tail) == lines[:90]
    assert tail.gaps == 1


def test_rotations_during_a_stop_are_caught_up_in_order(log: Path) -> None:
    state = log.with_name("queue_log.state")
    log.write_bytes(text(line(1), line(2)))
    first = once(log, state)
    append(log, text(line(3)))
    rotate(log, 3)
    log.write_bytes(text(line(4)))
    rotate(log, 2)
    log.write_bytes(text(line(5)))
    rotate(log, 1)
    log.write_bytes(text(line(6)))
    log.with_name("queue_log.bak").write_bytes(text(line(99)))
    second = once(log, state)
    assert first.lines() == [line(1), line(2)]
    assert [row.value for _, row in second.rows] == [line(n) for n in range(3, 7)]


def test_a_rotated_file_is_found_packed(log: Path) -> None:
    state = log.with_name("state")
    log.write_bytes(text(line(1)))
    once(log, state)
    append(log, text(line(2)))
    older = rotate(log)
    packed = log.with_name("queue_log.1.gz")
    packed.write_bytes(gzip.compress(older.read_bytes()))
    shutil.copystat(older, packed)
    older.unlink()
    log.write_bytes(text(line(3)))
    assert once(log, state).lines() == [line(2), line(3)]


def test_a_file_that_is_still_being_packed_is_read_as_it_was(log: Path) -> None:
    state = log.with_name("state")
    log.write_bytes(text(line(1)))
    once(log, state)
    append(log, text(line(2)))
    older = rotate(log)
    packed = gzip.compress(older.read_bytes())
    log.with_name("queue_log.1.gz").write_bytes(packed[: len(packed) // 2])
    log.write_bytes(text(line(3)))
    assert once(log, state).lines() == [line(2), line(3)]


def test_a_place_in_a_file_that_is_gone_is_counted_and_the_log_begun_anew(log: Path) -> None:
    state = log.with_name("state")
    log.write_bytes(text(line(1)))
    once(log, state)
    log.unlink()
    log.write_bytes(text(line(2)))
    outlet = Collected()
    done = Bridge(log, outlet, state=state).run()
    assert outlet.lines() == [line(2)]
    assert done.gaps == 1


def wait_for(reached: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < until, "waited 10 s"
        time.sleep(0.005)


def test_a_following_bridge_survives_rotation_and_stops_when_told(log: Path) -> None:
    outlet, stop, seen = Collected(), threading.Event(), list[Progress]()
    log.write_bytes(text(line(1), line(1)))
    bridge = Bridge(log, outlet, state=log.with_name("state"), follow=True, poll_seconds=0.01)
    thread = threading.Thread(target=bridge.run, args=(stop, seen.append))
    thread.start()
    try:
        wait_for(lambda: len(outlet.rows) == 2)
        rotate(log)
        append(log, text(line(1), line(3)))
        wait_for(lambda: len(outlet.rows) == 4)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    assert outlet.told_apart() == {(line(1), b"0"), (line(1), b"1"), (line(3), b"0")}
    assert seen[-1].lines == 4
    assert once(log, log.with_name("state")).lines() == []


# --- overlong lines


def test_overlong_lines_leave_in_pieces_that_fit_a_record_and_are_never_taken_for_lines(
    log: Path, tail_of: Callable[..., Tail]
) -> None:
    long = line(1) + b"x" * (7 * PIECE_BYTES)
    log.write_bytes(text(long, line(2)) + long)
    tail = tail_of(log, follow=False)
    pieces = all_of(tail)
    pieces.remove(line(2))
    assert b"".join(pieces) == long + long
    assert all(LINE_BYTES_MAX < len(piece) < BATCH_BYTES_MAX for piece in pieces)


def test_a_line_that_never_ends_does_not_fill_the_memory(
    log: Path, tail_of: Callable[..., Tail]
) -> None:
    log.write_bytes(b"x" * (40 * PIECE_BYTES))
    tail = tail_of(log)
    lines = all_of(tail)
    assert sum(map(len, lines)) >= 38 * PIECE_BYTES
    append(log, b"\n" + text(line(1)))
    rest = all_of(tail)
    assert b"".join(lines + rest[:-1]) == b"x" * (40 * PIECE_BYTES)
    assert rest[-1] == line(1)


# --- anything that can happen, in any order

STEPS = st.lists(
    st.sampled_from(["line", "twin", "half", "rest", "read", "restart", "rename", "copy", "pack"]),
    max_size=40,
)


class World:
    """A log that is written and rotated while it is read, and what must have been read in the end.

    What is written is known by generation, because ordinals count within one file.
    """

    def __init__(self, folder: Path) -> None:
        self.log = folder / "queue_log"
        self.log.touch()
        self.written: list[list[bytes]] = [[]]
        self.half = b""
        self.read: set[tuple[bytes, int]] = set()
        self.number = 0
        self.rotations = 0
        self.tail = Tail(self.log, follow=True)
        self.place = self.tail.place()
        self.counts = Occurrences(exact=False)
        # Of a log that is copied and truncated before its first line was seen nothing is known.
        self.do_line()
        self.do_read()

    def do(self, step: str) -> None:
        getattr(self, f"do_{step}")()

    def do_line(self) -> None:
        self.do_rest()
        self.number += 1
        append(self.log, text(line(self.number)))
        self.written[-1].append(line(self.number))

    def do_twin(self) -> None:
        self.do_rest()
        if self.written[-1]:
            append(self.log, text(self.written[-1][-1]))
            self.written[-1].append(self.written[-1][-1])

    def do_half(self) -> None:
        self.do_rest()
        self.number += 1
        self.half = line(self.number)
        append(self.log, self.half[:-4])

    def do_rest(self) -> None:
        if self.half:
            append(self.log, self.half[-4:] + b"\n")
            self.written[-1].append(self.half)
            self.half = b""

    def do_read(self) -> None:
        while (chunk := self.tail.read()) is not None:
            if chunk.new_file:
                self.counts.forget()
            self.read |= {(one, self.counts.ordinal(one)) for one in chunk.lines}
            self.place = chunk.place

    def do_restart(self) -> None:
        self.tail.close()
        self.tail = Tail(self.log, follow=True, place=self.place)
        self.counts = Occurrences(exact=False)
        for one in self.tail.before(1 << 20):
            self.counts.ordinal(one)

    def do_rename(self) -> None:
        self.do_rest()
        self.log.rename(self._rotated_name())
        self.log.touch()
        self._next_generation()

    def do_copy(self) -> None:
        self.do_rest()
        shutil.copy(self.log, self._rotated_name())
        os.truncate(self.log, 0)
        self._next_generation()
        self.do_line()

    def do_pack(self) -> None:
        plain = [p for p in self.log.parent.glob("queue_log.*") if p.suffix != ".gz"]
        for path in plain:
            packed = path.with_name(path.name + ".gz")
            packed.write_bytes(gzip.compress(path.read_bytes()))
            shutil.copystat(path, packed)
            path.unlink()

    def _rotated_name(self) -> Path:
        return self.log.with_name(f"queue_log.{self.rotations:03}")

    def _next_generation(self) -> None:
        at = 1_000_000_000_000_000_000 + self.rotations * 1_000_000_000
        os.utime(self._rotated_name(), ns=(at, at))
        self.rotations += 1
        self.written.append([])

    def expected(self) -> set[tuple[bytes, int]]:
        told_apart = set()
        for lines in self.written:
            counts = Counter[bytes]()
            for one in lines:
                told_apart.add((one, counts[one]))
                counts[one] += 1
        return told_apart


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_every_line_is_read_with_its_ordinal_and_nothing_else(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        for step in (*steps, "line", "read"):
            world.do(step)
        world.tail.close()
        assert world.read == world.expected()
