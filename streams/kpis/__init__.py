"""Every KPI there is: one file per family, each exporting ``MEASURES`` and ``KPIS``.

A new family is a new file here; no list is edited anywhere.  ``MEASURES`` of a file is everything
its KPIs read, so a measure may stand in several families: the same name must then be the same
definition.  A file whose KPIs are levels also exports ``REGISTERS``, the names of the values that a
stage posts for them.

``check`` finds what is wrong with a set of definitions; ``contact-streams validate`` and the tests
run it.
"""

from __future__ import annotations

import pkgutil
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from types import ModuleType

from streams.core.kpi import (
    NOW,
    WINDOWS,
    Average,
    Count,
    Distribution,
    Kpi,
    Level,
    Mean,
    Oldest,
    Quantile,
    Ratio,
    Total,
)
from streams.core.measure import Cut, Measure, bucket_names

UNITS = (
    "contacts", "legs", "offers", "agents", "durations", "messages", "surveys", "customers",
    "ratio", "seconds", "points",
)  # fmt: skip
ATTRIBUTIONS = ("cohort", "event", "span", "now")
BEGINNINGS = ("entered_ms", "asked_ms", "created_ms", "solved_ms", "sent_ms", "arrived_ms")
"""Fields that date a fact by the time what it is about began: those of cohorts."""
LABELS = ("queue", "channel", "state", "direction", "stage")
"""Dimensions that may be labels of Prometheus series: queues are capped, the others are lists of
ours.  What a platform, an agent or a customer can write freely is none, or series grow for ever."""
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_FAMILY = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_METRIC = re.compile(r"cc_[a-z0-9]+(_[a-z0-9]+)*")
_METRIC_ENDS_REFUSED = (
    "_total",
    "_count",
    "_sum",
    "_bucket",
    "_created",
    "_info",
    "_ms",
    "_percent",
)
_UNITS_BY_FORMULA: Mapping[type, tuple[str, ...]] = {
    Ratio: ("ratio",),
    Total: ("seconds",),
    Mean: ("seconds",),
    Quantile: ("seconds",),
    Oldest: ("seconds",),
    Average: ("points", "contacts", "messages"),
}
_COUNTED = tuple(u for u in UNITS if u not in ("ratio", "seconds", "points"))


def _families() -> Iterator[ModuleType]:
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        yield import_module(f"{__name__}.{found.name}")


def unique(measures: Iterable[Measure]) -> tuple[Measure, ...]:
    """Each measure once, in the order met; ValueError if one name has two definitions."""
    known: dict[str, Measure] = {}
    for measure in measures:
        if known.setdefault(measure.name, measure) != measure:
            raise ValueError(f"measure {measure.name!r} is defined twice, and differently")
    return tuple(known.values())


_MODULES = tuple(_families())
ALL_MEASURES: tuple[Measure, ...] = unique(m for module in _MODULES for m in module.MEASURES)
ALL_KPIS: tuple[Kpi, ...] = tuple(k for module in _MODULES for k in module.KPIS)
ALL_REGISTERS: frozenset[str] = frozenset(
    name for module in _MODULES for name in getattr(module, "REGISTERS", ())
)
FAMILIES: Mapping[str, tuple[Kpi, ...]] = {
    family: tuple(k for k in ALL_KPIS if k.family == family)
    for family in dict.fromkeys(k.family for k in ALL_KPIS)
}
ALL_CUTS: Mapping[str, Cut] = {
    cut.name: cut for group in (ALL_MEASURES, ALL_KPIS) for d in group for cut in d.cuts
}
"""Cut name -> cut: turns a cut key into the key of a result."""


def key_of(cut_key: tuple[str, ...]) -> dict[str, str]:
    """A cut key as the key of a result; KeyError for a cut that no KPI has.

    >>> key_of(("queue", "PS", "voice"))
    {'queue': 'PS', 'channel': 'voice'}
    """
    return dict(zip(ALL_CUTS[cut_key[0]].dimensions, cut_key[1:], strict=True))


def version_of(family: str) -> int:
    """The version of a family: the highest of its KPIs'.  It must never fall; ``tests/kpis`` sees
    to that."""
    return max(kpi.version for kpi in FAMILIES[family])


