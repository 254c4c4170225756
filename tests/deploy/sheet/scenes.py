"""What the pictures show: a working day until early afternoon, and a week."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from streams.simulate import Centre
from tests.deploy.asking import View
from tests.deploy.centre.floor import Floor, Shift, settings, told
from tests.deploy.centre.prometheus import Storage
from tests.deploy.centre.scrapes import record

ZONE = ZoneInfo("Europe/London")
MONDAY = datetime(2026, 9, 28, tzinfo=ZONE)
SEED = 220
QUEUES = ("sales", "support", "billing")
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
CALLS, CALLS_OF_A_DAY = 120.0, (1.0, 0.9, 1.15, 0.85, 1.05, 0.45, 0.3)
"""An hour, and more or less of them on each day of the week."""
SETTINGS = """
[defaults]
zone = "Europe/London"

[targets."Calls answered soon"]
kpi = "service_level_pos"
window = "rolling_30m"
channel = "voice"
at_least = 0.8
warning = 0.85
clear = 0.82
volume_min = 20

[targets."Few give up"]
kpi = "abandonment_ratio"
window = "rolling_30m"
channel = "voice"
at_most = 0.08
warning = 0.05
volume_min = 20

[targets."Nobody waits for long"]
kpi = "longest_wait"
channel = "voice"
at_most = 180
warning = 90
breach_after = 2
clear_after = 3

[targets."Short queues"]
kpi = "contacts_waiting"
channel = "voice"
queues = ["sales", "support"]
at_most = 8
warning = 4
breach_after = 2
clear_after = 3

[targets."Days are good"]
kpi = "service_level_pos"
window = "day"
channel = "voice"
at_least = 0.8

[targets."Few give up in a day"]
kpi = "abandonment_ratio"
window = "day"
channel = "voice"
at_most = 0.06

[targets."Chats answered soon"]
kpi = "service_level_first_response"
window = "rolling_30m"
channel = "chat"
at_least = 0.7
warning = 0.75

[targets."Mails do not age"]
kpi = "oldest_in_backlog"
channel = "email"
at_most = 28800
warning = 21600

[targets."No chat waits"]
kpi = "contacts_unanswered_beyond_threshold"
channel = "chat"
at_most = 5
warning = 1

[targets."Customers are happy"]
kpi = "csat_positive_ratio"
window = "day"
at_least = 0.75
"""


class Scene(NamedTuple):
    """Some dashboards, and the history they are drawn from.  ``begin_ms`` is when scrapes begin."""

    uids: tuple[str, ...]
    shifts: list[Shift]
    begin_ms: int
    end_ms: int
    scrape_ms: int
    metrics: frozenset[str] | None = None
    """What is kept of each scrape; None: all."""

    @property
    def view(self) -> View:
        """All that was scraped."""
        return View(self.begin_ms / 1000, self.end_ms / 1000, self.scrape_ms / 1000)

    def fill(self, folder: Path, seed: int) -> tuple[Storage, View]:
        """Simulate, scrape, store."""
        floor = Floor(told(self.shifts, seed), settings(SETTINGS))
        floor.advance(self.begin_ms - self.scrape_ms)
        history = folder / "history"
        times = range(self.begin_ms, self.end_ms + 1, self.scrape_ms)
        record(floor, times, history, _moves(floor, times), self.metrics)
        storage = Storage(folder, self.scrape_ms // 1000)
        storage.fill(history, self.begin_ms / 1000, self.end_ms / 1000)
        history.unlink()
        return storage, self.view


def _moves(floor: Floor, times: range) -> Callable[[int], None]:
    """Partitions move twice, as when a worker is updated."""
    moves = {times[len(times) * 3 // 5], times[len(times) * 3 // 5 + 3]}
    return lambda time_ms: floor.move() if time_ms in moves else None


def day() -> Scene:
    """Until a quarter past two on a Thursday.  ``SEED`` is one with all colors at the end."""
    start_ms = _ms(3) + 8 * HOUR_MS
    end_ms = start_ms + 25 * HOUR_MS // 4
    uids = ("cc-wall", "cc-queue", "cc-written", "cc-agents", "cc-pipeline")
    today = Shift(start_ms, end_ms, Centre(QUEUES, calls_per_hour=300, agents=26), 0.5)
    return Scene(uids, [_day(2, 0.3), today], end_ms - 3 * HOUR_MS, end_ms, 15_000)


def week() -> Scene:
    """Eight days, an observation every four minutes."""
    shifts = [_day(number, 1.0) for number in range(8)]
    shown = {
        "cc_board_mark_timestamp_seconds", "cc_build_info", "cc_worker_rebalances_total",
        "cc_window_revision", "cc_window_end_timestamp_seconds",
        "cc_target", "cc_target_breached", "cc_target_warning", "cc_target_revision",
        "cc_window_service_level_ratio", "cc_window_abandonment_ratio",
        "cc_window_contacts_offered", "cc_window_answer_speed_mean_seconds",
        "cc_window_csat_positive_ratio", "cc_window_nps_transactional_points",
        "cc_window_nps_relationship_points", "cc_window_fcr_ratio", "cc_window_fcr_survey_ratio",
    }  # fmt: skip
    uids = ("cc-history", "cc-satisfaction")
    end_ms = _ms(7) + 15 * HOUR_MS
    return Scene(uids, shifts, _ms(1), end_ms, 240_000, frozenset(shown))


def _day(number: int, pace: float) -> Shift:
    """Eight to six, with as many agents as a usual day needs, whatever comes."""
    start_ms = _ms(number) + 8 * HOUR_MS
    staff = Centre(QUEUES, calls_per_hour=CALLS * pace * 1.25).staff
    calls = CALLS * pace * CALLS_OF_A_DAY[number % 7]
    centre = Centre(QUEUES, calls_per_hour=calls, agents=staff)
    return Shift(start_ms, start_ms + 10 * HOUR_MS, centre, pace / 2)


def _ms(day: int) -> int:
    return round(MONDAY.timestamp() * 1000) + day * DAY_MS
