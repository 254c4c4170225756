"""The network between workers and brokers, as something that can be made bad.

Every worker reaches every broker through a door of its own, a port in this process.  What passes
through the doors of one worker can be delayed, held, or cut off with a reset, while other workers
notice nothing.  What is held is not lost: it arrives when the network heals, as TCP would have it,
perhaps long after anybody expected it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Literal, TypeVar

T = TypeVar("T")
HOST = "127.0.0.1"
CHUNK_BYTES = 64 * 1024
FETCH = 1
"""The kind of request (Kafka's API key) by which records are read."""
Direction = Literal["requests", "answers"]
BOTH: tuple[Direction, ...] = ("requests", "answers")
_RESET = struct.pack("ii", 1, 0)
_HEAD_BYTES = 6
_CLOSE_SECONDS = 5.0


class Framing:
    """Follows the requests in what a client sends: 4 bytes of length, 2 of kind, the rest."""

    def __init__(self) -> None:
        self._head = b""
        self._rest = 0

    def kinds(self, data: bytes) -> set[int]:
        """Kinds of the requests whose kind becomes known in this piece."""
        found: set[int] = set()
        at = 0
        while at < len(data):
            if self._rest:
                skipped = min(self._rest, len(data) - at)
                self._rest -= skipped
            else:
                skipped = min(_HEAD_BYTES - len(self._head), len(data) - at)
                self._head += data[at : at + skipped]
                found |= self._known()
            at += skipped
        return found

    def _known(self) -> set[int]:
        if len(self._head) < _HEAD_BYTES:
            return set()
        length, kind = struct.unpack(">ih", self._head)
        self._head, self._rest = b"", length - 2
        return {kind}


class Wire:
    """All connections of one worker, and what is wrong with them.  Lives in the network's loop."""

    def __init__(self) -> None:
        self.delay_ms = 0
        self.links: set[asyncio.StreamWriter] = set()
        self._held: frozenset[Direction] = frozenset()
        self._held_kinds: frozenset[int] = frozenset()
        self._changed = asyncio.Event()

    def change(
        self, delay_ms: int = 0, held: Collection[Direction] = (), kinds: Collection[int] = ()
    ) -> None:
        """From now on it is like this."""
        self.delay_ms = delay_ms
        self._held, self._held_kinds = frozenset(held), frozenset(kinds)
        self._changed.set()
        self._changed = asyncio.Event()

    def reset(self) -> None:
        """End every connection with a reset."""
        for writer in list(self.links):
            end(writer)

    async def passage(self, direction: Direction, kinds: set[int]) -> None:
        """Returns when what goes in this direction may go on."""
        while direction in self._held or kinds & self._held_kinds:
            await self._changed.wait()
        if self.delay_ms:
            await asyncio.sleep(self.delay_ms / 1_000)


def end(writer: asyncio.StreamWriter) -> None:
    """Close at once and tell the other side so (RST), whatever is still to be sent."""
    found = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


async def pump(
    wire: Wire, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Carries bytes one way until an end closes or breaks."""
    framing = Framing() if direction == "requests" else None
    with contextlib.suppress(ConnectionError, TimeoutError):
        while data := await reader.read(CHUNK_BYTES):
            await wire.passage(direction, framing.kinds(data) if framing else set())
            writer.write(data)
            await writer.drain()


class Network:
    """The doors of all workers.  Called from any thread; the bytes flow in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._wires: dict[int, Wire] = {}
        self._servers: list[asyncio.Server] = []
        self._carrying: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)
        self._thread.start()

    def door(self, worker: int, port: int) -> int:
        """A new way for this worker to a broker's ``port``: the port the worker is to use."""
        return self._do(self._open(worker, port))

    def slow(self, worker: int, delay_ms: int) -> None:
        """Each piece of up to 64 KiB comes later by this, both ways."""
        self._change(worker, lambda wire: wire.change(delay_ms=delay_ms))

    def hold(self, worker: int, directions: Collection[Direction] = BOTH) -> None:
        """Nothing passes in these directions; connections stay open, new ones can be made."""
        self._change(worker, lambda wire: wire.change(held=directions))

    def hold_kind(self, worker: int, kind: int) -> None:
        """A connection that carries a request of this kind carries nothing more."""
        self._change(worker, lambda wire: wire.change(kinds=(kind,)))

    def reset(self, worker: int) -> None:
        """Every connection the worker has now ends with a reset."""
        self._change(worker, Wire.reset)

    def heal(self, worker: int) -> None:
        """What was held goes on, and nothing is delayed any more."""
        self._change(worker, Wire.change)

    def heal_all(self) -> None:
        """Everybody's network is well."""
        for worker in list(self._wires):
            self.heal(worker)

    def close(self) -> None:
        """End all connections and doors; repeats are harmless."""
        if self._loop.is_closed():
            return
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_SECONDS)
        self._loop.close()

    # -- in the loop

    async def _open(self, worker: int, port: int) -> int:
        wire = self._wires.setdefault(worker, Wire())

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._carrying.add(task)
            try:
                await _carry(wire, port, reader, writer)
            finally:
                self._carrying.discard(task)

        server = await asyncio.start_server(connected, HOST, 0)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for wire in self._wires.values():
            wire.reset()
        carrying = list(self._carrying)
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)

    # -- from other threads

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_CLOSE_SECONDS)

    def _change(self, worker: int, change: Callable[[Wire], None]) -> None:
        async def changing() -> None:
            change(self._wires[worker])

        self._do(changing())


async def _carry(
    wire: Wire, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """One connection, until either side ends it."""
    wire.links.add(writer)
    try:
        # A broker that is down refuses; all we can do is end the connection that was taken.
        with contextlib.suppress(OSError):
            await _between(wire, port, reader, writer)
    finally:
        wire.links.discard(writer)
        end(writer)


async def _between(
    wire: Wire, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    far_reader, far_writer = await asyncio.open_connection(HOST, port)
    wire.links.add(far_writer)
    ways = [
        asyncio.create_task(pump(wire, "requests", reader, far_writer)),
        asyncio.create_task(pump(wire, "answers", far_reader, writer)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        wire.links.discard(far_writer)
        end(far_writer)
