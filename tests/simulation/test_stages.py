"""The keyed stages end to end: batches, crashes, restores and forgetting never show.

Each is run on the log of one partition and compared with the dumb oracle, and with itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core import events as ev
from streams.core.brief import Brief
from streams.core.levels import Open
from streams.core.measure import CHANNEL, QUEUE, Amounts, CutKey
from streams.core.segment import Segments
from streams.core.source import Record
from streams.kpis import ALL_MEASURES
from streams.stages.base import Output
from streams.stages.contacts import ContactsStage
from streams.stages.customers import CustomersStage
from streams.stages.staff import StaffStage
from tests.builders import (
    T0,
    T0_MINUTE,
    Cells,
    log_of,
    ms,
    record,
    restarted,
    story,
    tick,
    total,
)
from tests.core.strategies import told_again
from tests.simulation import oracle, who_came_again
from tests.simulation.driver import added_up, conflicts, live, registers
from tests.simulation.lives import (
    LIVES,
    POST,
    SIZE,
    TO_THE_END,
    Ends,
    Fate,
    Kind,
    steps_of,
    written,
)
from tests.simulation.script import (
    AGAIN,
    AGENT_KINDS,
    CONTACT_KINDS,
    TERMS,
    TIME_KINDS,
)


@st.composite
def contact_records(draw: st.DrawFn) -> list[Record]:
    """Versions of a few contact records, in any order and more than once."""
    version = st.tuples(st.integers(0, 40 * 86_400), st.booleans(), st.integers(0, 2**7 - 1))
    versions = {
        c: draw(st.lists(version, min_size=1, max_size=3)) for c in ("c0", "c1", "c2", "c3")
    }
    which = st.tuples(st.sampled_from(sorted(versions)), st.integers(0, 2))
    rows: list[Record] = []
    for contact, wanted in draw(st.lists(which, max_size=20)):
        position = wanted % len(versions[contact])
        at, is_contact, bits = versions[contact][position]
        flags = [bool(bits >> bit & 1) for bit in range(7)]
        arrived_ms = T0 + at * 1000 if is_contact else None
        row = {
            "origin": "contacts/0", "position": position, "contact": contact,
            "customer": f"p{int(contact[1]) % 2}", "channel": "voice" if is_contact else None,
            "queue": "PS" if flags[0] else "none", "arrived_ms": arrived_ms,
            "issue_type": "bill" if flags[1] else None, "reason": "slow" if flags[2] else None,
            "human": flags[3], "ours": flags[4] and flags[5], "before": flags[5],
            "self_service_ms": arrived_ms if flags[6] else None, "contained": not flags[3],
        }  # fmt: skip
        rows.append(Record("records", 0, len(rows), T0, None, orjson.dumps(row)))
    return rows


def contacts_mean(log: Sequence[Record]) -> Cells:
    return oracle.Contacts(TERMS, Segments(SIZE)).read(log).cells(ALL_MEASURES)


KINDS = {
    "contacts": Kind(
        ContactsStage,
        steps_of(CONTACT_KINDS * 2 + TIME_KINDS * 3 + AGAIN * 2, (0, 0, 1, 1, 10, 60, 150, 420)),
        contacts_mean,
    ),
    "staff": Kind(
        StaffStage,
        steps_of(AGENT_KINDS * 2 + TIME_KINDS + AGAIN * 3, (0, 0, 1, 10, 60, 500, 25_000)),
        lambda log: oracle.Staff(TERMS).read(log).cells(ALL_MEASURES),
    ),
    "customers": Kind(
        CustomersStage,
        contact_records(),
        lambda log: oracle.Customers(TERMS).read(log).cells(ALL_MEASURES),
    ),
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@every_kind
def test_batch_boundaries_never_show(kind: Kind) -> None:
    @given(kind.logs)
    def law(log: list[Record]) -> None:
        expected = kind.means(log)
        ones, sevens, all_at_once = (
            live(kind.make(), SIZE, log, batches=(size,), publish=(publish,))
            for size, publish in ((1, True), (7, True), (5_000, False))
        )
        for life in (ones, sevens, all_at_once):
            assert added_up(life.outputs) == expected
            assert written(life.seals) == written(all_at_once.seals)
            assert registers(life.outputs) == registers(all_at_once.outputs)
        assert conflicts([*ones.outputs, *sevens.outputs, *all_at_once.outputs]) == []

    law()


@every_kind
def test_crashes_and_restores_never_show(kind: Kind) -> None:
    @given(kind.logs, LIVES)
    def law(log: list[Record], lives: list[Ends]) -> None:
        fate = Fate(kind, log)
        for ends in (*lives, TO_THE_END):
            fate.live(ends)
        assert conflicts(fate.outputs) == []
        assert added_up(fate.outputs) == kind.means(log)

    law()


@every_kind
def test_a_life_after_a_crash_writes_what_the_life_before_would_have(kind: Kind) -> None:
    @given(kind.logs, LIVES)
    def law(log: list[Record], lives: list[Ends]) -> None:
        fate = Fate(kind, log)
        for ends in (*lives, TO_THE_END):
            fate.live(ends)
        alone = live(kind.make(), SIZE, log)
        assert fate.seals == written(alone.seals)
        assert registers(fate.outputs) == registers(alone.outputs)

    law()


# -- contact records


def last_records(outputs: Iterable[Output]) -> dict[tuple[str, str], dict[str, Any]]:
    """(customer, contact) -> the record with the highest position."""
    best: dict[tuple[str, str], dict[str, Any]] = {}
    for output in outputs:
        if output.stream == "records" and output.value is not None:
            row = orjson.loads(output.value)
            at = (row["customer"], row["contact"])
            if at not in best or row["position"] >= best[at]["position"]:
                best[at] = row
    return best


@given(steps_of(CONTACT_KINDS * 2 + TIME_KINDS + AGAIN, (0, 0, 1, 10, 150, 420)), LIVES)
def test_the_last_record_of_a_contact_is_what_is_known_of_it(
    log: list[Record], lives: list[Ends]
) -> None:
    """Whatever earlier lives have written beyond the commit."""
    fate = Fate(KINDS["contacts"], log)
    for ends in (*lives, TO_THE_END):
        fate.live(ends)
    found = {at: who_came_again.seen_in(row) for at, row in last_records(fate.outputs).items()}
    expected = oracle.Contacts(TERMS, Segments(SIZE)).read(log).records()
    assert found.keys() >= expected.keys()
    for (customer, contact), seen in found.items():
        nothing = who_came_again.seen_of(contact, Brief(customer))
        assert seen == expected.get((customer, contact), nothing)


def test_a_record_is_written_when_something_in_it_changes_and_only_then() -> None:
    call = story().queued(0, customer="p").answered(10).tell(ev.Held, 20).handled(40)
    log = log_of([*call.events, tick(50), *story().queued(60).answered(70).events])
    life = live(KINDS["contacts"].make(), 100, log, batches=(1,), publish=(True,))
    told = [orjson.loads(o.value or b"") for o in life.outputs if o.stream == "records"]
    assert [row["position"] for row in told] == [0, 1]
    assert "human" not in told[0]
    assert told[1]["human"]


def test_a_record_that_came_and_went_is_taken_back() -> None:
    """A former owner, paused, writes after all what it read in between: the new one, which saw both
    events in one batch, must say at a later position that it is as it was before.

    Broken: comparing with what was written last.  Then the new owner writes nothing.
    """
    call = story().queued(0, customer="p").tell(ev.Classified, 10, spam=True)
    call.tell(ev.Classified, 20, spam=False)
    other = story("other").queued(0).answered(1).handled(2).events
    log = log_of([call.events[0], *other, *call.events[1:]])
    old = live(KINDS["contacts"].make(), SIZE, log[:-1], batches=(1,), publish=(True,))
    new = live(KINDS["contacts"].make(), SIZE, log, batches=(SIZE,))
    assert last_records(old.outputs)["p", "c1"].keys() & {"arrived_ms"} == set()
    assert last_records([*new.outputs, *old.outputs]) == last_records(new.outputs)
    assert "arrived_ms" in last_records(new.outputs)["p", "c1"]


# -- levels


NOTHING: Amounts = {"waiting": 0, "handling": 0, "waiting_overdue": 0}


def open_now(levels: Iterable[Open], now_ms: int) -> dict[CutKey, Amounts]:
    """Waiting and handled by queue and channel, counted anew."""
    found: dict[CutKey, Amounts] = {}
    for kind, queue, channel, since_ms, due_ms in levels:
        for cut in ((QUEUE.name, queue, channel), (CHANNEL.name, channel)):
            row = found.setdefault(cut, dict(NOTHING))
            row[kind] += 1
            if since_ms is not None and due_ms is not None:
                row["waiting_overdue"] += due_ms < now_ms
                oldest = row.get("oldest_waiting_ms", since_ms)
                row["oldest_waiting_ms"] = min(oldest, since_ms)
    return found


@given(steps_of("qQaAeEhxtRd", (0, 1, 1, 10, 60, 150)), LIVES)
def test_levels_are_the_visits_that_are_open(log: list[Record], lives: list[Ends]) -> None:
    fate = Fate(KINDS["contacts"], log)
    for ends in (*lives, TO_THE_END):
        fate.live(ends)
    levels = {cut: values for (_, cut), values in registers(fate.outputs).items()}
    means = oracle.Contacts(TERMS, Segments(SIZE)).read(log)
    expected = open_now(means.levels(), means.mark_ms)
    assert levels.keys() >= expected.keys()
    for cut, values in levels.items():
        assert values == expected.get(cut, NOTHING)


# -- restarts of the platform, in any order

RESTART_AT = 50


@st.composite
def calls_around_a_restart(draw: st.DrawFn) -> list[msgspec.Struct]:
    """Restarts, and calls; those that are open at one are never heard of again."""
    events: list[msgspec.Struct] = [restarted(RESTART_AT), restarted(RESTART_AT + 35)]
    for contact in ("c0", "c1", "c2"):
        told, at = story(contact), draw(st.integers(0, 2 * RESTART_AT))
        for _ in range(draw(st.integers(1, 2))):
            told.queued(at)
            at += draw(st.integers(0, 30))
            if draw(st.booleans()):
                told.left(at)
            else:
                told.answered(at)
                at += draw(st.integers(0, 30))
                told.handled(at)
            at += draw(st.integers(0, 20))
        first_ms = told.events[0].time
        ends_ms = [event.time for event in events[:2]]  # type: ignore[attr-defined]
        until_ms = next((end_ms for end_ms in ends_ms if first_ms < end_ms), ms(1_000))
        missing = draw(st.integers(0, 6))
        kept = [e for i, e in enumerate(told.events) if e.time < until_ms and i != missing]
        events += kept
    return events


@given(st.data())
def test_a_restart_may_be_heard_of_at_any_time(data: st.DataObject) -> None:
    events = data.draw(calls_around_a_restart())
    shuffled = data.draw(told_again(events))

    def means(order: Sequence[msgspec.Struct]) -> Cells:
        log = [record(event, offset, at_ms=ms(200)) for offset, event in enumerate(order)]
        stage = KINDS["contacts"].make()
        return added_up(live(stage, SIZE, log, batches=(3,), publish=(True, False)).outputs)

    in_time = sorted(events, key=lambda event: event.time)  # type: ignore[attr-defined]
    assert means(shuffled) == means(in_time)


def test_whoever_was_open_when_the_platform_restarted_is_lost_then() -> None:
    gone, later = story("c0").queued(10), story("c1").queued(60).answered(65)
    log = log_of([*gone.events, restarted(RESTART_AT), *later.events])
    found = added_up(live(KINDS["contacts"].make(), SIZE, log).outputs)
    amounts = total(found)
    assert (amounts["contacts_offered"], amounts["contacts_left_lost"]) == (2, 1)
    assert found[("queue", "PS", "voice"), T0_MINUTE]["contacts_left_lost"] == 1


def test_a_restart_of_another_platform_is_nothing() -> None:
    log = log_of([*story().queued(10).events, restarted(RESTART_AT, "another")])
    found = added_up(live(KINDS["contacts"].make(), SIZE, log).outputs)
    assert "contacts_left_lost" not in total(found)


# -- time


def test_a_silent_contact_is_lost_by_the_tick_that_finds_it_so() -> None:
    silence_s = TERMS.patience["voice"].silence_ms / 1000
    kind = KINDS["contacts"]
    for at, lost in ((silence_s - 0.001, 0), (silence_s, 1)):
        log = log_of([*story().queued(0).events, tick(at)])
        amounts = total(added_up(live(kind.make(), SIZE, log).outputs))
        assert amounts.get("contacts_left_lost", 0) == lost


def test_a_repeated_tick_changes_nothing() -> None:
    log = log_of([*story().queued(0).events, tick(500), tick(500), tick(400)])
    amounts = total(added_up(live(KINDS["contacts"].make(), SIZE, log).outputs))
    assert amounts["contacts_left_lost"] == 1


def test_a_forgotten_contact_that_speaks_again_is_a_new_one() -> None:
    """The price of forgetting; the horizon is chosen so that it is not paid."""
    over = story().queued(0).left(1).events
    others = [event for n in range(SIZE) for event in story(f"x{n}").left(600 + n).events]
    log = log_of([*over, tick(500), tick(501), *others, *story().queued(700).events])
    stage = KINDS["contacts"].make()
    amounts = total(added_up(live(stage, SIZE, log).outputs))
    assert amounts["contacts_arrived"] == 1 + SIZE + 1
    assert amounts.get("repeat_entries", 0) == 0


@pytest.mark.parametrize("stage", [ContactsStage, StaffStage])
def test_what_is_dated_ahead_of_its_append_is_set_aside(stage: type) -> None:
    def run(at: float) -> list[Output]:
        event = story().queued(at).events[0] if stage is ContactsStage else logged_in(at)
        made = stage(
            0, terms=TERMS, post=POST, segment_size=SIZE, board_partitions=1, skew_ms=60_000
        )
        return live(made, SIZE, [record(event), record(tick(at), 1)]).outputs

    def letters(outputs: list[Output]) -> list[bytes]:
        return [dict(o.headers)["cc_dlq_reason"] for o in outputs if o.stream == "dlq"]

    assert letters(run(60)) == []
    assert letters(run(60.001)) == [b"time.in_future"] * 2
    assert added_up(run(60.001)) == {}


def logged_in(at: float) -> ev.LoggedIn:
    return ev.LoggedIn(id="in", source="pbx", agent="Ann", time=ms(at))
