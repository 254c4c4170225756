"""Abandonment: the customer gave up while waiting.

Only that: a time-out, a key pressed, an empty queue, a technical failure or a request for a
callback is another outcome (``outcomes``), although the raw counters of Asterisk and FreeSWITCH
call most of them abandoned.

Counts belong to the interval of the abandonment; ratios and waits to the interval the visit was
offered in.  The denominator holds the visits that have ended, so a visit still waiting is not taken
for one that did not abandon. No two vendors agree on the limit of a short abandonment: S is a term
of the queue.
"""

from __future__ import annotations

from streams.core.facts import VisitLeft
from streams.core.kpi import Count, Distribution, Kpi, Mean, Ratio
from streams.core.measure import Known, Measure
from streams.kpis.service_level import ABANDONED, ABANDONED_SHORT, COHORT_ABANDONED, SHORT
from streams.kpis.speed import BOUNDS_MS
from streams.kpis.volume import COHORT_ANSWERED, COHORT_LEFT

COUNT = Measure("contacts_abandoned", VisitLeft, "left_ms", "abandoned visits", where=(ABANDONED,))
COUNT_SHORT = Measure(
    "contacts_abandoned_short",
    VisitLeft,
    "left_ms",
    "visits abandoned within S",
    where=(ABANDONED, SHORT),
)
WAIT_MS = Measure(
    "cohort_abandonment_wait_ms",
    VisitLeft,
    "entered_ms",
    "waits of abandoned visits in ms, at the time they began",
    value="wait_ms",
    where=(ABANDONED,),
)
WAITS = Measure(
    "cohort_abandonment_waits",
    VisitLeft,
    "entered_ms",
    "abandoned visits whose wait is known, at the time they began",
    where=(ABANDONED, Known("wait_ms")),
)
WAIT = Measure(
    "cohort_abandonment_wait",
    VisitLeft,
    "entered_ms",
    "waits of abandoned visits by length, at the time they began",
    value="wait_ms",
    where=(ABANDONED,),
    bounds_ms=BOUNDS_MS,
)

MEASURES = (
    COUNT,
    COUNT_SHORT,
    COHORT_ANSWERED,
    COHORT_LEFT,
    COHORT_ABANDONED,
    ABANDONED_SHORT,
    WAIT_MS,
    WAITS,
    WAIT,
)

KPIS = (
    Kpi(
        name="contacts_abandoned",
        family="abandonment",
        help="Visits the customer gave up while waiting, when they were given up. Amazon contacts "
        "abandoned, Genesys ABANDON; not Asterisk's raw counter, which adds time-outs and others.",
        unit="contacts",
        formula=Count((COUNT.name,)),
        attribution="event",
        metric="cc_window_contacts_abandoned",
    ),
    Kpi(
        name="contacts_abandoned_short",
        family="abandonment",
        help="Visits given up within the queue's limit S; part of contacts_abandoned. Genesys "
        "short abandons.",
        unit="contacts",
        formula=Count((COUNT_SHORT.name,)),
        attribution="event",
    ),
    Kpi(
        name="abandonment_ratio",
        family="abandonment",
        help="Abandoned over all visits that ended, whatever the way. "
        "Amazon ABANDONMENT_RATE (contacts queued), Genesys (offered).",
        unit="ratio",
        formula=Ratio((COHORT_ABANDONED.name,), (COHORT_ANSWERED.name, COHORT_LEFT.name)),
        attribution="cohort",
        metric="cc_window_abandonment_ratio",
    ),
    Kpi(
        name="abandonment_ratio_short_excluded",
        family="abandonment",
        help="Abandoned later than S, over all visits that ended except those abandoned within S. "
        "Google CCAIP, Genesys without short abandons.",
        unit="ratio",
        formula=Ratio(
            (COHORT_ABANDONED.name, "-" + ABANDONED_SHORT.name),
            (COHORT_ANSWERED.name, COHORT_LEFT.name, "-" + ABANDONED_SHORT.name),
        ),
        attribution="cohort",
    ),
    Kpi(
        name="abandonment_wait_mean",
        family="abandonment",
        help="How long customers waited before they gave up, on average. Amazon average queue "
        "abandon time.",
        unit="seconds",
        formula=Mean((WAIT_MS.name,), (WAITS.name,)),
        attribution="cohort",
        metric="cc_window_abandonment_wait_mean_seconds",
    ),
    Kpi(
        name="abandonment_wait_distribution",
        family="abandonment",
        help="Abandoned visits by how long they had waited; a bucket holds waits up to and "
        "including its bound.",
        unit="contacts",
        formula=Distribution(WAIT),
        attribution="cohort",
    ),
)
