"""What each detail topic of a conversation means, as a table at the end of this file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from streams.core import events as ev
from streams.core.source import Event
from streams.core.vocabulary import TIME_MS_MAX, Direction, EndedBy, LeftOutcome, OfferEnd, Stage
from streams.sources._reading.names import NAME_CHARS_MAX
from streams.sources.genesys_cloud.body import Session, word

PRIORITY_MAX = 1_000_000


# --- the customer's side -------------------------------------------------------------------


def _called(session: Session) -> list[Event]:
    direction: Direction = "outbound" if session.outbound else "inbound"
    started = ev.ContactStarted(
        **session.contact(0), direction=direction, customer=session.customer
    )
    return [started]


_GONE_BY: dict[str, EndedBy] = {
    "CLIENT": "customer",
    "ENDPOINT": "customer",
    "ERROR": "system",
    "INACTIVITY": "system",
    "SESSION_EXPIRED": "system",
    "SPAM": "system",
    "SYSTEM": "system",
    "TIMEOUT": "system",
    "TRANSPORT_FAILURE": "system",
}
"""Seen from the customer's session.  PEER is somebody else: an agent, a flow, nobody says who."""


def _gone(session: Session) -> list[Event]:
    """The customer's session is over.  That of a callback is not the customer's waiting."""
    body = session.body
    if session.channel == "callback" or body.callback_scheduled_time is not None:
        return []
    disconnect = word(body.disconnect_type)
    ended_by = _GONE_BY.get(disconnect, "unknown")
    ended: Event = ev.Ended(**session.contact(0), ended_by=ended_by)
    if disconnect != "SPAM":
        return [ended]
    return [ended, ev.Classified(**session.contact(1), spam=True)]


_STAGES: dict[str, Stage] = {
    "BOT": "bot",
    "DIGITALBOT": "bot",
    "INBOUNDCALL": "ivr",
    "INBOUNDCHAT": "ivr",
    "INBOUNDEMAIL": "ivr",
    "INBOUNDSHORTMESSAGE": "ivr",
    "SECURECALL": "ivr",
}
"""Flows that stand between a customer and the queue; those in the queue are the wait itself."""
_FLOW_ENDED_BY: dict[str, EndedBy] = {
    "DISCONNECT": "customer",
    "FLOW_DISCONNECT": "system",
    "FLOW_ERROR_DISCONNECT": "system",
    "RECOGNITION_FAILURE_DISCONNECT": "system",
    "SESSION_EXPIRE_DISCONNECT": "system",
    "TRANSFER": "transfer",
}
_TO_PEOPLE = frozenset(("ACD", "GROUP", "USER"))


def _flow_began(session: Session) -> list[Event]:
    stage = _STAGES.get(word(session.body.flow_type))
    if stage is None:
        return []
    return [ev.StageEntered(**session.contact(0), stage=stage, name=session.body.flow_id or None)]


def _flow_ended(session: Session) -> list[Event]:
    body = session.body
    stage, left = _STAGES.get(word(body.flow_type)), word(body.exit_reason)
    if stage is None:
        return []
    ended: list[Event] = [
        ev.StageLeft(
            **session.contact(0),
            stage=stage,
            name=body.flow_id or None,
            ended_by=_FLOW_ENDED_BY.get(left),
        )
    ]
    if stage == "bot" and left == "TRANSFER" and word(body.transfer_type) in _TO_PEOPLE:
        ended.append(ev.BotHandedOff(**session.contact(1)))
    return ended


def _voicemail_began(session: Session) -> list[Event]:
    return [ev.StageEntered(**session.contact(0), stage="voicemail")]


def _voicemail_ended(session: Session) -> list[Event]:
    return [ev.StageLeft(**session.contact(0), stage="voicemail")]


def _queued(session: Session) -> list[Event]:
    """Fires again for every queue the conversation is sent to."""
    priority, due = session.body.routing_priority, session.body.callback_scheduled_time
    told: list[Event] = [
        ev.Queued(
            **session.contact(0),
            queue=session.queue,
            priority=priority if priority and 0 < priority <= PRIORITY_MAX else None,
            customer=session.customer,
        )
    ]
    if session.channel == "callback" and due is not None and 0 <= due <= TIME_MS_MAX:
        told.append(ev.CallbackScheduled(**session.contact(1), queue=session.queue, due=due))
    return told


_OUTCOMES: dict[str, LeftOutcome] = {"ABANDON": "abandoned"}
"""FLOW_OUT does not say where to: another queue, voicemail, a callback, back to the menu."""


def _left(session: Session) -> list[Event]:
    body = session.body
    outcome = word(body.acd_outcome)
    if outcome == "ANSWERED" or (outcome not in _WITHOUT_AGENT and body.answered_user_id):
        return _answered(session)
    known = _OUTCOMES.get(outcome, "unknown")
    return [ev.LeftQueue(**session.contact(0), queue=session.queue, outcome=known)]


_WITHOUT_AGENT = frozenset(("ABANDON", "FLOW_OUT"))


def _answered(session: Session) -> list[Event]:
    """The only word of an agent's beginning to talk; it names the agent, not their session."""
    agent = session.body.answered_user_id or None
    told: list[Event] = [ev.Answered(**session.contact(0), queue=session.queue, agent=agent)]
    if agent:
        told.append(ev.AgentTalking(**session.member(1, agent), queue=session.queue))
    return told


# --- agents --------------------------------------------------------------------------------


