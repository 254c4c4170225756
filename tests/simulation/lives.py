"""Several lives of one stage on one log: each ends somewhere, with some of its seals committed and
any part of the next one written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from hypothesis import strategies as st

from streams.core.posting import generate_post
from streams.core.source import Record
from streams.kpis import ALL_MEASURES
from streams.stages.base import Entity, Output, Seal, Stage
from tests.builders import Cells
from tests.simulation import script
from tests.simulation.driver import live
from tests.simulation.script import TERMS, Step

SIZE = 4
POST = generate_post(ALL_MEASURES, TERMS)


def steps_of(kinds: str, gaps: Sequence[int]) -> st.SearchStrategy[list[Record]]:
    late = st.sampled_from((0, 0, 0, 1, 5, 30))
    step = st.tuples(st.sampled_from(kinds), st.integers(0, 2), late, st.sampled_from(gaps))
    steps: st.SearchStrategy[list[Step]] = st.lists(step, max_size=26)
    return steps.map(script.records)


class Kind(NamedTuple):
    """A stage, the logs it is tried on, and what a log means by the oracle."""

    stage: Callable[..., Stage]
    logs: st.SearchStrategy[list[Record]]
    means: Callable[[Sequence[Record]], Cells]

    def make(self) -> Stage:
        return self.stage(0, terms=TERMS, post=POST, segment_size=SIZE, board_partitions=2)


def written(seals: dict[int, Seal]) -> dict[int, dict[bytes, Entity]]:
    return {end: {e.key: e for e in seal.entities} for end, seal in seals.items()}


class Ends(NamedTuple):
    """How a life ends: where, how many of its seals were committed, and what luck decides."""

    until: int
    committed: int
    batches: tuple[int, ...]
    publish: tuple[bool, ...]
    luck: int


ENDS = st.builds(
    Ends,
    st.integers(0, 26),
    st.integers(0, 6),
    st.lists(st.sampled_from((1, 2, 3, 7)), min_size=1, max_size=3).map(tuple),
    st.lists(st.booleans(), min_size=1, max_size=3).map(tuple),
    st.integers(0, 1_000),
)


class Fate:
    """The changelog and the commit as the lives so far have left them."""

    def __init__(self, kind: Kind, log: list[Record]) -> None:
        self.kind = kind
        self.log = log
        self.commit = 0
        self.changelog: list[Entity] = []
        self.outputs: list[Output] = []
        self.seals: dict[int, dict[bytes, Entity]] = {}

    def live(self, ends: Ends) -> None:
        until = max(self.commit, min(ends.until, len(self.log)))
        life = live(
            self.kind.make(), SIZE, self.log[:until], commit=self.commit, changelog=self.changelog,
            batches=ends.batches, publish=ends.publish,
        )  # fmt: skip
        self.outputs += life.outputs
        for end, entities in written(life.seals).items():
            assert self.seals.setdefault(end, entities) == entities
        self._write(list(life.seals.values()), ends.committed, Random(ends.luck))

    def _write(self, seals: Sequence[Seal], committed: int, luck: Random) -> None:
        """Some seals are committed; of the next one any part was written.  Order means nothing."""
        for seal in seals[:committed]:
            self.changelog += seal.entities
            self.commit = seal.commit
        for seal in seals[committed : committed + 1]:
            self.changelog += [e for e in seal.entities if luck.random() < 0.6]
        luck.shuffle(self.changelog)


LIVES = st.lists(ENDS, min_size=1, max_size=4)
TO_THE_END = Ends(1_000, 1_000, (3,), (True, False), 0)
