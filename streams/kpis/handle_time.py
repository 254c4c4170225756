"""Handle time: what an answered contact costs an agent, counted by the agent's leg.

A contact transferred once has two legs, each with its own talk and hold.  Everything counts when it
ends, and wrap-up ends after its leg: around an interval's border a wrap-up may belong to a leg of
the interval before (Genesys moves the whole leg there instead).  A leg whose reported talk time
cannot be true is left out of the means, with its hold, and counted in ``durations_refused``; a leg
of 0 s is believed.

Asterisk reports neither hold nor wrap-up: there talk contains the hold, and handle time is talk
time.
"""

from __future__ import annotations

from streams.core.facts import LegEnded, ValueRefused, WrapUpDone
from streams.core.kpi import Count, Distribution, Kpi, Mean
from streams.core.measure import Known, Measure
from streams.kpis.speed import BOUNDS_MS

_TIMED = (Known("talk_ms"),)

LEGS = Measure("legs_ended", LegEnded, "ended_ms", "agents' legs that ended")
LEGS_TIMED = Measure(
    "legs_timed", LegEnded, "ended_ms", "ended legs whose talk time is known", where=_TIMED
)
TALK_MS = Measure("talk_ms", LegEnded, "ended_ms", "talk times in ms", value="talk_ms")
TALK = Measure(
    "talk_time", LegEnded, "ended_ms", "talk times by length", value="talk_ms", bounds_ms=BOUNDS_MS
)
HOLD_MS = Measure(
    "hold_ms", LegEnded, "ended_ms", "hold times in ms", value="hold_ms", where=_TIMED
)
WRAP_UP_MS = Measure("wrap_up_ms", WrapUpDone, "at_ms", "wrap-up times in ms", value="wrap_up_ms")
WRAP_UPS = Measure(
    "wrap_ups_timed",
    WrapUpDone,
    "at_ms",
    "wrap-ups whose time is known",
    where=(Known("wrap_up_ms"),),
)
REFUSED = Measure(
    "durations_refused", ValueRefused, "at_ms", "reported durations that cannot be true"
)

MEASURES = (LEGS, LEGS_TIMED, TALK_MS, TALK, HOLD_MS, WRAP_UP_MS, WRAP_UPS, REFUSED)

KPIS = (
    Kpi(
        name="legs_ended",
        family="handle-time",
        help="Agents' legs that ended: a contact counts once per agent who took it. Amazon "
        "contacts handled.",
        unit="legs",
        formula=Count((LEGS.name,)),
        attribution="event",
    ),
    Kpi(
        name="talk_time_mean",
        family="handle-time",
        help="Talk time over legs, without hold where the platform tells them apart. Amazon "
        "average agent talk time.",
        unit="seconds",
        formula=Mean((TALK_MS.name,), (LEGS_TIMED.name,)),
        attribution="event",
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
    ),
    Kpi(
        name="wrap_up_time_mean",
        family="handle-time",
        help="After-contact work over wrap-ups. Amazon average after contact work time, Genesys "
        "ACW.",
        unit="seconds",
        formula=Mean((WRAP_UP_MS.name,), (WRAP_UPS.name,)),
        attribution="event",
    ),
    Kpi(
        name="handle_time_mean",
        family="handle-time",
        help="AHT: talk, hold and wrap-up over legs. Amazon average handle time, Genesys average "
        "handle.",
        unit="seconds",
        formula=Mean((TALK_MS.name, HOLD_MS.name, WRAP_UP_MS.name), (LEGS_TIMED.name,)),
        attribution="event",
        metric="cc_window_handle_time_mean_seconds",
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
