"""Who was silent for longest, and what is left of those who were forgotten.

An entity leaves at a segment's border by a tombstone that carries its position.  It may leave only
if its last event lies before the segment, and nothing was said of it there that changed nothing:
the commit has passed that event by the time the tombstone is written, so a replay never needs what
is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from streams.core.vocabulary import CHANNELS, Channel
from streams.stages.base import Entity
from streams.stages.keyed import HEAD, Versions, tombstone

_PLACES = {channel: place for place, channel in enumerate(CHANNELS)}


class Head(NamedTuple):
    """The beginning of a contact's bytes.  ``heard_ms`` is when it was heard of last."""

    position: int
    heard_ms: int
    flags: int

    @property
    def open(self) -> bool:
        return self.flags & 1 != 0

    @property
    def channel(self) -> Channel:
        return CHANNELS[self.flags >> 1]


def head_of(sealed: bytes) -> Head:
    return Head(*HEAD.unpack_from(sealed))


def flags_of(is_open: bool, channel: Channel) -> int:
    return is_open | _PLACES[channel] << 1


class Lanes:
    """Names by channel, in each the one not heard of for longest first."""

    __slots__ = ("by_channel",)

    def __init__(self) -> None:
        self.by_channel: dict[Channel, dict[str, None]] = {channel: {} for channel in CHANNELS}

    def __len__(self) -> int:
        return sum(map(len, self.by_channel.values()))

    def __iter__(self) -> Iterator[str]:
        for lane in self.by_channel.values():
            yield from lane

    def add(self, name: str, channel: Channel) -> None:
        self.by_channel[channel][name] = None

    def discard(self, name: str, channel: Channel) -> None:
        self.by_channel[channel].pop(name, None)


class Buried:
    """Who was forgotten at a border the commit has not passed.

    The transaction of that seal may have been aborted, and the log cleaner removes aborted
    records, so the replay writes its tombstones again.
    """

    __slots__ = ("_positions",)

    def __init__(self) -> None:
        self._positions: dict[bytes, int] = {}

    def restore(self, versions: Versions, committed: int) -> None:
        self._positions = versions.removed_since(committed)

    def again(self, end: int) -> list[Entity]:
        """The tombstones of the segment that ends there."""
        due = [key for key, position in self._positions.items() if position < end]
        return [tombstone(key, self._positions.pop(key)) for key in due]


def silent(
    lane: Iterable[str], heard: Callable[[str], tuple[int, int]], start: int, until_ms: int
) -> Iterator[str]:
    """Who may leave at the end of the segment that began at ``start``: those whom ``heard``
    (position, time) knows from before it, and not since ``until_ms``."""
    for name in lane:
        position, heard_ms = heard(name)
        if position >= start or heard_ms > until_ms:
            return
        yield name
