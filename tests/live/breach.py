"""What happens in four queues, told by the simulator, and what must be so after each step:

1. An hour arrives ten minutes late, with a breach in it.  Results are stale, and platform is paged
   for that; of the queues nobody is told anything.
2. It catches up, and what was breached is well again: nobody is told of it any more.
3. Two other queues breach now.  The floor is paged, with everything the page has to say.
4. They recover, and the floor is told that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from streams.simulate import Centre
from tests.live import shipped
from tests.live.centre import MINUTE_MS, Clock, Shift, send
from tests.live.receiver import Told
from tests.live.site import Site
from tests.tools.programs import until

PAST, TARGETED_PAST, NOW, TARGETED_NOW = "orders", "returns", "sales", "support"
"""Two queues for each breach: one without a target, for which the burn is paged, and one with a
target, which takes the burn's place."""
SETTINGS = f"""\
[targets."Answers soon"]
kpi = "service_level_pos"
window = "rolling_5m"
queues = ["{TARGETED_PAST}", "{TARGETED_NOW}"]
at_least = 0.8
volume_min = 5
"""
BURN, BREACHED, STALE = "CCQueueServiceLevelBurnFast", "CCTargetBreached", "CCPipelineStale"
LATE_MS, BEHIND_MS, TRAILING_MS = 12 * MINUTE_MS, 130_000, 105_000
"""How late telemetry is: in the first step; in the second, a little too much for results not to be
stale, and then a little less; from there two minutes begin until it has arrived."""
HOUR_MS = 60 * MINUTE_MS
ODD = {"no_answer_share": 0.0, "odd_share": 0.0, "transfer_share": 0.0, "break_share": 0.0}
BRISK = {"talk_median_s": 10.0, "wrap_up_mean_s": 1.0}


def quiet(*queues: str) -> Centre:
    """Few calls, all answered within some seconds."""
    return Centre(queues, 12 * len(queues), agents=8 * len(queues), **BRISK, **ODD)


def overrun(*queues: str, per_minute: int) -> Centre:
    """One agent a queue, who talks on and on, and so many calls in each."""
    rate = 60 * per_minute * len(queues)
    return Centre(queues, rate, agents=len(queues), patience_mean_s=120, talk_median_s=900, **ODD)


def flooded(*queues: str, per_minute: int) -> Centre:
    """So many calls in each queue, all answered at once."""
    rate = per_minute * len(queues)
    return Centre(queues, 60 * rate, agents=rate, **BRISK, **ODD)


class Page(NamedTuple):
    """``seconds`` from the first moment at which a worker showed the breach until the receiver was
    told; ``worst`` is what the intervals in force add up to, ``worst_shipped`` the shipped ones."""

    told: Told
    seconds: float
    worst: float
    worst_shipped: float

    @property
    def shipped(self) -> float:
        """Seconds at most with the shipped intervals: what they add up to, and what it took here
        beyond what ours add up to."""
        return self.worst_shipped + max(0.0, self.seconds - self.worst)


