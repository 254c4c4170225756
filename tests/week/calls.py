"""Calls of a simulated week: what the platform reports, and next to it what really happened.

The truth is written down while the call is made up, so that it owes nothing to the code that later
finds it out again from the events.
"""

from __future__ import annotations

from random import Random
from typing import Any

from streams.core import events as ev
from streams.core import facts as fa
from streams.core.facts import Fact
from tests.week.times import Clock

QUEUES = ("Sales", "Support", "Night")
AGENTS = tuple(f"agent-{n:02d}" for n in range(12))
ISSUES = ("billing", "fault", "move", None)
NO_WAY = -5_000
"""A duration that cannot be true, as some platforms report it."""


class Call:
    """One call: ``events`` as they are reported, ``facts`` that are true."""

    def __init__(self, name: str, chance: Random, clock: Clock, customer: str | None) -> None:
        self.name = name
        self.chance = chance
        self.customer = customer
        self.now = clock.moment(chance)
        self.clock = clock
        self.events: list[ev.ContactEvent] = []
        self.facts: list[Fact] = []
        self.issue = chance.choice(ISSUES)
        self.direction = "outbound" if chance.random() < 0.05 else "inbound"
        self.began = self.now
        self.arrived: tuple[str, int] | None = None
        self.seen: set[str] = set()
        self.talk = self.hold = self.wrap = self.legs = self.untimed = 0
        self.agent: str | None = None
        self.excluded = ""
        self.menu_since: int | None = None

    # -- telling

    def tell(self, what: type[ev.ContactEvent], **fields: Any) -> None:
        name = f"{self.name}-{len(self.events)}"
        common = {"source": "pbx", "contact": self.name, "channel": "voice"}
        self.events.append(what(**{"id": name, "time": self.now, **common, **fields}))

    def true(self, *facts: Fact) -> None:
        self.facts += facts

    def later(self, seconds: float) -> int:
        """Time goes on, by at least a millisecond; how long it was."""
        passed = max(1, round(seconds * 1000))
        self.now += passed
        return passed

    def some(self, mean_seconds: float) -> int:
        return self.later(self.chance.expovariate(1 / mean_seconds))

    def maybe(self, share: float) -> bool:
        return self.chance.random() < share

    # -- the call

    def happen(self) -> None:
        if self.maybe(0.01):
            self.excluded = "test"
        self.tell(
            ev.ContactStarted,
            direction=self.direction,
            customer=self.customer,
            test=self.excluded == "test",
        )
        if not self.maybe(0.4) or self._menus():
            self._in_queue(self.chance.choice(QUEUES))
        if self.legs and self.maybe(0.6) and self.issue is not None:
            self.some(30)
            self.tell(ev.Classified, issue_type=self.issue)
        else:
            self.issue = None
        self._survey()
        if self.maybe(0.01):
            self.some(600)
            self.tell(ev.Classified, spam=True)
            self.excluded = self.excluded or "spam"
        self._work()
        if self.excluded:
            self.facts = [fa.ContactExcluded("voice", self.began, self.excluded)]

    def _menus(self) -> bool:
        """Greeting and menu; whether the caller goes on to a queue."""
        for stage, seconds, leaves in (("greeting", 5, 0.03), ("ivr", 20, 0.2)):
            self.later(0.001)
            entered = self.now
            self.tell(ev.StageEntered, stage=stage)
            self.true(fa.StageEntered(stage, "voice", entered))
            if stage == "ivr":
                self.menu_since = entered
            passed = self.some(seconds)
            if self.maybe(leaves):
                self.tell(ev.Ended, ended_by="customer")
                self.true(fa.StagePassed(stage, None, "voice", entered, self.now, passed, True))
                if stage == "ivr":
                    self._self_served(entered, "left", False)
                return False
            self.true(
                fa.StagePassed(stage, None, "voice", entered, self.now + 1, passed + 1, False)
            )
        self._self_served(entered, "human", True)
        self.later(0.001)
        return True

    def _self_served(self, entered: int, outcome: str, arrived: bool) -> None:
        self.facts = [f for f in self.facts if not isinstance(f, fa.SelfServiceStarted)]
        start = ("ivr", "voice", "ISSUE", entered, arrived)
        self.true(fa.SelfServiceStarted(*start), fa.SelfServiceEnded(*start, outcome))

    def _in_queue(self, queue: str, depth: int = 0) -> None:
        entered = self.now
        self.tell(ev.Queued, queue=queue)
        self.true(fa.VisitOffered(queue, "voice", entered, queue in self.seen, False))
        self.seen.add(queue)
        if self.arrived is None:
            self.arrived = queue, entered
            in_hours = self.clock.is_open(queue, entered)
            known = self.customer is not None
            self.true(fa.ContactArrived(queue, "voice", entered, self.direction, in_hours, known))
        ring_since, ringing = self._offers(queue)
        waited = self.some(25) and self.now - entered
        how = self.chance.choices(
            ("answered", "abandoned", "timeout", "callback", "key"), (75, 14, 5, 4, 2)
        )[0]
        if how == "answered":
            self._rung(queue, ring_since, False)
            self._answered(queue, entered, waited, depth)
        else:
            rang = how == "abandoned" and ringing
            self._left(queue, entered, waited, how, rang)
            self._rung(queue, ring_since, rang)
            if how == "timeout" and depth < 2:
                self.later(1)
                self._in_queue(self.chance.choice(QUEUES), depth + 1)
            elif how == "callback":
                self._called_back(queue)
            elif self.maybe(0.9):
                self.later(0.5)
                self.tell(ev.Ended, ended_by="customer")

    def _offers(self, queue: str) -> tuple[int | None, bool]:
        """Agents who are rung and do not answer; since when, and whether one is being rung now."""
        since = None
        for _ in range(self.chance.choice((0, 0, 0, 1, 2))):
            self.some(4)
            agent = self.chance.choice(AGENTS)
            since = self.now if since is None else since
            self.tell(ev.Offered, queue=queue, agent=agent)
            self.some(8)
            reason = self.chance.choice(("no_answer", "rejected"))
            self.tell(ev.OfferEnded, queue=queue, agent=agent, reason=reason)
            self.true(fa.OfferFailed(queue, "voice", self.now, reason, agent))
        if self.maybe(0.3):
            self.some(4)
            since = self.now if since is None else since
            self.tell(ev.Offered, queue=queue, agent=self.chance.choice(AGENTS))
            return since, True
        return since, False

    def _rung(self, queue: str, since: int | None, abandoned: bool) -> None:
        if since is not None:
            passed = self.now - since
            self.true(fa.StagePassed("ringing", queue, "voice", since, self.now, passed, abandoned))

    def _reported(self, field: str, queue: str, real_ms: int) -> tuple[int | None, int | None]:
        """What the platform says of a duration (mostly nothing, or whole seconds), and what is to
        be believed."""
        kind = self.chance.random()
        if kind < 0.6:
            return None, real_ms
        if kind < 0.97:
            return real_ms // 1000 * 1000, real_ms // 1000 * 1000
        self.true(fa.ValueRefused(queue, "voice", self.now, field))
        return NO_WAY, None

    def _left(self, queue: str, entered: int, waited: int, outcome: str, rang: bool) -> None:
        said, wait = self._reported("wait_ms", queue, waited)
        self.tell(ev.LeftQueue, queue=queue, outcome=outcome, wait_ms=said)
        self.true(fa.VisitLeft(queue, "voice", entered, self.now, wait, outcome, rang))

    def _called_back(self, queue: str) -> None:
        self.later(0.2)
        since = self.now
        self.tell(ev.StageEntered, stage="callback_wait")
        self.true(fa.StageEntered("callback_wait", "voice", since))
        passed = self.some(900)
        gone = self.maybe(0.2)
        self.true(fa.StagePassed("callback_wait", None, "voice", since, self.now, passed, gone))
        if gone:
            self.tell(ev.Ended, ended_by="customer")
            return
        self.tell(ev.StageLeft, stage="callback_wait")

    def _answered(self, queue: str, entered: int, waited: int, depth: int) -> None:
        said, wait = self._reported("wait_ms", queue, waited)
        self.agent = self.chance.choice(AGENTS)
        self.tell(ev.Answered, queue=queue, agent=self.agent, wait_ms=said)
        self.true(fa.VisitAnswered(queue, "voice", entered, self.now, wait))
        self._leg(queue, self.now, depth)

    def _leg(self, queue: str, answered: int, depth: int) -> None:
        held, held_from, pending = self._holds()
        self.some(120)
        real = self.now - answered
        hold = held + (self.now - pending if pending else 0)
        how = self.chance.choices(("customer", "agent", "transfer"), (50, 35, 15))[0]
        if how == "transfer" and depth >= 2:
            how = "agent"
        said, talk = self._reported("talk_ms", queue, real - hold)
        agent = self.agent
        if how == "transfer":
            to = self.chance.choice((*QUEUES, None))
            kind = self.chance.choice(("blind", "attended"))
            reason = self.chance.choice(("wrong_queue", "expert", None))
            to_kind = "queue" if to else "external"
            self.tell(
                ev.Transferred, queue=queue, agent=agent, kind=kind, to_kind=to_kind, to_queue=to,
                reason=reason, talk_ms=said,
            )  # fmt: skip
            self.true(fa.Transferred(queue, "voice", self.now, kind, agent, to_kind, to, reason))
        else:
            self.tell(ev.Handled, queue=queue, agent=agent, talk_ms=said, ended_by=how)
        self.true(fa.LegEnded(queue, "voice", self.now, talk, hold, how, agent, "ISSUE"))
        if held_from is not None:
            hung_up = self.now - pending if pending and how == "customer" else None
            self.true(
                fa.StagePassed(
                    "hold", queue, "voice", held_from, self.now, hung_up, hung_up is not None
                )
            )
        self.legs += 1
        self.untimed += talk is None
        self.talk += talk or 0
        self.hold += hold if talk is not None else 0
        self._wrap_up(queue, agent)
        if how == "transfer" and to:
            self.later(1)
            self._in_queue(to, depth + 1)
        elif how != "transfer" and self.maybe(0.9):
            self.later(0.3)
            self.tell(ev.Ended, ended_by=how)

    def _holds(self) -> tuple[int, int | None, int | None]:
        """(Held ms that are over, since when first, since when now)."""
        held, first = 0, None
        for _ in range(self.chance.choice((0, 0, 0, 1, 2))):
            self.some(30)
            self.tell(ev.Held, agent=self.agent)
            first = self.now if first is None else first
            if self.maybe(0.1):
                return held, first, self.now
            held += self.some(20)
            self.tell(ev.Resumed, agent=self.agent)
        return held, first, None

    def _wrap_up(self, queue: str, agent: str | None) -> None:
        """Ends before anything else happens to the contact, which is simpler than life."""
        if not self.maybe(0.8):
            return
        self.later(0.1)
        self.tell(ev.WrapUpStarted, queue=queue, agent=agent)
        real = self.some(15)
        said, wrap = self._reported("wrap_up_ms", queue, real)
        self.tell(ev.WrapUpEnded, queue=queue, agent=agent, wrap_up_ms=said)
        self.true(fa.WrapUpDone(queue, "voice", self.now, wrap, agent, "ISSUE"))
        self.wrap += wrap or 0

    def _work(self) -> None:
        """What is only known in the end: the sum of all legs, and what it was about."""
        if self.arrived is not None and self.legs:
            queue, entered = self.arrived
            self.true(
                fa.ContactHandled(
                    queue,
                    "voice",
                    entered,
                    self.talk,
                    self.hold,
                    self.wrap,
                    self.legs,
                    self.untimed,
                    self.issue,
                )
            )
        self.facts = [
            f._replace(issue_type=self.issue) if getattr(f, "issue_type", None) == "ISSUE" else f
            for f in self.facts
        ]

    def _survey(self) -> None:
        if not self.legs or not self.maybe(0.25):
            return
        kind, scale = self.chance.choice((("csat", 5), ("nps_transactional", 10), ("ces", 7)))
        self.some(60)
        queue, agent = self.events_queue(), self.agent
        sent = self.now
        self.tell(ev.SurveySent, survey=kind)
        answers = self.chance.choice((0, 1, 1, 2))
        self.true(fa.SurveyOffered(kind, queue, "voice", agent, self.issue, sent, answers > 0))
        score = 0
        for _ in range(answers):
            self.some(300)
            score = self.chance.randint(0 if scale == 10 else 1, scale)
            self.tell(ev.Rated, survey=kind, score=score, scale=scale)
        if answers:
            high, low = {"csat": (4, -1), "ces": (5, -1)}.get(kind, (9, 6))
            verdict = "positive" if score >= high else "negative" if score <= low else "other"
            self.true(
                fa.SurveyAnswered(
                    kind, queue, "voice", agent, self.issue, self.now, score, scale, verdict
                )
            )

    def events_queue(self) -> str:
        """The queue it was in last."""
        return [e.queue for e in self.events if isinstance(e, ev.Queued)][-1]
