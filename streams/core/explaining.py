"""What is behind a number: which facts a KPI counted in one window of one key, which not, and why.

Nothing is defined here.  What a fact adds is asked of ``measure.compile_measures``, why it adds
nothing of the measure's own conditions, what the sums mean of the KPI's formula.  So the amounts of
all rows add up to the number in the KPI topic, or one of the two has not seen all events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from re import sub
from typing import Any, NamedTuple

from streams.core.facts import Fact, VisitAnswered, VisitLeft, VisitOffered
from streams.core.kpi import (
    Average,
    Count,
    Distribution,
    Formula,
    Kpi,
    Mean,
    Number,
    Quantile,
    Ratio,
    Total,
    linear,
    seconds,
)
from streams.core.measure import (
    Amounts,
    Cut,
    CutKey,
    Is,
    Known,
    Measure,
    PlainPost,
    Within,
    bucket_names,
    compile_measures,
)
from streams.core.terms import MINUTE_MS, Terms
from streams.core.window import Span

COUNTED, AGAINST, OUT = "counted", "against", "out"
"""In the numerator; below the line only; in neither."""
Facts = Mapping[tuple[type, Fact], int]
"""(Kind, fact) -> how often it holds.  With the kind: facts are tuples, and two kinds with the same
values would be equal."""
_LIMITS = {"threshold_ms": "T", "short_abandon_ms": "S"}
_ABSENT = {
    VisitOffered: "did not enter the queue",
    VisitAnswered: "was not answered",
    VisitLeft: "did not leave unanswered",
}
_NOWHERE = object()


class Asked(NamedTuple):
    """One number: a KPI of one cut key in one window.  ``measures``: those its formula reads."""

    kpi: Kpi
    cut: Cut
    key: CutKey
    span: Span
    measures: tuple[Measure, ...]


class Row(NamedTuple):
    """One visit of a contact (or one fact of an agent or a customer) and what the KPI makes of it.

    ``amounts`` are what it adds up to, by measure; ``numerator`` and ``denominator`` what these are
    in the formula (sums of durations in ms); ``verdict`` is COUNTED, AGAINST or OUT.
    """

    who: str
    facts: Facts
    amounts: Amounts
    numerator: int
    denominator: int
    verdict: str
    why: tuple[str, ...]


def asked(kpi: Kpi, cut: Cut, key: CutKey, span: Span, measures: Iterable[Measure]) -> Asked:
    """The question about this number; ``measures`` are all there are."""
    reads = kpi.formula.reads()
    read = tuple(m for m in measures if reads.intersection(_names(m)))
    return Asked(kpi, cut, key, span, read)


def parts(formula: Formula) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is above the line and what is below.  ValueError for a level: it is no sum."""
    match formula:
        case Ratio(over, under) | Mean(over, under):
            return over, under
        case Average(over, under):
            return over, under
        case Count(over) | Total(over):
            return over, ()
        case Distribution(histogram) | Quantile(histogram):
            return bucket_names(histogram), ()
    raise ValueError(f"a {type(formula).__name__} is a state now, not a sum")


def in_seconds(formula: Formula, amount: int) -> Number:
    """What is above the line as the results tell it: durations in seconds."""
    return seconds(amount) if isinstance(formula, Mean | Total) else amount


# -- which facts have to do with a number


def touches(question: Asked, fact: Fact) -> bool:
    """Whether the fact is of the question's key, and something of it happened in the window.

    Durations are told from times by their size: none is as long as the time since 1970.
    """
    span = question.span
    return _keyed(question, fact) and any(
        isinstance(value, int) and span.start_ms <= value < span.end_ms for value in fact
    )


def _keyed(question: Asked, fact: Fact) -> bool:
    dimensions = question.cut.dimensions
    return all(
        getattr(fact, name, _NOWHERE) == value
        for name, value in zip(dimensions, question.key[1:], strict=True)
    )


# -- rows


def rows_of(question: Asked, who: str, facts: Facts, terms: Terms) -> Iterator[Row]:
    """What the KPI makes of one contact (agent, customer): a row for each visit that counted or
    might have."""
    post = compile_measures(question.measures, terms)
    kinds = {VisitOffered, *(m.fact for m in question.measures)}
    for group in visits(facts):
        if kinds.intersection(kind for kind, _ in group):
            yield _row(question, who, group, post, terms)


def visits(facts: Facts) -> list[Facts]:
    """The facts by visit, in the order of time.  A fact that does not name the visit's beginning
    belongs to the latest one of its queue that had begun."""
    groups: list[tuple[Any, int, dict[tuple[type, Fact], int]]] = []
    for (kind, fact), count in sorted(facts.items(), key=_in_time):
        queue, began_ms = getattr(fact, "queue", None), getattr(fact, "entered_ms", None)
        found = next(
            (
                group
                for at, entered_ms, group in reversed(groups)
                if at == queue is not None and began_ms in (None, entered_ms)
            ),
            None,
        )
        if found is None:
            found = {}
            groups.append((queue, _time_ms(fact), found))
        found[kind, fact] = count
    return [group for _, _, group in groups]


