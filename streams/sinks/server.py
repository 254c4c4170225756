"""The worker's own HTTP port: ``/metrics``, ``/health/live`` and ``/health/ready``.

Threads, not the event loop: a scrape of ten thousand series takes a fifth of a second, which would
hold up every event for as long.  The health answers stay open when a password is set, because
probes send none; they say no more than whether the worker works.
"""

from __future__ import annotations

import base64
import hmac
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from socketserver import TCPServer, ThreadingMixIn
from threading import BoundedSemaphore, Thread
from typing import Any, NamedTuple
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import orjson
from prometheus_client import CollectorRegistry, make_wsgi_app

from streams.errors import StreamsError

SCRAPES_MAX = 4
"""At once; more are told to come back, so that many scrapers cannot starve the worker."""
REQUEST_SECONDS_MAX = 10
"""A client that sends or reads more slowly is cut off."""

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Health:
    """``live``: the loop turns, do not restart me.  ``ready``: I own partitions, or none are mine,
    and am neither recovering nor rebalancing.  ``detail`` is shown as JSON; nothing secret, nothing
    long."""

    live: bool
    ready: bool
    detail: Mapping[str, Any] = field(default_factory=dict)


class Login(NamedTuple):
    """What ``/metrics`` asks for by HTTP basic authentication."""

    username: str
    password: str

    def accepts(self, header: str) -> bool:
        """Is this the right ``Authorization`` header?  How long that takes tells nothing."""
        wanted = base64.b64encode(f"{self.username}:{self.password}".encode())
        return hmac.compare_digest(header.encode(), b"Basic " + wanted)


class MetricsServer:
    """A running server; ``port`` is the real one when 0 was asked for."""

    def __init__(self, server: WSGIServer) -> None:
        self._server = server
        self.host, self.port = str(server.server_address[0]), int(server.server_address[1])
        # The poll bounds how long close() takes.
        self._thread = Thread(
            target=server.serve_forever, args=(0.1,), name=f"metrics:{self.port}", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/metrics"

    def close(self) -> None:
        """Stop listening; returns when the port is free.  Answers under way are not waited for."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve(
    host: str,
    port: int,
    registry: CollectorRegistry,
    health: Callable[[], Health],
    *,
    login: Login | None = None,
) -> MetricsServer:
    """Listen on ``host`` and ``port`` (0: any free one) in a thread; StreamsError if it cannot."""
    app = _application(make_wsgi_app(registry), health, login)
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        server = _server(family)((str(address[0]), port), _Handler)
    except (OSError, OverflowError) as error:
        raise StreamsError(
            f"cannot serve metrics on {host}:{port}",
            getattr(error, "strerror", None) or str(error),
            "set metrics.port (STREAMS_METRICS_PORT) to another port, or to 0 for any free one",
        ) from error
    server.set_app(app)
    return MetricsServer(server)


def _server(family: socket.AddressFamily) -> type[WSGIServer]:
    class Server(ThreadingMixIn, WSGIServer):
        address_family = family
        daemon_threads = True

        def server_bind(self) -> None:
            # HTTPServer would look its own name up here, which can hang for as long as DNS does.
            TCPServer.server_bind(self)
            self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
            self.setup_environ()

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that hung up or was too slow is no error of ours; anything else is shown."""
            if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
                super().handle_error(request, client_address)

    return Server


class _Handler(WSGIRequestHandler):
    timeout = REQUEST_SECONDS_MAX

    def log_message(self, format: str, *args: Any) -> None:
        """A scrape every few seconds is no news."""


def _application(metrics: Any, health: Callable[[], Health], login: Login | None) -> Application:
    scrapes = BoundedSemaphore(SCRAPES_MAX)

    def scrape(environ: Environ, start: StartResponse) -> Iterable[bytes]:
        if login is not None and not login.accepts(environ.get("HTTP_AUTHORIZATION", "")):
            challenge = ("WWW-Authenticate", 'Basic realm="contact-streams metrics"')
            return _answer(start, "401 Unauthorized", {"error": "login needed"}, challenge)
        if not scrapes.acquire(blocking=False):
            retry = ("Retry-After", "1")
            return _answer(start, "503 Service Unavailable", {"error": "too many scrapes"}, retry)
        try:
            return list(metrics(environ, start))
        finally:
            scrapes.release()

    def live(environ: Environ, start: StartResponse) -> Iterable[bytes]:
        found = _asked(health)
        return _verdict(start, found.live, found)

    def ready(environ: Environ, start: StartResponse) -> Iterable[bytes]:
        found = _asked(health)
        return _verdict(start, found.live and found.ready, found)

    routes: dict[str, Application] = {
        "/metrics": scrape, "/health/live": live, "/health/ready": ready,
    }  # fmt: skip

    def application(environ: Environ, start: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            allow = ("Allow", "GET, HEAD")
            return _answer(start, "405 Method Not Allowed", {"error": "GET only"}, allow)
        route = routes.get(environ["PATH_INFO"])
        if route is None:
            return _answer(start, "404 Not Found", {"error": "not here", "paths": list(routes)})
        if environ["REQUEST_METHOD"] == "GET":
            return route(environ, start)
        list(route(environ | {"REQUEST_METHOD": "GET"}, start))
        return []

    return application


def _asked(health: Callable[[], Health]) -> Health:
    """What the worker says; one that cannot answer is not well."""
    try:
        return health()
    except Exception as error:  # whatever it is, the probe must get an answer
        return Health(False, False, {"error": type(error).__name__})


def _verdict(start: StartResponse, good: bool, health: Health) -> Iterable[bytes]:
    status = "200 OK" if good else "503 Service Unavailable"
    body = {"live": health.live, "ready": health.ready, "detail": dict(health.detail)}
    return _answer(start, status, body)


def _answer(
    start: StartResponse, status: str, body: Mapping[str, Any], *headers: tuple[str, str]
) -> Iterable[bytes]:
    content = orjson.dumps(body) + b"\n"
    start(
        status,
        [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(content))),
            ("Cache-Control", "no-store"),
            *headers,
        ],
    )
    return [content]
