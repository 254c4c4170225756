"""The system with one delivery rule broken on purpose, each in a few lines.

``tests/simulation/test_rules.py`` says of each what is broken and how it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from streams.core import events as ev
from streams.core.contact import Contact, Kept
from streams.core.shard import Shard
from streams.core.source import Record
from streams.core.vocabulary import Channel
from streams.runtime.letters import Letters
from streams.runtime.owner import Owner
from streams.stages.base import Entity, Output, Seal
from streams.stages.board import BoardStage
from streams.stages.contacts import ContactsStage
from streams.stages.staff import StaffStage
from tests.simulation.kafka import Place
from tests.simulation.steps import Plain

# -- how it is written


class NewestFirst(Owner):
    """Outputs of a publish in the opposite order: the running segment before the sealed ones."""

    async def _send_outputs(self, outputs: Sequence[Output]) -> None:
        await super()._send_outputs(outputs[::-1])


class Overtaking(Plain):
    """A producer that is not idempotent: a batch sent again arrives behind a later one."""

    def line(self, place: Place) -> object:
        return object()


class CommitFirst(Owner):
    """The offset is committed before the entities are written."""

    async def _write_seal(self, seal: Seal) -> None:
        await super()._write_seal(seal._replace(results=(), entities=()))
        await self._transact(iter(()), list(seal.results), seal)


class OutputsLast(Owner):
    """Entities and commit before the partials that go with them."""

    async def write(self) -> float | None:
        self.kept_back: list[Output] = []
        busy_seconds = await super().write()
        for output in self.kept_back:
            await self._send(self._plain, [output])
        return busy_seconds

    async def _send_outputs(self, outputs: Sequence[Output]) -> None:
        self.kept_back = list(outputs)


class ResultsLast(Owner):
    """Cells and commit first, then the results, in a transaction of their own."""

    async def _write_seal(self, seal: Seal) -> None:
        results = list(seal.results)
        await super()._write_seal(seal._replace(results=()))
        await self._transact(iter(()), results, seal._replace(entities=()))


class BareTombstones(Owner):
    """Removals without the header that carries their position."""

    async def _write_seal(self, seal: Seal) -> None:
        entities = [e if e.value is not None else e._replace(headers=()) for e in seal.entities]
        await super()._write_seal(seal._replace(entities=entities))


class SaysLettersAgain(Letters):
    """Nobody looks which letters are there."""

    async def unsaid(self, letters: Sequence[Output]) -> list[Output]:
        return list(letters)


class PlainLetters(Owner):
    """Letters go by the plain producer, like any output."""

    async def _send_letters(self, letters: Sequence[Output]) -> None:
        unsaid = await self._letters.unsaid(letters)
        await self._send(self._plain, unsaid)
        self._check()


# -- what is read


class TakesRepeats(Shard[Any]):
    """Records before the next offset are absorbed again."""

    def absorb(self, records: Sequence[Record]) -> int:
        assert self.next is not None
        self.next = min(self.next, records[0].offset)
        return super().absorb(records)


class TakesJumps(Shard[Any]):
    """Whatever comes next is taken to be what is next."""

    def absorb(self, records: Sequence[Record]) -> int:
        assert self.next is not None
        self.next = max(self.next, records[0].offset)
        return super().absorb(records)


class LastRecordWins(ContactsStage):
    """On restore the last record of a key counts, whatever its position."""

    def restore(self, records: Iterable[Record]) -> None:
        for record in records:
            self.versions.by_key.pop(record.key or b"", None)
            self.versions.take([record])


class Untrimmed(ContactsStage):
    """Events beyond the commit stay in the restored contacts."""

    def _thaw(self, value: bytes, before: int | None = None) -> Contact:
        return super()._thaw(value, None)


# -- what the stages do


class EncodesLate(StaffStage):
    """A seal encodes its agents when it is written, as they are then."""

    def seal(self, end: int) -> Seal:
        names = list(self._dirty)
        sealed = super().seal(end)
        others = [e for e in sealed.entities if not e.key.startswith(b"a")]
        return sealed._replace(entities=_Late(self, names, others))


class _Late(Sequence[Entity]):
    def __init__(self, stage: EncodesLate, names: Sequence[str], others: Sequence[Entity]) -> None:
        self._stage, self._names, self._others = stage, names, others

    def _now(self) -> list[Entity]:
        return [*(self._stage._entity(name) for name in self._names), *self._others]

    def __getitem__(self, at: Any) -> Any:
        return self._now()[at]

    def __len__(self) -> int:
        return len(self._names) + len(self._others)

    def __iter__(self) -> Iterator[Entity]:
        return iter(self._now())


class ClosesByItself(ContactsStage):
    """A tick closes a silent contact without adding an event to it."""

    def _lose(
        self, contact: Contact, name: str, source: str, channel: Channel, at_ms: int,
        reason: Any, record: Record,
    ) -> None:  # fmt: skip
        lost = ev.Lost(id="-", source=source, contact=name, time=at_ms, reason=reason)
        known = len(contact.course.out)
        contact.course.apply(lost)
        for fact, sign in contact.course.out[known:]:
            self._post(fact, sign, self.running.cell)
        self._dirty[name] = None
        self._open.discard(name, contact.channel)
        self._note_open(name, contact)


class SealsWhereBatchesEnd(ContactsStage):
    """The commit is wherever a batch ended, not the start of a segment."""

    by_segment = False


class ReadsAClock(ContactsStage):
    """When a contact was heard of last is told by the clock of the machine."""

    clock: Callable[[], int]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clock = lambda: 0

    def _add(self, contact: Contact, event: ev.ContactEvent, kept: Kept) -> None:
        super()._add(contact, event, kept._replace(append_ms=self.clock()))


class TakesDuplicates(ContactsStage):
    """An event that is told twice counts twice."""

    def _event(self, record: Record, event: ev.ContactEvent) -> None:
        self._contact(event.contact).ids.clear()
        super()._event(record, event)


class ForgetsTooSoon(ContactsStage):
    """A contact past its horizon is removed in the segment of its last event, which the commit has
    not passed."""

    def _forget(self, start: int) -> list[str]:
        return super()._forget(start + self.segments.size)


class SaysNothingAgain(BoardStage):
    """After a restart nothing is said again of what was restored beyond the commit."""

    def start(self, committed: int) -> None:
        super().start(committed)
        self._board.news._touched.clear()
