"""What is asked and answered in a written conversation: how long the customer waits for a person.

Theory of operation
-------------------
A *question* opens with the customer's first message since the last answer, and ends with the first
message of a human agent.  Private notes, automatic mail and bots never answer, and automatic mail
never asks.  What an answer proves is a ``Response``; its ``clock`` says from when to when:

=============  =====================================================================================
``first``      the contact's first question, to its answer
``reopened``   a contact that was over is open again, by its status or by a message of the customer,
               whichever came first; to the next answer (chatwoot#12058: not from the beginning)
``turn``       any later question, to its answer
``hand_off``   Chatwoot: from the last hand-off by a bot, else the beginning; to the first answer
``creation``   Zendesk: from the beginning to the first comment of an agent; to the second, if an
               agent began the contact with one.  Not reset by anything
``bot``        a first or reopened question, to the first message of a bot
=============  =====================================================================================

(Domain notes, 1.6.)  A first or reopened question whose contact ends before an answer is *missed*.
An answer that comes after all, because it was told after the end or the contact was only taken for
lost, takes that back.

A mail thread or a ticket begins with what was written, so its start asks, and the customer's first
message within ``SOON_MS`` only says what; other conversations start before anything is written, so
their start counts only if an agent speaks first.  Where agents take contacts and no message is
ever reported, nothing is known of answers, and nothing is missed.

The queue of a question is the one the contact was in, or came to first: moving it resets nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from streams.core import events as ev
from streams.core.about import NO_QUEUE, WRITTEN, About
from streams.core.facts import Fact, Response, ResponseMissed, ValueRefused
from streams.core.levels import Open
from streams.core.terms import MINUTE_MS, Terms
from streams.core.vocabulary import DONE, Channel

LETTERS: frozenset[Channel] = frozenset(("email", "ticket"))
"""Channels whose contacts begin with something written."""
SOON_MS = MINUTE_MS
"""What is written within this time of the beginning is what the contact began with."""


_BEGINS = (ev.ContactStarted, ev.StatusChanged, ev.BotHandedOff)
_By = tuple[int, str | None, str | None]
"""When it was answered, by which agent, of which team."""


class Question:
    """Something asked and not answered.  ``counts``: somebody is known to wait; ``by_start``: it is
    the start that asks; ``bot``: a bot has answered; ``handed``: and has handed it over."""

    __slots__ = ("asked_ms", "bot", "by_start", "clock", "counts", "due", "handed", "queue")

    def __init__(self, asked_ms: int, clock: str, queue: str) -> None:
        self.asked_ms = asked_ms
        self.clock = clock
        self.queue = queue
        self.counts = True
        self.by_start = False
        self.bot = False
        self.handed = False
        self.due: tuple[str, int | None] | None = None
        """The queue, and until when an answer is in time there."""

    @property
    def opens(self) -> bool:
        """It is the first of the contact, or since it is open again."""
        return self.clock != "turn"


class Dialogue:
    """The fold: an aspect of a contact (``streams.core.course``)."""

    BEGINS: frozenset[type] = frozenset((*_BEGINS, ev.Message))
    READS: frozenset[type] = frozenset(
        (
            ev.ContactStarted,
            ev.Queued,
            ev.Answered,
            ev.Handled,
            ev.Message,
            ev.Assigned,
            ev.StatusChanged,
            ev.BotHandedOff,
            ev.Ended,
            ev.Lost,
        )
    )
    __slots__ = (
        "_answered",
        "_counted",
        "_done",
        "_handed_ms",
        "_inbound",
        "_issue_type",
        "_lost",
        "_missed",
        "_ours",
        "_past",
        "_question",
        "_said",
        "_terms",
        "_wrote",
    )

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._said: list[Fact] = []
        """What no later event can disprove; all with ``_issue_type``."""
        self._issue_type: str | None = None
        self._question: Question | None = None
        self._past: Question | None = None
        """Its contact came to an end; an answer may still come."""
        self._missed: ResponseMissed | None = None
        """What that means of ``_past``, unless one does."""
        self._lost = False
        """It was no end, but silence."""
        self._done = False
        self._inbound = False
        self._wrote = False
        """The customer did."""
        self._answered = False
        """A question was, by a person."""
        self._ours = False
        """An agent's message began the contact."""
        self._counted = False
        """The answer of the clock ``creation`` came."""
        self._handed_ms: int | None = None

    @staticmethod
    def begins(event: ev.ContactEvent) -> bool:
        if event.channel in WRITTEN and isinstance(event, _BEGINS):
            return True
        return isinstance(event, ev.Message)

    def apply(self, event: ev.ContactEvent, about: About) -> bool:
        said, missed = len(self._said), self._missed
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event, about)
        question = self._question or self._past
        if question is not None and question.queue == NO_QUEUE:
            question.queue = about.queue
        return len(self._said) != said or self._missed is not missed

    # -- telling

    def facts(self, about: About) -> Iterable[Fact]:
        if about.issue_type != self._issue_type:
            self._issue_type = about.issue_type
            self._said = [_of_type(fact, about.issue_type) for fact in self._said]
            if self._missed is not None:
                self._missed = self._missed._replace(issue_type=about.issue_type)
        return self._said if self._missed is None else [*self._said, self._missed]

    def levels(self, about: About) -> Iterable[Open]:
        """A first or reopened question of a written channel: who waits for a person's answer."""
        question = self._question
        if question is None or not (question.counts and question.opens):
            return ()
        if about.channel not in WRITTEN:
            return ()
        if question.due is None or question.due[0] != question.queue:
            question.due = question.queue, self._due_ms(question, about.channel)
        return (("unanswered", question.queue, about.channel, question.asked_ms, question.due[1]),)

    def _due_ms(self, question: Question, channel: Channel) -> int | None:
        queue, asked_ms = question.queue, question.asked_ms
        limit_ms = self._terms.response_ms(queue, channel, asked_ms)
        return self._terms.at(queue, asked_ms).opening.after_ms(asked_ms, limit_ms)

    def _say(self, queue: str, clock: str, asked_ms: int, by: _By, about: About) -> None:
        channel, replied_ms, agent, team = about.channel, *by
        limit_ms = self._terms.response_ms(queue, channel, asked_ms)
        wait_ms: int | None = replied_ms - asked_ms
        open_ms: int | None = None
        if replied_ms - asked_ms > self._terms.believable_ms(channel):
            self._said.append(ValueRefused(queue, channel, replied_ms, f"{clock}_wait_ms"))
            wait_ms = None
        else:
            open_ms = self._terms.at(queue, asked_ms).opening.between_ms(asked_ms, replied_ms)
        self._said.append(
            Response(
                queue, channel, clock, asked_ms, replied_ms, wait_ms, open_ms,
                open_ms is not None and open_ms <= limit_ms,
                wait_ms is not None and wait_ms <= limit_ms,
                agent, team, self._issue_type,
            )
        )  # fmt: skip

    # -- asking

    def _started(self, event: ev.ContactStarted, about: About) -> None:
        """Nothing more is asked by a start that is told after what was written."""
        if event.direction != "inbound" or event.channel not in WRITTEN or self._inbound:
            return
        self._inbound = True
        if self._wrote or self._said or self._question is not None or self._done or self._ours:
            return
        question = self._open(event.time, about)
        question.by_start = True
        question.counts = event.channel in LETTERS

    def _message(self, event: ev.Message, about: About) -> None:
        if not event.public:
            return
        if event.author == "customer":
            self._customer_wrote(event, about)
        elif event.automatic:
            return
        elif event.author == "agent":
            self._agent_wrote(event, about)
        elif event.author == "bot":
            self._bot_wrote(event, about)

    def _customer_wrote(self, event: ev.Message, about: About) -> None:
        self._resume()
        if self._question is not None and self._says_what(self._question, event):
            self._question = None
        self._wrote = True
        if self._question is None and not event.automatic:
            self._open(event.time, about)

    def _says_what(self, question: Question, event: ev.Message) -> bool:
        """The message takes the place of the start that asked before it."""
        if not question.counts:
            return True
        if not question.by_start or self._wrote:
            return False
        return event.channel not in LETTERS or event.time - question.asked_ms <= SOON_MS

    def _open(self, asked_ms: int, about: About) -> Question:
        clock = "reopened" if self._done else "turn" if self._answered else "first"
        if self._missed is not None:
            self._said.append(self._missed)
        self._past = self._missed = None
        self._done = False
        self._question = Question(asked_ms, clock, about.queue)
        return self._question

    def _resume(self) -> None:
        """Who was taken for lost is there, and what they had asked still open."""
        if self._lost:
            self._question, self._past, self._missed = self._past, None, None
            self._lost = False

    def _handed_off(self, event: ev.BotHandedOff, about: About) -> None:
        """Whoever a bot hands over waits for a person."""
        if self._answered or self._done:
            return
        self._handed_ms = event.time
        self._resume()
        question = self._question or self._open(event.time, about)
        question.counts = question.handed = True
        question.by_start = False

    def _taken(self, event: ev.Answered | ev.Handled, about: About) -> None:
        """By an agent, who may well answer in messages that nobody reports."""
        if self._question is not None and self._question.by_start and not self._wrote:
            self._question.counts = False

    # -- answering

    def _bot_wrote(self, event: ev.Message, about: About) -> None:
        question = self._question
        if question is None or question.bot or not (question.counts and question.opens):
            return
        question.bot = True
        by = event.time, event.agent, None
        self._say(question.queue, "bot", question.asked_ms, by, about)

    def _agent_wrote(self, event: ev.Message, about: About) -> None:
        by = event.time, event.agent or about.agent, about.team
        question = self._question or self._past
        queue = about.queue if question is None else question.queue
        self._count_since_creation(queue, by, about)
        if question is None:
            return
        self._say(queue, question.clock, question.asked_ms, by, about)
        if not self._answered:
            since_ms = _began_ms(about) if self._handed_ms is None else self._handed_ms
            self._say(queue, "hand_off", since_ms, by, about)
        self._question = self._past = self._missed = None
        self._lost = False
        self._answered = True

    def _count_since_creation(self, queue: str, by: _By, about: About) -> None:
        if self._counted:
            return
        since_ms = _began_ms(about)
        if not (self._inbound or self._wrote or self._ours) and by[0] - since_ms <= SOON_MS:
            self._ours = True
            return
        self._counted = True
        self._say(queue, "creation", since_ms, by, about)

    # -- ending

    def _status(self, event: ev.StatusChanged, about: About) -> None:
        if event.status in DONE:
            self._finish(event, about)
        elif self._done:
            self._open(event.time, about)
        else:
            self._resume()

    def _finish(self, event: ev.ContactEvent, about: About) -> None:
        self._give_up(event, about)
        self._done, self._lost = True, False

    def _lose(self, event: ev.Lost, about: About) -> None:
        if self._question is not None:
            self._give_up(event, about)
            self._lost = True

    def _give_up(self, event: ev.ContactEvent, about: About) -> None:
        question = self._question
        if question is None:
            return
        self._question, self._past = None, question
        if question.counts and question.opens:
            self._missed = ResponseMissed(
                question.queue, about.channel, _how(question, event), question.asked_ms,
                event.time, about.agent, about.team, about.issue_type,
            )  # fmt: skip


def _began_ms(about: About) -> int:
    """A contact that anything is known of has begun."""
    return about.began_ms or 0


def _how(question: Question, event: ev.ContactEvent) -> str:
    if question.bot and not question.handed:
        return "bot"
    if question.clock == "reopened" and not isinstance(event, ev.Lost):
        return "needless"
    return "unanswered"


def _of_type(fact: Any, issue_type: str | None) -> Fact:
    found: Fact = fact if isinstance(fact, ValueRefused) else fact._replace(issue_type=issue_type)
    return found


_HANDLERS: dict[type, Callable[[Dialogue, Any, About], None]] = {
    ev.ContactStarted: Dialogue._started,
    ev.Answered: Dialogue._taken,
    ev.Handled: Dialogue._taken,
    ev.Message: Dialogue._message,
    ev.StatusChanged: Dialogue._status,
    ev.BotHandedOff: Dialogue._handed_off,
    ev.Ended: Dialogue._finish,
    ev.Lost: Dialogue._lose,
}
