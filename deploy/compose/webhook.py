"""Who is told, in a stack where nobody is: prints each notification that Alertmanager sends.

`docker compose logs -f webhook` is the pager.  The path says who it would have been; the receivers
are in deploy/alertmanager/alertmanager.yml.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BODY_BYTES_MAX = 1 << 20


def told(path: str, message: dict[str, Any]) -> list[str]:
    """One line for each alert of a notification."""
    return [
        f"{path} {alert['status']} {alert['labels'].get('alertname', '?')}: "
        f"{alert.get('annotations', {}).get('summary', '')}"
        for alert in message["alerts"]
    ]


class Pager(BaseHTTPRequestHandler):
    timeout = 10

    def do_GET(self) -> None:
        """For the health check."""
        self._answer(200)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        if length > BODY_BYTES_MAX:
            self._answer(413)
            return
        try:
            lines = told(self.path, json.loads(self.rfile.read(length)))
        except (ValueError, KeyError, TypeError, AttributeError):
            self._answer(400)
            return
        print(*lines, sep="\n", flush=True)
        self._answer(200)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """What is asked is no news; what is told is."""


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    ThreadingHTTPServer(("", port), Pager).serve_forever()
