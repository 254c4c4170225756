"""First responses by looking back, the dumb way: for each answer, what it is an answer to.

No state is kept: whatever is asked of an event is found in the list of those before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from streams.core import events as ev
from streams.core.about import WRITTEN, About
from streams.core.facts import Response, ResponseMissed, ValueRefused
from streams.core.order import rank
from streams.core.terms import Terms

SOON_MS = 60_000
Facts = list[Response | ResponseMissed | ValueRefused]


class Asked(NamedTuple):
    """What is asked before some event: by which event, ``over``: its contact has ended since."""

    by: int
    clock: str
    over: bool


class Oracle:
    """All that is said of the first responses of one contact."""

    def __init__(self, events: Iterable[ev.ContactEvent], terms: Terms) -> None:
        known = list(events)
        newest = {e.id: max(o.version for o in known if o.id == e.id) for e in known}
        self.told = sorted((e for e in known if e.version == newest[e.id]), key=rank)
        self.terms = terms
        begins = (ev.ContactStarted, ev.StatusChanged, ev.BotHandedOff)
        self.begin = next(
            (
                i
                for i, e in enumerate(self.told)
                if isinstance(e, ev.Message) or (e.channel in WRITTEN and isinstance(e, begins))
            ),
            len(self.told),
        )
        """What is before says who has the contact, and no more."""
        self.all = range(len(self.told))

    # -- what an event is

    def wrote(self, i: int, author: str) -> bool:
        e = self.told[i]
        plain = isinstance(e, ev.Message) and e.public and not e.automatic
        return plain and e.author == author  # type: ignore[attr-defined]

    def heard(self, i: int) -> bool:
        """Something came from the customer, be it by a machine."""
        e = self.told[i]
        return isinstance(e, ev.Message) and e.public and e.author == "customer"

    def over(self, i: int) -> bool:
        e = self.told[i]
        solved = isinstance(e, ev.StatusChanged) and e.status in ("solved", "closed")
        return i >= self.begin and (solved or isinstance(e, ev.Ended))

    def again(self, i: int) -> bool:
        """What is over is open again."""
        e = self.told[i]
        status = isinstance(e, ev.StatusChanged) and e.status not in ("solved", "closed")
        return (i >= self.begin and status) or self.wrote(i, "customer")

    def is_(self, i: int, *kinds: type) -> bool:
        return i >= self.begin and isinstance(self.told[i], kinds)

    # -- what is known before an event

    def done(self, before: int) -> bool:
        overs = [i for i in self.all[:before] if self.over(i)]
        return bool(overs) and not any(self.again(i) for i in self.all[overs[-1] : before])

    def answers(self, before: int) -> list[int]:
        return [
            i for i in self.all[:before] if self.wrote(i, "agent") and self.asked(i) is not None
        ]

    def asked(self, before: int) -> Asked | None:
        """In the last stretch between two ends in which anything was asked: what was first."""
        answered = [-1, *self.answers(before)][-1]
        since = answered + 1
        ends = [i for i in self.all[since:before] if self.over(i)]
        stretches = list(zip([since, *(i + 1 for i in ends)], [*ends, before], strict=True))
        for start, end in reversed(stretches):
            reopened = start - 1 in ends or self.done(since)
            if reopened:
                found = [i for i in self.all[start:end] if self.again(i)]
            elif answered >= 0:
                found = [i for i in self.all[start:end] if self.wrote(i, "customer")]
            else:
                found = self.first_asked(end)
            if found:
                clock = "reopened" if reopened else "turn" if answered >= 0 else "first"
                return Asked(found[0], clock, end != before)
        return None

    def first_asked(self, before: int) -> list[int]:
        """What asks in a contact that was neither answered nor over so far."""
        handed = [i for i in self.all[:before] if self.is_(i, ev.BotHandedOff)]
        plain = [i for i in self.all[:before] if self.wrote(i, "customer")]
        start = self.start()
        if start is None or start >= before:
            return sorted(handed + plain)
        heard = [i for i in self.all[:before] if self.heard(i)]
        if not heard or any(i < heard[0] for i in handed):
            return [start]
        late = self.told[heard[0]].time - self.told[start].time > SOON_MS
        if late and self.letter() and not self.taken(start, heard[0]):
            return [start]
        return sorted(handed + plain)

    def letter(self) -> bool:
        return self.told[0].channel in ("email", "ticket")

    def taken(self, start: int, before: int) -> bool:
        return any(self.is_(i, ev.Answered, ev.Handled) for i in self.all[start:before])

    def start(self) -> int | None:
        """The start that asks: nothing was before it."""
        inbound = [
            i
            for i, e in enumerate(self.told)
            if isinstance(e, ev.ContactStarted)
            and e.direction == "inbound"
            and e.channel in WRITTEN
        ]
        if not inbound or any(
            self.heard(i) or self.over(i) or self.wrote(i, "agent") or self.is_(i, ev.BotHandedOff)
            for i in self.all[: inbound[0]]
        ):
            return None
        return inbound[0]

    def counts(self, asked: Asked, before: int) -> bool:
        """Somebody is known to wait."""
        by = asked.by
        if not self.is_(by, ev.ContactStarted):
            return True
        if any(self.is_(i, ev.BotHandedOff) for i in self.all[by:before]):
            return True
        until = [i for i in self.all[by:before] if self.heard(i) or self.over(i)]
        return self.letter() and not self.taken(by, [*until, before][0])

    def lost(self, asked: Asked, before: int) -> bool:
        """Given up, and nothing heard since."""
        last = [i for i in self.all[asked.by : before] if self.is_(i, ev.Lost)]
        return bool(last) and not any(self.alive(i) for i in self.all[last[-1] : before])

    def alive(self, i: int) -> bool:
        """Who was taken for lost is there."""
        return self.heard(i) or self.again(i) or self.handed_over(i)

    def handed_over(self, i: int) -> bool:
        return self.is_(i, ev.BotHandedOff) and not self.answers(i) and not self.done(i)

    def about(self, until: int) -> About:
        about = About()
        for e in self.told[: until + 1]:
            about.take(e)
        return about

    # -- what is proved

    def facts(self) -> Facts:
        found: Facts = []
        for i in self.all:
            asked = self.asked(i)
            if self.wrote(i, "agent"):
                found += self.of_answer(i, asked)
            elif asked is None or asked.over:
                continue
            elif self.wrote(i, "bot"):
                found += self.of_bot(i, asked)
            elif self.over(i) or self.is_(i, ev.Lost):
                found += self.of_end(i, asked)
        return found

    def queue(self, by: int, until: int) -> str:
        return next(
            (q for i in range(by, until + 1) if (q := self.about(i).queue) != "none"), "none"
        )

    def response(self, queue: str, clock: str, since_ms: int, i: int, bot: bool = False) -> Facts:
        e, about, channel = self.told[i], self.about(i), self.told[0].channel
        assert isinstance(e, ev.Message)
        wait: int | None = e.time - since_ms
        opening = self.terms.at(queue, since_ms).opening
        open_wait: int | None = opening.between_ms(since_ms, e.time)
        limit = self.terms.response_ms(queue, channel, since_ms)
        refused: Facts = []
        if e.time - since_ms > self.terms.believable_ms(channel):
            wait = open_wait = None
            refused = [ValueRefused(queue, channel, e.time, f"{clock}_wait_ms")]
        by = (e.agent, None) if bot else (e.agent or about.agent, about.team)
        in_time = [t is not None and t <= limit for t in (open_wait, wait)]
        issue_type = self.about(len(self.told)).issue_type
        return [
            *refused,
            Response(
                queue, channel, clock, since_ms, e.time, wait, open_wait, *in_time, *by, issue_type
            ),
        ]

    def of_answer(self, i: int, asked: Asked | None) -> Facts:
        queue = self.about(i).queue if asked is None else self.queue(asked.by, i)
        found: Facts = []
        if self.creation_answered() == i:
            found += self.response(queue, "creation", self.told[0].time, i)
        if asked is not None:
            found += self.response(queue, asked.clock, self.told[asked.by].time, i)
            if not self.answers(i):
                handed = [self.told[n].time for n in self.all[:i] if self.handed_over(n)]
                found += self.response(queue, "hand_off", [self.told[0].time, *handed][-1], i)
        return found

    def creation_answered(self) -> int | None:
        answers = [i for i in self.all if self.wrote(i, "agent")]
        if answers and self.told[answers[0]].time - self.told[0].time <= SOON_MS:
            first = answers[0]
            theirs = any(
                self.heard(i) or (isinstance(e, ev.ContactStarted) and e.direction == "inbound")
                for i, e in enumerate(self.told[:first])
                if isinstance(e, ev.Message) or e.channel in WRITTEN
            )
            answers = answers if theirs else answers[1:]
        return answers[0] if answers else None

    def bots(self, asked: Asked, before: int) -> list[int]:
        return [
            i
            for i in self.all[asked.by : before]
            if self.wrote(i, "bot") and not self.lost(asked, i) and self.counts(asked, i)
        ]

    def of_bot(self, i: int, asked: Asked) -> Facts:
        if asked.clock == "turn" or self.bots(asked, i + 1)[:1] != [i]:
            return []
        queue, asked_ms = self.queue(asked.by, i), self.told[asked.by].time
        return self.response(queue, "bot", asked_ms, i, True)

    def of_end(self, i: int, asked: Asked) -> Facts:
        if asked.clock == "turn" or not self.counts(asked, i) or self.lost(asked, i):
            return []
        # Nor if what comes first of all that matters is an answer, or that the contact goes on.
        lost, rest = self.is_(i, ev.Lost), self.all[i + 1 :]
        for n in rest:
            if self.wrote(n, "agent") or (lost and not self.done(n) and self.alive(n)):
                return []
            if self.again(n):
                break
        handed = [n for n in self.all[asked.by : i] if self.handed_over(n)]
        how = "needless" if asked.clock == "reopened" and not lost else "unanswered"
        how = "bot" if self.bots(asked, i) and not handed else how
        about, channel = self.about(i), self.told[0].channel
        return [
            ResponseMissed(
                self.queue(asked.by, i), channel, how, self.told[asked.by].time, self.told[i].time,
                about.agent, about.team, self.about(len(self.told)).issue_type,
            )
        ]  # fmt: skip


def facts(events: Sequence[ev.ContactEvent], terms: Terms) -> Facts:
    return Oracle(events, terms).facts()
