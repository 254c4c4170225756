"""An adapter under test: what it makes of a body or of a line, and its examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from streams.core import events as ev
from streams.core.pseudonym import Pseudonymizer
from streams.core.source import Decode, Event, Record, Rejected

CUSTOMER = Pseudonymizer(b"sixteen bytes ok", "k1")
EXAMPLES = Path(__file__).resolve().parents[2] / "schemas" / "examples"


def bodies_of(source: str) -> list[dict[str, Any]]:
    """The JSON examples of a platform, without those that are dirt."""
    return [
        json.loads(line)
        for path in sorted((EXAMPLES / source).glob("*.txt"))
        if "dirt" not in path.name
        for line in path.read_bytes().splitlines()
    ]


class Webhook:
    """A source whose records are JSON bodies."""

    def __init__(self, decode: Decode) -> None:
        self._decode = decode

    def answer(self, body: Any) -> Any:
        value = json.dumps(body).encode()
        return self._decode(Record("raw", 0, 0, 0, None, value), CUSTOMER)

    def events(self, body: Any) -> list[Event]:
        found = self.answer(body)
        assert not isinstance(found, Rejected), found
        return list(found)

    def kinds(self, body: Any) -> list[str]:
        return [ev.type_of[type(event)] for event in self.events(body)]
