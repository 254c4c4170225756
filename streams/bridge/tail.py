"""Reads a log that others write, rotate and truncate, and loses nothing of it.

* **Renamed** (and created anew): the old file is read to its end, through the handle that is still
  open if need be, and left only when its successor has something in it.  Then the one process that
  writes logs has moved on, and the old file's end, looked at once more, is final.
* **Copied and truncated**: noticed because the file does not begin as it did, or is shorter than
  what was read.  The rest is taken from the copy, recognised by its head.
* **Stopped meanwhile**: ``Place`` says how far which file was read; it is found under whatever
  name it has now, and every younger file is read after it.
* **A line without its end** waits for the rest.  It counts as a line where no rest can come: at
  the end of a file that was left, or of a run that does not follow.

What cannot be found again is counted in ``gaps``, never passed over in silence.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from streams.bridge.log_file import (
    HEAD_BYTES_MAX,
    LogFile,
    Place,
    digest_of,
    find,
    opened,
    successor,
)

CHUNK_BYTES = 1024 * 1024
PIECE_BYTES = 256 * 1024
"""A line of twice this or more is handed out in pieces of this size, the last one longer: every
piece fits a Kafka record, none is short enough to be taken for a line by the adapter."""


class Chunk(NamedTuple):
    """Whole lines without their ends, and the place after them."""

    lines: list[bytes]
    place: Place
    new_file: bool
    """These are the first lines of another file."""


class Tail:
    """One log, read from ``place`` (None: from the start, or from the end) to now."""

    def __init__(
        self, path: Path, follow: bool, place: Place | None = None, from_start: bool = True
    ) -> None:
        self.gaps = 0
        """Files whose end was never seen."""
        self._path = path
        self._follow = follow
        self._file: LogFile | None = None
        self._over = False
        self._turn_to(None)
        if place is not None:
            self._resume(place)
        if self._file is None:
            self._file = opened(path)
        if self._file is not None and place is None and not from_start:
            self._skip(self._file)

    def read(self) -> Chunk | None:
        """The next lines; None if there are none now (following) or none at all any more."""
        while not self._over:
            if self._file is None:
                self._file = opened(self._path)
            if self._file is None:
                return None
            lines = self._advance(self._file)
            if lines:
                return self._chunk(self._file, lines)
            if lines is None:
                return None
        return None

    def place(self) -> Place | None:
        """Where reading goes on; None while there is no log."""
        return None if self._file is None else self._place(self._file)

    def remaining_bytes(self) -> int:
        """What the file that is read now still holds (about, if it is packed)."""
        return 0 if self._file is None else max(0, self._file.size() - self._offset)

    def before(self, window_bytes: int | None) -> list[bytes]:
        """The lines of this file before the place to read from: all, or those in a window."""
        if self._file is None or not self._line_start:
            return []
        start = 0 if window_bytes is None else max(0, self._line_start - window_bytes)
        data = self._file.read(start, self._line_start - start)
        return data.split(b"\n")[1 if start else 0 : -1]

    def close(self) -> None:
        """Nothing more will be read."""
        self._turn_to(None)
        self._over = True

    # -- where to read

    def _turn_to(self, file: LogFile | None) -> None:
        """Begin another file (None: whatever has the log's name by then)."""
        if self._file is not None:
            self._file.close()
        self._file = file
        self._offset = self._line_start = 0
        self._pending = self._head = b""
        self._new_file = True

    def _continue_at(self, file: LogFile, offset: int, head: bytes) -> None:
        self._turn_to(file)
        self._offset = self._line_start = offset
        self._head = head
        self._new_file = False

    def _resume(self, place: Place) -> None:
        file = find(place, self._path)
        if file is not None:
            self._continue_at(file, place.offset, file.read(0, place.head_bytes))
        elif place.offset:
            self.gaps += 1

    def _skip(self, file: LogFile) -> None:
        """Leave out what stands there already, up to the last end of a line."""
        start = max(0, file.size() - CHUNK_BYTES)
        offset = start + file.read(start, CHUNK_BYTES).rfind(b"\n") + 1
        self._offset = self._line_start = offset
        self._head = file.read(0, min(HEAD_BYTES_MAX, offset))
        self._new_file = False

    def _recover(self, file: LogFile) -> None:
        """The file was truncated under our hands: go on in the copy made of it, if there is one."""
        place, head = self._place(file), self._head
        copy = find(place, self._path)
        if copy is None:
            self.gaps += 1
            self._turn_to(None)
        else:
            self._continue_at(copy, place.offset, head)

    # -- what to read

    def _advance(self, file: LogFile) -> list[bytes] | None:
        """One step: some lines; none yet, but try again (empty); none for now (None)."""
        # Asked before reading: if there is a successor by then, this look is the last one needed.
        following = successor(file, self._path)
        data = file.read(self._offset, CHUNK_BYTES)
        if not file.holds(self._head, self._offset + len(data)):
            self._recover(file)
            lines: list[bytes] | None = []
        elif data:
            lines = self._cut(data)
        else:
            lines = self._end(following)
            following = None
        if following is not None:
            following.close()
        return lines

    def _cut(self, data: bytes) -> list[bytes]:
        if self._offset <= len(self._head) < HEAD_BYTES_MAX:
            self._head = (self._head[: self._offset] + data)[:HEAD_BYTES_MAX]
        self._offset += len(data)
        lines = (self._pending + data).split(b"\n")
        self._pending = lines.pop()
        if lines:
            self._line_start = self._offset - len(self._pending)
        if max(map(len, lines), default=0) >= 2 * PIECE_BYTES:
            lines = [piece for line in lines for piece in _pieces(line)]
        *pieces, self._pending = _pieces(self._pending)
        return lines + pieces

    def _end(self, following: LogFile | None) -> list[bytes] | None:
        """The end of the file: for now, for good, or for this run."""
        if following is None and self._follow:
            return None
        # The place stays before an unfinished line, should a later run find it finished.
        rest, self._pending = [self._pending] if self._pending else [], b""
        if following is None:
            self._over = True
            return rest or None
        if rest:
            following.close()
            return rest
        self._turn_to(following)
        return []

    def _chunk(self, file: LogFile, lines: list[bytes]) -> Chunk:
        new_file, self._new_file = self._new_file, False
        return Chunk(lines, self._place(file), new_file)

    def _place(self, file: LogFile) -> Place:
        head = digest_of(self._head)
        return Place(file.device, file.inode, self._line_start, head, len(self._head))


def _pieces(line: bytes) -> list[bytes]:
    """The line, or an overlong one in pieces; the last piece may be empty."""
    count = max(1, len(line) // PIECE_BYTES) if len(line) >= 2 * PIECE_BYTES else 1
    cuts = [PIECE_BYTES * i for i in range(count)]
    return [line[a:b] for a, b in zip(cuts, [*cuts[1:], None], strict=True)]
