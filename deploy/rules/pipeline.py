"""Alerts on the pipeline itself: what whoever runs the workers is called for.

Counters are those of a process, so a restart is a reset that Prometheus knows.  One that has not
counted yet is not there, and its first value is no increase: ``_grown`` counts it too.
"""

from __future__ import annotations

from deploy.names import DATA_AGE_SECONDS
from deploy.rules.defaults import (
    DATA_AGE,
    LAG,
    MARK_BEHIND,
    REBALANCES,
    REJECTED_COUNT,
    REJECTED_RATIO,
    SCRAPE,
)
from deploy.rules.newest import INSTANCE, SITE
from deploy.rules.rule import Alert, Record, Rule, Severity

JOB = "contact-streams"
"""The scrape job's name; only ``up`` and ``scrape_duration_seconds`` need it."""
UP = f'up{{job="{JOB}"}}'
KEEPS = "5m"
OUTLASTS = "6m"
"""How long what keeps alerts on KPIs silent goes on.  They keep firing themselves, for 5 m from
their own last evaluation, which may come after the one that found results fresh again; and a page
that got through between the two would be about the past."""


def rules() -> tuple[Rule, ...]:
    """The recorded age, then the alerts."""
    return (_age(), *_results(), *_workers(), *_rejected(), *_left_out(), *_metrics(), _watchdog())


def _alert(
    name: str, severity: Severity, expression: str, summary: str, description: str, *when: str
) -> Alert:
    lasts, keeps = (*when, KEEPS)[:2]
    texts = (summary, description, "cc-pipeline", ())
    return Alert(name, severity, "platform", expression, *texts, lasts, keeps)


def _grown(metric: str) -> str:
    """By how much a counter has grown lately, where it has.  One that is new grew from nothing, if
    its worker is new too or was there before it; else it is Prometheus that has only begun to look.
    """
    return f"""
        sum without ({INSTANCE}) (increase({metric}[15m])) > 0
        or
        sum without ({INSTANCE}) (
            ({metric} unless {metric} offset 15m)
          and on ({SITE}, instance)
            ({UP} offset 15m or process_start_time_seconds > time() - {15 * 60})
        ) > 0
    """


# -- how old results are

_MARKS = f"""max without ({INSTANCE}) (
      last_over_time(cc_board_mark_timestamp_seconds[1h])
    )"""
"""The time of each board partition.  One that nobody owns now is as old as it was last seen."""


def _age() -> Record:
    return Record(DATA_AGE_SECONDS, f"time() - min without (origin) (\n    {_MARKS}\n)")


def _results() -> tuple[Alert, ...]:
    return (
        _alert(
            "CCPipelineStale",
            "critical",
            f"{DATA_AGE_SECONDS} > {DATA_AGE.value:g}",
            "Results are old.",
            """The oldest results are from {{ $value | humanizeDuration }} ago. Dashboards show the
            past, and no alert on a KPI is sent until this is over.""",
            "30s",
            OUTLASTS,
        ),
        _alert(
            "CCPipelineAbsent",
            "critical",
            f"""
            max without ({INSTANCE}) ({UP}) == 0
            or
            absent({UP})
            or
            (max without ({INSTANCE}) ({UP}) == 1 unless on ({SITE}) {DATA_AGE_SECONDS})
            """,
            "No worker gives results.",
            """No worker of {{ $labels.job }} answers Prometheus, or those that do have had no
            result for an hour. Nothing is known about any queue.""",
            "1m",
            OUTLASTS,
        ),
        _alert(
            "CCBoardMarkBehind",
            "warning",
            f"time() - {_MARKS} > {MARK_BEHIND.value:g}",
            "A part of the results lags behind.",
            """Results of {{ $labels.origin }} are {{ $value | humanizeDuration }} old; queues whose
            results are made there are late.""",
            "5m",
        ),
    )


# -- workers


def _workers() -> tuple[Alert, ...]:
    return (
        _missing(),
        _alert(
            "CCWorkerLagHigh",
            "warning",
            f"max without ({INSTANCE}) (cc_worker_lag_records) > {LAG.value:g}",
            "Records are written faster than they are read.",
            """{{ $labels.topic }}[{{ $labels.partition }}] has had a backlog for ten minutes, now
            {{ $value | humanize }} records.""",
            "10m",
        ),
        _alert(
            "CCRebalancingOften",
            "warning",
            f"max without ({INSTANCE}) (increase(cc_worker_rebalances_total[30m]))"
            f" > {REBALANCES.value:g}",
            "Partitions keep moving between workers.",
            """There were {{ $value | humanize }} rebalances in half an hour. Each one holds all
            results for some seconds.""",
            "",
        ),
        _restore("info", "2m", "A worker is restoring its state."),
        _restore("warning", "15m", "A worker has been restoring its state for long."),
    )


