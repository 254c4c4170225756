"""First-contact resolution: was one contact enough?

There is no one FCR.  By the repeat-contact method a contact was enough if the customer did not
contact us again within W days (SQM: 1 to 30, typically 30; Zendesk's guides: 3 to 7); W dominates
the figure, so it is in the name.  By survey it is the share of customers who say that their issue
is solved (SQM), by the agent's own mark that of contacts whose agent says so, and by phrase that of
contacts after which nobody said "I called before" (Call Centre Helper).

By repeats: what is judged are contacts that the customer made and a person dealt with; an abandoned
call is not resolved, it is not there.  Any further contact of the customer counts against it, by
whatever channel, dealt with or not; a call of ours does not.  The variants of the same issue need
its type: contacts without one are not judged, and count against none.  Queue and channel are those
the contact came to first, the agent is the last.

A day's figure is provisional until W days after the day, when the last of its contacts is mature;
what is told later corrects it.  A customer is known by a pseudonym: people who share a number are
one, somebody with two is two, and who withholds it is in none of this; how many these are
``contacts_customer_unknown`` says.  Of a machine that calls without end the first two thousand
contacts of two months count.
"""

from __future__ import annotations

from typing import Any

from streams.core.facts import ContactFollowed, ContactSeen, ResolutionStated, SelfServed
from streams.core.kpi import Count, Formula, Kpi, Ratio
from streams.core.measure import (
    AGENT,
    CHANNEL,
    ISSUE_TYPE,
    QUEUE,
    Cut,
    Is,
    Known,
    Measure,
    bucket_names,
)
from streams.core.terms import DAY_MS

FAMILY = "fcr"
DAYS = (1, 3, 7, 14, 30)
CUTS = (QUEUE, CHANNEL, ISSUE_TYPE, AGENT)
REPEAT_REASON = Cut("repeat_reason", ("reason", "channel"))
BOUNDS_MS = tuple(days * DAY_MS for days in DAYS)
SHOWN_DAYS = (1, 7, 30)
"""Of which there are gauges."""
DAY = ("day",)
"""A day is the shortest span of which a rate with W of days says anything."""

HANDLED = Measure(
    "fcr_handled",
    ContactFollowed,
    "arrived_ms",
    "contacts of known customers that a person dealt with",
    cuts=CUTS,
)
AGAIN = Measure(
    "fcr_again",
    ContactFollowed,
    "arrived_ms",
    "of those, how long until the customer's next contact",
    "again_ms",
    cuts=CUTS,
    bounds_ms=BOUNDS_MS,
)
HANDLED_ISSUE = Measure(
    "fcr_handled_issue_known",
    ContactFollowed,
    "arrived_ms",
    "contacts dealt with whose type of issue is known",
    where=(Known("issue_type"),),
    cuts=CUTS,
)
AGAIN_SAME = Measure(
    "fcr_again_same_issue",
    ContactFollowed,
    "arrived_ms",
    "of those, how long until the customer's next contact about the same type of issue",
    "same_ms",
    cuts=CUTS,
    bounds_ms=BOUNDS_MS,
)
DOUBTED = Measure(
    "fcr_doubted",
    ContactFollowed,
    "arrived_ms",
    "contacts dealt with that were not the last, as the customer said in a later one",
    where=(Is("doubted", True),),
    cuts=CUTS,
)
REASONS = Measure(
    "repeat_contacts_with_reason",
    ContactSeen,
    "at_ms",
    "contacts that followed another one of the customer within 30 days, by reason",
    where=(Is("repeat_30d", True),),
    cuts=(REPEAT_REASON,),
)
SELF_SERVED = Measure(
    "self_served",
    SelfServed,
    "arrived_ms",
    "contacts of known customers that a menu or a bot served",
    cuts=(CHANNEL,),
)
CONFIRMED = SELF_SERVED._replace(
    name="self_served_confirmed",
    help="of those, where nobody else was needed, then and for 24 hours",
    where=(Is("confirmed", True),),
)


def _stated(name: str, by: str, help_text: str) -> tuple[Measure, Measure]:
    """How many said something, and how many of them yes."""
    said = Measure(name, ResolutionStated, "at_ms", help_text, where=(Is("by", by),), cuts=CUTS)
    yes = said._replace(
        name=f"{name}_yes",
        help=f"{help_text}: yes",
        where=(*said.where, Is("resolved", True)),
    )
    return said, yes


SURVEYED, SURVEYED_YES = _stated(
    "fcr_survey", "customer", "contacts whose customer said whether the issue is solved"
)
MARKED, MARKED_YES = _stated(
    "fcr_agent_mark", "agent", "contacts whose agent said whether the issue is solved"
)
MEASURES = (
    HANDLED, AGAIN, HANDLED_ISSUE, AGAIN_SAME, DOUBTED, REASONS, SELF_SERVED, CONFIRMED,
    SURVEYED, SURVEYED_YES, MARKED, MARKED_YES,
)  # fmt: skip


