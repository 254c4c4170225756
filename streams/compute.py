"""Every KPI of some log files, now: what an analyst runs.

The files go the way of live events: through Kafka and a worker, under topics and a group of this
run's own.  There is no second way to compute anything.  When all is in, one *closing tick* tells
every partition that time has come to the end of the last day that has events, so the windows become
final.  It never tells a time that has not come yet: of a day that is still running the last windows
stay provisional.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from streams.core.calendar import day_at
from streams.core.pseudonym import no_pseudonym
from streams.core.source import PartlyRejected, Record, Rejected, Source
from streams.deployment import DEAD_LETTERS, Deployment
from streams.kafka.jars import Progress
from streams.reading import read_to_end
from streams.results import Result, read_latest
from streams.settings import Settings
from streams.sources import SOURCES
from streams.throwaway import Throwaway
from streams.worker_process import Flags

PARTITIONS = 1
"""One worker needs no more, and in one partition the log stays in its order.  Shards of a second
one would be written and fenced as well, for nothing."""
HEAD_BYTES = 64 * 1024
"""Of a file, to find out when it begins."""


class Order(NamedTuple):
    """What is to be computed: ``files`` of one platform, ``source``.  ``bootstrap`` "" takes an
    embedded broker."""

    source: str
    files: Sequence[Path]
    bootstrap: str = ""


class Outcome(NamedTuple):
    """What came out; ``rejected`` by reason."""

    results: list[Result]
    lines: int
    events: int
    rejected: Mapping[str, int]
    seconds: float


def own_flags(source: str = "asterisk_queue_log") -> Flags:
    """Settings of one run: names of its own, no time but the closing tick's, nothing forgotten."""
    name = f"compute-{uuid.uuid4().hex[:12]}"
    return {
        "kafka.prefix": name,
        "kafka.app_id": name,
        "kafka.partitions": PARTITIONS,
        "kafka.instance_id": "",
        "ingest.sources": source,
        "processing.tick_ms": 0,
        "processing.skew_ms": 0,
        "processing.keep_days": 0,
        "metrics.host": "127.0.0.1",
        "metrics.port": 0,
    }


def compute(order: Order, progress: Progress) -> Outcome:
    """Send the files through, wait until all is in, read the results, leave nothing behind."""
    began = time.monotonic()
    with Throwaway(own_flags(order.source), order.bootstrap, progress) as run:
        run.release()
        lines, events = _sent_through(run, order, progress)
        results = read_latest(run.deployment).results()
        rejected = _rejected(run.deployment)
    return Outcome(results, lines, events, rejected, time.monotonic() - began)


def _sent_through(run: Throwaway, order: Order, progress: Progress) -> tuple[int, int]:
    """(Lines sent, events they gave); returns when all of them are in the results."""
    from streams.arrival import Follower, Offsets, Waiting, tell_time

    deployment = run.deployment
    raw_topic = deployment.raw_topic(order.source)
    with Follower(deployment) as follower, Offsets(deployment) as offsets:
        waiting = Waiting(deployment, offsets, follower, run.worker.check)
        files = in_order_of_time(order.files, order.source)
        lines = send(files, raw_topic, deployment, progress)
        waiting.ingested(raw_topic, lambda done, total: progress("processing", done, total))
        last = waiting.event_ends()
        latest_ms = waiting.event_time_ms()
        if latest_ms >= 0:
            progress("adding up", 0, 1)
            waiting.settled()
            waiting.boarded(tell_time(deployment, _closing_of(run.settings, latest_ms)))
            progress("adding up", 1, 1)
    return lines, sum(last.values()) + len(last)


def in_order_of_time(files: Sequence[Path], source: str) -> list[Path]:
    """The files by the time of their first event; those without any last.

    ``queue_log*`` names the newest log first.  Contacts do not mind, but an agent's states are put
    together in the order they come in, give or take a while.
    """
    return sorted(files, key=lambda file: _first_time_ms(file, SOURCES[source]))


def _first_time_ms(file: Path, source: Source) -> int:
    from streams.bridge.log_file import LogFile

    log = LogFile(file)
    try:
        lines = log.read(0, HEAD_BYTES).split(b"\n")
    finally:
        log.close()
    for line in lines:
        found = source.decode(Record("", 0, 0, 0, None, line), no_pseudonym)
        if isinstance(found, PartlyRejected):
            found = found.events
        if not isinstance(found, Rejected) and found:
            return found[0].time
    return sys.maxsize


def send(files: Sequence[Path], topic: str, deployment: Deployment, progress: Progress) -> int:
    """Bring the files to the raw topic, all as the log of one PBX; the number of lines."""
    from streams.bridge import Bridge, KafkaOutlet
    from streams.bridge import Progress as Sent

    sent = done = 0
    total = sum(file.stat().st_size for file in files)

    def tell(now: Sent) -> None:
        progress("sending", done + now.bytes_done, max(total, done + now.bytes_done))

    for file in files:
        bridge = Bridge(file, KafkaOutlet(topic, deployment.aiokafka_options()))
        finished = bridge.run(progress=tell)
        sent += finished.lines
        done += finished.bytes_done
    return sent


def _closing_of(settings: Settings, latest_ms: int) -> int:
    zones = {dated.terms.zone for rows in settings.queues.values() for dated in rows}
    zones.add(settings.defaults.zone)
    grace_ms = settings.terms().grace_ms
    return closing_ms(zones, latest_ms, grace_ms, time.time_ns() // 1_000_000)


def closing_ms(zones: Iterable[str], latest_ms: int, grace_ms: int, now_ms: int) -> int:
    """The time to tell at the end: when the last local day with events is over and final, at most
    now, and always after the latest event (whose clock may be ahead of ours).

    >>> closing_ms(["UTC"], 1_791_183_466_000, 120_000, 1_800_000_000_000)
    1791244920001
    >>> closing_ms(["UTC"], 1_791_183_466_000, 120_000, 1_791_183_500_000)
    1791183500000
    """
    day_end_ms = max(day_at(zone, latest_ms).end_ms for zone in zones)
    return max(min(day_end_ms + grace_ms + 1, now_ms), latest_ms + 1)


def _rejected(deployment: Deployment) -> dict[str, int]:
    """Dead letters by reason."""
    reasons: Counter[str] = Counter()

    def take(letters: Sequence[Any]) -> None:
        for letter in letters:
            reasons[dict(letter.headers)["cc_dlq_reason"].decode()] += 1

    read_to_end(deployment, [deployment.topic(DEAD_LETTERS)], take, "read_committed")
    return dict(reasons.most_common())
