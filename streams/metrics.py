"""Every metric a worker exports: name, type, labels and help, in one place.

Names and labels are public: dashboards and alerts hang on them.  ``tests/sinks/golden_metrics.txt``
lists them, so a change is seen.  The gauges of KPIs come from the definitions (``streams.kpis``).

Three kinds of numbers, told apart on purpose:

* *gauges of windows and levels*: what the processor says a KPI is, read from the rows it owns at
  the moment of the scrape; they vanish with the row or the partition;
* *counters and histograms*: what this process has counted since it started, never what was
  restored, because Prometheus takes any fall for a reset and adds the whole total again;
* *the worker's own*: partitions, lag, seals.

Labels are bounded: queue, channel, and values from fixed lists.  No agent, no contact, no customer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from streams.core.kpi import NOW, Kpi
from streams.core.measure import QUEUE, Measure
from streams.kpis import abandonment, handle_time, outcomes, service_level, speed, transfers, volume

Kind = Literal["gauge", "counter", "histogram"]
PLACE = ("queue", "channel")
WINDOW = ("window", "state")


class Family(NamedTuple):
    """One metric.  A counter's name ends in ``_total``, as it is scraped."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


class Counter(NamedTuple):
    """A counter made of measures: measure name -> values of the labels after queue and channel."""

    family: Family
    measures: Mapping[str, tuple[str, ...]]


class Histogram(NamedTuple):
    """A classic histogram: a bucketed measure, and the measure that sums the same values in ms."""

    family: Family
    buckets: Measure
    sum_ms: Measure


# -- windows and levels


def kpi_families(kpis: Iterable[Kpi]) -> dict[str, Family]:
    """Metric name -> gauge.  Only a KPI's first cut is exported: others are sums of its rows."""
    sharing: dict[str, list[Kpi]] = {}
    for kpi in kpis:
        if kpi.metric is not None:
            sharing.setdefault(kpi.metric, []).append(kpi)
    return {
        metric: Family(metric, "gauge", _shared_help(group), gauge_labels(group[0]))
        for metric, group in sharing.items()
    }


def gauge_labels(kpi: Kpi) -> tuple[str, ...]:
    """Dimensions, then window and state unless it is a level, then the constant labels."""
    window = () if kpi.windows == NOW else WINDOW
    return (*kpi.cuts[0].dimensions, *window, *(name for name, _ in kpi.labels))


def _shared_help(group: list[Kpi]) -> str:
    if len(group) == 1:
        return group[0].help
    names = ", ".join(name for name, _ in group[0].labels)
    return f"Told apart by {names}: {', '.join(k.name for k in group)}."


WINDOW_END = Family(
    "cc_window_end_timestamp_seconds", "gauge", "End of the window shown.", (*PLACE, *WINDOW)
)
WINDOW_UPDATED = Family(
    "cc_window_updated_timestamp_seconds",
    "gauge",
    "Event time up to which the window shown had been computed when it last changed.",
    (*PLACE, *WINDOW),
)
REVISION_HELP = (
    "Revision of what is shown with these labels. While a partition moves two workers may show it: "
    "the one with the highest revision is right, and with the same one both are."
)


def revision_families(kpis: Iterable[Kpi]) -> dict[str, Family]:
    """Metric name -> the gauge that tells which owner's rows of it are right.

    There is one for each cut, for windows and for levels: the rows of a cut key are of one board
    partition, those of another cut need not be."""
    return {kpi.metric: _revision(kpi) for kpi in kpis if kpi.metric is not None}


def _revision(kpi: Kpi) -> Family:
    cut = kpi.cuts[0]
    of = "now" if kpi.windows == NOW else "window"
    name = f"cc_{of}_revision" if cut == QUEUE else f"cc_{cut.name}_{of}_revision"
    window = () if kpi.windows == NOW else WINDOW
    return Family(name, "gauge", REVISION_HELP, (*cut.dimensions, *window))


THRESHOLD = Family(
    "cc_sla_threshold_seconds", "gauge", "Service level threshold T in force now.", ("queue",)
)
INTRADAY = Family(
    "cc_intraday_contacts_offered",
    "gauge",
    "Visits offered in each hour of the queue's current local day.",
    (*PLACE, "hour"),
)

_TARGET = ("target", *PLACE, "kpi", "window")
TARGET = Family("cc_target", "gauge", "What a KPI has to reach or not to exceed.", _TARGET)
TARGET_BREACHED = Family(
    "cc_target_breached", "gauge", "1 while the target is breached, else 0.", _TARGET
)
TARGET_WARNING = Family(
    "cc_target_warning", "gauge", "1 while there is a warning and no breach, else 0.", _TARGET
)

TARGET_REVISION = Family("cc_target_revision", "gauge", REVISION_HELP, _TARGET)
TARGETS = (TARGET, TARGET_BREACHED, TARGET_WARNING, TARGET_REVISION)

# -- counted since the process started


