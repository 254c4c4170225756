"""What /metrics shows: the open and the closed window of each kind, and what is now."""

from __future__ import annotations

from streams.core.partials import Partial
from streams.core.terms import MINUTE_MS
from tests.boards.definitions import KPIS, MINUTE, VOICE, A
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
