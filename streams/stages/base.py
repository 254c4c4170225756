"""What every stage is to the one loop that runs it (``streams.runtime``).

A stage instance holds everything one worker knows for one partition.  It is deterministic: what it
holds and hands out is a function of the records it was given, never of how they were cut into
batches or of any clock.

The life of a stage: ``restore`` with the changelog's records in any cutting, ``start`` with the
committed offset, then ``absorb`` with batches in offset order.  ``publish`` hands out what changed,
``seal`` closes what was absorbed so far: after its writes are acknowledged the offset
``Seal.commit`` may be committed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from streams.core.source import Headers, Record


class Output(NamedTuple):
    """A record to write.  ``stream`` is a logical name (``partials``, ``contact-events``,
    ``agent-events``, ``records``, ``dlq``, ``breaches``, ``kpi.<family>``); ``partition`` None
    means by the key's hash."""

    stream: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None
    headers: Headers = ()


class Entity(NamedTuple):
    """A changelog record; ``value`` None is a tombstone, its position is in the header
    ``position``."""

    key: bytes
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class Seal(NamedTuple):
    """Everything a seal writes, as of the instant of the seal.

    ``results`` may be made one by one as they are taken; nothing is absorbed before the last one.

    ``outputs`` go first, by the plain idempotent producer, in this order; then ``ahead``, if there
    is any, in a transaction of the shard's fenced producer; when that is committed ``results`` and
    ``entities`` in another one, results first; then ``commit`` is committed.
    """

    outputs: Sequence[Output]
    results: Iterable[Output]
    entities: Sequence[Entity]
    commit: int
    ahead: Sequence[Entity] = ()


class Stage(Protocol):
    """One stage, one partition."""

    name: str
    counts: Counter[str]
    """Process-local counters; ``keyed.Counts`` names them."""
    by_segment: bool
    """True: sealed at segment borders only, so the commit is always a segment's start.  False: at
    every publish."""

    def restore(self, records: Iterable[Record]) -> None:
        """Take changelog records; per key the highest position wins, whatever the order."""

    def start(self, committed: int) -> None:
        """Restoring is over and the next record will be at ``committed`` or later: forget what lies
        beyond it."""

    def absorb(self, records: Sequence[Record]) -> None:
        """Take records in offset order; with ``by_segment`` all of one segment."""

    def publish(self) -> Sequence[Output]:
        """What changed since the last call, in the order it must be written."""

    def seal(self, end: int) -> Seal:
        """Close everything absorbed so far; ``end`` is the offset after the last one absorbed (or
        the border)."""
