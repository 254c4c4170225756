"""Customers: how many contacts follow an earlier one of the same customer.

A repeat within W days is the raw material of first-contact resolution by the repeat-contact method
(SQM: W of 1 to 30 days; Zendesk's guides: 3 to 7).  W dominates the figure, so it is in the name.
Customers are known by keyed pseudonyms only; without a key there is nothing to tell them apart by,
and none of these exist.
"""

from __future__ import annotations

from streams.core.facts import ContactSeen
from streams.core.kpi import Count, Kpi, Ratio
from streams.core.measure import CHANNEL, Is, Measure

FAMILY = "customers"
DAYS = (1, 7, 30)

SEEN = Measure(
    "customer_contacts", ContactSeen, "at_ms", "Contacts of known customers.", cuts=(CHANNEL,)
)
REPEATS = {
    days: Measure(
        f"repeat_contacts_{days}d",
        ContactSeen,
        "at_ms",
        f"Contacts of customers who had another one in the {days} days before.",
        where=(Is(f"repeat_{days}d", True),),
        cuts=(CHANNEL,),
    )
    for days in DAYS
}
MEASURES = (SEEN, *REPEATS.values())

KPIS = (
    Kpi(
        name="customer_contacts",
        family=FAMILY,
        help="Contacts of known customers, when they arrived.",
        unit="contacts",
        formula=Count((SEEN.name,)),
        attribution="event",
        cuts=(CHANNEL,),
    ),
    *(
        Kpi(
            name=f"repeat_contact_ratio_{days}d",
            family=FAMILY,
            help=f"Share of contacts whose customer had contacted us in the {days} days before.",
            unit="ratio",
            formula=Ratio((measure.name,), (SEEN.name,)),
            attribution="event",
            cuts=(CHANNEL,),
        )
        for days, measure in REPEATS.items()
    ),
)
