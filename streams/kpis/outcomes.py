"""How visits and legs end: every way to leave a queue has its own count, when it happened.

Answered + abandoned + left (every other way) is everything that ended; nothing is folded into
"abandoned".  Entries the queue refused never became visits and are in no denominator.
"""

from __future__ import annotations

from streams.core.facts import (
    EntryRefused,
    OfferFailed,
    VisitAnswered,
    VisitLeft,
)
from streams.core.kpi import Count, Kpi
from streams.core.measure import Is, Measure

LEFT = {
    "timeout": "the queue's time limit sent it on. Asterisk EXITWITHTIMEOUT, Genesys flow-out",
    "key": "the customer pressed a key to leave. Asterisk EXITWITHKEY",
    "empty": "no agent was there any more. Asterisk EXITEMPTY, Wazo leaveempty",
    "withdrawn": "an operator or a script took the contact out. Asterisk WITHDRAW",
    "system": "the platform failed or ended it. Asterisk SYSCOMPAT",
    "overflow": "a rule sent the contact to another queue. Genesys flow-out, Wazo divert",
    "voicemail": "the contact went to voicemail. Genesys flow-out",
    "callback": "the customer asked to be called back. Amazon queue callback, never an abandonment",
    "unknown": "the platform does not say how",
    "lost": "the end never came: the platform restarted or fell silent",
}
"""Outcome of ``VisitLeft`` -> what it means; ``abandoned`` is a family of its own."""
REFUSED = {
    "full": "the queue was full. Asterisk FULL",
    "closed": "the queue was closed. Wazo closed",
    "join_empty": "no agent was there. Asterisk JOINEMPTY",
    "diverted": "a rule turned the contact away. Wazo divert_ca_ratio and divert_waittime",
}
FAILED = {
    "no_answer": "the agent did not answer. Asterisk RINGNOANSWER, Amazon agent non-response",
    "rejected": "the agent refused. Twilio reservation rejected",
    "canceled": "the customer hung up while it rang. Asterisk RINGCANCELED",
    "error": "the agent could not be reached",
}


def _counts(
    prefix: str, fact: type, at: str, field: str, kinds: dict[str, str]
) -> dict[str, Measure]:
    """One count per value of the fact's field."""
    return {
        kind: Measure(f"{prefix}_{kind}", fact, at, meaning, where=(Is(field, kind),))
        for kind, meaning in kinds.items()
    }


ANSWERED = Measure("contacts_answered", VisitAnswered, "answered_ms", "visits an agent answered")
LEFT_MEASURES = _counts("contacts_left", VisitLeft, "left_ms", "outcome", LEFT)
REFUSED_MEASURES = _counts("entries_refused", EntryRefused, "at_ms", "reason", REFUSED)
FAILED_MEASURES = _counts("offers_failed", OfferFailed, "at_ms", "reason", FAILED)

MEASURES = (
    ANSWERED,
    *LEFT_MEASURES.values(),
    *REFUSED_MEASURES.values(),
    *FAILED_MEASURES.values(),
)


def _count(measure: Measure, unit: str, subject: str) -> Kpi:
    return Kpi(
        name=measure.name,
        family="outcomes",
        help=f"{subject}: {measure.help}.",
        unit=unit,
        formula=Count((measure.name,)),
        attribution="event",
    )


KPIS = (
    Kpi(
        name="contacts_answered",
        family="outcomes",
        help="Visits an agent answered, when they were answered. Genesys Answered, Asterisk "
        "CONNECT.",
        unit="contacts",
        formula=Count((ANSWERED.name,)),
        attribution="event",
        metric="cc_window_contacts_answered",
    ),
    *(
        _count(m, "contacts", "Visits that left the queue unanswered")
        for m in LEFT_MEASURES.values()
    ),
    *(
        _count(m, "contacts", "Contacts the queue did not take in")
        for m in REFUSED_MEASURES.values()
    ),
    Kpi(
        name="offers_failed",
        family="outcomes",
        help="Offers to an agent that ended without an answer, each attempt counted (ring no "
        "answer and others). Amazon agent non-response.",
        unit="offers",
        formula=Count(tuple(m.name for m in FAILED_MEASURES.values())),
        attribution="event",
    ),
    *(
        _count(m, "offers", "Offers to an agent without an answer")
        for m in FAILED_MEASURES.values()
    ),
)
