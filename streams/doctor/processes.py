"""Judges of the workers, by what their /metrics say."""

from __future__ import annotations

from collections.abc import Sequence

from streams.doctor.finding import Verdict, counted, fail, lasting, listed, ok, warn, worst
from streams.doctor.observed import Worker
from streams.settings import Settings

RESULTS_WARN_MS = 60_000
RESULTS_FAIL_MS = 300_000
REJECTED_WARN_RATIO = 0.01
URL_NEXT = "contact-streams doctor --metrics http://HOST:9464/metrics, for each worker"


def metrics(workers: Sequence[Worker], named: bool) -> Verdict | None:
    """``named``: by ``--metrics``, not guessed from the settings.  None if there is nothing to ask:
    a free port was to be taken."""
    if not workers:
        return None
    return worst([_metrics(worker, named) for worker in workers])


def _metrics(worker: Worker, named: bool) -> Verdict:
    if worker.problem:
        found = f"{worker.url}: {worker.problem}"
        return fail(found, "look at that worker's log") if named else warn(found, URL_NEXT)
    if worker.state != "running":
        return warn(
            f"{worker.url}: {worker.state or 'no state'}",
            "contact-streams doctor --only metrics, in a minute",
        )
    return ok(f"{worker.url}: running {worker.version}".rstrip())


def results(workers: Sequence[Worker], settings: Settings, now_ms: int) -> Verdict | None:
    """How far event time has come, on the board partition that is the furthest behind.  None if no
    worker says."""
    latest: dict[str, float] = {}
    for worker in workers:
        for origin, mark_ms in worker.marks_ms.items():
            latest[origin] = max(mark_ms, latest.get(origin, mark_ms))
    if not latest:
        return None
    age_ms = max(0.0, now_ms - min(latest.values()))
    partitions = settings.kafka.partitions
    found = f"stand {lasting(age_ms)} behind, on {len(latest)} of {partitions} board partitions"
    if not settings.processing.tick_ms:
        return ok(f"{found} (no ticks: as old as the last event)")
    if age_ms > RESULTS_WARN_MS:
        judge = fail if age_ms > RESULTS_FAIL_MS else warn
        return judge(found, "contact-streams doctor --only lag,group,clock")
    return ok(found) if len(latest) >= partitions else warn(found, URL_NEXT)


def counters(workers: Sequence[Worker]) -> Verdict | None:
    """What was counted since each started.  None if no worker says."""
    asked = [worker for worker in workers if not worker.problem]
    return worst([_counters(worker) for worker in asked]) if asked else None


def _counters(worker: Worker) -> Verdict:
    if worker.records_lost:
        lost = counted(worker.records_lost, "record")
        return fail(f"{worker.url}: {lost} lost", "see docs/doctor.md on losses")
    told, rejected_ratio = _rejections(worker)
    if rejected_ratio > REJECTED_WARN_RATIO:
        return warn(f"{worker.url}: {told}", "contact-streams dlq list")
    bounds = {
        "series left out of /metrics": worker.series_dropped,
        "keys refused": worker.keys_refused,
    }
    hit = [f"{count:,} {what}" for what, count in bounds.items() if count]
    if hit:
        return warn(
            f"{worker.url}: {listed(hit)}", "raise metrics.label_sets_max, or have fewer queues"
        )
    return ok(f"{worker.url}: {told}")


def _rejections(worker: Worker) -> tuple[str, float]:
    """Of the stage that rejects the largest share: an event that one stage takes is read by the
    next as well, so that a sum would hide it."""
    read, rejected = worker.events_read, worker.events_rejected
    shares = {stage: count / max(1, read.get(stage, 0)) for stage, count in rejected.items()}
    if not shares:
        return "no events rejected", 0.0
    most = max(shares, key=shares.__getitem__)
    told = f"{rejected[most]:,} of {read.get(most, 0):,} events rejected by {most}"
    return told, shares[most]
