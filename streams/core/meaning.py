"""What stored sums were made with: terms by queue and date, and the measures.

A fact that is disproved is posted again with sign -1, under the terms and measures of *now*.  If
these say something else about its time than they did when it was posted, more or less is taken away
than was ever added (architecture, rule 15).  So a change of meaning for a time that has been
processed must be found before anything is absorbed; a change from a later date on is none.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from streams.core.measure import Measure
from streams.core.opening import Opening
from streams.core.terms import HOUR_MS, Dated, QueueTerms, Terms

Said = dict[str, str]
"""Name -> value, as text.  Only names that both sides know are compared, so that a new release with
another term changes nothing; names that end in a date count from that date on."""
FIRST_ZONE_MS = 14 * HOUR_MS
"""How far ahead of UTC the first zone is."""
_NO_POSTING = ("_dated", "agent_silence_ms", "default", "grace_ms", "patience")
"""Of terms: what is in ``default`` and ``queues``, and what becomes an event of its own, or a word
(final)."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}$")
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class Meaning(NamedTuple):
    """``others`` are terms without a queue, ``queues`` their rows by date, ``measures`` digests."""

    others: Said
    default: Said
    queues: dict[str, list[tuple[int, Said]]]
    measures: Said


def meaning_of(
    terms: Terms, queues: Mapping[str, Sequence[Dated]], measures: Iterable[Measure]
) -> Meaning:
    """What these say.  ``queues`` are the rows that ``terms`` were made of."""
    others = {name: getattr(terms, name) for name in Terms.__slots__ if name not in _NO_POSTING}
    return Meaning(
        {name: repr(value) for name, value in others.items()},
        _said(terms.default),
        {
            name: [(d.since_ms, _said(d.terms)) for d in sorted(rows)]
            for name, rows in queues.items()
        },
        {m.name: _digest(m) for m in measures},
    )


def _said(terms: QueueTerms) -> Said:
    said: Said = {}
    for name, value in terms._asdict().items():
        said |= _opening(name, value) if isinstance(value, Opening) else {name: repr(value)}
    return said


def _opening(name: str, opening: Opening) -> Said:
    """Hours have dates of their own: next year's holidays are no change of history."""
    said = {f"{name} zone": opening.zone}
    said |= {f"{name} since {era.since.isoformat()}": repr(era.week) for era in opening.eras}
    return said | {f"{name} on {day.isoformat()}": repr(h) for day, h in opening.special_days}


def _digest(measure: Measure) -> str:
    """What is said about a measure does not change what it adds up."""
    text = _ADDRESS.sub("", repr(measure._replace(help="")))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def changes(old: Meaning, new: Meaning, until_ms: int) -> Iterator[str]:
    """What ``new`` says otherwise than ``old`` about the time before ``until_ms``, a sentence
    each."""
    yield from _differences("", old.others, new.others, until_ms)
    yield from _differences("queues that are not named: ", old.default, new.default, until_ms)
    for queue in sorted(old.queues.keys() | new.queues.keys()):
        dates = {since_ms for side in (old, new) for since_ms, _ in side.queues.get(queue, ())}
        for at in sorted({0} | {date for date in dates if date < until_ms}):
            where = f"queue {queue}, since {at}: " if at else f"queue {queue}: "
            yield from _differences(where, _at(old, queue, at), _at(new, queue, at), until_ms)
    for name in old.measures.keys() & new.measures.keys():
        if old.measures[name] != new.measures[name]:
            yield f"measure {name} is defined otherwise"


def _at(meaning: Meaning, queue: str, time_ms: int) -> Said:
    held = [said for since_ms, said in meaning.queues.get(queue, ()) if since_ms <= time_ms]
    return held[-1] if held else meaning.default


def _differences(where: str, old: Said, new: Said, until_ms: int) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        day = _DAY.search(name)
        told = name in old and name in new if day is None else day[0] <= _last_day(until_ms)
        if told and old.get(name) != new.get(name):
            yield f"{where}{name} was {old.get(name, 'not said')}, is {new.get(name, 'not said')}"


def _last_day(until_ms: int) -> str:
    """The latest date that has begun anywhere by then."""
    return datetime.fromtimestamp((until_ms + FIRST_ZONE_MS) / 1000, UTC).date().isoformat()
