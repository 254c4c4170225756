"""Whether an event costs the same however many queues, open contacts and workers there are.

The events are in the log before the workers start, so this is the full pipeline at its own pace:
contacts with changelogs, the board with all KPIs, the KPI topics.  The cases of an axis are run
alternately, each with a new broker and new workers; the ratios are those of the medians.

queues    10, 1,000 or 50,000, with 2,000 live calls
open      10,000 or 1,000,000 contacts that wait all the while, as others come and go
workers   1 or 2, both on this machine and so with the broker on its cores: compare the CPU

Two figures.  *Reading* is between the first and the last tenth of the commits of contacts.
*Settled* is from the same beginning until the last result stands in the KPI topics: what the board
put off while the worker was behind is in it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import NamedTuple

from aiokafka import AIOKafkaProducer

from bench.load_shape import PARTITIONS, Load, Sent, Shape, standing
from bench.rig import EVENTS, Rig, command_line, machine, progress, release_workers, rig, table
from streams import codec
from streams.arrival import Offsets
from streams.core.events import Tick
from streams.core.segment import Segments
from streams.deployment import PARTIALS
from streams.errors import StateError, StreamsError
from streams.runtime.writing import Writer, Written, settled

BEGIN_MS = 1_790_000_000_000
SEGMENT = 16_384
CHUNK = 20_000
FLAT_RATIO = 1.2
SAMPLE_SECONDS = 0.2
STUCK_SECONDS = 120.0
BROKER: Mapping[str, str] = {
    # Two workers that start together are to share from the beginning.
    "group.initial.rebalance.delay.ms": "4000",
}
HEAD = (
    "axis", "case", "events/s reading", "CPU us an event", "ratio", "events/s settled",
    "CPU us an event, settled", "ratio", "memory MiB", "lowest to highest CPU us",
)  # fmt: skip
EXAMPLES = """examples:
  python -m bench.growth
  python -m bench.growth --only queues --rounds 1 --events 200000
  python -m bench.growth --only open --open-state talking
  python -m bench.growth --json > growth.json
