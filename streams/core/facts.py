"""What the events of a contact prove.

A fact is a plain tuple.  Facts are only ever *added up*: a fact that stops being true is posted
again with sign -1. All times are event times in ms; a duration that the platform did not report, or
reported absurdly, is None.
"""

from __future__ import annotations

from typing import NamedTuple

from streams.core.agent_facts import AgentFact
from streams.core.ticket_facts import TicketFact


class ContactArrived(NamedTuple):
    """A contact exists: its first visit (a consult leg is taken back), or its first message.
    ``in_hours``: the queue was open.  ``identified``: it is known whose contact it is."""

    queue: str
    channel: str
    entered_ms: int
    direction: str = "inbound"
    in_hours: bool = True
    identified: bool = False


class ContactExcluded(NamedTuple):
    """A contact that counts nowhere; ``reason`` is test, spam or merged."""

    channel: str
    at_ms: int
    reason: str


class VisitOffered(NamedTuple):
    """A contact entered a queue.  ``repeat``: not its first visit to this queue."""

    queue: str
    channel: str
    entered_ms: int
    repeat: bool
    inferred: bool


class VisitAnswered(NamedTuple):
    """An agent took the visit after ``wait_ms``."""

    queue: str
    channel: str
    entered_ms: int
    answered_ms: int
    wait_ms: int | None

    @property
    def stage(self) -> str:
        return "queue"


class VisitLeft(NamedTuple):
    """The visit ended unanswered; ``outcome`` is one of ``events.LeftOutcome``."""

    queue: str
    channel: str
    entered_ms: int
    left_ms: int
    wait_ms: int | None
    outcome: str
    rang: bool = False
    """An agent was being offered the contact."""

    @property
    def stage(self) -> str:
        return "queue"


class LegEnded(NamedTuple):
    """An agent's leg ended."""

    queue: str
    channel: str
    ended_ms: int
    talk_ms: int | None
    hold_ms: int
    ended_by: str
    agent: str | None = None
    issue_type: str | None = None


class ContactHandled(NamedTuple):
    """All the work agents had with a contact so far, over all its legs, at the time it arrived.
    ``legs_untimed``: legs whose talk time is not known."""

    queue: str
    channel: str
    entered_ms: int
    talk_ms: int
    hold_ms: int
    wrap_up_ms: int
    legs: int
    legs_untimed: int
    issue_type: str | None = None

    @property
    def handle_ms(self) -> int | None:
        """Talk, hold and wrap-up; None if a talk time is not known."""
        return None if self.legs_untimed else self.talk_ms + self.hold_ms + self.wrap_up_ms


class Transferred(NamedTuple):
    """An agent's leg ended by a transfer; ``kind`` blind, attended or unknown."""

    queue: str
    channel: str
    at_ms: int
    kind: str
    agent: str | None = None
    to_kind: str = "unknown"
    to_queue: str | None = None
    reason: str | None = None


class WrapUpDone(NamedTuple):
    queue: str
    channel: str
    at_ms: int
    wrap_up_ms: int | None
    agent: str | None = None
    issue_type: str | None = None


class OfferFailed(NamedTuple):
    """An agent was offered the contact and did not take it."""

    queue: str
    channel: str
    at_ms: int
    reason: str
    agent: str | None = None


class EntryRefused(NamedTuple):
    """The queue did not take the contact in."""

    queue: str
    channel: str
    at_ms: int
    reason: str


class Escalated(NamedTuple):
    """A contact went to another tier."""

    queue: str
    channel: str
    at_ms: int
    from_tier: str
    to_tier: str
    reason: str
    agent: str | None = None
    team: str | None = None
    issue_type: str | None = None


class ArrivalEscalated(NamedTuple):
    """A contact that arrived was escalated, once or more often; queue and time of its arrival."""

    queue: str
    channel: str
    entered_ms: int


class ValueRefused(NamedTuple):
    """A duration that cannot be true: the contact counts, the duration does not."""

    queue: str
    channel: str
    at_ms: int
    field: str


class StageEntered(NamedTuple):
    """A contact reached a stage outside the queue."""

    stage: str
    channel: str
    entered_ms: int


class StagePassed(NamedTuple):
    """A contact went through a stage, or gave up in it; ``queue`` only for ringing and hold."""

    stage: str
    queue: str | None
    channel: str
    entered_ms: int
    left_ms: int
    wait_ms: int | None
    abandoned: bool


