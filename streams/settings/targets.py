"""The ``[targets]`` table: where a KPI has to be, and when somebody is told.

::

    [targets."Sales answers soon"]
    kpi = "service_level_pos"
    window = "rolling_30m"
    queues = ["sales", "orders"]
    at_least = 0.8
    warning = 0.85
    volume_min = 20

    [[targets."Sales answers soon".since]]
    from = "2027-01-01"
    at_least = 0.9
    warning = 0.92

Values are in the KPI's unit.  What an entry of ``since`` does not say is as before it.  A date
means its first instant in the zone of ``[defaults]``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streams.core.kpi import Distribution, Kpi
from streams.core.target import AFTER_MAX, DIMENSIONS, Limits, Since, Target, has_volume
from streams.core.vocabulary import CHANNELS
from streams.kpis import ALL_KPIS
from streams.settings.named import each, known_keys, since_rows
from streams.settings.options import Field, Wrong, did_you_mean, fields_of, option, value_of
from streams.settings.queues import instant

TARGETS_MAX = 200
_KPIS: Mapping[str, Kpi] = {kpi.name: kpi for kpi in ALL_KPIS}
_SIDES = ("at_least", "at_most")


@dataclass(frozen=True, slots=True)
class _Where:
    """What a target is about."""

    kpi: str = option("", "The KPI that is judged.")
    window: str = option("", "Which of its windows are judged; may be left out if it has but one.")
    cut: str = option("", "By what: queue, channel ...; the KPI's first cut if it is not named.")
    queues: tuple[str, ...] = option((), "Only these queues; all of them if none is named.")
    channel: str = option("", "Only this channel.", choices=CHANNELS)


@dataclass(frozen=True, slots=True)
class _Limits:
    """What may change from a date on."""

    at_least: float = option(0, "What is below it breaches the target.")
    at_most: float = option(0, "What is above it breaches the target.")
    warning: float = option(0, "What is beyond it is a warning.")
    clear: float = option(0, "A breach ends when this is reached; else at the warning or target.")
    volume_min: int = option(
        0,
        "Values made of less (contacts, legs, answers) change nothing.",
        low=0,
        high=1_000_000_000,
    )
    breach_after: int = option(1, "Values in a row that it takes.", low=1, high=AFTER_MAX)
    clear_after: int = option(1, "Values in a row that it takes.", low=1, high=AFTER_MAX)


_WHERE: Mapping[str, Field] = {f.name: f for f in fields_of("targets", _Where)}
_LIMITS: Mapping[str, Field] = {f.name: f for f in fields_of("targets", _Limits)}


def read(table: object, zone: str, origin: str, problems: list[str]) -> tuple[Target, ...]:
    """All targets; what is wrong is added to ``problems``."""

    def target(rows: dict[str, Any], said: list[str]) -> Target | None:
        return _target(rows, zone, said)

    found = each("targets", table, origin, problems, target, None)
    if len(found) > TARGETS_MAX:
        problems.append(f"targets (from {origin}): there may be at most {TARGETS_MAX}")
    return tuple(one._replace(name=name) for name, one in found.items() if one is not None)


def _target(table: dict[str, Any], zone: str, said: list[str]) -> Target | None:
    keys = known_keys(table, (*_WHERE, *_LIMITS, "since"), "", said)
    chosen = _values(table, [key for key in keys if key in _WHERE], _WHERE, "", said)
    base = _values(table, [key for key in table if key in _LIMITS], _LIMITS, "", said)
    sides = [side for side in _SIDES if side in table]
    if len(sides) != 1:
        many = "only one of them, please" if sides else "one of them is needed"
        said.append(f".at_least, at_most: {many}")
    kpi = _kpi(table, chosen, said)
    if kpi is None or said:
        return None
    target = _place(kpi, chosen, sides[0] == "at_least", said)
    dated = tuple(_dated(table, base, sides[0], target, zone, said))
    return None if said else target._replace(dated=dated)


def _values(
    table: Mapping[str, Any], keys: Sequence[str], known: Mapping[str, Field], where: str,
    said: list[str],
) -> dict[str, Any]:  # fmt: skip
    found = {}
    for key in keys:
        try:
            found[key] = value_of(known[key], table[key])
        except Wrong as wrong:
            said.append(f"{where}.{key} = {table[key]!r}: {wrong}")
    return found


# -- what it is about


def _kpi(table: Mapping[str, Any], chosen: Mapping[str, Any], said: list[str]) -> Kpi | None:
    name: str | None = chosen.get("kpi")
    if name is not None and name in _KPIS:
        return _KPIS[name]
    if name is not None:
        said.append(f".kpi = {name!r}: there is no such KPI{did_you_mean(name, _KPIS)}")
    elif "kpi" not in table:
        said.append(".kpi: is missing")
    return None


def _place(kpi: Kpi, chosen: Mapping[str, Any], at_least: bool, said: list[str]) -> Target:
    """A target without its limits."""
    window, cut = chosen.get("window"), chosen.get("cut", kpi.cuts[0].name)
    if window is None and len(kpi.windows) == 1:
        window = kpi.windows[0]
    if window not in kpi.windows:
        found = ".window: is missing" if window is None else f".window = {window!r}: it has none"
        said.append(f"{found}; {kpi.name} has {', '.join(kpi.windows)}")
    if isinstance(kpi.formula, Distribution):
        said.append(f".kpi: {kpi.name} is a distribution, which has no one value to judge")
    queues, channel = chosen.get("queues", ()), chosen.get("channel", "")
    said.extend(_cut_problems(kpi, cut, queues, channel))
    return Target("", kpi, window or "", at_least, (), cut, frozenset(queues), channel)


def _cut_problems(kpi: Kpi, cut: str, queues: Sequence[str], channel: str) -> Iterator[str]:
    possible = {c.name: c.dimensions for c in kpi.cuts if DIMENSIONS.issuperset(c.dimensions)}
    if cut not in possible:
        names = ", ".join(possible) or "none that a target can have"
        yield f".cut = {cut!r}: {kpi.name} is not kept so; it has {names}"
        return
    if queues and "queue" not in possible[cut]:
        yield f".queues: {kpi.name} is judged by {cut}, which knows no queues"
    if channel and "channel" not in possible[cut]:
        yield f".channel: {kpi.name} is judged by {cut}, which knows no channels"


# -- its limits


def _dated(
    table: dict[str, Any], base: dict[str, Any], side: str, target: Target, zone: str,
    said: list[str],
) -> Iterator[Since]:  # fmt: skip
    yield Since(0, _limits(base, side, target, "", said))
    named, before = base, 0
    for where, row in since_rows("targets", table, said):
        keys = [key for key in known_keys(row, (*_LIMITS, "from"), where, said) if key != "from"]
        named = {**named, **_values(row, keys, _LIMITS, where, said)}
        if any(other in row for other in _SIDES if other != side):
            said.append(f"{where}: the target is {side}, and stays so")
        try:
            since_ms = instant(row.get("from"), zone)
        except Wrong as wrong:
            said.append(f"{where}.from: {wrong}")
            continue
        if since_ms <= before:
            said.append(f"{where}.from: must be later than the entry before it")
        before = since_ms
        yield Since(since_ms, _limits(named, side, target, where, said))


def _limits(
    named: Mapping[str, Any], side: str, target: Target, where: str, said: list[str]
) -> Limits:
    """The limits that are named so far, checked against each other."""
    value, warning = named.get(side, 0), named.get("warning")
    clear = named.get("clear", value if warning is None else warning)
    better = "at least" if target.at_least else "at most"
    for name, limit in (("warning", warning), ("clear", named.get("clear"))):
        if limit is not None and not target.reaches(limit, value):
            said.append(f"{where}.{name} = {limit}: must be {better} {side}, which is {value}")
    if target.kpi.unit == "ratio":
        for name in (side, "warning", "clear"):
            if not 0 <= named.get(name, 0) <= 1:
                said.append(f"{where}.{name} = {named[name]}: a ratio lies between 0 and 1")
    if named.get("volume_min", 0) and not has_volume(target.kpi):
        said.append(f"{where}.volume_min: {target.kpi.name} is not made of a number of anything")
    after = {name: named[name] for name in ("breach_after", "clear_after") if name in named}
    return Limits(value, clear, warning, named.get("volume_min", 0), **after)
