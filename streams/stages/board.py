"""The board stage: partials, registers and marks in, results out.

It is sealed at every publish, not at segment borders, because a cell ignores repeats whatever its
commit is.  A seal carries the results and the state they came from, so both are written in one
transaction; the commit is the end of what was absorbed.  What targets have come to goes ahead of
it, in a transaction of its own, at the few seals that have news of them.

A sum for a minute that is not kept any more, or for one key too many, changes nothing.  It is
listed in the dead letters as it stands on the partials topic: cut key, minute, amounts, origin.  A
segment's sum that grows is listed each time, and the last one counts; it is all that the segment
says of the minute, whatever of it came in time.

After a crash the first seals may have no results: nothing is said until the replay has passed what
the interrupted seal had stored (see ``streams.core.board``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from streams.core.board import KEYS_MAX, LATE, TOO_MANY, Board, Changes, Stored
from streams.core.cell import Cell
from streams.core.judging import Kept, MachineKey, Shown
from streams.core.kpi import Kpi
from streams.core.marks import MarksRecord
from streams.core.measure import CutKey
from streams.core.rows import Row, RowKey
from streams.core.source import Record, Rejected
from streams.core.target import Target
from streams.core.terms import Terms
from streams.stages import board_wire as bytes_of
from streams.stages import target_wire, wire
from streams.stages.base import Entity, Output, Seal
from streams.stages.dead_letter import dead_letter
from streams.stages.keyed import Counts, Versions

_REFUSED = {
    LATE: Rejected(LATE, "a sum for a minute older than processing.keep_days"),
    TOO_MANY: Rejected(TOO_MANY, f"a sum of a key beyond the first {KEYS_MAX} of its cut"),
}


class BoardStage:
    """One partition of the partials topic.

    ``rows``, ``hours``, ``counted``, ``corrections`` and ``targets`` are for
    /metrics: another thread may read them with ``list(d.items())`` at any time.
    """

    name = "board"
    by_segment = False

    def __init__(
        self,
        partition: int,
        *,
        terms: Terms,
        kpis: Iterable[Kpi],
        origins: int,
        keep_ms: int = 0,
        offered: str = "contacts_offered",
        targets: Iterable[Target] = (),
    ) -> None:
        """See ``Board``: ``origins`` must report marks; cells are kept ``keep_ms``, 0 for ever."""
        self.partition = partition
        self.counts = Counts()
        self._board = Board(terms, kpis, origins, keep_ms=keep_ms, offered=offered, targets=targets)
        self._versions = Versions()
        self._letters: list[Output] = []

    @property
    def rows(self) -> Mapping[RowKey, Row]:
        """(KPI, cut key, window kind, state) -> the latest value; see ``streams.core.rows``."""
        return self._board.news.shown.rows

    @property
    def hours(self) -> Mapping[tuple[CutKey, int], int]:
        """(cut key, local hour of the day) -> contacts offered in the newest day."""
        return self._board.news.shown.hours

    @property
    def revisions(self) -> Mapping[tuple[CutKey, str, str], int]:
        """(Cut key, kind of window, state) -> what its rows are as of."""
        return self._board.news.shown.revisions

    @property
    def counted(self) -> Mapping[tuple[CutKey, str], int]:
        """(cut key, measure) -> what was added since the process started; never goes down."""
        return self._board.counted

    @property
    def corrections(self) -> Mapping[tuple[CutKey, str], int]:
        """(cut key, measure) -> what was taken back since the process started, positive."""
        return self._board.corrections

    @property
    def targets(self) -> Mapping[MachineKey, Shown]:
        """(target, cut key) -> what is asked and how it stands."""
        return self._board.judging.shown

    @property
    def mark_ms(self) -> int | None:
        """The board's mark, None while there is none."""
        return self._board.marks.known_ms

    # -- the life of a stage

    def restore(self, records: Iterable[Record]) -> None:
        self._versions.take(records)

    def start(self, committed: int) -> None:
        cells: list[Cell] = []
        registers: list[Stored] = []
        marks: MarksRecord | None = None
        kept: list[Kept] = []
        for version, key, value in self._versions.drain():
            if key == bytes_of.MARKS_KEY:
                marks = bytes_of.read_marks(value)
            elif key.startswith(bytes_of.CELL):
                cells.append(bytes_of.read_cell(key, version, value))
            elif key.startswith(bytes_of.REGISTER):
                registers.append(bytes_of.read_register(key, version, value))
            elif key.startswith(target_wire.MACHINE):
                kept.append(target_wire.read_machine(key, version, value))
            else:
                raise ValueError(f"not a record of the board: key begins with {key[:1]!r}")
        self._board.start(cells, registers, marks, committed, kept)

    def absorb(self, records: Sequence[Record]) -> None:
        absorb, decode = self._board.absorb, wire.decode
        for record in records:
            assert record.value is not None, "nobody deletes from the partials topic"
            absorb(decode(record.value), record.offset)
        self.counts["records"] += len(records)
        self._list_refused(records)
        judging = self._board.judging
        self.counts["target_minutes_skipped"] = judging.minutes_skipped
        for what, count in judging.counted.items():
            self.counts[f"target.{what}"] = count

    def _list_refused(self, records: Sequence[Record]) -> None:
        board = self._board
        self.counts["sums_late"], self.counts["keys_refused"] = (
            board.late_dropped,
            board.keys_refused,
        )
        if board.refused:
            reasons, board.refused = dict(board.refused), []
            for record in records:
                if record.offset in reasons:
                    why = _REFUSED[reasons[record.offset]]
                    self._letters.append(dead_letter(record, why, self.name))

    def publish(self) -> Sequence[Output]:
        """Results go with the seal, in its transaction."""
        return ()

    def seal(self, end: int) -> Seal:
        said = not self._board.catching_up(end)
        changes = self._board.changes(end, said=said)
        ahead = [target_wire.machine_entity(kept) for kept in changes.ahead]
        entities = self._entities(changes)
        letters, self._letters = self._letters, []
        if not said:
            return Seal(letters, (), entities, end, ahead)
        events = [target_wire.event_output(s, self.partition) for s in self._board.judging.said()]
        entities += [target_wire.gone_entity(gone) for gone in self._board.judging.gone()]
        return Seal(letters, chain(events, self._results()), entities, end, ahead)

    def _results(self) -> Iterator[Output]:
        """One by one: a busy minute of many queues has hundreds of thousands."""
        output, count = bytes_of.ResultWriter(self.partition).output, 0
        for result in self._board.said():
            count += 1
            yield output(result)
        self.counts["results"] += count

    def _entities(self, changes: Changes) -> list[Entity]:
        entities = [bytes_of.cell_entity(cell) for cell in changes.cells]
        entities += [bytes_of.register_entity(stored) for stored in changes.registers]
        entities += [bytes_of.gone_entity(gone) for gone in changes.gone]
        if changes.marks is not None:
            entities.append(bytes_of.marks_entity(changes.marks))
        return entities
