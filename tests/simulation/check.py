"""What must be true of a world in the end, whatever happened in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import orjson

from streams.core.calendar import QUARTER_MS
from streams.core.customer import Seen
from streams.core.kpi import Level, Oldest, Value
from streams.core.levels import Open
from streams.core.measure import Amounts, CutKey
from streams.core.segment import Segments
from streams.core.terms import MINUTE_MS
from streams.core.window import spans_at
from streams.runtime.letters import ID_HEADER
from streams.stages.base import Output
from streams.stages.board_wire import REVISION_HEADER
from streams.stages.keyed import HEAD
from tests.builders import Cells, summed
from tests.simulation import oracle, targets, who_came_again
from tests.simulation.driver import added_up, positioned
from tests.simulation.script import TERMS
from tests.simulation.seat import READS
from tests.simulation.world import DATED, KPIS, MEASURES, World

Name = tuple[Any, ...]
"""A result's key: (KPI, cut ..., window kind, window start)."""
Number = tuple[Any, Any, Any] | None
"""Value, numerator, denominator; None if there is none."""


class Said(NamedTuple):
    """One record of a KPI topic."""

    name: Name
    revision: int
    value: Number


def problems(world: World) -> list[str]:
    """Everything that is wrong, empty if nothing is."""
    means = Means(world)
    return [
        *_sums(world, means.cells), *_published(world, means), *_revisions(world),
        *_positions(world), *_letters(world), *_events(world),
    ]  # fmt: skip


class Means:
    """What the logs of all partitions mean, by the oracle: sums, and who waits."""

    def __init__(self, world: World) -> None:
        self.cells: Cells = {}
        self.open: list[Open] = []
        self._records: dict[tuple[str, str], Seen] = {}
        count = world.plan.partitions
        for stage in ("contacts", "staff"):
            for partition in range(count.get(stage, 0)):
                self._read(stage, partition, world)
        if count.get("customers", 0):
            add(self.cells, summed(who_came_again.of_all(self._records), MEASURES, TERMS))

    def _read(self, stage: str, partition: int, world: World) -> None:
        records = world.kafka.log(READS[stage], partition).read(0)
        if stage == "contacts":
            contacts = oracle.Contacts(TERMS, Segments.of(world.plan.segment_size, partition)).read(
                records
            )
            self.open += contacts.levels()
            self._records |= contacts.records()
            add(self.cells, contacts.cells(MEASURES))
        else:
            add(self.cells, oracle.Staff(TERMS).read(records).cells(MEASURES))


def add(to: dict[Any, Amounts], cells: Mapping[Any, Amounts]) -> None:
    """Add one set of sums to another."""
    for at, amounts in cells.items():
        cell = to.setdefault(at, {})
        for name, amount in amounts.items():
            cell[name] = cell.get(name, 0) + amount


# -- the partials


def _outputs(world: World) -> list[Output]:
    logs = [log for (topic, _), log in world.kafka.logs.items() if topic in ("partials", "records")]
    return [
        Output(log.place[0], record.key, record.value)
        for log in logs
        for record in log.read(0)
    ]  # fmt: skip


def _sums(world: World, expected: Cells) -> Iterator[str]:
    found = added_up(_outputs(world))
    for at in found.keys() | expected.keys():
        if found.get(at, {}) != expected.get(at, {}):
            yield f"partials of {at}: {found.get(at)}, expected {expected.get(at)}"


# -- the results


def said(world: World) -> Iterator[Said]:
    """What a reader of committed results sees, in order."""
    for (topic, _), log in world.kafka.logs.items():
        if topic.startswith("kpi."):
            for record in log.committed():
                name = tuple(orjson.loads(record.key or b"[]"))
                if record.value is None:
                    yield Said(name, int(dict(record.headers)[REVISION_HEADER]), None)
                else:
                    row = orjson.loads(record.value)
                    value = (row["value"], row["numerator"], row["denominator"])
                    yield Said(name, row["revision"], value)


