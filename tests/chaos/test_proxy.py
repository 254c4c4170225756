"""The bad network is bad in the way it says, and only for whom it says."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from tests.chaos.proxy import FETCH, HOST, Framing, Network

QUIET_SECONDS = 0.3
HEARTBEAT = 12


class Echo:
    """Somebody behind the door who sends back what comes."""

    def __init__(self) -> None:
        self._listening = socket.create_server((HOST, 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=_echo, args=(connection,), daemon=True).start()

    def close(self) -> None:
        # A thread that stands in accept would keep the socket open.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


def _echo(connection: socket.socket) -> None:
    with connection:
        try:
            while data := connection.recv(1 << 16):
                connection.sendall(data)
        except OSError:
            return


@pytest.fixture
def network() -> Iterator[Network]:
    found = Network()
    yield found
    found.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    found = Echo()
    yield found
    found.close()


def connect(port: int) -> socket.socket:
    return socket.create_connection((HOST, port), timeout=10)


def request(kind: int, body: bytes = b"") -> bytes:
    """As a Kafka client sends it: length, kind, the rest."""
    return struct.pack(">ih", len(body) + 2, kind) + body


def answered(connection: socket.socket, data: bytes) -> bool:
    """Whether what is sent comes back soon."""
    connection.sendall(data)
    return came(connection, len(data)) == data


def came(connection: socket.socket, size: int) -> bytes:
    """What comes within a moment, up to ``size`` bytes."""
    found = b""
    connection.settimeout(QUIET_SECONDS)
    try:
        while len(found) < size and (data := connection.recv(size - len(found))):
            found += data
    except TimeoutError:
        pass
    return found


def test_a_good_network_carries_everything(network: Network, echo: Echo) -> None:
    data = request(FETCH, bytes(range(256)) * 1_000)
    with connect(network.door(0, echo.port)) as one:
        one.sendall(data)
        one.settimeout(10)
        found = b""
        while len(found) < len(data):
            found += one.recv(1 << 16)
    assert found == data


def test_what_is_held_comes_when_the_network_heals_and_others_notice_nothing(
    network: Network, echo: Echo
) -> None:
    data = request(HEARTBEAT, b"alive")
    with connect(network.door(0, echo.port)) as cut, connect(network.door(1, echo.port)) as well:
        assert answered(cut, data)
        network.hold(0)
        assert not answered(cut, data)
        assert answered(well, data)
        network.heal(0)
        assert came(cut, len(data)) == data


def test_with_answers_held_requests_arrive(network: Network) -> None:
    with socket.create_server((HOST, 0)) as listening:
        client = connect(network.door(0, listening.getsockname()[1]))
        broker, _ = listening.accept()
    with client, broker:
        network.hold(0, ["answers"])
        client.sendall(b"request")
        assert came(broker, 7) == b"request"
        broker.sendall(b"answer")
        assert came(client, 6) == b""
        network.heal(0)
        assert came(client, 6) == b"answer"


def test_a_slow_network_delays_both_ways(network: Network, echo: Echo) -> None:
    with connect(network.door(0, echo.port)) as one:
        network.slow(0, 100)
        began = time.monotonic()
        one.sendall(b"x")
        assert one.recv(1) == b"x"
        assert time.monotonic() - began >= 0.2


def test_a_reset_ends_connections_but_not_the_way(network: Network, echo: Echo) -> None:
    door = network.door(0, echo.port)
    data = request(HEARTBEAT)
    with connect(door) as one:
        assert answered(one, data)
        network.reset(0)
        one.settimeout(10)
        with pytest.raises(ConnectionResetError):
            one.recv(1)
    with connect(door) as another:
        assert answered(another, data)


def test_a_broker_that_is_down_ends_the_connection(network: Network) -> None:
    with socket.create_server((HOST, 0)) as gone:
        port = gone.getsockname()[1]
    # Sometimes it is over before the connection is said to be made.
    with pytest.raises(ConnectionResetError), connect(network.door(0, port)) as one:
        one.recv(1)


def test_fetches_hang_while_heartbeats_pass(network: Network, echo: Echo) -> None:
    """On connections of their own, as clients have them."""
    door = network.door(0, echo.port)
    fetch, heartbeat = request(FETCH, b"partition 0"), request(HEARTBEAT, b"alive")
    with connect(door) as reading, connect(door) as belonging:
        assert answered(reading, fetch)
        network.hold_kind(0, FETCH)
        assert not answered(reading, fetch)
        assert answered(belonging, heartbeat)
        network.heal(0)
        assert came(reading, len(fetch)) == fetch


@pytest.mark.parametrize("size", [1, 3, 7, 1_000])
def test_requests_are_told_apart_however_they_are_cut(size: int) -> None:
    sent = [FETCH, HEARTBEAT, FETCH, 11, 3]
    data = b"".join(request(kind, b"x" * (10 * kind)) for kind in sent)
    framing = Framing()
    found = [framing.kinds(data[at : at + size]) for at in range(0, len(data), size)]
    assert set[int]().union(*found) == set(sent)
    if size == 1:
        assert [kind for kinds in found for kind in kinds] == sent
