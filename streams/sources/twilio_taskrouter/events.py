"""What each event type of TaskRouter means, as a table at the end of this file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct

from streams.core import events as ev
from streams.core.source import Event, Pseudonym
from streams.core.vocabulary import Channel, Direction, EndedBy, LeftOutcome, OfferEnd
from streams.sources._reading.body import BAD_JSON
from streams.sources._reading.header_block import POSITION_MAX
from streams.sources._reading.names import NAME_CHARS_MAX

ADDRESS_CHARS_MAX = 320
ATTRIBUTES_CHARS_MAX = 64 * 1024

CHANNELS: dict[str, Channel] = {
    "voice": "voice",
    "video": "video",
    "chat": "chat",
    "sms": "sms",
    "email": "email",
}
"""Unique name of the task channel -> ours; any other, ``default`` too, is a task."""
OFFLINE = frozenset(("offline", "logged out"))
READY = frozenset(("available", "idle"))
"""Names of the activities TaskRouter and Flex create; a workspace's own ones are not ready."""
OVER = frozenset(("completed", "canceled"))
_PHONES = frozenset(("", "whatsapp", "sip", "sips", "tel", "sms", "rcs"))


class Payload(Struct, gc=False):
    """What is read of an event, by the names of the CloudEvents payload."""

    eventtype: str | None = None
    sid: str | None = None
    resource_sid: str | None = None
    timestamp: str | None = None
    timestamp_ms: str | None = None
    task_sid: str | None = None
    task_assignment_status: str | None = None
    task_attributes: str | None = None
    task_canceled_reason: str | None = None
    task_channel_unique_name: str | None = None
    task_priority: int | str | None = None
    task_queue_sid: str | None = None
    previous_task_queue_sid: str | None = None
    reason: str | None = None
    reservation_sid: str | None = None
    worker_sid: str | None = None
    worker_activity_name: str | None = None
    worker_previous_activity_name: str | None = None
    transfer_initiating_worker_sid: str | None = None
    transfer_mode: str | None = None
    transfer_to: str | None = None
    transfer_type: str | None = None


class Attributes(Struct, gc=False, rename={"sender": "from"}):
    """What is read of a task's attributes, which are JSON in a string."""

    direction: str | None = None
    sender: str | None = None
    outbound_to: str | None = None


_attributes = msgspec.json.Decoder(Attributes)


class Happening:
    """One event, in our words.  Absent contact, queue or agent is the empty string."""

    __slots__ = (
        "agent", "channel", "contact", "customer", "direction", "payload", "previous", "queue",
        "source", "stem", "time",
    )  # fmt: skip

    def __init__(
        self, payload: Payload, stem: str, source: str, time: int, pseudonym: Pseudonym
    ) -> None:
        self.payload, self.stem, self.source, self.time = payload, stem, source, time
        attributes = _read(payload.task_attributes)
        outbound = (attributes.direction or "").startswith("outbound")
        self.direction: Direction = "outbound" if outbound else "inbound"
        address = attributes.outbound_to if outbound else attributes.sender
        self.customer = _customer(address, pseudonym)
        self.channel = CHANNELS.get(payload.task_channel_unique_name or "", "task")
        self.contact = payload.task_sid or ""
        self.agent = payload.worker_sid or ""
        self.queue = payload.task_queue_sid or ""
        self.previous = payload.previous_task_queue_sid or ""

    def of_contact(self, index: int = 0) -> dict[str, Any]:
        """What the event with this index says as an event about the contact."""
        return {
            "id": f"{self.stem}-{index}",
            "source": self.source,
            "contact": self.contact,
            "time": self.time,
            "channel": self.channel,
        }

    def of_agent(self, index: int) -> dict[str, Any]:
        """What the event with this index says as an event about the agent."""
        return {
            "id": f"{self.stem}-{index}",
            "source": self.source,
            "agent": self.agent,
            "time": self.time,
        }

    def work(self) -> dict[str, Any]:
        """What the agent works on."""
        return {"contact": self.contact, "queue": self.visited, "channel": self.channel}

    @property
    def visited(self) -> str | None:
        """The queue an inbound task is in."""
        return None if self.direction == "outbound" else self.queue or None


def _read(text: str | None) -> Attributes:
    """Users write the attributes; odd ones tell nothing but do not spoil the event."""
    if not text or len(text) > ATTRIBUTES_CHARS_MAX:
        return Attributes()
    try:
        return _attributes.decode(text)
    except (*BAD_JSON, UnicodeError):
        return Attributes()


