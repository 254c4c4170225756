"""Partials topics, a dumb account of what they mean, and boards that live through crashes.

A ``Topic`` is made from what origins saw: each origin has a list of events, and writers that walk
over it from a segment's start, as a stage and its successors and its paused predecessor do.  Every
writer obeys delivery rule 1 (segments in ascending order); how the writers interleave is free.

``Account`` computes everything the dumbest way, from the topic alone.  ``live`` runs board stages
over a topic with seals, crashes, aborted transactions and the log cleaner in between, and notes
what readers of the results saw.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from streams.core.facts import Fact
from streams.core.kpi import NOW, Count, Distribution, Kpi, Level, Mean, Oldest, Ratio, Value
from streams.core.measure import CHANNEL, QUEUE, Amounts, CutKey, Measure
from streams.core.partials import Mark, Partial, Register, RunningSegment
from streams.core.source import Record
from streams.core.terms import HOUR_MS, MINUTE_MS, Dated, QueueTerms, Terms
from streams.core.window import FIXED
from streams.stages import wire
from streams.stages.base import Seal
from streams.stages.board import BoardStage

Message = Partial | Register | Mark

SEGMENT = 4
GRACE_MS = 2 * MINUTE_MS
BERLIN = "Europe/Berlin"
START_MS = int(datetime(2026, 3, 28, 22, 50, tzinfo=UTC).timestamp()) * 1000
"""Ten minutes before the local midnight of a day of 23 hours."""
MINUTE = START_MS // MINUTE_MS

A: CutKey = ("queue", "A", "voice")
B: CutKey = ("queue", "B", "voice")
VOICE: CutKey = ("channel", "voice")
CUTS = (A, B, VOICE)
TERMS = Terms(QueueTerms(), {"A": [Dated(0, QueueTerms(zone=BERLIN))]}, grace_ms=GRACE_MS)
ZONES = {A: BERLIN, B: "UTC", VOICE: "UTC"}

WAIT = Measure("wait", Fact, "at_ms", "waits", value="wait_ms", bounds_ms=(10_000, 20_000))
AMOUNTS = ("offered", "answered", "wait_ms", "wait:0", "wait:1", "wait:2")


def kpi(name: str, formula: Any, windows: tuple[str, ...] | None = None) -> Kpi:
    made = Kpi(name, "test", "A test.", "contacts", formula, "event", cuts=(QUEUE, CHANNEL))
    return made if windows is None else made._replace(windows=windows)


KPIS = (
    kpi("offered", Count(("offered",))),
    kpi("missed", Count(("offered", "-answered"))),
    kpi("level", Ratio(("answered",), ("offered",))),
    kpi("speed", Mean(("wait_ms",), ("answered",))),
    kpi("waits", Distribution(WAIT)),
    kpi("waiting", Level("waiting"), NOW),
    kpi("longest", Oldest("oldest_ms"), NOW),
)
BY_NAME = {k.name: k for k in KPIS}


# -- topics


class Seen(NamedTuple):
    """An event as one origin saw it: what it adds where, how far time is."""

    cut: CutKey
    minute: int
    amounts: Amounts
    mark_ms: int


def walk(
    origin: str, events: Sequence[Seen], segment: int, publishes: Callable[[int], bool]
) -> list[list[Message]]:
    """What a writer sends of one segment: a list per publish, the last at the border."""
    running, sent = RunningSegment(origin), []
    touched: dict[CutKey, None] = {}
    running.begin(segment)
    offsets = range(segment * SEGMENT, (segment + 1) * SEGMENT)
    for offset in offsets:
        event = events[offset]
        running.position = offset
        amounts = running.cell(event.cut, event.minute)
        for name, amount in event.amounts.items():
            amounts[name] = amounts.get(name, 0) + amount
        touched[event.cut] = None
        if offset == offsets[-1] or publishes(offset):
            registers = [register(origin, events, cut, offset) for cut in touched]
            mark = Mark(origin, offset, max(e.mark_ms for e in events[: offset + 1]))
            sent.append([*running.take_changed(), *registers, mark])
            touched = {}
    return sent


def register(origin: str, events: Sequence[Seen], cut: CutKey, offset: int) -> Register:
    """A level that is a function of the events up to ``offset``."""
    mine = [e for e in events[: offset + 1] if e.cut == cut]
    values = {"waiting": len(mine) % 3}
    if values["waiting"]:
        values["oldest_ms"] = mine[-1].minute * MINUTE_MS
    return Register(origin, cut, offset, values)


MINUTES = (0, 1, 4, 9, 10, 12, 25, 59, 69, 70, 75, 130)
DAYS = (*MINUTES, 1440, 1500, 2000)


def random_events(random: Random, count: int, minutes: Sequence[int]) -> list[Seen]:
    """Mostly in the order of time, now and then much later; amounts are taken back too."""
    events, at, mark_ms = [], 0, START_MS
    for _ in range(count):
        at = min(len(minutes) - 1, at + random.choice((0, 0, 0, 1, 1, 2)))
        minute = MINUTE + minutes[random.randrange(at + 1) if random.random() < 0.3 else at]
        names = random.sample(AMOUNTS, random.randrange(1, 4))
        amounts = {name: random.choice((1, 1, 2, -1)) for name in names}
        mark_ms = max(mark_ms, (MINUTE + minutes[at]) * MINUTE_MS + random.randrange(60) * 1000)
        events.append(Seen(random.choice(CUTS), minute, amounts, mark_ms))
    return events


class Writer(NamedTuple):
    """One owner of an origin; it starts when ``before`` messages of the first owner are sent."""

    messages: Sequence[Message]
    first: int
    before: int


def random_topic(random: Random, minutes: Sequence[int] = MINUTES) -> list[Message]:
    """A topic as three origins, their successors and their zombies may leave it.

    A successor starts at a commit, so all of the earlier segments is in the log before.
    """
    writers: list[Writer] = []
    for origin in ("contacts/0", "contacts/1", "staff/0"):
        events = random_events(random, random.randrange(1, 6) * SEGMENT, minutes)
        segments = len(events) // SEGMENT
        owner, borders = random_walk(random, origin, events, range(segments))
        first = len(writers)
        writers.append(Writer(owner, first, 0))
        for _ in range(random.randrange(3)):
            start = random.randrange(segments)
            until = random.randrange(start, segments) + 1
            again, _ = random_walk(random, origin, events, range(start, until))
            writers.append(Writer(again, first, borders[start]))
    return interleaved(random, writers)


def random_walk(
    random: Random, origin: str, events: Sequence[Seen], segments: range
) -> tuple[list[Message], dict[int, int]]:
    """One writer's messages, and how many there are before each segment.

    Within a publish, which is of one segment, the order is free.
    """
    often = random.random()
    messages: list[Message] = []
    borders: dict[int, int] = {}
    for segment in segments:
        borders[segment] = len(messages)
        for publish in walk(origin, events, segment, lambda _: random.random() < often):
            random.shuffle(publish)
            messages += publish
    return messages, borders


def interleaved(random: Random, writers: Sequence[Writer]) -> list[Message]:
    """One log of all that is sent, each writer's in its own order."""
    topic: list[Message] = []
    sent = [0] * len(writers)
    while True:
        ready = [
            i
            for i, w in enumerate(writers)
            if sent[i] < len(w.messages) and sent[w.first] >= w.before
        ]
        if not ready:
            return topic
        chosen = random.choice(ready)
        for _ in range(random.randrange(1, 6)):
            if sent[chosen] < len(writers[chosen].messages):
                topic.append(writers[chosen].messages[sent[chosen]])
                sent[chosen] += 1


