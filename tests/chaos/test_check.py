"""The checker finds nothing where nothing is wrong, and each thing that is broken on purpose.

A deployment in memory stands for the topics.  What the stages should have written is folded once;
each test breaks what was written in one way and names the violation that must come out.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import orjson
import pytest

from streams.core.partials import Partial
from streams.core.source import Record
from streams.stages import board_wire, wire
from streams.stages.keyed import HEAD, POSITION_HEADER
from tests.chaos.broken import (
    DEPLOYMENT,
    START_MS,
    Log,
    World,
    changed,
    judged,
    kinds,
    last,
    the_world,
    without,
)
from tests.chaos.check import Evidence
from tests.chaos.checks.changelogs import Cells, Changelog
from tests.chaos.checks.flows import ContactRecords, Partials
from tests.chaos.checks.letters import Letters, Poison
from tests.chaos.checks.offsets import offsets
from tests.chaos.checks.violation import SHOWN_MAX, Violation, shortened
from tests.chaos.expected import LETTER_REASON, Expected
from tests.chaos.load import Load
from tests.chaos.stories import LOAD_HEADER, PHONE_PREFIX, STORY


@pytest.fixture(scope="module")
def world() -> World:
    return the_world()


def test_nothing_is_wrong_where_nothing_happened(world: World) -> None:
    assert list(world.evidence.violations()) == []
    facts = world.evidence.facts()
    for fact in ("raw", "events", "partials", "results", "cells", "staff_kept"):
        assert facts[fact] > 50, fact
    for fact in ("visits", "answered", "abandoned", "left", "unfinished", "letters"):
        assert facts[fact] > 5, fact


def test_the_load_has_each_adversity_and_is_the_same_again() -> None:
    def plan() -> list[Any]:
        weaver = Load(3, START_MS).weave(500)
        return [next(weaver) for _ in range(8_000)]

    first = plan()
    said = {dict(record.headers)[LOAD_HEADER].decode() for record in first}
    assert first == plan()
    assert said >= {
        "story", "again", "poison:value.null", "poison:size.exceeded",
        "poison:time.in_future", "poison:json.malformed", "poison:verb.unknown",
    }  # fmt: skip
    times = [record.due_ms for record in first if dict(record.headers)[LOAD_HEADER] == b"story"]
    assert any(a > b for a, b in pairwise(times)), "nothing comes late"
    assert max(times) < START_MS + 8_000 * 2 + 60_000


# -- inputs


def test_an_event_that_ingest_has_lost(world: World) -> None:
    name = world.topic("events.contact.v1")
    log = world.quiet.of(name)
    at = last(
        log, lambda r: not r.headers and r.key is not None and b"answered" in (r.value or b"")
    )
    one = log[at]
    # Whatever it was sent as again is lost as well.
    left = [r for r in log if (r.key, r.value) != (one.key, one.value)]
    assert "events.missing" in kinds(world.read({name: left}).violations())


def test_an_event_that_nobody_sent(world: World) -> None:
    name = world.topic("events.agent.v1")
    log = world.quiet.of(name)
    at = last(log, lambda r: r.headers == (STORY,))
    assert "events.unexpected" in kinds(
        world.read({name: changed(log, at, headers=())}).violations()
    )


def test_a_number_that_was_not_replaced(world: World) -> None:
    one = world.quiet.of(world.topic("records.contact.v1"))[0]
    value = (one.value or b"").replace(b'"customer":"', b'"customer":"' + PHONE_PREFIX.encode())
    evidence = Evidence(Expected.of(world.settings))
    evidence.contact_records([one])
    assert "private" not in kinds(evidence.violations())
    evidence.contact_records([one._replace(offset=1, value=value)])
    assert "private" in kinds(evidence.violations())


def test_a_stage_that_swallows_an_event_shows_everywhere(world: World) -> None:
    """Everything is as if a stage had not seen one event of a segment that is sealed."""
    name = world.topic("events.contact.v1")
    log = world.quiet.of(name)
    at = next(i for i, r in enumerate(log) if b"contact.answered" in (r.value or b""))
    repeat = changed(log, at, value=log[at - 1].value, key=log[at - 1].key)
    found = kinds(world.read({name: repeat}).violations())
    assert {"partials.wrong", "changelog.wrong"} <= found


# -- what flows between the stages


def partials(world: World) -> tuple[Partials, Log]:
    return Partials(world.expected), world.quiet.of(world.topic("partials.v1"))


def share_at(log: Log) -> int:
    return last(log, lambda r: isinstance(wire.decode(r.value or b""), Partial))


def test_the_last_share_of_a_segment_is_missing(world: World) -> None:
    part, log = partials(world)
    lost = wire.decode(log[share_at(log)].value or b"")
    assert isinstance(lost, Partial)
    same = [r for r in log if not is_share_of(r, lost)]
    assert judged(part, same) == {"partials.missing"}


def is_share_of(record: Record, lost: Partial) -> bool:
    told = wire.decode(record.value or b"")
    return isinstance(told, Partial) and told[:4] == lost[:4]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda p: p._replace(amounts={"contacts_offered": 999}), "partials.wrong"),
        (lambda p: p._replace(position=p.position - 1), "partials.wrong"),
        (lambda p: p._replace(segment=p.segment + 9), "partials.unexpected"),
    ],
    ids=["amounts", "position", "segment"],
)
def test_a_share_that_is_not_what_the_log_comes_to(
    world: World, change: Callable[[Partial], Partial], kind: str
) -> None:
    part, log = partials(world)
    at = share_at(log)
    told = wire.decode(log[at].value or b"")
    assert isinstance(told, Partial)
    assert kind in judged(part, changed(log, at, value=wire.encode(change(told))))


def test_a_share_with_one_position_and_two_values(world: World) -> None:
    part, log = partials(world)
    at = share_at(log)
    told = wire.decode(log[at].value or b"")
    assert isinstance(told, Partial)
    other = told._replace(amounts={**told.amounts, "contacts_offered": 77})
    again = log[at]._replace(value=wire.encode(other))
    assert judged(part, [*log, again]) == {"partials.two_values"}


def test_a_share_in_another_board_partition(world: World) -> None:
    part, log = partials(world)
    at = share_at(log)
    moved = changed(log, at, partition=(log[at].partition + 1) % DEPLOYMENT.partitions)
    assert "partials.misplaced" in judged(part, moved)


def test_a_level_and_a_mark_that_were_not_told(world: World) -> None:
    part, log = partials(world)
    tail = len(log) - 30
    kept = [r for r in log[tail:] if wire.decode(r.value or b"").__class__ is Partial]
    assert {"registers.wrong", "marks.wrong"} <= judged(part, kept)


def test_contact_records(world: World) -> None:
    log = world.quiet.of(world.topic("records.contact.v1"))
    told = orjson.loads(log[-1].value or b"")
    mine = f'"contact":"{told["contact"]}"'.encode()
    lost = [record for record in log if mine not in (record.value or b"")]
    other = orjson.dumps({**told, "channel": "fax"})
    foreign = orjson.dumps({**told, "contact": "nobody"})

    def found(records: Log) -> set[str]:
        return judged(ContactRecords(world.expected), records)

    assert found(log) == set()
    assert found(lost) == {"records.missing"}
    assert found([*log, log[-1]._replace(value=other)]) == {"records.wrong"}
    assert found([*log, log[-1]._replace(value=foreign)]) == {"records.unexpected"}


# -- dead letters


def letters(world: World, log: Log) -> set[str]:
    return judged(Letters(world.expected, world.evidence.poison), log)


def test_letters_lost_repeated_changed_or_invented(world: World) -> None:
    log = world.quiet.of(world.topic("dlq.events.v1"))
    other = tuple((n, b"bad.mood" if n == LETTER_REASON else v) for n, v in log[0].headers)
    foreign = tuple((n, b"x/0/1" if n == "cc_dlq_id" else v) for n, v in log[0].headers)
    assert letters(world, log) == set()
    assert letters(world, without(log, 0)) == {"letters.missing"}
    assert letters(world, [*log, log[0]]) == {"letters.repeated"}
    assert letters(world, changed(log, 0, value=b"cut")) == {"letters.changed"}
    assert letters(world, changed(log, 0, headers=other)) == {"letters.reason"}
    assert letters(world, [*log, log[0]._replace(headers=foreign)]) == {"letters.unexpected"}


def test_a_stage_that_refuses_for_another_reason_than_the_load_meant(world: World) -> None:
    poison = Poison()
    poison.reasons = dict(world.evidence.poison.reasons)
    poison.reasons[next(iter(poison.reasons))] = b"bad.mood"
    log = world.quiet.of(world.topic("dlq.events.v1"))
    assert judged(Letters(world.expected, poison), log) == {"letters.not_as_planned"}


# -- changelogs


def test_changelogs(world: World) -> None:
    log = world.quiet.of(world.changelog("contacts"))
    folded = world.expected.folded["contacts"]

    def found(records: Log) -> set[str]:
        return judged(Changelog(folded), records)

    head = HEAD.unpack_from(log[0].value or b"")
    elsewhere = HEAD.pack(head[0] + 1, *head[1:]) + (log[0].value or b"")[HEAD.size :]
    gone = log[0]._replace(value=None, headers=((POSITION_HEADER, b"100000"),))
    assert found(log) == set()
    assert found([*log, log[0]]) == set(), "a value may be written again"
    assert found([r for r in log if r.key != log[-2].key]) == {"changelog.missing"}
    assert found(changed(log, 0, value=(log[0].value or b"") + b"x")) == {"changelog.wrong"}
    assert found([*log, log[0]._replace(value=elsewhere)]) == {"changelog.unexpected"}
    assert found([*log, gone]) == {"changelog.unexpected"}
    twice = [*log, log[0]._replace(value=(log[0].value or b"") + b"x")]
    assert found(twice) == {"changelog.two_values"}


def test_the_cells_of_the_board(world: World) -> None:
    log = world.quiet.of(world.changelog("board"))
    at = last(log, lambda r: (r.key or b"").startswith(board_wire.CELL))
    value = log[at].value or b""
    version = HEAD.unpack_from(value)[0]
    cell = board_wire.read_cell(log[at].key or b"", version, value)
    cell.total["contacts_offered"] = 777
    wrong = log[at]._replace(value=board_wire.cell_entity(cell).value)

    def found(records: Log) -> set[str]:
        return judged(Cells(world.expected), records)

    assert found(log) == set()
    assert found([*log, wrong]) == {"cells.wrong"}
    assert found([r for r in log if r.key != log[at].key]) == {"cells.missing"}
    assert found([*log, log[at]._replace(key=log[at].key[:-1] + b"x")]) == {  # type: ignore[index]
        "cells.unexpected"
    }


def test_committed_offsets(world: World) -> None:
    committed, ends = world.quiet.committed, world.quiet.ends()
    contacts = (world.topic("events.contact.v1"), 0)
    behind = {**committed, contacts: committed[contacts] - 256}
    inside = {**committed, contacts: committed[contacts] + 1}
    assert kinds(offsets(world.expected, committed, ends)) == set()
    assert kinds(offsets(world.expected, behind, ends)) == {"offsets.behind"}
    assert kinds(offsets(world.expected, inside, ends)) == {"offsets.inside_segment"}


def test_many_violations_of_one_kind_are_told_shortly() -> None:
    many = [Violation("a", str(i)) for i in range(SHOWN_MAX + 5)]
    told = list(shortened([*many, Violation("b", "one")]))
    assert len(told) == SHOWN_MAX + 2
    assert [v.detail for v in told if "more" in v.detail] == ["and 5 more"]
