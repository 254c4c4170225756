"""What there is to see of a deployment, as judges get it.  Times are ms since 1970, offsets and
counts are records.  ``streams.doctor.look`` fills it in; tests make it up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

At = tuple[str, int]
"""Topic and partition."""


class Answer(NamedTuple):
    """Whether an address takes a connection; ``problem`` is empty if it does."""

    address: str
    problem: str = ""


class Broker(NamedTuple):
    """One that the cluster names, at the address it tells clients to use."""

    number: int
    answer: Answer
    fenced: bool = False


@dataclass(frozen=True)
class Cluster:
    """``release`` is by the requests the brokers know; ``operations`` is what this user may do to
    the cluster, empty if it is not told."""

    brokers: Sequence[Broker]
    release: tuple[int, ...]
    kraft: bool
    transactions: bool
    operations: frozenset[str] = frozenset()


class Certificate(NamedTuple):
    """``where`` is an address, or the setting that names the file.  ``expires_ms`` is None if it
    could not be read; ``problem`` says why it is not accepted, if it is not."""

    where: str
    expires_ms: int | None
    problem: str = ""


class Partition(NamedTuple):
    """Brokers by number; ``leader`` is -1 if there is none."""

    leader: int
    replicas: Sequence[int]
    in_sync: Sequence[int]
    offline: Sequence[int] = ()


@dataclass(frozen=True)
class Topic:
    """``operations`` is what this user may do to it, empty if it is not told."""

    name: str
    id: str
    partitions: Mapping[int, Partition]
    operations: frozenset[str] = frozenset()
    internal: bool = False


class Span(NamedTuple):
    """Offset of the first record and of the next one; ``stable`` is where committed readers stop:
    before ``end``, if a transaction is open."""

    start: int
    end: int
    stable: int


class Commit(NamedTuple):
    """The group's; ``note`` names the incarnations of the topic and its changelog by their ids."""

    offset: int
    note: str = ""


class Member(NamedTuple):
    """Of the group; ``instance_id`` is empty without static membership."""

    instance_id: str
    assigned: frozenset[At]


@dataclass(frozen=True)
class Group:
    """``state`` is Kafka's word: Stable, Empty, Dead, PreparingRebalance, CompletingRebalance."""

    name: str
    state: str
    members: Sequence[Member] = ()


class Stage(NamedTuple):
    """What a stage reads and keeps.  ``slack`` is how many records it may have absorbed beyond its
    commit: a segment, where commits are at borders of segments."""

    name: str
    topic: str
    changelog: str = ""
    slack: int = 0


class Clock(NamedTuple):
    """How far a broker's clock is ahead of this machine's: between the two.  ``high_ms`` is None if
    nothing was written while looking; then only that it is not behind ``low_ms`` is known."""

    broker: int
    low_ms: float
    high_ms: float | None = None


@dataclass(frozen=True)
class DeadLetters:
    """``count``: by offsets, so transactions' markers are in it and there are at most as many.
    ``oldest_ms`` is when the first one was written, None without any."""

    count: int
    oldest_ms: int | None = None


@dataclass(frozen=True)
class Worker:
    """What a worker's /metrics say; ``problem`` if they could not be read.  Marks are by origin,
    events by stage; those rejected are among those read."""

    url: str
    problem: str = ""
    state: str = ""
    version: str = ""
    marks_ms: Mapping[str, float] = field(default_factory=dict)
    lag: Mapping[At, int] = field(default_factory=dict)
    events_read: Mapping[str, int] = field(default_factory=dict)
    events_rejected: Mapping[str, int] = field(default_factory=dict)
    records_lost: int = 0
    series_dropped: int = 0
    keys_refused: int = 0
