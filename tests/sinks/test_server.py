"""The worker's HTTP port: health, passwords, refusals."""

from __future__ import annotations

import base64
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from streams.errors import StreamsError
from streams.sinks.prometheus import KpiCollector, registry
from streams.sinks.server import Health, Login, MetricsServer, serve


class Say:
    """A worker whose health a test sets."""

    def __init__(self) -> None:
        self.health: Health | None = Health(True, True, {"state": "running"})

    def __call__(self) -> Health:
        if self.health is None:
            raise ZeroDivisionError("secret detail")
        return self.health


@pytest.fixture
def say() -> Say:
    return Say()


Start = Callable[..., MetricsServer]


@pytest.fixture
def start(say: Say) -> Iterator[Start]:
    servers: list[MetricsServer] = []

    def started(login: Login | None = None) -> MetricsServer:
        made = registry(KpiCollector(lambda: []))
        servers.append(serve("127.0.0.1", 0, made, say, login=login))
        return servers[-1]

    yield started
    for server in servers:
        server.close()


def ask(
    server: MetricsServer, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    url = f"http://127.0.0.1:{server.port}{path}"
    request = urllib.request.Request(url, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status, dict(reply.headers), reply.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


@pytest.mark.parametrize(
    ("health", "live", "ready"),
    [
        (Health(True, True), 200, 200),
        (Health(True, False, {"state": "recovering"}), 200, 503),
        (Health(False, True), 503, 503),
        (None, 503, 503),
    ],
)
def test_health(start: Start, say: Say, health: Health | None, live: int, ready: int) -> None:
    server = start()
    say.health = health
    assert ask(server, "/health/live")[0] == live
    status, headers, body = ask(server, "/health/ready")
    assert status == ready
    assert headers["Content-Type"] == "application/json"
    assert set(json.loads(body)) == {"live", "ready", "detail"}
    assert b"secret" not in body


def test_metrics_need_the_login_if_there_is_one_and_health_never_does(start: Start) -> None:
    server = start(Login("prometheus", "pässword:1"))

    def basic(user: str, password: str) -> str:
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    status, headers, _ = ask(server, "/metrics")
    assert (status, headers["WWW-Authenticate"][:5]) == (401, "Basic")
    for wrong in (basic("prometheus", "no"), basic("other", "pässword:1"), "Basic", "Bearer x"):
        assert ask(server, "/metrics", Authorization=wrong)[0] == 401
    right = basic("prometheus", "pässword:1")
    assert ask(server, "/metrics", Authorization=right)[0] == 200
    assert ask(server, "/health/live")[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/metrics/", 404),
        ("GET", "/../metrics", 404),
        ("POST", "/metrics", 405),
        ("DELETE", "/health/live", 405),
        ("HEAD", "/metrics", 200),
        ("HEAD", "/health/ready", 200),
    ],
)
def test_only_three_paths_and_only_reading(
    start: Start, method: str, path: str, status: int
) -> None:
    assert ask(start(), path, method)[0] == status


def test_a_port_that_is_taken_says_what_to_do(start: Start) -> None:
    port = start().port
    with pytest.raises(StreamsError, match=f"127.0.0.1:{port}") as raised:
        serve("127.0.0.1", port, registry(KpiCollector(lambda: [])), lambda: Health(True, True))
    assert "STREAMS_METRICS_PORT" in raised.value.next


@pytest.mark.parametrize(("host", "port"), [("no.such.host.invalid", 0), ("127.0.0.1", 70_000)])
def test_an_address_that_cannot_be_is_no_traceback(host: str, port: int) -> None:
    with pytest.raises(StreamsError, match="cannot serve metrics"):
        serve(host, port, registry(KpiCollector(lambda: [])), lambda: Health(True, True))


def test_the_port_is_free_after_close(say: Say) -> None:
    server = serve("127.0.0.1", 0, registry(KpiCollector(lambda: [])), say)
    server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=1)


def test_a_client_that_hangs_up_is_no_error(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    server = start()
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET /metrics HT")
    assert ask(server, "/health/live")[0] == 200
    assert "Traceback" not in capsys.readouterr().err
