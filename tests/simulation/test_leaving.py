"""Agents and customers who leave: crashes and restores never show, and what stays is bounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core import events as ev
from streams.core.source import Record
from streams.stages import customers, staff
from streams.stages.base import Entity
from tests.builders import T0, log_of, tick
from tests.builders import agent_event as said
from tests.simulation.driver import added_up, conflicts, live, registers
from tests.simulation.lives import LIVES, SIZE, TO_THE_END, Ends, Fate, Kind, steps_of, written
from tests.simulation.script import AGAIN, AGENT_KINDS, TIME_KINDS

KEEP_MS = 1_000_000
LOG_OUT = "o" * 8
CUSTOMERS = "abc"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """They leave after a quarter of an hour instead of two months."""
    monkeypatch.setattr(customers, "KEEP_MS", KEEP_MS)
    monkeypatch.setattr(staff, "KEEP_MS", KEEP_MS)


def told(customer: str, contact: int, position: int, at_ms: int, offset: int) -> Record:
    """A record of a contact, appended when the contact arrived."""
    row = {
        "origin": "contacts/0", "position": position, "contact": f"c{contact}",
        "customer": customer, "channel": "voice", "queue": None, "arrived_ms": at_ms,
    }  # fmt: skip
    return Record("records", 0, offset, at_ms, None, orjson.dumps(row))


@st.composite
def contact_records(draw: st.DrawFn) -> list[Record]:
    """Contacts of a few customers, with gaps in which others leave, some told twice."""
    gap = st.sampled_from((0, 1, 400_000, KEEP_MS, 3 * KEEP_MS))
    steps = draw(st.lists(st.tuples(st.sampled_from(CUSTOMERS), st.integers(0, 3), gap)))
    log, at_ms = list[Record](), T0
    for offset, (customer, contact, gap_ms) in enumerate(steps):
        at_ms += gap_ms
        log.append(told(customer, contact, offset // 3, at_ms, offset))
    return log


def nothing(log: object) -> dict[tuple[tuple[str, ...], int], dict[str, int]]:
    raise AssertionError("nobody says what a log means of which parts were forgotten")


KINDS = {
    "staff": Kind(
        staff.StaffStage,
        steps_of(AGENT_KINDS + LOG_OUT + TIME_KINDS + AGAIN * 3, (0, 1, 60, 500, 1_500)),
        nothing,
    ),
    "customers": Kind(customers.CustomersStage, contact_records(), nothing),
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@every_kind
def test_a_life_after_a_crash_writes_what_the_life_before_would_have(kind: Kind) -> None:
    left = []

    @given(kind.logs, LIVES)
    def law(log: list[Record], lives: list[Ends]) -> None:
        fate = Fate(kind, log)
        for ends in (*lives, TO_THE_END):
            fate.live(ends)
        stage = kind.make()
        alone = live(stage, SIZE, log, batches=(1,), publish=(True,))
        assert fate.seals == written(alone.seals)
        assert registers(fate.outputs) == registers(alone.outputs)
        assert added_up(fate.outputs) == added_up(alone.outputs)
        assert conflicts([*fate.outputs, *alone.outputs]) == []
        left.append(stage.counts["forgotten"])

    law()
    assert sum(left) > 0, "nobody ever left"


def stays(log: list[Record]) -> tuple[customers.CustomersStage, list[Entity]]:
    stage = KINDS["customers"].make()
    assert isinstance(stage, customers.CustomersStage)
    seals = live(stage, SIZE, log).seals
    return stage, [entity for seal in seals.values() for entity in seal.entities]


@pytest.mark.parametrize(("again_at", "left"), [(None, True), (KEEP_MS - 1, False)])
def test_a_customer_leaves_by_a_tombstone_when_silent_for_long(
    again_at: int | None, left: bool
) -> None:
    first = [told("a", n, 0, T0, n) for n in range(SIZE)]
    said = T0 + again_at if again_at is not None else None
    second = [told("a" if said else "b", 10 + n, 0, said or T0, SIZE + n) for n in range(SIZE)]
    third = [told("c", 20 + n, 0, T0 + KEEP_MS, 2 * SIZE + n) for n in range(SIZE)]
    stage, entities = stays([*first, *second, *third])
    tombstones = [entity for entity in entities if entity.value is None]
    assert ("a" in stage._customers) is not left
    assert (b"ua" in {entity.key for entity in tombstones}) is left
    assert all(dict(e.headers)["position"] == b"%d" % (3 * SIZE - 1) for e in tombstones)


def test_a_customer_told_of_in_vain_stays_until_the_next_border() -> None:
    """A replay of that segment finds out again that the record changes nothing."""
    first = [told("a", n, 5, T0, n) for n in range(SIZE)]
    later = [told("b", 10 + n, 0, T0 + KEEP_MS, SIZE + n) for n in range(SIZE - 1)]
    repeated = told("a", 0, 5, T0, 2 * SIZE - 1)._replace(timestamp=T0 + KEEP_MS)
    stage, _ = stays([*first, *later, repeated])
    assert "a" in stage._customers
    last = [told("c", 20 + n, 0, T0 + KEEP_MS, 2 * SIZE + n) for n in range(SIZE)]
    stage, _ = stays([*first, *later, repeated, *last])
    assert "a" not in stage._customers


def test_customers_are_bounded_by_who_called_within_the_time() -> None:
    sizes = []
    for calls in (400, 1_200):
        log = [told(f"p{n}", n, 0, T0 + n * 10_000, n) for n in range(calls)]
        stage, entities = stays(log)
        last = {e.key: e.value for e in entities if e.key.startswith(b"u")}
        assert sum(value is not None for value in last.values()) <= len(stage)
        sizes.append(len(stage))
    assert abs(sizes[0] - sizes[1]) <= SIZE
    assert KEEP_MS // 10_000 <= sizes[1] <= KEEP_MS // 10_000 + 2 * SIZE


# -- a seal that was written and not committed


def shift(name: str, at: float, until: float) -> list[ev.AgentEvent]:
    return [said(ev.LoggedIn, at, agent=name), said(ev.LoggedOut, until, agent=name)]


def agents_log(*spoken: Sequence[msgspec.Struct]) -> list[Record]:
    """Each a segment, filled up with ticks of its last event's time."""
    log: list[msgspec.Struct] = []
    for events in spoken:
        last_ms = max(getattr(event, "time", 0) for event in events)
        log += [*events, *[ev.Tick(time=last_ms)] * (SIZE - len(events))]
    return log_of(log)


