"""Handle time: what contacts cost agents, by the agent's leg and by the contact.

A contact transferred once has two legs, each with its own talk and hold.  Legs count when they end,
and wrap-up ends after its leg: around an interval's border a wrap-up may belong to a leg of the
interval before (Genesys moves the whole leg there instead).  The work of all legs together belongs
to the interval the contact arrived in (``contact_handle_time_*``): after transfers the two differ.

A leg whose reported talk time cannot be true is left out of the means, with its hold, and so is its
contact; it is counted in ``durations_refused``.  A leg of 0 s is believed.

Asterisk reports neither hold nor wrap-up: there talk contains the hold, and handle time is talk
time.  Tickets and mails have no legs: that one is assigned to an agent says nothing about how long
they work on it.
"""

from __future__ import annotations

from streams.core.facts import ContactHandled, LegEnded, ValueRefused, WrapUpDone
from streams.core.kpi import Average, Count, Distribution, Kpi, Mean, Quantile
from streams.core.measure import AGENT, ISSUE_TYPE, QUEUE_AND_CHANNEL, Condition, Known, Measure
from streams.kpis.speed import BOUNDS_MS

BY_LEG = (*QUEUE_AND_CHANNEL, ISSUE_TYPE, AGENT)
BY_CONTACT = (*QUEUE_AND_CHANNEL, ISSUE_TYPE)
_TIMED: tuple[Condition, ...] = (Known("talk_ms"),)


def _of_legs(name: str, help: str, value: str | None = None, timed: bool = True) -> Measure:
    where = _TIMED if timed and value != "talk_ms" else ()
    return Measure(name, LegEnded, "ended_ms", help, value=value, where=where, cuts=BY_LEG)


LEGS = _of_legs("legs_ended", "agents' legs that ended", timed=False)
LEGS_TIMED = _of_legs("legs_timed", "ended legs whose talk time is known")
TALK_MS = _of_legs("talk_ms", "talk times in ms", "talk_ms")
HOLD_MS = _of_legs("hold_ms", "hold times in ms", "hold_ms")
TALK = Measure(
    "talk_time", LegEnded, "ended_ms", "talk times by length", value="talk_ms", bounds_ms=BOUNDS_MS
)
WRAP_UP_MS = Measure(
    "wrap_up_ms", WrapUpDone, "at_ms", "wrap-up times in ms", value="wrap_up_ms", cuts=BY_LEG
)
WRAP_UPS = Measure(
    "wrap_ups_timed",
    WrapUpDone,
    "at_ms",
    "wrap-ups whose time is known",
    where=(Known("wrap_up_ms"),),
    cuts=BY_LEG,
)
REFUSED = Measure(
    "durations_refused", ValueRefused, "at_ms", "reported durations that cannot be true"
)


def _of_contacts(
    name: str,
    help: str,
    value: str | None = None,
    where: tuple[Condition, ...] = (),
    bounds_ms: tuple[int, ...] = (),
) -> Measure:
    cuts = QUEUE_AND_CHANNEL if bounds_ms else BY_CONTACT
    return Measure(name, ContactHandled, "entered_ms", help, value, where, cuts, bounds_ms)


HANDLED = _of_contacts("cohort_contacts_handled", "contacts an agent had, at the time they arrived")
HANDLED_LEGS = _of_contacts(
    "cohort_contact_legs", "ended legs of contacts, at the time these arrived", "legs"
)
HANDLED_TIMED = _of_contacts(
    "cohort_contacts_handled_timed",
    "contacts of whose legs all talk times are known, at the time they arrived",
    where=(Known("handle_ms"),),
)
HANDLED_MS = _of_contacts(
    "cohort_contact_handle_ms",
    "handle times of contacts in ms, all legs together, at the time they arrived",
    "handle_ms",
)
HANDLE = _of_contacts(
    "cohort_contact_handle_time",
    "handle times of contacts by length, at the time they arrived",
    "handle_ms",
    bounds_ms=BOUNDS_MS,
)

MEASURES = (
    LEGS, LEGS_TIMED, TALK_MS, TALK, HOLD_MS, WRAP_UP_MS, WRAP_UPS, REFUSED,
    HANDLED, HANDLED_LEGS, HANDLED_TIMED, HANDLED_MS, HANDLE,
)  # fmt: skip

