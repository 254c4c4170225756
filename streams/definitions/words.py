"""A definition in words: the formula written out, the windows, the names outside.

Text without marks of any kind; ``markdown`` and ``contact-streams kpi show`` add theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.core.kpi import (
    NOW,
    Average,
    Count,
    Distribution,
    Formula,
    Kpi,
    Level,
    Mean,
    Oldest,
    Quantile,
    Ratio,
    Total,
)
from streams.core.measure import Measure, bucket_names
from streams.core.result import UNDATED
from streams.core.terms import DAY_MS, HOUR_MS, MINUTE_MS
from streams.kpis import ALL_MEASURES, amount_names, topic_of
from streams.metrics import gauge_labels

MEASURES = {name: measure for measure in ALL_MEASURES for name in amount_names(measure)}
"""Amount name -> the measure it belongs to."""
_COHORT = ", at the time they began"
"""Said of every measure of cohorts; the attribution says it once."""
TOPIC_ONLY = "topic only"
Naming = Callable[[str], str]


def told(kpi: Kpi) -> dict[str, str]:
    """Everything about a KPI but its meaning: what is said -> the text."""
    rows = {
        "formula": formula_text(kpi.formula, meaning),
        "measures": formula_text(kpi.formula, _itself),
        "unit": kpi.unit,
        "attribution": kpi.attribution,
        "cuts": ", ".join(cut_text(cut.name, cut.dimensions) for cut in kpi.cuts),
        "windows": ", ".join(kpi.windows),
        "prometheus": metric_text(kpi),
        "topic": topic_text(kpi),
        "key": key_text(kpi),
        "excludes": kpi.excludes,
        "final": final_text(kpi),
        "version": str(kpi.version),
    }
    if rows["measures"] == rows["formula"]:
        del rows["measures"]
    return {name: text for name, text in rows.items() if text}


def described(kpi: Kpi) -> str:
    """A definition as lines of plain text, a newline at the end."""
    rows = told(kpi)
    width = max(map(len, rows))
    lines = [f"{name:{width}}  {text}" for name, text in rows.items()]
    return "\n".join([f"{kpi.name}: {kpi.help}", "", *lines]) + "\n"


def plain(kpi: Kpi) -> dict[str, Any]:
    """A definition as JSON has it."""
    measures = dict.fromkeys(MEASURES[n] for n in sorted(kpi.formula.reads()) if n in MEASURES)
    return {
        "kpi": kpi.name,
        "family": kpi.family,
        "version": kpi.version,
        "help": kpi.help,
        "unit": kpi.unit,
        "formula": formula_text(kpi.formula, _itself),
        "measures": [_plain_measure(measure) for measure in measures],
        "attribution": kpi.attribution,
        "cuts": {cut.name: list(cut.dimensions) for cut in kpi.cuts},
        "windows": list(kpi.windows),
        "metric": kpi.metric,
        "labels": dict(kpi.labels),
        "topic": topic_of(kpi.family),
        "excludes": kpi.excludes,
        "matures_ms": kpi.matures_ms,
    }


def _plain_measure(measure: Measure) -> dict[str, Any]:
    return {
        "name": measure.name,
        "help": measure.help,
        "fact": measure.fact.__name__,
        "dated_at": measure.at,
        "adds": measure.value or "1",
        "where": [str(condition) for condition in measure.where],
        "bounds_ms": list(measure.bounds_ms),
    }


# -- the formula


def formula_text(formula: Formula, name: Naming) -> str:
    """A formula with each amount as ``name`` writes it.

    >>> formula_text(Ratio(("hits",), ("visits", "-short")), str)
    'hits / (visits - short)'
    """
    match formula:
        case Count(terms) | Total(terms):
            return _sum(terms, name)
        case Ratio(over, under) | Mean(over, under):
            return _quotient(over, under, name)
        case Average(over, under, divisor, times):
            before = f"{times} * " if times != 1 else ""
            after = f" / {divisor}" if divisor != 1 else ""
            return before + _quotient(over, under, name) + after
        case Distribution(histogram):
            return f"{_whole(histogram, name)}: how many in each bucket"
        case Quantile(histogram, quantile):
            share = f"{quantile * 100:g} %"
            return f"{_whole(histogram, name)}: the bucket up to which {share} lie"
        case Level(register):
            return f"{register} now, added up over all origins"
        case Oldest(register):
            return f"now less the earliest {register} of all origins"


def _quotient(over: tuple[str, ...], under: tuple[str, ...], name: Naming) -> str:
    return f"{_bracketed(over, name)} / {_bracketed(under, name)}"


def _bracketed(terms: tuple[str, ...], name: Naming) -> str:
    text = _sum(terms, name)
    return f"({text})" if len(terms) > 1 else text


def _sum(terms: tuple[str, ...], name: Naming) -> str:
    """What is added first, then what is taken away.

    >>> _sum(("-late", "answered"), str)
    'answered - late'
    """
    added = [name(term) for term in terms if not term.startswith("-")]
    taken = [name(term[1:]) for term in terms if term.startswith("-")]
    return " - ".join([" + ".join(added), *taken])


def _whole(histogram: Measure, name: Naming) -> str:
    return name(bucket_names(histogram)[0])


def _itself(amount: str) -> str:
    return amount.partition(":")[0]


def meaning(amount: str) -> str:
    """What the measure of an amount adds up, as a phrase in brackets."""
    text = MEASURES[amount].help.removesuffix(".").removesuffix(_COHORT)
    return f"[{text}]"


# -- names and windows


def cut_text(name: str, dimensions: tuple[str, ...]) -> str:
    """A cut with its dimensions; they are left out where they say the same."""
    return name if dimensions == (name,) else f"{name} ({', '.join(dimensions) or 'all in one'})"


def metric_text(kpi: Kpi) -> str:
    """The gauge with its labels."""
    if kpi.metric is None:
        return TOPIC_ONLY
    constant = dict(kpi.labels)
    labels = [f'{n}="{constant[n]}"' if n in constant else n for n in gauge_labels(kpi)]
    return f"{kpi.metric}{{{', '.join(labels)}}}"


def topic_text(kpi: Kpi) -> str:
    """The topic; ``<prefix>`` is ``kafka.prefix``."""
    return f"<prefix>.{topic_of(kpi.family)}"


def key_text(kpi: Kpi) -> str:
    """The key of a record of the first cut and window, with names for values."""
    cut, window = kpi.cuts[0], kpi.windows[0]
    parts = [f'"{kpi.name}"', f'"{cut.name}"', *cut.dimensions, f'"{window}"']
    return f"[{', '.join(parts if window in UNDATED else [*parts, 'start_ms'])}]"


def final_text(kpi: Kpi) -> str:
    """When a result is final."""
    if kpi.windows == NOW:
        return "never: a state, of which the latest counts"
    later = f"{duration_text(kpi.matures_ms)} and " if kpi.matures_ms else ""
    return f"{later}the grace after the window's end"


def duration_text(ms: int) -> str:
    """A duration in its largest whole unit.

    >>> duration_text(7 * DAY_MS), duration_text(90 * MINUTE_MS)
    ('7 days', '90 minutes')
    """
    for unit, size in (("day", DAY_MS), ("hour", HOUR_MS), ("minute", MINUTE_MS)):
        if ms % size == 0:
            count = ms // size
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return f"{ms} ms"
