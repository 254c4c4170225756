"""Who is paged: a webhook that notes what Alertmanager tells it, and when."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from streams.kafka.node import HOST


class Told(NamedTuple):
    """One alert of one notification; ``at`` is ``time.time()``."""

    at: float
    status: str
    receiver: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.labels["alertname"]


class Receiver:
    """``told`` is everything so far, in the order it came."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        told = self.told

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told.extend(_alerts(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """What came is in ``told``."""

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self.url = f"http://{HOST}:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def saying(self, status: str, name: str, since: float = 0.0, **labels: str) -> list[Told]:
        """What was said of one alert with these labels, from ``since`` on."""
        return [
            one
            for one in list(self.told)
            if one.status == status
            and one.name == name
            and one.at >= since
            and labels.items() <= one.labels.items()
        ]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()


def _alerts(body: Mapping[str, Any]) -> Iterator[Told]:
    now = time.time()
    for alert in body["alerts"]:
        yield Told(now, alert["status"], body["receiver"], alert["labels"], alert["annotations"])