def _shown(method: str) -> dict[str, Any]:
    """The gauge of a way to judge; of a day that is not mature it falls as repeats come in."""
    return {"metric": "cc_window_fcr_ratio", "labels": (("method", method),)}


def _mature(
    name: str, help_text: str, formula: Formula, days: int, excludes: str, **gauge: Any
) -> Kpi:
    """A KPI of contacts by the day they arrived, final when they are ``days`` old."""
    return Kpi(
        name=name,
        family=FAMILY,
        help=help_text,
        unit="contacts" if isinstance(formula, Count) else "ratio",
        formula=formula,
        attribution="cohort",
        cuts=CUTS,
        windows=DAY,
        excludes=excludes,
        matures_ms=days * DAY_MS,
        **gauge,
    )


def _without_repeat(handled: Measure, again: Measure, days: int) -> Ratio:
    soon = bucket_names(again)[: DAYS.index(days) + 1]
    return Ratio((handled.name, *(f"-{name}" for name in soon)), (handled.name,))


_NOT_JUDGED = (
    "Contacts nobody dealt with, calls of ours, transfers of another contact, unknown customers."
)


def _said(measure: Measure, unit: str) -> Kpi:
    return Kpi(
        name=f"{measure.name}_{'answers' if unit == 'surveys' else 'contacts'}",
        family=FAMILY,
        help=f"{measure.help[0].upper()}{measure.help[1:]}, by the last word.",
        unit=unit,
        formula=Count((measure.name,)),
        attribution="event",
        cuts=CUTS,
        windows=("hour", "day"),
    )


def _share(measure: Measure, yes: Measure, help_text: str) -> Kpi:
    return Kpi(
        name=f"{measure.name}_ratio",
        family=FAMILY,
        help=help_text,
        unit="ratio",
        formula=Ratio((yes.name,), (measure.name,)),
        attribution="event",
        cuts=CUTS,
        windows=("hour", "day"),
    )


KPIS = (
    _mature(
        "fcr_handled_contacts",
        "Contacts of known customers that a person dealt with: what FCR by repeats is a share of.",
        Count((HANDLED.name,)),
        1,
        _NOT_JUDGED,
    ),
    *(
        _mature(
            f"fcr_ratio_{days}d",
            f"Share of contacts after which the customer did not contact us within {days} d, "
            "about anything.",
            _without_repeat(HANDLED, AGAIN, days),
            days,
            _NOT_JUDGED,
            **(_shown(f"no_repeat_{days}d") if days in SHOWN_DAYS else {}),
        )
        for days in DAYS
    ),
    *(
        _mature(
            f"fcr_same_issue_ratio_{days}d",
            f"Share of contacts after which the customer did not contact us within {days} d "
            "about the same type of issue.",
            _without_repeat(HANDLED_ISSUE, AGAIN_SAME, days),
            days,
            f"{_NOT_JUDGED[:-1]}, issues of unknown type.",
        )
        for days in DAYS
    ),
    _mature(
        "fcr_phrase_ratio_30d",
        "Share of contacts after which the customer did not say, within 30 d, that they had been "
        "in touch before. Counts against the last contact that a person dealt with.",
        Ratio((HANDLED.name, f"-{DOUBTED.name}"), (HANDLED.name,)),
        30,
        _NOT_JUDGED,
    ),
    _said(SURVEYED, "surveys"),
    _share(
        SURVEYED,
        SURVEYED_YES,
        "Share of customers who say that their issue is solved, of those who answered, when they "
        "did. SQM.",
    )._replace(metric="cc_window_fcr_survey_ratio"),
    _said(MARKED, "contacts"),
    _share(
        MARKED,
        MARKED_YES,
        "Share of contacts whose agent says that the issue is solved, of those marked. Worth "
        "holding against the repeats.",
    ),
    Kpi(
        name="repeat_contacts_by_reason_30d",
        family=FAMILY,
        help="Contacts that followed another one of the customer within 30 d, by the reason why "
        "one was not enough.",
        unit="contacts",
        formula=Count((REASONS.name,)),
        attribution="event",
        cuts=(REPEAT_REASON,),
        windows=DAY,
        excludes="Contacts without a reason.",
    ),
    Kpi(
        name="containment_confirmed_24h_ratio",
        family=FAMILY,
        help="Share of contacts served by a menu or a bot where the customer wanted no person, "
        "then and for 24 hours. Hanging up in the menu is containment only if so.",
        unit="ratio",
        formula=Ratio((CONFIRMED.name,), (SELF_SERVED.name,)),
        attribution="cohort",
        cuts=(CHANNEL,),
        windows=DAY,
        excludes="Unknown customers.",
        matures_ms=DAY_MS,
    ),
)