def calls_log(*spoken: Sequence[tuple[str, int, int]]) -> list[Record]:
    """Each a segment, filled up with the last record again."""
    rows = [row for segment in spoken for row in [*segment, *[segment[-1]] * (SIZE - len(segment))]]
    return [told(who, contact, 5, T0 + at * 1_000, n) for n, (who, contact, at) in enumerate(rows)]


AFTER = KEEP_MS // 1_000 + 100
ANN = shift("Ann", 0, 10)
LEAVES = {
    "staff": agents_log(ANN, shift("Bob", AFTER, AFTER + 1)),
    "customers": calls_log([("a", 1, 0)], [("b", 2, AFTER)]),
}
TOLD_IN_VAIN = {
    "staff": agents_log(ANN, shift("Bob", 900, 901), [tick(AFTER), ANN[0]]),
    "customers": calls_log([("a", 1, 0)], [("b", 2, 900)], [("c", 3, AFTER), ("a", 1, 0)]),
}
IN_ITS_LAST_SEGMENT = {
    "staff": agents_log(shift("Ann", 0, 10)[:1], [ANN[1], tick(AFTER)]),
    "customers": calls_log([("a", 1, 0)], [("a", 2, 1), ("b", 3, AFTER)]),
}


@pytest.mark.parametrize("logs", [LEAVES, TOLD_IN_VAIN, IN_ITS_LAST_SEGMENT])
@every_kind
def test_what_was_written_without_its_commit_is_written_and_counted_again(
    kind: Kind, logs: Mapping[str, list[Record]]
) -> None:
    log = logs[kind.make().name]
    alone = live(kind.make(), SIZE, log)
    changelog = [entity for seal in alone.seals.values() for entity in seal.entities]
    commit = len(log) - SIZE
    before = [o for end, seal in alone.seals.items() if end <= commit for o in seal.outputs]
    after = live(kind.make(), SIZE, log, commit=commit, changelog=changelog)
    assert written(after.seals) == {len(log): written(alone.seals)[len(log)]}
    assert added_up([*before, *after.outputs]) == added_up(alone.outputs)
    assert (logs is LEAVES) is (None in [entity.value for entity in changelog])


def test_an_agent_who_is_there_stays_however_silent() -> None:
    stage = KINDS["staff"].make()
    assert isinstance(stage, staff.StaffStage)
    bob = [said(ev.LoggedIn, at, agent="Bob") for at in (1, 2, 3, *range(AFTER, AFTER + SIZE))]
    live(stage, SIZE, log_of([said(ev.LoggedIn, 0, agent="Ann"), *bob]))
    assert set(stage._agents) == {"Ann", "Bob"}
