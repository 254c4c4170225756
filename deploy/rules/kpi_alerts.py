"""Alerts on KPIs: what floor management is called for.

*Paged within a minute*: a value is scraped at most 15 s after it is there, the rules run at most
15 s after that, and once more 15 s later because a page wants two evaluations (``PAGED``);
Alertmanager waits 10 s for others of the same queue (``group_wait``).  55 s at worst, 40 s where
the board has judged already (CCTargetBreached); 10 s less where workers are scraped each 5 s.

*Not paged by our own restarts*: rows that nobody owns are absent, and absent rows fire nothing.
What fires goes on for ``keeps`` while they are away, and limits are remembered (``limits``).
"""

from __future__ import annotations

from deploy.names import DATA_AGE_SECONDS, recorded
from deploy.rules.defaults import (
    ABANDONMENT_CONTACTS,
    BURNS,
    FIRST_RESPONSE_CONTACTS,
    LIMITS,
    LIVE,
    MARK_BEHIND,
    OCCUPANCY,
    OCCUPANCY_AGENTS,
    Number,
)
from deploy.rules.limits import SERVICE_LEVEL, floor_of, judged, limit_of
from deploy.rules.newest import SITE
from deploy.rules.rule import Alert, Severity

PAGED = "15s"
KEEPS = "5m"
"""Longer than a rebalance or a restart takes."""
PLACE = ("queue", "channel")
QUEUE = "Queue {{ $labels.queue }} ({{ $labels.channel }})"
STATES = {"day": "open"}
WORDS = {
    "rolling_5m": "the last five minutes",
    "rolling_30m": "the last half hour",
    "rolling_60m": "the last hour",
    "day": "today so far",
}
SAME_AS_TARGET = 'kpi="longest_wait", queue!=""'
"""Targets that CCQueueLongestWaitHigh looks after, sooner than the board judges them."""


def alerts() -> tuple[Alert, ...]:
    """All of them."""
    return (*_burns(), *_targets(), *_waiting(), *_written(), *_agents())


# -- service level


def _burns() -> tuple[Alert, ...]:
    return (
        _burn("fast", "critical", PAGED, "Service level is collapsing."),
        _burn("medium", "critical", PAGED, "Service level of the day is being lost."),
        _burn("slow", "warning", "5m", "Service level of the day is below what is asked."),
    )


def _burn(name: str, severity: Severity, lasts: str, summary: str) -> Alert:
    burn, floor = BURNS[name], floor_of(name)
    windows = (burn.long, burn.short)
    below = [f"{_rows(SERVICE_LEVEL, w)} < ignoring (window, state) {floor}" for w in windows]
    enough = [
        f"{_rows('cc_window_contacts_offered', window)} >= {least}"
        for window, least in zip(windows, burn.contacts, strict=True)
    ]
    return Alert(
        f"CCQueueServiceLevelBurn{name.capitalize()}",
        severity,
        "operations",
        "\nand ignoring (window, state)\n  ".join(below)
        + "".join(f"\nand ignoring (window, state, variant)\n  {each}" for each in enough),
        summary,
        f"""{QUEUE}: only {{{{ $value | humanizePercentage }}}} of the contacts of
        {WORDS[burn.long]} were answered in time (variant {{{{ $labels.variant }}}}), and
        {WORDS[burn.short]} is no better. The objective of this queue cannot bear that.""",
        "cc-queue",
        PLACE,
        lasts,
        KEEPS,
        {"kpi": "service_level_{{ $labels.variant }}"},
    )


def _rows(metric: str, window: str) -> str:
    return f'{recorded(metric)}{{window="{window}", state="{STATES.get(window, "now")}"}}'


# -- targets


def _targets() -> tuple[Alert, ...]:
    which = "{{ $labels.kpi }} ({{ $labels.window }})"
    # That of a whole channel has no queue.
    whose = "{{ with $labels.queue }}queue {{ . }}, {{ end }}channel {{ $labels.channel }}"
    target, breached = recorded("cc_target"), recorded("cc_target_breached")
    return (
        Alert(
            "CCTargetBreached",
            "critical",
            "operations",
            f"{target}\nand\n  {breached} == 1\nunless\n  {breached}{{{SAME_AS_TARGET}}}",
            "A target is breached.",
            f"""Target "{{{{ $labels.target }}}}": {which} of {whose} is beyond
            {{{{ printf "%.4g" $value }}}}, the limit in force.""",
            "cc-queue",
            PLACE,
            "",
            KEEPS,
        ),
        Alert(
            "CCTargetWarning",
            "info",
            "operations",
            f"{target}\nand\n  {recorded('cc_target_warning')} == 1",
            "A target is close to being breached.",
            f"""Target "{{{{ $labels.target }}}}": {which} of {whose} is beyond its warning, and not
            yet beyond {{{{ printf "%.4g" $value }}}}, the limit in force.""",
            "cc-queue",
            PLACE,
            "1m",
            KEEPS,
        ),
    )


# -- waiting


