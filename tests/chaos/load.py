"""The load of a chaos run: an endless plan of records at event time about now.  Pure.

``weave(rate)`` gives one record after the other, ``1 / rate`` seconds apart: stories of calls,
conversations and agents, woven together by time, with what goes wrong in any telemetry:

* the same record again, up to 20 s later;
* records up to 5 s late, so that events overtake one another within a contact and between sources;
* stories that are days old, and events dated days ahead;
* records that cannot be used: malformed, oversized, null.

How often each happens is drawn from the seed too, so that each seed stresses something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import heappop, heappush
from pathlib import Path
from random import Random
from typing import NamedTuple

from streams.core.vocabulary import CHANNELS
from tests.chaos import poison
from tests.chaos.stories import LOAD_HEADER, Call, Conversation, Planned, restart, shift

FLAGS: Mapping[str, object] = {
    "processing.segment_size": 256,
    "processing.publish_ms": 50,
    **{f"silence_seconds.{channel}": 60 for channel in CHANNELS},
    "privacy.pseudonym_key_file": str(Path(__file__).with_name("pseudonym.key")),
}
"""Settings of the workers that the load needs and the checker expects; the key is no secret."""
DAY_MS = 86_400_000
AGAIN_MS_MAX = 20_000
LATE_MS_MAX = 5_000
OLD_DAYS = (1, 2, 7, 30)
RESTART_EVERY_MS = 45_000


class Shares(NamedTuple):
    """How often what happens: of records (``again``, ``late``) or of stories begun (the others)."""

    again: float
    late: float
    old: float
    poison: float
    null: float
    oversized: float
    future: float

    @classmethod
    def drawn(cls, random: Random) -> Shares:
        between = random.uniform
        return cls(
            again=between(0.01, 0.1),
            late=between(0.02, 0.2),
            old=between(0.001, 0.01),
            poison=between(0.01, 0.05),
            null=between(0.002, 0.01),
            oversized=between(0.0005, 0.002),
            future=between(0.002, 0.01),
        )


class Load:
    """The plan of one seed.  ``start_ms`` is when it begins, in event time; give the time it is."""

    def __init__(self, seed: int, start_ms: int) -> None:
        self.seed = seed
        self.start_ms = start_ms
        self.shares = Shares.drawn(Random(f"shares {seed}"))

    def weave(self, rate: float) -> Weaver:
        """The plan at ``rate`` records a second of event time."""
        return Weaver(self, rate)


class Weaver:
    """Weaves stories together so that exactly ``rate`` records a second come of it: a new story
    begins whenever none of those that run has anything to say.  An endless iterator."""

    def __init__(self, load: Load, rate: float) -> None:
        self._random = Random(f"load {load.seed}")
        self._load = load
        self._rate = rate
        self._waiting: list[tuple[int, int, Planned]] = []
        self._numbered = 0
        self._begun = 0
        self._restart_ms = load.start_ms + RESTART_EVERY_MS
        self._count = 0
        self._now_ms = load.start_ms

    def __iter__(self) -> Iterator[Planned]:
        return self

    def __next__(self) -> Planned:
        """The next record; it is due ``count / rate`` seconds after the start."""
        self._now_ms = self._load.start_ms + round(self._count * 1_000 / self._rate)
        self._count += 1
        return self._next(self._now_ms)

    def rest(self) -> list[Planned]:
        """What has happened by now and is still on its way, at the end of a run.

        Without these there would be answers in the topics to visits that never began.
        """
        return [record for _, _, record in sorted(self._waiting) if record.due_ms <= self._now_ms]

    def _next(self, now_ms: int) -> Planned:
        if now_ms >= self._restart_ms:
            self._restart_ms += RESTART_EVERY_MS
            return restart(now_ms)
        while not self._waiting or self._waiting[0][0] > now_ms:
            self._begin(now_ms)
        return heappop(self._waiting)[2]

    def _begin(self, now_ms: int) -> None:
        """Another story, or a record that cannot be used."""
        self._begun += 1
        random, number, shares = self._random, self._begun, self._load.shares
        draw = random.random()
        for share, make in (
            (shares.poison, poison.poison),
            (shares.null, poison.null),
            (shares.oversized, poison.oversized),
            (shares.future, poison.future),
        ):
            if draw < share:
                self._push(make(random, number, now_ms), now_ms)
                return
            draw -= share
        for record in self._story(now_ms):
            self._plan(record)

    def _story(self, now_ms: int) -> list[Planned]:
        random, number = self._random, self._begun
        old = random.random() < self._load.shares.old
        # Whole days: the old minutes are few, so the cost of their windows does not hide the rest.
        shift_ms = random.choice(OLD_DAYS) * DAY_MS if old else 0
        kind = random.random()
        if kind < 0.5:
            return Call(random, number, now_ms - 1_000, shift_ms).told()
        if kind < 0.85:
            return Conversation(random, number, now_ms, shift_ms).told()
        return shift(random, number, now_ms)

    def _plan(self, record: Planned) -> None:
        random, shares = self._random, self._load.shares
        due_ms = record.due_ms
        if random.random() < shares.late:
            due_ms += random.randrange(LATE_MS_MAX)
        self._push(record, due_ms)
        if random.random() < shares.again:
            headers = ((LOAD_HEADER, b"again"), *record.headers[1:])
            again = record._replace(headers=headers)
            self._push(again, due_ms + random.randrange(AGAIN_MS_MAX))

    def _push(self, record: Planned, due_ms: int) -> None:
        self._numbered += 1
        heappush(self._waiting, (due_ms, self._numbered, record))
