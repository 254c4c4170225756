"""First response: how long customers who write wait for a person, by the clock and in open hours.

Answers of bots, automatic mail and private notes are no response; bots have a KPI of their own.
What a variant's time runs from is said by its name (``streams.core.dialogue`` tells more):

=================================  =================================================================
variant                            from when to when
=================================  =================================================================
``first_response``                 the first question, or its reopening, to a person's answer
``first_response_initial``         a contact's first question alone
``first_response_reopened``        the reopenings alone
``first_response_since_hand_off``  Chatwoot: once, from a bot's last hand-off, else the beginning
``first_response_since_creation``  Zendesk: once, from the creation to an agent's comment
``first_bot_response``             from the question to the first message of a bot
``reply_time``                     every later question to its answer
=================================  =================================================================

Of a contact that an agent began with a message, ``first_response_since_creation`` ends with the
second such message.

``..._open_hours_...`` is business time by the calendar of the queue, as in force when it was asked:
asked and answered outside the hours is 0.  All else is time by the clock.  Everything belongs to
the interval it was asked in, and to the queue it was asked in; to the agent and team who answered.
What was never answered is in no mean and no band: the service level counts it, and the levels show
who waits.  A time that cannot be true is in none either, but its contact counts.

Percentiles are upper bounds of buckets, and there is none beyond 30 days.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from streams.core.facts import Response, ResponseMissed
from streams.core.kpi import NOW, Count, Distribution, Kpi, Level, Mean, Oldest, Quantile, Ratio
from streams.core.measure import (
    AGENT,
    ISSUE_TYPE,
    QUEUE_AND_CHANNEL,
    TEAM,
    Condition,
    Cut,
    Is,
    Known,
    Measure,
)
from streams.core.terms import DAY_MS, HOUR_MS, MINUTE_MS, RESPONSE_BANDS_MS, SECOND_MS, Terms

FAMILY = "first-response"
CUTS: tuple[Cut, ...] = (*QUEUE_AND_CHANNEL, TEAM, AGENT, ISSUE_TYPE)
BOUNDS_MS = (
    *(s * SECOND_MS for s in (5, 10, 20, 30)),
    *(m * MINUTE_MS for m in (1, 2, 3, 5, 10, 15, 30, 45)),
    *(h * HOUR_MS for h in (1, 2, 3, 4, 6, 8, 12)),
    *(d * DAY_MS for d in (1, 2, 3, 4, 7, 14, 30)),
)
"""Buckets: the default thresholds and bands, and what contracts promise.  Others are another
meaning."""
REGISTERS = ("unanswered", "oldest_unanswered_ms", "unanswered_overdue")
"""Values the contacts stage posts for each queue and channel that is written to."""


class OneOf(NamedTuple):
    """The field has one of these values."""

    field: str
    values: tuple[str, ...]

    def __call__(self, fact: Any, terms: Terms) -> bool:
        return getattr(fact, self.field) in self.values


class InBand(NamedTuple):
    """The duration lies in this one of the deployment's bands, the first being 1; upper borders are
    inclusive."""

    field: str
    band: int

    def __call__(self, fact: Any, terms: Terms) -> bool:
        value, borders = getattr(fact, self.field), terms.response_bands_ms
        if value is None:
            return False
        above = self.band == 1 or value > borders[self.band - 2]
        return bool(above and (self.band > len(borders) or value <= borders[self.band - 1]))


class _Variant(NamedTuple):
    """Responses of one name: by which of the clocks, and in words."""

    name: str
    clocks: tuple[str, ...]
    what: str
    origin: str = ""
    percents: tuple[int, ...] = (50,)


FIRST = _Variant(
    "first_response",
    ("first", "reopened"),
    "first human responses, to reopened contacts from the reopening",
    percents=(50, 90),
)
VARIANTS = (
    FIRST,
    _Variant("first_response_initial", ("first",), "first human responses, reopenings left out"),
    _Variant(
        "first_response_reopened", ("reopened",), "first human responses after a reopening, from it"
    ),
    _Variant(
        "first_response_since_hand_off",
        ("hand_off",),
        "first human responses, from the last hand-off by a bot, else from the beginning",
        " Chatwoot first response time.",
    ),
    _Variant(
        "first_response_since_creation",
        ("creation",),
        "first public comments of an agent, from the creation",
        " Zendesk first reply time.",
    ),
    _Variant("first_bot_response", ("bot",), "first responses of a bot"),
    _Variant("reply_time", ("turn",), "human answers to later questions", percents=(50, 90)),
)
_SPANS = (("", "wait_ms", ""), ("_open_hours", "open_wait_ms", ", in business time"))


def _of(name: str, help: str, where: tuple[Condition, ...], value: str | None = None,
        bounds_ms: tuple[int, ...] = ()) -> Measure:  # fmt: skip
    return Measure(f"cohort_{name}", Response, "asked_ms", help, value, where, CUTS, bounds_ms)


def _is(variant: _Variant) -> Condition:
    if len(variant.clocks) == 1:
        return Is("clock", variant.clocks[0])
    return OneOf("clock", variant.clocks)


def _measures(variant: _Variant) -> tuple[Measure, ...]:
    """How many have a time; then, by the clock and in open hours: their sum, and their lengths."""
    where, when = (_is(variant),), "at the time it was asked"
    found = [
        _of(f"{variant.name}_timed", f"{variant.what}, {when}", (*where, Known("wait_ms"))),
    ]
    for infix, field, how in _SPANS:
        name, help = f"{variant.name}{infix}", f"{variant.what}{how}, {when}"
        found += [
            _of(f"{name}_ms", f"{help}: ms in all", where, field),
            _of(name, f"{help}: by length", where, field, BOUNDS_MS),
        ]
    return tuple(found)


TIMES = {variant.name: _measures(variant) for variant in VARIANTS}
BANDS = tuple(range(1, len(RESPONSE_BANDS_MS) + 2))
IN_BANDS = {
    (infix, band): _of(
        f"first_response{infix}_band_{band}",
        f"{FIRST.what}{how}, in band {band}, at the time it was asked",
        (_is(FIRST), InBand(field, band)),
    )
    for infix, field, how in _SPANS
    for band in BANDS
}
ASKED_ANSWERED = _of("first_responses", f"{FIRST.what}, at the time it was asked", (_is(FIRST),))
IN_TIME = _of(
    "first_responses_in_time",
    "first human responses within the threshold in business time, at the time it was asked",
    (_is(FIRST), Is("in_time", True)),
)
IN_CALENDAR_TIME = _of(
    "first_responses_in_calendar_time",
    "first human responses within the threshold by the clock, at the time it was asked",
    (_is(FIRST), Is("in_calendar_time", True)),
)
ASKED_MISSED = Measure(
    "cohort_first_responses_missed",
    ResponseMissed,
    "asked_ms",
    "questions that never got a human response, at the time they were asked",
    where=(Is("how", "unanswered"),),
    cuts=CUTS,
)
RESPONSES = Measure(
    "first_responses",
    Response,
    "replied_ms",
    "first human responses, at the time of the response",
    where=(_is(FIRST),),
    cuts=CUTS,
)
MISSED = {
    how: Measure(
        name,
        ResponseMissed,
        "missed_ms",
        f"questions that ended without a human response ({how}), at that time",
        where=(Is("how", how),),
        cuts=CUTS,
    )
    for how, name in (
        ("unanswered", "first_responses_missed"),
        ("bot", "first_responses_by_bot_only"),
        ("needless", "first_responses_needless"),
    )
}

MEASURES = (
    *(measure for found in TIMES.values() for measure in found),
    *IN_BANDS.values(),
    ASKED_ANSWERED,
    IN_TIME,
    IN_CALENDAR_TIME,
    ASKED_MISSED,
    RESPONSES,
    *MISSED.values(),
)
_PERCENTS = {50: "median", 90: "p90"}
_GAUGED = frozenset(("first_response_mean", "first_response_open_hours_mean"))


def _cohort(name: str, help: str, unit: str, formula: Any, **known: Any) -> Kpi:
    return Kpi(name, FAMILY, help, unit, formula, "cohort", CUTS, matures_ms=DAY_MS, **known)


def _times(variant: _Variant) -> list[Kpi]:
    """Mean and percentiles, by the clock and in open hours."""
    timed, *rest = TIMES[variant.name]
    found = []
    for (infix, _, how), total, lengths in zip(_SPANS, rest[::2], rest[1::2], strict=True):
        mean, of = f"{variant.name}{infix}_mean", f"{variant.what}{how}.{variant.origin}"
        formula = Mean((total.name,), (timed.name,))
        metric = f"cc_window_{mean}_seconds" if mean in _GAUGED else None
        found.append(_cohort(mean, f"Mean time of {of}", "seconds", formula, metric=metric))
        for percent in variant.percents:
            name = f"{variant.name}{infix}_{_PERCENTS[percent]}"
            help = f"Within this time came {percent} % of {of}"
            found.append(_cohort(name, help, "seconds", Quantile(lengths, percent / 100)))
    return found


def _distribution(infix: str, how: str, lengths: Measure) -> Kpi:
    return _cohort(
        f"first_response{infix}_distribution",
        f"First human responses by length{how}; a bucket holds times up to and including its "
        "bound.",
        "contacts",
        Distribution(lengths),
    )


def _band(infix: str, how: str, band: int) -> Kpi:
    hours = [border // HOUR_MS for border in RESPONSE_BANDS_MS]
    over = [f"over {hours[band - 2]} h"] if band > 1 else []
    until = [f"up to {hours[band - 1]} h"] if band <= len(hours) else []
    default = " ".join([*over, *until])
    return _cohort(
        f"first_response{infix}_band_{band}_ratio",
        f"Share of first human responses in band {band}{how}: by default {default}; "
        "[first_response_bands] sets the borders.",
        "ratio",
        Ratio((IN_BANDS[infix, band].name,), (TIMES["first_response"][0].name,)),
    )


def _service_level(name: str, help: str, in_time: Measure, metric: str | None) -> Kpi:
    return _cohort(
        name,
        f"First human responses within the queue's or channel's threshold{help}, over those and "
        "what was never answered.",
        "ratio",
        Ratio((in_time.name,), (ASKED_ANSWERED.name, ASKED_MISSED.name)),
        metric=metric,
        excludes="Contacts that a bot answered and handed to nobody, reopened ones that were "
        "solved again without an answer, and what still waits.",
    )


def _count(measure: Measure, help: str) -> Kpi:
    return Kpi(measure.name, FAMILY, help, "contacts", Count((measure.name,)), "event", CUTS)


def _level(name: str, help: str, unit: str, formula: Level | Oldest, metric: str) -> Kpi:
    return Kpi(name, FAMILY, help, unit, formula, "now", windows=NOW, metric=metric)


KPIS = (
    *(kpi for variant in VARIANTS for kpi in _times(variant)),
    *(
        _distribution(infix, how, TIMES["first_response"][place])
        for (infix, _, how), place in zip(_SPANS, (2, 4), strict=True)
    ),
    *(_band(infix, how, band) for infix, _, how in _SPANS for band in BANDS),
    _service_level(
        "service_level_first_response",
        ", in business time",
        IN_TIME,
        "cc_window_service_level_first_response_ratio",
    ),
    _service_level(
        "service_level_first_response_calendar", ", by the clock", IN_CALENDAR_TIME, None
    ),
    _count(RESPONSES, "First human responses given, those after a reopening included."),
    _count(
        MISSED["unanswered"],
        "Contacts that ended, or were given up, with a question that no person answered.",
    ),
    _count(
        MISSED["bot"],
        "Contacts that ended after the answer of a bot, which had handed nothing over.",
    ),
    _count(
        MISSED["needless"],
        "Reopened contacts that were solved again without an answer, as after a word of thanks.",
    ),
    _level(
        "contacts_unanswered",
        "Contacts that wait now for a first human response, or for one after a reopening.",
        "contacts",
        Level("unanswered"),
        "cc_contacts_unanswered",
    ),
    _level(
        "longest_unanswered",
        "How long the oldest of them has waited, by the clock; nobody waiting: no value.",
        "seconds",
        Oldest("oldest_unanswered_ms"),
        "cc_longest_unanswered_seconds",
    ),
    _level(
        "contacts_unanswered_beyond_threshold",
        "Contacts that wait now for longer than the threshold, in business time: the service level "
        "can only lose by them.",
        "contacts",
        Level("unanswered_overdue"),
        "cc_contacts_unanswered_beyond_threshold",
    ),
)  # fmt: skip
