"""The arithmetic of bench.capacity: from contacts a day to workers, memory, records and disk."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from streams.core.customer import KEEP_MS
from streams.core.terms import DAY_MS, HOUR_MS
from streams.definitions.series import series

KIB, MIB, GIB, TIB = 2**10, 2**20, 2**30, 2**40
DAY_SECONDS = 86_400
CUSTOMERS_DAYS = round(KEEP_MS / DAY_MS)
TOPICS_PER_DAY_SEGMENT = 16
"""KPI families, each a topic whose newest segment is never compacted."""


@dataclass(frozen=True)
class Centre:
    """What is yours.  Shares are 0 to 1; ``open_minutes`` are those of a day in which something
    happens in a queue; ``contacts_per_customer`` are those in ``CUSTOMERS_DAYS``."""

    contacts_per_day: float
    queues: int
    events_per_contact: float = 13
    busy_hour_share: float = 0.12
    peak_to_hour: float = 1.25
    open_minutes: int = 720
    handled_seconds: int = 900
    horizon_days: float = 1
    known_share: float = 0.8
    contacts_per_customer: float = 3
    keep_days: int = 35
    replication: int = 3
    publish_ms: int = 200
    scrape_seconds: int = 15
    worker_gib: float = 16


class Measured(NamedTuple):
    """Figures of this project's runs; where from is in the comments."""

    # python -m bench.every_channel: settled, agents not named
    events_per_core: int = 12_754
    # the same: 30 % of the core for 1,174,901 results, in 47 s
    results_per_core: int = 83_000
    # python -m bench.recovery
    open_contact_bytes: int = 3_300
    restored_per_second: int = 500_000
    # the same: 1,165 after a restart, of contacts with 0.4 KB less in the changelog
    kept_contact_bytes: int = 1_550
    # not measured by itself: as a contact, with three records of 70 bytes
    customer_bytes: int = 1_100
    customer_log_bytes: int = 260
    # python -m bench.footprint --seconds 60 --anonymous
    raw_records: int = 3
    raw_bytes: int = 162
    event_bytes: int = 252
    partial_bytes: int = 203
    result_bytes: int = 375
    results_per_touch: int = 75
    cell_records_per_touch: int = 7
    # python -m bench.footprint --hours 12 --calls-per-hour 1800, with 1 queue and with 20
    contact_log_bytes: int = 765
    cell_bytes: int = 8_000
    cell_log_bytes: int = 690
    cells_per_queue_minute: float = 2
    cells_per_minute: int = 10
    results_per_queue_day: int = 6_000


MEASURED = Measured()
CORE_SHARE = 0.5
"""Of a worker's core for events; the rest is for results, peaks, and catching up."""


