"""Cases of the alerts on KPIs that are particular to one of them."""

from __future__ import annotations

from collections.abc import Mapping

from tests.deploy.kpi_cases import MAIL, NEW, OLD, PLACE, row_of, window
from tests.deploy.pipeline_series import marks
from tests.deploy.promtool import (
    UNSCRAPED,
    Case,
    Check,
    Samples,
    Value,
    firing,
    line,
    never,
    throughout,
)

FAST, MEDIUM, SLOW = (f"CCQueueServiceLevelBurn{name}" for name in ("Fast", "Medium", "Slow"))
WAIT, ABANDONED = "CCQueueLongestWaitHigh", "CCQueueAbandonmentHigh"
SECONDS = 600


def rows(
    metric: str, labels: Mapping[str, str], *parts: tuple[Value, int], worker: str = "a"
) -> dict[str, Samples]:
    """A row with its revision; one value: for as long as anything here is looked at."""
    values = line(*parts)
    shown = tuple(None if value is None else float(OLD) for value in values)
    return row_of(metric, labels, values, shown, worker)


def _case(alert: str, of: str, *given: Mapping[str, Samples] | Check) -> Case:
    series: dict[str, Samples] = {}
    for each in given:
        if isinstance(each, Mapping):
            series |= each
    checks = tuple(each for each in given if isinstance(each, Check))
    return Case(f"{alert}/{of}", alert, "special", series, checks)


def level(
    values: Mapping[str, float], variant: str = "pos", place: Mapping[str, str] = PLACE
) -> dict[str, Samples]:
    """Service level by window, of 100 contacts each."""
    made: dict[str, Samples] = {}
    for name, value in values.items():
        labels = {**place, **window(name)}
        named = labels | {"variant": variant}
        made |= rows("cc_window_service_level_ratio", named, (value, SECONDS))
        made |= rows("cc_window_contacts_offered", labels, (100, SECONDS))
    return made


def target(
    kpi: str, *parts: tuple[Value, int], name: str = "T", place: Mapping[str, str] = PLACE
) -> dict[str, Samples]:
    """A target's limit, which is not breached."""
    labels = {"target": name, **place, "kpi": kpi, "window": "now"}
    limit = rows("cc_target", labels, *parts)
    return limit | rows("cc_target_breached", labels, *((0, s) for _, s in parts))


def _burns() -> tuple[Case, ...]:
    last = SECONDS - 15
    fast = {"rolling_60m": 0.7, "rolling_5m": 0.7}
    medium = {"day": 0.71, "rolling_30m": 0.5}
    bad = {"rolling_60m": 0.1, "rolling_5m": 0.1}
    strict = target("service_level_pos", (0.99, SECONDS))
    return (
        # 99 %: 14.4 times 1 % may not be missed, nor 6 times 1 %.
        _case(FAST, "99 %", level(fast), strict, firing(300)),
        _case(FAST, "99 %, above", level(fast | {"rolling_60m": 0.86}), strict, never(last)),
        _case(MEDIUM, "99 %", level(medium | {"day": 0.93}), strict, firing(300)),
        _case(MEDIUM, "99 %, above", level(medium | {"day": 0.95}), strict, never(last)),
        # 60 %: a fifth more than may be missed is what burns at all.
        _case(
            MEDIUM,
            "60 %, above",
            level({"day": 0.53, "rolling_30m": 0.53}),
            target("service_level_pos", (0.6, SECONDS)),
            never(last),
        ),
        # Both windows: what has got better is over, what has just begun may pass.
        _case(FAST, "better now", level(bad | {"rolling_5m": 0.9}), never(last)),
        _case(FAST, "just begun", level(bad | {"rolling_60m": 0.8}), never(last)),
        _case(
            MEDIUM,
            "yesterday",
            level({"rolling_30m": 0.1}),
            rows(
                "cc_window_service_level_ratio",
                {**PLACE, "window": "day", "state": "closed", "variant": "pos"},
                (0.1, SECONDS),
            ),
            rows(
                "cc_window_contacts_offered",
                {**PLACE, "window": "day", "state": "closed"},
                (900, SECONDS),
            ),
            never(last),
        ),
        # The variant that has a target is judged, and it alone.
        _case(
            FAST,
            "variant",
            level(bad) | level(bad, "neg"),
            target("service_level_neg", (0.8, SECONDS)),
            Check(300, 'count(FIRING and ALERTS{kpi="service_level_neg"})', 1),
        ),
        _case(
            FAST,
            "variant, well",
            level(bad) | level(dict.fromkeys(bad, 0.9), "neg"),
            target("service_level_neg", (0.8, SECONDS)),
            never(last),
        ),
        # Nobody has asked for 80 % within 20 s of mail.
        _case(FAST, "mail", level(bad, place=MAIL), never(last)),
        _case(
            FAST,
            "two queues",
            level(bad) | level(bad, place={**PLACE, "queue": "help"}),
            firing(300, 2),
        ),
    )


