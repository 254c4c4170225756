"""Cases of the alerts on what workers count, and on gauges of theirs."""

from __future__ import annotations

from collections.abc import Mapping

from tests.deploy.pipeline_series import (
    BOARD,
    KEEPS,
    REASON,
    STARTED,
    case,
    counter,
    up,
)
from tests.deploy.promtool import (
    STEP,
    Case,
    Samples,
    firing,
    line,
    never,
    series,
    silent,
    throughout,
)


def _counted(alert: str, metric: str, labels: Mapping[str, str]) -> tuple[Case, ...]:
    """A counter of which any growth in 15 minutes is told."""
    span = 900
    known = up((1, 2 * span + 900))
    return (
        case(
            alert,
            "fires",
            known,
            counter(metric, labels, (3, 300), (4, span + 300)),
            never(285),
            throughout(315, 315 + span - 60),
        ),
        case(
            alert,
            "clears",
            known,
            counter(metric, labels, (3, 300), (4, 2 * span + 600)),
            firing(300 + span - 30),
            silent(300 + span + KEEPS + 30),
        ),
        case(alert, "quiet", known, counter(metric, labels, (3, span + 600)), never(span + 585)),
    )


def _first(alert: str, metric: str, labels: Mapping[str, str]) -> tuple[Case, ...]:
    """The first one of its kind is no increase, and counts; the rules are the same for all."""
    known = up((1, 2700))
    span = 900
    return (
        case(
            alert,
            "fires",
            known,
            counter(metric, labels, (None, span + 60), (1, 600)),
            never(span + 45),
            throughout(span + 60, span + 600),
            of="fires, the first ever",
        ),
        case(
            alert,
            "fires",
            up((None, 300), (1, 600)),
            {STARTED: line((None, 300), (290, 600))},
            counter(metric, labels, (None, 330), (1, 600)),
            never(315),
            throughout(330, 900),
            of="fires, the first of a worker that is new",
        ),
        case(
            alert,
            "restart",
            known,
            {STARTED: line((-9000, 300), (None, 60), (355, 900))},
            counter(metric, labels, (3, 300), (None, 900)),
            never(1245),
        ),
        # Prometheus is new, not what it finds.
        case(
            alert,
            "missing",
            up((1, 600)),
            {STARTED: line((-9000, 600))},
            counter(metric, labels, (7, 600)),
            never(585),
            of="missing, what was before",
        ),
    )


def _rejected() -> tuple[Case, ...]:
    alert = "CCEventsRejectedHigh"

    def counts(read: int, rejected: int, seconds: int, then: int = 0) -> dict[str, Samples]:
        """So many more each 15 s."""
        n, rest = seconds // STEP, then // STEP
        reads = tuple(float(i * read) for i in range(n + rest))
        refused = tuple(float(min(i, n) * rejected) for i in range(n + rest))
        return {
            series("cc_events_read_total", {"stage": "ingest"}): reads,
            series("cc_events_rejected_total", {"stage": "ingest", "reason": "json.bad"}): refused,
        }

    return (
        case(alert, "fires", counts(100, 10, 900), firing(300)),
        case(alert, "clears", counts(100, 10, 600, 1500), firing(900), silent(1800)),
        case(alert, "quiet", counts(100, 4, 900), never(885)),
        case(alert, "quiet", counts(1, 1, 240, 600), never(825), of="quiet, few"),
        case(
            alert,
            "restart",
            {k: v[:20] + (None,) * 4 + v[:20] for k, v in counts(100, 4, 900).items()},
            never(645),
        ),
    )


def _gauge(alert: str, metric: str, bad: float, good: float) -> tuple[Case, ...]:
    """A gauge of a worker that is too high for five minutes."""
    return (
        case(alert, "fires", counter(metric, {}, (bad, 900)), never(285), throughout(300, 885)),
        case(
            alert,
            "clears",
            counter(metric, {}, (bad, 330), (good, 600)),
            firing(315),
            firing(600),
            silent(645),
        ),
        case(alert, "quiet", counter(metric, {}, (good, 600)), never(585)),
        case(
            alert,
            "restart",
            counter(metric, {}, (good, 120), (None, 60), (bad, 120), (good, 300)),
            never(585),
        ),
    )


COUNTED = (
    *_counted("CCDeadLetters", "cc_events_rejected_total", REASON),
    *_first("CCDeadLetters", "cc_events_rejected_total", REASON),
    *_counted("CCRecordsLost", "cc_records_lost_total", {"topic": "cc.raw"}),
    *_counted("CCSumsLate", "cc_sums_late_total", BOARD),
    *_counted("CCKeysRefused", "cc_board_keys_refused_total", BOARD),
    *_rejected(),
    *_gauge("CCSeriesDropped", "cc_exporter_series_dropped", 1, 0),
    *_gauge("CCScrapeSlow", "scrape_duration_seconds", 5.1, 5),
)
