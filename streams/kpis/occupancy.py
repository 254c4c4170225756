"""Occupancy, utilization of logged-in time, and concurrency: how busy agents were.

Two vendors may mean opposite things by one of these words (ICMI 2012 calls occupancy what others
call utilization), so every variant is named by what is above and below the line.  All are ratios of
wall-clock time: an agent with three chats is busy once.  ``contact_concurrency_mean`` says with how
many.

Not here: ICMI's occupancy, which adds meetings and training; no platform tells those from other
breaks except by a reason of its own (``agent_state_time_not_ready`` is kept by reason).
"""

from __future__ import annotations

from streams.core.agent_facts import ON_CONTACT, ChannelSlice, StateSlice
from streams.core.kpi import Average, Formula, Kpi, Ratio
from streams.core.measure import Cut, Measure
from streams.kpis.agents import STAFF_AND_AGENT, TIMES

STAFF_CHANNEL = Cut("staff_channel", ("channel",))
AGENT_CHANNEL = Cut("agent_channel", ("agent", "channel"))
BY_CHANNEL = (STAFF_CHANNEL, AGENT_CHANNEL)

_ON_CONTACT = tuple(TIMES[state].name for state in ON_CONTACT)
_IDLE = TIMES["idle"].name
_LOGGED_IN = tuple(m.name for m in TIMES.values())

FURTHER = Measure(
    "agent_further_contacts_ms",
    StateSlice,
    "from_ms",
    "time of the contacts an agent had beside the first one, in ms x contacts",
    value="further_contacts_ms",
    cuts=STAFF_AND_AGENT,
)
CHANNEL_CONTACTS = Measure(
    "agent_channel_contacts_ms",
    ChannelSlice,
    "from_ms",
    "time of contacts of a channel in ms x contacts",
    value="contacts_ms",
    cuts=BY_CHANNEL,
)
CHANNEL_TIME = Measure(
    "agent_channel_ms",
    ChannelSlice,
    "from_ms",
    "time of agents with at least one contact of the channel, in ms",
    value="duration_ms",
    cuts=BY_CHANNEL,
)
MEASURES = (*TIMES.values(), FURTHER, CHANNEL_CONTACTS, CHANNEL_TIME)


def _kpi(
    name: str, formula: Formula, unit: str, excludes: str, text: str, variant: str = ""
) -> Kpi:
    """``variant``: of the gauge; "" for a KPI without one."""
    return Kpi(
        name=name,
        family="occupancy",
        help=text,
        unit=unit,
        formula=formula,
        attribution="span",
        cuts=STAFF_AND_AGENT,
        excludes=excludes,
        metric="cc_window_occupancy_ratio" if variant else None,
        labels=(("variant", variant),) if variant else (),
    )


KPIS = (
    _kpi(
        "occupancy_ring_excluded",
        Ratio(_ON_CONTACT, (*_ON_CONTACT, _IDLE)),
        "ratio",
        "Ring time, and time not ready.",
        "Time with a contact (talk, hold, wrap-up) over that and idle time; wall clock, so one "
        "chat occupies as much as three. Amazon occupancy.",
        "ring_excluded",
    ),
    _kpi(
        "occupancy_logged_in",
        Ratio(_ON_CONTACT, _LOGGED_IN),
        "ratio",
        "Nothing of the logged-in time: ringing and every kind of not ready are below the line.",
        "Time with a contact (talk, hold, wrap-up) over logged-in time. Call Centre Helper.",
        "logged_in",
    ),
    _kpi(
        "utilization_logged_in",
        Ratio((*_ON_CONTACT, _IDLE), _LOGGED_IN),
        "ratio",
        "Ring time and time not ready are below the line only.",
        "Time with a contact or idle over logged-in time. ICMI (2012) counts talk, after-call work "
        "and idle as utilized; this is for agents without a schedule.",
    ),
    _kpi(
        "contact_concurrency_mean",
        Average((*_ON_CONTACT, FURTHER.name), _ON_CONTACT),
        "contacts",
        "Contacts that are only being offered.",
        "Contacts an agent had at once, on average over the time with at least one: contact time "
        "over wall clock. A contact on hold or in wrap-up is had.",
    ),
    _kpi(
        "channel_concurrency_mean",
        Average((CHANNEL_CONTACTS.name,), (CHANNEL_TIME.name,)),
        "contacts",
        "Voice, where an agent has one at a time, and contacts that are only being offered.",
        "Contacts of one channel an agent had at once, on average over the time with at least one "
        "of that channel.",
    )._replace(cuts=BY_CHANNEL),
)
