"""What each alert says, word for word, with a moment at which it says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from deploy.rules import groups
from deploy.rules.links import DOCS_URL, GRAFANA_URL
from deploy.rules.rule import Alert
from tests.deploy.kpi_cases import SITUATIONS, row_of, rows_of
from tests.deploy.pipeline_series import BOARD, REASON, aging, counter, marks, up
from tests.deploy.promtool import JOB, Case, Samples, line, series

ALERTS: dict[tuple[str, str], Alert] = {
    (rule.name, rule.severity): rule
    for group in groups().values()
    for rule in group.rules
    if isinstance(rule, Alert)
}
"""By name and severity."""
AT = 930
"""Seconds."""
SALES = "cc-queue?var-queue=sales&var-channel=voice"
WRITTEN = "cc-written?var-queue=orders&var-channel=email"
PIPELINE = "cc-pipeline"


class Text(NamedTuple):
    """``labels`` are those besides job, namespace (the alert's name) and what the rule adds."""

    alert: str
    labels: Mapping[str, str]
    description: str
    dashboard: str
    kpi: str = ""
    of: str = ""
    """Of which other alert's case it is: it says so there, too."""
    severity: str = ""
    """Where there are two of that name."""


def _sales(alert: str, description: str, kpi: str = "", dashboard: str = SALES) -> Text:
    return Text(alert, {"queue": "sales", "channel": "voice"}, description, dashboard, kpi)


def _burn(name: str, long: str, short: str) -> Text:
    text = (
        f"Queue sales (voice): only 41% of the contacts of {long} were answered in time (variant "
        f"pos), and {short} is no better. The objective of this queue cannot bear that."
    )
    labels = {"queue": "sales", "channel": "voice", "variant": "pos"}
    return Text(f"CCQueueServiceLevelBurn{name}", labels, text, SALES, "service_level_pos")


def _target(alert: str, said: str) -> Text:
    labels = {"queue": "sales", "channel": "voice", "target": "Soon", "window": "rolling_30m"}
    text = (
        'Target "Soon": service_level_pos (rolling_30m) of queue sales, channel voice is beyond '
        + said
    )
    return Text(alert, labels, text, SALES, "service_level_pos")


def _orders(alert: str, description: str, kpi: str) -> Text:
    return Text(alert, {"queue": "orders", "channel": "email"}, description, WRITTEN, kpi)


def _worker(alert: str, description: str, of: str = "", severity: str = "", **labels: str) -> Text:
    return Text(alert, labels, description, PIPELINE, "", of, severity)


ABSENT = (
    "No worker of contact-streams answers Prometheus, or those that do have had no result for an "
    "hour. Nothing is known about any queue."
)
WATCHDOG = (
    "This fires always. Whoever receives it must raise an alarm when it stops coming: then "
    "Prometheus or Alertmanager is broken."
)
REMAINING = (
    "Worker a still has 90k records of state to read. Until then its partitions have no results."
)


TEXTS = (
    _burn("Fast", "the last hour", "the last five minutes"),
    _burn("Medium", "today so far", "the last half hour"),
    _burn("Slow", "today so far", "the last hour"),
    _target("CCTargetBreached", "0.8, the limit in force."),
    Text(
        "CCTargetBreached",
        {"channel": "voice", "target": "Mean", "window": "hour"},
        'Target "Mean": handle_time_mean (hour) of channel voice is beyond 400, the limit in '
        "force.",
        "cc-queue?var-queue=&var-channel=voice",
        "handle_time_mean",
        "channel",
    ),
    _target("CCTargetWarning", "its warning, and not yet beyond 0.8, the limit in force."),
    _sales(
        "CCQueueAbandonmentHigh",
        "Queue sales (voice): 25% of the contacts of the last half hour were abandoned, more than "
        "this queue allows.",
        "abandonment_ratio",
        "cc-history?var-queue=sales&var-channel=voice",
    ),
    _sales(
        "CCQueueLongestWaitHigh",
        "Queue sales (voice): the contact at the head of the queue has waited for 5m 1s, longer "
        "than this queue allows.",
        "longest_wait",
    ),
    _sales(
        "CCQueueWaitingBeyondThreshold",
        "Queue sales (voice): 6 contacts have waited for longer than the threshold; the service "
        "level can only lose by them.",
        "contacts_waiting_beyond_threshold",
    ),
    _orders(
        "CCQueueFirstResponseLow",
        "Queue orders (email): 50% of today's first responses were in time, fewer than this queue "
        "has to reach.",
        "service_level_first_response",
    ),
    _orders(
        "CCQueueUnansweredBeyondThreshold",
        "Queue orders (email): 6 contacts wait for a first response for longer than the threshold, "
        "in opening hours.",
        "contacts_unanswered_beyond_threshold",
    ),
    _orders(
        "CCQueueBacklogOld",
        "Queue orders (email): the oldest ticket that is not solved was created 8d 2h 26m 40s ago, "
        "longer than this queue allows.",
        "oldest_in_backlog",
    ),
    _sales(
        "CCQueueNoAgentsReady",
        "Queue sales (voice): 3 contacts wait, agents are logged in, and every one of them has "
        "been not ready for two minutes or more.",
    ),
    Text(
        "CCOccupancyHigh",
        {"variant": "ring_excluded", "window": "rolling_60m", "state": "now"},
        "Over all agents, 95% of the time at work in the last hour was spent on contacts. People "
        "cannot keep that up for long.",
        "cc-agents",
    ),
    _worker(
        "CCPipelineStale",
        "The oldest results are from 10m 0s ago. Dashboards show the past, and no alert on a KPI "
        "is sent until this is over.",
    ),
    _worker(
        "CCPipelineAbsent",
        ABSENT,
    ),
    _worker(
        "CCBoardMarkBehind",
        "Results of board/1 are 1m 30s old; queues whose results are made there are late.",
        origin="board/1",
    ),
    _worker(
        "CCBoardMarkBehind",
        "Results of board/0 are 10m 0s old; queues whose results are made there are late.",
        of="CCPipelineStale",
        origin="board/0",
    ),
    _worker(
        "CCWorkerMissing",
        "Worker a does not answer Prometheus. The others do its work, with less to spare.",
        of="CCPipelineAbsent",
        instance="a",
    ),
    _worker(
        "CCWorkerMissing",
        "Worker b does not answer Prometheus. The others do its work, with less to spare.",
        instance="b",
    ),
    _worker(
        "CCWorkerLagHigh",
        "cc.raw[2] has had a backlog for ten minutes, now 12k records.",
        topic="cc.raw",
        partition="2",
    ),
    _worker(
        "CCRebalancingOften",
        "There were 12 rebalances in half an hour. Each one holds all results for some seconds.",
    ),
    _worker("CCRestoreRunning", REMAINING, severity="info", instance="a"),
    _worker("CCRestoreRunning", REMAINING, severity="warning", instance="a"),
    _worker(
        "CCDeadLetters",
        "Stage ingest has rejected events for json.bad, about 3 in 15 minutes. They are among the "
        "dead letters and in no KPI.",
        **REASON,
    ),
    _worker(
        "CCDeadLetters",
        "Stage ingest has rejected events for json.bad, about 1.5k in 15 minutes. They are among "
        "the dead letters and in no KPI.",
        of="CCEventsRejectedHigh",
        **REASON,
    ),
    _worker(
        "CCEventsRejectedHigh",
        "Stage ingest rejects 25% of what it reads. KPIs are wrong by what is missing.",
        stage="ingest",
    ),
    _worker(
        "CCRecordsLost",
        "Records of cc.raw were deleted before a worker read them, about 3, and accepted as lost. "
        "KPIs are wrong by them for good.",
        topic="cc.raw",
    ),
    _worker(
        "CCSumsLate",
        "Stage board has left out about 3 sums of days that are not kept any more.",
        **BOARD,
    ),
    _worker(
        "CCKeysRefused",
        "Stage board has refused about 3 sums of keys beyond its bound; they have no results.",
        **BOARD,
    ),
    _worker(
        "CCSeriesDropped",
        "Worker a leaves out 34 series because metrics.label_sets_max is reached. No alert on a "
        "KPI can fire for those queues.",
        instance="a",
    ),
    _worker(
        "CCScrapeSlow",
        "Worker a took 6.5s to answer; beyond the scrape's time limit it counts as gone.",
        instance="a",
    ),
)


def _of_a_channel() -> dict[str, Samples]:
    labels = {"target": "Mean", "queue": "", "channel": "voice"}
    labels |= {"kpi": "handle_time_mean", "window": "hour"}
    ones = line((1, AT + 15))
    limit = row_of("cc_target", labels, line((400, AT + 15)), ones)
    return limit | row_of("cc_target_breached", labels, ones, ones)


def _new(metric: str, labels: Mapping[str, str]) -> dict[str, Samples]:
    """A counter that was not there before the last minutes."""
    return up((1, AT + 15)) | counter(metric, labels, (None, AT - 15), (3, 30))


def _rejecting() -> dict[str, Samples]:
    names = {"cc_events_read_total": {"stage": "ingest"}, "cc_events_rejected_total": REASON}
    counts = zip(names.items(), (100, 25), strict=True)
    return {
        series(name, labels): tuple(float(i * more) for i in range(AT // 15 + 1))
        for (name, labels), more in counts
    }


def _pipeline() -> dict[str, dict[str, Samples]]:
    """Alert -> a pipeline of which it speaks."""
    long = AT + 15
    well = up((1, long)) | marks((2, long))
    mark = series("cc_board_mark_timestamp_seconds", {"origin": "board/0"})
    moved = [(float(i), 75) for i in range(long // 75 + 1)]
    letters = {"topic": "cc.raw", "partition": "2"}
    remaining = {"topic": "cc-log", "partition": "1"}
    return {
        "CCPipelineStale": up((1, long)) | {mark: aging(330, long)},
        "CCPipelineAbsent": up((0, long)),
        "CCBoardMarkBehind": well | marks((90, long), partition=1),
        "CCWorkerMissing": well | up((0, long), worker="b"),
        "CCWorkerLagHigh": counter("cc_worker_lag_records", letters, (12_000, long)),
        "CCRebalancingOften": counter("cc_worker_rebalances_total", {}, *moved),
        "CCRestoreRunning": counter(
            "cc_worker_restore_remaining_records", remaining, (90_000, long)
        ),
        "CCDeadLetters": _new("cc_events_rejected_total", REASON) | marks((2, long)),
        "CCEventsRejectedHigh": _rejecting(),
        "CCRecordsLost": _new("cc_records_lost_total", {"topic": "cc.raw"}) | marks((2, long)),
        "CCSumsLate": _new("cc_sums_late_total", BOARD) | marks((2, long)),
        "CCKeysRefused": _new("cc_board_keys_refused_total", BOARD) | marks((2, long)),
        "CCSeriesDropped": counter("cc_exporter_series_dropped", {}, (34, long)),
        "CCScrapeSlow": counter("scrape_duration_seconds", {}, (6.5, long)),
    }


def cases() -> Iterable[Case]:
    """One for each alert, named like it, with nothing but what it is about."""
    for situation in SITUATIONS:
        rows = rows_of(situation, "a", 1, ("bad", AT + 15))
        yield Case(situation.alert, situation.alert, "text", rows, ())
    yield Case("channel", "CCTargetBreached", "text", _of_a_channel(), ())
    for alert, given in _pipeline().items():
        yield Case(alert, alert, "text", given, ())


def expected(text: Text, site: Mapping[str, str] | None = None) -> dict[str, object]:
    """What promtool must find; ``site`` are job and namespace if they are not those of its case."""
    rule = _rule(text)
    labels = {"job": JOB, "namespace": text.of or text.alert} if site is None else dict(site)
    labels |= {**text.labels, "severity": rule.severity, "owner": rule.owner}
    labels |= {"kpi": text.kpi} if text.kpi else {}
    annotations = {
        "summary": rule.summary,
        "description": text.description,
        "runbook_url": f"{DOCS_URL}/runbooks/{text.alert}.md",
        "dashboard_url": f"{GRAFANA_URL}/d/{text.dashboard}",
    }
    return {"exp_labels": labels, "exp_annotations": annotations}


def _rule(text: Text) -> Alert:
    fitting = [
        rule
        for (name, severity), rule in ALERTS.items()
        if name == text.alert and text.severity in ("", severity)
    ]
    (rule,) = fitting
    return rule