def _counter(name: str, help: str, measure: Measure) -> Counter:
    return Counter(Family(f"cc_{name}_total", "counter", help, PLACE), {measure.name: ()})


def _by(name: str, label: str, help: str, measures: Mapping[str, Measure]) -> Counter:
    family = Family(f"cc_{name}_total", "counter", help, (*PLACE, label))
    return Counter(family, {m.name: (value,) for value, m in measures.items()})


COUNTERS = (
    _counter("contacts_arrived", "Contacts, in the first queue they entered.", volume.ARRIVED),
    _counter("contacts_offered", "Visits that began.", volume.OFFERED),
    _counter("contacts_answered", "Visits an agent answered.", outcomes.ANSWERED),
    _counter("contacts_abandoned", "Visits the customer gave up while waiting.", abandonment.COUNT),
    _by(
        "contacts_left",
        "outcome",
        "Visits that ended neither answered nor abandoned.",
        outcomes.LEFT_MEASURES,
    ),
    _counter(
        "contacts_answered_in_threshold",
        "Visits answered within the queue's T.",
        service_level.ANSWERED_IN_T,
    ),
    _counter(
        "contacts_abandoned_in_threshold",
        "Visits abandoned within the queue's T.",
        service_level.ABANDONED_IN_T,
    ),
    _counter(
        "contacts_abandoned_short",
        "Visits abandoned within the queue's S.",
        abandonment.COUNT_SHORT,
    ),
    _by(
        "entries_refused",
        "reason",
        "Contacts the queue did not take in.",
        outcomes.REFUSED_MEASURES,
    ),
    _counter("legs_ended", "Agents' legs that ended.", handle_time.LEGS),
    _by(
        "contacts_transferred",
        "kind",
        "Legs that ended by a transfer.",
        transfers.BY_KIND,
    ),
    _by(
        "offers_failed",
        "reason",
        "Offers to an agent that ended without an answer.",
        outcomes.FAILED_MEASURES,
    ),
    _counter(
        "durations_refused",
        "Reported durations that cannot be true and were left out of means.",
        handle_time.REFUSED,
    ),
)
CORRECTIONS = Family(
    "cc_corrections_total",
    "counter",
    "Counted before and taken back, because a later event disproved it; by what had been counted.",
    (*PLACE, "measure"),
)
HISTOGRAMS = (
    Histogram(
        Family("cc_answer_wait_seconds", "histogram", "Waits of answered visits.", PLACE),
        speed.WAIT,
        speed.WAIT_MS,
    ),
    Histogram(
        Family("cc_abandonment_wait_seconds", "histogram", "Waits of abandoned visits.", PLACE),
        abandonment.WAIT,
        abandonment.WAIT_MS,
    ),
    Histogram(
        Family("cc_talk_seconds", "histogram", "Talk times of legs.", PLACE),
        handle_time.TALK,
        handle_time.TALK_MS,
    ),
)

# -- the worker

WORKER_STATES = ("starting", "recovering", "rebalancing", "running", "stopping")
WORKER_STATE = Family(
    "cc_worker_state", "gauge", "1 for the state the worker is in, 0 for the others.", ("state",)
)
BUILD = Family("cc_build_info", "gauge", "Always 1; the version is a label.", ("version",))


