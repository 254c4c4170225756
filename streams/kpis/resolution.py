"""Tickets: how many are created, solved, reopened and lost, and how long it takes.

A *ticket* is a contact on a written channel, or one with a status; what solves and reopens it says
``streams.core.ticket``.

**One set for one number.**  A mean's durations, its denominator and the count beside it are the
same facts, dated by the same solving.  Dashboards that count by today's status and date by another
event disagree with themselves (chatwoot#12261, freescout#4125).  A reopened ticket stays solved for
the first time when it was; what is said of its last solving goes away, and comes back with the
next.

==========================  ===================================================  ==============
resolution time             measured                                              used by
==========================  ===================================================  ==============
``first_resolution``        creation to first solving, each ticket once           Zendesk
``full_resolution``         creation to last solving, tickets solved now          Zendesk
``resolution_chatwoot``     creation to solving, each solving again               Chatwoot
``..._after_handoff``       first hand-off by a bot to first solving, tickets     asked for in
                            that a bot handed over                                chatwoot#7679
==========================  ===================================================  ==============

``business`` is open time by the calendar of the queue that solved it; the others are calendar time.

Created + reopened = solved + lost + ended unanswered + change of the backlog (family ``backlog``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from streams.core.kpi import Count, Distribution, Kpi, Mean, Quantile, Ratio
from streams.core.measure import (
    AGENT,
    CHANNEL,
    ISSUE_TYPE,
    QUEUE,
    TEAM,
    Condition,
    Is,
    Known,
    Measure,
)
from streams.core.terms import DAY_MS, HOUR_MS, MINUTE_MS
from streams.core.ticket_facts import (
    TicketCreated,
    TicketGivenUp,
    TicketReopened,
    TicketResolved,
    TicketSolved,
)

FAMILY = "resolution"
BOUNDS_MS = (
    *(m * MINUTE_MS for m in (5, 15, 30)),
    *(h * HOUR_MS for h in (1, 2, 4, 8, 12)),
    *(d * DAY_MS for d in (1, 2, 3, 5, 7, 14, 30, 90)),
)
"""Buckets: from a chat to a ticket that lay for a quarter.  Others are another meaning."""
TICKET_CUTS = (QUEUE, CHANNEL, TEAM, ISSUE_TYPE)
CUTS = (*TICKET_CUTS, AGENT)
"""The agent is who solved it."""
BALANCED_CUTS = (CHANNEL, ISSUE_TYPE)
"""Cuts that a ticket stays in from beginning to end: the latest issue type counts throughout."""

_FIRST = Is("first", True)


def _created(name: str, help: str) -> Measure:
    return Measure(name, TicketCreated, "created_ms", help, cuts=TICKET_CUTS)


def _solved(name: str, help: str, *where: Condition, value: str | None = None) -> Measure:
    return Measure(name, TicketSolved, "solved_ms", help, value, where, CUTS)


def _resolved(name: str, help: str, *where: Condition, value: str | None = None) -> Measure:
    return Measure(name, TicketResolved, "solved_ms", help, value, where, CUTS)


def _given_up(name: str, help: str, outcome: str) -> Measure:
    where = (Is("outcome", outcome),)
    return Measure(name, TicketGivenUp, "at_ms", help, where=where, cuts=TICKET_CUTS)


CREATED = _created("tickets_created", "tickets that began, in the first queue each was in")
SOLVED = _solved("tickets_solved", "solvings; a ticket solved again counts again")
SOLVED_FIRST = _solved("tickets_solved_first", "tickets solved for the first time", _FIRST)
RESOLVED = _resolved("tickets_resolved", "tickets that are solved, at their last solving")
REOPENED = Measure(
    "tickets_reopened",
    TicketReopened,
    "at_ms",
    "solved or closed tickets that were not so any more",
    cuts=CUTS,
)
LOST = _given_up("tickets_lost", "tickets that nothing more was heard of, unsolved", "lost")
UNANSWERED = _given_up(
    "tickets_ended_unanswered",
    "conversations without a status that ended before anybody had answered",
    "unanswered",
)
COHORT_SOLVED = Measure(
    "cohort_tickets_solved",
    TicketSolved,
    "created_ms",
    "tickets that were solved at some time, when they were created",
    where=(_FIRST,),
    cuts=BALANCED_CUTS,
)
COHORT_GIVEN_UP = Measure(
    "cohort_tickets_given_up",
    TicketGivenUp,
    "created_ms",
    "tickets that were given up and never solved, when they were created",
    where=(Is("never_solved", True),),
    cuts=BALANCED_CUTS,
)
EVER_REOPENED = _solved(
    "tickets_solved_and_reopened",
    "tickets solved for the first time and reopened at some time after",
    Known("reopened_after_ms"),
)
REOPENED_7D = _solved(
    "tickets_solved_and_reopened_7d",
    "tickets solved for the first time and reopened within seven days",
    Is("reopened_within_7d", True),
)


class _Timed(NamedTuple):
    """A duration: its sum, how many of them are known, and the mean."""

    total: Measure
    times: Measure
    kpi: Kpi


Make = Callable[..., Measure]


def _timed(name: str, make: Make, field: str, help: str, *where: Condition) -> _Timed:
    total = make(f"{name}_ms", f"sum of {field}", *where, value=field)
    times = make(f"{name}_times", f"how many {field} are known", *where, Known(field))
    kpi = Kpi(
        name=f"{name}_mean",
        family=FAMILY,
        help=help,
        unit="seconds",
        formula=Mean((total.name,), (times.name,)),
        attribution="event",
        cuts=CUTS,
        excludes="Durations below 0 (a clock was wrong).",
    )
    return _Timed(total, times, kpi)


def _both(
    name: str, make: Make, field: str, help: str, zendesk: str, *where: Condition
) -> Iterator[_Timed]:
    """By the calendar, and in open time; Zendesk has both."""
    yield _timed(name, make, f"{field}_ms", f"{help}. Zendesk {zendesk}.", *where)
    yield _timed(
        f"{name}_business",
        make,
        f"{field}_business_ms",
        f"{help}, open time only. Zendesk {zendesk}, business hours.",
        *where,
    )


TIMED = (
    *_both(
        "first_resolution",
        _solved,
        "resolution",
        "Creation to the first solving, at that solving",
        "first resolution time",
        _FIRST,
    ),
    *_both(
        "full_resolution",
        _resolved,
        "resolution",
        "Creation to the last solving, of tickets solved now",
        "full resolution time",
    ),
    *_both(
        "requester_wait",
        _resolved,
        "requester_wait",
        "Time in new, open and on-hold until the last solving, of tickets solved now",
        "requester wait time",
    ),
    *_both(
        "agent_wait",
        _resolved,
        "agent_wait",
        "Time in pending, when an agent waits for the customer, until the last solving",
        "agent wait time",
    ),
    *_both(
        "on_hold_time",
        _resolved,
        "on_hold",
        "Time in on-hold until the last solving; also part of the requester wait",
        "on-hold time",
    ),
    _timed(
        "first_resolution_after_handoff",
        _solved,
        "after_handoff_ms",
        "First hand-off by a bot to the first solving, of tickets that a bot handed over: without "
        "the time the bot took (asked for in chatwoot#7679).",
        _FIRST,
    ),
    _timed(
        "resolution_chatwoot",
        _solved,
        "resolution_ms",
        "Creation to solving, at each solving: a reopened ticket counts again, with all the time "
        "since it was created. Chatwoot conversation_resolved.",
    ),
)


_SPREAD: tuple[tuple[str, Make, str, tuple[Condition, ...]], ...] = (
    ("first_resolution", _solved, "resolution_ms", (_FIRST,)),
    ("first_resolution_business", _solved, "resolution_business_ms", (_FIRST,)),
    ("full_resolution", _resolved, "resolution_ms", ()),
    ("full_resolution_business", _resolved, "resolution_business_ms", ()),
)
SPREADS = {
    name: make(f"{name}_spread", f"{field} by length", *where, value=field)._replace(
        bounds_ms=BOUNDS_MS
    )
    for name, make, field, where in _SPREAD
}

_SOLVED_EASILY = {
    "one_touch": (
        Is("one_touch", True),
        "with less than two replies",
        "Zendesk one-touch tickets; none at all counts too, and thanks that nobody answered",
    ),
    "one_touch_exactly_one": (
        Is("replies", 1),
        "with exactly one reply",
        "One edition of Zendesk's help has one-touch this way",
    ),
    "reopen_free": (Is("reopens", 0), "never reopened", "As of their last solving"),
    "no_further_interaction": (
        Is("no_further_interaction", True),
        "with no message of the customer after the first",
        "Freshservice first contact resolution",
    ),
    "closed_once_by_one": (
        Is("closed_once_by_one", True),
        "never reopened, in which one agent alone answered or wrote",
        "Intercom: closed once with one participating teammate",
    ),
}
"""Share -> which of the solved tickets are in it, in words, and whose it is."""
EASILY = {
    name: _resolved(f"tickets_{name}", f"solved tickets {words}", condition)
    for name, (condition, words, _) in _SOLVED_EASILY.items()
}

COUNTS = (CREATED, SOLVED, SOLVED_FIRST, RESOLVED, REOPENED, LOST, UNANSWERED)
MEASURES = (
    *COUNTS,
    COHORT_SOLVED,
    COHORT_GIVEN_UP,
    EVER_REOPENED,
    REOPENED_7D,
    *(measure for timed in TIMED for measure in (timed.total, timed.times)),
    *SPREADS.values(),
    *EASILY.values(),
)


def _count(measure: Measure, metric: str | None = None) -> Kpi:
    return Kpi(
        name=measure.name,
        family=FAMILY,
        help=f"{measure.help[0].upper()}{measure.help[1:]}.",
        unit="contacts",
        formula=Count((measure.name,)),
        attribution="event",
        cuts=measure.cuts,
        metric=metric,
    )


def _share(name: str, help: str, over: Measure, under: Measure) -> Kpi:
    return Kpi(
        name=name,
        family=FAMILY,
        help=help,
        unit="ratio",
        formula=Ratio((over.name,), (under.name,)),
        attribution="cohort",
        cuts=CUTS,
    )


def _spread_kpis(name: str, measure: Measure) -> tuple[Kpi, ...]:
    kpi = Kpi(
        name=f"{name}_distribution",
        family=FAMILY,
        help=f"Tickets by their {name.replace('_', ' ')} time; a bucket holds times up to and "
        "including its bound.",
        unit="contacts",
        formula=Distribution(measure),
        attribution="event",
        cuts=CUTS,
    )
    quantiles = (
        kpi._replace(
            name=f"{name}_p{percent}",
            help=f"Within this {name.replace('_', ' ')} time {percent} % of the tickets were "
            "solved: the upper bound of the bucket that holds it.",
            unit="seconds",
            formula=Quantile(measure, percent / 100),
        )
        for percent in (50, 90)
    )
    return kpi, *quantiles


KPIS = (
    *(_count(m, "cc_window_contacts_solved" if m is SOLVED else None) for m in COUNTS),
    Kpi(
        name="tickets_net_change",
        family=FAMILY,
        help="Created and reopened less solved and given up: by how much the backlog grew. Created "
        "against solved.",
        unit="contacts",
        formula=Count(
            (CREATED.name, REOPENED.name, *(f"-{m.name}" for m in (SOLVED, LOST, UNANSWERED)))
        ),
        attribution="event",
        cuts=BALANCED_CUTS,
    ),
    Kpi(
        name="tickets_never_solved",
        family=FAMILY,
        help="Tickets created in the interval that were neither solved nor given up yet. Never "
        "below 0: if it is, the processor counts wrongly.",
        unit="contacts",
        formula=Count((CREATED.name, f"-{COHORT_SOLVED.name}", f"-{COHORT_GIVEN_UP.name}")),
        attribution="cohort",
        cuts=BALANCED_CUTS,
    ),
    *(timed.kpi for timed in TIMED),
    *(kpi for name, measure in SPREADS.items() for kpi in _spread_kpis(name, measure)),
    _share(
        "reopen_ratio",
        "Tickets that were reopened at some time after, over tickets solved for the first time in "
        "the interval; each ticket once. A later reopening corrects it.",
        EVER_REOPENED,
        SOLVED_FIRST,
    )._replace(metric="cc_window_reopen_ratio"),
    _share(
        "reopen_ratio_7d",
        "Tickets that were reopened within seven days, over tickets solved for the first time in "
        "the interval.",
        REOPENED_7D,
        SOLVED_FIRST,
    )._replace(matures_ms=7 * DAY_MS),
    *(
        _share(
            f"{name}_ratio",
            f"Solved tickets {words}, over solved tickets. {whose}.",
            EASILY[name],
            RESOLVED,
        )
        for name, (_, words, whose) in _SOLVED_EASILY.items()
    ),
)
