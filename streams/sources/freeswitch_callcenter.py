"""FreeSWITCH's mod_callcenter: events ``callcenter::info`` of the event socket, one record each.

A record is the event in plain form (headers with URL-encoded values) or as a JSON object.

* **Ids** are a hash of Core-UUID and Event-Sequence, unique as long as FreeSWITCH runs and new
  after a restart; where either is missing, of the record's topic, partition and offset.
* **Time** is Event-Date-Timestamp (microseconds).  The CC-*-Time headers are whole seconds; waits,
  ringing and talking are their differences.
* **The contact** is the caller's leg (CC-Member-Session-UUID): one call may enter several queues,
  and CC-Member-UUID is another in each.  ``member-queue-resume`` comes under a *new* leg and does
  not name the old one, so it is told as queued; the abandonment of the earlier leg stays.
* **Leaving**: BREAK_OUT is a plain hang-up and also uuid_break or a transfer out of the queue.  The
  event carries the caller's channel: where that says it was hung up, the customer gave up
  (``abandoned``); where it is alive, the outcome is ``withdrawn``; without it, ``unknown``.
  EXIT_WITH_KEY is a key of ``cc_exit_keys``, which the channel's variables name.
* ``member-queue-end`` Terminated comes after ``bridge-agent-end``, which has told everything.
* ``bridge-agent-end`` with CC-Agent-Bridged false: the agent answered and nobody could be
  connected.  Then the answer that ``bridge-agent-start`` told did not happen: an offer that failed
  takes its place (same id, higher ``version``), and the caller waits on or has gone.
* **Sources**: record header ``source``, else FreeSWITCH-Switchname, else FreeSWITCH-Hostname, else
  ``freeswitch``.  Legs have UUIDs, so their ids are the same whatever the source is called.
* mod_callcenter reports neither hold nor wrap-up nor who hung up.

Facts: headers, values and the order of events from mod_callcenter.c (signalwire/freeswitch cc93a68:
outbound_agent_thread_run, callcenter_function), the channel's headers from switch_channel.c
(switch_channel_event_set_basic_data: Answer-State follows the hang-up at once, Channel-State only
when the session's thread gets there); the grouping of hang-up causes follows FreeSWITCH's names.

Rejections: ``value.null``, ``size.exceeded``, ``header.invalid``, ``json.malformed``,
``headers.malformed``, ``event.missing``, ``time.missing``, ``time.malformed``,
``time.out_of_range``, ``call.missing``, ``queue.missing``, ``agent.missing``,
``parameter.malformed``, ``schema.invalid``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote

from streams.core import events as ev
from streams.core.source import Event, Pseudonym, Record, Rejected, Source
from streams.core.vocabulary import LeftOutcome, OfferEnd
from streams.sources._reading.body import Unusable, answer
from streams.sources._reading.header_block import RECORD_BYTES_MAX, Headers, read
from streams.sources._reading.instants import in_range
from streams.sources._reading.names import ID_CHARS_MAX, digest, source_named, within

DEFAULT_SOURCE = "freeswitch"
SUBCLASS = "callcenter::info"
_MICROSECONDS = re.compile(r"\d{1,18}", re.ASCII)


class Happening:
    """One event of mod_callcenter, and what events about it have in common."""

    __slots__ = ("pseudonym", "source", "stem", "time", "values")

    def __init__(self, record: Record, values: Headers, pseudonym: Pseudonym) -> None:
        self.values = values
        self.pseudonym = pseudonym
        host = values.first("FreeSWITCH-Switchname", "FreeSWITCH-Hostname")
        self.source = within("source", source_named(record.headers, host or DEFAULT_SOURCE))
        self.time = _time(values.text("Event-Date-Timestamp"))
        self.stem = _stem(values, record)

    @property
    def call(self) -> str:
        return within("call", self.values.text("CC-Member-Session-UUID"), ID_CHARS_MAX)

    @property
    def queue(self) -> str:
        return within("queue", self.values.text("CC-Queue"))

    @property
    def agent(self) -> str:
        return within("agent", self.values.text("CC-Agent"))

    def contact(self, index: int = 0) -> dict[str, Any]:
        """What the event with this index says as an event about the contact."""
        return {**self._common(index), "contact": self.call, "queue": self.queue}

    def member(self, index: int = 0) -> dict[str, Any]:
        """What the event with this index says as an event about the agent."""
        return {**self._common(index), "agent": self.agent}

    def between(self, start: str, end: str) -> int | None:
        """From one CC-*-Time to another in ms; None unless both are there.  Zero is never set."""
        began, ended = self.values.seconds(start), self.values.seconds(end)
        return ended - began if began and ended else None

    def _common(self, index: int) -> dict[str, Any]:
        return {"id": f"{self.stem}-{index}", "source": self.source, "time": self.time}


def _time(microseconds: str) -> int:
    if not microseconds:
        raise Unusable("time.missing", "no header Event-Date-Timestamp")
    if not _MICROSECONDS.fullmatch(microseconds):
        raise Unusable("time.malformed", "Event-Date-Timestamp is not a number of microseconds")
    return in_range(int(microseconds) // 1000)


def _stem(values: Headers, record: Record) -> str:
    core, sequence = values.text("Core-UUID"), values.text("Event-Sequence")
    if core and sequence:
        return digest(core, sequence)
    return digest(record.topic, record.partition, record.offset)


# --- the caller's side ---------------------------------------------------------------------


def _queued(told: Happening) -> list[Event]:
    number = told.values.text("CC-Member-CID-Number")
    customer = told.pseudonym("phone", number) if number else None
    return [ev.Queued(**told.contact(), customer=customer)]


_OUTCOMES: dict[str, LeftOutcome] = {
    "TIMEOUT": "timeout",
    "NO_AGENT_TIMEOUT": "empty",
    "EXIT_WITH_KEY": "key",
    # An agent had answered, but the caller's channel was gone by then (callcenter_function).
    "NONE": "abandoned",
}


def _left(told: Happening) -> list[Event]:
    cause = told.values.text("CC-Cause").lower()
    if cause == "terminated":
        return []
    if cause != "cancel":
        raise Unusable("parameter.malformed", "CC-Cause is neither Terminated nor Cancel")
    wait_ms = told.between("CC-Member-Joined-Time", "CC-Member-Leaving-Time")
    outcome = _outcome(told.values)
    key = told.values.text("variable_cc_exit_key") if outcome == "key" else ""
    left = ev.LeftQueue(
        **told.contact(), outcome=outcome, wait_ms=wait_ms, key=key if len(key) == 1 else None
    )
    return [left]


def _outcome(values: Headers) -> LeftOutcome:
    reason = values.text("CC-Cancel-Reason").upper()
    if reason == "BREAK_OUT":
        return _broken_out(values)
    if reason not in _OUTCOMES:
        raise Unusable("parameter.malformed", "CC-Cancel-Reason is unknown")
    return _OUTCOMES[reason]


def _broken_out(values: Headers) -> LeftOutcome:
    """Whether the caller's channel lives on: then it was broken out of the queue or transferred."""
    states = {values.text(name).upper() for name in _STATES} - {""}
    if states & _DOWN:
        return "abandoned"
    return "withdrawn" if states else "unknown"


