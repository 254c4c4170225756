"""Whether a worker at a constant rate stays as big as it is: its memory and its changelogs.

Calls begin, end and pass their horizon, minutes pass out of the sums that are kept, and compaction
runs on small segments.  For all of that to happen within minutes, event time goes ``--speed`` times
as fast as the clock, and ticks of that time are sent as well: the worker sees a day go by in some
five minutes, at the rate of events that is asked for.  Contacts are forgotten after 10 hours (2
minutes), sums after 3 days (under 15 minutes), so all that comes must go within the first half of a
run of 30 minutes; the second half is judged.

Entities are counted by a reader of the changelogs, who knows of them what a restarted worker would.
KPI topics are shown and not judged: they keep results on purpose (here for 5 minutes).
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.load_shape import Shape
from bench.paced import START_SECONDS, Pacer, Plan
from bench.rig import AGENT_EVENTS, EVENTS, Rig, command_line, machine, progress, rig, table
from streams.deployment import Deployment
from streams.errors import StreamsError
from streams.kafka.topics import TopicSpec
from streams.reading import follow

SAMPLE_SECONDS = 10
LIVE_SECONDS = 6
KEEP_DAYS = 33
HORIZON_HOURS = 10
MIB = 2**20
MEMORY_RISE_MAX, CHANGELOG_RISE_MAX = 0.05, 0.1
"""What may be gained over the judged half, as a share: a changelog goes up and down by the segments
that wait for compaction."""
LAG_SECONDS_MAX = 5
BROKER: Mapping[str, str] = {
    "log.cleaner.backoff.ms": "1000",
    "log.retention.check.interval.ms": "5000",
}
SMALL: Mapping[str, str] = {"file.delete.delay.ms": "1000", "segment.ms": "60000"}
COMPACTED: Mapping[str, str] = {
    **SMALL,
    "segment.bytes": str(4 * MIB),
    "min.cleanable.dirty.ratio": "0.1",
    "min.compaction.lag.ms": "0",
    # How long a tombstone stays for readers who have seen what it removes.
    "delete.retention.ms": "10000",
}
DELETED: Mapping[str, str] = {
    **SMALL,
    "segment.bytes": str(16 * MIB),
    "retention.bytes": str(64 * MIB),
}
RESULTS: Mapping[str, str] = {**COMPACTED, "segment.bytes": str(16 * MIB), "retention.ms": "300000"}
HEAD = (
    "minute", "memory MiB", "contacts", "cells and levels", "contacts changelog MiB",
    "board changelog MiB", "KPI topics MiB", "lag", "worker CPU",
)  # fmt: skip
EXAMPLES = """examples:
  python -m bench.soak
  python -m bench.soak --seconds 120 --rate 2000 --speed 4500
  python -m bench.soak --json > soak.json
"""


@dataclass(frozen=True)
class Sample:
    """One moment: seconds since the beginning, bytes, entities in the changelogs, records not
    absorbed yet, CPU seconds per second since the sample before."""

    at_seconds: int
    memory_bytes: int
    contacts: int
    cells: int
    contacts_log_bytes: int
    board_log_bytes: int
    results_bytes: int
    lag_records: int
    cpu_ratio: float

    @property
    def changelog_bytes(self) -> int:
        return self.contacts_log_bytes + self.board_log_bytes

    def row(self) -> list[object]:
        """As cells of the table."""
        sizes = (self.contacts_log_bytes, self.board_log_bytes, self.results_bytes)
        return [
            f"{self.at_seconds / 60:.1f}", f"{self.memory_bytes / MIB:,.0f}",
            f"{self.contacts:,}", f"{self.cells:,}", *(f"{size / MIB:,.1f}" for size in sizes),
            f"{self.lag_records:,}", f"{self.cpu_ratio:.0%}",
        ]  # fmt: skip


@dataclass(frozen=True)
class Trend:
    """The second half: the fitted line's slope, and the last sample to the half's first.

    ``rise_ratio`` is what the line gains over the half, as a share of where it begins.
    """

    what: str
    slope_mib_per_minute: float
    last_to_first_ratio: float
    rise_ratio: float
    allowed_ratio: float

    @property
    def flat(self) -> bool:
        return self.rise_ratio <= self.allowed_ratio

    def __str__(self) -> str:
        word = "flat" if self.flat else "NOT flat"
        return (
            f"{self.what}: {word}; {self.slope_mib_per_minute:+.2f} MiB a minute in the second "
            f"half, last to first {self.last_to_first_ratio:.2f}, rise {self.rise_ratio:+.1%} of "
            f"at most {self.allowed_ratio:.0%}"
        )


# -- looking


class Entities:
    """Follows the changelogs in a thread: which keys have a value."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._keys: dict[str, set[bytes]] = {
            _changelog(deployment, stage): set() for stage in ("contacts", "board")
        }
        self._failed: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Entities:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join(5)

    def count(self, stage: str) -> int:
        """How many there are now."""
        if self._failed is not None:
            raise self._failed
        return len(self._keys[_changelog(self._deployment, stage)])

    def _follow(self) -> None:
        try:
            follow(self._deployment, list(self._keys), self._take, self._stop)
        except Exception as error:
            # Raised again where somebody counts; a thread's own traceback would only frighten.
            self._failed = error

    def _take(self, records: Sequence[Any]) -> None:
        keys = self._keys[records[0].topic]
        for record in records:
            if record.value:
                keys.add(record.key)
            else:
                keys.discard(record.key)


