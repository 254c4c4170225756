"""Cases of the alerts on the pipeline, each by itself."""

from __future__ import annotations

from tests.deploy.counter_cases import COUNTED
from tests.deploy.pipeline_series import (
    SECONDS,
    aging,
    board,
    case,
    counter,
    marks,
    up,
)
from tests.deploy.promtool import (
    STEP,
    Case,
    Check,
    firing,
    line,
    never,
    series,
    silent,
    throughout,
)


def _stale() -> tuple[Case, ...]:
    alert, mark = "CCPipelineStale", series("cc_board_mark_timestamp_seconds", board(1))
    well = up((1, SECONDS)) | marks((2, SECONDS))
    stops = {mark: aging(300, 900) + tuple(float(900 + i * STEP) for i in range(60))}
    return (
        # 300 s, then 120 s of age, then 30 s more.
        case(alert, "fires", well, stops, never(435), throughout(465, 900)),
        case(alert, "clears", well, stops, firing(1230), silent(1275)),
        case(alert, "quiet", up((1, SECONDS)), marks((119, SECONDS)), never(SECONDS - STEP)),
        case(
            alert,
            "restart",
            up((1, 300), (0, 60), (1, 600)),
            marks((2, 300), (None, 60), (2, 600)),
            never(945),
        ),
        case(
            alert,
            "rebalance",
            well,
            marks((2, 300), (None, 15), partition=1),
            marks((None, 285), (30, 30), (2, 300), partition=1, worker="b"),
            {series("cc_board_mark_timestamp_seconds", board(1), "c"): aging(120, 600)},
            never(585),
            of="rebalance, with one that was cut off",
        ),
        # A partition that nobody owns any more is as old as it was last seen.
        case(
            alert,
            "missing",
            well,
            marks((2, 300), (None, 600), partition=1),
            throughout(465, 885),
        ),
    )


def _absent() -> tuple[Case, ...]:
    alert = "CCPipelineAbsent"
    return (
        case(
            alert,
            "fires",
            up((1, 300), (0, 600)),
            up((1, 300), (0, 600), worker="b"),
            marks((2, 300), (None, 600)),
            never(345),
            throughout(360, 600),
        ),
        case(
            alert,
            "clears",
            up((1, 300), (0, 120), (1, 600)),
            marks((2, 300), (None, 120), (2, 600)),
            firing(405),
            firing(765),
            silent(795),
        ),
        case(
            alert,
            "quiet",
            up((1, 900)),
            up((1, 300), (0, 600), worker="b"),
            marks((2, 900)),
            never(885),
        ),
        case(
            alert,
            "restart",
            up((1, 300), (0, 45), (1, 300)),
            marks((2, 300), (None, 75), (2, 270)),
            never(630),
        ),
        case(
            alert,
            "missing",
            up((1, 600)),
            never(45),
            throughout(60, 585),
            of="missing, workers without results",
        ),
    )


def _behind() -> tuple[Case, ...]:
    alert = "CCBoardMarkBehind"
    return (
        case(
            alert,
            "fires",
            marks((2, 900)),
            marks((2, 300), (61, 600), partition=1),
            never(585),
            throughout(600, 885),
        ),
        case(
            alert,
            "clears",
            marks((61, 330), (2, 600)),
            firing(315),
            firing(600),
            silent(645),
        ),
        case(alert, "quiet", marks((60, 900)), never(885)),
        case(alert, "rebalance", marks((2, 300), (None, 45), (40, 60), (2, 300)), never(690)),
    )


