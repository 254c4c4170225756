"""What customers said when asked: one answer per kind of survey and contact, the last one.

Scales and what counts as positive (domain notes, 1.9):

* CSAT on 2, 3, 4, 5 or 10, the highest best: positive is 2 of 2, 3 of 3, 3 and 4 of 4, 4 and 5 of
  5 (Zendesk, Simplesat), and from ``Terms.csat_10_positive_from`` on of 10, where no standard is.
* NPS 0 to 10: promoters 9 and 10, detractors 0 to 6.
* CES 2.0 1 to 7, 5 and more positive.  CES 1.0 ran from 1 to 5 with the lowest best:
  ``ces_reversed`` has a mean and no share.

A survey belongs to the agent it names, else to the agent the contact had when it was sent.
"""

from __future__ import annotations

from collections.abc import Iterator

from streams.core import events as ev
from streams.core.about import About
from streams.core.facts import Fact, SurveyAnswered, SurveyOffered, ValueRefused
from streams.core.levels import Open
from streams.core.terms import Terms

CSAT_POSITIVE_FROM = {2: 2, 3: 3, 4: 3, 5: 4}
SCALES = {
    "csat": (2, 3, 4, 5, 10),
    "nps_transactional": (10,),
    "nps_relationship": (10,),
    "ces": (7,),
    "ces_reversed": (5,),
}
LOWEST = {"nps_transactional": 0, "nps_relationship": 0}
"""The lowest score, where it is not 1."""


class _Survey:
    """One kind of survey: where the contact was when it was sent and answered."""

    __slots__ = ("agent", "answered_ms", "queue", "rated", "sent_ms")

    def __init__(self, about: About) -> None:
        self.queue = about.queue
        self.agent = about.agent
        self.sent_ms: int | None = None
        self.answered_ms = 0
        self.rated: ev.Rated | None = None


class Satisfaction:
    """The aspect.  See the module."""

    READS: frozenset[type] = frozenset((ev.SurveySent, ev.Rated))
    BEGINS = READS

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._surveys: dict[str, _Survey] = {}

    @staticmethod
    def begins(event: ev.ContactEvent) -> bool:
        return True

    def apply(self, event: ev.ContactEvent, about: About) -> bool:
        assert isinstance(event, ev.SurveySent | ev.Rated)
        survey = self._surveys.get(event.survey)
        if survey is None:
            survey = self._surveys[event.survey] = _Survey(about)
        survey.agent = event.agent or survey.agent
        if isinstance(event, ev.Rated):
            survey.rated, survey.answered_ms = event, event.time
        elif survey.sent_ms is None:
            survey.sent_ms = event.time
        return True

    def facts(self, about: About) -> Iterator[Fact]:
        for kind, survey in self._surveys.items():
            if survey.sent_ms is not None:
                yield SurveyOffered(
                    kind, survey.queue, about.channel, survey.agent, about.issue_type,
                    survey.sent_ms, survey.rated is not None,
                )  # fmt: skip
            if survey.rated is not None:
                yield self._answer(survey, survey.rated, about)

    def _answer(self, survey: _Survey, rated: ev.Rated, about: About) -> Fact:
        kind, score, scale = rated.survey, rated.score, rated.scale
        if scale not in SCALES[kind] or not LOWEST.get(kind, 1) <= score <= scale:
            return ValueRefused(survey.queue, about.channel, rated.time, "score")
        return SurveyAnswered(
            kind, survey.queue, about.channel, survey.agent, about.issue_type,
            survey.answered_ms, score, scale, self._verdict(kind, score, scale),
        )  # fmt: skip

    def _verdict(self, kind: str, score: int, scale: int) -> str:
        if kind == "csat":
            top = CSAT_POSITIVE_FROM.get(scale, self._terms.csat_10_positive_from)
            return "positive" if score >= top else "other"
        if kind == "ces":
            return "positive" if score >= 5 else "other"
        if kind == "ces_reversed":
            return "other"
        return "positive" if score >= 9 else "negative" if score <= 6 else "other"

    def levels(self, about: About) -> tuple[Open, ...]:
        return ()
