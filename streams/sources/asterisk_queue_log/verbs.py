"""What each verb of the queue_log means, as a table at the end of this file."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

from streams.core import events as ev
from streams.core.source import Event
from streams.core.vocabulary import EndedBy, LeftOutcome, NotAdmitted, OfferEnd
from streams.sources.asterisk_queue_log.line import Line, Malformed

# A key to leave a queue is one or two digits; anything longer was not meant for the queue.
KEY_CHARS_MAX = 2
_CODE = re.compile(r"[A-Za-z0-9_.:/ -]{1,40}", re.ASCII)


# --- the caller's side ---------------------------------------------------------------------


def _called(line: Line) -> list[Event]:
    """DID: the call came in.  The number that was dialled stays behind."""
    return [ev.ContactStarted(**line.contact(0))]


def _entered(line: Line) -> list[Event]:
    """ENTERQUEUE url|number|position[|name]."""
    number = line.text(1)
    customer = line.pseudonym("phone", number) if number else None
    queued = ev.Queued(
        **line.contact(0), queue=line.queue, position=line.position(2), customer=customer
    )
    return [queued]


def _refused(line: Line, reason: NotAdmitted) -> list[Event]:
    return [ev.QueueRefused(**line.contact(0), queue=line.queue, reason=reason)]


def _left(line: Line, outcome: LeftOutcome) -> list[Event]:
    """position|original position|wait; WITHDRAW has free text after it, SYSCOMPAT nothing at all.

    ABANDON and SYSCOMPAT name the agent if the announcement to the agent was playing.
    """
    left = ev.LeftQueue(
        **line.contact(0),
        queue=line.queue,
        outcome=outcome,
        position=line.position(0),
        original_position=line.position(1),
        wait_ms=line.seconds(2),
        agent=line.agent or None,
    )
    return [left]


def _left_by_key(line: Line) -> list[Event]:
    """EXITWITHKEY key|position|original position|wait."""
    key = line.text(0)
    left = ev.LeftQueue(
        **line.contact(0),
        queue=line.queue,
        outcome="key",
        position=line.position(1),
        original_position=line.position(2),
        wait_ms=line.seconds(3),
        key=key if 0 < len(key) <= KEY_CHARS_MAX else None,
    )
    return [left]


# --- agents and calls ----------------------------------------------------------------------


def _offer_ended(line: Line, reason: OfferEnd) -> list[Event]:
    """RINGNOANSWER and RINGCANCELED count milliseconds; AGENTDUMP says nothing of the time."""
    queue, ring_ms = line.queue or None, line.milliseconds(0)
    return [
        ev.OfferEnded(
            **line.contact(0), queue=queue, agent=line.agent, reason=reason, ring_ms=ring_ms
        ),
        ev.AgentOfferEnded(
            **line.member(1), contact=line.call, queue=queue, reason=reason, ring_ms=ring_ms
        ),
    ]


def _connected(line: Line) -> list[Event]:
    """CONNECT wait|the agent's channel|ringing, both in seconds."""
    answered = ev.Answered(
        **line.contact(0),
        queue=line.queue or None,
        agent=line.agent or None,
        wait_ms=line.seconds(0),
        ring_ms=line.seconds(2),
    )
    return [answered, *_talking(line)]


def _talking(line: Line) -> list[Event]:
    if not line.agent:
        return []
    return [ev.AgentTalking(**line.member(1), contact=line.call, queue=line.queue or None)]


def _freed(line: Line) -> list[Event]:
    if not line.agent:
        return []
    return [ev.AgentContactEnded(**line.member(1), contact=line.call, queue=line.queue or None)]


def _completed(line: Line, ended_by: EndedBy) -> list[Event]:
    """COMPLETEAGENT and COMPLETECALLER wait|talk|original position."""
    handled = ev.Handled(
        **line.contact(0),
        queue=line.queue or None,
        agent=line.agent or None,
        wait_ms=line.seconds(0),
        talk_ms=line.seconds(1),
        ended_by=ended_by,
    )
    return [handled, *_freed(line)]


def _sent_on(line: Line) -> list[Event]:
    """BLINDTRANSFER (and TRANSFER before Asterisk 12) exten|context|wait|talk|original position.

    Before 1.4 there was only the target.  The target may be anybody's number and stays behind.
    """
    return [_transferred(line, "blind", 2), *_freed(line)]


_FORMS: dict[str, tuple[Literal["bridge", "app", "link"], int]] = {
    "BRIDGE": ("bridge", 2),
    "APP": ("app", 2),
    "LINK": ("link", 3),
}
"""Form of an attended transfer -> (its name, where the wait stands): a link names two channels."""


