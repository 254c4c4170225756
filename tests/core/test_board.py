"""The board in memory: what is said when, statuses, rolling windows, levels, rows, dropping.

Times are minutes after ``MINUTE``, 23:50 in Berlin on the day before clocks go forward.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from streams.core import board as board_module
from streams.core.board import Board
from streams.core.partials import Mark, Partial, Register
from streams.core.result import Result
from streams.core.terms import HOUR_MS, MINUTE_MS
from tests.boards.definitions import CUTS, KEEP_MS, KPIS, MINUTE, RIPE_MS, TERMS, VOICE, A, B
from tests.boards.played import ORIGIN, Played

# -- what is said


def test_a_new_window_says_everything_that_is_defined() -> None:
    """Counts are 0 where the cut has anything at all; ratios of nothing are not there."""
    board = Played().add(A, 0, {"offered": 2})
    assert board.said("day") == {
        ("offered", "day"): 2,
        ("missed", "day"): 2,
        ("level", "day"): 0.0,
    }
    assert Played().add(A, 0, {"wait:0": 1}).said("hour") == {
        ("offered", "hour"): 0,
        ("missed", "hour"): 0,
        ("waits", "hour"): 1,
    }


def test_only_what_reads_a_changed_amount_is_said_again() -> None:
    board = Played().add(A, 0, {"offered": 2})
    board.said()
    assert board.add(A, 1, {"wait_ms": 5_000}).said() == {}
    assert board.add(A, 1, {"answered": 1}).said() == {
        ("missed", "quarter_hour"): 1,
        ("level", "quarter_hour"): 0.5,
        ("speed", "quarter_hour"): 5.0,
    }
    assert board.said() == {}


def test_a_minute_counts_in_its_quarter_its_hour_and_its_day() -> None:
    """The day of A is local: ten minutes later it is the next one, and so it is not for VOICE."""
    board = Played()
    for cut in CUTS:
        for minute in (0, 9, 10):
            board.add(cut, minute, {"offered": 1})
    counts = {
        (r.cut, r.span.kind, r.span.start_ms // MINUTE_MS - MINUTE): r.value.value
        for r in board.board.results()
        if r.kpi.name == "offered" and r.value is not None
    }
    assert counts[A, "quarter_hour", -5] == 2
    assert counts[A, "quarter_hour", 10] == 1
    assert counts[A, "hour", -50] == 2
    assert counts[A, "day", 10] == 1
    assert counts[VOICE, "day", 10 - 23 * 60] == 3


def test_what_becomes_undefined_is_withdrawn_once() -> None:
    board = Played()
    board.take(Partial(ORIGIN, 0, A, MINUTE, 1, {"offered": 1, "answered": 1}))
    assert board.said(name="level") == {("level", "quarter_hour"): 1.0}
    board.take(Partial(ORIGIN, 0, A, MINUTE, 2, {"offered": 0, "answered": 1}))
    assert board.said(name="level") == {("level", "quarter_hour"): None}
    board.take(Partial(ORIGIN, 0, A, MINUTE, 3, {"offered": 0, "answered": 2}))
    assert board.said(name="level") == {}


def test_the_revision_is_the_offset_of_the_last_change() -> None:
    """Of any cell of the window, whether or not this KPI reads what changed."""
    board = Played().add(A, 0, {"offered": 1}).add(B, 0, {"offered": 1}).add(A, 1, {"wait_ms": 1})
    revisions = {r.revision for r in board.board.results() if r.cut == A}
    assert revisions == {2}
    board.take(Partial(ORIGIN, 0, A, MINUTE, 0, {"offered": 1}))
    assert board.board.results() == []


# -- statuses


def test_provisional_until_the_mark_has_passed_the_end_by_the_grace() -> None:
    """The quarter ends at minute 10; the grace is 2 minutes, and reached at exactly 12."""
    board = Played().add(A, 0, {"offered": 1})
    assert board.status() == {"provisional"}
    assert board.mark(11.9).status() == set()
    assert board.mark(12).status() == {"final"}
    assert board.status("hour") == set()
    assert board.mark(13).status() == set()


def test_a_final_window_says_all_of_it_again_with_the_same_revision() -> None:
    board = Played().add(A, 0, {"offered": 1}).add(A, 1, {"offered": 1})
    first = rows_of(board.board.results(), "quarter_hour")
    final = rows_of(board.mark(12).board.results(), "quarter_hour")
    assert final == first != {}


def test_what_matures_is_final_when_it_is_mature() -> None:
    """The hour ends at minute 10, and the grace at 12: one KPI needs 20 minutes more, one 45."""
    board = Played().add(A, 0, {"offered": 2, "ripe": 1, "answered": 1})
    seen = []
    for minute in (11, 12, 31.9, 32, 56.9, 57, 90):
        said = board.mark(minute).board.results()
        seen.append({r.kpi.name: r.status for r in said if r.span.kind == "hour" and r.cut == A})
    names = {"offered", "missed", "level", "speed"}
    assert seen[0] == dict.fromkeys((*names, "ripe", "riper"), "provisional")
    assert seen[1] == dict.fromkeys(names, "final")
    assert seen[2:] == [{}, {"ripe": "final"}, {}, {"riper": "final"}, {}]


def test_a_late_change_corrects_only_what_matures_with_what_reads_it() -> None:
    """Else each repeat contact weeks later would make the service level of its day "corrected"."""
    board = Played().add(A, 0, {"offered": 2, "answered": 1}).mark(12)
    board.board.results()
    said = board.add(A, 0, {"ripe": 1}).board.results()
    hour = [(r.kpi.name, r.status) for r in said if r.span.kind == "hour"]
    assert hour == [("ripe", "provisional")]
    board.mark(40).board.results()
    said = board.add(A, 0, {"ripe": 1}).board.results()
    assert [(r.kpi.name, r.status) for r in said] == [("ripe", "corrected")]
    late = Played().mark(40).add(A, 0, {"offered": 1})
    assert late.status("hour") == {"corrected", "provisional"}


def test_a_change_of_a_final_window_corrects_all_of_it() -> None:
    """Also what it did not change: the status word is the window's, and the same whether the mark
    and the change were seen together or one after the other."""
    apart = Played().add(A, 0, {"offered": 1}).mark(12)
    apart.board.results()
    apart.add(A, 1, {"wait:0": 1})
    said = apart.board.results()
    assert {r.status for r in said if r.span.kind == "quarter_hour"} == {"corrected"}
    assert {r.kpi.name for r in said if r.span.kind == "quarter_hour"} == {
        "offered",
        "missed",
        "level",
        "waits",
    }
    together = Played().add(A, 0, {"offered": 1}).mark(12).add(A, 1, {"wait:0": 1})
    assert rows_of(said, "quarter_hour") == rows_of(together.board.results(), "quarter_hour")


def test_a_window_that_begins_late_is_corrected_from_the_beginning() -> None:
    assert Played().mark(12).add(A, 0, {"offered": 1}).status() == {"corrected"}


def test_a_share_without_a_change_corrects_nothing() -> None:
    board = Played().take(Partial(ORIGIN, 0, A, MINUTE, 1, {"offered": 1})).mark(12)
    assert board.status() == {"final"}
    assert board.take(Partial(ORIGIN, 0, A, MINUTE, 2, {"offered": 1})).status() == set()


def test_time_is_that_of_the_slowest_origin_and_unknown_before_all_have_spoken() -> None:
    board = Played(origins=2).add(A, 0, {"offered": 1}).mark(60)
    assert {r.as_of_ms for r in board.board.results()} == {None}
    assert board.mark(11, "staff/0").status() == set()
    assert board.board.marks.known_ms == (MINUTE + 11) * MINUTE_MS
    assert board.mark(12, "staff/0").status() == {"final"}


def test_a_mark_never_falls() -> None:
    """Not by an older position, not by an origin whose clock was set back, not by a new origin."""
    board = Played().mark(20)
    board.take(Mark(ORIGIN, 0, 0)).mark(5).mark(3, "staff/7")
    assert board.board.marks.mark_ms == (MINUTE + 20) * MINUTE_MS


def rows_of(results: Iterable[Result], kind: str) -> dict[str, Any]:
    return {r.kpi.name: (r.value, r.revision) for r in results if r.span.kind == kind}


# -- rolling windows

ROLLING = ("rolling_5m", "rolling_30m", "rolling_60m")


def rolling(board: Played) -> list[Any]:
    said = board.said(*ROLLING, name="offered")
    return [said.get(("offered", kind), "-") for kind in ROLLING]


def test_rolling_windows_end_where_the_marks_minute_begins() -> None:
    board = Played()
    for minute in range(8):
        board.add(A, minute, {"offered": 1})
    assert rolling(board) == ["-", "-", "-"], "there is no time yet"
    assert rolling(board.mark(6.5)) == [5, 6, 6], "minutes 1 to 5, and 0 to 5"
    assert rolling(board.mark(6.9)) == ["-", "-", "-"], "the same minute"
    assert rolling(board.add(A, 6, {"offered": 1})) == ["-", "-", "-"], "not over yet"
    assert rolling(board.mark(7)) == [6, 8, 8]


def test_a_change_in_range_is_said_in_the_windows_that_hold_it() -> None:
    board = Played().add(A, 0, {"offered": 1}).mark(20)
    board.said()
    assert rolling(board.add(A, 17, {"offered": 1})) == [1, 2, 2]
    assert rolling(board.add(A, 2, {"offered": 1})) == ["-", 3, 3]


def test_a_cut_stays_with_counts_of_0_until_the_longest_window_is_empty() -> None:
    board = Played().add(A, 0, {"offered": 1})
    assert rolling(board.mark(1)) == [1, 1, 1]
    assert rolling(board.mark(6)) == [0, 1, 1]
    assert rolling(board.mark(60)) == [0, 0, 1]
    assert rolling(board.mark(61)) == [None, None, None]
    assert rolling(board.mark(62)) == ["-", "-", "-"]


def test_only_the_latest_rolling_window_has_a_key_and_its_revision_rises() -> None:
    """The cell that was changed last leaves the window; the mark that moved it out is later."""
    board = Played().add(A, 9, {"offered": 1}).mark(10).add(A, 5, {"offered": 1})
    before = rows_of(board.board.results(), "rolling_5m")["offered"]
    board.mark(11)
    after = rows_of(board.board.results(), "rolling_5m")["offered"]
    assert (before[0].value, after[0].value) == (2, 1)
    assert before[1] < after[1] == 3


# -- levels


def test_levels_add_up_over_origins_and_the_oldest_is_the_oldest_of_all() -> None:
    start = MINUTE * MINUTE_MS
    board = Played(origins=2).mark(1).mark(2, "staff/0")
    board.post(A, {"waiting": 2, "oldest_ms": start + 30_000})
    board.post(A, {"waiting": 1, "oldest_ms": start + 10_000}, "staff/0")
    assert board.said("now") == {("waiting", "now"): 3, ("longest", "now"): 50.0}


def test_nobody_waiting_is_0_waiting_and_no_age() -> None:
    board = Played().mark(1).post(A, {"waiting": 1, "oldest_ms": MINUTE * MINUTE_MS})
    board.said("now")
    board.post(A, {"waiting": 0})
    assert board.said("now") == {("waiting", "now"): 0, ("longest", "now"): None}


def test_a_level_that_nobody_reports_is_not_0() -> None:
    assert Played().mark(1).post(A, {"other": 1}).said("now") == {}


def test_ages_grow_with_the_mark_by_the_second() -> None:
    board = Played().mark(1).post(A, {"waiting": 1, "oldest_ms": MINUTE * MINUTE_MS})
    board.said("now")
    assert board.mark(1 + 0.9 / 60).said("now") == {}
    assert board.mark(1 + 1 / 60).said("now") == {("longest", "now"): 61.0}


def test_an_age_is_never_negative() -> None:
    """The origin may be ahead of the board's mark."""
    board = Played().mark(1).post(A, {"waiting": 1, "oldest_ms": (MINUTE + 2) * MINUTE_MS})
    assert board.said("now")["longest", "now"] == 0


