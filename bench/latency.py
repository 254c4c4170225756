"""How long it takes from an event to the result that includes it, at a constant rate.

A producer in a process of its own sends canonical voice events at their planned times, whatever
happens (open loop), and latency is counted from the *planned* time to the moment at which the
result is in the reader's hands: waiting behind a backlog counts in full, for every event of it.
Some 200 events a second are probes (see bench.load_shape), and each is looked for in two ways:

topic    in the KPI topic, by a consumer that reads committed records only
metrics  in the worker's /metrics, scraped every 100 ms; nothing is subtracted for the interval

Each way is a run of its own, because so many scrapes cost the worker time; each run has a new
broker, new topics and a new worker with 40 queues.  The first 10 s are not counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from bench.load_shape import PROBE_QUEUES, Shape
from bench.paced import START_SECONDS, Pacer, Plan, Report
from bench.probing import Arrivals, MetricsWatch, TopicWatch, quantile_ms
from bench.processes import Usage
from bench.rig import EVENTS, Rig, command_line, machine, progress, rig, table
from streams.errors import StreamsError

WARM_UP_SECONDS = 10
PROBES_PER_SECOND = 200
LIVE_SECONDS = 6
"""How long a call lasts, about: so many seconds' events are under way."""
ARRIVE_SECONDS = 30.0
TARGET_MS = {10_000: 500, 20_000: 1_000}
"""Events/s -> the 99th percentile wanted."""
WAYS = ("topic", "metrics")
HEAD = (
    "events/s", "sent/s", "seen in", "probes", "p50 ms", "p99 ms", "p99.9 ms", "max ms",
    "worker CPU", "lag at end", "sent late by, at most",
)  # fmt: skip
EXAMPLES = """examples:
  python -m bench.latency
  python -m bench.latency --rates 10000 --seconds 20 --ways topic
  python -m bench.latency --json > latency.json
"""


class Wanted(NamedTuple):
    """How a run is made: seconds that count, from one scrape to the next, and the worker's
    ``processing.publish_ms``."""

    seconds: int
    scrape_ms: int
    publish_ms: int


@dataclass(frozen=True)
class Measured:
    """One run.  Latencies in ms, from the planned time; ``missing`` probes were never seen.
    ``cpu_ratio``: CPU seconds of the worker per second.  ``lag_records``: all of the event topic's
    partitions together, when the last event was acknowledged.  ``look_ms``: the median time between
    two scrapes."""

    rate: int
    way: str
    sent_rate: int
    probes: int
    missing: int
    p50_ms: int
    p99_ms: int
    p999_ms: int
    max_ms: int
    cpu_ratio: float
    lag_records: int
    late_ms_max: int
    producer_cpu_ratio: float
    look_ms: int

    @property
    def verdict(self) -> str:
        """What the target says to it; empty if there is none for this rate."""
        wanted = TARGET_MS.get(self.rate)
        if wanted is None:
            return ""
        met = "reached" if self.p99_ms <= wanted and not self.missing else "MISSED"
        return f"{self.rate:,} events/s, {self.way}: p99 {self.p99_ms} ms of {wanted} ms, {met}"

    def row(self) -> list[object]:
        """As cells of the table."""
        probes = f"{self.probes:,}" + (f" ({self.missing:,} never seen)" if self.missing else "")
        seen = self.way + (f", every {self.look_ms} ms" if self.look_ms else "")
        return [
            f"{self.rate:,}", f"{self.sent_rate:,}", seen, probes, self.p50_ms, self.p99_ms,
            self.p999_ms, self.max_ms, f"{self.cpu_ratio:.0%}", f"{self.lag_records:,}",
            f"{self.late_ms_max} ms",
        ]  # fmt: skip


def measure(rate: int, way: str, wanted: Wanted) -> Measured:
    """One run; StateError if the worker or the producer fails."""
    seconds = wanted.seconds
    flags = {
        "processing.publish_ms": wanted.publish_ms,
        "processing.keep_days": 0,
        "defaults.zone": zone_at_noon(time.gmtime().tm_hour),
        "metrics.label_sets_max": 200,
    }
    with rig(flags) as stand:
        stand.wait_running()
        plan = _plan(stand, rate, seconds)
        with _watch(stand, way, wanted.scrape_ms) as watch, Pacer(plan) as pacer:
            used = _used(stand, plan, seconds)
            report = pacer.report()
            lag = stand.lag().get(EVENTS, 0)
            _wait_for_the_last(watch, plan)
    return _judge(plan, way, watch.arrivals, report, (used, lag), seconds)


def zone_at_noon(hour_utc: int) -> str:
    """A zone without daylight saving time where it is about noon, so that no day ends meanwhile.

    >>> zone_at_noon(12), zone_at_noon(20), zone_at_noon(3)
    ('Etc/GMT', 'Etc/GMT+8', 'Etc/GMT-9')
    """
    # In these names the sign is that of the hours to UTC, not from it.
    return f"Etc/GMT{hour_utc - 12:+d}" if hour_utc != 12 else "Etc/GMT"


def _plan(stand: Rig, rate: int, seconds: int) -> Plan:
    shape = Shape(
        queues=20, live=LIVE_SECONDS * rate // 3, probe_every=max(1, rate // PROBES_PER_SECOND)
    )
    begin = time.monotonic() + START_SECONDS
    return Plan(
        stand.deployment.bootstrap,
        stand.deployment.topic(EVENTS),
        rate,
        rate * (WARM_UP_SECONDS + seconds),
        begin,
        round((time.time() + START_SECONDS) * 1000),
        shape,
    )