"""


@dataclass(frozen=True)
class Case:
    """One point of an axis.  ``talking``: the open contacts are being handled, else they wait."""

    axis: str
    name: str
    queues: int = 40
    open_contacts: int = 0
    workers: int = 1
    talking: bool = False


CASES = (
    Case("queues", "10", queues=10),
    Case("queues", "1,000", queues=1_000),
    Case("queues", "50,000", queues=50_000),
    Case("open", "10,000", open_contacts=10_000),
    Case("open", "1,000,000", open_contacts=1_000_000),
    Case("workers", "1"),
    Case("workers", "2", workers=2),
)
"""The first of an axis is what the others are compared with."""
AXES = tuple(dict.fromkeys(case.axis for case in CASES))


class Sample(NamedTuple):
    """The workers at one moment: monotonic seconds, events committed, whether all is in the KPI
    topics, CPU seconds, resident bytes."""

    at: float
    events: int
    settled: bool
    cpu_seconds: float
    memory_bytes: int


@dataclass(frozen=True)
class Measured:
    """One run: CPU of all workers in microseconds per event, and events per second."""

    cpu_us: float
    rate: float
    settled_cpu_us: float
    settled_rate: float
    memory_bytes: int


@dataclass(frozen=True)
class Row:
    """One case: medians, and ratios of CPU to the axis's first case.  ``problem``: why it has none;
    ``median`` is then None and so are the ratios."""

    axis: str
    case: str
    median: Measured | None
    ratio: float | None
    settled_ratio: float | None
    cpu_us_runs: list[float]
    problem: str = ""

    def cells(self) -> list[object]:
        """As cells of the table."""
        found, runs = self.median, self.cpu_us_runs
        if found is None:
            return [self.axis, self.case, f"failed: {self.problem}", *[""] * (len(HEAD) - 3)]
        return [
            self.axis, self.case, f"{found.rate:,.0f}", f"{found.cpu_us:.1f}", _times(self.ratio),
            f"{found.settled_rate:,.0f}", f"{found.settled_cpu_us:.1f}",
            _times(self.settled_ratio), f"{found.memory_bytes / 2**20:,.0f}",
            f"{min(runs):.1f} to {max(runs):.1f}",
        ]  # fmt: skip


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


# -- the log


def log_of(case: Case, events: int, density: int) -> Iterator[Sent]:
    """The open contacts, then the events that count; ``density`` of them to a second of event
    time."""
    yield from standing(case.open_contacts, case.queues, BEGIN_MS, case.talking)
    load = Load(Shape(queues=case.queues))
    for number in range(events):
        yield load.next(BEGIN_MS + 2 + number * 1000 // density)


async def fill(bootstrap: str, topic: str, log: Iterable[Sent], end_ms: int) -> list[int]:
    """Write the log; gives the records per partition.  Each partition is filled up with ticks to
    the border of a segment, so that a commit comes after the last event."""
    writer = Writer(AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=512 * 1024))
    await writer.start()
    written = [0] * PARTITIONS
    try:
        for chunk in _chunks(log):
            await _write(writer, topic, chunk, written)
        tick = codec.encode(Tick(time=end_ms))
        padding = [[(None, tick, ())] * _missing(*at) for at in enumerate(written)]
        await _write(writer, topic, padding, written)
    finally:
        await writer.stop()
    return written


def _missing(partition: int, count: int) -> int:
    """Records until a segment is full.

    >>> _missing(0, SEGMENT), _missing(0, SEGMENT - 3), _missing(1, 0), _missing(1, 1)
    (0, 3, 0, 8191)
    """
    segments = Segments.of(SEGMENT, partition)
    return 0 if segments.border(count) == count else segments.next_border(count) - count


def _chunks(log: Iterable[Sent]) -> Iterator[list[list[Written]]]:
    """Some of the log at a time, by partition."""
    rows = iter(log)
    while chunk := list(islice(rows, CHUNK)):
        lanes: list[list[Written]] = [[] for _ in range(PARTITIONS)]
        for sent in chunk:
            lanes[sent.partition].append((sent.key, sent.value, ()))
        yield lanes


async def _write(
    writer: Writer, topic: str, lanes: Sequence[Sequence[Written]], written: list[int]
) -> None:
    for partition, rows in enumerate(lanes):
        await settled(await writer.send(topic, partition, rows))
        written[partition] += len(rows)


# -- one run


def measure(case: Case, events: int, density: int) -> Measured:
    """One case, once; StateError if the workers end or stop getting on."""
    flags = {
        "processing.keep_days": 0,
        # No time-outs and no marks but those of the log: it is dated long ago.
        "processing.tick_ms": 0,
    }
    with rig(flags, workers=case.workers, broker=BROKER, release=False) as stand:
        deployment = stand.deployment
        end_ms = BEGIN_MS + 2 + events * 1000 // density
        written = asyncio.run(
            fill(
                deployment.bootstrap,
                deployment.topic(EVENTS),
                log_of(case, events, density),
                end_ms,
            )
        )
        release_workers(stand, flags)
        samples = _watch(stand, sum(written))
    before = case.open_contacts * (2 if case.talking else 1)
    return _judge(samples, before, events)


def _watch(stand: Rig, total: int) -> list[Sample]:
    """Samples until everything is settled."""
    samples: list[Sample] = []
    moved_at, told_at = time.monotonic(), 0.0
    with Offsets(stand.deployment) as offsets:
        while not samples or not samples[-1].settled:
            found = _sample(stand, offsets, total)
            if not samples or found.events != samples[-1].events or _busy(samples[-1], found):
                moved_at = found.at
            if found.at - moved_at > STUCK_SECONDS:
                raise StateError(f"nothing moved for {STUCK_SECONDS:.0f} s", str(found))
            if found.at - told_at > 5:
                told_at = found.at
                progress(f"  {found.events:,} of {total:,}")
            samples.append(found)
            time.sleep(SAMPLE_SECONDS)
    return samples


def _busy(before: Sample, now: Sample) -> bool:
    """Whether the workers compute rather than wait."""
    return now.cpu_seconds - before.cpu_seconds > 0.2 * (now.at - before.at)


def _sample(stand: Rig, offsets: Offsets, total: int) -> Sample:
    topic, partials = stand.deployment.topic(EVENTS), stand.deployment.topic(PARTIALS)
    events = sum(offsets.committed(topic).values())
    # The board commits when its results are in their topics.
    done = events == total and offsets.committed(partials) == offsets.ends(partials)
    used = stand.usage()
    return Sample(time.monotonic(), events, done, used.cpu_seconds, used.memory_bytes)


def _judge(samples: Sequence[Sample], before: int, events: int) -> Measured:
    first = next(s for s in samples if s.events >= before + 0.1 * events)
    last = next(s for s in samples if s.events >= before + 0.9 * events)
    end = samples[-1]
    done, rest = last.events - first.events, events + before - first.events
    if done <= 0:
        raise StateError("too few events to measure by", f"a commit is {SEGMENT} of a partition")
    return Measured(
        round(1e6 * (last.cpu_seconds - first.cpu_seconds) / done, 2),
        round(done / (last.at - first.at)),
        round(1e6 * (end.cpu_seconds - first.cpu_seconds) / rest, 2),
        round(rest / (end.at - first.at)),
        max(s.memory_bytes for s in samples),
    )


# -- all of them


def run(cases: Sequence[Case], rounds: int, events: int, density: int) -> list[Row]:
    """Every case ``rounds`` times, alternately; one that fails is not tried again."""
    found: dict[Case, list[Measured]] = {case: [] for case in cases}
    problems: dict[Case, str] = {}
    for number in range(1, rounds + 1):
        for case in cases:
            if case in problems:
                continue
            progress(f"round {number} of {rounds}: {case.axis} {case.name} ...")
            try:
                measured = measure(case, events, density)
            except StreamsError as error:
                problems[case] = error.what
                progress(f"  {error}")
            else:
                found[case].append(measured)
                progress(f"  {measured.cpu_us:.1f} us, {measured.settled_cpu_us:.1f} us settled")
    return rows_of(found, problems)


def _median(runs: Sequence[Measured]) -> Measured:
    def middle(name: str) -> float:
        return float(statistics.median(getattr(one, name) for one in runs))

    return Measured(
        middle("cpu_us"),
        middle("rate"),
        middle("settled_cpu_us"),
        middle("settled_rate"),
        int(middle("memory_bytes")),
    )


def rows_of(runs: Mapping[Case, Sequence[Measured]], problems: Mapping[Case, str]) -> list[Row]:
    """A row per case, in their order."""
    first: dict[str, Measured] = {}
    rows = []
    for case, measured in runs.items():
        median = _median(measured) if measured and case not in problems else None
        base = first.setdefault(case.axis, median) if median else None
        rows.append(
            Row(
                case.axis,
                case.name,
                median,
                round(median.cpu_us / base.cpu_us, 2) if median and base else None,
                round(median.settled_cpu_us / base.settled_cpu_us, 2) if median and base else None,
                [one.cpu_us for one in measured],
                problems.get(case, ""),
            )
        )
    return rows


def verdicts(rows: Sequence[Row]) -> list[str]:
    """One line per axis with a target."""
    said = []
    for axis in ("queues", "open"):
        ours = [row for row in rows if row.axis == axis]
        if any(row.problem for row in ours):
            said.append(f"{axis}: NOT flat: a case failed")
        elif len(ours) > 1:
            most = max(max(row.ratio or 0, row.settled_ratio or 0) for row in ours)
            word = "flat" if most <= FLAT_RATIO else "NOT flat"
            said.append(f"{axis}: at most {most:.2f} times the CPU, wanted {FLAT_RATIO}: {word}")
    return said


def main(arguments: Sequence[str]) -> int:
    """Print the table, or JSON; 1 if the cost is not flat, 2 if a run failed."""
    wanted = _parser().parse_args(arguments)
    talking = wanted.open_state == "talking"
    cases = [
        replace(case, talking=talking and case.open_contacts > 0)
        for case in CASES
        if case.axis in wanted.only
    ]
    rows = run(cases, wanted.rounds, wanted.events, wanted.density)
    said = verdicts(rows)
    if wanted.json:
        print(json.dumps({"machine": machine(), "rows": [asdict(row) for row in rows]}, indent=2))
    else:
        about = f"{wanted.events:,} events, medians of {wanted.rounds}"
        print(f"{machine()}; {about}\n\n{table(HEAD, [row.cells() for row in rows])}\n")
        print("\n".join(said))
    if any(row.problem for row in rows):
        return 2
    return int(any("NOT" in line for line in said))


def _parser() -> argparse.ArgumentParser:
    parser = command_line("growth", __doc__, EXAMPLES)
    parser.add_argument("--events", type=int, default=600_000, help="that count (600000)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each case (3)")
    parser.add_argument(
        "--only", type=_axes, default=list(AXES), help=f"of {', '.join(AXES)} (default: all)"
    )
    parser.add_argument(
        "--density", type=int, default=10_000, help="events in a second of event time (10000)"
    )
    parser.add_argument(
        "--open-state",
        choices=("waiting", "talking"),
        default="waiting",
        help="what the open contacts do (waiting)",
    )
    parser.add_argument("--json", action="store_true", help="JSON instead of tables")
    return parser


def _axes(text: str) -> list[str]:
    axes = text.split(",")
    if set(axes) - set(AXES):
        raise argparse.ArgumentTypeError(f"of {', '.join(AXES)}")
    return axes


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