def test_the_latest_register_counts() -> None:
    board = Played().mark(1).take(Register(ORIGIN, A, 7, {"waiting": 2}))
    board.take(Register(ORIGIN, A, 6, {"waiting": 9})).take(Register(ORIGIN, A, 7, {"waiting": 9}))
    assert board.said("now", name="waiting") == {("waiting", "now"): 2}
    assert board.take(Register(ORIGIN, A, 8, {"waiting": 2})).said("now") == {}, "nothing changed"


# -- dropping


def test_cells_are_dropped_behind_the_mark_and_late_shares_ignored() -> None:
    board = Played(keep_ms=KEEP_MS).add(A, 0, {"offered": 1}).add(A, 20, {"offered": 1})
    board.mark(26 * 60 + 12)
    assert board.board.marks.floor == MINUTE + 12
    assert list(board.board.lines[A].cells) == [MINUTE + 20]
    board.board.results()
    board.add(A, 11, {"offered": 9})
    assert board.board.late_dropped == 1
    assert board.board.results() == []


def test_keys_beyond_the_bound_are_refused_until_others_are_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(board_module, "KEYS_MAX", 1)
    board = Played(keep_ms=KEEP_MS).add(A, 0, {"offered": 1}).add(B, 0, {"offered": 1})
    board.post(B, {"waiting": 1}).add(A, 1, {"offered": 1})
    assert list(board.board.lines) == [A]
    assert board.board.keys_refused == 2
    assert [reason for _, reason in board.board.refused] == ["cut.keys_max"], "levels come again"
    board.mark(28 * 60)
    board.board.results()
    board.add(B, 28 * 60, {"offered": 1})
    assert list(board.board.lines) == [B]


