"""The terms of queues: by date, with the channel's where the queue says nothing."""

from __future__ import annotations

from streams.core.opening import ALWAYS, Opening
from streams.core.terms import HOUR_MS, MINUTE_MS, Dated, QueueTerms, Terms
from streams.core.vocabulary import CHANNELS


def test_the_threshold_of_the_first_response_is_the_queues_else_the_channels() -> None:
    terms = Terms(
        queues={"mail": [Dated(0, QueueTerms()), Dated(1_000, QueueTerms(response_ms=HOUR_MS))]},
        response_by_channel={"email": 2 * HOUR_MS},
    )
    assert terms.response_ms("mail", "email", 999) == 2 * HOUR_MS
    assert terms.response_ms("mail", "email", 1_000) == HOUR_MS
    assert terms.response_ms("mail", "chat", 1_000) == HOUR_MS
    assert terms.response_ms("other", "chat", 1_000) == MINUTE_MS


def test_a_threshold_of_zero_is_one() -> None:
    terms = Terms(QueueTerms(response_ms=0))
    assert terms.response_ms("any", "email", 0) == 0


def test_every_channel_has_a_threshold() -> None:
    assert all(Terms().response_ms("any", channel, 0) > 0 for channel in CHANNELS)


def test_terms_of_one_instant_need_no_order_among_themselves() -> None:
    """The last one said holds; hours are not compared."""
    terms = Terms(queues={"A": [Dated(5, QueueTerms(opening=Opening("Asia/Tokyo"))),
                                Dated(5, QueueTerms(opening=ALWAYS))]})  # fmt: skip
    assert terms.at("A", 5).opening is ALWAYS
