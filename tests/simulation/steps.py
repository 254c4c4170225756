"""The runtime's own asynchronous code, run one network request at a time.

``Steps`` is an event loop without a clock or sockets: it runs what can run and stops.  What waits
for the network stands in a ``Network`` as a request, and the simulation decides when a request
reaches the broker, whether it fails, and whether anybody is still there to hear of it.

``Plain`` and ``Fence`` are the two producers as ``streams.runtime`` uses them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from tests.simulation.kafka import Kafka, Place, Row

BATCH_RECORDS = 3
"""Records in a batch, so that a send often has several."""


class Steps(asyncio.AbstractEventLoop):  # only the part of one that tasks and futures need
    """Runs callbacks in order until none is left."""

    def __init__(self) -> None:
        self._ready: deque[asyncio.Handle] = deque()

    def call_soon(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
        return asyncio.Task(coro, loop=self)

    def get_debug(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """A process that is dead leaves tasks behind; nobody wants to know."""

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = self.create_task(work)
        self.settle()
        return task

    def settle(self) -> None:
        """Run until everything waits for the network."""
        asyncio._set_running_loop(self)
        try:
            while self._ready:
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            asyncio._set_running_loop(None)


class NetworkError(Exception):
    """A request failed, or its answer did not come."""


class Request:
    """Something on its way to the broker.  Those with one ``line`` arrive in order."""

    def __init__(self, line: object, act: Callable[[], Any], answer: asyncio.Future[Any]) -> None:
        self.line = line
        self.act = act
        self.answer = answer


class Network:
    """The requests of one process that are on their way."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.requests: list[Request] = []

    def ask(self, line: object, act: Callable[[], Any]) -> asyncio.Future[Any]:
        answer = self.steps.create_future()
        self.requests.append(Request(line, act, answer))
        return answer

    def next(self, choice: int) -> Request:
        """One of those that nothing on the same line stands before, off the list."""
        first = {request.line: request for request in reversed(self.requests)}
        waiting = [r for r in self.requests if first[r.line] is r]
        chosen = waiting[choice % len(waiting)]
        self.requests.remove(chosen)
        return chosen

    def deliver(self, choice: int, heard: bool = True) -> None:
        """One request reaches the broker; ``heard``: and its answer the process."""
        request = self.next(choice)
        try:
            answer = request.act()
        except Exception as refused:
            if heard:
                request.answer.set_exception(refused)
        else:
            if heard:
                request.answer.set_result(answer)
        self.steps.settle()

    def fail(self, choice: int, applied: bool) -> None:
        """One request fails, and those behind it; ``applied``: it was done all the same, and only
        its answer is lost."""
        request = self.next(choice)
        behind = [r for r in self.requests if r.line == request.line]
        self.requests = [r for r in self.requests if r.line != request.line]
        for never_sent in behind:
            never_sent.answer.set_exception(NetworkError())
        if applied:
            try:
                request.act()
            except Exception as refused:
                request.answer.set_exception(refused)
        if not request.answer.done():
            request.answer.set_exception(NetworkError())
        self.steps.settle()


class Batch:
    """A record batch under construction."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def append(self, *, key: Any, value: Any, timestamp: int, headers: Sequence[Any]) -> object:
        if len(self.rows) == BATCH_RECORDS:
            return None
        self.rows.append((key, value, tuple(headers)))
        return self.rows

    def close(self) -> None: ...

    def record_count(self) -> int:
        return len(self.rows)


class Plain:
    """A process's idempotent producer: batches of one partition arrive in order, or not at all."""

    def __init__(self, kafka: Kafka, network: Network) -> None:
        self.kafka = kafka
        self.network = network

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> asyncio.Future[Any]:
        place = (topic, partition)
        return self.network.ask(self.line(place), lambda: self.kafka.append(place, batch.rows))

    def line(self, place: Place) -> object:
        """What may not overtake one another."""
        return (self, place)


class Fence:
    """A shard's producer: what it sends counts only if nobody has taken over its name."""

    def __init__(self, kafka: Kafka, network: Network, name: str) -> None:
        self.kafka = kafka
        self.network = network
        self.name = name
        self.epoch = kafka.fence(name)

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> asyncio.Future[Any]:
        place = (topic, partition)
        return self.network.ask((self, place), lambda: self._append(place, batch.rows))

    def _append(self, place: Place, rows: Sequence[Row]) -> None:
        self.kafka.append_fenced(self.name, self.epoch, place, rows)

    def transaction(self) -> AbstractAsyncContextManager[None]:
        return _InTransaction(self)

    async def end(self, committed: bool) -> None:
        await self.network.ask((self, "end"), lambda: self._end(committed))

    def _end(self, committed: bool) -> None:
        self.kafka.end(self.name, self.epoch, committed)

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class _InTransaction(AbstractAsyncContextManager[None]):
    """Ends as aiokafka's does: committed, or aborted if the block failed."""

    def __init__(self, fence: Fence) -> None:
        self._fence = fence

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is None or issubclass(kind, Exception):  # else the process is gone
            await self._fence.end(kind is None)