def test_a_window_that_begins_below_the_floor_has_said_its_last() -> None:
    """The quarter from minute 10 on has lost two of its minutes; the next one is whole."""
    board = Played(keep_ms=KEEP_MS)
    board.add(A, 13, {"offered": 1}).add(A, 25, {"offered": 1}).mark(26 * 60 + 12)
    assert len(board.said("quarter_hour", name="offered")) == 1, "what it had to say before is said"
    board.add(A, 14, {"offered": 1})
    assert board.said("quarter_hour", "hour", "day") == {}
    assert board.add(A, 30, {"offered": 1}).said(name="offered") == {("offered", "quarter_hour"): 2}


def test_a_cell_is_removed_only_when_its_floor_is_stored_and_committed() -> None:
    board = Played(keep_ms=KEEP_MS).add(A, 0, {"offered": 1}).mark(26 * 60 + 12)
    seals = []
    for _ in range(4):
        board.board.results()
        changes = board.board.changes(board.offset + 1, said=True)
        seals.append(([gone.minute for gone in changes.gone], changes.marks))
    assert [gone for gone, _ in seals] == [[], [], [MINUTE], []]
    floors = [marks.base.floor for _, marks in seals if marks is not None]
    assert floors == [0, MINUTE + 12, MINUTE + 12], "the second record is the first that has it"


