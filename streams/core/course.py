"""A contact's course: everything its events prove.

Theory of operation
-------------------
A contact has *aspects*.  Its way through queues and agents is one that every call has, so the
``Journey`` says its facts event by event, as they come.  The others (what was written, what became
of the ticket, what the customer thought of it ...) are there only for contacts that have them.
Each is a small fold of its own, and after an event that told it something, or when what the
contact is ``About`` has changed, it states anew *all* the facts it stands for; what has changed is
said with its sign.  So an aspect never needs to know what it said before.

A new aspect is a class with the members of ``Aspect`` and a line in ``ASPECTS``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from streams.core import events as ev
from streams.core.about import About
from streams.core.brief import Brief, Upshot, brief_of
from streams.core.claims import Claims
from streams.core.dialogue import Dialogue
from streams.core.escalation import Escalation
from streams.core.facts import ContactExcluded, Fact
from streams.core.journey import Journey
from streams.core.levels import Open
from streams.core.satisfaction import Satisfaction
from streams.core.self_service import SelfService
from streams.core.signed import Signed, replaced
from streams.core.stages_passed import StagesPassed
from streams.core.terms import Terms
from streams.core.ticket import Ticket


class Aspect(Protocol):
    """One side of a contact.  ``READS`` are the events it wants; it exists from the first of
    ``BEGINS`` on for which ``begins`` is true."""

    READS: frozenset[type]
    BEGINS: frozenset[type]

    def __init__(self, terms: Terms) -> None: ...

    @staticmethod
    def begins(event: ev.ContactEvent) -> bool:
        """Whether a contact without this aspect has it from this event on."""
        ...

    def apply(self, event: ev.ContactEvent, about: About) -> bool:
        """Fold one event; ``about`` is as of this event.  False only if ``facts`` are the same as
        before."""
        ...

    def facts(self, about: About) -> Iterable[Fact]:
        """Every fact that stands now."""
        ...

    def levels(self, about: About) -> Iterable[Open]:
        """What is open now."""
        ...


ASPECTS: tuple[type[Aspect], ...] = (
    StagesPassed,
    SelfService,
    Satisfaction,
    Dialogue,
    Ticket,
    Escalation,
    Claims,
)
_READERS: dict[type, tuple[int, ...]] = {
    kind: tuple(number for number, aspect in enumerate(ASPECTS) if kind in aspect.READS)
    for kind in ev.CONTACT_EVENTS
}
_BEGINNERS: dict[type, tuple[int, ...]] = {
    kind: tuple(number for number in readers if kind in ASPECTS[number].BEGINS)
    for kind, readers in _READERS.items()
}
"""A plain call has no aspects: nobody is asked about its events."""


class Course:
    """The fold.  Events come in the order of ``order.fold``; ``said`` is what they add up to.

    ``apply`` takes one and says what it changes.  Of a whole list only the sum counts: ``take`` all
    of it, then ``settle`` once, so that a ticket with a thousand reopenings is read in a moment.
    """

    __slots__ = ("_aspects", "_stale", "_standing", "_terms", "about", "journey", "upshot")

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self.about = About()
        self.upshot = Upshot()
        self.journey = Journey(terms, self.about)
        self._aspects: dict[int, Aspect] = {}
        self._standing: dict[int, tuple[Fact, ...]] = {}
        self._stale: dict[int, None] = {}
        """Aspects that may have to say something new."""

    @property
    def out(self) -> list[Signed]:
        """Every signed fact so far, in the order they were said."""
        return self.journey.out

    @property
    def said(self) -> Sequence[Signed]:
        """What counts: nothing of a contact that is excluded, but that it is."""
        reason = self.about.excluded
        if reason is None:
            return self.journey.out
        return [(ContactExcluded(self.about.channel, self.about.began_ms or 0, reason), 1)]

    @property
    def open(self) -> bool:
        """Something of the contact is: somebody waits, or is being handled ..."""
        return bool(self.levels())

    def levels(self) -> list[Open]:
        """What of the contact is open now."""
        about = self.about
        if about.excluded is not None:
            return []
        found = self.journey.levels()
        for aspect in self._aspects.values():
            found += aspect.levels(about)
        return found

    def brief(self) -> Brief | None:
        """What the customer's other contacts are held against; None: nobody knows whose it is."""
        return brief_of(self.about, self.upshot, self.journey.arrived, self._terms.agents_named)

    def apply(self, event: ev.ContactEvent) -> None:
        self.take(event)
        if self._stale:
            self.settle()

    def settle(self) -> None:
        """Let the aspects say what is true by now."""
        for number in self._stale:
            self._state(number)
        self._stale = {}

    def take(self, event: ev.ContactEvent) -> None:
        about, kind = self.about, type(event)
        arrived = about.arrived
        restated = about.take(event)
        self.upshot.take(event)
        if restated:
            self.journey.restate()
        self.journey.apply(event)
        for number in (_READERS if self._aspects else _BEGINNERS)[kind]:
            aspect = self._aspects.get(number) or self._begun(number, event)
            if aspect is not None and aspect.apply(event, about):
                self._stale[number] = None
        if restated or (about.arrived is not arrived and about.arrived != arrived):
            self._stale |= dict.fromkeys(self._aspects)

    def _begun(self, number: int, event: ev.ContactEvent) -> Aspect | None:
        """The aspect that the event begins, if it does."""
        kind = ASPECTS[number]
        if type(event) not in kind.BEGINS or not kind.begins(event):
            return None
        aspect = self._aspects[number] = kind(self._terms)
        return aspect

    def _state(self, number: int) -> None:
        """Say what has changed of all that the aspect stands for."""
        known = self._standing.get(number, ())
        now = tuple(self._aspects[number].facts(self.about))
        if now != known:
            self._standing[number] = now
            self.journey.out += replaced(known, now)
