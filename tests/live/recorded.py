"""What Prometheus has recorded, held against what the workers showed and against the truth.

Each recorded sample has to be what one worker showed at that moment: a sum or a mean of two owners
is not.  Where two showed the row, it has to be the one of the higher revision.  Of counts of a day
no sample may be more than was sent by then, and none less than the one before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from deploy.names import GAUGES, REVISIONS, recorded
from tests.live.monitoring import Labels, Prometheus, Samples
from tests.live.traffic import Fact

OWN = "instance"
COUNTS = ("offered", "answered", "abandoned")
DAY = {"window": "day", "state": "open"}
NEVER = float("-inf")


class Shown(NamedTuple):
    """One row at one worker: its values and its revisions."""

    values: Samples
    revisions: Samples


class Recorded:
    """Everything from ``start`` to ``end`` (``time.time()``), evaluated every ``step`` seconds; see
    ``violations`` after a look."""

    def __init__(self, prometheus: Prometheus, start: float, end: float, step: float) -> None:
        self._prometheus = prometheus
        self._end, self._seconds, self._step = end, end - start, step
        self.violations: list[str] = []

    def rows(self) -> int:
        """Hold every recorded series against the gauge that it is of; the samples looked at."""
        looked = 0
        for metric in GAUGES:
            rows, series = self._rows(metric), self._samples(recorded(metric))
            if len({_without(labels, "job") for labels in series}) < len(series):
                self._complain(f"{recorded(metric)}: the same row for several jobs")
            for labels, samples in series.items():
                looked += len(samples)
                for at, value in samples:
                    if value not in self._right(rows.get(labels, []), at):
                        self._complain(f"{recorded(metric)}{dict(labels)}: {value} is not right")
        return looked

    def shared(self, metric: str) -> int:
        """How often two workers showed one row at one time, with different values."""
        differing = f"max without ({OWN}) ({metric}) - min without ({OWN}) ({metric}) > 0"
        counted = f"sum(count_over_time(({differing})[{self._seconds:.0f}s:500ms]))"
        return int(sum(self._prometheus.query(counted, self._end).values()))

    def counts(self, truth: Callable[[float], Mapping[Fact, int]]) -> None:
        """Hold the counts of the day against what was sent."""
        for count in COUNTS:
            name = recorded(f"cc_window_contacts_{count}")
            for labels, samples in self._samples(name, **DAY).items():
                queue, before = dict(labels)["queue"], 0.0
                for at, value in samples:
                    sent = truth(at)[queue, count]
                    if value > sent:
                        self._complain(f"{count} of {queue}: {value}, and only {sent} were sent")
                    if value < before:
                        self._complain(f"{count} of {queue} fell from {before} to {value}")
                    before = value

    def _rows(self, metric: str) -> Mapping[Labels, list[Shown]]:
        """The labels that a recorded series has -> what each worker showed."""
        revision = REVISIONS[metric]
        revisions = self._samples(revision.name)
        found: dict[Labels, list[Shown]] = {}
        for labels, values in self._samples(metric).items():
            of_row = tuple(one for one in labels if one[0] in {*revision.labels, OWN, "job"})
            found.setdefault(_without(labels, OWN), []).append(
                Shown(values, revisions.get(of_row, []))
            )
        return found

    def _right(self, workers: list[Shown], at: float) -> set[float]:
        """What may have been recorded at ``at``.

        A scrape has the time at which it began, and what was evaluated before it ended saw the one
        before it: so of each worker two samples count.
        """
        seen = [list(_seen(worker, at, 2 * self._step)) for worker in workers]
        lowest = [min((revision for revision, _ in two), default=NEVER) for two in seen]
        return {
            value
            for number, two in enumerate(seen)
            for revision, value in two
            if revision >= max(lowest[:number] + lowest[number + 1 :], default=NEVER)
        }

    def _samples(self, name: str, **labels: str) -> Mapping[Labels, Samples]:
        return self._prometheus.samples(name, self._end, self._seconds, **labels)

    def _complain(self, text: str) -> None:
        self.violations.append(text)


def _without(labels: Labels, name: str) -> Labels:
    return tuple(one for one in labels if one[0] != name)


def _seen(worker: Shown, at: float, seconds: float) -> Iterator[tuple[float, float]]:
    """(Revision, value) of the last two scrapes of so many seconds."""
    place = bisect_right(worker.values, (at, float("inf")))
    revisions = dict(worker.revisions)
    for time, value in worker.values[max(0, place - 2) : place]:
        if time > at - seconds:
            yield revisions.get(time, NEVER), value
