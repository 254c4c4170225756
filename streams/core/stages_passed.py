"""What a contact goes through outside the queue: greeting, menu, bot, waiting for a callback.

A stage is over when the contact is said to leave it, enters another one or a queue, is answered or
ends.  Customers who end the contact in it have given up there.  What is never said to end is lost
and says nothing.  Ringing and hold are stages too, and told by the visits.
"""

from __future__ import annotations

from collections.abc import Sequence

from streams.core import events as ev
from streams.core.about import About
from streams.core.facts import Fact, StageEntered, StagePassed
from streams.core.levels import Open
from streams.core.terms import Terms

OUTSIDE: frozenset[str] = frozenset(("greeting", "ivr", "bot", "callback_wait", "voicemail"))
"""Stages that only these events tell; the others are inside the queue, or the leg."""


class StagesPassed:
    """The aspect.  See the module."""

    READS: frozenset[type] = frozenset(
        (ev.StageEntered, ev.StageLeft, ev.Queued, ev.Answered, ev.Ended, ev.Lost)
    )
    BEGINS: frozenset[type] = frozenset((ev.StageEntered,))

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._facts: tuple[Fact, ...] = ()
        self._stage = ""
        self._since_ms = 0

    @staticmethod
    def begins(event: ev.ContactEvent) -> bool:
        return isinstance(event, ev.StageEntered) and event.stage in OUTSIDE

    def apply(self, event: ev.ContactEvent, about: About) -> bool:
        match event:
            case ev.StageEntered(stage=stage):
                self._leave(event, False)
                self._enter(stage, event)
            case ev.StageLeft(stage=stage, ended_by=ended_by):
                if stage == self._stage:
                    self._leave(event, ended_by == "customer")
            case ev.Queued():
                if self._stage != "callback_wait":
                    self._leave(event, False)
            case ev.Ended(ended_by=ended_by):
                self._leave(event, ended_by == "customer")
            case ev.Lost():
                self._stage = ""
            case _:
                self._leave(event, False)
        return True

    def _enter(self, stage: str, event: ev.ContactEvent) -> None:
        if stage in OUTSIDE:
            self._stage, self._since_ms = stage, event.time
            self._facts += (StageEntered(stage, event.channel, event.time),)

    def _leave(self, event: ev.ContactEvent, abandoned: bool) -> None:
        if not self._stage:
            return
        stage, since_ms, self._stage = self._stage, self._since_ms, ""
        self._facts += (
            StagePassed(
                stage,
                None,
                event.channel,
                since_ms,
                event.time,
                self._terms.believed(event.time - since_ms),
                abandoned,
            ),
        )

    def facts(self, about: About) -> Sequence[Fact]:
        return self._facts

    def levels(self, about: About) -> tuple[Open, ...]:
        return ()
