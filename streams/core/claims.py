"""Whether the issue is solved, as the customer and the agent say.

The last word of each counts: a survey that is answered again, an agent who thinks better of it.
What a bot claims is a matter of self-service and not taken here.
"""

from __future__ import annotations

from collections.abc import Iterable

from streams.core import events as ev
from streams.core.about import About
from streams.core.facts import ResolutionStated
from streams.core.levels import Open
from streams.core.terms import Terms

_WHO = {"customer": "customer", "survey": "customer", "agent": "agent"}
"""Who speaks: a survey is a way to ask the customer."""


class Claims:
    """An aspect, see ``streams.core.course``."""

    READS: frozenset[type] = frozenset((ev.ResolutionClaimed,))
    BEGINS: frozenset[type] = READS

    def __init__(self, terms: Terms) -> None:
        self._last: dict[str, ResolutionStated] = {}

    @staticmethod
    def begins(event: ev.ContactEvent) -> bool:
        return isinstance(event, ev.ResolutionClaimed) and event.by in _WHO

    def apply(self, event: ev.ContactEvent, about: About) -> bool:
        if isinstance(event, ev.ResolutionClaimed) and event.by in _WHO:
            who = _WHO[event.by]
            self._last[who] = ResolutionStated(
                about.queue, event.channel, event.time, who, event.resolved, about.agent
            )
        return True

    def facts(self, about: About) -> Iterable[ResolutionStated]:
        return [said._replace(issue_type=about.issue_type) for said in self._last.values()]

    def levels(self, about: About) -> Iterable[Open]:
        return ()
