"""How much of everything so many contacts a day need: arithmetic, no measurement.

What was measured is in ``Measured`` (bench.needs), each figure with the command that gave it;
what is yours is on the command line.  The table says for each line how it is worked out, so that it
can be done again by hand.  docs/operations.md shows the table; a test holds it to what this prints.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import NamedTuple

from bench.needs import CORE_SHARE, CUSTOMERS_DAYS, DAY_SECONDS, GIB, KIB, MIB, TIB, Centre, Need
from bench.rig import command_line, table
from streams.definitions.series import series

EXAMPLES = """examples:
  python -m bench.capacity                                     the table of docs/operations.md
  python -m bench.capacity --contacts-per-day 250e3 --queues 60
  python -m bench.capacity --contacts-per-day 1e6,1e7 --queues 100,300 --keep-days 33
"""
CENTRES = (
    Centre(1e6, 100),
    Centre(1e7, 300, publish_ms=500, worker_gib=32),
    Centre(1e8, 1_000, publish_ms=1_000, worker_gib=64),
)
"""Those of docs/operations.md: with more partitions, sums are to be published less often."""


class Line(NamedTuple):
    """One line of the table: what, how, and the value as it is shown."""

    what: str
    how: str
    value: str


# -- saying it


def lines(centre: Centre) -> Iterator[Line]:
    """The table's column of one centre, beside what each line is and how it is worked out."""
    need = Need(centre)
    yield from _load(need)
    yield from _machines(need)
    yield from _kafka(need)
    yield from _prometheus(need)


def _load(need: Need) -> Iterator[Line]:
    its = need.centre
    events = its.contacts_per_day * its.events_per_contact
    yield Line("contacts a day", "C, yours", _count(its.contacts_per_day))
    yield Line("pairs of queue and channel", "Q, yours", _count(its.queues))
    yield Line(
        "contacts/s, busiest minutes",
        f"C x {its.busy_hour_share:.0%} / 3600 x {its.peak_to_hour:g}",
        _count(need.contacts_per_second),
    )
    yield Line("events a day", f"C x {its.events_per_contact:g}", _count(events))
    yield Line("events/s, average", "/ 86,400", _count(events / DAY_SECONDS))
    yield Line(
        "events/s, busiest minutes: e",
        f"contacts/s x {its.events_per_contact:g}",
        _count(need.events_per_second),
    )


def _machines(need: Need) -> Iterator[Line]:
    its, of = need.centre, need.measured
    how = f"contacts/s x {its.handled_seconds} s"
    yield Line("contacts open at once: O", how, _count(need.contacts_open))
    how = f"C x {its.horizon_days:g} days (`horizon_hours`)"
    yield Line("contacts kept: K", how, _count(need.contacts_kept))
    how = f"C x {its.known_share:.0%} x {CUSTOMERS_DAYS} days / {its.contacts_per_customer:g}"
    yield Line("customers remembered: U", how, _count(need.customers))
    keys = f"({of.cells_per_queue_minute:g} Q + {of.cells_per_minute})"
    how = f"{keys} x {its.open_minutes} min x {its.keep_days} days"
    yield Line("cells of the board: Z", how, _count(need.cells))
    each = (of.open_contact_bytes, of.kept_contact_bytes, of.customer_bytes, of.cell_bytes)
    how = "O x {} + K x {} + U x {} + Z x {}".format(*map(_size, each))
    yield Line("memory of all workers", how, _size(need.memory_bytes))
    how = f"e / {of.events_per_core:,} / {CORE_SHARE:.0%}"
    yield Line("workers for the events", how, _count(need.workers_by_events))
    yield Line("memory of a worker: m", "chosen", f"{its.worker_gib:g} GiB")
    yield Line("workers for the memory", "1.5 x memory / m", _count(need.workers_by_memory))
    yield Line("**workers**, a core each: W", "the larger, 2 at least", _count(need.workers))
    yield Line("**partitions**: P", "next power of two from W, 4 at least", _count(need.partitions))
    how = f"(K + U + Z) / W / {of.restored_per_second:,}"
    yield Line("restore of one worker, at least", how, _time(need.restored_seconds))
    how = f"28 days x events a day / (W x {of.events_per_core:,})"
    yield Line("computing all again", how, _time(need.backfill_hours * 3600))


