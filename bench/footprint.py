"""What a contact leaves behind: records and bytes by topic, what changelogs keep, memory.

A simulated contact centre (its agents' states as a queue_log tells them) sends to the raw topic of
a rig.  ``--seconds`` sends live and tells what was written to each topic meanwhile.  ``--hours``
sends so much of the past as fast as it goes, waits until all of it is absorbed, and tells what is
kept: keys and bytes by changelog, results that stay, resident memory, and that of a worker that
restored the same.  bench.capacity has the figures as ``Measured``.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple
from urllib.error import URLError

import orjson

from bench.processes import usage
from bench.rig import (
    STATE,
    Rig,
    command_line,
    machine,
    progress,
    rig,
    scrape,
    table,
    value_of,
    with_places,
)
from bench.soak import size_of
from streams.bridge import KafkaOutlet
from streams.cli.simulate import SOURCE, Pace, feed
from streams.errors import StateError
from streams.reading import read_to_end
from streams.simulate import Centre, calls
from streams.worker_process import Flags, WorkerProcess

MIB = 2**20
KEY_FILE = "privacy.pseudonym_key_file"
SETTLED_SECONDS = 20
WARM_MS = 600_000
CHANGELOGS = ("contacts", "staff", "customers", "board")
EXAMPLES = """examples:
  python -m bench.footprint --seconds 60 --queues 20 --calls-per-hour 36000 --anonymous
  python -m bench.footprint --hours 12 --queues 20 --calls-per-hour 1800
"""
Lines = Iterator[tuple[int, str]]


class Kept(NamedTuple):
    """The latest of each key: how many, and their bytes with keys."""

    keys: int
    size: int

    @property
    def each(self) -> int:
        return round(self.size / max(1, self.keys))


# -- live


def live(stand: Rig, centre: Centre, seconds: int) -> Iterator[list[object]]:
    """A row for each topic that was written to: records, records/s, bytes a record, KiB/s."""
    now_ms = _now_ms()
    end_ms = now_ms + seconds * 1000
    lines = list(_until(calls(Random(1), centre, now_ms - WARM_MS, end_ms), end_ms))
    # Calls are under way before anything is measured.
    _send(stand, (line for line in lines if line[0] <= now_ms), Pace(0, 1e12))
    time.sleep(SETTLED_SECONDS)
    begun_ms, before, used = _now_ms(), _written(stand), stand.usage().cpu_seconds
    _send(stand, (line for line in lines if line[0] > now_ms), Pace(begun_ms, 1))
    took = (_now_ms() - begun_ms) / 1000
    after, used = _written(stand), stand.usage().cpu_seconds - used
    for name, (records, size) in after.items():
        more, bytes_more = records - before[name][0], size - before[name][1]
        if more:
            each, rate = round(bytes_more / more), more / took
            yield [name, f"{more:,}", f"{rate:,.1f}", each, f"{bytes_more / took / 1024:,.1f}"]
    yield ["worker's CPU", "", f"{used / took:.1%}", "", ""]


def _written(stand: Rig) -> dict[str, tuple[int, int]]:
    """Topic -> records and bytes written so far."""
    from streams.arrival import Offsets

    partitions = stand.deployment.partitions
    names = [s.name for s in stand.deployment.specs() if s.partitions == partitions]
    with Offsets(stand.deployment) as offsets:
        return {name: (offsets.written([name]), size_of(stand.data, name.__eq__)) for name in names}


# -- the past


def kept(stand: Rig, centre: Centre, hours: float, flags: Flags) -> Iterator[list[object]]:
    """Rows: what, keys, bytes each; memory in MiB."""
    idle = stand.usage().memory_bytes
    now_ms = _now_ms()
    begin_ms = now_ms - WARM_MS - round(hours * 3_600_000)
    _send(stand, _until(calls(Random(1), centre, begin_ms, now_ms), now_ms), Pace(0, 1e12))
    _wait_absorbed(stand)
    absorbed = stand.usage().memory_bytes
    for stage in CHANGELOGS:
        found = _latest(stand, [f"{stand.deployment.group}-{stage}-changelog"])
        yield [f"{stage} changelog", f"{found.keys:,}", found.each]
    results = _latest(stand, stand.deployment.kpi_topics())
    yield ["results that stay", f"{results.keys:,}", results.each]
    for what, size in (("idle", idle), ("then", absorbed), ("restored", _restored(stand, flags))):
        yield [f"memory, {what}", f"{size / MIB:,.0f} MiB", ""]
    for cut, count in _cells(stand).most_common():
        yield [f"cells by {cut}", f"{count:,}", ""]


def _wait_absorbed(stand: Rig) -> None:
    time.sleep(SETTLED_SECONDS)
    while sum(stand.lag().values()) > 200:
        time.sleep(1)
    time.sleep(SETTLED_SECONDS)


def _values(stand: Rig, topics: Sequence[str]) -> dict[bytes, int]:
    """Key -> bytes of the latest value, removed ones left out."""
    found: dict[bytes, int] = {}

    def take(records: Sequence[Any]) -> None:
        for record in records:
            if record.value:
                found[record.key] = len(record.value)
            else:
                found.pop(record.key, None)

    read_to_end(stand.deployment, topics, take, "read_committed")
    return found


def _latest(stand: Rig, topics: Sequence[str]) -> Kept:
    found = _values(stand, topics)
    return Kept(len(found), sum(found.values()) + sum(map(len, found)))


def _cells(stand: Rig) -> Counter[str]:
    """Cut -> cells in the board's changelog."""
    keys = _values(stand, [f"{stand.deployment.group}-board-changelog"])
    cells = (key[1:].split(b"\x00")[0] for key in keys if key.startswith(b"c["))
    return Counter(orjson.loads(cut)[0] for cut in cells)


