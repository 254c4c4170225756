"""The pipeline itself: is it current, does it keep up, what does it refuse, is it well."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as model

from deploy.dashboards.frame import About, Section, framed, instance
from deploy.dashboards.panels import BARS, COUNT, SECONDS, Panel, Told, lines, steps, tile
from deploy.dashboards.series import Query, grown, rate, worker
from deploy.dashboards.wall import stale_tile
from deploy.names import DATA_AGE_SECONDS

PER_SECOND, BYTES, RECORDS = "cps", "bytes", "short"
SHOWN = "In the time shown, all workers together."


def dashboard() -> model.Dashboard:
    about = About(
        "cc-pipeline",
        "Contact streams: pipeline",
        "Is it current, does it keep up, what does it refuse, are the workers well.",
        (instance(),),
        since="now-3h",
    )
    return framed(
        about,
        Section("", _head()),
        Section("Current", _current()),
        Section("Refused and lost", [*_refused(), *_left_out()]),
        Section("Rebalances, restoring, commits", _moves()),
        Section("Workers", _workers()),
    )


def _head() -> list[Panel]:
    bad = steps("dark-green", (1, "dark-red"))
    return [
        stale_tile(5, 5),
        tile(
            Told("Workers running", "Workers that own partitions and absorb.", COUNT, 5, 5),
            Query(f"sum({worker('cc_worker_state', state='running')})", ""),
        ).thresholds(steps("dark-red", (1, "dark-green"))),
        tile(
            Told("Lag", "Records written and not absorbed yet, of all partitions.", RECORDS, 5, 5),
            Query(f"sum({worker('cc_worker_lag_records')})", ""),
        ),
        tile(
            Told("Dead letters", f"Events refused. {SHOWN}", COUNT, 5, 5, 0),
            Query(f"sum({grown('cc_events_rejected_total', 'job')})", ""),
        ).thresholds(bad),
        tile(
            Told("Rebalances", f"Times partitions moved. {SHOWN}", COUNT, 4, 5, 0),
            Query(f"max({grown('cc_worker_rebalances_total', 'job')})", ""),
        ),
    ]


def _current() -> list[Panel]:
    marks = f"max by (job, origin) ({worker('cc_board_mark_timestamp_seconds')})"
    return [
        lines(
            Told(
                "Data age",
                "How old the event time of the oldest board is: what a wall lags behind.",
                SECONDS,
                8,
            ),
            Query(f'{DATA_AGE_SECONDS}{{job=~"$job"}}', "{{job}}"),
        ),
        lines(
            Told(
                "Mark behind, by origin",
                "How long ago each board partition last heard from its origins. One that stands "
                "out is a partition nobody reads, or one without ticks.",
                SECONDS,
                8,
            ),
            Query(f"time() - {marks}", "{{origin}}"),
        ),
        lines(
            Told("Lag by topic", "Records written and not absorbed yet.", RECORDS, 8),
            Query(f"sum by (topic) ({worker('cc_worker_lag_records')})", "{{topic}}"),
        ),
        lines(
            Told("Events absorbed", "By stage, all workers together.", PER_SECOND, 12),
            Query(rate("cc_events_read_total", "stage"), "{{stage}}"),
        ),
        lines(
            Told(
                "Publishes",
                "Times changed sums were sent on, by stage, all workers together.",
                PER_SECOND,
                12,
            ),
            Query(rate("cc_worker_publishes_total", "stage"), "{{stage}}"),
        ),
    ]


def _refused() -> list[Panel]:
    return [
        lines(
            Told(
                "Dead letters by reason",
                "Events refused, by stage and reason code: contact-streams dlq list shows them.",
                PER_SECOND,
                12,
            ),
            Query(rate("cc_events_rejected_total", "stage, reason"), "{{stage}} {{reason}}"),
            style=BARS,
            stacked=True,
        ),
        lines(
            Told(
                "Rejected share",
                "Of the events absorbed by a stage, the share that was refused.",
                "percentunit",
                12,
            ),
            Query(
                f"{rate('cc_events_rejected_total', 'stage')} / "
                f"({rate('cc_events_read_total', 'stage')} > 0)",
                "{{stage}}",
            ),
        ),
        lines(
            Told(
                "Repeated, late, taken out",
                "Repeats are dropped and harmless. Late events came after what they belong to was "
                "settled. Sums that came too late were left out.",
                PER_SECOND,
                12,
            ),
            Query(rate("cc_events_duplicate_total", "stage"), "{{stage}} repeated", "repeated"),
            Query(rate("cc_events_late_total", "stage"), "{{stage}} late", "late"),
            Query(rate("cc_sums_late_total", "stage"), "{{stage}} sums late", "sums"),
        ),
    ]


def _left_out() -> list[Panel]:
    return [
        lines(
            Told(
                "Left out by a bound",
                "Keys refused: more queues or issue types than a board partition keeps. Records "
                "lost: gone before they were read. Series dropped: more queues than are exported. "
                "All of it is 0 in a good hour.",
                COUNT,
                12,
            ),
            Query(_ever("cc_board_keys_refused_total", "stage"), "keys refused", "keys"),
            Query(_ever("cc_records_lost_total", "topic"), "lost of {{topic}}", "lost"),
            Query(f"sum({worker('cc_exporter_series_dropped')})", "series dropped", "series"),
        ),
    ]


def _ever(metric: str, by: str) -> str:
    return f"sum by ({by}) (increase({worker(metric)}[$__rate_interval]))"


def _moves() -> list[Panel]:
    return [
        lines(
            Told("Rebalances", "Times partitions of a worker moved.", COUNT, 8),
            Query(
                f"increase({worker('cc_worker_rebalances_total')}[$__rate_interval])",
                "{{instance}}",
            ),
            style=BARS,
        ),
        lines(
            Told(
                "Restoring",
                "Records of changelogs still to be read before the worker may begin; nothing here "
                "while nobody restores.",
                RECORDS,
                8,
            ),
            Query(
                f"sum by (instance) ({worker('cc_worker_restore_remaining_records')})",
                "{{instance}}",
            ),
        ),
        lines(
            Told(
                "Seals",
                "Segments sealed a second: what is behind a seal is never read again.",
                PER_SECOND,
                8,
            ),
            Query(rate("cc_worker_seals_total", "stage"), "{{stage}}"),
        ),
    ]


def _workers() -> list[Panel]:
    return [
        lines(
            Told("Memory", "Resident memory of each worker.", BYTES, 8),
            Query(worker("process_resident_memory_bytes"), "{{instance}}"),
        ),
        lines(
            Told("Processor", "Cores each worker uses; one is all it can.", COUNT, 8, 8, 2),
            Query(f"rate({worker('process_cpu_seconds_total')}[$__rate_interval])", "{{instance}}"),
        ),
        lines(
            Told("In memory", "Contacts, agents and customers kept, by stage.", COUNT, 8),
            Query(f"sum by (stage) ({worker('cc_worker_entities')})", "{{stage}}"),
        ),
        lines(
            Told("Partitions", "Partitions each worker owns.", COUNT, 8),
            Query(f"sum by (instance) ({worker('cc_worker_assigned_partitions')})", "{{instance}}"),
        ),
        lines(
            Told("Scrape", "How long a worker takes to collect its metrics.", SECONDS, 8),
            Query(worker("cc_exporter_collect_duration_seconds"), "{{instance}}"),
        ),
        lines(
            Told(
                "Loop idle",
                "For how long each worker's loop has not turned; a stuck one only rises.",
                SECONDS,
                8,
            ),
            Query(worker("cc_worker_loop_idle_seconds"), "{{instance}}"),
        ),
    ]