def _watch(stand: Rig, way: str, scrape_ms: int) -> TopicWatch | MetricsWatch:
    if way == "topic":
        return TopicWatch(stand.deployment, PROBE_QUEUES)
    return MetricsWatch(stand.workers[0].metrics_url(), PROBE_QUEUES, scrape_ms / 1000)


def _used(stand: Rig, plan: Plan, seconds: int) -> Usage:
    """Wait until all is sent; what the worker used in the time that counts."""
    first = plan.begin_seconds + WARM_UP_SECONDS
    _sleep_until(first)
    before = stand.usage()
    _sleep_until(first + seconds)
    after = stand.usage()
    return after._replace(cpu_seconds=after.cpu_seconds - before.cpu_seconds)


def _sleep_until(at: float) -> None:
    time.sleep(max(0.0, at - time.monotonic()))


def _counted(plan: Plan) -> range:
    """The numbers of the probes after the warm-up."""
    every = plan.shape.probe_every
    first = -(-plan.rate * WARM_UP_SECONDS // every)
    return range(first, -(-plan.events // every))


def _wait_for_the_last(watch: TopicWatch | MetricsWatch, plan: Plan) -> None:
    """Until every probe was seen, or for ``ARRIVE_SECONDS``: what has not come then is missing."""
    until = time.monotonic() + ARRIVE_SECONDS
    wanted = len(range(0, plan.events, plan.shape.probe_every))
    while len(watch.arrivals.at) < wanted and time.monotonic() < until:
        watch.check()
        time.sleep(0.05)
    watch.check()


def _judge(
    plan: Plan,
    way: str,
    arrivals: Arrivals,
    report: Report,
    end: tuple[Usage, int],
    seconds: int,
) -> Measured:
    every, at = plan.shape.probe_every, arrivals.at
    counted = _counted(plan)
    took = sorted(at[n] - plan.due_seconds(n * every) for n in counted if n in at)
    p50, p99, p999, most = (quantile_ms(took, share) if took else -1 for share in _SHARES)
    used, lag = end
    return Measured(
        plan.rate,
        way,
        round(report.events / report.seconds),
        len(counted),
        len(counted) - len(took),
        p50,
        p99,
        p999,
        most,
        round(used.cpu_seconds / seconds, 3),
        lag,
        report.late_ms_max,
        round(report.cpu_seconds / report.seconds, 3),
        arrivals.look_ms,
    )


_SHARES = (0.5, 0.99, 0.999, 1.0)


def run(rates: Sequence[int], ways: Sequence[str], wanted: Wanted) -> Iterator[Measured]:
    """Every rate in every way, one after the other."""
    for rate in rates:
        for way in ways:
            progress(f"{rate:,} events/s, {way}: {WARM_UP_SECONDS} + {wanted.seconds} s ...")
            found = measure(rate, way, wanted)
            progress(f"  p50 {found.p50_ms} ms, p99 {found.p99_ms} ms")
            yield found


def main(arguments: Sequence[str]) -> int:
    """Print the table, or JSON; 1 if a target was missed, 2 if a run failed."""
    given = _parser().parse_args(arguments)
    wanted = Wanted(given.seconds, given.scrape_ms, given.publish_ms)
    found: list[Measured] = []
    failed = ""
    try:
        for measured in run(given.rates, given.ways, wanted):
            found.append(measured)
    except StreamsError as error:
        failed = str(error)
        print(failed, file=sys.stderr)
    if given.json:
        runs = [asdict(m) | {"verdict": m.verdict} for m in found]
        about = {"machine": machine(), **wanted._asdict(), "failed": failed}
        print(json.dumps({**about, "runs": runs}, indent=2))
    else:
        about_it = f"{wanted.seconds} s each, publishing every {wanted.publish_ms} ms"
        print(f"{machine()}; {about_it}\n\n{table(HEAD, [m.row() for m in found])}\n")
        print("\n".join(m.verdict for m in found if m.verdict))
    if failed:
        return 2
    return int(any("MISSED" in m.verdict for m in found))


def _parser() -> argparse.ArgumentParser:
    parser = command_line("latency", __doc__, EXAMPLES)
    parser.add_argument(
        "--rates", type=_rates, default=[1_000, 10_000, 20_000], help="events/s, by commas"
    )
    parser.add_argument(
        "--ways", type=_ways, default=list(WAYS), help="topic, metrics or both (the default)"
    )
    parser.add_argument("--seconds", type=_positive, default=60, help="that count (60)")
    parser.add_argument(
        "--scrape-ms", type=_positive, default=100, help="from one scrape to the next (100)"
    )
    parser.add_argument(
        "--publish-ms", type=_positive, default=200, help="the worker's processing.publish_ms (200)"
    )
    parser.add_argument("--json", action="store_true", help="JSON instead of tables")
    return parser


def _rates(text: str) -> list[int]:
    return [_positive(part) for part in text.split(",")]


def _ways(text: str) -> list[str]:
    ways = text.split(",")
    if set(ways) - set(WAYS):
        raise argparse.ArgumentTypeError(f"of {', '.join(WAYS)}")
    return ways


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
