"""The board stage: what it writes, and single stories of crashes; all others: board laws."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from streams.core.partials import Mark, Partial, Register
from streams.core.source import Record
from streams.stages import board_wire, wire
from streams.stages.base import Seal
from streams.stages.board import BoardStage
from tests.boards.definitions import KEEP_MS, MINUTE, VOICE, A, B
from tests.boards.lives import (
    Change,
    Life,
    changed,
    cleaned,
    new_stage,
    records,
    restarted,
    rows,
    whole,
)
from tests.boards.topics import Message

# -- the shape of what is written


def sealed(*messages: Message, stage: BoardStage | None = None) -> tuple[BoardStage, Any]:
    stage = stage or started()
    stage.absorb(records(messages))
    return stage, whole(stage, len(messages))


def started() -> BoardStage:
    stage = new_stage()
    stage.start(0)
    return stage


def marks_at(minute: float) -> list[Mark]:
    time_ms = int((MINUTE + minute) * 60_000)
    return [Mark(origin, 0, time_ms) for origin in ("contacts/0", "contacts/1", "staff/0")]


def result(seal: Any, *key: object) -> dict[str, Any]:
    for output in seal.results:
        if json.loads(output.key)[: len(key)] == list(key):
            return dict(json.loads(output.value))
    raise LookupError(key)


SHARE = Partial("contacts/0", 0, A, MINUTE, 1, {"offered": 4, "answered": 1, "wait:1": 1})


def test_a_result_is_one_line_of_json() -> None:
    _, seal = sealed(SHARE, *marks_at(12.004))
    start_ms = (MINUTE - 5) * 60_000
    assert result(seal, "level", "queue", "A", "voice", "quarter_hour", start_ms) == {
        "kpi": "level",
        "key": {"queue": "A", "channel": "voice"},
        "window": {
            "kind": "quarter_hour",
            "start": "2026-03-28T22:45:00Z",
            "end": "2026-03-28T23:00:00Z",
        },
        "value": 0.25,
        "numerator": 1,
        "denominator": 4,
        "unit": "contacts",
        "status": "final",
        "revision": 0,
        "as_of": "2026-03-28T23:02:00.240Z",
    }


def test_a_local_day_names_its_zone_and_a_distribution_its_buckets() -> None:
    voice = SHARE._replace(cut=VOICE)
    _, seal = sealed(SHARE, voice)
    day = result(seal, "waits", "queue", "A", "voice", "day")
    assert day["buckets"] == [[10.0, 0], [20.0, 1], [None, 0]]
    assert day["window"] == {
        "kind": "day",
        "start": "2026-03-27T23:00:00Z",
        "end": "2026-03-28T23:00:00Z",
        "zone": "Europe/Berlin",
    }
    assert day["as_of"] is None
    assert "zone" not in result(seal, "waits", "channel", "voice", "day")["window"]


def test_results_of_which_only_the_latest_counts_have_no_start_in_their_key() -> None:
    level = Register("contacts/0", A, 0, {"waiting": 2})
    _, seal = sealed(SHARE, level, *marks_at(1))
    assert result(seal, "offered", "queue", "A", "voice", "rolling_5m")["value"] == 4
    assert result(seal, "waiting", "queue", "A", "voice", "now") == {
        "kpi": "waiting",
        "key": {"queue": "A", "channel": "voice"},
        "window": {"kind": "now", "start": None, "end": None},
        "value": 2,
        "numerator": 2,
        "denominator": None,
        "unit": "contacts",
        "status": "provisional",
        "revision": 4,
        "as_of": "2026-03-28T22:51:00Z",
    }
    assert all(
        len(json.loads(o.key)) == 5 for o in seal.results if b"rolling" in o.key or b"now" in o.key
    )


def test_what_is_withdrawn_is_a_tombstone_with_its_revision() -> None:
    stage, _ = sealed(SHARE)
    withdrawn = SHARE._replace(position=2, amounts={"offered": 0, "answered": 1})
    stage.absorb([Record("partials", 0, 7, 0, None, wire.encode(withdrawn))])
    gone = [o for o in whole(stage, 8).results if o.value is None]
    assert {json.loads(o.key or b"")[0] for o in gone} == {"level", "ripe", "riper", "waits"}
    assert {tuple(o.headers) for o in gone} == {(("revision", b"7"),)}
    assert {o.stream for o in gone} == {"kpi.test"}


def test_entities_come_back_as_they_were() -> None:
    stage, seal = sealed(SHARE, Register("staff/0", B, 3, {"waiting": 1}), *marks_at(1))
    again = new_stage()
    again.restore(Record("log", 0, i, 0, *e) for i, e in enumerate(seal.entities))
    again.start(seal.commit)
    assert again.mark_ms == stage.mark_ms
    assert again._board.lines[B].registers == stage._board.lines[B].registers
    old, new = (s._board.lines[A].cells[MINUTE] for s in (stage, again))
    assert (new.total, new.version, new.mark_ms) == (old.total, old.version, old.mark_ms)
    assert new.shares["contacts/0"].amounts == SHARE.amounts


def test_a_cell_forgets_what_a_left_segment_consisted_of_and_amounts_of_0() -> None:
    later = Partial("contacts/0", 1, B, MINUTE, 9, {"offered": 1, "answered": 0})
    stage, seal = sealed(SHARE, later)
    cells = {e.key: e.value for e in seal.entities if e.key.startswith(board_wire.CELL)}
    shares = [board_wire.read_cell(k, 0, v).shares["contacts/0"] for k, v in cells.items() if v]
    assert [(s.segment, s.position, s.amounts) for s in shares] == [
        (0, 1, None),
        (1, 9, {"offered": 1, "answered": 0}),
    ]
    totals = [board_wire.read_cell(k, 0, v).total for k, v in cells.items() if v]
    assert totals[1] == {"offered": 1}
    assert stage.rows["offered", B, "day", "open"].value == 1


def test_keys_of_cells_and_registers_differ_whatever_the_names() -> None:
    odd = ("queue", 'a"]\0b', "voice")
    stage, seal = sealed(
        SHARE._replace(cut=odd), Register("c/0", odd, 1, {"waiting": 1}), *marks_at(1)
    )
    assert len({e.key for e in seal.entities}) == 3
    again = new_stage()
    again.restore(Record("log", 0, i, 0, *e) for i, e in enumerate(seal.entities))
    again.start(seal.commit)
    assert list(again._board.lines) == list(stage._board.lines) == [odd]


def test_a_seal_without_news_writes_nothing() -> None:
    stage, _ = sealed(SHARE)
    stage.absorb(records([SHARE]))
    assert whole(stage, 2) == ([], [], [], 2, [])
    assert stage.publish() == ()


def test_what_is_not_ours_is_refused_but_the_sentinel_is_not() -> None:
    stage = new_stage()
    stage.restore([Record("log", 0, 0, 0, b"", b""), Record("log", 0, 1, 0, b"\0sentinel", None)])
    stage.start(0)
    with pytest.raises(ValueError, match="not a record of the board"):
        restarted(Random(0), [Change(b"x", b"\0" * 30, (), False)], 0)


def test_the_counters_are_for_metrics() -> None:
    stage, seal = sealed(SHARE, *marks_at(1))
    counted = {name: count for name, count in stage.counts.items() if count}
    assert counted == {"records": 4, "results": len(seal.results)}
    assert stage.counted[A, "offered"] == 4
    assert stage.corrections == {}
    assert stage.hours == {(A, 23): 4}
    assert stage.mark_ms == (MINUTE + 1) * 60_000


# -- sums for minutes that are not kept any more


def listed(seal: Any) -> list[tuple[str, str, Any]]:
    """(Reason, id, what is listed) of a seal's dead letters."""
    found = []
    for letter in seal.outputs:
        headers = dict(letter.headers)
        assert letter.stream == "dlq"
        assert headers["cc_dlq_stage"] == b"board"
        reason, name = headers["cc_dlq_reason"].decode(), headers["cc_dlq_id"].decode()
        found.append((reason, name, wire.decode(letter.value)))
    return found


