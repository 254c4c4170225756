"""Who waits and who is being handled, now.  States, not sums: only the latest counts."""

from __future__ import annotations

from streams.core.kpi import NOW, Kpi, Level, Oldest
from streams.core.measure import Measure

MEASURES: tuple[Measure, ...] = ()
REGISTERS = ("waiting", "oldest_waiting_ms", "waiting_overdue", "handling")
"""Values the contacts stage posts for each queue and channel (``streams.core.levels``)."""

KPIS = (
    Kpi(
        name="contacts_waiting",
        family="waiting",
        help="Contacts waiting in the queue now. Amazon contacts in queue, Genesys Waiting.",
        unit="contacts",
        formula=Level("waiting"),
        attribution="now",
        windows=NOW,
        metric="cc_contacts_waiting",
    ),
    Kpi(
        name="longest_wait",
        family="waiting",
        help="How long the contact at the head of the queue has waited; nobody waiting: no value. "
        "Amazon oldest contact, Genesys longest waiting.",
        unit="seconds",
        formula=Oldest("oldest_waiting_ms"),
        attribution="now",
        windows=NOW,
        metric="cc_longest_wait_seconds",
    ),
    Kpi(
        name="contacts_waiting_beyond_threshold",
        family="waiting",
        help="Contacts waiting now for longer than the queue's T: the service level can only lose "
        "by them.",
        unit="contacts",
        formula=Level("waiting_overdue"),
        attribution="now",
        windows=NOW,
        metric="cc_contacts_waiting_beyond_threshold",
    ),
    Kpi(
        name="contacts_handling",
        family="waiting",
        help="Contacts with an agent now, wrap-up not included. Genesys Interacting.",
        unit="contacts",
        formula=Level("handling"),
        attribution="now",
        windows=NOW,
        metric="cc_contacts_handling",
    ),
)