# -- what a topic means, computed the dumbest way


@dataclass
class Account:
    """Everything a topic says, by going over all of it again for each record.

    ``totals``: (cut, minute) -> amounts other than 0; ``versions`` and ``stamps``: the offset of
    the last share that was news to the cell, and the mark when its total changed last.
    """

    topic: Sequence[Message]
    origins: int = 3
    keep_ms: int = 0
    totals: dict[tuple[CutKey, int], Amounts] = field(default_factory=dict)
    versions: dict[tuple[CutKey, int], int] = field(default_factory=dict)
    stamps: dict[tuple[CutKey, int], int] = field(default_factory=dict)
    mark_ms: int = -1
    floor: int = 0

    def __post_init__(self) -> None:
        shares: dict[tuple[str, int, CutKey, int], Partial] = {}
        marks: dict[str, int] = {}
        for offset, message in enumerate(self.topic):
            if isinstance(message, Mark):
                marks[message.origin] = max(message.mark_ms, marks.get(message.origin, -1))
                if len(marks) == self.origins:
                    self.mark_ms = min(marks.values())
                if self.keep_ms and self.mark_ms >= 0:
                    self.floor = max(self.floor, (self.mark_ms - self.keep_ms) // MINUTE_MS)
            elif isinstance(message, Partial) and message.minute >= self.floor:
                key = (message.origin, message.segment, message.cut, message.minute)
                if key not in shares or message.position > shares[key].position:
                    shares[key] = message
                    self._recount(shares, (message.cut, message.minute), offset)
        self.totals = {at: t for at, t in self.totals.items() if at[1] >= self.floor}

    def _recount(
        self, shares: dict[Any, Partial], at: tuple[CutKey, int], offset: int
    ) -> None:
        total: Amounts = defaultdict(int)
        for share in shares.values():
            if (share.cut, share.minute) == at:
                for name, amount in share.amounts.items():
                    total[name] += amount
        known = {name: amount for name, amount in total.items() if amount}
        if known != self.totals.get(at):
            self.totals[at] = known
            self.stamps[at] = self.mark_ms
        self.versions[at] = offset

    def windows(self) -> Iterator[tuple[CutKey, str, int, list[int]]]:
        """(cut, kind, start, minutes) of every window that can be said."""
        by_window: dict[tuple[CutKey, str, int], list[int]] = defaultdict(list)
        for cut, minute in self.totals:
            for kind, start in starts(ZONES[cut], minute):
                by_window[cut, kind, start].append(minute)
        for (cut, kind, start), minutes in by_window.items():
            if start >= self.floor * MINUTE_MS:
                yield cut, kind, start, minutes

    def said(self) -> dict[str, tuple[Any, str]]:
        """Result key -> (value, status) of every fixed window that has a value."""
        said = {}
        for cut, kind, start, minutes in self.windows():
            due = end_of(ZONES[cut], kind, start) + GRACE_MS
            changed = max(self.stamps[cut, m] for m in minutes)
            status = "provisional"
            if self.mark_ms >= due:
                status = "corrected" if changed >= due else "final"
            for one in KPIS[:5]:
                value = one.formula.evaluate(self.sum(cut, minutes))
                if value is not None:
                    said[json.dumps([one.name, *cut, kind, start])] = (plain(value), status)
        return said

    def rolling(self) -> dict[str, Any]:
        """Result key -> value of every rolling window."""
        said: dict[str, Any] = {}
        if self.mark_ms < 0:
            return said
        now = self.mark_ms // MINUTE_MS
        for cut in CUTS:
            if any(now - 60 <= m < now for c, m in self.totals if c == cut):
                for length in (5, 30, 60):
                    minutes = [m for c, m in self.totals if c == cut and now - length <= m < now]
                    for one in KPIS[:5]:
                        value = one.formula.evaluate(self.sum(cut, minutes))
                        if value is not None:
                            said[json.dumps([one.name, *cut, f"rolling_{length}m"])] = plain(value)
        return said

    def levels(self) -> dict[str, Any]:
        """Result key -> value of every level."""
        latest: dict[tuple[CutKey, str], Register] = {}
        for message in self.topic:
            if isinstance(message, Register):
                known = latest.get((message.cut, message.origin))
                if known is None or message.position > known.position:
                    latest[message.cut, message.origin] = message
        said: dict[str, Any] = {}
        for cut in CUTS:
            mine = [r.values for (c, _), r in latest.items() if c == cut]
            if mine:
                said[json.dumps(["waiting", *cut, "now"])] = sum(v["waiting"] for v in mine)
            since = [v["oldest_ms"] for v in mine if "oldest_ms" in v]
            if since and self.mark_ms >= 0:
                age = max(0, self.mark_ms - min(since)) / 1000
                said[json.dumps(["longest", *cut, "now"])] = age
        return said

    def sum(self, cut: CutKey, minutes: Sequence[int]) -> Amounts:
        total: Amounts = defaultdict(int)
        for minute in minutes:
            for name, amount in self.totals[cut, minute].items():
                total[name] += amount
        return total


def plain(value: Value) -> list[Any]:
    """A value as it comes out of JSON."""
    return json.loads(json.dumps(value))


def starts(zone: str, minute: int) -> list[tuple[str, int]]:
    """Where the fixed windows of a minute begin, found by walking back minute by minute."""
    return [(kind, walk_back(zone, kind, minute)) for kind in FIXED]


def names(zone: str, kind: str, minute: int) -> Any:
    """What all minutes of one window have in common."""
    local = datetime.fromtimestamp(minute * 60, ZoneInfo(zone))
    if kind == "quarter_hour":
        return minute // 15
    return local.date() if kind == "day" else (local.date(), local.hour, local.utcoffset())


def walk_back(zone: str, kind: str, minute: int) -> int:
    first = minute
    while names(zone, kind, first - 1) == names(zone, kind, minute):
        first -= 1
    return first * MINUTE_MS


def end_of(zone: str, kind: str, start_ms: int) -> int:
    first = last = start_ms // MINUTE_MS
    while names(zone, kind, last) == names(zone, kind, first):
        last += 1
    return last * MINUTE_MS


# -- boards that live through crashes


class Change(NamedTuple):
    """A changelog record and whether its transaction was aborted."""

    key: bytes
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    aborted: bool


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
    stage: BoardStage | None = None

    def write(self, seal: Seal, *, aborted: bool = False) -> None:
        for key, value, headers in seal.entities:
            self.changelog.append(Change(key, value, headers, aborted))
        for output in seal.results:
            assert output.key is not None
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


def new_stage(keep_ms: int = 0) -> BoardStage:
    return BoardStage(0, terms=TERMS, kpis=KPIS, origins=3, keep_ms=keep_ms, offered="offered")


def restarted(
    random: Random, changelog: Sequence[Change], committed: int, keep_ms: int = 0
) -> BoardStage:
    """A new owner: it reads the changelog, here in any order, and starts at the commit."""
    stage = new_stage(keep_ms)
    rows = [
        Record("changelog", 0, i, 0, c.key, c.value, c.headers) for i, c in enumerate(changelog)
    ]
    random.shuffle(rows)
    middle = random.randrange(len(rows) + 1)
    stage.restore(rows[:middle])
    stage.restore(rows[middle:])
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
    topic: Sequence[Message], random: Random, fates: Sequence[str] = FATES, *, keep_ms: int = 0
) -> Life:
    """Boards over a topic, up to a good seal at its end.

    ``ok`` a good seal; ``restart`` and a new owner after it; ``crash`` before anything is written;
    ``abort`` with some of it written, in a transaction that does not commit; ``unacknowledged``:
    the transaction does, the offset does not; ``rewind``: a new owner starts from an earlier
    commit; ``clean``: the log cleaner runs.
    """
    life, log, troubles = Life(), records(topic), random.randrange(12)
    life.stage, at = restarted(random, [], 0, keep_ms), 0
    while at < len(log):
        fate = random.choice(fates) if troubles else "ok"
        until = min(len(log), at + random.randrange(1, max(2, len(log) // 3)))
        for step in range(at, until, size := random.randrange(1, 20)):
            life.stage.absorb(log[step : min(step + size, until)])
        at, troubles = until, troubles - (fate != "ok")
        new_owner = bequeath(life, life.stage.seal(until), fate, random)
        if new_owner:
            at = life.commits[-1]
            life.stage = restarted(random, life.changelog, at, keep_ms)
    return life


def bequeath(life: Life, seal: Seal, fate: str, random: Random) -> bool:
    """Let a seal have its fate; whether there is a new owner."""
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


KEEP_MS = 26 * HOUR_MS
