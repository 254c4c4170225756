"""Faust's transport with two things changed: how long a fetch may wait at the broker, and what is
made of the fetched bytes (``streams.runtime.fetching``).

Faust lets a fetch wait 1.5 s and offers no setting.  A broker answers one request of a connection
at a time, so whatever the consumer asks meanwhile (where logs end, where to restore from) waits as
long, and so do partitions that are resumed.  That made a start 4 s longer and news up to 1.5 s old.
"""

from __future__ import annotations

from typing import Any

import aiokafka
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP

from streams.runtime.fetching import lighten

FETCH_WAIT_MS = 100


class PromptThread(AIOKafkaConsumerThread):
    """The consumer's thread."""

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer

    async def _fetch_records(
        self, consumer: aiokafka.AIOKafkaConsumer, *args: Any, **kwargs: Any
    ) -> Any:
        lighten(consumer._fetcher)  # aiokafka makes its fetcher only when it starts
        return await super()._fetch_records(consumer, *args, **kwargs)


class PromptConsumer(Consumer):
    """The consumer with that thread; and seeks are done *in* it.

    Faust seeks from the caller's thread, in the middle of what the consumer's thread is doing; now
    and then that ended the worker with a KeyError where aiokafka hands over a fetch.
    """

    async def _seek(self, partition: TP, offset: int) -> None:
        await self._thread.seek_wait({partition: offset})

    def _new_consumer_thread(self) -> PromptThread:
        return PromptThread(self, loop=self.loop, beacon=self.beacon)


class PromptTransport(Transport):
    """The transport with that consumer."""

    Consumer = PromptConsumer
