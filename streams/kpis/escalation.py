"""Escalations: steps of a contact to another tier, by tier and reason.

The ratio is by contact and of the interval the contact arrived in: a contact that climbs two tiers
is one, and is above the line only where it is below it.  The field also divides by contacts
*handled* (domain notes, 1.10); a ticket that was escalated unanswered has no place in that one, so
the denominator stands in the name.
"""

from __future__ import annotations

from streams.core.facts import ArrivalEscalated, Escalated
from streams.core.kpi import Count, Kpi, Ratio
from streams.core.measure import AGENT, CHANNEL, ISSUE_TYPE, QUEUE, TEAM, Cut, Measure
from streams.kpis.volume import ARRIVED

TIER = Cut("tier", ("from_tier", "to_tier"))
REASON = Cut("escalation_reason", ("reason", "channel"))
CUTS = (QUEUE, CHANNEL, TIER, REASON, TEAM, ISSUE_TYPE, AGENT)

ESCALATIONS = Measure(
    "escalations", Escalated, "at_ms", "steps of contacts to another tier", cuts=CUTS
)
COHORT_ESCALATED = Measure(
    "cohort_escalated",
    ArrivalEscalated,
    "entered_ms",
    "contacts that were escalated at some time, when they arrived",
)
MEASURES = (ESCALATIONS, COHORT_ESCALATED, ARRIVED)

KPIS = (
    Kpi(
        name="escalations",
        family="escalation",
        help="Steps of contacts to another tier, in the queue the contact was in; a tier or a "
        "reason that was not told is unknown.",
        unit="contacts",
        formula=Count((ESCALATIONS.name,)),
        attribution="event",
        cuts=CUTS,
        excludes="A step to the tier the contact is in already: a second report.",
    ),
    Kpi(
        name="escalation_ratio_arrived",
        family="escalation",
        help="Contacts escalated at least once over contacts that arrived. A later escalation "
        "corrects it.",
        unit="ratio",
        formula=Ratio((COHORT_ESCALATED.name,), (ARRIVED.name,)),
        attribution="cohort",
    ),
)
