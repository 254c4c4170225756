"""A simulated week of every channel: every number of every KPI is the true one.

In memory for several seeds, and once through a real Kafka and two workers: shuffled, repeated, and
all of it sent again.  ``python -m tests.week`` does that with more.
"""

from __future__ import annotations

from random import Random

import pytest

from streams import codec
from streams.kafka.embedded import EmbeddedCluster
from tests.pipeline import Pipeline
from tests.week.comparing import differences
from tests.week.expected import results
from tests.week.through_kafka import through
from tests.week.week import Week

DAY_MS = 86_400_000


def in_memory(week: Week, order: Random | None) -> list[tuple[bytes, bytes]]:
    pipeline = Pipeline("asterisk_queue_log", week.terms)
    events = list(week.events)
    if order is not None:
        order.shuffle(events)
        events += order.sample(events, len(events) // 5)
    for stream, rows in (
        ("contact-events", [(e.contact.encode(), codec.encode(e), ()) for e in events]),
        ("agent-events", [(e.agent.encode(), codec.encode(e), ()) for e in week.agent_events]),
    ):
        pipeline.records(stream, rows)
    pipeline.tick(week.end_ms + 40 * DAY_MS)
    assert not pipeline.letters
    return [(output.key or b"", output.value or b"") for output in pipeline.outputs()]


@pytest.mark.parametrize("seed", range(3))
def test_every_number_of_the_week_is_true(seed: int) -> None:
    week = Week(seed, 150)
    wanted = dict(results(week.facts(), week.terms))
    assert differences(in_memory(week, None), wanted) == []


def test_in_any_order_and_told_twice_the_numbers_are_the_same() -> None:
    week = Week(11, 150)
    wanted = dict(results(week.facts(), week.terms))
    assert differences(in_memory(week, Random(11)), wanted) == []


def test_the_comparison_sees_a_wrong_number() -> None:
    week = Week(1, 60)
    stand = in_memory(week, None)
    wanted = dict(results(week.facts(), week.terms))
    name = next(iter(wanted))
    wanted[name] = wanted[name]._replace(value=wanted[name].value + 1)
    assert len(differences(stand, wanted)) == 1
    assert len(differences(stand[1:], wanted)) >= 1


@pytest.mark.integration
def test_the_week_through_kafka(broker: EmbeddedCluster, prefix: str) -> None:
    week = Week(5, 1_000)
    wanted = dict(results(week.facts(), week.terms))
    assert differences(through(broker.bootstrap, prefix, week, Random(5)), wanted) == []