def _missing() -> tuple[Case, ...]:
    alert = "CCWorkerMissing"
    two = up((1, 1200))
    return (
        case(
            alert,
            "fires",
            two,
            up((1, 300), (0, 600), worker="b"),
            never(405),
            throughout(420, 885),
        ),
        case(
            alert,
            "clears",
            two,
            up((1, 300), (0, 150), (1, 600), worker="b"),
            firing(435),
            firing(735),
            silent(765),
        ),
        case(alert, "quiet", two, up((1, 1200), worker="b"), never(1185)),
        case(
            alert,
            "restart",
            two,
            up((1, 300), (0, 90), (1, 600), worker="b"),
            never(975),
        ),
        # A target that is not there any more, as of a pod; after a while that is how it is.
        case(
            alert,
            "missing",
            up((1, 2100)),
            up((1, 300), (None, 15), worker="b"),
            never(405),
            throughout(435, 1170),
            silent(1560),
        ),
        case(
            alert,
            "rebalance",
            up((1, 2100)),
            up((1, 300), (None, 60), worker="b"),
            up((None, 360), (1, 900), worker="c"),
            never(1245),
            of="another in its place",
        ),
    )


def _lag() -> tuple[Case, ...]:
    alert, metric = "CCWorkerLagHigh", "cc_worker_lag_records"
    labels = {"topic": "cc.contact-events.v1", "partition": "0"}
    return (
        case(alert, "fires", counter(metric, labels, (10_001, 900)), never(585), firing(600)),
        case(
            alert,
            "clears",
            counter(metric, labels, (20_000, 660), (10, 600)),
            firing(645),
            firing(945),
            silent(975),
        ),
        case(alert, "quiet", counter(metric, labels, (10_000, 900)), never(885)),
        # What was left over by a restart is read in time.
        case(
            alert,
            "restart",
            counter(metric, labels, (10, 120), (None, 60), (90_000, 540), (10, 600)),
            never(1305),
        ),
        case(
            alert,
            "rebalance",
            counter(metric, labels, (20_000, 630), (None, 15)),
            counter(metric, labels, (None, 615), (20_000, 600), worker="b"),
            throughout(600, 1200),
        ),
    )


def _rebalancing() -> tuple[Case, ...]:
    alert, metric = "CCRebalancingOften", "cc_worker_rebalances_total"
    often = [(float(i), 120) for i in range(12)]
    return (
        case(alert, "fires", counter(metric, {}, *often), never(600), firing(1000 // STEP * STEP)),
        case(
            alert,
            "clears",
            counter(metric, {}, *often, (11, 2400)),
            firing(1500),
            silent(3600),
        ),
        # A rollout of both workers, one after the other: four moves at each.
        case(
            alert,
            "quiet",
            counter(metric, {}, (3, 300), (4, 60), (5, 60), (6, 60), (7, 600)),
            counter(metric, {}, (3, 300), (4, 60), (5, 60), (6, 60), (7, 600), worker="b"),
            never(1065),
        ),
        case(
            alert,
            "restart",
            counter(metric, {}, (90, 300), (None, 30), (1, 60), (2, 600)),
            never(975),
        ),
    )


def _restoring() -> tuple[Case, ...]:
    alert = "CCRestoreRunning"
    left = series(
        "cc_worker_restore_remaining_records", {"topic": "cc.contacts-log", "partition": "1"}
    )
    state = series("cc_worker_state", {"state": "recovering"})
    return (
        # Once as information, later as a warning too.
        case(
            alert,
            "fires",
            {left: line((90_000, 1200))},
            never(105),
            throughout(120, 885),
            Check(960, "count(FIRING)", 2),
        ),
        case(alert, "clears", {left: line((90_000, 960), (None, 60))}, firing(930, 2), silent(990)),
        case(alert, "quiet", {state: line((0, 600), (1, 60), (0, 600))}, never(1245)),
        case(alert, "restart", {left: line((5_000, 105), (None, 120), (5_000, 105))}, never(315)),
        case(
            alert,
            "missing",
            {state: line((1, 600))},
            throughout(120, 585),
            of="missing, how much is left",
        ),
    )


CASES = (
    *_stale(),
    *_absent(),
    *_behind(),
    *_missing(),
    *_lag(),
    *_rebalancing(),
    *_restoring(),
    *COUNTED,
)
