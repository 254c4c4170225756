"""What the events of an agent prove: time in a state, time with chats, scheduled time, offers.

Time is posted in pieces that lie within one minute each, so every window holds exactly its own time
(Amazon calls such metrics agent activity-driven: they are split at interval borders).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from streams.core.schedule import Shift, within
from streams.core.terms import MINUTE_MS

ON_CONTACT = ("talking", "on_hold", "wrap_up")
"""States with a contact: Amazon's agent on contact."""
WORKING = ("idle", "offered", *ON_CONTACT)
"""States of an agent who works or could be given work."""


class Doing(NamedTuple):
    """What an agent does: a state, why (not ready only), with how many contacts (being offered one
    does not count), and of these how many by channel; voice is left out of the latter, where an
    agent has one at a time."""

    state: str
    reason: str | None = None
    contacts: int = 0
    channels: tuple[tuple[str, int], ...] = ()


class Span(NamedTuple):
    """An agent did this from ``from_ms`` until ``until_ms`` (half-open)."""

    doing: Doing
    from_ms: int
    until_ms: int


class Attempt(NamedTuple):
    """A contact was offered to the agent, and that ended at ``at_ms``: ``answered``, or one of
    ``vocabulary.OfferEnd``."""

    outcome: str
    at_ms: int


Proof = Span | Attempt
"""A fact of an agent who is not named yet."""


class StateSlice(NamedTuple):
    """Time of an agent in one state, within one minute; never offline."""

    agent: str
    state: str
    reason: str | None
    contacts: int
    from_ms: int
    until_ms: int

    @property
    def duration_ms(self) -> int:
        return self.until_ms - self.from_ms

    @property
    def further_contacts_ms(self) -> int | None:
        """Time of the contacts beside the first one; None if there was none, as nearly always."""
        further = self.contacts - 1
        return further * (self.until_ms - self.from_ms) if further > 0 else None


class ChannelSlice(NamedTuple):
    """Time of an agent with ``contacts`` of one channel (not voice), within one minute."""

    agent: str
    channel: str
    contacts: int
    from_ms: int
    until_ms: int

    @property
    def duration_ms(self) -> int:
        return self.until_ms - self.from_ms

    @property
    def contacts_ms(self) -> int:
        return self.contacts * self.duration_ms


class ScheduledSlice(NamedTuple):
    """Time of an agent's schedule within one minute, and the state the agent was in meanwhile."""

    agent: str
    activity: str
    state: str
    from_ms: int
    until_ms: int

    @property
    def duration_ms(self) -> int:
        return self.until_ms - self.from_ms

    @property
    def adherent(self) -> bool:
        """Working when that is the plan, and not working when it is not.  Offline is not
        working."""
        return (self.activity == "productive") == (self.state in WORKING)

    @property
    def utilized(self) -> bool:
        """Working in time that is paid for."""
        return self.activity != "absent" and self.state in WORKING


class AttemptEnded(NamedTuple):
    """An agent was offered a contact; ``outcome`` as in ``Attempt``."""

    agent: str
    outcome: str
    at_ms: int


AgentFact = StateSlice | ChannelSlice | ScheduledSlice | AttemptEnded


def minutes(from_ms: int, until_ms: int) -> list[tuple[int, int]]:
    """The time cut at minutes.

    >>> minutes(59_000, 121_000)
    [(59000, 60000), (60000, 120000), (120000, 121000)]
    """
    if from_ms >= until_ms:
        return []
    first, last = from_ms // MINUTE_MS, (until_ms - 1) // MINUTE_MS
    if first == last:
        return [(from_ms, until_ms)]
    borders = [minute * MINUTE_MS for minute in range(first + 1, last + 1)]
    return list(zip([from_ms, *borders], [*borders, until_ms], strict=True))


def facts_of(agent: str, proof: Proof, schedule: Sequence[Shift]) -> list[AgentFact]:
    """What a proof means for this agent by this schedule."""
    if isinstance(proof, Attempt):
        return [AttemptEnded(agent, *proof)]
    (state, reason, contacts, channels), from_ms, until_ms = proof
    found: list[AgentFact] = []
    if state != "offline":
        pieces = minutes(from_ms, until_ms)
        found = [StateSlice(agent, state, reason, contacts, *piece) for piece in pieces]
        for channel, count in channels:
            found += [ChannelSlice(agent, channel, count, *piece) for piece in pieces]
    if schedule:
        found += scheduled(agent, proof, schedule)
    return found


def scheduled(agent: str, span: Span, schedule: Sequence[Shift]) -> Iterator[ScheduledSlice]:
    """The scheduled time in a span."""
    (state, *_), from_ms, until_ms = span
    for start_ms, end_ms, activity in within(schedule, from_ms, until_ms):
        for piece in minutes(start_ms, end_ms):
            yield ScheduledSlice(agent, activity, state, *piece)
