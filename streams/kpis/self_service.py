"""Self-service: what menus and bots did without a person.

A session is contained if nobody asked for a person before it ended.  That counts the customers who
hung up in anger, so there is a conservative twin that wants the customer's word, and one that
looks whether the customer came back within a day (family ``customers``).  Intercom's four rates
(involvement, deflection, confirmed and assumed resolution) are four KPIs here as well.

Everything belongs to the interval the session began in, once it has ended.
"""

from __future__ import annotations

from streams.core.facts import SelfServiceEnded, SelfServiceStarted
from streams.core.kpi import Count, Kpi, Ratio
from streams.core.measure import CHANNEL, Condition, Cut, Is, Measure
from streams.kpis.volume import ARRIVED

STAGE = Cut("self_service", ("stage", "channel"))
ISSUE = Cut("self_service_issue", ("stage", "issue_type", "channel"))
CUTS = (STAGE, CHANNEL, ISSUE)
OUTCOMES = {
    "human": "a person was asked for. Genesys ACD exit",
    "confirmed": "the customer said that it helped. Intercom confirmed resolution",
    "assumed": "the bot took it for solved and nobody contradicted. Intercom assumed resolution",
    "denied": "the customer said that it did not help, and left",
    "left": "the customer left without a word",
    "lost": "nobody said how it ended",
}


def _ended(name: str, help: str, *where: Condition) -> Measure:
    return Measure(name, SelfServiceEnded, "entered_ms", help, where=where, cuts=CUTS)


STARTED = Measure(
    "self_service_sessions", SelfServiceStarted, "entered_ms", "sessions that began", cuts=CUTS
)
BY_OUTCOME = {
    outcome: _ended(
        f"cohort_self_service_{outcome}", f"sessions: {meaning}", Is("outcome", outcome)
    )
    for outcome, meaning in OUTCOMES.items()
}
STARTED_ELSEWHERE = Measure(
    "self_service_sessions_only",
    SelfServiceStarted,
    "entered_ms",
    "sessions of contacts that are not among those that arrived",
    where=(Is("arrived", False),),
    cuts=(CHANNEL,),
)

MEASURES = (STARTED, STARTED_ELSEWHERE, *BY_OUTCOME.values(), ARRIVED)

_SELF = tuple(BY_OUTCOME[o].name for o in ("confirmed", "assumed", "denied", "left"))
_ENDED = (*_SELF, BY_OUTCOME["human"].name)


def _ratio(name: str, help: str, over: tuple[str, ...], metric: str | None = None) -> Kpi:
    return Kpi(
        name=name,
        family="self-service",
        help=help,
        unit="ratio",
        formula=Ratio(over, _ENDED),
        attribution="cohort",
        cuts=CUTS,
        metric=metric,
        excludes="Sessions that go on, and those nobody said the end of.",
    )


KPIS = (
    Kpi(
        name="self_service_sessions",
        family="self-service",
        help="Contacts that had to do with a menu (stage ivr) or a bot, each once.",
        unit="contacts",
        formula=Count((STARTED.name,)),
        attribution="event",
        cuts=CUTS,
    ),
    *(
        Kpi(
            name=f"self_service_ended_{outcome}",
            family="self-service",
            help=f"Sessions by their end: {meaning}.",
            unit="contacts",
            formula=Count((BY_OUTCOME[outcome].name,)),
            attribution="cohort",
            cuts=CUTS,
        )
        for outcome, meaning in OUTCOMES.items()
    ),
    _ratio(
        "containment_ratio",
        "Ended without anybody asking for a person, over all sessions that ended: who hung up in "
        "anger is contained, too.",
        _SELF,
        "cc_window_containment_ratio",
    ),
    _ratio(
        "containment_confirmed_ratio",
        "Ended with the customer saying that it helped, over all sessions that ended.",
        (BY_OUTCOME["confirmed"].name,),
    ),
    _ratio(
        "self_service_resolution_ratio",
        "Confirmed or assumed to be solved, over all sessions that ended. Intercom Fin resolution "
        "rate.",
        (BY_OUTCOME["confirmed"].name, BY_OUTCOME["assumed"].name),
    ),
    _ratio(
        "self_service_handoff_ratio",
        "A person was asked for, over all sessions that ended. Genesys ACD exits of a flow.",
        (BY_OUTCOME["human"].name,),
    ),
    Kpi(
        name="deflection_ratio",
        family="self-service",
        help="Contained sessions over all contacts, whether or not they had to do with a menu or a "
        "bot. Visits to a help centre that never became a contact are not known here.",
        unit="ratio",
        formula=Ratio(_SELF, (ARRIVED.name, STARTED_ELSEWHERE.name)),
        attribution="cohort",
        cuts=(CHANNEL,),
    ),
    Kpi(
        name="self_service_involvement_ratio",
        family="self-service",
        help="Contacts that had to do with a menu or a bot, over all contacts. Intercom Fin "
        "involvement rate.",
        unit="ratio",
        formula=Ratio((STARTED.name,), (ARRIVED.name, STARTED_ELSEWHERE.name)),
        attribution="cohort",
        cuts=(CHANNEL,),
    ),
)