def _customer(address: str | None, pseudonym: Pseudonym) -> str | None:
    """A number is the same customer by voice, text or WhatsApp; a client's name is not a number."""
    if not address or len(address) > ADDRESS_CHARS_MAX:
        return None
    scheme, colon, rest = address.partition(":")
    if not colon:
        scheme, rest = "", address
    if scheme.lower() in _PHONES:
        return pseudonym("email" if "@" in rest and not scheme else "phone", rest)
    return pseudonym("id", address)


# --- tasks ---------------------------------------------------------------------------------


def _created(at: Happening) -> list[Event]:
    started = ev.ContactStarted(**at.of_contact(), direction=at.direction, customer=at.customer)
    return [started]


def _entered(at: Happening) -> list[Event]:
    if at.visited is None:
        return []
    priority, customer = _priority(at.payload.task_priority), at.customer
    return [ev.Queued(**at.of_contact(), queue=at.visited, priority=priority, customer=customer)]


def _priority(given: int | str | None) -> int | None:
    """It only decorates, so an odd one is left out and the event used."""
    text = str(given)[:8]
    return int(text) if text.isascii() and text.isdigit() and int(text) <= POSITION_MAX else None


def _timed_out(at: Happening) -> list[Event]:
    """The target's time-out sends the task on to the workflow's next one."""
    if at.visited is None:
        return []
    return [ev.LeftQueue(**at.of_contact(), queue=at.visited, outcome="timeout")]


def _moved(at: Happening) -> list[Event]:
    """Names the queue before; the entry into the new one is an event of its own."""
    if not at.previous or at.previous == at.queue or at.direction == "outbound":
        return []
    return [ev.LeftQueue(**at.of_contact(), queue=at.previous, outcome="overflow")]


_ENDED_BY: dict[LeftOutcome, EndedBy] = {"abandoned": "customer", "unknown": "unknown"}


def _canceled(at: Happening) -> list[Event]:
    """Only a task that nobody accepted can be canceled."""
    outcome = _outcome(at.payload.task_canceled_reason or at.payload.reason or "")
    ended_by = _ENDED_BY.get(outcome, "system")
    events: list[Event] = []
    if at.visited is not None:
        events.append(ev.LeftQueue(**at.of_contact(0), queue=at.visited, outcome=outcome))
    events.append(ev.Ended(**at.of_contact(len(events)), ended_by=ended_by))
    return events


def _outcome(reason: str) -> LeftOutcome:
    """Twilio says ``hangup`` for a caller who gave up; its own limits speak of TTL and timeout.

    Any other reason was given by whoever canceled the task through the API; no reason says nothing.
    """
    text = reason[:NAME_CHARS_MAX].casefold()
    if not text:
        return "unknown"
    if any(word in text for word in ("hangup", "hung up", "abandon")):
        return "abandoned"
    limits = ("ttl", "timeout", "timed out", "max assign")
    return "timeout" if any(limit in text for limit in limits) else "withdrawn"


def _wrapping(at: Happening) -> list[Event]:
    """Without the queue: a second report of an end would make up a visit there."""
    return [ev.Handled(**at.of_contact(), agent=at.agent or None)]


def _completed(at: Happening) -> list[Event]:
    return [ev.Ended(**at.of_contact())]


def _deleted(at: Happening) -> list[Event]:
    """Housekeeping, unless the task was still open."""
    if at.payload.task_assignment_status in OVER:
        return []
    return [ev.Ended(**at.of_contact(), ended_by="system")]


_MODES: dict[str, Literal["blind", "attended"]] = {"COLD": "blind", "WARM": "attended"}


def _transferred(at: Happening, initiated: bool) -> list[Event]:
    mode, to = (at.payload.transfer_mode or "").upper(), (at.payload.transfer_type or "").upper()
    if (mode == "COLD" or to == "QUEUE") != initiated:
        return []
    transferred = ev.Transferred(**at.of_contact(), kind=_MODES.get(mode, "unknown"))
    transferred.agent = _sid(at.payload.transfer_initiating_worker_sid, "WK")
    transferred.to_queue = _sid(at.payload.transfer_to, "WQ")
    if to in ("QUEUE", "WORKER"):
        transferred.to_kind = "queue" if to == "QUEUE" else "agent"
    return [transferred]