def topic_of(family: str) -> str:
    """The topic of a family's results, without the prefix: ``kpi.service-level.v1``."""
    return f"kpi.{family}.v{version_of(family)}"


def amount_names(measure: Measure) -> tuple[str, ...]:
    """The names under which a measure adds up."""
    return bucket_names(measure) if measure.bounds_ms else (measure.name,)


# -- checking


def check(
    kpis: Sequence[Kpi], measures: Sequence[Measure], registers: Iterable[str] = ALL_REGISTERS
) -> list[str]:
    """What is wrong with these definitions, one sentence each; empty if nothing is."""
    produced = {name: m for m in measures for name in amount_names(m)}
    levels = frozenset(registers)
    return [
        *_duplicates("KPI", [k.name for k in kpis]),
        *_duplicates("measure", [m.name for m in measures]),
        *_clashing_cuts([c for group in (kpis, measures) for d in group for c in d.cuts]),
        *(f"measure {m.name}: {p}" for m in measures for p in _measure_problems(m)),
        *(f"KPI {k.name}: {p}" for k in kpis for p in _kpi_problems(k, produced, levels)),
        *_unread(kpis, measures),
        *_metric_clashes(kpis),
    ]


def _duplicates(what: str, names: Sequence[str]) -> Iterator[str]:
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"{what} {name}: the name is used {names.count(name)} times"


def _clashing_cuts(cuts: Sequence[Cut]) -> Iterator[str]:
    by_name: dict[str, set[Cut]] = defaultdict(set)
    for cut in cuts:
        by_name[cut.name].add(cut)
    for name, found in by_name.items():
        if len(found) > 1:
            yield f"cut {name}: has {len(found)} different lists of dimensions"


def _measure_problems(measure: Measure) -> Iterator[str]:
    """A field is anything the fact has by that name, a property too."""
    if not _NAME.fullmatch(measure.name):
        yield "the name is not lower case words joined by underscores"
    if measure.name.startswith("cohort_") and measure.at not in BEGINNINGS:
        yield f"the name says cohort, but it is dated at {measure.at}, which is no beginning"
    named = [measure.at, *(d for cut in measure.cuts for d in cut.dimensions)]
    named += [measure.value] if measure.value else []
    named += [getattr(condition, "field", measure.at) for condition in measure.where]
    for field in dict.fromkeys(named):
        if not hasattr(measure.fact, field):
            yield f"{measure.fact.__name__} has no field {field!r}"
    if measure.bounds_ms and (
        measure.value is None or list(measure.bounds_ms) != sorted(set(measure.bounds_ms))
    ):
        yield "buckets need a value and rising bounds"


def _kpi_problems(
    kpi: Kpi, produced: Mapping[str, Measure], levels: frozenset[str]
) -> Iterator[str]:
    if not _NAME.fullmatch(kpi.name):
        yield "the name is not lower case words joined by underscores"
    if not _FAMILY.fullmatch(kpi.family):
        yield f"family {kpi.family!r} cannot be part of a topic's name"
    if not kpi.help.endswith("."):
        yield "the help is not a sentence"
    yield from _unit_problems(kpi)
    yield from _window_problems(kpi)
    yield from _parts_problems(kpi)
    if isinstance(kpi.formula, Level | Oldest):
        yield from (
            f"reads {name!r}, which no stage posts" for name in kpi.formula.reads() - levels
        )
    else:
        yield from _read_problems(kpi, produced)
    if kpi.metric is not None:
        yield from _metric_problems(kpi, kpi.metric)


def _unit_problems(kpi: Kpi) -> Iterator[str]:
    allowed = _UNITS_BY_FORMULA.get(type(kpi.formula), _COUNTED)
    if kpi.unit not in allowed:
        formula = type(kpi.formula).__name__
        yield f"unit {kpi.unit!r} does not fit a {formula} ({', '.join(allowed)})"


