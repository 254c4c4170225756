"""When each probe was seen: by a reader of the KPI topic, and by one who scrapes /metrics.

Both look at one KPI, contacts offered to the probe queues in the local day: its value says how many
probes of that queue it includes (see ``bench.load_shape``).
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
import urllib.request
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.load_shape import PARTITIONS, PROBE_PREFIX, included
from bench.rig import SCRAPE_SECONDS
from streams.deployment import Deployment
from streams.errors import StateError

KPI = "contacts_offered"
WINDOW = "day"
POLL_MS = 1_000
START_SECONDS = 20.0
_KEY = b'["%b","queue","%b' % (KPI.encode(), PROBE_PREFIX.encode())
_DAY = b'"%b"' % WINDOW.encode()
_METRIC = b"cc_window_contacts_offered"
_SAMPLE = re.compile(
    rb"^cc_window_contacts_offered\{(?=[^}]*queue=\"" + PROBE_PREFIX.encode() + rb"(\d+)\")"
    rb"(?=[^}]*window=\"day\")(?=[^}]*state=\"open\")[^}]*\} ([0-9.e+]+)$",
    re.MULTILINE,
)


class Arrivals:
    """When each probe was first included, by the monotonic clock.  ``gaps`` are the times between
    two looks, where looking has an interval."""

    def __init__(self, queues: int) -> None:
        self.at: dict[int, float] = {}
        self.looks: list[float] = []
        self._counts = [0] * queues

    def note(self, queue: int, count: int, at: float) -> None:
        """The result for a probe queue, seen at ``at``."""
        for probe in included(queue, self._counts[queue], count, len(self._counts)):
            self.at[probe] = at
        self._counts[queue] = max(self._counts[queue], count)

    @property
    def look_ms(self) -> int:
        """The median time from one look to the next in ms, 0 where there were none."""
        gaps = sorted(b - a for a, b in zip(self.looks, self.looks[1:], strict=False))
        return round(gaps[len(gaps) // 2] * 1000) if gaps else 0


class _Watch:
    """A thread that looks until the context ends; what ends it early is raised by ``check``."""

    def __init__(self, queues: int) -> None:
        self.arrivals = Arrivals(queues)
        self._ready = threading.Event()
        self._stop = threading.Event()
        self._failed: Exception | None = None
        self._thread = threading.Thread(target=self._guarded, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(START_SECONDS):
            self.check()
            raise StateError("the reader of results did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(SCRAPE_SECONDS)

    def check(self) -> None:
        """Raise what ended the thread, if anything has."""
        if self._failed is not None:
            raise self._failed

    def _guarded(self) -> None:
        try:
            self._watch()
        except Exception as error:
            # Raised again where somebody waits; a thread's own traceback would only frighten.
            self._failed = error

    def _watch(self) -> None:
        raise NotImplementedError


class TopicWatch(_Watch):
    """Reads the KPI topic, committed records only, as they come."""

    def __init__(self, deployment: Deployment, queues: int) -> None:
        super().__init__(queues)
        self._deployment = deployment

    def _watch(self) -> None:
        asyncio.run(self._read())

    async def _read(self) -> None:
        [topic] = self._deployment.kpi_topics([KPI])
        consumer = AIOKafkaConsumer(
            **self._deployment.aiokafka_options(),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            check_crcs=False,
            # The broker answers as soon as there is a record; this is for when there is none.
            fetch_max_wait_ms=POLL_MS,
        )
        await consumer.start()
        try:
            consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
            self._ready.set()
            while not self._stop.is_set():
                fetched = await consumer.getmany(timeout_ms=POLL_MS // 4)
                now = time.monotonic()
                for records in fetched.values():
                    self._take(records, now)
        finally:
            await consumer.stop()

    def _take(self, records: Sequence[Any], now: float) -> None:
        for record in records:
            if record.key.startswith(_KEY) and _DAY in record.key and record.value:
                queue = orjson.loads(record.key)[2].removeprefix(PROBE_PREFIX)
                self.arrivals.note(int(queue), orjson.loads(record.value)["value"], now)


class MetricsWatch(_Watch):
    """Scrapes /metrics every ``interval_seconds``, or as often as the worker can answer."""

    def __init__(self, url: str, queues: int, interval_seconds: float) -> None:
        super().__init__(queues)
        # Rendering what nobody reads would take the worker's time.
        self._url = f"{url}?name[]={_METRIC.decode()}"
        self._interval_seconds = interval_seconds

    def _watch(self) -> None:
        self._ready.set()
        due = time.monotonic()
        while not self._stop.is_set():
            with urllib.request.urlopen(self._url, timeout=SCRAPE_SECONDS) as answer:
                text = answer.read()
            now = time.monotonic()
            self.arrivals.looks.append(now)
            for queue, count in _SAMPLE.findall(text):
                self.arrivals.note(int(queue), int(float(count)), now)
            due = max(due + self._interval_seconds, now)
            self._stop.wait(due - now)


def quantile_ms(sorted_seconds: Sequence[float], share: float) -> int:
    """The smallest value that at least this share of the values do not exceed, in ms.

    >>> quantile_ms([0.1, 0.2, 0.3, 0.4], 0.5), quantile_ms([0.1, 0.2, 0.3, 0.4], 0.99)
    (200, 400)
    """
    rank = max(1, -int(-share * len(sorted_seconds) // 1))
    return round(sorted_seconds[rank - 1] * 1000)