def _alerted(session: Session) -> list[Event]:
    """An agent's session began: it rings; or they dial, which is work on the contact already."""
    agent, queue = session.agent, session.body.queue_id or None
    if session.outbound:
        return [ev.AgentTalking(**session.member(0, agent), queue=queue)]
    told: list[Event] = [ev.AgentOffered(**session.member(1, agent), queue=queue)]
    if queue:
        told.insert(0, ev.Offered(**session.contact(0), queue=queue, agent=agent))
    return told


def _agent_ended(session: Session) -> list[Event]:
    return _leg_ended(session) if session.outbound or _interacted(session) else _refused(session)


def _interacted(session: Session) -> bool:
    body = session.body
    durations = (body.interacting_duration_ms, body.held_duration_ms, body.callback_duration_ms)
    return any(durations)


_OFFER_ENDS: dict[str, OfferEnd] = {
    "CLIENT": "rejected",
    "DND_ENDPOINT": "rejected",
    "DND_TRANSFER": "rejected",
    "ENDPOINT": "rejected",
    "ERROR": "error",
    "NOT_AVAILABLE_TRANSFER": "rejected",
    "PEER": "canceled",
    "TRANSPORT_FAILURE": "error",
    "UNCALLABLE": "error",
}


def _refused(session: Session) -> list[Event]:
    agent, queue, body = session.agent, session.body.queue_id or None, session.body
    reason = _OFFER_ENDS.get(word(body.disconnect_type), "no_answer")
    ring_ms = body.alerting_duration_ms
    told: list[Event] = [
        ev.AgentOfferEnded(**session.member(1, agent), queue=queue, reason=reason, ring_ms=ring_ms)
    ]
    if queue:
        offer = ev.OfferEnded(
            **session.contact(0), queue=queue, agent=agent, reason=reason, ring_ms=ring_ms
        )
        told.insert(0, offer)
    return told


_KINDS: dict[str, Literal["attended", "unknown"]] = {
    "CONFERENCE_TRANSFER": "attended",
    "CONSULT_TRANSFER": "attended",
    "FORWARD_TRANSFER": "unknown",
    "TRANSFER": "unknown",
}
"""TRANSFER is any that was no conference and no consultation as far as the reason tells."""
_LEG_ENDED_BY: dict[str, EndedBy] = {
    "CLIENT": "agent",
    "ENDPOINT": "agent",
    "ERROR": "system",
    "INACTIVITY": "system",
    "PEER": "customer",
    "SESSION_EXPIRED": "system",
    "SYSTEM": "system",
    "TIMEOUT": "system",
    "TRANSPORT_FAILURE": "system",
}


def _leg_ended(session: Session) -> list[Event]:
    """Contact's leg, if it came from a queue; then the agent's state."""
    agent, queue = session.agent, session.body.queue_id or None
    told: list[Event] = []
    if queue and not session.outbound:
        told.append(_leg(session, queue))
    elif not session.outbound:
        told += _talked(session)
    told.append(ev.AgentContactEnded(**session.member(1, agent), queue=queue))
    return told


def _leg(session: Session, queue: str) -> Event:
    body, disconnect = session.body, word(session.body.disconnect_type)
    leg = {
        **session.contact(0),
        "queue": queue,
        "agent": session.agent,
        "hold_ms": body.held_duration_ms,
    }
    if disconnect in _KINDS:
        return ev.Transferred(**leg, kind=_KINDS[disconnect], reason=disconnect.lower())
    return ev.Handled(**leg, ended_by=_LEG_ENDED_BY.get(disconnect, "unknown"))


def _talked(session: Session) -> list[Event]:
    """Without a queue nothing told when the talk began, so the end tells it."""
    body = session.body
    spent_ms = (body.interacting_duration_ms or 0) + (body.held_duration_ms or 0)
    if not 0 < spent_ms <= session.time:
        return []
    began = session.member(0, session.agent) | {"time": session.time - spent_ms}
    return [ev.AgentTalking(**began)]


def _wrapped_up(session: Session) -> list[Event]:
    """After-call work is told when it is over."""
    body, agent = session.body, session.agent
    told: list[Event] = []
    if body.queue_id and not session.outbound:
        told.append(
            ev.WrapUpEnded(
                **session.contact(0),
                queue=body.queue_id,
                agent=agent,
                wrap_up_ms=body.wrapup_duration_ms,
            )
        )
    if body.wrapup_code:
        code = body.wrapup_code[:NAME_CHARS_MAX]
        told.append(ev.Classified(**session.contact(1), reason=code, agent=agent))
    return told + _in_wrap_up(session, agent)


def _in_wrap_up(session: Session, agent: str) -> list[Event]:
    """The span of the agent's work, under a key of its own: by rounding it may begin before the
    ``user.end`` that frees the agent of the conversation, and would be ended by it."""
    length_ms = session.body.wrapup_duration_ms
    if length_ms is None or not 0 < length_ms <= session.time:
        return []
    began = session.member(2, agent) | {
        "time": session.time - length_ms,
        "contact": f"{session.body.conversation_id[:190]}/acw",
    }
    return [ev.AgentWrapUp(**began, queue=session.body.queue_id or None, wrap_up_ms=length_ms)]


CONVERSATION: dict[str, Callable[[Session], list[Event]]] = {
    "customer.start": _called,
    "customer.end": _gone,
    "flow.start": _flow_began,
    "flow.end": _flow_ended,
    "voicemail.start": _voicemail_began,
    "voicemail.end": _voicemail_ended,
    "acd.start": _queued,
    "acd.end": _left,
    "user.start": _alerted,
    "user.end": _agent_ended,
    "acw": _wrapped_up,
}
"""The end of a topic's name -> what it tells."""
