"""Agents: how many are in each state now, and how long agents were in each state.

An agent is in one state at a time, the busiest one of its contacts.  ``agents_by_state`` counts
agents; ``queue_agents_by_state`` counts memberships: an agent of three queues is in three of its
rows, so its rows must not be added up over queues.  That is why the two have names of their own.

Time in a state is split at interval borders (unlike contact metrics, which are never split), summed
over all agents, and known when the state ends.  Amazon calls these agent activity-driven metrics.
"""

from __future__ import annotations

from streams.core.facts import StateSlice
from streams.core.kpi import NOW, Kpi, Level, Total
from streams.core.measure import STAFF, Cut, Is, Measure

AGENTS = Cut("agents", ("queue", "state"))
AGENTS_ALL = Cut("agents_all", ("state",))
REGISTERS = ("agents",)
"""Value the staff stage posts for each state (``streams.core.agent``)."""

STATES = {
    "idle": "ready and without a contact. Amazon idle, Genesys idle",
    "offered": "being rung or shown a contact. Amazon connecting, FreeSWITCH Receiving",
    "talking": "with a contact. Amazon connected, Genesys interacting",
    "on_hold": "with every contact on hold. Amazon connected on hold",
    "wrap_up": "in after-contact work. Amazon after contact work, Genesys ACW",
    "not_ready": "logged in and not ready for contacts. Asterisk paused, FreeSWITCH On Break",
}
"""Every state of an agent who is there, with what it means."""

TIMES = {
    state: Measure(
        f"agent_state_ms_{state}",
        StateSlice,
        "from_ms",
        f"time of agents in ms: {meaning}",
        value="duration_ms",
        where=(Is("state", state),),
        cuts=(STAFF,),
    )
    for state, meaning in STATES.items()
}

MEASURES = tuple(TIMES.values())

KPIS = (
    Kpi(
        name="agents_by_state",
        family="agents",
        help="Agents in each state now, each agent in one. Amazon agents by status, Genesys on "
        "queue by routing status.",
        unit="agents",
        formula=Level("agents"),
        attribution="now",
        cuts=(AGENTS_ALL,),
        windows=NOW,
        metric="cc_agents",
    ),
    Kpi(
        name="queue_agents_by_state",
        family="agents",
        help="Members of each queue in each state now; an agent of several queues is in each of "
        "them, so never add this up over queues.",
        unit="agents",
        formula=Level("agents"),
        attribution="now",
        cuts=(AGENTS,),
        windows=NOW,
        metric="cc_queue_agents",
    ),
    *(
        Kpi(
            name=f"agent_state_time_{state}",
            family="agents",
            help=f"Time agents were {meaning}, all agents together, split at interval borders.",
            unit="seconds",
            formula=Total((TIMES[state].name,)),
            attribution="event",
            cuts=(STAFF,),
        )
        for state, meaning in STATES.items()
    ),
)
