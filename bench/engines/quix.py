"""Quix Streams as its documentation writes it: StreamingDataFrame, windows with ``agg``, State.

Changelogs are on, at-least-once, commits every 5 s (the default).  What differs from the defaults,
all for speed: the producer lingers 100 ms, no log lines.  ``group_by`` would write every event to a
repartition topic and read it again; here the key is changed in place, by the method Quix itself
uses for topics of one partition, so its windows are by source partition like everybody's.
"""

from __future__ import annotations

import tempfile
from typing import Any

from quixstreams import Application
from quixstreams.context import message_context
from quixstreams.dataframe.windows import Count, Sum

from bench.engines.contract import (
    CONTACTS,
    HOUR_MINUTES,
    MINUTE_MS,
    ROLLING,
    OpenWindows,
    Progress,
    Task,
    task,
    window_ms,
)

Row = dict[str, Any]
COMMIT_SECONDS, LINGER_MS = 5.0, 100


class Flow:
    """One run."""

    def __init__(self, wanted: Task, folder: str) -> None:
        self.wanted = wanted
        self.progress = Progress(wanted.events).start()
        self.windows = OpenWindows(window_ms(wanted.job))
        self.app = Application(
            broker_address=wanted.bootstrap,
            consumer_group=wanted.group,
            auto_offset_reset="earliest",
            state_dir=folder,
            commit_interval=float(wanted.options.get("commit_seconds", COMMIT_SECONDS)),
            loglevel="WARNING",
            producer_extra_config={"linger.ms": wanted.options.get("linger_ms", LINGER_MS)},
            on_message_processed=self._processed,
        )

    def run(self) -> None:
        """Until every event is processed; ``Application.run`` commits before it returns."""
        self._build()
        self.app.run()
        count, total = self.windows.totals()
        each = HOUR_MINUTES if self.wanted.job == ROLLING else 1
        self.progress.finish(count // each, total // each)

    def _build(self) -> None:
        wanted = self.wanted
        output = self.app.topic(wanted.output, key_serializer="str", value_serializer="json")
        frame = self.app.dataframe(self.app.topic(wanted.topic, value_deserializer="json"))
        if wanted.job == CONTACTS:
            frame = frame.apply(_contact, stateful=True)
        # State is by contact, windows are by queue.
        frame = frame._single_partition_groupby("queue", _queue)
        summed = "since_ms" if wanted.job == CONTACTS else "talk_ms"
        windows = _windows(frame, wanted.job).agg(count=Count(), sum=Sum(summed))
        # What ``final`` gives for the same work, but the windows open at the end are known too.
        frame = windows.current().apply(self._closed, expand=True, metadata=True)
        frame.to_topic(output, key=lambda row: row["key"])

    def _closed(self, row: Row, key: str, timestamp: int, headers: Any) -> list[Row]:
        closed = self.windows.update(key, row["start"], row["count"], row["sum"])
        return [{"key": f"{key}|{start}", "count": c, "sum": s} for start, c, s in closed]

    def _processed(self, topic: str, partition: int, offset: int) -> None:
        self.progress.processed += 1
        if self.progress.processed >= self.wanted.events:
            self.app.stop()


def _queue(event: Row) -> str:
    return f"{message_context().partition}|{event['queue']}"


def _windows(frame: Any, job: int) -> Any:
    if job == ROLLING:
        return frame.hopping_window(HOUR_MINUTES * MINUTE_MS, MINUTE_MS)
    return frame.tumbling_window(MINUTE_MS)


def _contact(event: Row, state: Any) -> Row:
    """Per contact: queue, time of the first event, count of events."""
    known = state.get("contact")
    if known is None:
        known = {"queue": event["queue"], "first_ms": event["time"], "count": 0}
    known["count"] += 1
    state.set("contact", known)
    event["since_ms"] = event["time"] - known["first_ms"]
    return event


def main() -> None:
    """One run, as the command line asks."""
    with tempfile.TemporaryDirectory() as folder:
        Flow(task(about=__doc__), folder).run()


if __name__ == "__main__":
    main()