def test_a_restored_cell_is_removed_only_when_its_floor_is_stored() -> None:
    """The commit says that the floor holds, but an operator may set it back."""
    board = Played(keep_ms=KEEP_MS).add(A, 0, {"offered": 1}).mark(26 * 60 + 12)
    stored = board.board.changes(2, said=True)
    later = Board(TERMS, KPIS, 1, keep_ms=KEEP_MS, offered="offered")
    later.start(stored.cells, [], stored.marks, 2)
    seals = [later.changes(end, said=True) for end in (3, 4, 5)]
    assert [[gone.minute for gone in seal.gone] for seal in seals] == [[], [MINUTE], []]
    assert seals[0].marks is not None
    assert seals[0].marks.base.floor == MINUTE + 12


def test_a_cut_without_anything_is_forgotten_with_its_rows() -> None:
    board = Played(keep_ms=KEEP_MS).add(A, 0, {"offered": 1}).add(B, 70, {"offered": 1}).mark(1)
    assert board.shown("rolling_60m") == {"now": 1}
    board.mark(26 * 60 + 12)
    withdrawn = board.said("rolling_60m", name="offered")
    assert withdrawn == {("offered", "rolling_60m"): None}, "what still stood is taken back"
    assert list(board.board.lines) == [B]
    assert {cut for _, cut, _, _ in board.board.news.shown.rows} == {B}
    assert {cut for cut, _ in board.board.news.shown.hours} == {B}


def test_the_floor_is_stored_because_keep_ms_may_grow() -> None:
    """A board restarted with a longer ``keep_ms`` still ignores what it cannot know to be whole.

    Broken: the floor worked out from the mark.  Then the share that comes again for the dropped
    minute is taken for news, and its window is said with a part of what was in it.
    """
    share = Partial("contacts/1", 0, A, MINUTE, 0, {"offered": 1})
    board = Played(keep_ms=KEEP_MS).add(A, 0, {"offered": 5}).take(share).mark(26 * 60 + 12)
    board.board.changes(board.offset + 1, said=True)
    board.mark(26 * 60 + 13)
    record = board.board.changes(board.offset + 1, said=True).marks
    assert record is not None

    def taken(base_floor: int) -> bool:
        later = Board(TERMS, KPIS, 1, keep_ms=40 * HOUR_MS, offered="offered")
        base = record.base._replace(floor=base_floor)
        since = [moved._replace(floor=base_floor) for moved in record.since]
        later.start([], [], record._replace(base=base, since=since), board.offset + 1)
        later.absorb(share, board.offset + 1)
        return later.results() != []

    assert not taken(record.base.floor)
    assert taken(0)


@pytest.mark.parametrize("keep_ms", [1, 25 * HOUR_MS + TERMS.grace_ms + RIPE_MS - 1])
def test_a_day_must_be_final_before_it_is_dropped(keep_ms: int) -> None:
    with pytest.raises(ValueError, match="final"):
        Board(TERMS, KPIS, 1, keep_ms=keep_ms)


def test_a_cut_without_kpis_is_kept_and_says_nothing() -> None:
    assert Played().add(("new", "x"), 0, {"offered": 1}).mark(60).board.results() == []


def test_the_key_names_the_dimensions() -> None:
    keys = [r.key for r in Played().add(A, 0, {"offered": 1}).board.results()]
    assert {json.dumps(key) for key in keys} == {'{"queue": "A", "channel": "voice"}'}