class Story:
    """The steps, in their order; each raises what is not as it must be."""

    def __init__(self, site: Site, clock: Clock) -> None:
        self._site, self._watched, self._clock = site, site.watched, clock
        self._patience = 30 + 600 / site.watched.factor
        """Seconds within which anything is told."""
        self._shifts: list[Shift] = []

    def arrives_late(self) -> None:
        """Step 1."""
        late_ms = self._clock.now_ms
        self._opens(quiet(PAST, TARGETED_PAST, NOW, TARGETED_NOW), late_ms - HOUR_MS, late_ms)
        self._arrives(self._clock.now_ms)
        self._told("firing", STALE)
        self._opens(overrun(PAST, TARGETED_PAST, per_minute=12), late_ms - 5 * MINUTE_MS, late_ms)
        self._arrives(self._clock.now_ms)
        self._clock.enter_minute()
        self._inhibited(BURN, PAST)
        self._inhibited(BREACHED, TARGETED_PAST)
        self._nobody_was_told_of_queues()

    def catches_up(self) -> None:
        """Step 2."""
        until_ms = _now_ms() - BEHIND_MS
        self._opens(flooded(PAST, TARGETED_PAST, per_minute=80), self._clock.now_ms, until_ms)
        self._arrives(until_ms)
        self._clock.lag(BEHIND_MS)
        # What a worker takes for this is not divided by any factor, so it is waited for.
        until(self._past_is_well, self._patience, lambda: "the worker shows what is well again")
        self._arrives(_now_ms() - TRAILING_MS)
        self._clock.lag(TRAILING_MS)
        self._told("resolved", STALE)
        self._nobody_was_told_of_queues()

    def breaches(self) -> list[Page]:
        """Step 3."""
        since, now_ms = time.time(), self._clock.now_ms
        self._opens(overrun(NOW, TARGETED_NOW, per_minute=20), now_ms - 5 * MINUTE_MS, now_ms)
        with ThreadPoolExecutor(2) as looking:
            burns = looking.submit(self._first_moment, self._burns)
            breached = looking.submit(self._first_moment, self._is_breached)
            self._arrives(now_ms)
            self._clock.enter_minute()
            return [
                self._page(BURN, NOW, burns.result(), since),
                self._page(BREACHED, TARGETED_NOW, breached.result(), since),
            ]

    def recovers(self) -> float:
        """Step 4; seconds from when the calls that go well are told until the end of both is."""
        since, now_ms = time.time(), self._clock.now_ms
        self._opens(flooded(NOW, TARGETED_NOW, per_minute=200), now_ms - 3 * MINUTE_MS, now_ms)
        self._arrives(now_ms)
        self._clock.enter_minute()
        self._told("resolved", BURN, since, queue=NOW)
        self._told("resolved", BREACHED, since, queue=TARGETED_NOW)
        return time.time() - since

    # -- what happens

    def _opens(self, centre: Centre, start_ms: int, end_ms: int) -> None:
        self._shifts.append(Shift(centre, len(self._shifts), start_ms, end_ms))

    def _arrives(self, until_ms: int) -> None:
        """What all of them have written until then."""
        send(self._site.run, *self._shifts, until_ms=until_ms)

    # -- what is looked at

    def _told(self, status: str, alert: str, since: float = 0.0, **labels: str) -> Told:
        return self._watched.wait_until_told(status, alert, self._patience, since, **labels)

    def _inhibited(self, alert: str, queue: str) -> None:
        """It reaches Alertmanager, which keeps it to itself."""
        self._watched.wait_until(
            lambda: self._watched.alertmanager.inhibited(alert, queue=queue),
            self._patience,
            f"{alert} of {queue} is inhibited",
        )

    def _nobody_was_told_of_queues(self) -> None:
        told = [one for one in self._watched.receiver.told if one.labels["owner"] == "operations"]
        assert not told, [(one.status, one.name) for one in told]

    def _first_moment(self, is_so: Callable[[], bool]) -> float:
        return until(is_so, self._patience, lambda: "a worker shows the breach")

    def _burns(self) -> bool:
        return any(ratio < 0.8 for ratio in self._service_levels(NOW, "rolling_5m"))

    def _is_breached(self, queue: str = TARGETED_NOW) -> bool:
        shown = self._site.shown(0, "cc_target_breached", queue=queue)
        return any(one.value == 1 for one in shown)

    def _past_is_well(self) -> bool:
        ratios = [
            ratio
            for queue in (PAST, TARGETED_PAST)
            for ratio in self._service_levels(queue, "rolling_30m")
        ]
        return min(ratios, default=0) > 0.9 and not self._is_breached(TARGETED_PAST)

    def _service_levels(self, queue: str, window: str) -> list[float]:
        labels = {"queue": queue, "window": window, "variant": "pos"}
        shown = self._site.shown(0, "cc_window_service_level_ratio", **labels)
        return [one.value for one in shown]

    def _page(self, alert: str, queue: str, moment: float, since: float) -> Page:
        told = self._told("firing", alert, since, queue=queue)
        rule = shipped.alert(alert)
        assert told.receiver == "operations-page"
        assert told.labels["severity"] == "critical"
        assert told.annotations["summary"] == rule["annotations"]["summary"]
        assert queue in told.annotations["description"]
        assert told.annotations["runbook_url"].endswith(f"/runbooks/{alert}.md")
        assert f"var-queue={queue}" in told.annotations["dashboard_url"]
        worst = shipped.seconds_to_page(alert)
        return Page(told, told.at - moment, worst / self._watched.factor, worst)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
