"""Customers: how often they contact us, and who comes back.

A repeat within W days is the raw material of first-contact resolution by the repeat-contact method
(SQM: W of 1 to 30 days; Zendesk's guides: 3 to 7).  W dominates the figure, so it is in the name.
Here it is the second contact that counts, when it arrives; in ``fcr`` it is the first.

Customers are known by keyed pseudonyms only; without a key there is nothing to tell them apart by,
and all contacts are of unknown customers.  Contacts that the customer did not make (calls of ours,
transfers under a new name) are not there.
"""

from __future__ import annotations

from streams.core.facts import ContactArrived, ContactSeen
from streams.core.kpi import Average, Count, Kpi, Ratio
from streams.core.measure import CHANNEL, Cut, Is, Measure

FAMILY = "customers"
DAYS = (1, 7, 30)
DAY = ("day",)
"""Customers are counted once a day, so there is no other window."""
EVERYWHERE = Cut("everywhere", ())

SEEN = Measure(
    "customer_contacts",
    ContactSeen,
    "at_ms",
    "Contacts of known customers.",
    cuts=(CHANNEL, EVERYWHERE),
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
UNKNOWN = Measure(
    "contacts_customer_unknown",
    ContactArrived,
    "entered_ms",
    "contacts of which nobody knows whose they are",
    where=(Is("identified", False),),
    cuts=(CHANNEL,),
)


def _customers(name: str, first: str, cut: Cut) -> tuple[Measure, Measure]:
    """Customers of a local day, and those of them who had contacted us in the 30 days before."""
    all_of_them = Measure(
        name,
        ContactSeen,
        "at_ms",
        "customers, each once a day",
        where=(Is(first, True),),
        cuts=(cut,),
    )
    returning = all_of_them._replace(
        name=f"{name}_returning",
        help="of those, who had contacted us in the 30 days before",
        where=(Is(first, True), Is("repeat_30d", True)),
    )
    return all_of_them, returning


CUSTOMERS, RETURNING = _customers("customers", "first_on_channel", CHANNEL)
ALL_CUSTOMERS, ALL_RETURNING = _customers("customers_everywhere", "first_of_day", EVERYWHERE)
MEASURES = (
    SEEN, *REPEATS.values(), UNKNOWN, CUSTOMERS, RETURNING, ALL_CUSTOMERS, ALL_RETURNING,
)  # fmt: skip


def _of_a_day(suffix: str, where: str, people: Measure, returning: Measure) -> tuple[Kpi, ...]:
    """Who contacted us on a day, how often, and who came back."""
    customers = Kpi(
        name=f"customers{suffix}",
        family=FAMILY,
        help=f"Customers who contacted us {where}, each once a day.",
        unit="customers",
        formula=Count((people.name,)),
        attribution="event",
        cuts=people.cuts,
        windows=DAY,
    )
    return (
        customers,
        customers._replace(
            name=f"contacts_per_customer{suffix}",
            help=f"Contacts {where} for each customer of the day.",
            unit="contacts",
            formula=Average((SEEN.name,), (people.name,)),
        ),
        customers._replace(
            name=f"returning_customer_ratio{suffix}_30d",
            help=f"Share of the customers of the day who, before they first contacted us {where}, "
            "had done so by whatever channel in the 30 days before.",
            unit="ratio",
            formula=Ratio((returning.name,), (people.name,)),
        ),
    )


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
    Kpi(
        name="contacts_customer_unknown",
        family=FAMILY,
        help="Contacts of which nobody knows whose they are (withheld, no key), when they arrived: "
        "they are in no KPI that tells customers apart.",
        unit="contacts",
        formula=Count((UNKNOWN.name,)),
        attribution="event",
        cuts=(CHANNEL,),
        windows=("hour", "day"),
    ),
    *_of_a_day("", "by this channel", CUSTOMERS, RETURNING),
    *_of_a_day("_everywhere", "by any channel", ALL_CUSTOMERS, ALL_RETURNING),
)