def windows(cells: Cells) -> dict[tuple[CutKey, str, int], Amounts]:
    """The sums over the windows that are published."""
    found: dict[tuple[CutKey, str, int], Amounts] = {}
    for (cut, minute), amounts in cells.items():
        for span in spans_at("UTC", minute * MINUTE_MS // QUARTER_MS * QUARTER_MS):
            if span.kind in DATED:
                add(found, {(cut, span.kind, span.start_ms): amounts})
    return found


def _published(world: World, means: Means) -> Iterator[str]:
    """The last word on each result is the oracle's."""
    last = {one.name: one.value for one in said(world)}
    wanted = {
        (kpi.name, *cut, kind, start): _number(kpi.formula.compiled()(amounts, -1))
        for (cut, kind, start), amounts in windows(means.cells).items()
        for kpi in KPIS
        if not isinstance(kpi.formula, Level | Oldest) and cut[0] == kpi.cuts[0].name
    }
    wanted |= _levels(means)
    for name in last.keys() | wanted.keys():
        if last.get(name) != wanted.get(name, _nothing(name)):
            yield f"result {name}: {last.get(name)}, expected {wanted.get(name)}"


def _number(value: Value | None) -> Number:
    return None if value is None else value[:3]


def _nothing(name: Name) -> Number:
    """What a window says in which everything has been taken back."""
    formula = next(kpi.formula for kpi in KPIS if kpi.name == name[0])
    if isinstance(formula, Level):
        return (0, 0, None)
    assert not isinstance(formula, Oldest)
    return _number(formula.compiled()({}, -1))


def _levels(means: Means) -> Mapping[Name, Number]:
    waiting: dict[Name, int] = {}
    for kind, queue, channel, *_ in means.open:
        name = ("contacts_waiting", "queue", queue, channel, "now")
        waiting[name] = waiting.get(name, 0) + (kind == "waiting")
    return {name: (count, count, None) for name, count in waiting.items()}


# -- what must hold all the time


def _revisions(world: World) -> Iterator[str]:
    """One revision has one value; revisions of a result never fall; nothing is negative."""
    values: dict[tuple[Name, int], Number] = {}
    latest: dict[Name, int] = {}
    for one in said(world):
        if values.setdefault((one.name, one.revision), one.value) != one.value:
            yield f"revision {one.revision} of {one.name} has two values"
        if one.revision < latest.get(one.name, -1):
            yield f"revision of {one.name} fell from {latest[one.name]} to {one.revision}"
        latest[one.name] = one.revision
        if one.value is not None and one.value[0] < 0:
            yield f"{one.name} was {one.value[0]}: offered is answered and left and open"


def _events(world: World) -> Iterator[str]:
    """Events of targets are those of a board that never crashed."""
    for partition in range(world.plan.partitions.get("board", 0)):
        log = world.kafka.log("partials", partition).read(0)
        wanted = targets.expected(partial(world.board, partition), log)
        yield from targets.differences(world.kafka.log("breaches", partition).committed(), wanted)


def _letters(world: World) -> Iterator[str]:
    """Each record that nobody can use is in the dead letters once, and nothing else is."""
    written = Counter(
        dict(letter.headers)[ID_HEADER].decode() for letter in world.kafka.log("dlq", 0).committed()
    )
    wanted = {
        f"{topic}/{partition}/{record.offset}"
        for (topic, partition), log in world.kafka.logs.items()
        if topic in ("raw", "contact-events", "agent-events")
        for record in log.read(0)
        if record.value is None
    }
    for name in sorted(wanted | written.keys()):
        if written[name] != (name in wanted):
            yield f"letter {name} is there {written[name]} times"


def _positions(world: World) -> Iterator[str]:
    """One thing as of one position has one content: published, or in a changelog."""
    known: dict[object, object] = {}
    for what, content in (*positioned(_outputs(world)), *_entities(world)):
        if known.setdefault(what, content) != content:
            yield f"{what} has two contents: {known[what]!r} and {content!r}"


def _entities(world: World) -> Iterable[tuple[object, object]]:
    for (topic, partition), log in world.kafka.logs.items():
        if topic.startswith("changelog-") and topic != "changelog-board":
            for record in log.read(0):
                if record.value:
                    position = HEAD.unpack_from(record.value)[0]
                    yield (topic, partition, record.key, position), record.value