def _handed_over(line: Line) -> list[Event]:
    """ATTENDEDTRANSFER form|what[|second channel]|wait|talk|original position.

    The consult leg's id may stand here with the first queue's name; the contact's fold knows.
    """
    if line.text(0) not in _FORMS:
        raise Malformed(f"{line.verb}: parameter 1 is none of {', '.join(_FORMS)}")
    form, at = _FORMS[line.text(0)]
    to_queue = form == "app" and line.text(1) == "Queue"
    transferred = _transferred(line, "attended", at)
    transferred.form = form
    transferred.to_kind = "queue" if to_queue else "unknown"
    return [transferred, *_freed(line)]


def _transferred(line: Line, kind: Literal["blind", "attended"], at: int) -> ev.Transferred:
    return ev.Transferred(
        **line.contact(0),
        queue=line.queue or None,
        agent=line.agent or None,
        kind=kind,
        wait_ms=line.seconds(at),
        talk_ms=line.seconds(at + 1),
    )


def _held(line: Line) -> list[Event]:
    events: list[Event] = [ev.Held(**line.contact(0), agent=line.agent or None)]
    if line.agent:
        events.append(ev.AgentHolding(**line.member(1), contact=line.call))
    return events


def _resumed(line: Line) -> list[Event]:
    return [ev.Resumed(**line.contact(0), agent=line.agent or None), *_talking(line)]


def _wrapping_up(line: Line) -> list[Event]:
    """WRAPUPSTART [seconds], by Wazo: the length is fixed beforehand, and no end is ever logged.

    With a length the contact's wrap-up is told as ended at once, because an event dated into the
    future could be refused; only the window it falls into may differ.
    """
    queue, length_ms = line.queue or None, line.seconds(0)
    of_contact: Event
    if length_ms is None:
        of_contact = ev.WrapUpStarted(**line.contact(0), queue=queue, agent=line.agent)
    else:
        of_contact = ev.WrapUpEnded(
            **line.contact(0), queue=queue, agent=line.agent, wrap_up_ms=length_ms
        )
    of_agent = ev.AgentWrapUp(
        **line.member(1), contact=line.call, queue=queue, wrap_up_ms=length_ms
    )
    return [of_contact, of_agent]


def _classified(line: Line) -> list[Event]:
    """CALLSTATUS code: what the agent says the call was about.  Only a code, never a sentence."""
    code = line.text(0)
    if not _CODE.fullmatch(code):
        raise Malformed(f"{line.verb}: parameter 1 is not a code")
    return [ev.Classified(**line.contact(0), issue_type=code, agent=line.agent or None)]


def _called_out(line: Line) -> list[Event]:
    """OUTCALL status|talk|free text, written when an outgoing call is over.

    Without the queue: a leg in a queue would count as an inbound visit there.
    """
    talk_ms = line.seconds(1)
    started = ev.ContactStarted(**line.contact(0), direction="outbound")
    started.time = max(0, line.time - max(0, talk_ms or 0))
    if not talk_ms:
        return [started]
    return [started, ev.Handled(**line.contact(1), agent=line.agent or None, talk_ms=talk_ms)]


# --- agents alone --------------------------------------------------------------------------


def _logged_in(line: Line) -> list[Event]:
    return [ev.LoggedIn(**line.member(0))]


def _logged_out(line: Line) -> list[Event]:
    """AGENTLOGOFF channel|seconds, AGENTCALLBACKLOGOFF extension|seconds|reason."""
    return [ev.LoggedOut(**line.member(0), login_ms=line.seconds(1), reason=line.reason(2))]


def _joined(line: Line) -> list[Event]:
    paused = line.text(0) == "PAUSED"
    return [ev.JoinedQueue(**line.member(0), queue=line.queue, paused=paused)]


def _withdrew(line: Line) -> list[Event]:
    return [ev.LeftMembership(**line.member(0), queue=line.queue)]


def _paused(line: Line) -> list[Event]:
    """PAUSE in one queue, PAUSEALL in all of them; Asterisk writes both for the latter."""
    return [ev.NotReady(**line.member(0), queue=line.queue or None, reason=line.reason(0))]


def _unpaused(line: Line) -> list[Event]:
    return [ev.Ready(**line.member(0), queue=line.queue or None, reason=line.reason(0))]


def _restarted(line: Line) -> list[Event]:
    return [ev.Restarted(id=f"{line.stem}-0", source=line.source, time=line.time)]


def _nothing(line: Line) -> list[Event]:
    return []


# --- the table -----------------------------------------------------------------------------


