"""Contact records and contact events: one leg of a contact, from its beginning to its end."""

from __future__ import annotations

from typing import Any

from streams.core import events as ev
from streams.core.source import Event, Pseudonym
from streams.core.vocabulary import TIME_MS_MAX, Direction, EndedBy, LeftOutcome
from streams.sources._reading.body import Unusable
from streams.sources.amazon_connect.fields import (
    SOURCE_NAME,
    ContactEvent,
    ContactRecord,
    RecordAgent,
    channel,
    code,
    in_ms,
    milliseconds,
    queue_name,
    short,
    whole_second,
    word,
)

_ENDED_BY: dict[str, EndedBy] = {
    "": "unknown",
    "AGENT_DISCONNECT": "agent",
    "CUSTOMER_DISCONNECT": "customer",
}
# A contact that was queued, had no agent and gives no reason is abandoned: AWS' own definition.
_LEFT: dict[str, LeftOutcome] = {
    "": "abandoned",
    "API": "withdrawn",
    "CONTACT_FLOW_DISCONNECT": "withdrawn",
    "CUSTOMER_DISCONNECT": "abandoned",
    "EXPIRED": "timeout",
}

UNDATED = 1
"""The version of a record that does not say when it was updated: later than contact events."""


class Leg:
    """What a record and an event know of a contact alike."""

    __slots__ = (
        "_channel",
        "agent",
        "answered",
        "enqueued",
        "left",
        "method",
        "queue",
        "reason",
        "root",
        "told",
        "version",
    )  # fmt: skip

    def __init__(self, told: ContactRecord | ContactEvent) -> None:
        self.told = told
        self.version = 0
        if isinstance(told, ContactRecord):
            self.version = milliseconds(told.lastupdatetimestamp) or UNDATED
        self.method = word(told.initiationmethod)
        self.reason = word(told.disconnectreason)
        self.root = told.initialcontactid or told.contactid
        self.queue = queue_name(told.queue)
        self.enqueued = whole_second(told.queue.enqueuetimestamp) if told.queue else None
        self.answered = whole_second(told.agent.connectedtoagenttimestamp) if told.agent else None
        self.agent = short(told.agent.arn, "agent", told.agent.username) if told.agent else ""
        self.left = whole_second(told.disconnecttimestamp)
        self._channel = channel(told.channel, told.initiationmethod)

    @property
    def first(self) -> bool:
        """The customer's own contact, not a part of one that was transferred or called back."""
        return self.root == self.told.contactid

    @property
    def with_menu(self) -> bool:
        """Customers come through a flow first, unless we called them or passed them on."""
        return self.first and self.method in ("INBOUND", "API")

    @property
    def wait_ms(self) -> int | None:
        if self.answered is None or self.enqueued is None:
            return None
        return self.answered - self.enqueued

    def base(self, kind: str, time: int) -> dict[str, Any]:
        """What every event about the contact carries."""
        return {
            "id": f"{self.told.contactid}/{kind}",
            "source": SOURCE_NAME,
            "contact": self.root,
            "time": time,
            "channel": self._channel,
            "version": self.version,
        }


def contact_events(event: ContactEvent, pseudonym: Pseudonym) -> list[Event]:
    """A contact event.  It knows no customer."""
    leg, kind = Leg(event), word(event.eventtype)
    if leg.method == "MONITOR":
        return []
    emitted = whole_second(event.emitted)
    match kind:
        case "INITIATED":
            return _initiated(leg, _time(whole_second(event.initiationtimestamp), emitted))
        case "QUEUED":
            return _queued(leg, _time(leg.enqueued, emitted), None)
        case "CONNECTED_TO_AGENT":
            return _answered(leg, _time(leg.answered, emitted), None) if leg.queue else []
        case "DISCONNECTED":
            return _provisional_end(leg, _time(leg.left, emitted))
    return []


def _time(own: int | None, emitted: int | None) -> int:
    time = own if own is not None else emitted
    if time is None:
        raise Unusable("time.missing")
    return time


def _initiated(leg: Leg, time: int) -> list[Event]:
    if not leg.first:
        return []
    told: list[Event] = [
        ev.ContactStarted(**leg.base("initiated", time), direction=_direction(leg))
    ]
    if leg.with_menu:
        told.append(ev.StageEntered(**leg.base("menu_entered", time), stage="ivr"))
    return told


def _direction(leg: Leg) -> Direction:
    return "outbound" if leg.method == "OUTBOUND" else "inbound"


def _queued(leg: Leg, time: int, customer: str | None) -> list[Event]:
    if not leg.queue:
        raise Unusable("queue.missing")
    queued = ev.Queued(**leg.base("queued", time), queue=leg.queue, customer=customer)
    if leg.with_menu:
        return [ev.StageLeft(**leg.base("menu_left", time), stage="ivr"), queued]
    return [queued]


def _answered(leg: Leg, time: int, wait_ms: int | None) -> list[Event]:
    answered = ev.Answered(
        **leg.base("answered", time), queue=leg.queue, agent=leg.agent or None, wait_ms=wait_ms
    )
    return [answered]


def _provisional_end(leg: Leg, time: int) -> list[Event]:
    """What can be said before the record comes and takes its place."""
    if not leg.queue or leg.enqueued is None:
        return []
    base = leg.base("left", time)
    if leg.answered is None:
        outcome = _LEFT.get(leg.reason, "system")
        return [ev.LeftQueue(**base, queue=leg.queue, outcome=outcome)]
    handled = ev.Handled(
        **base,
        queue=leg.queue,
        agent=leg.agent or None,
        wait_ms=leg.wait_ms,
        talk_ms=time - leg.answered,
        ended_by=_ENDED_BY.get(leg.reason, "system"),
    )
    return [handled]


