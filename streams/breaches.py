"""Targets as readers see them: from the breach topic, the latest event of each target and key.

A record's key is a JSON list: target, cut and its values.  Its value is the event as one JSON
object, and none where the target was taken out of the settings.  An event may come again, with the
same revision, after a crash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from streams.core.target import MET, STATES
from streams.deployment import Deployment
from streams.results import Row

TOPIC = "breaches.v1"


@dataclass(frozen=True)
class Wanted:
    """Which targets are wanted; what is empty does not restrict.  ``met`` adds those that are met
    again."""

    queue: str = ""
    met: bool = False

    def has(self, event: Mapping[str, Any]) -> bool:
        return (self.met or event["state"] != MET) and (
            not self.queue or event["key"].get("queue") == self.queue
        )


class Latest:
    """The latest event of each target and key, out of records in the order of their partitions.

    A later record of a key replaces an earlier one: after a crash several may come again, but all
    of them, in their order.
    """

    def __init__(self) -> None:
        self._events: dict[bytes, dict[str, Any]] = {}

    def take(self, records: Iterable[Row]) -> list[dict[str, Any]]:
        """Note the records; gives the events that are news, in their order."""
        news = []
        for record in records:
            name, value = record.key, record.value
            assert name is not None, "every event has a key"
            if not value:
                self._events.pop(name, None)
                continue
            event = orjson.loads(value)
            if self._events.get(name) != event:
                self._events[name] = event
                news.append(event)
        return news

    def events(self, wanted: Wanted) -> list[dict[str, Any]]:
        """Those that stand now, the worst first, of those the longest first."""
        found = [event for event in self._events.values() if wanted.has(event)]
        return sorted(found, key=_worst_first)


def _worst_first(event: Mapping[str, Any]) -> tuple[int, str, str, list[tuple[str, str]]]:
    key = sorted(event["key"].items())
    return -STATES.index(event["state"]), event["since"], event["target"], key


def read_latest(deployment: Deployment) -> Latest:
    """What stands in the breach topic now.  Raises as ``streams.reading.read_to_end`` does."""
    from streams.reading import read_to_end

    latest = Latest()
    read_to_end(deployment, [deployment.topic(TOPIC)], latest.take, "read_committed")
    return latest
