"""The same as ``measure.compile_measures``, generated: one straight-line function per fact type.

A cell that is the sum of others (``measure.ROLLS_UP``) is not added to: whoever keeps the cells
rolls it up when it is wanted, a few times a second.

Posting facts is where a worker spends most of its own time (half of it, measured, before this
file), and nearly all of that went into calling one closure per measure.  The generated function
reads the fact's fields once and adds into the cells directly.  ``measure.compile_measures`` says
what posting means; a property test holds the two equal.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import NoneType
from typing import Any, get_args, get_type_hints

from streams.core.facts import Fact
from streams.core.measure import (
    Cut,
    Is,
    Known,
    Measure,
    Post,
    RollingCell,
    Within,
    bucket_names,
    kept_cuts,
    roll_ups,
)
from streams.core.terms import MINUTE_MS, Terms

_PostOne = Callable[[Any, int, RollingCell], None]
_ByFlag = dict[str, dict[str, list[Measure]]]
"""Measures by the flags of their first condition and of the others; "" for none."""


def generate_post(measures: Iterable[Measure], terms: Terms) -> Post:
    """``post(fact, sign, cell)``; with what ``cell`` rolls up, equal to what ``compile_measures``
    returns, some five times as fast."""
    known = tuple(measures)
    totals = roll_ups(known)
    by_fact: dict[type, list[Measure]] = {}
    for measure in known:
        by_fact.setdefault(measure.fact, []).append(measure)
    posts = {fact: _Function(fact, found, terms, totals).build() for fact, found in by_fact.items()}

    def post(fact: Fact, sign: int, cell: RollingCell) -> None:
        one = posts.get(type(fact))
        if one is not None:
            one(fact, sign, cell)

    return post


class _Function:
    """The source of one fact type's function, and the constants it refers to.

    Everything is worked out once: conditions, minutes, properties, buckets.  Then comes a block per
    cell; it is asked for only if something is added to it, because asking marks it as changed.

    Measures that have their first condition in common are under one flag, and only if it is met is
    there any question of their other conditions: a fact counts in a few of many measures.
    """

    def __init__(
        self, fact: type, measures: Sequence[Measure], terms: Terms, totals: Mapping[Cut, Cut]
    ) -> None:
        self.fields: tuple[str, ...] = fact._fields  # type: ignore[attr-defined]
        self.measures = measures
        self.terms = terms
        self.totals = totals
        hints = get_type_hints(fact)
        self.nullable = {name for name in self.fields if NoneType in get_args(hints[name])}
        self.names: dict[str, Any] = {
            "terms_at": terms.at,
            "terms": terms,
            "bisect_left": bisect_left,
        }
        self.dimensions = {d for m in measures for c in m.cuts for d in c.dimensions}
        self.flags: dict[str, dict[str, str]] = {}
        """First condition -> the others -> the variable that says whether they are met."""
        self.buckets: dict[str, dict[str, str]] = {}
        """Flag -> what finds a bucket's name -> the variable that has it."""
        self.minutes: dict[str, str] = {}
        self.cells: dict[tuple[str, Cut], _ByFlag] = {}
        """(Date, cut) -> what is added to the cell."""

    def build(self) -> _PostOne:
        for measure in self.measures:
            first, rest = self._flags(measure)
            self.minutes.setdefault(self._field(measure.at), f"minute_{len(self.minutes)}")
            for cut in self._posted(measure):
                cell = self.cells.setdefault((measure.at, cut), {})
                cell.setdefault(first, {}).setdefault(rest, []).append(measure)
        source = self._head()
        for (at, cut), by_flag in self.cells.items():
            source += self._block(at, cut, by_flag)
        exec("def post(fact, sign, cell):\n    " + "\n    ".join(source), self.names)
        post: _PostOne = self.names["post"]
        return post

    def _head(self) -> list[str]:
        lines = [f"{', '.join(self.fields)}, = fact"]
        early = sorted(self.dimensions.union(m.at for m in self.measures).difference(self.fields))
        lines += [f"{self._field(name)} = fact.{name}" for name in early]
        if any(isinstance(c, Within) for m in self.measures for c in m.where):
            lines.append("limits = terms_at(queue, entered_ms)")
        for first, others in self.flags.items():
            lines += self._known_once(first, others)
        return lines + [f"{minute} = {at} // {MINUTE_MS}" for at, minute in self.minutes.items()]

    def _known_once(self, first: str, others: Mapping[str, str]) -> list[str]:
        """What must be known under a first condition before anything is added."""
        flag = others[""]
        lines = self._named(flag)
        for condition, other in others.items():
            if condition:
                lines += [f"{other} = {condition}", *_under(other, self._named(other))]
        return [*([f"{flag} = {first}"] if flag else ()), *_under(flag, lines)]

    def _named(self, flag: str) -> list[str]:
        return [f"{name} = {found}" for found, name in self.buckets.get(flag, {}).items()]

    def _block(self, at: str, cut: Cut, by_flag: _ByFlag) -> list[str]:
        """Everything that one cell gets of a fact."""
        minute, total = self.minutes[self._field(at)], self.totals.get(cut)
        needed, known = cut.dimensions, self._ask(cut, minute, total)
        if total is not None:
            needed = total.dimensions
            if cut.dimensions[0] in self.nullable:
                known += f" if {cut.dimensions[0]} is not None else {self._ask(total, minute)}"
        guards = [f"{d} is not None" for d in needed if d in self.nullable]
        if "" not in by_flag:
            guards.append(f"({' or '.join(map(_any, by_flag, by_flag.values()))})")
        lines = [f"c = {known}"]
        for first, others in by_flag.items():
            added: list[str] = []
            for rest, measures in others.items():
                flag = rest or first
                added += _under(rest, [li for m in measures for li in self._addition(m, flag)])
            lines += _under(first, added)
        return _under(" and ".join(guards), lines)

    def _ask(self, cut: Cut, minute: str, total: Cut | None = None) -> str:
        key = ", ".join([repr(cut.name), *map(self._field, cut.dimensions)])
        rolls_up = f", {total.name!r}" if total else ""
        return f"cell(({key},), {minute}{rolls_up})"

    def _addition(self, measure: Measure, flag: str) -> list[str]:
        name = repr(measure.name)
        if measure.value is None:
            return [f"c[{name}] = c.get({name}, 0) + sign"]
        value = self._field(measure.value)
        if not measure.bounds_ms:
            return [f"c[{name}] = c.get({name}, 0) + sign * {value}"]
        name = self.buckets[flag][self._bucket(measure)]
        return [f"c[{name}] = c.get({name}, 0) + sign"]

    def _bucket(self, measure: Measure) -> str:
        """What finds the name of the bucket that the value lies in."""
        names, bounds = self._constant(bucket_names(measure)), self._constant(measure.bounds_ms)
        return f"{names}[bisect_left({bounds}, {self._field(str(measure.value))})]"

    def _flags(self, measure: Measure) -> tuple[str, str]:
        """The variables of its first condition and of the others; its bucket is known under
        them."""
        where = [self._source(c) for c in measure.where]
        if measure.value is not None and self._may_lack(measure.value):
            where.append(self._source(Known(measure.value)))
        first, *others = dict.fromkeys(where or [""])
        flags = self.flags.setdefault(first, {"": f"k{len(self.flags)}" if first else ""})
        rest = " and ".join(others)
        flag = flags.setdefault(rest, f"{flags['']}_{len(flags)}")
        if measure.bounds_ms:
            buckets = self.buckets.setdefault(flag, {})
            buckets.setdefault(self._bucket(measure), f"bucket_{flag}_{len(buckets)}")
        return flags[""], flag if rest else ""

    def _posted(self, measure: Measure) -> list[Cut]:
        """The cuts it is kept by, without those that are rolled up."""
        cuts = kept_cuts(measure.cuts, self.terms)
        rolled_up = {self.totals[cut] for cut in cuts if cut in self.totals}
        return [cut for cut in cuts if cut not in rolled_up]

    def _source(self, condition: Any) -> str:
        if isinstance(condition, Is):
            return f"{self._asked(condition.field)} == {self._constant(condition.value)}"
        if isinstance(condition, Known):
            return f"{self._asked(condition.field)} is not None"
        if isinstance(condition, Within):
            known, field = self._source(Known(condition.field)), self._field(condition.field)
            return f"{known} and {field} <= limits.{condition.limit}"
        return f"{self._constant(condition)}(fact, terms)"

    def _may_lack(self, name: str) -> bool:
        return name not in self.fields or name in self.nullable

    def _field(self, name: str) -> str:
        """The variable that has it: of a property, once it was ``_asked`` for."""
        return name if name in self.fields else f"fact_{name}"

    def _asked(self, name: str) -> str:
        """In a condition.  A property may make sense only under the conditions before it."""
        field = self._field(name)
        return field if name in self.fields else f"({field} := fact.{name})"

    def _constant(self, value: object) -> str:
        """Equal constants of one type have one name."""
        for name, known in self.names.items():
            if type(known) is type(value) and known == value:
                return name
        name = f"constant_{len(self.names)}"
        self.names[name] = value
        return name


def _any(first: str, others: Iterable[str]) -> str:
    """Whether anything is added under a first condition."""
    if "" in others:
        return first
    return f"{first} and ({' or '.join(others)})"


def _under(condition: str, lines: Iterable[str]) -> list[str]:
    """The lines, indented under a condition if there is one."""
    found = [*lines]
    if not condition or not found:
        return found
    return [f"if {condition}:", *(f"    {line}" for line in found)]
