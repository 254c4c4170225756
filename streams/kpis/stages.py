"""Where customers give up: greeting, menu, bot, queue, ringing, hold, waiting for a callback.

Each contact gives up in one stage at most, so the stages add up.  The ratio of a stage is over the
contacts that went through it and are out of it: *queue* over the visits that ended, *ringing* over
those of them an agent was offered (also counted in the queue's denominator), *hold* over the legs
that were held.  Amazon knows the last one as contacts hold customer disconnect.

The queue by itself, with its short abandonments, is ``abandonment``.  Asterisk does not log that an
agent is being rung, only that the ringing was cut off: there *ringing* has those alone.
"""

from __future__ import annotations

from streams.core.facts import StageEntered, StagePassed, VisitAnswered, VisitLeft
from streams.core.kpi import Count, Distribution, Kpi, Mean, Ratio
from streams.core.measure import Condition, Cut, Is, Known, Measure
from streams.kpis.speed import BOUNDS_MS

STAGE = Cut("stage", ("stage", "channel"))
QUEUE_STAGE = Cut("queue_stage", ("queue", "stage", "channel"))
CUTS = (STAGE, QUEUE_STAGE)
_GIVEN_UP: tuple[Condition, ...] = (Is("abandoned", True),)
_IN_QUEUE: tuple[Condition, ...] = (Is("outcome", "abandoned"), Is("rang", False))

ENTERED = Measure(
    "stage_entered", StageEntered, "entered_ms", "contacts that reached the stage", cuts=(STAGE,)
)
PASSED = Measure(
    "cohort_stage_passed",
    StagePassed,
    "entered_ms",
    "contacts that are out of the stage, at the time they reached it",
    cuts=CUTS,
)
GIVEN_UP = Measure(
    "cohort_stage_abandoned",
    StagePassed,
    "entered_ms",
    "contacts given up in the stage, at the time they reached it",
    where=_GIVEN_UP,
    cuts=CUTS,
)
WAIT_MS = Measure(
    "cohort_stage_abandoned_ms",
    StagePassed,
    "entered_ms",
    "how long customers were in the stage they gave up in, in ms",
    value="wait_ms",
    where=_GIVEN_UP,
    cuts=CUTS,
)
WAITS = Measure(
    "cohort_stage_abandoned_timed",
    StagePassed,
    "entered_ms",
    "contacts given up in the stage after a time that is known",
    where=(*_GIVEN_UP, Known("wait_ms")),
    cuts=CUTS,
)
CALLBACK_WAIT = Measure(
    "cohort_callback_wait",
    StagePassed,
    "entered_ms",
    "waits for promised callbacks by length",
    value="wait_ms",
    where=(Is("stage", "callback_wait"), Is("abandoned", False)),
    bounds_ms=BOUNDS_MS,
    cuts=(STAGE,),
)
CALLBACK_WAIT_MS = CALLBACK_WAIT._replace(
    name="cohort_callback_wait_ms", help="waits for promised callbacks in ms", bounds_ms=()
)
CALLBACK_WAITS = Measure(
    "cohort_callback_waits",
    StagePassed,
    "entered_ms",
    "callbacks that were made, of those the wait is known of",
    where=(*CALLBACK_WAIT.where, Known("wait_ms")),
    cuts=(STAGE,),
)
VISITS_ANSWERED = Measure(
    "cohort_stage_answered",
    VisitAnswered,
    "entered_ms",
    "answered visits, as a stage",
    cuts=(STAGE,),
)
VISITS_LEFT = Measure(
    "cohort_stage_left",
    VisitLeft,
    "entered_ms",
    "visits that ended unanswered, as a stage",
    cuts=(STAGE,),
)
VISITS_GIVEN_UP = Measure(
    "cohort_stage_abandoned_queue",
    VisitLeft,
    "entered_ms",
    "visits given up while no agent was rung",
    where=_IN_QUEUE,
    cuts=CUTS,
)
VISITS_WAIT_MS = Measure(
    "cohort_stage_abandoned_queue_ms",
    VisitLeft,
    "entered_ms",
    "waits of visits given up while no agent was rung, in ms",
    value="wait_ms",
    where=_IN_QUEUE,
    cuts=CUTS,
)
VISITS_WAITS = Measure(
    "cohort_stage_abandoned_queue_timed",
    VisitLeft,
    "entered_ms",
    "visits given up while no agent was rung, after a time that is known",
    where=(*_IN_QUEUE, Known("wait_ms")),
    cuts=CUTS,
)

MEASURES = (
    ENTERED, PASSED, GIVEN_UP, WAIT_MS, WAITS, CALLBACK_WAIT, CALLBACK_WAIT_MS, CALLBACK_WAITS,
    VISITS_ANSWERED, VISITS_LEFT, VISITS_GIVEN_UP, VISITS_WAIT_MS, VISITS_WAITS,
)  # fmt: skip

_ABANDONED = (GIVEN_UP.name, VISITS_GIVEN_UP.name)

KPIS = (
    Kpi(
        name="stage_entered",
        family="stages",
        help="Contacts that reached a stage outside the queue: greeting, menu (ivr), bot, "
        "voicemail, waiting for a callback.",
        unit="contacts",
        formula=Count((ENTERED.name,)),
        attribution="event",
        cuts=(STAGE,),
    ),
    Kpi(
        name="stage_abandoned",
        family="stages",
        help="Contacts the customer gave up in this stage, in the interval they reached it; each "
        "contact in one stage at most. By queue: queue, ringing and hold.",
        unit="contacts",
        formula=Count(_ABANDONED),
        attribution="cohort",
        cuts=CUTS,
        metric="cc_window_stage_abandoned_contacts",
    ),
    Kpi(
        name="stage_abandonment_ratio",
        family="stages",
        help="Given up in the stage, over the contacts that were in it and are out of it. Amazon "
        "contacts hold customer disconnect is the stage hold; Genesys and Twilio leave menus out.",
        unit="ratio",
        formula=Ratio(_ABANDONED, (PASSED.name, VISITS_ANSWERED.name, VISITS_LEFT.name)),
        attribution="cohort",
        cuts=(STAGE,),
        metric="cc_window_stage_abandonment_ratio",
        excludes="Contacts still in the stage, and those that were never said to leave it.",
    ),
    Kpi(
        name="stage_abandonment_wait_mean",
        family="stages",
        help="How long customers had been in the stage when they gave up. Of hold: how long the "
        "hold had lasted.",
        unit="seconds",
        formula=Mean(
            (WAIT_MS.name, VISITS_WAIT_MS.name),
            (WAITS.name, VISITS_WAITS.name),
        ),
        attribution="cohort",
        cuts=CUTS,
    ),
    Kpi(
        name="callback_wait_mean",
        family="stages",
        help="How long customers who were promised a callback waited for it; those who gave it up "
        "are not in it. Amazon's callback wait begins after the initial delay, as ours does if "
        "the platform says when that is over.",
        unit="seconds",
        formula=Mean((CALLBACK_WAIT_MS.name,), (CALLBACK_WAITS.name,)),
        attribution="cohort",
        cuts=(STAGE,),
    ),
    Kpi(
        name="callback_wait_distribution",
        family="stages",
        help="Callbacks by how long the customer waited for them; a bucket holds waits up to and "
        "including its bound.",
        unit="contacts",
        formula=Distribution(CALLBACK_WAIT),
        attribution="cohort",
        cuts=(STAGE,),
    ),
)