@dataclass(frozen=True)
class Need:
    """What a centre needs; each property is one step of the arithmetic."""

    centre: Centre
    measured: Measured = MEASURED

    @property
    def contacts_per_second(self) -> float:
        """In the busiest minutes."""
        its = self.centre
        return its.contacts_per_day * its.busy_hour_share / 3600 * its.peak_to_hour

    @property
    def events_per_second(self) -> float:
        """In the busiest minutes."""
        return self.contacts_per_second * self.centre.events_per_contact

    @property
    def workers_by_events(self) -> int:
        """Of one core each."""
        return math.ceil(self.events_per_second / self.measured.events_per_core / CORE_SHARE)

    @property
    def workers_by_memory(self) -> int:
        """Of so much memory each, with half as much again for the heap's gaps."""
        return math.ceil(1.5 * self.memory_bytes / (self.centre.worker_gib * GIB))

    @property
    def workers(self) -> int:
        """Two at least, so that one can go."""
        return max(2, self.workers_by_events, self.workers_by_memory)

    @property
    def partitions(self) -> int:
        """A power of two, so that they can be shared evenly while it grows."""
        return int(max(4, 2 ** math.ceil(math.log2(self.workers))))

    @property
    def contacts_open(self) -> float:
        return self.contacts_per_second * self.centre.handled_seconds

    @property
    def contacts_kept(self) -> float:
        """Until the horizon, whether ended or not."""
        return self.centre.contacts_per_day * self.centre.horizon_days

    @property
    def customers(self) -> float:
        """Who was in touch within the days that customers are remembered."""
        its = self.centre
        contacts = its.contacts_per_day * its.known_share * CUSTOMERS_DAYS
        return contacts / its.contacts_per_customer

    @property
    def cells(self) -> float:
        its, of = self.centre, self.measured
        per_minute = of.cells_per_queue_minute * its.queues + of.cells_per_minute
        return per_minute * its.open_minutes * its.keep_days

    @property
    def memory_bytes(self) -> float:
        of = self.measured
        contacts = self.contacts_open * of.open_contact_bytes
        kept = self.contacts_kept * of.kept_contact_bytes
        customers = self.customers * of.customer_bytes
        return contacts + kept + customers + self.cells * of.cell_bytes

    @property
    def changelog_bytes(self) -> float:
        """Compacted; until the cleaner comes by, a quarter more."""
        of = self.measured
        contacts = self.contacts_kept * of.contact_log_bytes
        customers = self.customers * of.customer_log_bytes
        return 1.25 * (contacts + customers + self.cells * of.cell_log_bytes)

    @property
    def restored_seconds(self) -> float:
        """One worker's share."""
        records = (self.contacts_kept + self.customers + self.cells) / self.workers
        return records / self.measured.restored_per_second

    def touches_per_second(self, places: float) -> float:
        """How often one of so many places (queues, or queues by partition) has news to publish: the
        events fall on the publishes at random."""
        turns = 1000 / self.centre.publish_ms
        news = self.events_per_second / places
        return places * turns * -math.expm1(-news / turns)

    @property
    def results_wanted(self) -> float:
        """A second, in the busiest minutes."""
        return self.touches_per_second(self.centre.queues) * self.measured.results_per_touch

    @property
    def results_per_second(self) -> float:
        """What boards have time for."""
        able = self.workers * (1 - CORE_SHARE) * self.measured.results_per_core
        return min(self.results_wanted, able)

    @property
    def marks_per_second(self) -> float:
        """At most: each partition of two stages tells each board partition how far it is."""
        return 2 * self.partitions**2 * 1000 / self.centre.publish_ms

    @property
    def partials_per_second(self) -> float:
        """Sums and levels of each queue from each partition, and marks."""
        spread = self.touches_per_second(self.centre.queues * self.partitions)
        return spread * (self.measured.cells_per_queue_minute + 1) + self.marks_per_second

    @property
    def written_bytes_per_second(self) -> float:
        """To topics, once each, in the busiest minutes."""
        of = self.measured
        per_contact = (
            of.raw_records * of.raw_bytes + self.centre.events_per_contact * of.event_bytes
        )
        contacts = self.contacts_per_second * (per_contact + of.contact_log_bytes)
        sums = self.partials_per_second * of.partial_bytes
        each = (
            of.result_bytes + of.cell_records_per_touch / of.results_per_touch * of.cell_log_bytes
        )
        return contacts + sums + self.results_per_second * each

    @property
    def disk_bytes(self) -> dict[str, float]:
        """On all brokers, by kind of topic."""
        its, of = self.centre, self.measured
        busy = its.contacts_per_day / self.contacts_per_second  # seconds, if all were busiest
        results = 2 * its.queues * of.results_per_queue_day * 400 * of.result_bytes
        unclean = TOPICS_PER_DAY_SEGMENT * self.partitions * GIB
        found = {
            "raw": 7 * its.contacts_per_day * of.raw_records * of.raw_bytes,
            "events": 28 * its.contacts_per_day * its.events_per_contact * of.event_bytes,
            "partials": 7 * busy * self.partials_per_second * of.partial_bytes,
            "results": results + min(unclean, busy * self.results_per_second * of.result_bytes),
            "changelogs": self.changelog_bytes,
        }
        return {name: size * its.replication for name, size in found.items()}

    @property
    def series(self) -> int:
        """All pairs of queue and channel shown, none left out."""
        of = series()
        return self.centre.queues * (of.per_pair + of.per_queue) + self.workers * of.fixed

    @property
    def backfill_hours(self) -> float:
        """All events that are kept, with all workers."""
        events = 28 * self.centre.contacts_per_day * self.centre.events_per_contact
        return events / (self.workers * self.measured.events_per_core) / (HOUR_MS / 1000)