def _changelog(deployment: Deployment, stage: str) -> str:
    return f"{deployment.group}-{stage}-changelog"


def size_of(data: Path, is_ours: Callable[[str], bool]) -> int:
    """Bytes of the logs of the topics that are ours, in a broker's data folder."""
    total = 0
    for folder in data.iterdir():
        if is_ours(folder.name.rpartition("-")[0]):
            total += sum(_size(file) for file in folder.glob("*.log"))
    return total


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # the broker has just removed it
        return 0


class Looking:
    """Takes the samples of one rig."""

    def __init__(self, stand: Rig, entities: Entities, begin_seconds: float) -> None:
        self._stand = stand
        self._entities = entities
        self._begin = begin_seconds
        self._before = (begin_seconds, stand.usage().cpu_seconds)

    def sample(self) -> Sample:
        """How it is now; StateError if the worker has ended."""
        stand, now, used = self._stand, time.monotonic(), self._stand.usage()
        then, cpu = self._before
        self._before = (now, used.cpu_seconds)
        deployment, results = stand.deployment, set(stand.deployment.kpi_topics())
        return Sample(
            round(now - self._begin),
            used.memory_bytes,
            self._entities.count("contacts"),
            self._entities.count("board"),
            size_of(stand.data, _changelog(deployment, "contacts").__eq__),
            size_of(stand.data, _changelog(deployment, "board").__eq__),
            size_of(stand.data, results.__contains__),
            sum(stand.lag().values()),
            round((used.cpu_seconds - cpu) / (now - then), 3),
        )


# -- the run


def small(spec: TopicSpec) -> Mapping[str, str]:
    """Segments so small that cleaning has something to do every few seconds."""
    policy = spec.config.get("cleanup.policy", "delete")
    if policy == "compact":
        return COMPACTED
    return DELETED if policy == "delete" else RESULTS


def run(rate: int, seconds: int, speed: int, shape: Shape) -> Iterator[Sample]:
    """A sample every 10 s, until the time is over."""
    flags = {
        "processing.keep_days": KEEP_DAYS,
        "horizon_hours.voice": HORIZON_HOURS,
        # Time is told by our ticks, which are ahead of the clock.
        "processing.tick_ms": 0,
        "processing.skew_ms": 0,
    }
    with rig(flags, broker=BROKER, configure=small) as stand:
        stand.wait_running()
        plan = _plan(stand, rate, seconds, speed, shape)
        with Entities(stand.deployment) as entities, Pacer(plan) as pacer:
            _sleep_until(plan.begin_seconds)
            looking = Looking(stand, entities, plan.begin_seconds)
            for at in range(SAMPLE_SECONDS, seconds + 1, SAMPLE_SECONDS):
                _sleep_until(plan.begin_seconds + at)
                yield looking.sample()
                if pacer.done():
                    break
            sent = pacer.report()
            progress(f"sent {sent.events / sent.seconds:,.0f} events/s")


def _plan(stand: Rig, rate: int, seconds: int, speed: int, shape: Shape) -> Plan:
    topic = stand.deployment.topic
    return Plan(
        stand.deployment.bootstrap,
        topic(EVENTS),
        rate,
        rate * seconds,
        time.monotonic() + START_SECONDS,
        round((time.time() + START_SECONDS) * 1000),
        shape,
        speed,
        (topic(EVENTS), topic(AGENT_EVENTS)),
    )