_STATES = ("Answer-State", "Channel-Call-State", "Channel-State")
_DOWN = frozenset(("HANGUP", "CS_HANGUP", "CS_REPORTING", "CS_DESTROY"))


# --- agents and calls ----------------------------------------------------------------------


def _offered(told: Happening) -> list[Event]:
    return [
        ev.Offered(**told.contact(0), agent=told.agent),
        ev.AgentOffered(**told.member(1), contact=told.call, queue=told.queue),
    ]


_REASONS: dict[str, OfferEnd] = {
    "CALL_REJECTED": "rejected",
    "USER_BUSY": "rejected",
    "ORIGINATOR_CANCEL": "canceled",
    "LOSE_RACE": "canceled",
    "PICKED_OFF": "canceled",
    "USER_NOT_REGISTERED": "error",
    "SUBSCRIBER_ABSENT": "error",
    "DESTINATION_OUT_OF_ORDER": "error",
    "NORMAL_CIRCUIT_CONGESTION": "error",
    "NETWORK_OUT_OF_ORDER": "error",
    "NORMAL_TEMPORARY_FAILURE": "error",
    "NO_ROUTE_DESTINATION": "error",
    "UNALLOCATED_NUMBER": "error",
    "INCOMPATIBLE_DESTINATION": "error",
    "GATEWAY_DOWN": "error",
}
"""Why an offer failed; any other cause is no answer, as for the module itself."""