def _missing() -> Alert:
    """A target that is down; or, where targets come and go with workers, fewer than there were.
    Who scales in on purpose is told for a quarter of an hour, and then no more."""
    count = f"count without ({INSTANCE}) ({UP} == 1)"
    return _alert(
        "CCWorkerMissing",
        "warning",
        f"""
        {UP} == 0
        or
        (
            {count} < max_over_time(({count})[15m:30s])
          unless on ({SITE})
            {UP} == 0
        )
        """,
        "A worker is missing.",
        """{{ with $labels.instance }}Worker {{ . }} does not answer Prometheus.{{ else }}Only
        {{ $value }} workers are left of those that were there a quarter of an hour ago.{{ end }}
        The others do its work, with less to spare.""",
        "2m",
    )


def _restore(severity: Severity, lasts: str, summary: str) -> Alert:
    return _alert(
        "CCRestoreRunning",
        severity,
        """
        sum without (topic, partition) (cc_worker_restore_remaining_records)
        or
        sum without (state) (cc_worker_state{state="recovering"} == 1) * 0
        """,
        summary,
        """Worker {{ $labels.instance }} still has {{ $value | humanize }} records of state to read.
        Until then its partitions have no results.""",
        lasts,
        "",
    )


# -- events


def _rejected() -> tuple[Alert, ...]:
    rejected = f"sum without ({INSTANCE}, reason) (increase(cc_events_rejected_total[10m]))"
    read = f"sum without ({INSTANCE}) (increase(cc_events_read_total[10m]))"
    return (
        _alert(
            "CCDeadLetters",
            "warning",
            _grown("cc_events_rejected_total"),
            "Events were rejected.",
            """Stage {{ $labels.stage }} has rejected events for {{ $labels.reason }}, about
            {{ $value | humanize }} in 15 minutes. They are among the dead letters and in no
            KPI.""",
            "",
        ),
        _alert(
            "CCEventsRejectedHigh",
            "critical",
            f"""
            {rejected} / {read} > {REJECTED_RATIO.value:g}
            and
              {rejected} >= {REJECTED_COUNT.value:g}
            """,
            "A large part of all events is rejected.",
            """Stage {{ $labels.stage }} rejects {{ $value | humanizePercentage }} of what it reads.
            KPIs are wrong by what is missing.""",
            "1m",
        ),
    )


def _left_out() -> tuple[Alert, ...]:
    return (
        _alert(
            "CCRecordsLost",
            "critical",
            _grown("cc_records_lost_total"),
            "Records were gone before they were read.",
            """Records of {{ $labels.topic }} were deleted before a worker read them, about
            {{ $value | humanize }}, and accepted as lost. KPIs are wrong by them for good.""",
            "",
        ),
        _alert(
            "CCSumsLate",
            "warning",
            _grown("cc_sums_late_total"),
            "Corrections came too late to be counted.",
            """Stage {{ $labels.stage }} has left out about {{ $value | humanize }} sums of days
            that are not kept any more.""",
            "",
        ),
        _alert(
            "CCKeysRefused",
            "warning",
            _grown("cc_board_keys_refused_total"),
            "There are more queues, issue types or the like than a board keeps.",
            """Stage {{ $labels.stage }} has refused about {{ $value | humanize }} sums of keys
            beyond its bound; they have no results.""",
            "",
        ),
    )


# -- metrics


def _metrics() -> tuple[Alert, ...]:
    return (
        _alert(
            "CCSeriesDropped",
            "warning",
            "cc_exporter_series_dropped > 0",
            "Some queues are not in the metrics.",
            """Worker {{ $labels.instance }} leaves out {{ $value | humanize }} series because
            metrics.label_sets_max is reached. No alert on a KPI can fire for those queues.""",
            "5m",
        ),
        _alert(
            "CCScrapeSlow",
            "warning",
            f'scrape_duration_seconds{{job="{JOB}"}} > {SCRAPE.value:g}',
            "Workers answer scrapes slowly.",
            """Worker {{ $labels.instance }} took {{ $value | humanizeDuration }} to answer; beyond
            the scrape's time limit it counts as gone.""",
            "5m",
        ),
    )


def _watchdog() -> Alert:
    return _alert(
        "CCWatchdog",
        "info",
        "vector(1)",
        "Alerting works.",
        """This fires always. Whoever receives it must raise an alarm when it stops coming: then
        Prometheus or Alertmanager is broken.""",
        "",
        "",
    )
