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

    Everything is worked out once: properties of the fact, conditions, minutes, cells.  A cell is
    asked for only if something is added to it, because asking marks it as changed.  What a fact
    adds to a cut it does not know a dimension of goes to ``NOWHERE``.
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
            "NOWHERE": {},
        }
        self.dimensions = {d for m in measures for c in m.cuts for d in c.dimensions}
        self.flags: dict[str, str] = {"": ""}
        """Condition -> the variable that says whether it is met; none for what always counts."""
        self.minutes: dict[str, str] = {}
        self.cells: dict[tuple[str, Cut], tuple[str, list[str]]] = {}
        """(Date, cut) -> the variable of the cell, and the flags of what is added to it."""

    def build(self) -> _PostOne:
        additions: dict[tuple[str, tuple[str, ...]], list[Measure]] = {}
        for measure in self.measures:
            flag = self._flag(measure)
            cells = tuple(self._cell(measure.at, cut, flag) for cut in self._posted(measure))
            additions.setdefault((flag, cells), []).append(measure)
        lines = [line for key, found in additions.items() for line in self._adding(*key, found)]
        source = [*self._head(), *self._asking(), *lines]
        exec("def post(fact, sign, cell):\n    " + "\n    ".join(source), self.names)
        post: _PostOne = self.names["post"]
        return post

    def _head(self) -> list[str]:
        lines = [f"{', '.join(self.fields)}, = fact"]
        early = sorted(self.dimensions.union(m.at for m in self.measures).difference(self.fields))
        lines += [f"{self._field(name)} = fact.{name}" for name in early]
        if any(isinstance(c, Within) for m in self.measures for c in m.where):
            lines.append("limits = terms_at(queue, entered_ms)")
        lines += [f"{flag} = {condition}" for condition, flag in self.flags.items() if flag]
        return lines + [f"{minute} = {at} // {MINUTE_MS}" for at, minute in self.minutes.items()]

    def _asking(self) -> list[str]:
        lines = []
        for (at, cut), (cell, flags) in self.cells.items():
            ask = f"{cell} = {self._asked_for(cut, self.minutes[self._field(at)])}"
            lines.append(ask if "" in flags else f"if {' or '.join(dict.fromkeys(flags))}: {ask}")
        return lines

    def _asked_for(self, cut: Cut, minute: str) -> str:
        key = ", ".join([repr(cut.name), *map(self._field, cut.dimensions)])
        total = self.totals.get(cut)
        rolls_up = f", {total.name!r}" if total else ""
        ask = f"cell(({key},), {minute}{rolls_up})"
        unknown = [f"{d} is None" for d in cut.dimensions if d in self.nullable]
        if not unknown:
            return ask
        without = self._asked_for(total, minute) if total else "NOWHERE"
        return f"{without} if {' or '.join(unknown)} else {ask}"

    def _adding(self, flag: str, cells: tuple[str, ...], measures: Iterable[Measure]) -> list[str]:
        lines, indent = ([f"if {flag}:"], "    ") if flag else ([], "")
        for measure in measures:
            name, amount = self._addition(measure)
            lines.append(f"{indent}n, a = {name}, {amount}")
            lines += [f"{indent}{cell}[n] = {cell}.get(n, 0) + a" for cell in cells]
        return lines

    def _addition(self, measure: Measure) -> tuple[str, str]:
        """The name and the amount."""
        if measure.value is None:
            return repr(measure.name), "sign"
        value = self._field(measure.value)
        if not measure.bounds_ms:
            return repr(measure.name), f"sign * {value}"
        names, bounds = self._constant(bucket_names(measure)), self._constant(measure.bounds_ms)
        return f"{names}[bisect_left({bounds}, {value})]", "sign"

    def _flag(self, measure: Measure) -> str:
        where = [self._source(c) for c in measure.where]
        if measure.value is not None and self._may_lack(measure.value):
            where.append(self._source(Known(measure.value)))
        condition = " and ".join(dict.fromkeys(where))
        return self.flags.setdefault(condition, f"k{len(self.flags)}")

    def _posted(self, measure: Measure) -> list[Cut]:
        """The cuts it is kept by, without those that are rolled up."""
        cuts = kept_cuts(measure.cuts, self.terms)
        rolled_up = {self.totals[cut] for cut in cuts if cut in self.totals}
        return [cut for cut in cuts if cut not in rolled_up]

    def _cell(self, at: str, cut: Cut, flag: str) -> str:
        self.minutes.setdefault(self._field(at), f"minute_{len(self.minutes)}")
        cell, flags = self.cells.setdefault((at, cut), (f"c{len(self.cells)}", []))
        flags.append(flag)
        return cell

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
