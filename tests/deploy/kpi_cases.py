"""Cases of the alerts on KPIs.

A *situation* is one alert with rows that are bad, rows that are well, and rows that are bad but
made of too little; what may happen to rows (a restart, a move, a loss) is the same for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from deploy.names import REVISIONS
from tests.deploy.promtool import (
    Case,
    Check,
    Samples,
    Value,
    firing,
    line,
    never,
    series,
    silent,
    throughout,
)

KEEPS = 300
PLACE = {"queue": "sales", "channel": "voice"}
MAIL = {"queue": "orders", "channel": "email"}
OLD, NEW = 100, 200
"""Revisions."""


class Row(NamedTuple):
    """One row of a gauge; the value is bad, good, or not enough to be judged (None: no row)."""

    metric: str
    labels: Mapping[str, str]
    bad: Value
    good: Value
    low: Value


class Situation(NamedTuple):
    """An alert and what it is about; it fires ``after`` seconds of bad rows."""

    alert: str
    after: int
    rows: tuple[Row, ...]
    more: Mapping[str, Samples] = {}


def window(name: str) -> dict[str, str]:
    """Its labels, where it goes on now."""
    return {"window": name, "state": "open" if name == "day" else "now"}


def _burn(name: str, after: int, long: str, short: str, enough: int) -> Situation:
    def level(kind: str) -> Row:
        labels = {**PLACE, **window(kind), "variant": "pos"}
        return Row("cc_window_service_level_ratio", labels, 0.41, 0.93, 0.41)

    def offered(kind: str, contacts: int, few: int) -> Row:
        return Row("cc_window_contacts_offered", {**PLACE, **window(kind)}, contacts, contacts, few)

    rows = (level(long), level(short), offered(long, enough, enough - 1), offered(short, 12, 12))
    return Situation(f"CCQueueServiceLevelBurn{name}", after, rows)


def _target(alert: str, metric: str, after: int) -> Situation:
    labels = {**PLACE, "target": "Soon", "kpi": "service_level_pos", "window": "rolling_30m"}
    rows = (Row("cc_target", labels, 0.8, 0.8, 0.8), Row(metric, labels, 1, 0, 0))
    return Situation(alert, after, rows)


def _level(
    alert: str, metric: str, place: Mapping[str, str], after: int, bad: float, good: Value
) -> Situation:
    """A level that is bad beyond its default; what is on the limit is well."""
    return Situation(alert, after, (Row(metric, place, bad, good, good),))


def _agents(state: str, bad: int, good: int, low: int) -> Row:
    return Row("cc_queue_agents", {"queue": "sales", "state": state}, bad, good, low)


SITUATIONS = (
    _burn("Fast", 15, "rolling_60m", "rolling_5m", 20),
    _burn("Medium", 15, "day", "rolling_30m", 50),
    _burn("Slow", 300, "day", "rolling_60m", 50),
    _target("CCTargetBreached", "cc_target_breached", 0),
    _target("CCTargetWarning", "cc_target_warning", 60),
    Situation(
        "CCQueueAbandonmentHigh",
        60,
        (
            Row("cc_window_abandonment_ratio", PLACE | window("rolling_30m"), 0.25, 0.1, 0.25),
            Row("cc_window_contacts_offered", PLACE | window("rolling_30m"), 20, 40, 19),
        ),
    ),
    _level("CCQueueLongestWaitHigh", "cc_longest_wait_seconds", PLACE, 15, 301, None),
    _level(
        "CCQueueWaitingBeyondThreshold",
        "cc_contacts_waiting_beyond_threshold",
        PLACE,
        300,
        6,
        5,
    ),
    Situation(
        "CCQueueFirstResponseLow",
        300,
        (
            Row(
                "cc_window_service_level_first_response_ratio", MAIL | window("day"), 0.5, 0.8, 0.5
            ),
            Row("cc_window_contacts_arrived", MAIL | window("day"), 20, 20, 19),
        ),
    ),
    _level(
        "CCQueueUnansweredBeyondThreshold",
        "cc_contacts_unanswered_beyond_threshold",
        MAIL,
        300,
        6,
        5,
    ),
    _level("CCQueueBacklogOld", "cc_oldest_in_backlog_seconds", MAIL, 900, 700_000, None),
    Situation(
        "CCQueueNoAgentsReady",
        180,
        (
            Row("cc_contacts_waiting", PLACE, 3, 3, 0),
            _agents("not_ready", 2, 1, 2),
            _agents("talking", 0, 1, 0),
        ),
    ),
    Situation(
        "CCOccupancyHigh",
        900,
        (
            Row(
                "cc_window_occupancy_ratio",
                {**window("rolling_60m"), "variant": "ring_excluded"},
                0.95,
                0.9,
                0.95,
            ),
            Row("cc_agents", {"state": "talking"}, 5, 5, 4),
        ),
    ),
)


def rows_of(
    situation: Situation, worker: str, revision: Value, *phases: tuple[str | None, int]
) -> dict[str, Samples]:
    """The rows' series at a worker: of each phase what they are (None: not there) and how long."""
    made: dict[str, Samples] = {}
    for row in situation.rows:
        values = [(getattr(row, which) if which else None, seconds) for which, seconds in phases]
        shown = [(revision if which else None, seconds) for which, seconds in phases]
        made |= row_of(row.metric, row.labels, line(*values), line(*shown), worker)
    return made