def _waiting() -> tuple[Alert, ...]:
    return (
        _beyond(
            "CCQueueAbandonmentHigh",
            "abandonment_ratio",
            "warning",
            "Too many customers give up while they wait.",
            f"""{QUEUE}: {{{{ $value | humanizePercentage }}}} of the contacts of the last half hour
            were abandoned, more than this queue allows.""",
            "cc-history",
            "1m",
            _enough("cc_window_contacts_offered", "rolling_30m", ABANDONMENT_CONTACTS),
        ),
        _beyond(
            "CCQueueLongestWaitHigh",
            "longest_wait",
            "critical",
            "Somebody has been waiting for too long.",
            f"""{QUEUE}: the contact at the head of the queue has waited for
            {{{{ $value | humanizeDuration }}}}, longer than this queue allows.""",
            "cc-queue",
            PAGED,
        ),
        _beyond(
            "CCQueueWaitingBeyondThreshold",
            "contacts_waiting_beyond_threshold",
            "warning",
            "Several contacts wait beyond the service level's threshold.",
            f"""{QUEUE}: {{{{ $value }}}} contacts have waited for longer than the threshold; the
            service level can only lose by them.""",
            "cc-queue",
            "5m",
        ),
    )


def _beyond(
    name: str,
    kpi: str,
    severity: Severity,
    summary: str,
    description: str,
    dashboard: str,
    lasts: str,
    enough: str = "",
) -> Alert:
    """A KPI on the wrong side of the queue's limit."""
    rows, sign = judged(kpi), "<" if LIMITS[kpi].at_least else ">"
    matching = " ignoring (window, state)" if "window=" in rows else ""
    expression = f"{rows} {sign}{matching} {limit_of(kpi)}{enough}"
    place = (summary, description, dashboard, PLACE, lasts, KEEPS, {"kpi": kpi})
    return Alert(name, severity, "operations", expression, *place)


def _enough(metric: str, window: str, least: Number) -> str:
    return f"\nand ignoring (window, state)\n  {_rows(metric, window)} >= {least.value:g}"


# -- written channels


def _written() -> tuple[Alert, ...]:
    return (
        _beyond(
            "CCQueueFirstResponseLow",
            "service_level_first_response",
            "warning",
            "First responses come too late.",
            f"""{QUEUE}: {{{{ $value | humanizePercentage }}}} of today's first responses were in
            time, fewer than this queue has to reach.""",
            "cc-written",
            "5m",
            _enough("cc_window_contacts_arrived", "day", FIRST_RESPONSE_CONTACTS),
        ),
        _beyond(
            "CCQueueUnansweredBeyondThreshold",
            "contacts_unanswered_beyond_threshold",
            "warning",
            "Several contacts have had no first response in time.",
            f"""{QUEUE}: {{{{ $value }}}} contacts wait for a first response for longer than the
            threshold, in opening hours.""",
            "cc-written",
            "5m",
        ),
        _beyond(
            "CCQueueBacklogOld",
            "oldest_in_backlog",
            "warning",
            "A ticket has been unsolved for too long.",
            f"""{QUEUE}: the oldest ticket that is not solved was created
            {{{{ $value | humanizeDuration }}}} ago, longer than this queue allows.""",
            "cc-written",
            "15m",
        ),
    )


# -- agents


def _agents() -> tuple[Alert, ...]:
    """Rows of one queue's states are in several partitions, and while one moves the ready ones may
    be away alone: who was ready lately counts, and nothing is said while results are old."""
    members, everybody = recorded("cc_queue_agents"), recorded("cc_agents")
    waiting = f'{recorded("cc_contacts_waiting")}{{channel=~"{LIVE}"}}'
    occupancy = _rows("cc_window_occupancy_ratio", "rolling_60m")
    occupancy = occupancy.replace("{", '{variant="ring_excluded", ')
    return (
        Alert(
            "CCQueueNoAgentsReady",
            "critical",
            "operations",
            f"""
            {waiting} > 0
            and ignoring (channel)
              sum without (state) ({members}) > 0
            unless ignoring (channel)
              sum without (state) (max_over_time({members}{{state!="not_ready"}}[2m])) > 0
            unless on ({SITE})
              {DATA_AGE_SECONDS} > {MARK_BEHIND.value:g}
            """,
            "Contacts wait and no agent is ready.",
            f"""{QUEUE}: {{{{ $value }}}} contacts wait, agents are logged in, and every one of them
            has been not ready for two minutes or more.""",
            "cc-queue",
            PLACE,
            "1m",
            KEEPS,
        ),
        Alert(
            "CCOccupancyHigh",
            "warning",
            "operations",
            f"""
            {occupancy} > {OCCUPANCY.value:g}
            and on ({SITE})
              sum without (state) ({everybody}) >= {OCCUPANCY_AGENTS.value:g}
            """,
            "Agents hardly have a pause between contacts.",
            """Over all agents, {{ $value | humanizePercentage }} of the time at work in the last
            hour was spent on contacts. People cannot keep that up for long.""",
            "cc-agents",
            (),
            "15m",
            KEEPS,
        ),
    )