def _sid(text: str | None, prefix: str) -> str | None:
    usable = text and len(text) <= 64 and text.isascii() and text.isalnum()
    return text if usable and text and text.startswith(prefix) else None


# --- reservations --------------------------------------------------------------------------


def _offered(at: Happening) -> list[Event]:
    return [
        ev.Offered(**at.of_contact(0), queue=at.visited, agent=at.agent),
        ev.AgentOffered(**at.of_agent(1), **at.work()),
    ]


def _offer_ended(at: Happening, reason: OfferEnd) -> list[Event]:
    return [
        ev.OfferEnded(**at.of_contact(0), queue=at.visited, agent=at.agent, reason=reason),
        ev.AgentOfferEnded(**at.of_agent(1), **at.work(), reason=reason),
    ]


def _accepted(at: Happening) -> list[Event]:
    """Without Twilio's own age in the queue: it counts whole seconds, the events milliseconds."""
    return [
        ev.Answered(**at.of_contact(0), queue=at.visited, agent=at.agent),
        ev.AgentTalking(**at.of_agent(1), **at.work()),
    ]


def _wrap_up(at: Happening) -> list[Event]:
    return [
        ev.WrapUpStarted(**at.of_contact(0), queue=at.visited, agent=at.agent),
        ev.AgentWrapUp(**at.of_agent(1), **at.work()),
    ]


def _freed(at: Happening) -> list[Event]:
    return [
        ev.WrapUpEnded(**at.of_contact(0), queue=at.visited, agent=at.agent),
        ev.AgentContactEnded(**at.of_agent(1), **at.work()),
    ]


# --- workers -------------------------------------------------------------------------------


def _activity(at: Happening) -> list[Event]:
    """No flag tells which activities are available ones, so their usual names must."""
    name = (at.payload.worker_activity_name or "").strip()
    before = (at.payload.worker_previous_activity_name or "").strip()
    if name.casefold() in OFFLINE:
        return [ev.LoggedOut(**at.of_agent(0))]
    events: list[Event] = []
    if before.casefold() in OFFLINE:
        events.append(ev.LoggedIn(**at.of_agent(0)))
    index, reason = len(events), name[:NAME_CHARS_MAX] or None
    if name.casefold() in READY:
        return [*events, ev.Ready(**at.of_agent(index))]
    return [*events, ev.NotReady(**at.of_agent(index), reason=reason)]


def _gone(at: Happening) -> list[Event]:
    return [ev.LoggedOut(**at.of_agent(0))]


# --- the table -----------------------------------------------------------------------------


class Kind(NamedTuple):
    """``events`` reads a happening; ``needs`` are the fields it cannot do without."""

    events: Callable[[Happening], list[Event]]
    needs: tuple[str, ...]


_TASK, _QUEUE, _BOTH, _WORKER = ("contact",), ("contact", "queue"), ("contact", "agent"), ("agent",)

EVENTS: dict[str, Kind] = {
    "task.created": Kind(_created, _TASK),
    "task.canceled": Kind(_canceled, _TASK),
    "task.wrapup": Kind(_wrapping, _TASK),
    "task.completed": Kind(_completed, _TASK),
    "task.deleted": Kind(_deleted, _TASK),
    "task.transfer-initiated": Kind(partial(_transferred, initiated=True), _TASK),
    "task.transfer-completed": Kind(partial(_transferred, initiated=False), _TASK),
    "task-queue.entered": Kind(_entered, _QUEUE),
    "task-queue.timeout": Kind(_timed_out, _QUEUE),
    "task-queue.moved": Kind(_moved, _TASK),
    "reservation.created": Kind(_offered, _BOTH),
    "reservation.accepted": Kind(_accepted, _BOTH),
    "reservation.rejected": Kind(partial(_offer_ended, reason="rejected"), _BOTH),
    "reservation.timeout": Kind(partial(_offer_ended, reason="no_answer"), _BOTH),
    "reservation.canceled": Kind(partial(_offer_ended, reason="canceled"), _BOTH),
    "reservation.rescinded": Kind(partial(_offer_ended, reason="canceled"), _BOTH),
    "reservation.failed": Kind(partial(_offer_ended, reason="error"), _BOTH),
    "reservation.wrapup": Kind(_wrap_up, _BOTH),
    "reservation.completed": Kind(_freed, _BOTH),
    "worker.activity.update": Kind(_activity, _WORKER),
    "worker.deleted": Kind(_gone, _WORKER),
}
"""What each event type means, and what it must name; any other is not for us."""