LATE = SHARE._replace(segment=3, position=70)
LATE_GROWN = LATE._replace(position=71, amounts={"offered": 5})
LATE_LOG = records([*marks_at(27 * 60), LATE, SHARE._replace(minute=MINUTE + 300), LATE_GROWN])


def test_a_sum_for_a_minute_not_kept_any_more_is_counted_and_listed() -> None:
    """Its cut key, minute, amounts and origin; each time it grows."""
    stage = new_stage(KEEP_MS)
    stage.start(0)
    stage.absorb(LATE_LOG)
    seal = whole(stage, 6)
    assert listed(seal) == [
        ("window.dropped", "partials/0/3", LATE),
        ("window.dropped", "partials/0/5", LATE_GROWN),
    ]
    assert stage.counts["sums_late"] == 2
    assert not any(LATE.minute in line.cells for line in stage._board.lines.values())
    assert listed(whole(stage, 6)) == [], "each is listed once"


def test_what_is_listed_does_not_depend_on_crashes() -> None:
    """Nothing of an aborted seal is said again before the replay has passed it, but it is listed:
    under the same id, so it stands in the topic once."""
    stage = new_stage(KEEP_MS)
    stage.start(0)
    stage.absorb(LATE_LOG)
    seal = whole(stage, 6)
    aborted = [changed(e, aborted=True) for e in seal.entities]
    successor = restarted(Random(0), aborted, 0, KEEP_MS)
    successor.absorb(LATE_LOG[:4])
    again = whole(successor, 4)
    assert again.results == []
    successor.absorb(LATE_LOG[4:])
    assert listed(again) + listed(whole(successor, 6)) == listed(seal)