def row_of(
    metric: str, labels: Mapping[str, str], values: Samples, revisions: Samples, worker: str = "a"
) -> dict[str, Samples]:
    """A row and its revision."""
    tie = REVISIONS[metric]
    of = {name: labels.get(name, "") for name in tie.labels}
    extra = {name: labels[name] for name in ("pod", "container") if name in labels}
    return {
        series(metric, labels, worker): values,
        series(tie.name, of | extra, worker): revisions,
    }


def _case(
    situation: Situation, kind: str, rows: Mapping[str, Samples], *checks: Check, of: str = ""
) -> Case:
    name = f"{situation.alert}/{of or kind}"
    return Case(name, situation.alert, kind, {**situation.more, **rows}, checks)


def usual(situation: Situation) -> Iterator[Case]:
    """What every alert must stand."""
    yield from _fires_and_clears(situation)
    yield from _quiet(situation)
    yield from _restart(situation)
    yield from _rebalance(situation)
    yield from _missing(situation)


def _fires_and_clears(situation: Situation) -> Iterator[Case]:
    """Not before its time, without a flap while it is so, and over when it is over."""
    begins = 120 + situation.after
    ends = begins + 60
    rows = rows_of(situation, "a", OLD, ("good", 120), ("bad", ends - 120), ("good", KEEPS + 90))
    over = ends + KEEPS
    checks = (never(begins - 15), throughout(begins, over - 30), silent(over + 30))
    yield _case(situation, "fires, clears", rows, *checks)


def _quiet(situation: Situation) -> Iterator[Case]:
    for which in ("good", "low"):
        rows = rows_of(situation, "a", OLD, (which, situation.after + 75))
        yield _case(situation, "quiet", rows, never(situation.after + 60), of=f"quiet, {which}")


def _restart(situation: Situation) -> Iterator[Case]:
    """The worker goes for a minute and comes back."""
    begins = situation.after
    on = (("bad", begins + 60), (None, 60), ("bad", begins + 120))
    through = throughout(begins, 2 * begins + 180)
    yield _case(situation, "restart", rows_of(situation, "a", OLD, *on), through)
    well = (("good", 120), (None, 60), ("good", begins + 60))
    rows = rows_of(situation, "a", OLD, *well)
    yield _case(situation, "restart", rows, never(begins + 180), of="restart, all well")


def _rebalance(situation: Situation) -> Iterator[Case]:
    """Rows are at both workers for a scrape, or for as long as one does not know it was cut off."""
    begins = situation.after
    moves = begins + 120
    old = rows_of(situation, "a", OLD, ("bad", moves + 15), (None, 15))
    new = rows_of(situation, "b", NEW, (None, moves), ("bad", 120))
    yield _case(situation, "rebalance", old | new, throughout(begins, moves + 105))
    for worse, better in (("a", "b"), ("b", "a")):
        cut_off = rows_of(situation, worse, OLD, ("bad", begins + 75))
        owner = rows_of(situation, better, NEW, ("good", begins + 75))
        of = f"rebalance, {worse} was cut off"
        yield _case(situation, "rebalance", cut_off | owner, never(begins + 60), of=of)
    wrong = rows_of(situation, "a", OLD, ("good", begins + 75))
    owner = rows_of(situation, "b", NEW, ("bad", begins + 75))
    through = throughout(begins, begins + 60)
    of = "rebalance, what was cut off says all is well"
    yield _case(situation, "rebalance", wrong | owner, through, of=of)
    equal = rows_of(situation, "a", NEW, ("bad", begins + 75))
    equal |= rows_of(situation, "b", NEW, ("bad", begins + 75))
    yield _case(situation, "rebalance", equal, through, of="rebalance, equal revisions")


def _missing(situation: Situation) -> Iterator[Case]:
    """Nobody has the rows any more: it ends.  One alone is away for a while: nothing begins."""
    gone = situation.after + 120
    rows = rows_of(situation, "a", OLD, ("bad", gone), (None, 15))
    over = gone + KEEPS
    yield _case(situation, "missing", rows, firing(gone + 60), silent(over + 30), silent(over + 60))
    well = rows_of(situation, "a", OLD, ("good", 540))
    for row in situation.rows:
        key = series(row.metric, row.labels)
        part = well | {key: well[key][:12] + (None,) * 6 + well[key][18:]}
        of = f"missing, without {row.metric} {' '.join(row.labels.values())}"
        yield _case(situation, "missing", part, never(525), of=of)


USUAL = tuple(case for situation in SITUATIONS for case in usual(situation))
