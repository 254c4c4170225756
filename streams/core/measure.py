"""What is added up: counts, sums of milliseconds and fixed-bucket histograms of facts, per cut and
minute.

Measures can be added *and subtracted*, in any order: that is the whole trick.  From it follow
replays, corrections, any cutting into batches and any merging of origins.

A measure names the fact it reads, the fact's field that dates it (its attribution) and its cuts.
``compile_measures`` turns all of them into one function that posts a fact.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from streams.core.facts import Fact
from streams.core.terms import MINUTE_MS, Terms

CutKey = tuple[str, ...]
"""``(cut name, value of dimension 1, ...)``, e.g. ``("queue", "PS", "voice")``."""
Amounts = dict[str, int]
"""Measure name -> amount; a histogram's buckets are ``name:0`` ... ``name:n``."""
Cell = Callable[[CutKey, int], Amounts]
"""``(cut key, minute) -> the amounts to add to``."""


class Cut(NamedTuple):
    """The dimensions a measure is kept by.  A fact that does not know one of them (None) is not
    kept by this cut."""

    name: str
    dimensions: tuple[str, ...]


QUEUE = Cut("queue", ("queue", "channel"))
CHANNEL = Cut("channel", ("channel",))
STAFF = Cut("staff", ())
AGENT = Cut("agent", ("agent",))
"""Only if the deployment wants agents named (``Terms.agents_named``)."""
ISSUE_TYPE = Cut("issue_type", ("issue_type", "channel"))
TEAM = Cut("team", ("team", "channel"))
DIRECTION = Cut("direction", ("direction", "channel"))
QUEUE_AND_CHANNEL = (QUEUE, CHANNEL)
ROLLS_UP = {QUEUE: CHANNEL}
"""A cut -> the one that lacks its first dimension: its cells are the sums of the other's."""


class RollingCell(Protocol):
    """A ``Cell`` that also rolls up: what is added to it counts in the cell ``rolled_up(cut,
    total)`` too, if there is a ``total``.  A cut key comes with the same ``total`` always."""

    def __call__(self, cut: CutKey, minute: int, total: str | None = None, /) -> Amounts: ...


def rolled_up(cut: CutKey, total: str) -> CutKey:
    """
    >>> rolled_up(("queue", "PS", "voice"), "channel")
    ('channel', 'voice')
    """
    return (total, *cut[2:])


class Is(NamedTuple):
    """The field has this value."""

    field: str
    value: object

    def __call__(self, fact: Any, terms: Terms) -> bool:
        return bool(getattr(fact, self.field) == self.value)


class Known(NamedTuple):
    """The field is there."""

    field: str

    def __call__(self, fact: Any, terms: Terms) -> bool:
        return getattr(fact, self.field) is not None


class Within(NamedTuple):
    """The duration is known and at most the queue's ``limit`` (inclusive), as in force when the
    visit began."""

    field: str
    limit: str

    def __call__(self, fact: Any, terms: Terms) -> bool:
        value = getattr(fact, self.field)
        if value is None:
            return False
        return bool(value <= getattr(terms.at(fact.queue, fact.entered_ms), self.limit))


class Condition(Protocol):
    """Whether a fact counts; a frozen value that can be called, so definitions print and
    compare."""

    def __call__(self, fact: Any, terms: Terms, /) -> bool: ...


class Measure(NamedTuple):
    """One thing that is added up.  ``value`` None counts facts; else the field is summed (or put
    into buckets)."""

    name: str
    fact: type
    at: str
    help: str
    value: str | None = None
    where: tuple[Condition, ...] = ()
    cuts: tuple[Cut, ...] = QUEUE_AND_CHANNEL
    bounds_ms: tuple[int, ...] = ()


def bucket_names(measure: Measure) -> tuple[str, ...]:
    """The amounts a histogram is made of: bucket i holds values <= ``bounds_ms[i]``, the last one
    all beyond."""
    return tuple(f"{measure.name}:{i}" for i in range(len(measure.bounds_ms) + 1))


Contribution = Callable[[Any, Terms], "tuple[str, int] | None"]


def _contribution(measure: Measure) -> Contribution:
    name, field = measure.name, measure.value
    where: tuple[Condition, ...] = measure.where
    if field is not None:
        known: Condition = Known(field)
        where = (*where, known)
    if measure.bounds_ms:
        return _bucket(bucket_names(measure), measure.bounds_ms, str(field), where)

    def contribute(fact: Any, terms: Terms) -> tuple[str, int] | None:
        for condition in where:
            if not condition(fact, terms):
                return None
        return name, 1 if field is None else getattr(fact, field)

    return contribute


def _bucket(
    names: Sequence[str], bounds: Sequence[int], field: str, where: Sequence[Condition]
) -> Contribution:
    def contribute(fact: Any, terms: Terms) -> tuple[str, int] | None:
        for condition in where:
            if not condition(fact, terms):
                return None
        return names[bisect_left(bounds, getattr(fact, field))], 1

    return contribute


def kept_cuts(cuts: Iterable[Cut], terms: Terms) -> tuple[Cut, ...]:
    """Those a deployment keeps: without the agents' names, unless it wants them."""
    return tuple(c for c in cuts if terms.agents_named or "agent" not in c.dimensions)


def roll_ups(measures: Sequence[Measure]) -> dict[Cut, Cut]:
    """Those of ``ROLLS_UP`` that hold: everything that is kept by the one is kept by the other."""
    return {
        cut: total
        for cut, total in ROLLS_UP.items()
        if all(total in m.cuts for m in measures if cut in m.cuts)
    }


class _Group(NamedTuple):
    """Measures of one fact type that share date and cuts: the cell is looked up once for all of
    them."""

    at: str
    cuts: tuple[tuple[str, tuple[str, ...]], ...]
    contributions: tuple[Contribution, ...]


Post = Callable[[Fact, int, RollingCell], None]
"""What a stage posts with: ``post(fact, sign, cell)``."""
PlainPost = Callable[[Fact, int, Cell], None]
"""A ``Post`` that leaves nothing to be rolled up."""


def compile_measures(measures: Iterable[Measure], terms: Terms) -> PlainPost:
    """One function ``post(fact, sign, cell)`` that adds everything ``fact`` means into ``cell(cut
    key, minute)``."""
    groups: dict[type, dict[tuple[str, tuple[Cut, ...]], list[Contribution]]] = {}
    for m in measures:
        groups.setdefault(m.fact, {}).setdefault((m.at, m.cuts), []).append(_contribution(m))
    compiled = {
        fact: tuple(
            _Group(
                at,
                tuple((c.name, c.dimensions) for c in kept_cuts(cuts, terms)),
                tuple(contributions),
            )
            for (at, cuts), contributions in by_date.items()
        )
        for fact, by_date in groups.items()
    }

    def post(fact: Fact, sign: int, cell: Cell) -> None:
        for at, cuts, contributions in compiled.get(type(fact), ()):
            added = [
                c for contribute in contributions if (c := contribute(fact, terms)) is not None
            ]
            if not added:
                continue
            minute = getattr(fact, at) // MINUTE_MS
            for cut, dimensions in cuts:
                key = (cut, *[getattr(fact, d) for d in dimensions])
                if None in key:
                    continue
                amounts = cell(key, minute)
                for name, amount in added:
                    amounts[name] = amounts.get(name, 0) + sign * amount

    return post
