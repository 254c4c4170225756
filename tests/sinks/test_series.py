"""How many series there can be: the bound in docs/kpis.md is what a full board comes to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count, product

import pytest

from streams.core.kpi import NOW, Kpi
from streams.core.measure import QUEUE, CutKey
from streams.core.partials import Mark, Partial, Register
from streams.core.source import Record
from streams.core.terms import Terms
from streams.definitions.series import VALUES, Series, series
from streams.kpis import ALL_KPIS, ALL_MEASURES, ALL_REGISTERS, LABELS, agents, amount_names
from streams.metrics import COUNTERS
from streams.sinks.prometheus import KpiCollector
from streams.stages.board import BoardStage
from streams.stages.wire import encode

MIDNIGHT = 20_732 * 1_440
"""A minute since the epoch with which a day begins, in UTC."""
TAKEN_AWAY = {
    name.removeprefix("-")
    for kpi in ALL_KPIS
    for name in getattr(kpi.formula, "under", getattr(kpi.formula, "per", ()))
    if name.startswith("-")
}
"""What is subtracted below a line: less of it than of all else, or the ratio has no value."""
NAMES = [name for m in ALL_MEASURES for name in amount_names(m)]
SUMS = [{name: n + (1 if name in TAKEN_AWAY else 10) for name in NAMES} for n in (1, 0)]
"""What is said of each minute, first and then: one dictionary for all, because they are large."""
GAUGES = [kpi for kpi in ALL_KPIS if kpi.metric is not None]
WORKERS_OWN = (
    "cc_worker", "cc_board", "cc_build", "cc_exporter", "cc_events", "cc_entities", "cc_sums",
    "cc_records",
)  # fmt: skip


def cut_keys(kpi: Kpi, queue: str) -> Iterator[CutKey]:
    """Every key of a KPI's first cut for one queue and one channel; else every fixed value."""
    cut = kpi.cuts[0]
    lists = [
        [queue]
        if name == "queue"
        else ["voice"]
        if cut == QUEUE and name == "channel"
        else list(agents.STATES)
        if name == "state"
        else [f"{name}-{i}" for i in range(VALUES[name])]
        for name in cut.dimensions
    ]
    for values in product(*lists):
        yield cut.name, *values


def messages(queue: str) -> Iterator[Partial | Register | Mark]:
    """Something in every minute that a window can show, all of it corrected once, every level."""
    positions = count()
    minutes = [MIDNIGHT - 60, *(MIDNIGHT + 60 * hour for hour in range(24))]
    minutes += [MIDNIGHT + 23 * 60 + 44, MIDNIGHT + 23 * 60 + 55]
    summed = {key for k in GAUGES if k.windows != NOW for key in cut_keys(k, queue)}
    levels = {key for k in GAUGES if k.windows == NOW for key in cut_keys(k, queue)}
    for key, minute, amounts in product(sorted(summed), minutes, SUMS):
        yield Partial("contacts-0", 0, key, minute, next(positions), amounts)
    for key in sorted(levels):
        yield Register("contacts-0", key, next(positions), dict.fromkeys(ALL_REGISTERS, 1))
    yield Mark("contacts-0", next(positions), (MIDNIGHT + 23 * 60 + 58) * 60_000)


def scraped(*queues: str) -> int:
    stage = BoardStage(0, terms=Terms(), kpis=ALL_KPIS, origins=1)
    end = 0
    for end, message in enumerate(chain.from_iterable(map(messages, queues)), start=1):
        stage.absorb([Record("partials", 0, end - 1, 0, b"", encode(message))])
    assert list(stage.seal(end).results)
    return sum(
        len(metric.samples)
        for metric in KpiCollector(lambda: [stage]).collect()
        if not metric.name.startswith(WORKERS_OWN)
    )


def test_a_full_board_comes_to_the_bound_and_not_beyond() -> None:
    cost = series()
    assert scraped("A") == cost.at_most(1)
    assert scraped("A", "B") == cost.at_most(2)


def test_the_parts_of_the_bound() -> None:
    """By hand: a KPI is shown in three windows of the clock, open and closed, and three rolling;
    the windows' ends, updates and revisions come to as many each, and a level has its revision."""
    offered = next(kpi for kpi in ALL_KPIS if kpi.name == "contacts_offered")
    waiting = next(kpi for kpi in ALL_KPIS if kpi.name == "contacts_waiting")
    members = next(kpi for kpi in ALL_KPIS if kpi.name == "queue_agents_by_state")
    none = series([])
    assert none.per_queue == 1
    assert none.per_pair == 24 + 2 * sum(len(c.measures) for c in COUNTERS) + 3 * (15 + 3)
    assert series([offered]).per_pair - none.per_pair == 9 + 3 * 9
    assert series([offered], ["day"]).per_pair - none.per_pair == 2 + 3 * 2
    assert series([waiting]) == none.plus(Series(per_pair=2))
    assert series([members]) == none.plus(Series(per_queue=2 * len(agents.STATES)))
    assert Series(10, 2, 5).at_most(100) == 1_205


def test_a_label_is_a_queue_or_one_of_a_fixed_list() -> None:
    """An agent, a customer or a free text as a label would grow for ever and name people."""
    assert set(LABELS) == {"queue", *VALUES}
    for kpi in GAUGES:
        assert set(kpi.cuts[0].dimensions) <= set(LABELS), kpi.name
        for _, value in kpi.labels:
            assert value.isidentifier(), "constant labels are words of ours"


@pytest.mark.parametrize("name", ["agent", "customer", "contact", "issue_type", "team", "topic"])
def test_names_and_free_text_are_no_labels(name: str) -> None:
    assert name not in LABELS


def test_windows_of_other_cuts_leave_the_windows_times_alone() -> None:
    """Their labels are queue and channel; a cut by channel alone would be mistaken for one."""
    offered = next(kpi for kpi in ALL_KPIS if kpi.name == "contacts_offered")
    by_channel = offered._replace(cuts=offered.cuts[1:])
    stage = BoardStage(0, terms=Terms(), kpis=[by_channel], origins=1)
    partial = Partial("contacts-0", 0, ("channel", "voice"), MIDNIGHT, 0, {"contacts_offered": 3})
    stage.absorb([Record("partials", 0, 0, 0, b"", encode(partial))])
    assert list(stage.seal(1).results)
    found = {m.name: m.samples for m in KpiCollector(lambda: [stage], kpis=[by_channel]).collect()}
    assert found["cc_window_contacts_offered"]
    assert not found["cc_window_end_timestamp_seconds"]
