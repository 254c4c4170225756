"""What /metrics shows: the open and the closed window of each kind, and what is now."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from streams.core.partials import Partial
from streams.core.rows import Row
from streams.core.terms import MINUTE_MS
from tests.boards.definitions import KPIS, MINUTE, START_MS, VOICE, A
from tests.boards.played import ORIGIN, Played

HALF_DAY = 12 * 60


def test_without_time_the_newest_window_is_open() -> None:
    board = Played().add(A, 0, {"offered": 1}).add(A, 30, {"offered": 2}).add(A, 12, {"offered": 3})
    assert board.shown("quarter_hour") == {"open": 2, "closed": 3}
    assert board.shown("day") == {"open": 5, "closed": 1}


def test_the_open_window_contains_the_mark_and_the_closed_one_is_the_newest_before() -> None:
    board = Played().add(A, 0, {"offered": 1}).add(A, 12, {"offered": 2}).mark(14)
    assert board.shown("quarter_hour") == {"open": 2, "closed": 1}
    assert board.add(A, 1, {"offered": 4}).shown("quarter_hour") == {"open": 2, "closed": 5}
    assert board.add(A, 200, {"offered": 9}).shown("quarter_hour") == {"open": 2, "closed": 5}
    assert board.mark(60).shown("quarter_hour") == {"closed": 2}, "nothing has happened yet"
    assert board.mark(200).shown("quarter_hour") == {"open": 9, "closed": 2}


def test_a_row_has_its_parts_the_windows_end_and_the_mark() -> None:
    board = Played().add(A, 0, {"offered": 4, "answered": 1}).mark(5)
    board.board.results()
    row = board.board.news.shown.rows["level", A, "quarter_hour", "open"]
    assert row == (0.25, 1, 4, (MINUTE + 10) * MINUTE_MS, (MINUTE + 5) * MINUTE_MS)


def test_only_gauges_have_rows_and_by_their_first_cut() -> None:
    board = Played(kpis=[KPIS[0], KPIS[1]._replace(metric=None)])
    for cut in (A, VOICE):
        board.add(cut, 0, {"offered": 4})
    assert board.mark(5).shown("day") == {"open": 4}
    assert board.shown("day", "missed") == {}
    assert board.shown("day", cut=VOICE) == {}
    assert len(board.board.news.shown.rows) == 6, "of every kind of window"


def test_a_row_without_a_value_is_gone() -> None:
    board = Played().take(Partial(ORIGIN, 0, A, MINUTE, 1, {"offered": 1})).mark(5)
    assert board.shown("day", "level") == {"open": 0.0}
    board.take(Partial(ORIGIN, 0, A, MINUTE, 2, {"offered": 0}))
    assert board.shown("day", "level") == {}


def test_rolling_windows_and_levels_are_now() -> None:
    board = Played().add(A, 0, {"offered": 1}).mark(1).post(A, {"waiting": 1})
    assert board.shown("rolling_60m") == {"now": 1}
    assert board.shown("now", "waiting") == {"now": 1}
    assert board.mark(61).shown("rolling_60m") == {}


def test_offered_by_the_local_hour_of_the_newest_day() -> None:
    """The day has no hour 2.  A day in which nothing has happened yet shows the one before."""
    board = Played().add(A, 0, {"offered": 1}).mark(1)
    board.board.results()
    hours = board.board.news.shown.hours
    assert hours == {(A, 23): 1}
    board.add(A, 10, {"offered": 2}).add(A, 11 + 120, {"offered": 3}).mark(5)
    board.board.results()
    assert hours == {(A, 23): 1}, "the new day has not begun"
    board.mark(10 + HALF_DAY).board.results()
    assert hours == {(A, 0): 2, (A, 3): 3}
    board.add(A, 12, {"offered": 1}).board.results()
    assert hours == {(A, 0): 3, (A, 3): 3}, "a late one, in an hour that is neither open nor closed"


def test_counters_never_go_down() -> None:
    board = Played().take(Partial(ORIGIN, 0, A, MINUTE, 1, {"offered": 3, "answered": 1}))
    board.take(Partial(ORIGIN, 0, A, MINUTE, 2, {"offered": 1, "answered": 2}))
    board.take(Partial(ORIGIN, 0, A, MINUTE, 2, {"offered": 1, "answered": 2}))
    assert board.board.counted == {(A, "offered"): 3, (A, "answered"): 2}
    assert board.board.corrections == {(A, "offered"): 2}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from((-70, -35, -5, 3, 9, 20)), st.integers(0, 2)),
        st.tuples(st.just("mark"), st.sampled_from((1, 4, 20, 70))),
        st.tuples(st.just("post"), st.integers(0, 2)),
    ),
    min_size=2,
    max_size=6,
)
AFTER = st.frozensets(st.integers(0, 5))


def _steps_taken(board: Played, steps: Any, told: frozenset[int]) -> Played:
    """``told``: after which steps results are said; that is up to each owner."""
    minute = 0
    for number, (kind, *of) in enumerate(steps):
        if kind == "add":
            board.add(A, of[0], {"offered": of[1], "answered": 1})
        elif kind == "mark":
            minute += of[0]
            board.mark(minute)
        else:
            board.post(A, {"waiting": of[0], "oldest_ms": START_MS})
        if number in told:
            board.board.results()
    board.board.results()
    return board


def _shown(board: Played) -> dict[Any, tuple[int, dict[str, Row]]]:
    """(Cut, kind, state) -> revision and all rows."""
    shown = board.board.news.shown
    return {
        (cut, kind, state): (
            revision,
            {kpi: row for (kpi, *at), row in shown.rows.items() if at == [cut, kind, state]},
        )
        for (cut, kind, state), revision in shown.revisions.items()
    }


EMPTY_NOW = [("add", -5, 1), ("mark", 1), ("mark", 70)]
"""What rolling windows held has left them."""


@example(EMPTY_NOW, 2, frozenset(), frozenset())
@example(EMPTY_NOW, 2, frozenset(), frozenset({1}))
@settings(max_examples=400)
@given(STEPS, st.integers(1, 6), AFTER, AFTER)
def test_of_two_owners_rows_those_of_the_higher_revision_are_the_newer_ones(
    steps: Any, until: int, told: frozenset[int], retold: frozenset[int]
) -> None:
    """One owner stopped somewhere, the other went on; where they differ the revision tells.  (It
    may be higher where they do not: a register that is posted again with the same values.)"""
    former = _shown(_steps_taken(Played(), steps[:until], told))
    present = _shown(_steps_taken(Played(), steps, retold))
    for at, (revision, rows) in former.items():
        newer, newer_rows = present.get(at, (-1, {}))
        if newer <= revision:
            assert _values(newer_rows) == _values(rows)


def _values(rows: dict[str, Row]) -> dict[str, Any]:
    return {name: row[:4] for name, row in rows.items()}
