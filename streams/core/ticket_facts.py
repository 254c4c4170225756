"""What is proved of a ticket; ``streams.core.ticket`` says by which rules."""

from __future__ import annotations

from typing import NamedTuple


class TicketCreated(NamedTuple):
    """A ticket is there.  ``queue`` is the first one it was in."""

    queue: str
    channel: str
    created_ms: int
    team: str | None = None
    issue_type: str | None = None


class TicketSolved(NamedTuple):
    """A ticket was solved, for the ``first`` time or again; each solving is one.  ``resolution_ms``
    is since it was created, whatever happened in between.

    Known of the first solving only: the open time until then, the time since a bot had handed it
    over, and after how long it was reopened.
    """

    queue: str
    channel: str
    created_ms: int
    solved_ms: int
    first: bool
    resolution_ms: int | None
    resolution_business_ms: int | None = None
    after_handoff_ms: int | None = None
    reopened_after_ms: int | None = None
    agent: str | None = None
    team: str | None = None
    issue_type: str | None = None

    @property
    def reopened_within_7d(self) -> bool:
        after_ms = self.reopened_after_ms
        return after_ms is not None and after_ms <= 7 * 86_400_000


class TicketResolved(NamedTuple):
    """A ticket is solved, at last at ``solved_ms``; gone while it is reopened.  ``_business`` is
    open time, the rest calendar time, since it was created.

    ``replies``: public messages of agents that answer something.  ``customer_messages``: public
    ones, the first included.  ``agents``: how many answered it or wrote; all without a name are
    one.
    """

    queue: str
    channel: str
    created_ms: int
    solved_ms: int
    resolution_ms: int | None
    resolution_business_ms: int | None
    requester_wait_ms: int | None
    requester_wait_business_ms: int | None
    agent_wait_ms: int | None
    agent_wait_business_ms: int | None
    on_hold_ms: int | None
    on_hold_business_ms: int | None
    reopens: int
    replies: int
    customer_messages: int
    agents: int
    agent: str | None = None
    team: str | None = None
    issue_type: str | None = None

    @property
    def one_touch(self) -> bool:
        return self.replies < 2

    @property
    def no_further_interaction(self) -> bool:
        return self.customer_messages < 2

    @property
    def closed_once_by_one(self) -> bool:
        return self.reopens == 0 and self.agents == 1


class TicketReopened(NamedTuple):
    """A solved ticket is not solved any more; ``agent`` is who had solved it."""

    queue: str
    channel: str
    at_ms: int
    agent: str | None = None
    team: str | None = None
    issue_type: str | None = None


class TicketGivenUp(NamedTuple):
    """A ticket left the backlog unsolved; ``outcome`` is lost or unanswered.  ``never_solved``: it
    had not been solved before either."""

    queue: str
    channel: str
    created_ms: int
    at_ms: int
    outcome: str
    never_solved: bool
    team: str | None = None
    issue_type: str | None = None


TicketFact = TicketCreated | TicketSolved | TicketResolved | TicketReopened | TicketGivenUp
