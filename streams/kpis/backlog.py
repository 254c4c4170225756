"""What is not solved now, and how old it is.  States, not sums: only the latest counts.

In the backlog is every ticket of a written channel that is not solved, whatever it waits for; its
age counts from its creation, also if it was solved in between.  What nobody has told anything of
for too long is lost, or a lost event would stay for ever (domain notes, 1.12).
"""

from __future__ import annotations

from streams.core.kpi import NOW, Kpi, Level, Oldest
from streams.core.levels import AGES_MS
from streams.core.measure import Measure

MEASURES: tuple[Measure, ...] = ()
REGISTERS = ("backlog", "oldest_backlog_ms", *(f"backlog_older_{age}" for age in AGES_MS))
"""Values the contacts stage posts for each queue and channel (``streams.core.levels``)."""

KPIS = (
    Kpi(
        name="tickets_backlog",
        family="backlog",
        help="Tickets of written channels now that are not solved, whatever they wait for. Zendesk "
        "unsolved tickets.",
        unit="contacts",
        formula=Level("backlog"),
        attribution="now",
        windows=NOW,
        metric="cc_contacts_backlog",
    ),
    *(
        Kpi(
            name=f"tickets_backlog_older_{age}",
            family="backlog",
            help=f"Tickets in the backlog now that were created more than {age[:-1]} days ago.",
            unit="contacts",
            formula=Level(f"backlog_older_{age}"),
            attribution="now",
            windows=NOW,
        )
        for age in AGES_MS
    ),
    Kpi(
        name="oldest_in_backlog",
        family="backlog",
        help="Age of the oldest ticket in the backlog since it was created; none: no value.",
        unit="seconds",
        formula=Oldest("oldest_backlog_ms"),
        attribution="now",
        windows=NOW,
        metric="cc_oldest_in_backlog_seconds",
    ),
)