class Verb(NamedTuple):
    """``events`` reads a line; ``needs`` are the fields (call, queue, agent) it cannot do without,
    ``private`` the parameters (counted from 0) that must not leave, not even in a hash."""

    events: Callable[[Line], list[Event]]
    needs: tuple[str, ...]
    private: tuple[int, ...] = ()


_IN_QUEUE, _CALL, _CALL_AND_AGENT = ("call", "queue"), ("call",), ("call", "agent")
_AGENT, _MEMBER = ("agent",), ("agent", "queue")

VERBS: dict[str, Verb] = {
    "DID": Verb(_called, _CALL, (0,)),
    "ENTERQUEUE": Verb(_entered, _IN_QUEUE, (0, 1, 3)),
    "FULL": Verb(partial(_refused, reason="full"), _IN_QUEUE),
    "CLOSED": Verb(partial(_refused, reason="closed"), _IN_QUEUE),
    "JOINEMPTY": Verb(partial(_refused, reason="join_empty"), _IN_QUEUE),
    "JOINUNAVAIL": Verb(partial(_refused, reason="join_empty"), _IN_QUEUE),
    "ABANDON": Verb(partial(_left, outcome="abandoned"), _IN_QUEUE),
    "EXITWITHTIMEOUT": Verb(partial(_left, outcome="timeout"), _IN_QUEUE),
    "EXITEMPTY": Verb(partial(_left, outcome="empty"), _IN_QUEUE),
    "LEAVEEMPTY": Verb(partial(_left, outcome="empty"), _IN_QUEUE),
    "LEAVEUNAVAIL": Verb(partial(_left, outcome="empty"), _IN_QUEUE),
    "WITHDRAW": Verb(partial(_left, outcome="withdrawn"), _IN_QUEUE, (3,)),
    "SYSCOMPAT": Verb(partial(_left, outcome="system"), _IN_QUEUE),
    "EXITWITHKEY": Verb(_left_by_key, _IN_QUEUE, (0,)),
    "RINGNOANSWER": Verb(partial(_offer_ended, reason="no_answer"), _CALL_AND_AGENT),
    "RINGCANCELED": Verb(partial(_offer_ended, reason="canceled"), _CALL_AND_AGENT),
    "AGENTDUMP": Verb(partial(_offer_ended, reason="rejected"), _CALL_AND_AGENT),
    "CONNECT": Verb(_connected, _CALL),
    "COMPLETEAGENT": Verb(partial(_completed, ended_by="agent"), _CALL),
    "COMPLETECALLER": Verb(partial(_completed, ended_by="customer"), _CALL),
    "TRANSFER": Verb(_sent_on, _CALL, (0,)),
    "BLINDTRANSFER": Verb(_sent_on, _CALL, (0,)),
    "ATTENDEDTRANSFER": Verb(_handed_over, _CALL, (1, 2)),
    "CALLERONHOLD": Verb(_held, _CALL),
    "CALLEROFFHOLD": Verb(_resumed, _CALL),
    "WRAPUPSTART": Verb(_wrapping_up, _CALL_AND_AGENT),
    "CALLSTATUS": Verb(_classified, _CALL),
    "OUTCALL": Verb(_called_out, _CALL, (2,)),
    "AGENTLOGIN": Verb(_logged_in, _AGENT),
    "AGENTCALLBACKLOGIN": Verb(_logged_in, _AGENT),
    "AGENTLOGOFF": Verb(_logged_out, _AGENT),
    "AGENTCALLBACKLOGOFF": Verb(_logged_out, _AGENT),
    "ADDMEMBER": Verb(_joined, _MEMBER),
    "REMOVEMEMBER": Verb(_withdrew, _MEMBER),
    "PAUSE": Verb(_paused, _AGENT),
    "PAUSEALL": Verb(_paused, _AGENT),
    "UNPAUSE": Verb(_unpaused, _AGENT),
    "UNPAUSEALL": Verb(_unpaused, _AGENT),
    "QUEUESTART": Verb(_restarted, ()),
    "CONFIGRELOAD": Verb(_nothing, ()),
    "PENALTY": Verb(_nothing, ()),
    "RINGINUSE": Verb(_nothing, ()),
    "INFO": Verb(_nothing, ()),
}
"""What each verb means, and what a line with it must name."""

_FAMILIES: tuple[tuple[str, Verb], ...] = (
    ("DIVERT_", Verb(partial(_refused, reason="diverted"), _IN_QUEUE)),
    ("HOTDESK", Verb(_nothing, ())),
)
"""Verbs known by how they begin."""


def verb_named(name: str) -> Verb | None:
    """The meaning of a verb, None if nobody knows it."""
    known = VERBS.get(name)
    if known is None:
        known = next((verb for start, verb in _FAMILIES if name.startswith(start)), None)
    return known