def _restored(stand: Rig, flags: Flags) -> int:
    """Resident bytes of a worker that takes the place of the one there was."""
    stand.workers[0].stop()
    worker = WorkerProcess()
    try:
        worker.release(with_places(flags, stand.deployment.bootstrap), True, stand.data.parent)
        while not _runs(worker):
            time.sleep(0.5)
        time.sleep(SETTLED_SECONDS)
        return usage(worker.pid).memory_bytes
    finally:
        worker.stop(0)


def _runs(worker: WorkerProcess) -> bool:
    worker.check()
    try:
        url = worker.metrics_url()
        return bool(url) and value_of(scrape(url, STATE), STATE, state="running") == 1
    except URLError:
        return False


# -- sending


def _send(stand: Rig, lines: Lines, pace: Pace) -> None:
    deployment = stand.deployment
    outlet = KafkaOutlet(deployment.raw_topic(SOURCE), deployment.aiokafka_options())
    feed(lines, outlet, pace, threading.Event(), lambda sent: None)


def _until(lines: Lines, end_ms: int) -> Lines:
    """Who calls last is still talking then; and each call is of a customer who has not called
    before."""
    for number, (time_ms, line) in enumerate(lines):
        if time_ms > end_ms:
            return
        yield time_ms, line.replace("|ENTERQUEUE|||", f"|ENTERQUEUE||+4930{number:08}|")


def _now_ms() -> int:
    return round(time.time() * 1000)


# -- the command


def main(arguments: Sequence[str]) -> int:
    """Print the table; 2 if the run failed."""
    wanted = _parser().parse_args(arguments)
    centre = Centre(tuple(f"q{n:04}" for n in range(wanted.queues)), wanted.calls_per_hour, 0)
    try:
        with NamedTemporaryFile() as key:
            key.write(b"0123456789abcdef")
            key.flush()
            key_file = "" if wanted.anonymous else key.name
            flags = {"kafka.partitions": wanted.partitions, KEY_FILE: key_file}
            head, rows = _measured(wanted, centre, flags)
    except StateError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{machine()}; {wanted.queues} queues, {wanted.calls_per_hour:,.0f} calls an hour\n")
    print(table(head, rows))
    return 0


def _measured(
    wanted: argparse.Namespace, centre: Centre, flags: Flags
) -> tuple[Sequence[str], list[list[object]]]:
    """Headings and rows."""
    with rig(flags) as stand:
        stand.wait_running()
        progress("sending ...")
        if wanted.hours:
            return ("", "keys", "bytes each"), list(kept(stand, centre, wanted.hours, flags))
        head = ("topic", "records", "records/s", "bytes each", "KiB/s")
        return head, list(live(stand, centre, wanted.seconds))


def _parser() -> argparse.ArgumentParser:
    parser = command_line("footprint", __doc__, EXAMPLES)
    parser.add_argument("--queues", type=int, default=20)
    parser.add_argument("--calls-per-hour", type=float, default=36_000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--anonymous", action="store_true", help="customers are not known")
    parser.add_argument("--seconds", type=int, default=60, help="live (60)")
    parser.add_argument("--hours", type=float, default=0, help="of the past, instead")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