class SelfServiceStarted(NamedTuple):
    """A contact had to do with a menu or a bot (``stage`` ivr or bot).  ``arrived``: it is one of
    the contacts that arrived, too."""

    stage: str
    channel: str
    issue_type: str | None
    entered_ms: int
    arrived: bool


class SelfServiceEnded(NamedTuple):
    """How that ended: see ``streams.core.self_service``."""

    stage: str
    channel: str
    issue_type: str | None
    entered_ms: int
    arrived: bool
    outcome: str


class SurveyOffered(NamedTuple):
    """A customer was asked; ``answered``: did answer, so far."""

    survey: str
    queue: str
    channel: str
    agent: str | None
    issue_type: str | None
    sent_ms: int
    answered: bool


class SurveyAnswered(NamedTuple):
    """What the customer said last.  ``verdict`` is positive (top box, promoter), negative
    (detractor) or other."""

    survey: str
    queue: str
    channel: str
    agent: str | None
    issue_type: str | None
    at_ms: int
    score: int
    scale: int
    verdict: str

    @property
    def normalised_36(self) -> int:
        """(score - 1) / (scale - 1) in 36ths: whole for every scale of CSAT."""
        return (self.score - 1) * 36 // (self.scale - 1)

    @property
    def answer(self) -> str:
        """The score as a dimension."""
        return f"{self.score}/{self.scale}"


class ContactSeen(NamedTuple):
    """A customer contacted us; ``repeat_<n>d``: had done so in the n days before.  ``reason``: why
    another contact was needed.  ``first_of_day``: the customer's first contact of the local day,
    ``first_on_channel``: the first by this channel."""

    channel: str
    at_ms: int
    repeat_1d: bool
    repeat_7d: bool
    repeat_30d: bool
    reason: str | None = None
    first_on_channel: bool = True
    first_of_day: bool = True


class Response(NamedTuple):
    """What was asked got its answer.  ``clock`` says what the time runs from and what it ends with
    (``streams.core.dialogue``): first, reopened, turn, hand_off, creation or bot.

    ``queue`` is where it was asked, ``agent`` and ``team`` are those who answered (of a bot: its
    name, if known).  ``open_wait_ms`` is business time; ``in_time`` judges that, and
    ``in_calendar_time`` the whole wait.
    """

    queue: str
    channel: str
    clock: str
    asked_ms: int
    replied_ms: int
    wait_ms: int | None
    open_wait_ms: int | None
    in_time: bool
    in_calendar_time: bool
    agent: str | None = None
    team: str | None = None
    issue_type: str | None = None


class ResponseMissed(NamedTuple):
    """What was asked came to its end without a human answer: no waiting time, and no hit either.

    ``how``: unanswered; bot (a bot had answered, and handed nothing over); needless (a reopened
    contact was solved again: it said thanks).  ``agent`` and ``team``: whose it was then.
    """

    queue: str
    channel: str
    how: str
    asked_ms: int
    missed_ms: int
    agent: str | None = None
    team: str | None = None
    issue_type: str | None = None


class ContactFollowed(NamedTuple):
    """A person dealt with a contact that a customer made.

    ``again_ms``: so long after it arrived the customer contacted us again, ``same_ms``: about the
    same type of issue; None: not within 30 days.  ``doubted``: a later contact said that it had
    not been the first."""

    queue: str | None
    channel: str
    arrived_ms: int
    issue_type: str | None
    agent: str | None
    again_ms: int | None
    same_ms: int | None
    doubted: bool


class SelfServed(NamedTuple):
    """A known customer was served by a menu or a bot.  ``confirmed``: nobody else was needed, then
    and for 24 hours."""

    channel: str
    arrived_ms: int
    confirmed: bool


class ResolutionStated(NamedTuple):
    """The customer or the agent (``by``) said last whether the issue is solved."""

    queue: str
    channel: str
    at_ms: int
    by: str
    resolved: bool
    agent: str | None = None
    issue_type: str | None = None


CustomerFact = ContactSeen | ContactFollowed | SelfServed
"""What the contacts of a customer prove together."""
Fact = (
    ContactArrived | ContactExcluded | VisitOffered | VisitAnswered | VisitLeft | LegEnded
    | ContactHandled | Transferred | WrapUpDone | OfferFailed | EntryRefused | ValueRefused
    | Escalated | ArrivalEscalated | TicketFact
    | StageEntered | StagePassed | SelfServiceStarted | SelfServiceEnded
    | SurveyOffered | SurveyAnswered | ResolutionStated | AgentFact | CustomerFact
    | Response | ResponseMissed
)  # fmt: skip
