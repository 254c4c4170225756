"""The bridge itself: chunks of lines from a ``Tail`` to an ``Outlet``, then the place noted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import NamedTuple

from streams.bridge import place_file
from streams.bridge.log_file import Place
from streams.bridge.occurrences import Occurrences
from streams.bridge.outlet import BridgeError, Outlet, Row
from streams.bridge.tail import Chunk, Tail
from streams.kafka.partition import partition_of

DEFAULT_SOURCE = "asterisk"
POLL_SECONDS = 0.25
KEY_BYTES_MAX = 200
NAME_CHARS_MAX = 120
# Before the place of a followed log: every line of its last seconds is in there.
WINDOW_BYTES = 8 * 1024 * 1024

_NO_CALL = frozenset((b"", b"NONE", b"REALTIME", b"MANAGER", b"CLI"))


class Progress(NamedTuple):
    """What one run has done so far; everything counted here is acknowledged by the broker."""

    lines: int = 0
    repeats: int = 0
    """Lines that were identical to an earlier one of their file (sent like all others)."""
    blank: int = 0
    """Empty lines, which are not sent."""
    bytes_done: int = 0
    bytes_total: int = 0
    """Of the file being read: where it ended when last looked at, counted like ``bytes_done``."""
    gaps: int = 0
    """Files that vanished or were cut before their end was seen: lines may be lost."""


def _ignore(progress: Progress) -> None:
    """For whoever does not care."""


class Bridge:
    """Sends the log ``path`` to ``outlet``.

    ``source`` names the PBX (1 to 120 characters).  ``state`` is the file that remembers the place
    between runs; None remembers nothing.  ``follow`` goes on until stopped, else the run ends with
    the log's last line.  ``from_start`` False skips what stands in the log when nothing is
    remembered yet.
    """

    def __init__(
        self,
        path: Path,
        outlet: Outlet,
        *,
        source: str = DEFAULT_SOURCE,
        state: Path | None = None,
        follow: bool = False,
        from_start: bool = True,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        if not 0 < len(source) <= NAME_CHARS_MAX:
            raise BridgeError(f"a source's name has 1 to {NAME_CHARS_MAX} characters")
        self._path = path
        self._outlet = outlet
        self._state = state
        self._follow = follow
        self._from_start = from_start
        self._poll_seconds = poll_seconds
        self._headers = [("source", source.encode())]
        self._occurrences = Occurrences(exact=not follow)
        self._partitions = 0
        self._progress = Progress()

    def run(
        self, stop: Event | None = None, progress: Callable[[Progress], None] = _ignore
    ) -> Progress:
        """Send until the end, or until ``stop`` is set; gives what was done.

        ``progress`` is called after every acknowledged chunk (at most 1 MiB of lines).
        BridgeError if the log, the state file or the broker cannot be used.
        """
        return asyncio.run(self._run(stop or Event(), progress))

    async def _run(self, stop: Event, progress: Callable[[Progress], None]) -> Progress:
        tail = self._open()
        try:
            self._partitions = await self._outlet.start()
            # Noted before anything is sent: a rotation during a stop right after this is survived.
            self._note(tail.place())
            try:
                while not stop.is_set():
                    chunk = tail.read()
                    if chunk is not None:
                        await self._send(chunk, tail)
                        progress(self._progress)
                    elif self._follow:
                        await asyncio.sleep(self._poll_seconds)
                    else:
                        break
            finally:
                await self._outlet.stop()
        finally:
            tail.close()
        return self._progress._replace(gaps=tail.gaps)

    def _open(self) -> Tail:
        if not self._follow and not self._path.is_file():
            raise BridgeError(f"{self._path} is no file", "", "check the path")
        place = None if self._state is None else place_file.load(self._state)
        try:
            tail = Tail(self._path, self._follow, place, self._from_start)
            before = tail.before(WINDOW_BYTES if self._follow else None)
        except OSError as error:
            raise BridgeError(f"{self._path} cannot be read", str(error.strerror)) from error
        for line in before:
            self._occurrences.ordinal(line.removesuffix(b"\r"))
        return tail

    async def _send(self, chunk: Chunk, tail: Tail) -> None:
        if chunk.new_file:
            self._occurrences.forget()
        rows: dict[int, list[Row]] = {}
        repeats = blank = 0
        for raw in chunk.lines:
            line = raw.removesuffix(b"\r")
            if not line:
                blank += 1
                continue
            row = self._row(line)
            repeats += len(row.headers) > 1
            rows.setdefault(partition_of(row.key, self._partitions), []).append(row)
        await self._outlet.send(rows)
        self._note(chunk.place)
        self._count(chunk, tail, repeats, blank)

    def _note(self, place: Place | None) -> None:
        if self._state is not None and place is not None:
            place_file.save(self._state, place)

    def _row(self, line: bytes) -> Row:
        ordinal = self._occurrences.ordinal(line)
        headers = self._headers
        if ordinal:
            headers = [*headers, ("ordinal", b"%d" % ordinal)]
        return Row(key_of(line), line, headers)

    def _count(self, chunk: Chunk, tail: Tail, repeats: int, blank: int) -> None:
        so_far = self._progress
        done = so_far.bytes_done + sum(map(len, chunk.lines)) + len(chunk.lines)
        self._progress = Progress(
            lines=so_far.lines + len(chunk.lines) - blank,
            repeats=so_far.repeats + repeats,
            blank=so_far.blank + blank,
            bytes_done=done,
            bytes_total=done + tail.remaining_bytes(),
            gaps=tail.gaps,
        )


def key_of(line: bytes) -> bytes:
    """What a line is about: its call, else its agent, else its queue, else ``NONE``.

    >>> key_of(b"1546015425|1546015415.757927|201|Paty Marin|CONNECT|10|1546015415.757936|9")
    b'1546015415.757927'
    >>> key_of(b"1546015425|NONE|201|Paty Marin|PAUSE|lunch"), key_of(b"noise")
    (b'Paty Marin', b'NONE')
    """
    _, call, queue, agent, *_ = (*line.split(b"|", 4), b"", b"", b"")
    named = (name for name in (call, agent, queue) if name not in _NO_CALL)
    return next(named, b"NONE")[:KEY_BYTES_MAX]