def _offer_failed(told: Happening) -> list[Event]:
    reason = _REASONS.get(told.values.text("CC-Hangup-Cause").upper(), "no_answer")
    ring_ms = told.between("CC-Agent-Called-Time", "CC-Agent-Aborted-Time")
    return [
        ev.OfferEnded(**told.contact(0), agent=told.agent, reason=reason, ring_ms=ring_ms),
        ev.AgentOfferEnded(
            **told.member(1), contact=told.call, queue=told.queue, reason=reason, ring_ms=ring_ms
        ),
    ]


def _bridged(told: Happening) -> list[Event]:
    answered = ev.Answered(
        **told.contact(0) | {"id": _answer_id(told)},
        agent=told.agent,
        wait_ms=told.between("CC-Member-Joined-Time", "CC-Agent-Answered-Time"),
        ring_ms=told.between("CC-Agent-Called-Time", "CC-Agent-Answered-Time"),
    )
    return [answered, ev.AgentTalking(**told.member(1), contact=told.call, queue=told.queue)]


def _answer_id(told: Happening) -> str:
    """The same for the beginning and the end of one agent's leg."""
    names = ("CC-Member-UUID", "CC-Agent-UUID", "CC-Agent", "CC-Agent-Called-Time")
    return f"{digest(told.call, told.queue, *map(told.values.text, names))}-answer"


def _bridge_ended(told: Happening) -> list[Event]:
    freed = ev.AgentContactEnded(**told.member(1), contact=told.call, queue=told.queue)
    if told.values.text("CC-Agent-Bridged").lower() == "false":
        never = ev.OfferEnded(
            **told.contact(0) | {"id": _answer_id(told)},
            version=1,
            agent=told.agent,
            reason="error",
            ring_ms=told.between("CC-Agent-Called-Time", "CC-Agent-Answered-Time"),
        )
        return [never, freed]
    handled = ev.Handled(
        **told.contact(0),
        agent=told.agent,
        wait_ms=told.between("CC-Member-Joined-Time", "CC-Agent-Answered-Time"),
        talk_ms=told.between("CC-Agent-Answered-Time", "CC-Bridge-Terminated-Time"),
    )
    return [handled, freed]


# --- agents alone --------------------------------------------------------------------------


def _status_changed(told: Happening) -> list[Event]:
    match told.values.text("CC-Agent-Status").lower():
        case "available" | "available (on demand)":
            return [ev.Ready(**told.member())]
        case "on break":
            return [ev.NotReady(**told.member(), reason="On Break")]
        case "logged out":
            return [ev.LoggedOut(**told.member())]
        case _:
            raise Unusable("parameter.malformed", "CC-Agent-Status is unknown")


ACTIONS: dict[str, Callable[[Happening], list[Event]]] = {
    "member-queue-start": _queued,
    "member-queue-resume": _queued,
    "member-queue-end": _left,
    "agent-offering": _offered,
    "bridge-agent-start": _bridged,
    "bridge-agent-fail": _offer_failed,
    "bridge-agent-end": _bridge_ended,
    "agent-status-change": _status_changed,
}
"""What each action means; any other is none of ours.  agent-state-change repeats what offers and
bridges say, agent-max-no-answer comes with a change of status of its own."""


def decode(record: Record, pseudonym: Pseudonym) -> Sequence[Event] | Rejected:
    """The events of one record (none for one not of mod_callcenter), or why it cannot be used.
    Never raises."""
    return answer(record, RECORD_BYTES_MAX, lambda value: _events(value.strip(), record, pseudonym))


def _events(body: bytes, record: Record, pseudonym: Pseudonym) -> Sequence[Event]:
    if not body:
        return ()
    values = read(body, unquote)
    if not values.first("Event-Name", "CC-Action"):
        raise Unusable("event.missing", "neither Event-Name nor CC-Action")
    if values.text("Event-Subclass") not in ("", SUBCLASS):
        return ()
    meaning = ACTIONS.get(values.text("CC-Action").lower())
    return () if meaning is None else meaning(Happening(record, values, pseudonym))


SOURCE = Source(
    name="freeswitch_callcenter",
    topic="freeswitch-callcenter",
    decode=decode,
    help="FreeSWITCH mod_callcenter: callcenter::info events of the event socket",
)
