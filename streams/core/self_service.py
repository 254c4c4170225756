"""Whether a menu or a bot was enough, or a person had to do it.

A *session* is what a contact had with menus and bots, all of it together; a contact has one at
most.  It is over when a person is asked for (the contact enters a queue, is handed off, gets an
agent's answer) or the contact is.  How it ended (domain notes, 1.10):

=============  ===================================================================================
``human``      a person was asked for, whether or not one came
``confirmed``  the customer said that it helped
``assumed``    the bot took it for solved and nobody contradicted
``denied``     the customer said that it did not help, and left
``left``       the customer just left
``lost``       nobody said how it ended
=============  ===================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator

from streams.core import events as ev
from streams.core.about import NO_QUEUE, WRITTEN, About
from streams.core.facts import Fact, SelfServiceEnded, SelfServiceStarted
from streams.core.levels import Open
from streams.core.terms import Terms
from streams.core.vocabulary import DONE

_STAGES = frozenset(("ivr", "bot"))


class SelfService:
    """The aspect.  See the module."""

    READS: frozenset[type] = frozenset(
        (
            ev.StageEntered, ev.Message, ev.BotHandedOff, ev.Queued, ev.Assigned, ev.Answered,
            ev.CallbackScheduled, ev.ResolutionClaimed, ev.StatusChanged, ev.Ended, ev.Lost,
        )
    )  # fmt: skip
    """All that change ``about.queue`` among them: facts are stated anew only after these."""
    BEGINS: frozenset[type] = frozenset((ev.StageEntered, ev.Message, ev.BotHandedOff))

    def __init__(self, terms: Terms) -> None:
        self._stage = ""
        self._since_ms = 0
        self._human = False
        self._over = False
        self._lost = False
        self._claim = "left"

    @staticmethod
    def begins(event: ev.ContactEvent) -> bool:
        """A menu, or a bot that speaks; an automatic receipt is no bot."""
        if isinstance(event, ev.StageEntered):
            return event.stage in _STAGES
        if isinstance(event, ev.Message):
            return event.author == "bot" and event.public and not event.automatic
        return isinstance(event, ev.BotHandedOff)

    def apply(self, event: ev.ContactEvent, about: About) -> bool:
        if not self._stage:
            ivr = isinstance(event, ev.StageEntered) and event.stage == "ivr"
            self._stage, self._since_ms = "ivr" if ivr else "bot", event.time
        match event:
            case ev.StageEntered(stage="bot"):
                self._stage = "bot"
            case ev.Queued() | ev.Answered() | ev.BotHandedOff() | ev.CallbackScheduled():
                self._human = True
            case ev.Message(author="agent", public=True, automatic=False):
                self._human = True
            case ev.ResolutionClaimed():
                self._claimed(event)
            case ev.StatusChanged(status=status):
                self._over = status in DONE
            case ev.Ended():
                self._over, self._lost = True, False
            case ev.Lost():
                self._lost = not self._over
                self._over = True
            case _:
                pass
        return True

    def _claimed(self, event: ev.ResolutionClaimed) -> None:
        """The customer's word beats the bot's; an agent's says nothing about the bot."""
        customers = event.by in ("customer", "survey") or event.confirmed
        if customers:
            self._claim = "confirmed" if event.resolved else "denied"
        elif event.by == "bot" and event.resolved and self._claim == "left":
            self._claim = "assumed"

    @property
    def outcome(self) -> str | None:
        """How the session ended; None while it goes on."""
        if self._human:
            return "human"
        if not self._over:
            return None
        return "lost" if self._lost else self._claim

    def facts(self, about: About) -> Iterator[Fact]:
        arrived = about.channel in WRITTEN or about.queue != NO_QUEUE
        start = (self._stage, about.channel, about.issue_type, self._since_ms, arrived)
        yield SelfServiceStarted(*start)
        if self.outcome is not None:
            yield SelfServiceEnded(*start, self.outcome)

    def levels(self, about: About) -> tuple[Open, ...]:
        return ()
