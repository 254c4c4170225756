"""How many came: contacts, visits to a queue, and the equation that must always hold.

A *contact* is counted once, however many queues it sees; a *visit* each time it enters one.  A
contact sent through two queues is one contact and two visits (Teams calls them ``tot_callers`` and
``tot_calls``).

Offered = answered + left + open.  ``contacts_open`` is what is missing: never below 0, and 0 once
the interval is over and every visit of it has ended.  It is exported so that a running worker
checks itself.
"""

from __future__ import annotations

from streams.core.facts import (
    ContactArrived,
    ContactExcluded,
    VisitAnswered,
    VisitLeft,
    VisitOffered,
)
from streams.core.kpi import Count, Kpi
from streams.core.measure import DIRECTION, QUEUE_AND_CHANNEL, Cut, Is, Measure

EXCLUDED = Cut("excluded", ("reason", "channel"))

ARRIVED = Measure(
    "contacts_arrived",
    ContactArrived,
    "entered_ms",
    "contacts, at the time of their first visit",
    cuts=(*QUEUE_AND_CHANNEL, DIRECTION),
)
OUT_OF_HOURS = Measure(
    "contacts_arrived_out_of_hours",
    ContactArrived,
    "entered_ms",
    "contacts that came while the queue was closed",
    where=(Is("in_hours", False),),
)
LEFT_OUT = Measure(
    "contacts_excluded",
    ContactExcluded,
    "at_ms",
    "contacts that count nowhere",
    cuts=(EXCLUDED,),
)
OFFERED = Measure("contacts_offered", VisitOffered, "entered_ms", "visits that began")
REPEATS = Measure(
    "repeat_entries",
    VisitOffered,
    "entered_ms",
    "visits of a contact that had been in this queue before",
    where=(Is("repeat", True),),
)
INFERRED = Measure(
    "inferred_entries",
    VisitOffered,
    "entered_ms",
    "visits whose beginning was never reported",
    where=(Is("inferred", True),),
)
COHORT_ANSWERED = Measure(
    "cohort_answered", VisitAnswered, "entered_ms", "answered visits, at the time they began"
)
COHORT_LEFT = Measure(
    "cohort_left", VisitLeft, "entered_ms", "visits that ended unanswered, at the time they began"
)

MEASURES = (
    ARRIVED,
    OUT_OF_HOURS,
    LEFT_OUT,
    OFFERED,
    REPEATS,
    INFERRED,
    COHORT_ANSWERED,
    COHORT_LEFT,
)

KPIS = (
    Kpi(
        name="contacts_arrived",
        family="volume",
        help="Contacts, each counted once, in the first queue it entered; a consult call between "
        "agents is none. Teams tot_callers; Amazon distinct initial contact ids.",
        unit="contacts",
        formula=Count((ARRIVED.name,)),
        attribution="event",
        cuts=(*QUEUE_AND_CHANNEL, DIRECTION),
        metric="cc_window_contacts_arrived",
        excludes="Tests, spam, contacts merged into others, consult calls between agents.",
    ),
    Kpi(
        name="contacts_arrived_out_of_hours",
        family="volume",
        help="Contacts that came while the calendar of their queue was closed; part of "
        "contacts_arrived. 0 where no calendar is set: such a queue never closes.",
        unit="contacts",
        formula=Count((OUT_OF_HOURS.name,)),
        attribution="event",
    ),
    Kpi(
        name="contacts_excluded",
        family="volume",
        help="Contacts that count nowhere, by the reason: test, spam, or merged into another one. "
        "What was counted of them before that was known is taken back.",
        unit="contacts",
        formula=Count((LEFT_OUT.name,)),
        attribution="event",
        cuts=(EXCLUDED,),
    ),
    Kpi(
        name="contacts_offered",
        family="volume",
        help="Visits that began: a contact counts once per time it entered the queue. "
        "Genesys Offered, Amazon contacts queued, Teams tot_calls.",
        unit="contacts",
        formula=Count((OFFERED.name,)),
        attribution="event",
        metric="cc_window_contacts_offered",
    ),
    Kpi(
        name="repeat_entries",
        family="volume",
        help="Visits of a contact that had been in the same queue before; part of "
        "contacts_offered. Systems that join on call id and queue count these wrongly.",
        unit="contacts",
        formula=Count((REPEATS.name,)),
        attribution="event",
    ),
    Kpi(
        name="inferred_entries",
        family="volume",
        help="Diagnostic: visits whose beginning was never reported and was inferred from a later "
        "event; part of contacts_offered. Wazo infers the same way.",
        unit="contacts",
        formula=Count((INFERRED.name,)),
        attribution="event",
    ),
    Kpi(
        name="contacts_open",
        family="volume",
        help="Visits offered in the interval that have not ended yet: offered less answered less "
        "left. Never below 0: if it is, the processor counts wrongly.",
        unit="contacts",
        formula=Count((OFFERED.name, "-" + COHORT_ANSWERED.name, "-" + COHORT_LEFT.name)),
        attribution="cohort",
        metric="cc_window_contacts_open",
    ),
)