def _in_time(item: tuple[tuple[type, Fact], int]) -> tuple[int, str, str]:
    (kind, fact), _ = item
    return _time_ms(fact), kind.__name__, repr(fact)


def _time_ms(fact: Any) -> int:
    """When what the fact is about began: the first of its times."""
    times = (getattr(fact, name) for name in fact._fields if name.endswith("_ms"))
    return next((int(time_ms) for time_ms in times if time_ms is not None), 0)


def _row(question: Asked, who: str, facts: Facts, post: PlainPost, terms: Terms) -> Row:
    amounts = amounts_of(question, facts, post)
    over, under = parts(question.kpi.formula)
    above, below = _stands(over, amounts), _stands(under, amounts)
    verdict = COUNTED if above else AGAINST if below else OUT
    why = _why(question, over if above or below or not under else under, facts, amounts, terms)
    return Row(who, facts, amounts, linear(over, amounts), linear(under, amounts), verdict, why)


def amounts_of(question: Asked, facts: Facts, post: PlainPost) -> Amounts:
    """What the facts add to the number; a measure that is not named got nothing."""
    span, sums = question.span, Amounts()

    def cell(key: CutKey, minute: int) -> Amounts:
        inside = key == question.key and span.start_ms <= minute * MINUTE_MS < span.end_ms
        return sums if inside else {}

    for (_, fact), count in facts.items():
        post(fact, count, cell)
    return sums


def _stands(terms: tuple[str, ...], amounts: Amounts) -> bool:
    """Whether a part of the formula got something that is not taken out again; a duration of 0 is
    something."""
    added = any(term in amounts for term in terms if term[0] != "-")
    taken = any(term[1:] in amounts for term in terms if term[0] == "-")
    return added and not (taken and linear(terms, amounts) == 0)


# -- why


def _why(
    question: Asked, terms_read: tuple[str, ...], facts: Facts, amounts: Amounts, terms: Terms
) -> tuple[str, ...]:
    """What was counted or taken out, by the measures' own words; else what each of them misses."""
    by_name = {name: m for m in question.measures for name in _names(m)}
    out = [by_name[t[1:]].help for t in terms_read if t[0] == "-" and t[1:] in amounts]
    if out:
        return tuple(f"taken out: {help}" for help in out)
    wanted = list(dict.fromkeys(by_name[t] for t in terms_read if t[0] != "-"))
    counted = [m.help for m in wanted if not amounts.keys().isdisjoint(_names(m))]
    if counted:
        return tuple(counted)
    missed = [
        miss for m in wanted for _, fact in facts for miss in misses(question, m, fact, terms)
    ]
    absent = [_ABSENT.get(m.fact) or f"there is no {_words(m.fact.__name__)}" for m in wanted]
    return tuple(dict.fromkeys(missed or absent))


def misses(question: Asked, measure: Measure, fact: Fact, terms: Terms) -> Iterator[str]:
    """The first thing that keeps the fact out of the measure here; nothing for a fact of another
    kind."""
    if type(fact) is not measure.fact:
        return
    at_ms: int = getattr(fact, measure.at)
    if not question.span.start_ms <= at_ms < question.span.end_ms:
        yield f"{_words(measure.at)} in another window"
        return
    known = () if measure.value is None else (Known(measure.value),)
    for condition in (*measure.where, *known):
        if not condition(fact, terms):
            yield failing(condition, fact, terms)
            return


def failing(condition: Any, fact: Any, terms: Terms) -> str:
    """In words, why a condition does not hold for the fact.

    >>> failing(Is("outcome", "abandoned"), VisitLeft("PS", "voice", 0, 0, 0, "timeout"), Terms())
    'outcome is timeout, not abandoned'
    >>> late = VisitAnswered("PS", "voice", 0, 25_000, 25_000)
    >>> failing(Within("wait_ms", "threshold_ms"), late, Terms())
    'wait 25 s > T 20 s'
    """
    match condition:
        case Is(field, bool()):
            return f"{_words(field)} is {'yes' if getattr(fact, field) else 'no'}"
        case Is(field, value):
            return f"{_words(field)} is {getattr(fact, field)}, not {value}"
        case Within(field, limit) if getattr(fact, field) is not None:
            limit_ms = getattr(terms.at(fact.queue, fact.entered_ms), limit)
            name = _LIMITS.get(limit, _words(limit))
            waited = f"{_words(field)} {getattr(fact, field) / 1000:g} s"
            return f"{waited} > {name} {limit_ms / 1000:g} s"
        case Known(field) | Within(field, _):
            return f"{_words(field)} is not known, or cannot be true"
    return f"{condition} does not hold"


def _words(name: str) -> str:
    """A field or a kind of fact as words.

    >>> _words("entered_ms"), _words("OfferFailed")
    ('entered', 'offer failed')
    """
    return sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("_ms")).replace("_", " ").lower()


def _names(measure: Measure) -> tuple[str, ...]:
    return bucket_names(measure) if measure.bounds_ms else (measure.name,)