# -- single stories


def test_an_aborted_record_is_stored_again_before_the_cleaner_removes_it() -> None:
    """The share was restored from an aborted transaction, so its replay changes nothing."""
    random = Random(0)
    _, seal = sealed(SHARE)
    changelog = [changed(e, aborted=True) for e in seal.entities]
    successor = restarted(random, changelog, 0)
    successor.absorb(records([SHARE]))
    changelog += [changed(e, aborted=False) for e in whole(successor, 1).entities]
    last = restarted(random, cleaned(random, changelog), 1)
    assert last._board.lines[A].cells[MINUTE].total == {"offered": 4, "answered": 1, "wait:1": 1}


def test_nothing_is_said_before_the_replay_has_passed_what_was_restored() -> None:
    other = SHARE._replace(minute=MINUTE + 1)
    topic = [SHARE, other, SHARE._replace(position=2, amounts={"offered": 9})]
    _, seal = sealed(*topic)
    later = [e for e in seal.entities if not e.key.endswith(b"%d" % MINUTE)]
    aborted = [changed(e, aborted=True) for e in later]
    successor = restarted(Random(0), aborted, 0)
    log = records(topic)
    successor.absorb(log[:1])
    first = whole(successor, 1)
    assert (first.results, first.commit) == ([], 1), "the commit goes on"
    successor.absorb(log[1:])
    assert result(whole(successor, 3), "offered", "queue", "A", "voice", "day")["value"] == 13


def test_a_seal_without_results_does_not_acknowledge_an_aborted_one() -> None:
    """Two owners are interrupted while sealing, the third commits as far as the first had come but
    has nothing to say yet, because of what the second stored.  The fourth must still say it all."""
    later = SHARE._replace(minute=MINUTE + 20)
    topic: list[Message] = [SHARE, *marks_at(1), SHARE, later, SHARE]
    log = records(topic)
    first, second, third = new_stage(), new_stage(), new_stage()
    first.start(0)
    first.absorb(log[:5])
    aborted = [changed(e, aborted=True) for e in whole(first, 5).entities]
    second.start(0)
    second.absorb(log)
    aborted += [
        changed(e, aborted=True) for e in whole(second, 7).entities if b"marks" not in e.key
    ]
    third.restore(rows(aborted))
    third.start(0)
    silent = []
    for start, end in ((0, 4), (4, 5)):
        third.absorb(log[start:end])
        seal = whole(third, end)
        assert (seal.results, seal.commit) == ([], end)
        silent += [changed(e, aborted=False) for e in seal.entities]
    for order in (1, -1):
        fourth = new_stage()
        fourth.restore(rows([*aborted, *silent][::order]))
        fourth.start(5)
        fourth.absorb(log[5:])
        said = whole(fourth, 7)
        quarter = ("quarter_hour", (MINUTE - 5) * 60_000)
        assert result(said, "offered", "queue", "A", "voice", *quarter)["value"] == 4


@pytest.mark.parametrize("commit", [0, 4], ids=["commit_behind_the_end", "commit_at_the_end"])
@pytest.mark.parametrize(("minute", "value"), [(13, 13), (26, 17)], ids=["grown", "new"])
def test_a_window_that_has_ended_has_one_value_under_one_revision(
    minute: int, value: int, commit: int
) -> None:
    """The mark ends the hour from minute 10 on, then two of its cells change.  The first owner's
    seal is aborted with only the later one written; a second may commit the end and say nothing.
    The next one's offset does not get through, so the last finds both cells.  Each says the hour as
    of the later one."""
    before, later = (SHARE._replace(minute=MINUTE + at) for at in (13, 14))
    sooner = Partial("contacts/0", 0, A, MINUTE + minute, 2, {"offered": 9})
    log = records([before, *marks_at(26 * 60 + 12), sooner, later])
    life = Life()

    def owner(start: int, end: int) -> Seal:
        stage = restarted(Random(0), life.changelog, start, KEEP_MS)
        stage.absorb(log[start:end])
        return whole(stage, end)

    first = owner(0, 6)
    written = [entity for entity in first.entities if entity.key.endswith(b"%d" % later.minute)]
    life.write(first._replace(entities=written), aborted=True)
    if commit:
        silent = owner(0, commit)
        assert silent.results == []
        life.write(silent)
    life.write(owner(commit, 6))
    life.write(owner(commit, 6))
    key = json.dumps(["offered", *A, "hour", (MINUTE + 10) * 60_000], separators=(",", ":"))
    said = {revision: content[0] for (at, revision), content in life.values.items() if at == key}
    assert said == {0: 4, 5: value}, "as the first said it, and as of the last share"
