"""Contacts after a restart: nothing is decoded before somebody speaks of it, open ones count in the
levels all the same, and what is over leaves.

That a restore changes no result at all is searched for in ``tests/simulation/test_stages.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import pytest

from streams.core.contact import Contact
from streams.core.posting import generate_post
from streams.core.source import Record
from streams.core.terms import Patience, Terms
from streams.kpis import ALL_MEASURES
from streams.stages.base import Entity
from streams.stages.contacts import ContactsStage
from tests.builders import Story, log_of, restarted, story, tick, total
from tests.simulation.driver import Life, added_up, as_records, conflicts, live, registers

SIZE = 4
TERMS = Terms(patience={"voice": Patience(3_600_000, 7_200_000)})
POST = generate_post(ALL_MEASURES, TERMS)
QUEUE = ("queue", "PS", "voice")


def new_stage() -> ContactsStage:
    return ContactsStage(0, terms=TERMS, post=POST, segment_size=SIZE, board_partitions=1)


def entities(life: Life) -> list[Entity]:
    return [entity for seal in life.seals.values() for entity in seal.entities]


def events_of(*stories: Story) -> list[msgspec.Struct]:
    return [event for told in stories for event in told.events]


def two_lives(
    first: Sequence[msgspec.Struct], second: Iterable[msgspec.Struct]
) -> tuple[Life, ContactsStage, Life]:
    """All of ``first`` is committed (whole segments); the stage and what it said in the second
    life."""
    assert len(first) % SIZE == 0
    log = log_of([*first, *second])
    before = live(new_stage(), SIZE, log[: len(first)])
    stage = new_stage()
    after = live(stage, SIZE, log, commit=len(first), changelog=entities(before))
    return before, stage, after


OPEN = events_of(
    story("c0").queued(0),
    story("c1").queued(5),
    story("c2").queued(10).answered(20),
)
C1_LEAVES = story("c1").queued(5).left(30).events[1:]


def decoded(stage: ContactsStage) -> set[str]:
    return {name for name, kept in stage._contacts.items() if isinstance(kept, Contact)}


def test_a_restored_contact_is_decoded_when_somebody_speaks_of_it() -> None:
    _, stage, _ = two_lives(OPEN, C1_LEAVES)
    assert decoded(stage) == {"c1"}
    assert len(stage) == 3
    assert stage.open_contacts == 2


def test_levels_count_the_open_contacts_that_nobody_has_decoded() -> None:
    _, _, after = two_lives(OPEN, C1_LEAVES)
    entered_ms = OPEN[0].time  # type: ignore[attr-defined]
    assert registers(after.outputs)["contacts/0", QUEUE] == {
        "waiting": 1, "handling": 1, "waiting_overdue": 1, "oldest_waiting_ms": entered_ms,
    }  # fmt: skip


@pytest.mark.parametrize("late", [False, True])
def test_a_restart_of_the_platform_ends_open_contacts_that_nobody_has_decoded(late: bool) -> None:
    said = [restarted(60), restarted(50)] if late else [restarted(50)]
    _, stage, after = two_lives(OPEN, said)
    assert total(added_up(after.outputs), QUEUE)["contacts_left_lost"] == 2
    assert stage.open_contacts == 0
    assert registers(after.outputs)["contacts/0", QUEUE] == {
        "waiting": 0, "handling": 0, "waiting_overdue": 0,
    }  # fmt: skip


def test_silence_decodes_only_those_that_are_due() -> None:
    _, stage, after = two_lives(OPEN, [tick(3_602)])
    assert total(added_up(after.outputs), QUEUE)["contacts_left_lost"] == 1
    assert decoded(stage) == {"c0"}


# -- bounds


def day_of_calls(calls: int, gap: int) -> list[Record]:
    """One call after another, each over before the next; and one that stays open."""
    told = [story("open").queued(0)]
    told += [story(f"c{n}").queued(n * gap).answered(n * gap + 1) for n in range(calls)]
    for n, call in enumerate(told[1:]):
        call.handled(n * gap + 2)
    return log_of(events_of(*told))


def test_contacts_leave_after_the_horizon_and_the_changelog_says_so() -> None:
    """Two hours of calls a minute apart are there at any time, however long it goes on."""
    gap, sizes = 60, list[int]()
    for calls in (300, 900):
        stage = new_stage()
        life = live(stage, SIZE, day_of_calls(calls, gap), publish=(True,))
        sizes.append(len(stage))
        last = {e.key: e for e in entities(life) if e.key.startswith(b"c")}
        gone = [e for e in last.values() if e.value is None]
        kept = len(last) - len(gone)
        assert len(gone) == stage.counts["forgotten"]
        assert kept <= len(stage)
        assert all(dict(e.headers)["position"].isdigit() for e in gone)
    assert abs(sizes[0] - sizes[1]) <= 2
    within = TERMS.patience["voice"].horizon_ms // 1_000 // gap
    assert within <= sizes[1] <= within + SIZE


def test_a_compacted_changelog_restores_what_was_there() -> None:
    """The last record of each key, as the log cleaner leaves it: the same contacts, in the same
    order of being forgotten."""
    log = day_of_calls(300, 60)
    log = log[: len(log) // SIZE * SIZE]
    stage = new_stage()
    life = live(stage, SIZE, log)
    restored = new_stage()
    live(
        restored, SIZE, log, commit=len(log), changelog={e.key: e for e in entities(life)}.values()
    )
    assert list(restored._quiet) == list(stage._quiet)
    assert list(restored._open) == list(stage._open)


def test_a_restored_contact_has_the_patience_of_its_channel() -> None:
    """A mail waits when a call of the same age is lost, and stays when it is forgotten."""
    open_ones = [story("call").queued(0), story("mail", channel="email").queued(0)]
    over = [story("short").queued(1).left(2), story("note", channel="email").queued(1).left(2)]
    first = [*events_of(*open_ones, *over), tick(10), tick(10)]
    _, stage, after = two_lives(first, [tick(3_700), tick(3_700), tick(7_300), tick(7_300)])
    assert total(added_up(after.outputs), QUEUE)["contacts_left_lost"] == 1
    assert set(stage._contacts) == {"call", "mail", "note"}
    assert set(stage._open) == {"mail"}


def test_what_is_said_before_anything_is_absorbed_is_as_of_the_commit() -> None:
    """c1 is in the changelog as of a later position, and the timer may publish first."""
    first = [*OPEN[:2], story("c9", "OTHER").queued(11).events[0], tick(90)]
    told = [*C1_LEAVES, *events_of(story("c8", "OTHER").queued(92)), tick(93), tick(94)]
    log = log_of([*first, *told])
    before = live(new_stage(), SIZE, log)
    stage = new_stage()
    stage.restore(as_records(entities(before)))
    stage.start(SIZE)
    as_of_the_commit = live(new_stage(), SIZE, log[:SIZE])
    assert not conflicts([*as_of_the_commit.outputs, *stage.publish()])