def _sleep_until(at: float) -> None:
    time.sleep(max(0.0, at - time.monotonic()))


# -- judging


def trend(what: str, samples: Sequence[Sample], name: str, allowed_ratio: float) -> Trend:
    """A line through one figure of the samples, by least squares; two samples at least."""
    points = [(s.at_seconds / 60, getattr(s, name) / MIB) for s in samples]
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    begin = mean_y + slope * (points[0][0] - mean_x)
    gained = slope * (points[-1][0] - points[0][0])
    return Trend(
        what,
        round(slope, 3),
        round(points[-1][1] / points[0][1], 3),
        round(gained / begin, 4),
        allowed_ratio,
    )


def judge(samples: Sequence[Sample]) -> list[Trend]:
    """The trends of the second half."""
    half = samples[len(samples) // 2 :]
    return [
        trend("memory", half, "memory_bytes", MEMORY_RISE_MAX),
        trend("changelogs", half, "changelog_bytes", CHANGELOG_RISE_MAX),
    ]


def kept_up(samples: Sequence[Sample], rate: int) -> bool:
    """Whether the worker was never more than 5 s behind in the second half."""
    return max(s.lag_records for s in samples[len(samples) // 2 :]) <= LAG_SECONDS_MAX * rate


def main(arguments: Sequence[str]) -> int:
    """Print the table and the verdict, or JSON; 1 if something is not flat, 2 if the run failed."""
    wanted = _parser().parse_args(arguments)
    shape = Shape(wanted.queues, LIVE_SECONDS * wanted.rate // 3, customers=wanted.customers)
    samples: list[Sample] = []
    failed = ""
    try:
        for sample in run(wanted.rate, wanted.seconds, wanted.speed, shape):
            samples.append(sample)
            progress("  ".join(f"{n} {v}" for n, v in zip(HEAD, sample.row(), strict=True)))
    except (StreamsError, KeyboardInterrupt) as error:
        failed = str(error) or "interrupted"
    trends = judge(samples) if len(samples) >= 4 else []
    good = bool(trends) and all(t.flat for t in trends) and kept_up(samples, wanted.rate)
    if wanted.json:
        print(json.dumps(_report(samples, trends, failed), indent=2))
    else:
        _tell(samples, trends, wanted)
    if failed:
        print(failed, file=sys.stderr)
        return 2
    return 0 if good else 1


def _report(samples: Sequence[Sample], trends: Sequence[Trend], failed: str) -> dict[str, Any]:
    return {
        "machine": machine(),
        "failed": failed,
        "trends": [asdict(t) | {"flat": t.flat} for t in trends],
        "samples": [asdict(s) for s in samples],
    }


def _tell(samples: Sequence[Sample], trends: Sequence[Trend], wanted: argparse.Namespace) -> None:
    print(f"{machine()}; {wanted.rate:,} events/s, {wanted.queues} queues, time x{wanted.speed}\n")
    print(table(HEAD, [sample.row() for sample in samples]) + "\n")
    if wanted.seconds * wanted.speed / 2 < KEEP_DAYS * 86_400:
        print(f"Sums leave after {KEEP_DAYS} days of event time: too short to be flat.")
    print("\n".join(map(str, trends)) or "Too few samples to judge.")
    if trends:
        word = "never" if kept_up(samples, wanted.rate) else "SOMETIMES"
        print(f"lag: {word} more than {LAG_SECONDS_MAX} s of events in the second half")


def _parser() -> argparse.ArgumentParser:
    parser = command_line("soak", __doc__, EXAMPLES)
    parser.add_argument(
        "--seconds", type=int, default=1_800, help="multiples of 10, at least 40 (1800)"
    )
    parser.add_argument("--rate", type=int, default=10_000, help="events/s (10000)")
    parser.add_argument("--speed", type=int, default=300, help="event time to the clock (300)")
    parser.add_argument("--queues", type=int, default=20, help="queues (20)")
    parser.add_argument(
        "--customers",
        type=int,
        default=0,
        help="known customers (0: none); their contacts are kept for 60 days of event time",
    )
    parser.add_argument("--json", action="store_true", help="JSON instead of tables")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
