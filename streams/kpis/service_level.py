"""Service level: the share of visits answered soon enough.  There are eight, each with its name.

They differ in what an abandonment is worth and in the denominator.  T is the queue's threshold and
S its limit of a short abandonment, both inclusive (``wait <= T``) and as in force when the visit
began.

Every visit counts in the interval it was offered in (its cohort) and only once it has ended:
numerator and denominator always belong together, and a visit still waiting makes no promise either
way.  A visit whose reported wait cannot be true stays in the denominator and is never within T.

==============  ====================================================  ============================
variant         formula                                               used by
==============  ====================================================  ============================
``pos``         (ans in T + ab in T) / (ans + ab)                     ICMI 1, Cisco positive
``answered``    ans in T / ans                                        ICMI 2, Asterisk, Wazo
``neg``         ans in T / (ans + ab)                                 ICMI 3, Cisco negative
``late_ab``     ans in T / (ans + ab - ab in T)                       ICMI 4, Cisco ignored
``short_pos``   (ans in T + ab in S) / (ans + ab)                     ICMI 5
``short_excl``  ans in T / (ans + ab - ab in S)                       Genesys, RingCentral
``offered``     ans in T / (ans + ab + every other way to leave)      Genesys with flow-outs, COPC
``removed``     (ans + ab + callback asked for, each in T) / queued   Amazon SERVICE_LEVEL
==============  ====================================================  ============================
"""

from __future__ import annotations

from streams.core.facts import VisitAnswered, VisitLeft
from streams.core.kpi import Kpi, Ratio
from streams.core.measure import Is, Measure, Within
from streams.kpis.volume import COHORT_ANSWERED, COHORT_LEFT

ABANDONED = Is("outcome", "abandoned")
IN_THRESHOLD = Within("wait_ms", "threshold_ms")
SHORT = Within("wait_ms", "short_abandon_ms")

ANSWERED_IN_T = Measure(
    "cohort_answered_in_threshold",
    VisitAnswered,
    "entered_ms",
    "visits answered within T, at the time they began",
    where=(IN_THRESHOLD,),
)
COHORT_ABANDONED = Measure(
    "cohort_abandoned",
    VisitLeft,
    "entered_ms",
    "abandoned visits, at the time they began",
    where=(ABANDONED,),
)
ABANDONED_IN_T = Measure(
    "cohort_abandoned_in_threshold",
    VisitLeft,
    "entered_ms",
    "visits abandoned within T, at the time they began",
    where=(ABANDONED, IN_THRESHOLD),
)
ABANDONED_SHORT = Measure(
    "cohort_abandoned_short",
    VisitLeft,
    "entered_ms",
    "visits abandoned within S, at the time they began",
    where=(ABANDONED, SHORT),
)
CALLBACK_IN_T = Measure(
    "cohort_callback_in_threshold",
    VisitLeft,
    "entered_ms",
    "visits that asked for a callback within T, at the time they began",
    where=(Is("outcome", "callback"), IN_THRESHOLD),
)

MEASURES = (
    COHORT_ANSWERED,
    COHORT_LEFT,
    ANSWERED_IN_T,
    COHORT_ABANDONED,
    ABANDONED_IN_T,
    ABANDONED_SHORT,
    CALLBACK_IN_T,
)

_ANS, _AB, _LEFT = COHORT_ANSWERED.name, COHORT_ABANDONED.name, COHORT_LEFT.name
_ANS_T, _AB_T, _AB_S, _CALLBACK_T = (
    ANSWERED_IN_T.name,
    ABANDONED_IN_T.name,
    ABANDONED_SHORT.name,
    CALLBACK_IN_T.name,
)


def _variant(name: str, over: tuple[str, ...], under: tuple[str, ...], help: str) -> Kpi:
    return Kpi(
        name=f"service_level_{name}",
        family="service-level",
        help=help,
        unit="ratio",
        formula=Ratio(over, under),
        attribution="cohort",
        metric="cc_window_service_level_ratio",
        labels=(("variant", name),),
    )


KPIS = (
    _variant(
        "pos",
        (_ANS_T, _AB_T),
        (_ANS, _AB),
        "Answered or abandoned within T, over answered and abandoned: an early abandonment "
        "counts as success. ICMI 1, Cisco positive, Asterisk ServicelevelPerf2.",
    ),
    _variant(
        "answered",
        (_ANS_T,),
        (_ANS,),
        "Answered within T, over answered: abandonments are ignored. "
        "ICMI 2 (not recommended there), Asterisk ServicelevelPerf, Wazo, Aircall.",
    ),
    _variant(
        "neg",
        (_ANS_T,),
        (_ANS, _AB),
        "Answered within T, over answered and abandoned: every abandonment counts against. "
        "ICMI 3, Cisco negative, Genesys without flow-outs.",
    ),
    _variant(
        "late_ab",
        (_ANS_T,),
        (_ANS, _AB, "-" + _AB_T),
        "Answered within T, over answered and abandoned later than T: only late abandonments "
        "count against. ICMI 4, Cisco ignored, Bright Pattern default.",
    ),
    _variant(
        "short_pos",
        (_ANS_T, _AB_S),
        (_ANS, _AB),
        "Answered within T or abandoned within S, over answered and abandoned. ICMI 5.",
    ),
    _variant(
        "short_excl",
        (_ANS_T,),
        (_ANS, _AB, "-" + _AB_S),
        "Answered within T, over answered and abandoned later than S: short abandonments are "
        "taken out. Genesys without short abandons, RingCentral abandonedThresholdSeconds.",
    ),
    _variant(
        "offered",
        (_ANS_T,),
        (_ANS, _LEFT),
        "Answered within T, over all visits that ended: every other way of leaving counts against. "
        "Genesys with flow-outs, COPC offered and not answered.",
    ),
    _variant(
        "removed",
        (_ANS_T, _AB_T, _CALLBACK_T),
        (_ANS, _LEFT),
        "Answered, abandoned or asked for a callback within T, over all visits that ended. "
        "Amazon SERVICE_LEVEL.",
    ),
)
