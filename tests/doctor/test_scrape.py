"""Workers' /metrics, read as a worker really serves them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from socketserver import BaseRequestHandler, TCPServer
from threading import Thread

import pytest
from prometheus_client import CollectorRegistry

from streams.core.terms import Terms
from streams.doctor import scrape
from streams.doctor.observed import Worker
from streams.metrics import WorkerView
from streams.settings import Metrics, Settings
from streams.sinks.prometheus import KpiCollector, registry
from streams.sinks.server import Health, Login, serve

VIEW = WorkerView(
    state="running",
    lag={("cc.partials.v1", 0): 7},
    marks_ms={"board/0": 1_800_000_000_500},
    events_read={"contacts": 90, "board": 5},
    events_rejected={("ingest", "line.malformed"): 3, ("ingest", "verb.unknown"): 2},
    records_lost={"cc.partials.v1": 4},
    keys_refused={"board": 6},
)


def served(view: WorkerView) -> CollectorRegistry:
    terms: Terms = Settings().terms()
    return registry(KpiCollector(lambda: [], lambda: view, terms))


def test_a_worker_is_read_with_its_password() -> None:
    server = serve(
        "127.0.0.1", 0, served(VIEW), lambda: Health(True, True), login=Login("p", "secret")
    )
    try:
        login = Metrics(username="p", password="secret")
        found = scrape.worker_at(server.url, login, 5)
        refused = scrape.worker_at(server.url, replace(login, password="wrong"), 5)
        nowhere = scrape.worker_at(server.url.replace("metrics", "x"), login, 5)
    finally:
        server.close()
    assert found == Worker(
        server.url, "", "running", found.version, {"board/0": 1_800_000_000_500},
        {("cc.partials.v1", 0): 7}, events_read={"contacts": 90, "board": 5},
        events_rejected={"ingest": 5}, records_lost=4, keys_refused=6,
    )  # fmt: skip
    assert found.version
    assert refused.problem == "HTTP 401 Unauthorized"
    assert nowhere.problem == "HTTP 404 Not Found"


def test_nobody_there_is_a_problem_of_the_worker() -> None:
    began = time.monotonic()
    found = scrape.worker_at("http://127.0.0.1:1/metrics", Metrics(), 1)
    assert found.problem == "does not answer (Connection refused)"
    assert "neither http" in scrape.worker_at("file:///etc/hosts", Metrics(), 1).problem
    assert time.monotonic() - began < 3


@contextmanager
def answering(answer: bytes, asked: list[bytes]) -> Iterator[str]:
    """Says this to whoever asks, and keeps what was asked."""

    class Answering(BaseRequestHandler):
        def handle(self) -> None:
            asked.append(self.request.recv(65_536))
            self.request.sendall(answer)

    with TCPServer(("127.0.0.1", 0), Answering) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/metrics"
        finally:
            server.shutdown()


def test_what_speaks_no_http_is_a_problem_of_that_worker() -> None:
    """And hides none of the others."""
    with answering(b"SSH-2.0-OpenSSH_9.2\r\n", []) as url:
        assert (
            scrape.worker_at(url, Metrics(), 5).problem == "does not answer (SSH-2.0-OpenSSH_9.2)"
        )
    for typed in ("w:port", "[::1"):
        assert "does not answer" in scrape.worker_at(scrape.completed(typed), Metrics(), 5).problem


def test_the_password_goes_no_further_than_the_worker() -> None:
    asked: list[bytes] = []
    elsewhere: list[bytes] = []
    with answering(b"HTTP/1.0 200 OK\r\n\r\nup 1\n", elsewhere) as url:
        moved = f"HTTP/1.0 302 Found\r\nLocation: {url}\r\n\r\n".encode()
        with answering(moved, asked) as first:
            scrape.worker_at(first, Metrics(username="p", password="secret"), 5)
    assert b"Authorization: Basic" in asked[0]
    assert b"Authorization" not in elsewhere[0]


def test_metrics_of_something_else_are_no_worker() -> None:
    assert scrape.read("u", "up 1\n").problem == "no contact-streams worker"
    with pytest.raises(ValueError, match=r"."):
        scrape.read("u", "cc_worker_state{ nonsense\n")


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (Metrics(), "http://127.0.0.1:9464/metrics"),
        (Metrics(host="0.0.0.0", port=1), "http://127.0.0.1:1/metrics"),
        (Metrics(host="::", port=1), "http://[::1]:1/metrics"),
        (Metrics(port=0), ""),
    ],
)
def test_where_the_settings_say_a_worker_is(settings: Metrics, url: str) -> None:
    assert scrape.url_of(settings) == url


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("w:9464", "http://w:9464/metrics"),
        ("https://w/", "https://w/metrics"),
        ("http://w/a/metrics", "http://w/a/metrics"),
        ("http://user:secret@[::1", "http://[::1/metrics"),
        ("http://user:secret@w:1", "http://w:1/metrics"),
    ],
)
def test_a_url_as_typed_is_made_whole_and_has_no_password(typed: str, url: str) -> None:
    assert scrape.completed(typed) == url