def _limits() -> tuple[Case, ...]:
    last = SECONDS - 15
    wait = "cc_longest_wait_seconds"
    lax = target("longest_wait", (900, SECONDS), name="lax")
    return (
        _case(WAIT, "target", rows(wait, PLACE, (700, SECONDS)), lax, never(last)),
        _case(
            WAIT,
            "the stricter of two targets",
            rows(wait, PLACE, (700, SECONDS)),
            lax,
            target("longest_wait", (600, SECONDS)),
            throughout(30, last),
        ),
        # The target comes back later than what it is for.
        _case(
            WAIT,
            "target away",
            rows(wait, PLACE, (700, SECONDS)),
            target("longest_wait", (900, 120), (None, 120), (900, SECONDS - 240)),
            never(last),
        ),
        _case(
            WAIT,
            "target of the channel",
            rows(wait, PLACE, (400, SECONDS)),
            target("longest_wait", (900, SECONDS), place={"queue": "", "channel": "voice"}),
            throughout(30, last),
            Check(300, "count({__name__=~'.+:limit', queue=''})", None),
        ),
        _case(WAIT, "mail", rows(wait, MAIL, (9000, SECONDS)), never(last)),
        _case(
            WAIT,
            "mail with a target",
            rows(wait, MAIL, (9000, SECONDS)),
            target("longest_wait", (8000, SECONDS), place=MAIL),
            throughout(30, last),
        ),
        _case(
            "CCQueueFirstResponseLow",
            "target",
            rows(
                "cc_window_service_level_first_response_ratio",
                MAIL | window("day"),
                (0.9, SECONDS),
            ),
            rows("cc_window_contacts_arrived", MAIL | window("day"), (50, SECONDS)),
            target("service_level_first_response", (0.95, SECONDS), place=MAIL),
            firing(330),
        ),
    )


def _breached(kpi: str, place: Mapping[str, str]) -> dict[str, Samples]:
    labels = {"target": "T", **place, "kpi": kpi, "window": "now"}
    limit = rows("cc_target", labels, (300, SECONDS))
    return limit | rows("cc_target_breached", labels, (1, SECONDS))


def _targets() -> tuple[Case, ...]:
    alert = "CCTargetBreached"
    return (
        # CCQueueLongestWaitHigh pages for it, sooner.
        _case(alert, "longest wait", _breached("longest_wait", PLACE), never(585)),
        _case(
            alert,
            "longest wait of a channel",
            _breached("longest_wait", {"queue": "", "channel": "voice"}),
            throughout(0, 585),
        ),
        _case(alert, "another level", _breached("contacts_waiting", PLACE), throughout(0, 585)),
    )


def _agents() -> tuple[Case, ...]:
    alert = "CCQueueNoAgentsReady"
    waiting = rows("cc_contacts_waiting", PLACE, (3, SECONDS))
    members = "cc_queue_agents"
    resting = rows(members, {"queue": "sales", "state": "not_ready"}, (2, SECONDS))
    talking = rows(members, {"queue": "sales", "state": "talking"}, (1, 120), (None, 480))
    fresh, old = marks((2, SECONDS)), marks((2, 120), (90, 480))
    return (
        _case(alert, "results are old", waiting, resting, talking, old, never(585)),
        _case(alert, "results are new", waiting, resting, talking, fresh, firing(420)),
        _case(alert, "nobody is a member", waiting, fresh, never(585)),
        _case(
            alert,
            "everybody is busy",
            waiting,
            resting,
            rows(members, {"queue": "sales", "state": "on_hold"}, (1, SECONDS)),
            never(585),
        ),
        _case(
            alert,
            "of another queue",
            waiting,
            resting,
            rows(members, {"queue": "help", "state": "idle"}, (5, SECONDS)),
            firing(420),
        ),
    )


def _pods() -> tuple[Case, ...]:
    """On Kubernetes a row that moves has another pod, too."""

    def at(pod: str, revision: int, *parts: tuple[Value, int]) -> dict[str, Samples]:
        values = line(*parts)
        labels = {**PLACE, "pod": pod, "container": "worker"}
        shown = tuple(None if value is None else float(revision) for value in values)
        return row_of("cc_longest_wait_seconds", labels, values, shown, f"{pod}:9464")

    moves = at("cs-0", OLD, (400, 135)) | at("cs-1", NEW, (None, 120), (400, 480))
    cut_off = at("cs-0", OLD, (400, SECONDS)) | at("cs-1", NEW, (100, SECONDS))
    return (
        _case(WAIT, "pods", moves, throughout(15, 585)),
        _case(WAIT, "pods, one was cut off", cut_off, never(585)),
    )


def _recorded() -> tuple[Case, ...]:
    """What is recorded while a row moves, and when nobody has it."""

    def at(worker: str, revision: int, *parts: tuple[Value, int]) -> dict[str, Samples]:
        values = line(*parts)
        present = {UNSCRAPED: UNSCRAPED, None: None}
        shown = tuple(present.get(value, float(revision)) for value in values)
        return row_of("cc_contacts_waiting", PLACE, values, shown, worker)

    def waiting(of: str, seconds: int, value: Value) -> Check:
        name = f"{WAIT}/{of}"
        recorded = f'queue_channel:cc_contacts_waiting:newest{{namespace="{name}"}}'
        return Check(seconds, f"sum({recorded})", value)

    moved, gone, died, alone = "recorded, moved", "recorded, gone", "recorded, died", "died alone"
    b = at("b", NEW, (None, 120), (5, 480))
    return (
        _case(
            WAIT,
            moved,
            at("a", OLD, (7, 135), (None, 465)),
            b,
            *(waiting(moved, t, v) for t, v in ((105, 7), (120, 5), (135, 5))),
        ),
        _case(
            WAIT,
            gone,
            at("a", OLD, (7, 120), (None, 480)),
            *(waiting(gone, t, v) for t, v in ((105, 7), (120, None))),
        ),
        # No scrape has failed yet: the last value stays, and loses against a newer owner's.
        _case(
            WAIT,
            died,
            at("a", OLD, (7, 120), (UNSCRAPED, 480)),
            b,
            *(waiting(died, t, v) for t, v in ((105, 7), (120, 5), (360, 5))),
        ),
        _case(
            WAIT,
            alone,
            at("a", OLD, (7, 120), (UNSCRAPED, 480)),
            *(waiting(alone, t, v) for t, v in ((390, 7), (420, None))),
        ),
    )


SPECIAL = (*_burns(), *_limits(), *_targets(), *_agents(), *_pods(), *_recorded())
