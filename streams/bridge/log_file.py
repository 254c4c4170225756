"""Log files under rotation: one that is open, and the others that bear its name.

A file is known by its *head*, the first bytes that were read of it: they hold times and call ids,
so no two logs begin alike.  The inode is asked only while nothing was read yet, because inodes are
used again and copies (``copytruncate``, ``rsync``) have others.
"""

from __future__ import annotations

import gzip
import os
import re
import zlib
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

HEAD_BYTES_MAX = 1024

# queue_log.1, queue_log.2.gz, queue_log-20261005, queue_log.2026-10-05_0315
_ROTATED = re.compile(r"[._-]\d[\d._:T-]*(?:\.gz)?", re.ASCII)


class Place(NamedTuple):
    """How far a log has been read: up to ``offset``, always the start of a line."""

    device: int
    inode: int
    offset: int
    head: str
    head_bytes: int


class LogFile:
    """An open log file, plain or gzipped.  Offsets count unpacked bytes."""

    def __init__(self, path: Path) -> None:
        """Open it; OSError if that is impossible."""
        self.path = path
        self._raw = path.open("rb", buffering=0)
        stat = os.fstat(self._raw.fileno())
        self.device, self.inode = stat.st_dev, stat.st_ino
        self._packed = gzip.GzipFile(fileobj=self._raw) if path.suffix == ".gz" else None

    def read(self, offset: int, size: int) -> bytes:
        """Up to ``size`` bytes from ``offset``; empty at the end."""
        if self._packed is None:
            return os.pread(self._raw.fileno(), size, offset)
        try:
            self._packed.seek(offset)
            return self._packed.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            return b""  # still being packed: the plain file is there as well, and is preferred

    def holds(self, head: bytes, size: int) -> bool:
        """Does it begin with ``head`` and have ``size`` bytes?  Not once it was truncated."""
        if self._packed is not None:
            return True
        return self.size() >= size and self.read(0, len(head)) == head

    def is_at(self, path: Path) -> bool:
        """Is this the file that has the name ``path`` now?"""
        try:
            stat = path.stat()
        except FileNotFoundError:
            return False
        return (stat.st_dev, stat.st_ino) == (self.device, self.inode)

    def was_at(self, place: Place) -> bool:
        """Is this the file of which ``place`` was noted?"""
        if not place.head_bytes:
            return (self.device, self.inode) == (place.device, place.inode)
        head = self.read(0, place.head_bytes)
        return digest_of(head) == place.head and self.holds(head, place.offset)

    def size(self) -> int:
        """Its bytes on disk."""
        return os.fstat(self._raw.fileno()).st_size

    def modified_ns(self) -> int:
        """When it was last written."""
        return os.fstat(self._raw.fileno()).st_mtime_ns

    def close(self) -> None:
        self._raw.close()


def digest_of(head: bytes) -> str:
    """What is noted of a head."""
    return blake2b(head, digest_size=16).hexdigest()


def rotated(path: Path) -> list[Path]:
    """What was rotated away from ``path``, oldest first."""
    found = []
    for other in _named_like(path):
        with suppress(FileNotFoundError):
            found.append((other.stat().st_mtime_ns, other))
    return [other for _, other in sorted(found)]


def _named_like(path: Path) -> list[Path]:
    try:
        names = os.listdir(path.parent)
    except FileNotFoundError:
        return []
    start = path.name
    return [
        path.with_name(name)
        for name in names
        if name.startswith(start) and _ROTATED.fullmatch(name, len(start))
    ]


def find(place: Place, path: Path) -> LogFile | None:
    """The file of which ``place`` was noted, under its own name or a rotated one."""
    others = rotated(path)[::-1]
    others.sort(key=lambda other: other.suffix == ".gz")
    for candidate in (path, *others):
        file = opened(candidate)
        if file is not None:
            if file.was_at(place):
                return file
            file.close()
    return None


def successor(file: LogFile, path: Path) -> LogFile | None:
    """The file to read after this one: the next in time that has something in it, or None.

    Usually that is the live file; after a long stop there may be rotated ones in between.
    """
    if file.is_at(path):
        return None
    others = [other for other in map(opened, (*rotated(path), path)) if other is not None]
    chosen = None
    for other in others:
        newer = other.is_at(path) or other.modified_ns() > file.modified_ns()
        if chosen is None and newer and other.size() and other.inode != file.inode:
            chosen = other
        else:
            other.close()
    return chosen


def opened(path: Path) -> LogFile | None:
    """The file, or None if it is gone (rotation may be at work at this very moment)."""
    try:
        return LogFile(path)
    except FileNotFoundError:
        return None