def _window_problems(kpi: Kpi) -> Iterator[str]:
    if kpi.attribution not in ATTRIBUTIONS:
        yield f"attribution {kpi.attribution!r} is none of {', '.join(ATTRIBUTIONS)}"
    level = isinstance(kpi.formula, Level | Oldest)
    if level != (kpi.attribution == "now") or level != (kpi.windows == NOW):
        yield "a level, and nothing else, has the window and the attribution 'now'"
    elif not level and not (kpi.windows and set(kpi.windows) <= set(WINDOWS)):
        yield f"windows {kpi.windows} are not some of {', '.join(WINDOWS)}"


def _parts_problems(kpi: Kpi) -> Iterator[str]:
    """Each part of a formula adds something up: else it is undefined or negative for ever."""
    parts: tuple[tuple[str, ...], ...] = ()
    match kpi.formula:
        case Ratio(first, second) | Mean(first, second) | Average(first, second):
            parts = (first, second)
        case Count(only) | Total(only):
            parts = (only,)
    if not all(any(not term.startswith("-") for term in part) for part in parts):
        yield "a part of the formula adds nothing up"


def _read_problems(kpi: Kpi, produced: Mapping[str, Measure]) -> Iterator[str]:
    for name in sorted(kpi.formula.reads()):
        measure = produced.get(name)
        if measure is None:
            yield f"reads {name!r}, which no measure produces"
            continue
        if not set(kpi.cuts) <= set(measure.cuts):
            yield f"has a cut that {name!r} is not kept by"
        if kpi.attribution == "cohort" and measure.at not in BEGINNINGS:
            yield f"is of cohorts, but {name!r} is dated at {measure.at}"
        if kpi.attribution in ("event", "span") and name.startswith("cohort_"):
            yield f"is of {kpi.attribution}s, but {name!r} is of cohorts"
    if isinstance(kpi.formula, Quantile) and not 0 < kpi.formula.quantile < 1:
        yield "a quantile lies between 0 and 1"


def _metric_problems(kpi: Kpi, metric: str) -> Iterator[str]:
    if not _METRIC.fullmatch(metric) or metric.endswith(_METRIC_ENDS_REFUSED):
        yield f"metric {metric!r} breaks the naming rules"
    if metric.startswith("cc_window_") == (kpi.windows == NOW):
        yield f"metric {metric!r}: cc_window_ is the prefix of windowed values, and only of those"
    if kpi.unit not in metric.split("_"):
        yield f"metric {metric!r} does not name its unit, {kpi.unit}"
    if kpi.unit in ("ratio", "seconds") and not metric.endswith(f"_{kpi.unit}"):
        yield f"metric {metric!r} does not end in its unit, {kpi.unit}"
    if isinstance(kpi.formula, Distribution | Quantile):
        yield "a distribution has no gauge: the histograms of the exporter say more"
    if free := [d for d in kpi.cuts[0].dimensions if d not in LABELS]:
        yield f"the first cut is by {', '.join(free)}, which must not become a label"
    taken = {d for cut in kpi.cuts for d in cut.dimensions} | {"window"}
    taken |= {"state"} if kpi.windows != NOW else set()
    for label, _ in kpi.labels:
        if label in taken or not _NAME.fullmatch(label):
            yield f"label {label!r} is taken or badly named"


def _unread(kpis: Sequence[Kpi], measures: Sequence[Measure]) -> Iterator[str]:
    """What is added up and shown nowhere costs every event."""
    read = {name for k in kpis for name in k.formula.reads()}
    for measure in measures:
        if read.isdisjoint(amount_names(measure)):
            yield f"measure {measure.name}: no KPI reads it"


def _metric_clashes(kpis: Sequence[Kpi]) -> Iterator[str]:
    """KPIs may share a metric if only their labels' values differ: else it is no one quantity."""
    by_metric: dict[str, list[Kpi]] = defaultdict(list)
    for kpi in kpis:
        if kpi.metric is not None:
            by_metric[kpi.metric].append(kpi)
    for metric, sharing in by_metric.items():
        shapes = {(k.unit, k.cuts, k.windows, tuple(name for name, _ in k.labels)) for k in sharing}
        if len(shapes) > 1 or len({k.labels for k in sharing}) < len(sharing):
            names = ", ".join(k.name for k in sharing)
            yield f"metric {metric}: {names} share it and cannot be told apart"
