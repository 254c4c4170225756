"""Adherence: what agents did against what was planned.

The plan is the schedule topic's ``agent.scheduled`` events.  A later one takes the place of an
earlier one for the time they share, also when that time is over; what is older than the staff stage
still knows (six hours and the state the agent was in then) is counted and changes nothing.  Planned
time is evaluated minute by minute as time passes, whether or not the agent ever shows up.
"""

from __future__ import annotations

from streams.core.agent_facts import WORKING, ScheduledSlice
from streams.core.kpi import Kpi, Ratio, Total
from streams.core.measure import Is, Measure
from streams.kpis.agents import STAFF_AND_AGENT, TIMES

_WORKED = tuple(TIMES[state].name for state in WORKING)


def _measure(name: str, text: str, *where: Is) -> Measure:
    return Measure(
        name,
        ScheduledSlice,
        "from_ms",
        text,
        value="duration_ms",
        where=where,
        cuts=STAFF_AND_AGENT,
    )


SCHEDULED = _measure("scheduled_ms", "scheduled time of agents in ms")
PRODUCTIVE = _measure(
    "scheduled_productive_ms",
    "time agents were to be productive, in ms",
    Is("activity", "productive"),
)
ABSENT = _measure(
    "scheduled_absent_ms",
    "time agents were planned to be absent, in ms",
    Is("activity", "absent"),
)
ADHERENT = _measure(
    "adherent_ms", "scheduled time in which agents kept to the plan, in ms", Is("adherent", True)
)
UTILIZED = _measure(
    "scheduled_utilized_ms",
    "scheduled time in which agents worked or were ready to, in ms",
    Is("utilized", True),
)
MEASURES = (
    SCHEDULED,
    PRODUCTIVE,
    ABSENT,
    ADHERENT,
    UTILIZED,
    *(TIMES[state] for state in WORKING),
)

KPIS = (
    Kpi(
        name="adherence",
        family="adherence",
        help="Time agents kept to their schedule over scheduled time: idle, offered, talking, on "
        "hold or wrapping up when planned to be productive; not ready or logged off when planned "
        "to be anything else. Amazon adherence.",
        unit="ratio",
        formula=Ratio((ADHERENT.name,), (SCHEDULED.name,)),
        attribution="span",
        cuts=STAFF_AND_AGENT,
        excludes="Time outside the schedule. Planned absence counts, and is kept by being away.",
    ),
    Kpi(
        name="adherent_time",
        family="adherence",
        help="Time in which agents kept to their schedule. Amazon adherent time.",
        unit="seconds",
        formula=Total((ADHERENT.name,)),
        attribution="span",
        cuts=STAFF_AND_AGENT,
        excludes="Time outside the schedule.",
    ),
    Kpi(
        name="non_adherent_time",
        family="adherence",
        help="Scheduled time in which agents did something else. Amazon non-adherent time.",
        unit="seconds",
        formula=Total((SCHEDULED.name, f"-{ADHERENT.name}")),
        attribution="span",
        cuts=STAFF_AND_AGENT,
        excludes="Time outside the schedule.",
    ),
    Kpi(
        name="scheduled_time",
        family="adherence",
        help="Time of agents' schedules, whatever the activity.",
        unit="seconds",
        formula=Total((SCHEDULED.name,)),
        attribution="span",
        cuts=STAFF_AND_AGENT,
    ),
    Kpi(
        name="conformance",
        family="adherence",
        help="Time worked at any time over time scheduled to be productive: how much, not when. "
        "May be above 1. Genesys conformance, by day.",
        unit="ratio",
        formula=Ratio(_WORKED, (PRODUCTIVE.name,)),
        attribution="span",
        cuts=STAFF_AND_AGENT,
        windows=("day",),
        excludes="Nothing is left out above the line: over all agents, the work of those without a "
        "schedule is in it too.",
    ),
    Kpi(
        name="utilization_scheduled",
        family="adherence",
        help="Scheduled time in which agents had a contact, were offered one or were idle over "
        "scheduled time. Assembled and AcquireBPO utilization, (occupied + available) / paid, with "
        "the schedule as what is paid.",
        unit="ratio",
        formula=Ratio((UTILIZED.name,), (SCHEDULED.name, f"-{ABSENT.name}")),
        attribution="span",
        cuts=STAFF_AND_AGENT,
        excludes="Planned absence, and work outside the schedule.",
    ),
)
