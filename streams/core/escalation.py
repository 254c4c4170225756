"""Escalations of a contact: each step to another tier, and that there was one at all.

Tiers are what the platform calls them; they have no order here, so *that* a tier is higher is the
platform's word.  A step to the tier the contact is in already is a second report.  A step that does
not say where from comes from the tier reached last.
"""

from __future__ import annotations

from collections.abc import Iterable

from streams.core import events as ev
from streams.core.about import About
from streams.core.facts import ArrivalEscalated, Escalated, Fact
from streams.core.levels import Open
from streams.core.terms import Terms

UNKNOWN = "unknown"
"""Stands for a tier or a reason that was not told."""


class Escalation:
    """The fold; see ``streams.core.course.Aspect``."""

    READS: frozenset[type] = frozenset((ev.Escalated,))
    BEGINS = READS

    __slots__ = ("_steps", "_tier")

    def __init__(self, terms: Terms) -> None:
        self._steps: list[Escalated] = []
        self._tier: str | None = None

    @staticmethod
    def begins(event: ev.ContactEvent) -> bool:
        return True

    def apply(self, event: ev.ContactEvent, about: About) -> bool:
        assert isinstance(event, ev.Escalated)
        from_tier = event.from_tier or self._tier or UNKNOWN
        self._tier = event.to_tier
        if event.to_tier == from_tier:
            return True
        self._steps.append(
            Escalated(
                about.queue, about.channel, event.time, from_tier, event.to_tier,
                event.reason or UNKNOWN, event.agent or about.agent, about.team,
            )
        )  # fmt: skip
        return True

    def facts(self, about: About) -> Iterable[Fact]:
        for step in self._steps:
            yield step._replace(issue_type=about.issue_type)
        arrived = about.arrived
        if self._steps and arrived is not None:
            yield ArrivalEscalated(arrived.queue, arrived.channel, arrived.entered_ms)

    def levels(self, about: About) -> Iterable[Open]:
        return ()