def _kafka(need: Need) -> Iterator[Line]:
    its, of = need.centre, need.measured
    yield Line("`processing.publish_ms`: p", "chosen", f"{its.publish_ms:,}")
    how = f"Q x 1000/p x (1 - exp(-e/Q x p/1000)) x {of.results_per_touch}"
    yield Line("results/s wanted", how, _count(need.results_wanted))
    how = f"that, or W x 50 % x {of.results_per_core:,}"
    yield Line("results/s said", how, _count(need.results_per_second))
    yield Line("marks/s, at most", "2 P^2 x 1000/p", _count(need.marks_per_second))
    how = f"as results, by Q x P places, x {of.cells_per_queue_minute + 1:g}; + marks"
    yield Line("partials/s, marks included", how, _count(need.partials_per_second))
    yield Line(
        "written, busiest, once",
        "sum of records/s x bytes",
        f"{_size(need.written_bytes_per_second)}/s",
    )
    copies = need.written_bytes_per_second * its.replication
    yield Line("... with copies", f"x {its.replication}", f"{_size(copies)}/s")
    disk = need.disk_bytes
    logs = map(_size, (of.contact_log_bytes, of.customer_log_bytes, of.cell_log_bytes))
    says = {
        "raw": "7 days, with copies",
        "events": "28 days, with copies",
        "partials": "7 days, with copies",
        "results": f"2 x Q x {of.results_per_queue_day:,} x 400 days, and news, with copies",
        "changelogs": "1.25 x (K x {} + U x {} + Z x {}), with copies".format(*logs),
    }
    for name, size in disk.items():
        yield Line(f"disk: {name}", says[name], _size(size))
    yield Line("disk, all brokers", "sum", _size(sum(disk.values())))


def _prometheus(need: Need) -> Iterator[Line]:
    of = series()
    how = f"Q x {of.per_pair + of.per_queue} + W x {of.fixed:,}, at most"
    yield Line("series", how, _count(need.series))
    yield Line(
        "samples/s",
        f"/ {need.centre.scrape_seconds} s",
        _count(need.series / need.centre.scrape_seconds),
    )


def _count(number: float) -> str:
    """Three digits are all that this arithmetic knows.

    >>> _count(1234567), _count(0.25), _count(13.5)
    ('1,230,000', '0.25', '13.5')
    """
    if number == 0:
        return "0"
    rounded = round(number, 2 - math.floor(math.log10(abs(number))))
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"


def _size(size: float) -> str:
    """
    >>> _size(1550), _size(3 * MIB), _size(2.5 * TIB)
    ('1.51 KiB', '3 MiB', '2.5 TiB')
    """
    for unit, name in ((TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= 0.995 * unit:
            return f"{_count(size / unit)} {name}"
    return f"{size:.0f} B"


def _time(seconds: float) -> str:
    for unit, name in ((DAY_SECONDS, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{_count(seconds / unit)} {name}"
    return f"{_count(seconds)} s"


def markdown(centres: Sequence[Centre]) -> str:
    """The table, a column for each centre."""
    columns = [list(lines(centre)) for centre in centres]
    rows = [
        [row[0].what, row[0].how, *(line.value for line in row)]
        for row in zip(*columns, strict=True)
    ]
    head = ["", "how", *(f"{centre.contacts_per_day:,.0f} a day" for centre in centres)]
    return table(head, rows)


# -- the command


def main(arguments: Sequence[str]) -> int:
    """Print the table; 2 if what was given cannot be."""
    given = {name: v for name, v in vars(_parser().parse_args(arguments)).items() if v is not None}
    contacts, queues = given.pop("contacts_per_day", []), given.pop("queues", [])
    if len(contacts) != len(queues) or min(*contacts, *queues, 1, 1) <= 0:
        print("--contacts-per-day and --queues: as many of either, above 0", file=sys.stderr)
        return 2
    own = [Centre(c, int(q)) for c, q in zip(contacts, queues, strict=True)]
    print(markdown([replace(centre, **given) for centre in own or CENTRES]))
    return 0


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]


def _parser() -> argparse.ArgumentParser:
    parser = command_line("capacity", __doc__, EXAMPLES)
    parser.add_argument("--contacts-per-day", type=_numbers, metavar="C,C", help="a column each")
    parser.add_argument("--queues", type=_numbers, metavar="Q,Q", help="of queue and channel, each")
    for field in fields(Centre)[2:]:
        option = f"--{field.name.replace('_', '-')}"
        parser.add_argument(
            option, type=type(field.default), help=f"{field.default:g} if not given"
        )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
