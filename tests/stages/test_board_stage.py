from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.boards import DAYS, KEEP_MS, Account, live, random_topic

seeds = st.integers(0, 2**32 - 1)


def check(seed: int) -> None:
    random = Random(seed)
    topic = random_topic(random)
    account, life = Account(topic), live(topic, random)
    assert life.totals() == account.totals
    assert life.versions() == account.versions
    assert life.said() == account.said()
    assert life.rolling() == account.rolling()
    assert life.levels() == account.levels()


@settings(max_examples=300, deadline=None)
@given(seeds)
def test_law(seed: int) -> None:
    check(seed)
