"""Going through the dead letters: what would become of each, and sending back those that pass."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiokafka.errors import KafkaError

from streams.dead_letters.choosing import Wanted
from streams.dead_letters.judging import Rules, Verdict, Word, judge
from streams.dead_letters.ledger import Ledger
from streams.dead_letters.letter import Letter, letter_of
from streams.dead_letters.pace import BYTES_MAX, Pace
from streams.dead_letters.reading import read_ledger, rules_of
from streams.dead_letters.sending import PostOffice, told
from streams.deployment import DEAD_LETTERS, Deployment
from streams.reading import Told, partitions_of, to_end
from streams.runtime.failpoints import VARIABLE, fail_point
from streams.settings import Settings


class Order(NamedTuple):
    """What is to be done: ``rate`` in letters a second, ``limit`` 0 for all that pass; ``late``:
    those of windows and contacts that are gone as well."""

    wanted: Wanted
    apply: bool = False
    rate: float = 500.0
    limit: int = 0
    late: bool = False


@dataclass
class Outcome:
    """What became of the wanted letters.  ``refusals`` are today's (code, detail); ``doubtful``
    ones of an interrupted run will be looked up; ``signal`` ended it early."""

    words: Counter[Word] = field(default_factory=Counter)
    refusals: Counter[tuple[str, str]] = field(default_factory=Counter)
    replayed: int = 0
    sent: int = 0
    dropped: int = 0
    forgotten: int = 0
    foreign: int = 0
    doubtful: int = 0
    limited: bool = False
    signal: int = 0

    def note(self, verdict: Verdict) -> None:
        """One more letter was judged."""
        self.words[verdict.word] += 1
        self.dropped += verdict.dropped
        self.forgotten += verdict.forgotten
        if verdict.word == "refused":
            self.refusals[verdict.reason, verdict.detail] += 1


def replay(settings: Settings, order: Order, progress: Told) -> Outcome:
    """Judge the letters as far as they stand now; with ``apply`` send back those that pass.

    A signal (Ctrl-C, SIGTERM) ends it behind the batch that is going.  Raises as
    ``streams.reading.read_to_end`` does, StateError when another replay begins.
    """
    going = _Replay(settings, order)
    if not order.apply:
        ledger = read_ledger(going.deployment)
        going.outcome.doubtful = len(ledger.doubtful.replays) if ledger.doubtful else 0
        going.ledger = ledger
    try:
        asyncio.run(going.run(progress))
    except KafkaError as error:
        raise told(error, going.deployment) from error
    return going.outcome


class _Replay:
    def __init__(self, settings: Settings, order: Order) -> None:
        self.deployment = Deployment.of(settings)
        self.ledger = Ledger()
        self.outcome = Outcome()
        self._order = order
        self._rules: Rules = rules_of(settings)
        self._office: PostOffice | None = None
        self._name = f"{settings.kafka.app_id}-dlq-replay"
        self._pace = Pace(order.rate)
        self._batch: list[Letter] = []
        self._bytes = 0
        self._begun: set[str] = set()

    async def run(self, progress: Told) -> None:
        self._stop = asyncio.Event()
        async with AsyncExitStack() as stack:
            if self._order.apply:
                office = PostOffice(
                    self.deployment, self._name, fail_point(os.environ.get(VARIABLE))
                )
                stack.push_async_callback(office.stop)
                self.ledger = await office.start()
                self._office = office
                self._listen()
            await self._through(progress)
            await self._flush()

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stopped, number)

    def _stopped(self, number: int) -> None:
        self.outcome.signal = number
        self._stop.set()
        # The next one ends it at once; what was going is looked for then.
        asyncio.get_running_loop().remove_signal_handler(number)

    async def _through(self, progress: Told) -> None:
        places = partitions_of(self.deployment, [self.deployment.topic(DEAD_LETTERS)])
        reading = to_end(
            self.deployment, places, "read_committed", self._order.wanted.since_ms, progress
        )
        async with aclosing(reading) as runs:
            async for records in runs:
                if not await self._take(records):
                    return

    async def _take(self, records: list[Any]) -> bool:
        """False: no more are wanted."""
        for record in records:
            letter = letter_of(record)
            if letter is None:
                self.outcome.foreign += 1
            elif self._order.wanted.has(letter):
                self._judge(letter)
            if self._full:
                await self._flush()
            limit = self._order.limit
            self.outcome.limited = bool(limit) and self.outcome.words["passes"] >= limit
            if self.outcome.limited or self._stop.is_set():
                return False
        return True

    def _judge(self, letter: Letter) -> None:
        if letter.replay in self.ledger.replayed or letter.replay in self._begun:
            self.outcome.replayed += 1
            return
        now_ms = time.time_ns() // 1_000_000
        verdict = judge(letter, self._rules, now_ms, late=self._order.late)
        self.outcome.note(verdict)
        if verdict.word == "passes":
            self._begun.add(letter.replay)
            if self._office is not None:
                self._batch.append(letter)
                self._bytes += letter.bytes

    @property
    def _full(self) -> bool:
        return len(self._batch) >= self._pace.batch_max or self._bytes > BYTES_MAX

    async def _flush(self) -> None:
        """Send what is waiting, when it is due."""
        batch, self._batch, self._bytes = self._batch, [], 0
        if not batch or self._office is None:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), self._pace.wait_seconds(time.monotonic()))
        if self._stop.is_set():
            return
        self._pace.sent(len(batch), time.monotonic())
        await self._office.send(self.ledger, batch)
        self.outcome.sent += len(batch)
