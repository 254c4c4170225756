"""What goes ahead of a seal must be committed before the rest of it is begun."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streams.runtime.owner import Owner
from streams.runtime.writing import settled
from streams.stages.base import Entity, Seal
from streams.stages.target_wire import MACHINE
from tests.simulation.kinds import CALLS_AND_TICKS, ONE, TWO_BOARDS
from tests.simulation.search import Kind, search
from tests.simulation.world import Rules

KIND = Kind(
    (ONE, TWO_BOARDS), CALLS_AND_TICKS, ("crash", "take"), ("board",), gaps=(0, 1, 30, 110),
    events_max=18, plot=("run", "write", "write", "write", "crash"),
)  # fmt: skip
TRIES = 400
EVENTS = ("events of",)


class Split(Owner):
    """Entities fill several batches, of which some may arrive and others not; machines last."""

    async def _hand_over_entities(self, entities: Sequence[Entity]) -> list[Any]:
        machines = [entity for entity in entities if entity.key.startswith(MACHINE)]
        others = [entity for entity in entities if not entity.key.startswith(MACHINE)]
        for part in (others, machines):
            if part:
                await settled(await super()._hand_over_entities(part))
        return []


class NotAhead(Split):
    """All in one transaction."""

    async def _write_seal(self, seal: Seal) -> None:
        entities = [*seal.entities, *seal.ahead]
        await super()._write_seal(seal._replace(entities=entities, ahead=()))


class Never(Owner):
    """What goes ahead is not written at all."""

    async def _write_seal(self, seal: Seal) -> None:
        await super()._write_seal(seal._replace(ahead=()))


def test_crashes_of_boards_do_not_show_in_events() -> None:
    assert search(KIND, Rules(owner=Split), 150).problems == []


def test_what_is_not_written_is_missed() -> None:
    assert search(KIND, Rules(owner=Never), TRIES, evidence=EVENTS).scenario is not None


def test_one_transaction_for_all_is_not_enough() -> None:
    """It is aborted when all but the machines have been sent.  The next owner finds cells that are
    newer than the machines, cannot judge their turn, and an event is lost."""
    assert search(KIND, Rules(owner=NotAhead), TRIES, evidence=EVENTS).scenario is not None
