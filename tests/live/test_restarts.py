"""Workers are killed, started again and paused: nobody is paged, and nothing counts twice."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.names import recorded
from tests.chaos.cluster import ProxiedCluster
from tests.chaos.proxy import Network
from tests.integration.runs import Told
from tests.live.recorded import COUNTS, DAY, Recorded
from tests.live.site import Site, a_site
from tests.live.traffic import QUEUES, Fact, Traffic
from tests.tools.programs import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

FACTOR = 15
CALM_SECONDS = 2
WAIT_SECONDS = 60
ROWS_MIN = 2_000
OWNING = "rebalance: generation"
SETTINGS = """\
[defaults]
zone = "{zone}"

[targets."Soon"]
kpi = "service_level_pos"
window = "rolling_5m"
at_least = 0.77
volume_min = 20

[targets."Not for long"]
kpi = "longest_wait"
at_most = 28
"""


def test_restarts_page_nobody_and_nothing_counts_twice(tmp_path: Path) -> None:
    with ExitStack() as stack:
        network = Network()
        stack.callback(network.close)
        cluster = stack.enter_context(ProxiedCluster(1, 2, network))
        settings = SETTINGS.format(zone=zone_at_noon())
        site = stack.enter_context(
            a_site(
                cluster, "restarts", tmp_path, settings=settings, factor=FACTOR,
                workers=2, partitions=4, tick_ms=1_000, brokers=cluster.bootstrap_of,
            )
        )  # fmt: skip
        traffic = stack.enter_context(Traffic(site.run))
        began = time.time()
        workers = [stack.enter_context(site.worker(number)) for number in (0, 1)]
        traffic.start()
        wait_until(lambda: everything_is_recorded(site), "the hour before is recorded")
        one_is_killed(site, stack, *workers)
        one_stands_still(site, network, workers[1])
        traffic.stop()
        wait_until(lambda: counts(site) == traffic.truth(), "all that was sent is recorded")
        judge(site, traffic, began)


def one_is_killed(site: Site, stack: ExitStack, first: Told, second: Told) -> None:
    """With -9; the other one takes everything.  Then it is started again, and takes its part."""
    time.sleep(CALM_SECONDS)
    heard = len(second.saying(OWNING))
    first.end(signal.SIGKILL)
    second.wait_for(OWNING, heard + 1)
    wait_until(lambda: shown_by(site, 1) == set(QUEUES), "one worker shows all queues")
    stack.enter_context(site.worker(0))
    second.wait_for(OWNING, heard + 2)
    wait_until(
        lambda: bool(shown_by(site, 0)) and everything_is_recorded(site),
        "who was started again shows queues, and all are recorded",
    )


def one_stands_still(site: Site, network: Network, second: Told) -> None:
    """For longer than the session lasts, so the other one takes everything.  Going on, it is cut
    off: it does not hear that its partitions are another's, and shows what it had.  When it hears
    of it, it ends or begins anew.  (With a network it would be fenced within a tenth of a second,
    and hardly a scrape would see it.)"""
    heard = len(second.saying(OWNING))
    second.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: shown_by(site, 0) == set(QUEUES), "the other worker shows all queues")
    network.hold(1)
    second.process.send_signal(signal.SIGCONT)
    wait_until(lambda: rows_of_two_owners(site) > 0, "both show the same rows")
    time.sleep(CALM_SECONDS)
    network.heal(1)
    wait_until(
        lambda: second.process.poll() is not None or len(second.saying(OWNING)) > heard,
        "who stood still hears of it",
    )


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    until(is_so, WAIT_SECONDS, lambda: what)


def judge(site: Site, traffic: Traffic, began: float) -> None:
    """All that was recorded and all that fired, from the start until now."""
    ended = time.time()
    looked = Recorded(site.watched.prometheus, began, ended, site.watched.step)
    assert looked.rows() > ROWS_MIN
    # Two workers did show one row with different values: this could have gone wrong.
    assert looked.shared("cc_window_contacts_offered") > 0
    looked.counts(traffic.truth)
    assert looked.violations == []
    owners = fired(site, began, ended)
    assert "CCWatchdog" in owners, "nothing was alerted on at all"
    assert [alert for alert, owner in owners.items() if owner == "operations"] == []


def shown_by(site: Site, worker: int) -> set[str]:
    """The queues whose day a worker shows."""
    shown = site.shown(worker, "cc_window_contacts_offered", **DAY)
    return {sample.labels["queue"] for sample in shown}


def rows_of_two_owners(site: Site) -> int:
    """How many queues Prometheus knows a day of from more than one worker, now."""
    owners = 'count without (instance) (cc_window_contacts_offered{window="day", state="open"})'
    return len(site.watched.prometheus.query(f"{owners} > 1"))


def everything_is_recorded(site: Site) -> bool:
    """Whether Prometheus has a recorded day of every queue."""
    return len(day(site, "offered")) == len(QUEUES)


def counts(site: Site) -> dict[Fact, float]:
    """What is recorded of the day now."""
    return {fact: value for count in COUNTS for fact, value in day(site, count).items()}


def day(site: Site, count: str) -> dict[Fact, float]:
    """One of ``counts``."""
    name = recorded(f"cc_window_contacts_{count}")
    rows = site.watched.prometheus.query(f'{name}{{window="day", state="open"}}')
    return {(dict(labels)["queue"], count): value for labels, value in rows.items()}


def fired(site: Site, began: float, ended: float) -> dict[str, str]:
    """Alerts that fired at any time -> whose they are."""
    looked = f'count_over_time(ALERTS{{alertstate="firing"}}[{(ended - began) * 1000:.0f}ms])'
    found = map(dict, site.watched.prometheus.query(looked, ended))
    return {labels["alertname"]: labels["owner"] for labels in found}


def zone_at_noon() -> str:
    """A zone whose day began long ago and goes on: no day ends during the test."""
    hours = 12 - datetime.now(UTC).hour
    # In these names the sign is the other way round.
    return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"
