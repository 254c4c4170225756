"""Agents' presence and routing status, as ``v2.users.{id}.activity`` tells them.

A notification repeats what has not changed, with the time since when it holds.  What is old was
told before, so only what is recent is told; the same change has the same id each time.

``v2.users.{id}.routingStatus`` is not read: its OFF_QUEUE follows by milliseconds on the presence
that says why, which may be that the agent has gone home.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from streams.core import events as ev
from streams.core.source import Event
from streams.sources._reading.instants import datetime_ms
from streams.sources._reading.names import digest
from streams.sources.genesys_cloud.body import SOURCE_NAME, User, word

RECENT_MS = 60_000
"""Presence and routing status change together, but not in the same millisecond."""

_READY = frozenset(("IDLE", "INTERACTING"))
_NOT_READY = frozenset(("COMMUNICATING", "NOT_RESPONDING"))


def _status(user: User) -> list[Event]:
    """Only an agent who is on queue is ready; what they do there is told by their sessions."""
    routing = user.routing_status
    if routing is None or routing.start_time is None:
        return []
    status = word(routing.status)
    told = _about(user, "routing", status, routing.start_time)
    if status in _READY:
        return [ev.Ready(**told)]
    # Off queue is what every presence but one implies; it would undo the log-out.
    if status in _NOT_READY or (status == "OFF_QUEUE" and user.presence is None):
        return [ev.NotReady(**told, reason=status.lower())]
    return []


def _presence(user: User) -> list[Event]:
    """Every presence but on queue means: no contacts from queues.  Genesys' ``available`` too."""
    presence = user.presence
    if presence is None or presence.modified_date is None or presence.presence_definition is None:
        return []
    name = word(presence.presence_definition.system_presence).replace(" ", "_")
    told = _about(user, "presence", name, presence.modified_date)
    if name == "OFFLINE":
        return [ev.LoggedOut(**told)]
    if name == "ON_QUEUE" or not (name.isascii() and name.replace("_", "").isalpha()):
        return []
    return [ev.NotReady(**told, reason=name.lower())]


def _about(user: User, field: str, value: str, since: datetime) -> dict[str, Any]:
    time = datetime_ms(since)
    return {
        "id": f"{digest(user.id, field, value, time)}-0",
        "source": SOURCE_NAME,
        "agent": user.id,
        "time": time,
    }


def _activity(user: User) -> list[Event]:
    told = [*_presence(user), *_status(user)]
    newest = max((event.time for event in told), default=0)
    return [event for event in told if event.time >= newest - RECENT_MS]


USERS: dict[str, Callable[[User], list[Event]]] = {"users.activity": _activity}
"""The end of a topic's name -> what it tells."""
