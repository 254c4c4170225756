"""Satisfaction: what customers said when they were asked.

The last answer to a survey of a contact counts, at the time it was given; a changed rating takes
the earlier one back.  Every score stands next to its number of answers and, where the platform
says whom it asked, the share that answered, by the time of asking.  Top box and mean are different
KPIs.  NPS after a contact and NPS of the relationship are never pooled.  Which score is positive
on which scale: ``streams.core.satisfaction``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from streams.core.facts import SurveyAnswered, SurveyOffered
from streams.core.kpi import Average, Count, Kpi, Ratio
from streams.core.measure import AGENT, ISSUE_TYPE, QUEUE_AND_CHANNEL, Condition, Cut, Is, Measure

CUTS = (*QUEUE_AND_CHANNEL, ISSUE_TYPE, AGENT)
SCORES = Cut("survey_score", ("survey", "answer", "channel"))


class _Survey(NamedTuple):
    """The measures of one kind of survey."""

    asked: Measure
    asked_answered: Measure
    answers: Measure
    positive: Measure
    negative: Measure
    score: Measure

    @property
    def response(self) -> tuple[Measure, ...]:
        return self.asked, self.asked_answered


def _answers(name: str, help: str, *where: Condition, value: str | None = None) -> Measure:
    return Measure(name, SurveyAnswered, "at_ms", help, value=value, where=where, cuts=CUTS)


def _survey(kind: str, score: str = "score") -> _Survey:
    this = Is("survey", kind)
    asked = Measure(
        f"cohort_{kind}_sent", SurveyOffered, "sent_ms", "customers asked", where=(this,), cuts=CUTS
    )
    answered = asked._replace(
        name=f"cohort_{kind}_sent_answered",
        help="customers asked who answered, at the time of asking",
        where=(this, Is("answered", True)),
    )
    return _Survey(
        asked,
        answered,
        _answers(f"{kind}_answers", "answers", this),
        _answers(f"{kind}_positive", "positive answers", this, Is("verdict", "positive")),
        _answers(f"{kind}_negative", "negative answers", this, Is("verdict", "negative")),
        _answers(f"{kind}_{score}_sum", f"{score} of answers, added up", this, value=score),
    )


CSAT = _survey("csat", "normalised_36")
NPS: Mapping[str, _Survey] = {
    kind: _survey(kind) for kind in ("nps_transactional", "nps_relationship")
}
CES = _survey("ces")
CES_REVERSED = _survey("ces_reversed")
CSAT_OF_5 = _answers(
    "csat_of_5_answers", "answers from 1 to 5", Is("survey", "csat"), Is("scale", 5)
)
CSAT_OF_5_SUM = CSAT_OF_5._replace(
    name="csat_of_5_score_sum", help="scores from 1 to 5, added up", value="score"
)
BY_SCORE = Measure(
    "survey_answers_by_score", SurveyAnswered, "at_ms", "answers by score", cuts=(SCORES,)
)

MEASURES = (
    *CSAT.response, CSAT.answers, CSAT.positive, CSAT.score, CSAT_OF_5, CSAT_OF_5_SUM, BY_SCORE,
    *(m for nps in NPS.values() for m in (*nps.response, nps.answers, nps.positive, nps.negative)),
    *CES.response, CES.answers, CES.positive, CES.score,
    *CES_REVERSED.response, CES_REVERSED.answers, CES_REVERSED.score,
)  # fmt: skip


def _count_and_response(kind: str, title: str, survey: _Survey) -> tuple[Kpi, Kpi]:
    count = Kpi(
        name=f"{kind}_answers",
        family="satisfaction",
        help=f"Answers to {title}, one per contact: the n of its scores.",
        unit="surveys",
        formula=Count((survey.answers.name,)),
        attribution="event",
        cuts=CUTS,
    )
    response = Kpi(
        name=f"{kind}_response_ratio",
        family="satisfaction",
        help=f"Customers who answered {title}, over those who were asked, by the time of asking.",
        unit="ratio",
        formula=Ratio((survey.asked_answered.name,), (survey.asked.name,)),
        attribution="cohort",
        cuts=CUTS,
        excludes="Answers to surveys nobody said were sent.",
    )
    return count, response


def _mean(name: str, help: str, over: Measure, under: Measure, divisor: int = 1) -> Kpi:
    return Kpi(
        name=name,
        family="satisfaction",
        help=help,
        unit="points",
        formula=Average((over.name,), (under.name,), divisor),
        attribution="event",
        cuts=CUTS,
    )


def _nps(kind: str, what: str) -> Kpi:
    nps = NPS[kind]
    return Kpi(
        name=kind,
        family="satisfaction",
        help=f"NPS {what}: share of answers 9 and 10 less share of answers 0 to 6, from -100 to "
        "100.",
        unit="points",
        formula=Average(
            (nps.positive.name, "-" + nps.negative.name), (nps.answers.name,), times=100
        ),
        attribution="event",
        cuts=CUTS,
        metric=f"cc_window_{kind}_points",
    )


KPIS = (
    Kpi(
        name="csat_positive_ratio",
        family="satisfaction",
        help="CSAT, top box: positive answers over all answers, neutral ones included. Of 5, only "
        "4 and 5 are positive (Zendesk: 3 is bad).",
        unit="ratio",
        formula=Ratio((CSAT.positive.name,), (CSAT.answers.name,)),
        attribution="event",
        cuts=CUTS,
        metric="cc_window_csat_positive_ratio",
        excludes="Customers who were asked and did not answer.",
    ),
    _mean(
        "csat_mean",
        "CSAT, mean: (score - 1) / (scale - 1) on average, from 0 to 1 whatever the scale.",
        CSAT.score,
        CSAT.answers,
        36,
    ),
    _mean(
        "csat_of_5_mean", "CSAT, mean of the answers from 1 to 5 alone.", CSAT_OF_5_SUM, CSAT_OF_5
    ),
    *_count_and_response("csat", "CSAT", CSAT),
    Kpi(
        name="survey_answers_by_score",
        family="satisfaction",
        help="Answers by survey and score, such as csat and 4/5.",
        unit="surveys",
        formula=Count((BY_SCORE.name,)),
        attribution="event",
        cuts=(SCORES,),
    ),
    _nps("nps_transactional", "after a contact"),
    *_count_and_response("nps_transactional", "NPS after a contact", NPS["nps_transactional"]),
    _nps("nps_relationship", "of the relationship"),
    *_count_and_response("nps_relationship", "NPS of the relationship", NPS["nps_relationship"]),
    _mean(
        "ces_mean",
        "CES 2.0, mean of 1 to 7, the highest best. Nicereply.",
        CES.score,
        CES.answers,
    ),
    Kpi(
        name="ces_positive_ratio",
        family="satisfaction",
        help="CES 2.0: answers of 5 and more over all answers. CEB, Gartner.",
        unit="ratio",
        formula=Ratio((CES.positive.name,), (CES.answers.name,)),
        attribution="event",
        cuts=CUTS,
    ),
    *_count_and_response("ces", "CES 2.0", CES),
    _mean(
        "ces_reversed_mean",
        "CES 1.0, mean of 1 to 5, the lowest best.",
        CES_REVERSED.score,
        CES_REVERSED.answers,
    ),
    *_count_and_response("ces_reversed", "CES 1.0", CES_REVERSED),
)
