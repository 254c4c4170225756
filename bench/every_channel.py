"""How much of everything one worker takes in: events of all channels, every KPI, one core.

Calls with menus, offers, holds, transfers, wrap-up and surveys; chats, mails and tickets with bots,
ratings and tiers; agents with shifts and schedules; customers who are known.  All of it is in the
log before the worker starts.  The worker has one core, the broker and this program have the others.

Two figures.  *Reading* is between a tenth and eight tenths of the commits.  *Settled* is from
the same beginning until the last result stands in the KPI topics: what the board put off while the
worker was behind is in it.  Ticks are in the log, one a minute, and not counted as events.

The run is right when the KPI topics say as many calls offered and answered as there were, and
nothing was rejected.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from bench.mixed_load import PARTITIONS, Load, Mix
from bench.pipeline import segment_size
from bench.processes import Cores, cores, move, on, usage
from bench.rig import (
    AGENT_EVENTS,
    EVENTS,
    Rig,
    command_line,
    machine,
    progress,
    release_workers,
    rig,
    table,
)
from bench.spying import Profile, profile_of, spied, spy
from bench.voice_events import send
from streams.arrival import Follower, Offsets, Waiting
from streams.deployment import DEAD_LETTERS, Deployment
from streams.errors import StateError, StreamsError
from streams.reading import read_to_end
from streams.results import read_latest
from streams.worker_process import Flags

FIRST_RATIO, LAST_RATIO = 0.1, 0.8
"""Of the records.  The last segment of a partition is not full, and so not committed."""
LOOK_SECONDS = 0.2
STUCK_SECONDS = 120.0
EVENTS_DEFAULT, EVENTS_QUICK = 1_000_000, 60_000
HEAD = ("", "reading", "settled")
EXAMPLES = """examples:
  python -m bench.every_channel
  python -m bench.every_channel --quick            does it work here?  its figures mean nothing
  python -m bench.every_channel --agents-named     with results by agent
  python -m bench.every_channel --profile          and where the time goes (py-spy)
  python -m bench.every_channel --json > every_channel.json
"""


class Sample(NamedTuple):
    """One moment: monotonic seconds, records of the log committed, CPU seconds of the worker, the
    broker and this program, resident bytes of the worker."""

    at: float
    records: int
    worker: float
    broker: float
    harness: float
    memory_bytes: int


@dataclass(frozen=True)
class Span:
    """Between two samples: events a second, and of the worker's CPU; cores in use."""

    seconds: float
    events_per_second: float
    events_per_cpu_second: float
    worker_cores: float
    broker_cores: float
    harness_cores: float


@dataclass(frozen=True)
class Measured:
    """One run.  ``events`` by channel; ``memory_bytes`` the most that was resident; ``results`` how
    many were written, by topic; ``problem`` what was wrong, empty if nothing."""

    events: Mapping[str, int]
    agents: int
    reading: Span
    settled: Span
    memory_bytes: int
    results: Mapping[str, int]
    problem: str
    profile: Profile | None


# -- one run


def measure(mix: Mix, agents_named: bool, profiled: bool) -> Measured:
    """One run; StateError if the worker ends or stops getting on, or it cannot be profiled."""
    flags = {
        "processing.keep_days": 0,
        # No time but that of the log: it is dated long ago.
        "processing.tick_ms": 0,
        "processing.skew_ms": 0,
        "processing.segment_size": segment_size(mix.events),
        "output.agents": agents_named,
    }
    if profiled:
        spy()
    progress(f"making up {mix.events:,} events ...")
    load, pinned = Load(mix), cores()
    with tempfile.TemporaryDirectory() as folder, on(pinned.others):
        folded = Path(folder) / "stacks" if profiled else None
        with rig(flags, release=False) as stand:
            records = _fill(stand, load)
            samples, results, problem = _run(stand, load, flags, pinned, folded)
        profile = profile_of(folded.read_text().splitlines()) if folded else None
    first = _after(samples, FIRST_RATIO * records)
    reading = _span(first, _after(samples, LAST_RATIO * records), load.events / records)
    # All records are in the results then, whether they are committed or not.
    end = samples[-1]._replace(records=records)
    settled = _span(first, end, load.events / records)
    most = max(sample.memory_bytes for sample in samples)
    return Measured(
        dict(load.counts), load.agents, reading, settled, most, results, problem, profile
    )


