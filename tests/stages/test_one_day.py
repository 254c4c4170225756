"""The one-day log through all stages, cut into batches of 1, 7 and 5,000, twice, and shuffled."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from streams.results import Latest, Result
from tests.integration.one_day import LOG, assert_expected
from tests.pipeline import Pipeline

LINES = LOG.read_bytes().splitlines()
END_MS = 1_791_244_920_001
"""The day is over, and its grace."""


def results(lines: Sequence[bytes], batch: int) -> list[Result]:
    pipeline = Pipeline("asterisk_queue_log", batch=batch)
    pipeline.lines(lines)
    pipeline.tick(END_MS)
    assert not pipeline.letters
    latest = Latest()
    latest.take(pipeline.outputs())
    return latest.results()


def values(found: Sequence[Result]) -> dict[Any, Any]:
    """Everything but revision and as-of time, which name the way and not the number."""
    return {
        (r.kpi, *r.key.values(), r.window, r.start): (r.value, r.fields["numerator"]) for r in found
    }


@pytest.fixture(scope="module")
def whole() -> list[Result]:
    return results(LINES, 5_000)


def test_the_numbers_of_the_day(whole: list[Result]) -> None:
    assert_expected(whole)


@pytest.mark.parametrize("batch", [1, 7])
def test_batches_never_show(whole: list[Result], batch: int) -> None:
    assert values(results(LINES, batch)) == values(whole)


def test_the_log_sent_twice_is_the_log(whole: list[Result]) -> None:
    assert values(results([*LINES, *LINES], 5_000)) == values(whole)


def test_the_log_shuffled_in_blocks_is_the_log(whole: list[Result]) -> None:
    blocks = [LINES[i : i + 50] for i in range(0, len(LINES), 50)]
    random.Random(5).shuffle(blocks)
    assert values(results([line for block in blocks for line in block], 5_000)) == values(whole)
