"""Boards that live through crashes, and what readers of their results see."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from streams.core.measure import Amounts, CutKey
from streams.core.source import Record
from streams.core.target import Target
from streams.core.terms import MINUTE_MS
from streams.core.window import FIXED
from streams.stages import wire
from streams.stages.base import Entity, Seal
from streams.stages.board import BoardStage
from tests.boards.definitions import KPIS, TERMS
from tests.boards.topics import Message


class Change(NamedTuple):
    """A changelog record and whether its transaction was aborted."""

    key: bytes
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    aborted: bool


def changed(entity: Entity, *, aborted: bool) -> Change:
    return Change(entity.key, entity.value, entity.headers, aborted)


def rows(changelog: Sequence[Change]) -> list[Record]:
    return [Record("log", 0, i, 0, c.key, c.value, c.headers) for i, c in enumerate(changelog)]


def whole(stage: BoardStage, end: int) -> Seal:
    """A seal with all its results taken."""
    seal = stage.seal(end)
    return seal._replace(results=list(seal.results))


@dataclass
class Life:
    """What came of a board: its changelog, and what readers of committed results saw.

    ``values``: (key, revision) -> value, of everything ever said, seen or not.
    """

    changelog: list[Change] = field(default_factory=list)
    commits: list[int] = field(default_factory=lambda: [0])
    seen: dict[str, dict[str, Any]] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)
    values: dict[tuple[str, int], Any] = field(default_factory=dict)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """(Key, event) of targets that readers have seen, in their order."""
    letters: dict[bytes, bytes | None] = field(default_factory=dict)
    """Id -> what is listed in the dead letters."""
    stage: BoardStage | None = None

    def write(self, seal: Seal, *, aborted: bool = False) -> None:
        self.changelog += [changed(entity, aborted=aborted) for entity in seal.entities]
        self.letters |= {dict(o.headers)["cc_dlq_id"]: o.value for o in seal.outputs}
        for output in seal.results:
            assert output.key is not None
            if output.stream == "breaches":
                assert output.value is not None
                if not aborted:
                    self.events.append((output.key.decode(), json.loads(output.value)))
                continue
            self.hear(output.key.decode(), output.value, dict(output.headers), seen=not aborted)

    def hear(self, key: str, value: bytes | None, headers: dict[str, bytes], *, seen: bool) -> None:
        row = None if value is None else json.loads(value)
        revision = int(headers["revision"]) if row is None else row["revision"]
        content = None
        if row is not None:
            parts = ("value", "numerator", "denominator")
            content = [*(row[part] for part in parts), row.get("buckets")]
        known = self.values.setdefault((key, revision), content)
        assert content == known, f"{key} at {revision}: {known}, then {content}"
        if seen:
            last = self.revisions.get(key, -1)
            assert revision >= last, f"{key}: revision {last}, then {revision}"
            self.revisions[key] = revision
            self.seen.pop(key, None)
            if row is not None:
                self.seen[key] = row

    def said(self, floor: int = 0) -> dict[str, tuple[Any, str]]:
        """As ``Account.said``; without windows that begin before the minute ``floor``."""
        return {
            json.dumps(json.loads(key)): (content_of(row), row["status"])
            for key, row in self.seen.items()
            if row["window"]["kind"] in FIXED and json.loads(key)[-1] >= floor * MINUTE_MS
        }

    def rolling(self) -> dict[str, Any]:
        """As ``Account.rolling``."""
        return {
            json.dumps(json.loads(key)): content_of(row)
            for key, row in self.seen.items()
            if row["window"]["kind"].startswith("rolling")
        }

    def levels(self) -> dict[str, Any]:
        """As ``Account.levels``."""
        return {
            json.dumps(json.loads(key)): row["value"]
            for key, row in self.seen.items()
            if row["window"]["kind"] == "now"
        }

    def totals(self) -> dict[tuple[CutKey, int], Amounts]:
        assert self.stage is not None
        return {
            (line.cut, minute): {name: amount for name, amount in cell.total.items() if amount}
            for line in self.stage._board.lines.values()
            for minute, cell in line.cells.items()
        }

    def versions(self) -> dict[tuple[CutKey, int], int]:
        assert self.stage is not None
        return {
            (line.cut, minute): cell.version
            for line in self.stage._board.lines.values()
            for minute, cell in line.cells.items()
        }


def content_of(row: dict[str, Any]) -> list[Any]:
    return [row["value"], row["numerator"], row["denominator"], row.get("buckets")]


def records(topic: Sequence[Message]) -> list[Record]:
    return [Record("partials", 0, i, 0, None, wire.encode(m)) for i, m in enumerate(topic)]


def new_stage(keep_ms: int = 0, targets: Sequence[Target] = ()) -> BoardStage:
    return BoardStage(
        0, terms=TERMS, kpis=KPIS, origins=3, keep_ms=keep_ms, offered="offered", targets=targets
    )


def restarted(
    random: Random,
    changelog: Sequence[Change],
    committed: int,
    keep_ms: int = 0,
    targets: Sequence[Target] = (),
) -> BoardStage:
    """A new owner: it reads the changelog, here in any order, and starts at the commit."""
    stage = new_stage(keep_ms, targets)
    read = rows(changelog)
    random.shuffle(read)
    middle = random.randrange(len(read) + 1)
    stage.restore(read[:middle])
    stage.restore(read[middle:])
    stage.start(committed)
    return stage


def cleaned(random: Random, changelog: Sequence[Change]) -> list[Change]:
    """What the log cleaner may leave: aborted records go, others make room for later ones."""
    kept = [c for c in changelog if not c.aborted]
    last = {c.key: i for i, c in enumerate(kept)}
    gone = {i for i in last.values() if kept[i].value is None and random.random() < 0.5}
    return [c for i, c in enumerate(kept) if last[c.key] == i and i not in gone]


FATES = ("ok", "ok", "ok", "ok", "restart", "crash", "abort", "unacknowledged", "rewind", "clean")
"""What may become of a seal, see ``live``."""


def live(
    topic: Sequence[Message],
    random: Random,
    fates: Sequence[str] = FATES,
    *,
    keep_ms: int = 0,
    targets: Sequence[Target] = (),
) -> Life:
    """Boards over a topic, up to a good seal at its end.

    ``ok`` a good seal; ``restart`` and a new owner after it; ``crash`` before anything is written,
    but perhaps what goes ahead; ``abort`` with some of it written, in a transaction that does not
    commit (what goes ahead, and then nothing else, or the rest of it); ``unacknowledged``:
    the transaction does, the offset does not; ``rewind``: a new owner starts from an earlier
    commit; ``clean``: the log cleaner runs.
    """
    life, log, troubles = Life(), records(topic), random.randrange(12)
    life.stage, at = restarted(random, [], 0, keep_ms, targets), 0
    while at < len(log):
        fate = random.choice(fates) if troubles else "ok"
        until = min(len(log), at + random.randrange(1, max(2, len(log) // 3)))
        if until == len(log) and fate in ("restart", "rewind"):
            fate = "ok"
        for step in range(at, until, size := random.randrange(1, 20)):
            life.stage.absorb(log[step : min(step + size, until)])
        at, troubles = until, troubles - (fate != "ok")
        new_owner = bequeath(life, whole(life.stage, until), fate, random)
        if new_owner:
            at = life.commits[-1]
            life.stage = restarted(random, life.changelog, at, keep_ms, targets)
    return life


def write_ahead(life: Life, seal: Seal, fate: str, random: Random) -> bool:
    """Whether what goes ahead is committed; else all else is not even written."""
    lost = fate in ("crash", "abort") and random.random() < 0.5
    count = random.randrange(len(seal.ahead) + 1) if lost else len(seal.ahead)
    written = random.sample(seal.ahead, count)
    life.changelog += [changed(entity, aborted=lost) for entity in written]
    return not lost


def bequeath(life: Life, seal: Seal, fate: str, random: Random) -> bool:
    """Let a seal have its fate; whether there is a new owner."""
    if seal.ahead and not write_ahead(life, seal, fate, random):
        return True
    if fate in ("crash", "abort"):
        count = random.randrange(len(seal.entities) + 1) if fate == "abort" else 0
        written = random.sample(seal.entities, count)
        life.write(seal._replace(entities=written), aborted=True)
        return True
    life.write(seal)
    if fate == "unacknowledged":
        return True
    life.commits.append(seal.commit)
    if fate == "rewind":
        life.commits.append(random.choice([c for c in life.commits if c <= seal.commit]))
    if fate == "clean":
        life.changelog = cleaned(random, life.changelog)
    return fate in ("restart", "rewind")