@dataclass(frozen=True, slots=True)
class WorkerView:
    """What a worker says about itself at one moment.

    Keys are label values in the order of the family's labels (a bare string or int where there is
    one).  Counters are those of this process and never fall; per-partition values name only the
    partitions assigned now.  Offsets and lags are in records; ``lag`` is end minus absorbed, not
    what external tools see, which is up to a segment more.
    """

    state: str = "starting"
    loop_idle_ms: int = 0
    """How long ago the loop last came round."""
    rebalances: int = 0
    restore_remaining: Mapping[tuple[str, int], int] = field(default_factory=dict)
    """Changelog and partition -> records still to be read; only what is being restored."""
    assigned: Mapping[str, int] = field(default_factory=dict)
    """Source topic -> partitions assigned."""
    lag: Mapping[tuple[str, int], int] = field(default_factory=dict)
    absorbed: Mapping[tuple[str, int], int] = field(default_factory=dict)
    marks_ms: Mapping[str, int] = field(default_factory=dict)
    """Origin (topic and partition) -> event time up to which the board has heard from it."""
    events_read: Mapping[str, int] = field(default_factory=dict)
    """Stage -> events; likewise below."""
    events_duplicate: Mapping[str, int] = field(default_factory=dict)
    events_late: Mapping[str, int] = field(default_factory=dict)
    events_rejected: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(stage, reason code) -> events."""
    entities: Mapping[str, int] = field(default_factory=dict)
    entities_forgotten: Mapping[str, int] = field(default_factory=dict)
    sums_late: Mapping[str, int] = field(default_factory=dict)
    keys_refused: Mapping[str, int] = field(default_factory=dict)
    seals: Mapping[str, int] = field(default_factory=dict)
    publishes: Mapping[str, int] = field(default_factory=dict)
    target_events: Mapping[str, int] = field(default_factory=dict)
    """What an event of a target says -> how many."""
    target_minutes_skipped: Mapping[str, int] = field(default_factory=dict)
    records_lost: Mapping[str, int] = field(default_factory=dict)
    """Topic -> offsets that were gone before they were read."""


_STAGE = ("stage",)
_PARTITION = ("topic", "partition")
WORKER: Mapping[str, Family] = {
    "assigned": Family(
        "cc_worker_assigned_partitions", "gauge", "Partitions assigned to this worker.", ("topic",)
    ),
    "lag": Family(
        "cc_worker_lag_records",
        "gauge",
        "Records written to the partition and not absorbed yet.",
        _PARTITION,
    ),
    "loop_idle_ms": Family(
        "cc_worker_loop_idle_seconds", "gauge", "How long ago the worker's loop last came round."
    ),
    "rebalances": Family(
        "cc_worker_rebalances_total",
        "counter",
        "Generations of the group that this worker has been assigned partitions in.",
    ),
    "restore_remaining": Family(
        "cc_worker_restore_remaining_records",
        "gauge",
        "Records of the changelog to read before the partition can go on; only while restoring.",
        _PARTITION,
    ),
    "absorbed": Family(
        "cc_worker_absorbed_offset", "gauge", "Offset of the last record absorbed.", _PARTITION
    ),
    "marks_ms": Family(
        "cc_board_mark_timestamp_seconds",
        "gauge",
        "Event time up to which the board has heard from each origin.",
        ("origin",),
    ),
    "events_read": Family("cc_events_read_total", "counter", "Events absorbed.", _STAGE),
    "events_duplicate": Family(
        "cc_events_duplicate_total", "counter", "Events dropped as repeats of a known id.", _STAGE
    ),
    "events_late": Family(
        "cc_events_late_total",
        "counter",
        "Events dropped, or used in part, because what they belong to is settled.",
        _STAGE,
    ),
    "events_rejected": Family(
        "cc_events_rejected_total",
        "counter",
        "Events sent to the dead letters, by reason code.",
        (*_STAGE, "reason"),
    ),
    "entities": Family(
        "cc_worker_entities", "gauge", "Contacts, agents or customers in memory.", _STAGE
    ),
    "entities_forgotten": Family(
        "cc_entities_forgotten_total",
        "counter",
        "Contacts, agents or customers that were silent for so long that they were removed.",
        _STAGE,
    ),
    "sums_late": Family(
        "cc_sums_late_total",
        "counter",
        "Sums that came for minutes not kept any more (processing.keep_days), and changed nothing.",
        _STAGE,
    ),
    "keys_refused": Family(
        "cc_board_keys_refused_total",
        "counter",
        "Sums and levels of queues, issue types ... beyond as many as a board partition keeps.",
        _STAGE,
    ),
    "seals": Family("cc_worker_seals_total", "counter", "Segments or stretches sealed.", _STAGE),
    "publishes": Family(
        "cc_worker_publishes_total", "counter", "Publishes of changed partials.", _STAGE
    ),
    "target_events": Family(
        "cc_target_events_total",
        "counter",
        "Breaches of targets, warnings, and ends of both.",
        ("event",),
    ),
    "target_minutes_skipped": Family(
        "cc_target_minutes_skipped_total",
        "counter",
        "Minutes that time jumped over and whose rolling windows no target was judged by.",
        _STAGE,
    ),
    "records_lost": Family(
        "cc_records_lost_total",
        "counter",
        "Records that were gone before they were read, and accepted as lost.",
        ("topic",),
    ),
}
"""Field of ``WorkerView`` -> metric; a field in ms is exported in seconds."""

# -- the exporter

COLLECT_SECONDS = Family(
    "cc_exporter_collect_duration_seconds", "gauge", "How long it took to collect this scrape."
)
LABEL_SETS = Family(
    "cc_exporter_label_sets", "gauge", "Pairs of queue and channel exported at this scrape."
)
DROPPED = Family(
    "cc_exporter_series_dropped",
    "gauge",
    "Series left out of this scrape because metrics.label_sets_max is reached.",
)


def all_families(kpis: Iterable[Kpi]) -> Iterator[Family]:
    """Everything a worker may export, for the given KPIs."""
    kpis = tuple(kpis)
    yield from kpi_families(kpis).values()
    yield from dict.fromkeys(revision_families(kpis).values())
    yield from (WINDOW_END, WINDOW_UPDATED, THRESHOLD, INTRADAY)
    yield from TARGETS
    yield from (c.family for c in COUNTERS)
    yield CORRECTIONS
    yield from (h.family for h in HISTOGRAMS)
    yield from (BUILD, WORKER_STATE, *WORKER.values())
    yield from (COLLECT_SECONDS, LABEL_SETS, DROPPED)