def record_events(record: ContactRecord, pseudonym: Pseudonym) -> list[Event]:
    """A contact record, in whichever version."""
    leg = Leg(record)
    if leg.method == "MONITOR":
        return []
    customer = _customer(record, pseudonym)
    told = [*_began(leg, record, customer), *_visit(leg, record, customer)]
    # A later leg of the chain may go on, and other legs' visits would end with it.
    if leg.first and not record.nextcontactid and leg.left is not None:
        told.append(_ended(leg, leg.left))
    return told


def _customer(record: ContactRecord, pseudonym: Pseudonym) -> str | None:
    endpoint = record.customerendpoint
    if endpoint is None or not endpoint.address:
        return None
    kind = word(endpoint.type) or "TELEPHONE_NUMBER"
    domain = {"TELEPHONE_NUMBER": "phone", "EMAIL_ADDRESS": "email"}.get(kind, "id")
    return pseudonym(domain, endpoint.address)


def _began(leg: Leg, record: ContactRecord, customer: str | None) -> list[Event]:
    """What ``INITIATED`` told, and the customer, whom only the record knows."""
    time = whole_second(record.initiationtimestamp)
    if time is None:
        return []
    told: list[Event] = []
    if leg.first:
        told.append(
            ev.ContactStarted(
                **leg.base("initiated", time), direction=_direction(leg), customer=customer
            )
        )
    if leg.with_menu:
        told.append(ev.StageEntered(**leg.base("menu_entered", time), stage="ivr"))
    if leg.method == "CALLBACK":
        told.append(
            ev.CallbackScheduled(
                **leg.base("callback_scheduled", time), queue=leg.queue or None, due=leg.enqueued
            )
        )
    return told


def _visit(leg: Leg, record: ContactRecord, customer: str | None) -> list[Event]:
    if leg.enqueued is None:
        return _left_menu(leg)
    told = _queued(leg, leg.enqueued, customer)
    if leg.answered is None or record.agent is None:
        return told + _left(leg, record)
    told += _answered(leg, leg.answered, _reported_wait(leg, record))
    told += _leg_ended(leg, record, record.agent)
    return told + _wrap_up(leg, record.agent)


def _left_menu(leg: Leg) -> list[Event]:
    """Never queued: the customer's whole way was the flow."""
    if not leg.with_menu or leg.left is None:
        return []
    ended_by = _ENDED_BY.get(leg.reason, "system")
    return [ev.StageLeft(**leg.base("menu_left", leg.left), stage="ivr", ended_by=ended_by)]


def _reported_wait(leg: Leg, record: ContactRecord) -> int | None:
    """Of a callback the reported duration may contain the delay before it was due."""
    if leg.method == "CALLBACK" or record.queue is None:
        return leg.wait_ms
    return in_ms(record.queue.duration)


def _left(leg: Leg, record: ContactRecord) -> list[Event]:
    dequeued = whole_second(record.queue.dequeuetimestamp) if record.queue else None
    time = dequeued if dequeued is not None else leg.left
    if time is None or leg.enqueued is None:
        return []
    # The chain goes on: in another queue, or as a callback.  The record does not say which.
    outcome = "unknown" if record.nextcontactid else _LEFT.get(leg.reason, "system")
    left = ev.LeftQueue(
        **leg.base("left", time),
        queue=leg.queue,
        outcome=outcome,
        wait_ms=time - leg.enqueued,
    )
    return [left]


def _leg_ended(leg: Leg, record: ContactRecord, agent: RecordAgent) -> list[Event]:
    """The agent's leg ends with the customer's hang-up or with after-contact work, if earlier."""
    ends = (leg.left, whole_second(agent.aftercontactworkstarttimestamp))
    known = [time for time in ends if time is not None]
    if not known:
        return []
    figures = {
        **leg.base("left", min(known)),
        "queue": leg.queue,
        "agent": leg.agent or None,
        "talk_ms": in_ms(agent.agentinteractionduration),
        "hold_ms": in_ms(agent.customerholdduration),
    }
    if record.transfercompletedtimestamp is not None:
        return [ev.Transferred(**figures, kind="unknown", to_kind="external")]
    # With the customer's hang-up, the next contact was a consultation or a conference.
    if record.nextcontactid and leg.reason != "CUSTOMER_DISCONNECT":
        return [ev.Transferred(**figures, kind="unknown")]
    return [ev.Handled(**figures, ended_by=_ENDED_BY.get(leg.reason, "system"))]


def _wrap_up(leg: Leg, agent: RecordAgent) -> list[Event]:
    length_ms = in_ms(agent.aftercontactworkduration)
    ended = whole_second(agent.aftercontactworkendtimestamp)
    if ended is None and length_ms and leg.left is not None:
        ended = leg.left + length_ms
    if ended is None or not 0 <= ended <= TIME_MS_MAX:
        return []
    wrapped_up = ev.WrapUpEnded(
        **leg.base("wrapped_up", ended),
        queue=leg.queue,
        agent=leg.agent or None,
        wrap_up_ms=length_ms,
    )
    return [wrapped_up]


def _ended(leg: Leg, time: int) -> Event:
    return ev.Ended(
        **leg.base("ended", time),
        ended_by=_ENDED_BY.get(leg.reason, "system"),
        reason=code(leg.reason),
    )
