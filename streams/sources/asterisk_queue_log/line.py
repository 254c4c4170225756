"""A line of Asterisk's queue_log, taken apart: fields as they stand, parameters in our units."""

from __future__ import annotations

import re
from typing import Any

from streams.core.source import Pseudonym
from streams.sources._reading.instants import thousandths

DEFAULT_SOURCE = "asterisk"
NAME_CHARS_MAX = 120
ID_CHARS_MAX = 200
POSITION_MAX = 1_000_000

_NO_CALL = frozenset(("", "NONE", "REALTIME", "MANAGER", "CLI"))
_NOBODY = frozenset(("", "NONE"))
# Twelve digits of seconds are 30,000 years and still fit the bounds of a duration.
_NUMBER = re.compile(r"([+-]?)(\d{1,12})(?:\.(\d{1,9}))?", re.ASCII)
_POSITION = re.compile(r"\d{1,9}", re.ASCII)


class Malformed(Exception):
    """A parameter cannot be read; the argument names it."""


class Line:
    """One line, taken apart.  Absent call, queue or agent is the empty string."""

    __slots__ = (
        "agent", "call", "params", "pseudonym", "queue", "source", "stem", "time", "verb",
    )  # fmt: skip

    def __init__(self, fields: list[str], time: int, source: str, pseudonym: Pseudonym) -> None:
        _, call, queue, agent, verb, *params = fields
        self.time = time
        self.source = source
        self.call = "" if call in _NO_CALL else _call_id(source, call)
        self.queue = "" if queue in _NOBODY else queue
        self.agent = "" if agent in _NOBODY else agent
        self.verb = verb
        self.params = params
        self.pseudonym = pseudonym
        self.stem = ""

    def contact(self, index: int) -> dict[str, Any]:
        """What the event with this index says as an event about the contact."""
        return {
            "id": f"{self.stem}-{index}",
            "source": self.source,
            "contact": self.call,
            "time": self.time,
        }

    def member(self, index: int) -> dict[str, Any]:
        """What the event with this index says as an event about the agent."""
        return {
            "id": f"{self.stem}-{index}",
            "source": self.source,
            "agent": self.agent,
            "time": self.time,
        }

    def text(self, at: int) -> str:
        """A parameter as it stands; empty if it is absent."""
        return self.params[at] if at < len(self.params) else ""

    def seconds(self, at: int) -> int | None:
        """A parameter in (whole or broken) seconds, as milliseconds; None if it is not there."""
        return self._thousandfold(at)

    def milliseconds(self, at: int) -> int | None:
        """A parameter that is in milliseconds already; None if it is not there."""
        thousandfold = self._thousandfold(at)
        return None if thousandfold is None else thousandfold // 1000

    def _thousandfold(self, at: int) -> int | None:
        text = self.text(at)
        if not text:
            return None
        number = _NUMBER.fullmatch(text)
        if number is None:
            raise Malformed(f"{self.verb}: parameter {at + 1} is not a duration")
        sign, whole, fraction = number.groups()
        size = int(whole) * 1000 + thousandths(fraction)
        return -size if sign == "-" else size

    def position(self, at: int) -> int | None:
        """A place in the queue.  It only decorates, so an odd one is left out and the line used."""
        text = self.text(at)
        if not _POSITION.fullmatch(text) or int(text) > POSITION_MAX:
            return None
        return int(text)

    def reason(self, at: int) -> str | None:
        """A pause or log-off reason, cut to what a name may have."""
        return self.text(at)[:NAME_CHARS_MAX] or None


def _call_id(source: str, call: str) -> str:
    return call if source == DEFAULT_SOURCE else f"{source}:{call}"