def _fill(stand: Rig, load: Load) -> int:
    """Write the log; how many records it has, ticks and all."""
    deployment = stand.deployment
    progress(f"writing {load.events:,} events ...")
    return sum(
        asyncio.run(send(deployment.bootstrap, deployment.topic(name), load.rows(of_agents)))
        for name, of_agents in ((EVENTS, False), (AGENT_EVENTS, True))
    )


def _run(
    stand: Rig, load: Load, flags: Flags, pinned: Cores, folded: Path | None
) -> tuple[list[Sample], Mapping[str, int], str]:
    """Let the worker do it all; samples, results written by topic, and what was wrong."""
    samples: list[Sample] = []
    deployment = stand.deployment
    with Follower(deployment) as follower, Offsets(deployment) as offsets:
        looking = Looking(stand, offsets, samples)
        waiting = Waiting(deployment, offsets, follower, looking.look, STUCK_SECONDS)
        # So that the follower has read the log before the worker begins, and not beside it.
        waiting.event_time_ms()
        ends = waiting.event_ends()
        progress("the worker begins ...")
        (worker,) = stand.workers
        move(worker.pid, pinned.engine)
        release_workers(stand, flags)
        with spied(worker.pid, folded) if folded else nullcontext():
            waiting.boarded(ends)
            looking.sample()
        written = {
            topic.removeprefix(f"{deployment.prefix}.kpi."): offsets.written([topic])
            for topic in deployment.kpi_topics()
        }
    return samples, written, _wrong(deployment, load.true)


class Looking:
    """Takes samples of a run."""

    def __init__(self, stand: Rig, offsets: Offsets, samples: list[Sample]) -> None:
        self._stand = stand
        self._offsets = offsets
        self._samples = samples

    def look(self) -> None:
        """A sample, if it is time; StateError if the worker has ended."""
        if not self._samples or time.monotonic() - self._samples[-1].at >= LOOK_SECONDS:
            self.sample()

    def sample(self) -> None:
        topics = map(self._stand.deployment.topic, (EVENTS, AGENT_EVENTS))
        records = sum(sum(self._offsets.committed(topic).values()) for topic in topics)
        worker, broker = self._stand.usage(), usage(self._stand.broker)
        self._samples.append(
            Sample(
                time.monotonic(),
                records,
                worker.cpu_seconds,
                broker.cpu_seconds,
                time.process_time(),
                worker.memory_bytes,
            )
        )


def _after(samples: Sequence[Sample], records: float) -> Sample:
    found = next((sample for sample in samples if sample.records >= records), None)
    if found is None:
        raise StateError("too few events to measure by", "a commit is a segment of a partition")
    return found


def _span(first: Sample, last: Sample, events_ratio: float) -> Span:
    """``events_ratio`` of the records are events, the others ticks."""
    seconds, events = last.at - first.at, (last.records - first.records) * events_ratio
    worker = last.worker - first.worker
    if seconds <= 0 or worker <= 0:
        raise StateError("too few events to measure by", "it was over between two looks")
    return Span(
        round(seconds, 2),
        round(events / seconds),
        round(events / worker),
        round(worker / seconds, 3),
        round((last.broker - first.broker) / seconds, 3),
        round((last.harness - first.harness) / seconds, 3),
    )


