"""Agents: how many are in each state now, how long agents were in each state, what they were
offered.

An agent is in one state at a time, the busiest one of its contacts.  ``agents_by_state`` counts
agents; ``queue_agents_by_state`` counts memberships: an agent of three queues is in three of its
rows, so its rows must not be added up over queues.  That is why the two have names of their own.

Time in a state is split at interval borders (unlike contact metrics, which are never split) and
summed over all agents.  A state that goes on is known up to the last full minute.  Amazon calls
these agent activity-driven metrics.

One agent's figures are kept only where the deployment names agents (``Terms.agents_named``).
"""

from __future__ import annotations

from streams.core.agent_facts import AttemptEnded, StateSlice
from streams.core.kpi import NOW, Count, Kpi, Level, Ratio, Total
from streams.core.measure import AGENT, STAFF, Cut, Is, Measure

AGENTS = Cut("agents", ("queue", "state"))
AGENTS_ALL = Cut("agents_all", ("state",))
NOT_READY = Cut("not_ready", ("reason",))
AGENT_NOT_READY = Cut("agent_not_ready", ("agent", "reason"))
REGISTERS = ("agents",)
"""Value the staff stage posts for each state (``streams.core.agent``)."""

STAFF_AND_AGENT = (STAFF, AGENT)
STATES = {
    "idle": "ready and without a contact. Amazon idle, Genesys idle",
    "offered": "being rung or shown a contact. Amazon connecting, FreeSWITCH Receiving",
    "talking": "with a contact. Amazon connected, Genesys interacting",
    "on_hold": "with every contact on hold. Amazon connected on hold",
    "wrap_up": "in after-contact work. Amazon after contact work, Genesys ACW",
    "not_ready": "logged in and not ready for contacts. Asterisk paused, FreeSWITCH On Break",
}
"""Every state of an agent who is there, with what it means."""


def _cuts(state: str) -> tuple[Cut, ...]:
    by_reason = (NOT_READY, AGENT_NOT_READY)
    return (*STAFF_AND_AGENT, *by_reason) if state == "not_ready" else STAFF_AND_AGENT


TIMES = {
    state: Measure(
        f"agent_state_ms_{state}",
        StateSlice,
        "from_ms",
        f"time of agents in ms: {meaning}",
        value="duration_ms",
        where=(Is("state", state),),
        cuts=_cuts(state),
    )
    for state, meaning in STATES.items()
}

OUTCOMES = {
    "answered": "the agent took the contact. Talk that began without an offer counts too, because "
    "not every platform reports offers",
    "no_answer": "the agent let it ring. Asterisk RINGNOANSWER, Amazon agent non-response",
    "rejected": "the agent declined",
    "canceled": "the customer gave up while the agent was rung. Asterisk RINGCANCELED",
    "error": "the agent could not be reached",
}
"""How an offer to an agent ends, with what it means."""

ATTEMPTS = {
    outcome: Measure(
        f"agent_offers_{outcome}",
        AttemptEnded,
        "at_ms",
        f"offers to agents: {meaning}",
        where=(Is("outcome", outcome),),
        cuts=STAFF_AND_AGENT,
    )
    for outcome, meaning in OUTCOMES.items()
}
_ALL = tuple(m.name for m in ATTEMPTS.values())
_UNCANCELED = tuple(name for name in _ALL if name != "agent_offers_canceled")

MEASURES = (*TIMES.values(), *ATTEMPTS.values())

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
            attribution="span",
            cuts=TIMES[state].cuts,
            excludes="What a stay in one state lasts beyond seven days.",
        )
        for state, meaning in STATES.items()
    ),
    *(
        Kpi(
            name=f"agent_offers_{outcome}",
            family="agents",
            help=f"Offers of contacts to agents, each attempt once: {meaning}.",
            unit="offers",
            formula=Count((measure.name,)),
            attribution="event",
            cuts=STAFF_AND_AGENT,
        )
        for (outcome, meaning), measure in zip(OUTCOMES.items(), ATTEMPTS.values(), strict=True)
    ),
    Kpi(
        name="agent_answer_ratio_all",
        family="agents",
        help="Answered offers over all ended offers to agents; one contact may be offered several "
        "times. Amazon agent answer rate, whose non-responses include customers who gave up.",
        unit="ratio",
        formula=Ratio((ATTEMPTS["answered"].name,), _ALL),
        attribution="event",
        cuts=STAFF_AND_AGENT,
    ),
    Kpi(
        name="agent_answer_ratio_uncanceled",
        family="agents",
        help="Answered offers over the ended offers to agents in which the customer stayed. The "
        "counterpart of Amazon agent non-response without customer abandons.",
        unit="ratio",
        formula=Ratio((ATTEMPTS["answered"].name,), _UNCANCELED),
        attribution="event",
        cuts=STAFF_AND_AGENT,
        excludes="Offers that ended because the customer gave up.",
    ),
)
