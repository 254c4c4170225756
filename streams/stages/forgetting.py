"""Who was silent for longest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import inf
from typing import NamedTuple

from streams.core.vocabulary import CHANNELS, Channel
from streams.stages.keyed import HEAD

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

    def move(self, name: str, was: Channel, channel: Channel) -> None:
        """It was heard of just now."""
        self.by_channel[was].pop(name, None)
        self.by_channel[channel][name] = None

    def discard(self, name: str, channel: Channel) -> None:
        self.by_channel[channel].pop(name, None)


def silent(
    lane: Iterable[str],
    heard: Callable[[str], tuple[int, int]],
    until_ms: int,
    start: float = inf,
) -> Iterator[str]:
    """Those whom ``heard`` (position, time) does not know since ``until_ms``.  With the ``start``
    of a segment: only those it knows from before it, who may leave at its end."""
    for name in lane:
        position, heard_ms = heard(name)
        if position >= start or heard_ms > until_ms:
            return
        yield name
