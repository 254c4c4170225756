"""What is true of a conversation besides responses and solutions: by going over all its events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from streams.core import events as ev
from streams.core import facts as fa
from streams.core.facts import Fact
from streams.core.terms import Terms
from tests.oracle import resolution, response
from tests.week.times import Clock


class Written:
    """One conversation, told in order."""

    def __init__(self, events: Sequence[ev.ContactEvent]) -> None:
        self.events = events
        self.channel = events[0].channel
        self.began = events[0].time
        said = [getattr(e, "issue_type", None) for e in events]
        self.issue = [None, *(issue for issue in said if issue)][-1]

    def of(self, *kinds: type) -> list[Any]:
        return [e for e in self.events if isinstance(e, kinds)]

    def queue(self, time_ms: int) -> str:
        named = [e.queue for e in self.of(ev.Assigned) if e.time <= time_ms and e.queue]
        return named[-1] if named else "none"

    def facts(self, terms: Terms) -> Iterator[Fact]:
        if self.of(ev.Merged):
            yield fa.ContactExcluded(self.channel, self.began, "merged")
            return
        yield from response.facts(self.events, terms)
        yield from resolution.facts_of_ticket(self.events, terms)
        yield self.arrival()
        yield from self.self_service()
        yield from self.survey()
        yield from self.claims()
        yield from self.escalations()

    def arrival(self) -> fa.ContactArrived:
        named = [e.queue for e in self.of(ev.Assigned) if e.queue]
        queue = named[0] if named else "none"
        started = self.events[0]
        assert isinstance(started, ev.ContactStarted)
        in_hours = Clock().is_open(queue, self.began)
        known = started.customer is not None
        return fa.ContactArrived(
            queue, self.channel, self.began, started.direction, in_hours, known
        )

    def self_service(self) -> Iterator[Fact]:
        """A bot that spoke, or that handed off without a word."""
        talked = [
            e
            for e in self.events
            if isinstance(e, ev.BotHandedOff)
            or (isinstance(e, ev.Message) and e.author == "bot" and not e.automatic)
        ]
        if not talked:
            return
        since = talked[0].time
        start = ("bot", self.channel, self.issue, since, True)
        yield fa.SelfServiceStarted(*start)
        outcome = self._outcome([e for e in self.events if e.time >= since])
        if outcome is not None:
            yield fa.SelfServiceEnded(*start, outcome)

    def _outcome(self, after: Sequence[ev.ContactEvent]) -> str | None:
        people = [
            e
            for e in after
            if isinstance(e, ev.BotHandedOff)
            or (isinstance(e, ev.Message) and e.author == "agent" and e.public)
        ]
        if people:
            return "human"
        last = [e for e in after if isinstance(e, ev.Ended | ev.StatusChanged)][-1:]
        over = last and (isinstance(last[0], ev.Ended) or last[0].status in ("solved", "closed"))
        if not over:
            return None
        claims = [e for e in after if isinstance(e, ev.ResolutionClaimed)]
        if not claims:
            return "left"
        if claims[0].by == "customer":
            return "confirmed" if claims[0].resolved else "denied"
        return "assumed" if claims[0].resolved else "left"

    def survey(self) -> Iterator[Fact]:
        for sent in self.of(ev.SurveySent):
            queue, rated = self.queue(sent.time), self.of(ev.Rated)
            agent = self.owner(sent.time)
            yield fa.SurveyOffered(
                "csat", queue, self.channel, agent, self.issue, sent.time, bool(rated)
            )
            if rated and rated[-1].score > 5:
                yield fa.ValueRefused(queue, self.channel, rated[-1].time, "score")
            elif rated:
                score, at = rated[-1].score, rated[-1].time
                verdict = "positive" if score >= 4 else "other"
                yield fa.SurveyAnswered(
                    "csat", queue, self.channel, agent, self.issue, at, score, 5, verdict
                )

    def claims(self) -> Iterator[Fact]:
        for said in [e for e in self.of(ev.ResolutionClaimed) if e.by == "customer"][-1:]:
            queue, agent = self.queue(said.time), self.owner(said.time)
            yield fa.ResolutionStated(
                queue, self.channel, said.time, "customer", said.resolved, agent, self.issue
            )

    def owner(self, time_ms: int) -> str | None:
        assigned = [e.agent for e in self.of(ev.Assigned) if e.time <= time_ms]
        return assigned[-1] if assigned else None

    def escalations(self) -> Iterator[Fact]:
        for step in self.of(ev.Escalated):
            teams = [e.team for e in self.of(ev.Assigned) if e.time <= step.time]
            yield fa.Escalated(
                self.queue(step.time), self.channel, step.time, step.from_tier, step.to_tier,
                step.reason or "unknown", step.agent or self.owner(step.time),
                teams[-1] if teams else None, self.issue,
            )  # fmt: skip
        if self.of(ev.Escalated):
            arrived = self.arrival()
            yield fa.ArrivalEscalated(arrived.queue, self.channel, self.began)
