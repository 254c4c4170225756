"""Time that boards may compute: a share of what passes, with something saved for bursts."""

from __future__ import annotations

import pytest

from streams.runtime.owner import SAVED_SECONDS_MAX, Purse


def filled_at(purse: Purse, seconds: float, share: float, now: float) -> float:
    """From when on there is something again, after spending."""
    purse.spend(seconds, share, now)
    return purse.filled_at


def test_what_is_saved_may_be_spent_at_once() -> None:
    assert filled_at(Purse(), SAVED_SECONDS_MAX, 0.1, 50) == 50


def test_what_is_spent_beyond_must_be_earned() -> None:
    purse = Purse()
    assert filled_at(purse, SAVED_SECONDS_MAX + 0.2, 0.1, 50) == pytest.approx(52)
    assert filled_at(purse, 0, 0.1, 52) == pytest.approx(52)
    assert filled_at(purse, 0.1, 0.1, 53) == 53


def test_over_a_long_time_no_more_than_the_share_is_spent() -> None:
    purse, now, spent = Purse(), 100.0, 0.0
    while now < 200:
        now = max(filled_at(purse, 0.03, 0.25, now), now + 0.03)
        spent += 0.03
    assert spent <= 100 * 0.25 + SAVED_SECONDS_MAX + 0.03


def test_little_work_is_never_kept_waiting() -> None:
    purse = Purse()
    assert all(filled_at(purse, 0.01, 0.1, at) == at for at in range(100))