def _wrong(deployment: Deployment, true: Mapping[str, int]) -> str:
    """What the KPI topics say otherwise of calls, over all queues and hours; and what was
    rejected."""
    found = dict.fromkeys(true, 0)
    for result in read_latest(deployment, true).results():
        key = result.key if result.kpi in found and result.window == "hour" else {}
        if tuple(key) == ("queue", "channel") and key["channel"] == "voice":
            found[result.kpi] += result.value
    letters: list[object] = []
    read_to_end(deployment, [deployment.topic(DEAD_LETTERS)], letters.extend, "read_committed")
    true, found = {**true, "events rejected": 0}, {**found, "events rejected": len(letters)}
    return "; ".join(
        f"WRONG: {what} is {found[what]}, not {value}"
        for what, value in true.items()
        if found[what] != value
    )


# -- saying it


def rows(found: Measured) -> list[list[object]]:
    """The table's, by figure."""
    both = (found.reading, found.settled)
    return [
        ["events/s", *(f"{span.events_per_second:,}" for span in both)],
        ["events per CPU second of the worker", *(f"{s.events_per_cpu_second:,}" for s in both)],
        ["seconds", *(span.seconds for span in both)],
        ["cores: worker", *(f"{span.worker_cores:.2f}" for span in both)],
        ["cores: broker", *(f"{span.broker_cores:.2f}" for span in both)],
        ["cores: this program", *(f"{span.harness_cores:.2f}" for span in both)],
        ["memory of the worker, MiB", "", f"{found.memory_bytes / 2**20:,.0f}"],
        ["results written", "", f"{sum(found.results.values()):,}"],
    ]


def _tell(found: Measured, mix: Mix, agents_named: bool) -> None:
    named = "yes" if agents_named else "no"
    told = ", ".join(f"{count:,} {channel}" for channel, count in sorted(found.events.items()))
    print(f"{machine()}, {'pinned' if cores().pinned else 'NOT pinned'}")
    print(f"{sum(found.events.values()):,} events ({told})")
    print(
        f"{found.agents:,} agents, {PARTITIONS} partitions, {mix.hours} h, agents named: {named}\n"
    )
    print(table(HEAD, rows(found)))
    print(f"\n{found.problem or 'the totals are right'}")
    if found.profile:
        for name, shares in (("part", found.profile.parts), ("function", found.profile.functions)):
            print()
            print(table((name, "of busy samples"), [[what, f"{s:.1%}"] for what, s in shares]))


def _report(found: Measured, mix: Mix, agents_named: bool) -> dict[str, object]:
    about = {"machine": machine(), "pinned": cores().pinned, "agents_named": agents_named}
    profile = found.profile._asdict() if found.profile else None
    return {**about, "mix": asdict(mix), **asdict(found), "profile": profile}


def main(arguments: Sequence[str]) -> int:
    """Print the table, or JSON; 1 if a total was wrong, 2 if the run failed."""
    wanted = _parser().parse_args(arguments)
    mix = Mix(EVENTS_QUICK if wanted.quick else wanted.events, wanted.hours, wanted.queues)
    try:
        found = measure(mix, wanted.agents_named, wanted.profile)
    except StreamsError as error:
        print(error, file=sys.stderr)
        return 2
    if wanted.json:
        print(json.dumps(_report(found, mix, wanted.agents_named), indent=2))
    else:
        _tell(found, mix, wanted.agents_named)
    return int(bool(found.problem))


def _parser() -> argparse.ArgumentParser:
    parser = command_line("every_channel", __doc__, EXAMPLES)
    parser.add_argument(
        "--events", type=int, default=EVENTS_DEFAULT, help=f"about ({EVENTS_DEFAULT})"
    )
    parser.add_argument("--hours", type=int, default=4, help="of event time (4)")
    parser.add_argument("--queues", type=int, default=40, help="about (40)")
    parser.add_argument("--quick", action="store_true", help=f"{EVENTS_QUICK} events: a smoke test")
    parser.add_argument("--agents-named", action="store_true", help="results by agent as well")
    parser.add_argument("--profile", action="store_true", help="by part and function, with py-spy")
    parser.add_argument("--json", action="store_true", help="JSON instead of tables")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