KPIS = (
    Kpi(
        name="legs_ended",
        family="handle-time",
        help="Agents' legs that ended: a contact counts once per agent who took it. Amazon "
        "contacts handled.",
        unit="legs",
        formula=Count((LEGS.name,)),
        attribution="event",
        cuts=BY_LEG,
    ),
    Kpi(
        name="talk_time_mean",
        family="handle-time",
        help="Talk time over legs, without hold where the platform tells them apart. Amazon "
        "average agent talk time.",
        unit="seconds",
        formula=Mean((TALK_MS.name,), (LEGS_TIMED.name,)),
        attribution="event",
        cuts=BY_LEG,
        metric="cc_window_talk_time_mean_seconds",
    ),
    Kpi(
        name="talk_time_distribution",
        family="handle-time",
        help="Legs by talk time; a bucket holds times up to and including its bound.",
        unit="legs",
        formula=Distribution(TALK),
        attribution="event",
    ),
    Kpi(
        name="hold_time_mean",
        family="handle-time",
        help="Hold time over all legs, held or not; Amazon's average hold divides by held "
        "contacts only.",
        unit="seconds",
        formula=Mean((HOLD_MS.name,), (LEGS_TIMED.name,)),
        attribution="event",
        cuts=BY_LEG,
    ),
    Kpi(
        name="wrap_up_time_mean",
        family="handle-time",
        help="After-contact work over wrap-ups. Amazon average after contact work time, Genesys "
        "ACW.",
        unit="seconds",
        formula=Mean((WRAP_UP_MS.name,), (WRAP_UPS.name,)),
        attribution="event",
        cuts=BY_LEG,
    ),
    Kpi(
        name="handle_time_mean",
        family="handle-time",
        help="AHT by the agent's leg: talk, hold and wrap-up over legs. Amazon average handle "
        "time, Genesys average handle.",
        unit="seconds",
        formula=Mean((TALK_MS.name, HOLD_MS.name, WRAP_UP_MS.name), (LEGS_TIMED.name,)),
        attribution="event",
        cuts=BY_LEG,
        metric="cc_window_handle_time_mean_seconds",
    ),
    Kpi(
        name="contacts_handled",
        family="handle-time",
        help="Contacts at least one agent had, each counted once, in the interval they arrived in. "
        "Amazon contacts handled and Genesys Handled count each leg: that is legs_ended.",
        unit="contacts",
        formula=Count((HANDLED.name,)),
        attribution="cohort",
        cuts=BY_CONTACT,
    ),
    Kpi(
        name="contact_handle_time_mean",
        family="handle-time",
        help="AHT by the contact: talk, hold and wrap-up of all its legs, over contacts.",
        unit="seconds",
        formula=Mean((HANDLED_MS.name,), (HANDLED_TIMED.name,)),
        attribution="cohort",
        cuts=BY_CONTACT,
        excludes="Contacts of whose legs one has no believable talk time.",
    ),
    Kpi(
        name="contact_handle_time_p50",
        family="handle-time",
        help="Half of the contacts cost agents at most this, all legs together: the upper bound of "
        "the bucket that holds the median.",
        unit="seconds",
        formula=Quantile(HANDLE, 0.5),
        attribution="cohort",
    ),
    Kpi(
        name="contact_handle_time_distribution",
        family="handle-time",
        help="Contacts by what they cost agents, all legs together; a bucket holds times up to and "
        "including its bound.",
        unit="contacts",
        formula=Distribution(HANDLE),
        attribution="cohort",
    ),
    Kpi(
        name="legs_per_contact_mean",
        family="handle-time",
        help="How many agents' legs a contact had, on average: 1 if none was transferred.",
        unit="contacts",
        formula=Average((HANDLED_LEGS.name,), (HANDLED.name,)),
        attribution="cohort",
        cuts=BY_CONTACT,
    ),
    Kpi(
        name="durations_refused",
        family="handle-time",
        help="Diagnostic: reported durations that cannot be true (negative, or longer than the "
        "limit). The contact counts, the duration does not.",
        unit="durations",
        formula=Count((REFUSED.name,)),
        attribution="event",
    ),
)
