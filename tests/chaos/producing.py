"""Writes the load at a steady rate, from a thread of its own, whatever happens to the brokers.

A record counts when a broker has acknowledged it.  What was not acknowledged is written again, by a
new producer if need be; so it may stand there twice, as any platform's record may.  What is in the
topics is the truth, and the checker reads it there.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.deployment import Deployment
from tests.chaos.load import Load
from tests.chaos.stories import AGENTS, CONTACTS, RAW, Planned

SOURCE = "asterisk_queue_log"
ROUND_SECONDS = 0.02
BATCH_MAX = 500
REQUEST_MS = 10_000
RETRY_SECONDS = 0.5
RECORD_BYTES_MAX = 1 << 20
START_SECONDS = 30.0
FLUSH_SECONDS = 120.0


def topics(deployment: Deployment) -> dict[str, str]:
    """Stream of the load -> topic."""
    return {
        RAW: deployment.raw_topic(SOURCE),
        CONTACTS: deployment.topic("events.contact.v1"),
        AGENTS: deployment.topic("events.agent.v1"),
    }


class Producing:
    """``rate`` is in records per second of the time that is not paused; after an outage it catches
    up as fast as it can.  ``count`` are the records that were acknowledged."""

    def __init__(self, bootstrap: str, deployment: Deployment, load: Load, rate: float) -> None:
        self.count = 0
        self._bootstrap = bootstrap
        self._topics = topics(deployment)
        self._plan = load.weave(rate)
        self._rate = rate
        self._taken = 0
        self._again: deque[Planned] = deque()
        self._clock = _Clock()
        self._stopping = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="producing", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._clock.run()
        self._thread.start()

    def pause(self) -> None:
        """Write nothing new; what is under way is still written."""
        self._clock.stand()

    def resume(self) -> None:
        """Go on where it paused: the pause is not caught up."""
        self._clock.run()

    def stop(self) -> None:
        """Write what is due by now, wait until all of it is acknowledged, and end.

        Raises what ended the thread, or TimeoutError when the brokers do not answer any more.
        """
        self._clock.stand()
        self._stopping.set()
        self._thread.join(FLUSH_SECONDS)
        if self._failed is not None:
            raise RuntimeError("the producer of the load has ended") from self._failed
        if self._thread.is_alive():
            raise TimeoutError(f"the load was not acknowledged within {FLUSH_SECONDS:.0f} s")

    # -- in the thread

    def _run(self) -> None:
        # Connections that break are what these runs are about; a line for each would hide the rest.
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
        try:
            asyncio.run(self._write_for_long())
        except BaseException as error:
            self._failed = error

    async def _write_for_long(self) -> None:
        producer: Any = None
        # The end comes when all that was due by then is written: after an outage that is much.
        while (due := self._due()) or not self._stopping.is_set():
            producer = await self._write(producer, due)
            await asyncio.sleep(ROUND_SECONDS)
        self._again.extend(self._plan.rest())
        while self._again:
            producer = await self._write(producer, [])
        if producer is not None:
            await producer.stop()

    def _due(self) -> list[Planned]:
        """What the clock says; at most a batch, so an outage is not answered with a flood."""
        wanted = int(self._clock.seconds() * self._rate) - self._taken
        new = [next(self._plan) for _ in range(max(0, min(wanted, BATCH_MAX)))]
        self._taken += len(new)
        return new

    async def _write(self, producer: Any, new: list[Planned]) -> Any:
        """Write what failed before and what is new; the producer to go on with, None if there is
        none."""
        self._again.extend(new)
        if not self._again:
            return producer
        batch = [self._again.popleft() for _ in range(min(BATCH_MAX, len(self._again)))]
        if producer is None:
            producer = await self._connected()
        failed = await self._send(producer, batch) if producer is not None else batch
        self.count += len(batch) - len(failed)
        if not failed:
            return producer
        # In their order and before all others, as a retry would be.
        self._again.extendleft(reversed(failed))
        if producer is not None:
            await _let_go(producer)
        await asyncio.sleep(RETRY_SECONDS)
        return None

    async def _connected(self) -> Any:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            enable_idempotence=True,
            acks="all",
            request_timeout_ms=REQUEST_MS,
            max_request_size=RECORD_BYTES_MAX,
        )
        try:
            await asyncio.wait_for(producer.start(), START_SECONDS)
        except (KafkaError, TimeoutError, OSError):
            await _let_go(producer)
            return None
        return producer

    async def _send(self, producer: Any, batch: list[Planned]) -> list[Planned]:
        """Those of the batch that nobody has acknowledged."""
        sent = await asyncio.gather(
            *(self._send_one(producer, planned) for planned in batch), return_exceptions=True
        )
        for error in sent:
            if isinstance(error, BaseException) and not isinstance(error, KafkaError | OSError):
                raise error
        return [p for p, one in zip(batch, sent, strict=True) if isinstance(one, BaseException)]

    async def _send_one(self, producer: Any, planned: Planned) -> None:
        await producer.send_and_wait(
            self._topics[planned.stream],
            planned.value,
            key=planned.key,
            headers=list(planned.headers),
        )


async def _let_go(producer: Any) -> None:
    """Of a producer that may be in any state; what it still holds is written by the next one."""
    try:
        await asyncio.wait_for(producer.stop(), RETRY_SECONDS)
    except (Exception, asyncio.CancelledError) as error:
        logging.getLogger(__name__).debug("closing a producer: %s", type(error).__name__)


class _Clock:
    """How long something has run, in seconds, without its pauses."""

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None

    def run(self) -> None:
        if self._since is None:
            self._since = time.monotonic()

    def stand(self) -> None:
        self._before = self.seconds()
        self._since = None

    def seconds(self) -> float:
        since = self._since
        return self._before + (0 if since is None else time.monotonic() - since)
