"""Every expression of every dashboard, executed by a real Prometheus with real data, gives rows.

Contacts are simulated and go through the five stages.  What the exporter says each half minute is
history; then it is scraped live, over HTTP.  The shipped rules make the recorded series.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from deploy.names import DATA_AGE_SECONDS
from streams.simulate import Centre
from streams.sinks.prometheus import registry
from streams.sinks.server import Health, serve
from tests.deploy.asking import View, annotated, asked, chosen
from tests.deploy.centre.floor import DAY_MS, Floor, Shift, settings, told
from tests.deploy.centre.prometheus import Answers, Storage
from tests.deploy.centre.scrapes import record
from tests.deploy.sheet.draw import picture
from tests.deploy.test_dashboards import LOADED
from tests.tools.debian import tool

SCRAPE_MS, SCRAPES, MOVED = 30_000, 32, 16
"""Sixteen minutes: a quarter of an hour begins in them."""
HOUR_MS = 3_600_000
ROLLING_MS, BREACHED_MS = 1_800_000, 8 * 60_000
"""Limits hold for windows that begin after them."""
LIVE_SECONDS_MAX = 20
DRAWN_BYTES_MIN = 30_000
"""A picture of empty panels has half of that."""
CENTRE = Centre(
    ("sales", "support", "billing", "orders"), calls_per_hour=240, agents=5, patience_mean_s=600
)
"""Far too few agents: somebody waits in every queue."""
DAYS_AGO = (32, 9, 2, 1)
"""Repeats within 30 and within 7 days are judged when a day is that old, and shown from then on."""
JUDGED_LATER = ("cc-history", "cc-satisfaction")
"""Breaches of hours and days begin when those are over: not while we look."""

# -- targets


class Colored(NamedTuple):
    """A KPI whose tiles are colored: where its target is to be breached, to warn and to be met.
    ``most`` is more than it can be; None for what has to be at least."""

    kpi: str
    window: str
    most: float | None
    breached: tuple[str, str]
    warning: tuple[str, str]
    met: tuple[str, str]


CALLS = (("sales", "voice"), ("support", "voice"), ("billing", "voice"))
CHATS = (("support", "chat"), ("sales", "chat"), ("billing", "chat"))
MAILS = (("support", "email"), ("billing", "email"), ("support", "ticket"))
COLORED = (
    Colored("service_level_pos", "rolling_30m", None, *CALLS),
    Colored("abandonment_ratio", "rolling_30m", 1, *CALLS),
    Colored("contacts_waiting", "now", 10**6, *CALLS),
    Colored("longest_wait", "now", 10**6, *CALLS),
    Colored("service_level_first_response", "rolling_30m", None, *CHATS),
    Colored("contacts_unanswered_beyond_threshold", "now", 10**6, *MAILS),
    Colored("oldest_in_backlog", "now", 10**8, *MAILS),
)
LIMITED = (
    ("service_level_pos", "day"), ("service_level_pos", "hour"), ("abandonment_ratio", "day"),
    ("abandonment_ratio", "hour"), ("answer_speed_mean", "day"), ("answer_speed_mean", "hour"),
    ("first_response_mean", "rolling_30m"), ("service_level_first_response", "hour"),
    ("contacts_unanswered", "now"), ("longest_unanswered", "now"), ("tickets_backlog", "now"),
    ("csat_positive_ratio", "day"), ("nps_transactional", "day"), ("fcr_ratio_1d", "day"),
    ("fcr_ratio_7d", "day"), ("fcr_ratio_30d", "day"),
)  # fmt: skip
"""(KPI, window) of limits that are drawn."""


def targets(breached_ms: int) -> Iterator[str]:
    """Such that how they stand follows from the limits and not from the calls.  What is breached
    is so from a moment on: a breach is a change."""
    for kpi, window, most, *where in COLORED:
        lax, strict, wary = (
            ("at_least = 0", "at_least = 1", "warning = 1")
            if most is None
            else (f"at_most = {most}", "at_most = 0", "warning = 0")
        )
        since_ms = breached_ms - (ROLLING_MS if window == "rolling_30m" else 0)
        since = datetime.fromtimestamp(since_ms / 1000, UTC).isoformat()
        limits = {
            "breached": f'{lax}\n[[targets."NAME".since]]\nfrom = "{since}"\n{strict}',
            "warning": f"{lax}\n{wary}",
            "met": lax,
        }
        for (queue, channel), (stands, limit) in zip(where, limits.items(), strict=True):
            chosen = f'queues = ["{queue}"]\nchannel = "{channel}"\n{limit}'
            yield _target(kpi, window, stands, chosen)
    for kpi, window in LIMITED:
        yield _target(kpi, window, "limit", "at_least = 0")


def _target(kpi: str, window: str, stands: str, limits: str) -> str:
    name = f"{kpi} {window} {stands}"
    text = f'[targets."NAME"]\nkpi = "{kpi}"\nwindow = "{window}"\n{limits}\n'
    return text.replace("NAME", name)


def zone(now_ms: int) -> str:
    """One in which it is two in the afternoon now, so that no test begins at midnight."""
    return f"Etc/GMT{datetime.fromtimestamp(now_ms / 1000, UTC).hour - 14:+d}"


# -- what is seen


class Seen(NamedTuple):
    """A Prometheus that has seen a while of the centre."""

    answers: Answers
    view: View


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    tool("prometheus")
    folder = tmp_path_factory.mktemp("seen")
    now_ms = int(time.time()) * 1000
    start_ms = now_ms - SCRAPES * SCRAPE_MS
    floor = _floor(now_ms)
    floor.advance(start_ms - SCRAPE_MS)
    storage = Storage(folder, SCRAPE_MS // 1000)
    record(
        floor,
        range(start_ms, now_ms, SCRAPE_MS),
        folder / "history",
        lambda at_ms: floor.move() if at_ms == start_ms + MOVED * SCRAPE_MS else None,
    )
    storage.fill(folder / "history", start_ms / 1000, (now_ms - SCRAPE_MS) / 1000)
    storage.every(1)
    with ExitStack() as stack:
        answers = stack.enter_context(storage.running(*_served(floor, stack)))
        _wait_for_live(answers)
        yield Seen(answers, View(start_ms / 1000, time.time()))


def _floor(now_ms: int) -> Floor:
    """Half an hour of each of some days that are over, and the last hour and a half."""
    ends_ms = [now_ms - days * DAY_MS for days in DAYS_AGO]
    shifts = [Shift(now_ms - 3 * HOUR_MS // 2, now_ms, CENTRE, 1.5)]
    shifts += [Shift(end_ms - HOUR_MS // 2, end_ms, CENTRE) for end_ms in ends_ms]
    text = (
        f'[defaults]\nzone = "{zone(now_ms)}"\n[first_response_seconds]\nemail = 60\nticket = 60\n'
    )
    text += "\n".join(targets(now_ms - BREACHED_MS))
    floor = Floor(told(shifts, seed=1), settings(text))
    for end_ms in ends_ms:
        floor.advance(end_ms)
    return floor


def _served(floor: Floor, stack: ExitStack) -> Iterator[tuple[str, str]]:
    """(Address, instance) of each worker's exporter."""
    floor.advance(int(time.time() * 1000))
    for instance, collector in floor.collectors().items():
        server = serve("127.0.0.1", 0, registry(collector), lambda: Health(True, True))
        stack.callback(server.close)
        yield f"{server.host}:{server.port}", instance


