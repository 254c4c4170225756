"""Transfers: agents' legs that ended because the agent passed the contact on.

An overflow, a time-out, a rule that sends a waiting contact elsewhere is none (``outcomes``): no
agent had it.  Escalation to a higher tier is a family of its own.  What is named after what the
platform says (reason, target) counts only where it says it.
"""

from __future__ import annotations

from streams.core.facts import LegEnded, Transferred
from streams.core.kpi import Count, Kpi, Ratio
from streams.core.measure import AGENT, ISSUE_TYPE, QUEUE_AND_CHANNEL, Cut, Is, Measure
from streams.kpis.handle_time import LEGS

BETWEEN_QUEUES = Cut("transfer", ("queue", "to_queue", "channel"))
REASON = Cut("transfer_reason", ("reason", "channel"))
CUTS = (*QUEUE_AND_CHANNEL, BETWEEN_QUEUES, REASON, AGENT)
KINDS = {
    "blind": "the agent was gone before anybody answered. Asterisk BLINDTRANSFER, Twilio COLD",
    "attended": "the agent spoke to the next one first. Asterisk ATTENDEDTRANSFER, Twilio WARM",
    "unknown": "the platform does not tell blind from attended",
}
TARGETS = {
    "queue": "to a queue",
    "agent": "to another agent. Amazon transferred out internal",
    "external": "to a number outside. Amazon transferred out external",
    "ivr": "back to a menu",
}

ALL = Measure("contacts_transferred", Transferred, "at_ms", "transfers by agents", cuts=CUTS)
BY_KIND = {
    kind: Measure(
        f"contacts_transferred_{kind}", Transferred, "at_ms", meaning, where=(Is("kind", kind),)
    )
    for kind, meaning in KINDS.items()
}
BY_TARGET = {
    target: Measure(
        f"contacts_transferred_to_{target}",
        Transferred,
        "at_ms",
        meaning,
        where=(Is("to_kind", target),),
    )
    for target, meaning in TARGETS.items()
}
LEGS_TRANSFERRED = Measure(
    "legs_transferred",
    LegEnded,
    "ended_ms",
    "ended legs that ended by a transfer",
    where=(Is("ended_by", "transfer"),),
    cuts=LEGS.cuts,
)

MEASURES = (ALL, *BY_KIND.values(), *BY_TARGET.values(), LEGS, LEGS_TRANSFERRED)

KPIS = (
    Kpi(
        name="contacts_transferred",
        family="transfers",
        help="Legs that ended by a transfer, by the queue they were in; also by the queue they "
        "went to and by reason, where the platform says so. Amazon contacts transferred out by "
        "agent.",
        unit="contacts",
        formula=Count((ALL.name,)),
        attribution="event",
        cuts=CUTS,
        excludes="Overflows, time-outs and whatever else moves a contact that no agent had.",
    ),
    *(
        Kpi(
            name=m.name,
            family="transfers",
            help=f"Legs that ended by a transfer: {m.help}.",
            unit="contacts",
            formula=Count((m.name,)),
            attribution="event",
        )
        for m in (*BY_KIND.values(), *BY_TARGET.values())
    ),
    Kpi(
        name="transfer_ratio",
        family="transfers",
        help="Legs that ended by a transfer over all legs that ended; an overflow or a time-out "
        "is no transfer. Amazon contacts transferred out by agent over contacts handled.",
        unit="ratio",
        formula=Ratio((LEGS_TRANSFERRED.name,), (LEGS.name,)),
        attribution="event",
        cuts=(*QUEUE_AND_CHANNEL, ISSUE_TYPE, AGENT),
        metric="cc_window_transfer_ratio",
    ),
)
