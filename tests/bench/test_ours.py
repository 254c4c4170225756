"""Our engine's stages come to the exact answer whatever crashes: numbers beside those of an engine
that counts wrong would mean little."""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec
import pytest

from bench.engines.contract import CONTACTS, MINUTE_MS, ROLLING, TUMBLING, Progress
from bench.engines.ours.__main__ import STAGES
from bench.engines.ours.stages import ContactsStage, TumblingStage
from streams.core.segment import Segments
from streams.core.shard import Shard
from streams.core.source import Record
from streams.stages.base import Entity, Output, Seal

START_MS = 1_790_000_040_000
COUNT, STEP_MS, SEGMENT = 4_000, 1_500, 128
Rows = list[tuple[int, str, str, int]]
"""(time, queue, contact, talk_ms) by offset."""


def rows(seed: int) -> Rows:
    """A hundred minutes, so that minutes are forgotten on the way; some events are late, but not
    so late that they are refused."""
    chance = random.Random(seed)
    return [
        (
            START_MS + number * STEP_MS - _late_ms(chance),
            f"q{chance.randrange(3)}",
            f"c{number // 50 + chance.randrange(8)}",
            chance.randrange(1_000),
        )
        for number in range(COUNT)
    ]


def _late_ms(chance: random.Random) -> int:
    return chance.randrange(9 * MINUTE_MS) if chance.random() < 0.05 else 0


def log(told: Rows) -> list[Record]:
    names = ("time", "queue", "contact", "talk_ms")
    return [
        Record("t", 0, at, 0, b"k", msgspec.json.encode(dict(zip(names, row, strict=True))))
        for at, row in enumerate(told)
    ]


def answer(told: Rows, job: int) -> dict[bytes, tuple[int, int]]:
    """Key of the output topic -> count and sum, added up the dumb way."""
    first: dict[str, int] = {}
    exact: dict[tuple[str, int], list[int]] = {}
    for time, queue, contact, talk_ms in told:
        since = time - first.setdefault(contact, time)
        minute = time // MINUTE_MS
        for end in range(minute, minute + (60 if job == ROLLING else 1)):
            row = exact.setdefault((queue, end), [0, 0])
            row[0] += 1
            row[1] += since if job == CONTACTS else talk_ms
    newest = max(row[0] for row in told) // MINUTE_MS
    return {
        f"0|{queue}|{minute * MINUTE_MS}".encode(): (count, total)
        for (queue, minute), (count, total) in exact.items()
        if minute <= newest
    }


class World:
    """The output topic, the changelog and the commit; workers come and go."""

    def __init__(self, job: int, records: Sequence[Record], chance: random.Random) -> None:
        self.job, self.records, self.chance = job, records, chance
        self.results: dict[bytes, tuple[int, int]] = {}
        self.changelog: list[Entity] = []
        self.committed = 0
        self.crashes = 0
        self.stage: TumblingStage = self.new_stage()

    def new_stage(self) -> TumblingStage:
        return STAGES[self.job](0, Progress(COUNT), lambda partition, something: None)

    def live(self) -> None:
        """A worker from its start to its end, or to the end of the log."""
        self.stage = self.new_stage()
        self.stage.restore(
            [
                Record("c", 0, at, 0, e.key, e.value, e.headers)
                for at, e in enumerate(self.changelog)
            ]
        )
        shard = Shard[Seal](self.stage, Segments(SEGMENT))
        shard.start(self.committed)
        while shard.next is not None and shard.next < len(self.records):
            shard.absorb(self.records[shard.next : shard.next + self.chance.randrange(1, 200)])
            if self.chance.random() < 0.5 and not self.write(shard):
                self.crashes += 1
                self.live()
                return
        self.write(shard, may_crash=False)

    def write(self, shard: Shard[Seal], may_crash: bool = True) -> bool:
        """As ``Owner.write``; False when the worker dies between two steps."""
        risk = 0.12 if may_crash else 0.0
        for seal in shard.take_seals():
            self.say(seal.outputs)
            if self.chance.random() < risk:
                return False
            self.changelog += seal.entities
            if self.chance.random() < risk:
                return False
            self.committed = seal.commit
        self.say(self.stage.publish())
        return self.chance.random() >= risk

    def say(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            value = msgspec.json.decode(output.value or b"")
            assert output.key is not None
            self.results[output.key] = (value["count"], value["sum"])


@pytest.mark.parametrize("job", [TUMBLING, CONTACTS, ROLLING])
@pytest.mark.parametrize("seed", range(6))
def test_results_are_exact_after_crashes_at_any_step(job: int, seed: int) -> None:
    told = rows(seed)
    world = World(job, log(told), random.Random(seed))
    world.live()
    assert world.crashes >= 2
    exact = answer(told, job)
    assert {key: world.results.get(key) for key in exact} == exact


@pytest.mark.parametrize("seed", range(6))
def test_contacts_have_each_of_their_events_once_after_crashes(seed: int) -> None:
    told = rows(seed)
    world = World(CONTACTS, log(told), random.Random(seed))
    world.live()
    exact: dict[str, list[int]] = {}
    for offset, (_, _, contact, _) in enumerate(told):
        exact.setdefault(contact, []).append(offset)
    assert isinstance(world.stage, ContactsStage)
    found = {name: contact.offsets for name, contact in world.stage.contacts.items()}
    # Those that a worker has not touched since its start are bytes still.
    assert found == {name: exact[name] for name in found}
    assert len(found) > 3


@pytest.mark.parametrize("job", [TUMBLING, CONTACTS])
def test_old_minutes_leave_memory_and_changelog(job: int) -> None:
    world = World(job, log(rows(1)), random.Random(1))
    world.live()
    latest = {entity.key: entity.value for entity in world.changelog}
    minutes = [key for key, value in latest.items() if key.startswith(b"m") and value is not None]
    # Three queues; ten minutes are kept, and the segments not forgotten yet.
    assert len(minutes) < 3 * 20
    assert len(world.stage.minutes.rows) < 3 * 20


def test_events_for_a_forgotten_minute_are_refused() -> None:
    told = rows(2)
    told.append((START_MS, "q0", "late", 5))
    world = World(TUMBLING, log(told), random.Random(2))
    world.live()
    assert world.stage.minutes.late == 1
    assert world.stage.minutes.totals()[0] <= COUNT