def _wait_for_live(answers: Answers) -> None:
    """Until the rules have run over what was scraped from both workers, twice."""
    until = time.monotonic() + LIVE_SECONDS_MAX
    began = time.time()
    scraped = f"min(timestamp(cc_build_info)) > {began + 1:.3f}"
    fresh = f"{scraped} and max(timestamp({DATA_AGE_SECONDS})) > {began + 2:.3f}"
    while not answers.at(fresh, time.time()):
        assert time.monotonic() < until, "Prometheus does not scrape"
        time.sleep(0.2)


# -- tests


@pytest.mark.parametrize("name", LOADED)
def test_every_query_gives_rows(seen: Seen, name: str) -> None:
    dashboard = LOADED[name]
    values = chosen(dashboard, seen.answers, seen.view)
    empty = {
        (asked_.panel["title"], asked_.target["refId"])
        for asked_ in asked(dashboard, seen.answers, seen.view, values)
        if not asked_.result
    }
    assert empty == set()


@pytest.mark.parametrize("name", LOADED)
def test_every_annotation_gives_rows(seen: Seen, name: str) -> None:
    values = chosen(LOADED[name], seen.answers, seen.view)
    found = annotated(LOADED[name], seen.answers, seen.view, values)
    empty = [kind for kind, series in found.items() if not series]
    assert empty == (["Breaches"] if name in JUDGED_LATER else [])


def test_a_breach_is_told_once(seen: Seen) -> None:
    values = chosen(LOADED["cc-wall"], seen.answers, seen.view)
    breaches = annotated(LOADED["cc-wall"], seen.answers, seen.view, values)["Breaches"]
    kpis = {series["metric"]["kpi"] for series in breaches}
    assert kpis == {colored.kpi for colored in COLORED if colored.breached in CALLS}
    assert {len(series["values"]) for series in breaches} == {1}


def test_it_can_be_drawn(seen: Seen, tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    picture(LOADED["cc-wall"], seen.answers, seen.view, ZoneInfo("UTC"), path)
    assert path.stat().st_size > DRAWN_BYTES_MIN
