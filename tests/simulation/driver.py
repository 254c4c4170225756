"""One stage on the log of one partition, in one or several lives, and a dumb reader of its outputs.

A life restores from a changelog, starts at a commit, absorbs in batches, publishes now and then and
ends.  What all lives published is kept, as it is on the partials topic.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from typing import NamedTuple

import orjson

from streams.core.measure import Amounts, CutKey
from streams.core.partials import Partial, Register
from streams.core.segment import Segments
from streams.core.shard import Shard
from streams.core.source import Record
from streams.stages import wire
from streams.stages.base import Entity, Output, Seal, Stage
from tests.builders import Cells, without_zeros


class Life(NamedTuple):
    """What came out of one life: everything published, in order, and the seals by their end."""

    outputs: list[Output]
    seals: dict[int, Seal]


def live(
    stage: Stage,
    segment_size: int,
    log: Sequence[Record],
    *,
    commit: int = 0,
    changelog: Iterable[Entity] = (),
    batches: Iterable[int] = (5_000,),
    publish: Iterable[bool] = (False,),
) -> Life:
    """Restore, start at ``commit`` and absorb ``log`` to its end; batch sizes, and whether to
    publish after a batch, go round in circles."""
    stage.restore(as_records(changelog))
    shard: Shard[Seal] = Shard(stage, Segments(segment_size))
    shard.start(commit)
    outputs: list[Output] = []
    seals: dict[int, Seal] = {}
    sizes, publishes, at = cycle(batches), cycle(publish), commit
    while at < len(log):
        batch = log[at : at + next(sizes)]
        shard.absorb(batch)
        at += len(batch)
        if next(publishes) or at >= len(log):
            _write(shard, stage, outputs, seals)
    return Life(outputs, seals)


def _write(shard: Shard[Seal], stage: Stage, outputs: list[Output], seals: dict[int, Seal]) -> None:
    for seal in shard.take_seals():
        outputs.extend(seal.outputs)
        seals[seal.commit] = seal
    outputs.extend(stage.publish())


def as_records(entities: Iterable[Entity]) -> list[Record]:
    """A changelog partition with these records."""
    return [
        Record("changelog", 0, offset, 0, e.key, e.value, e.headers)
        for offset, e in enumerate(entities)
    ]


# -- reading what was published


def conflicts(outputs: Iterable[Output]) -> list[object]:
    """Two contents for one thing as of one position: must not be, whatever happened between."""
    known: dict[object, object] = {}
    found: list[object] = []
    for what, content in positioned(outputs):
        if known.setdefault(what, content) != content:
            found.append((what, known[what], content))
    return found


def positioned(outputs: Iterable[Output]) -> Iterable[tuple[object, object]]:
    """(thing, position) and its content, for everything published that has a position."""
    for output in outputs:
        if output.stream == "records" and output.value is not None:
            row = orjson.loads(output.value)
            yield ("record", row["contact"], row["customer"], row["position"]), row
        elif output.stream == "partials" and output.value is not None:
            message = wire.decode(output.value)
            yield (type(message).__name__, *message[:-1]), message[-1]


def added_up(outputs: Iterable[Output]) -> Cells:
    """What a reader of the partials has in the end: the highest position of each partial counts."""
    best: dict[tuple[str, int, CutKey, int], Partial] = {}
    for message in messages(outputs):
        if isinstance(message, Partial):
            at = message[:4]
            if at not in best or message.position > best[at].position:
                best[at] = message
    cells: Cells = {}
    for partial in best.values():
        cell = cells.setdefault((partial.cut, partial.minute), {})
        for name, amount in partial.amounts.items():
            cell[name] = cell.get(name, 0) + amount
    return without_zeros(cells)


def registers(outputs: Iterable[Output]) -> Mapping[tuple[str, CutKey], Amounts]:
    """The latest registers by position."""
    best: dict[tuple[str, CutKey], Register] = {}
    for message in messages(outputs):
        if isinstance(message, Register):
            at = (message.origin, message.cut)
            if at not in best or message.position >= best[at].position:
                best[at] = message
    return {at: register.values for at, register in best.items()}


def messages(outputs: Iterable[Output]) -> list[object]:
    return [wire.decode(o.value) for o in outputs if o.stream == "partials" and o.value is not None]
