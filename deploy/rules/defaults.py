"""Every number of the rules, in one place; docs/alerts.md has the same tables.

A queue's own target (docs/targets.md) takes the place of a limit here.  The numbers are where to
begin, not standards: there are none but 80/20, and that is a habit.

``python -m deploy.rules.defaults`` writes the tables in Markdown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

LIVE = "voice|video|chat"
"""Channels on which somebody waits in person (a regular expression): defaults that are about
waiting hold for these.  On others a queue needs a target: 20 s mean nothing for mail."""
ANY = ".+"


class Limit(NamedTuple):
    """Where a KPI has to be in queues without a target for it.

    ``select`` are matchers of the KPI's gauge that choose the rows judged.  ``value`` is in the
    unit of the KPI; at least that, or at most.
    """

    kpi: str
    metric: str
    select: str
    value: float
    at_least: bool
    channels: str
    meaning: str


LIMITS = {
    each.kpi: each
    for each in (
        Limit(
            "abandonment_ratio",
            "cc_window_abandonment_ratio",
            'window="rolling_30m", state="now"',
            0.1,
            False,
            LIVE,
            "abandoned of all visits that ended, last 30 minutes",
        ),
        Limit(
            "longest_wait",
            "cc_longest_wait_seconds",
            "",
            300,
            False,
            LIVE,
            "wait of the contact at the head of the queue, in seconds",
        ),
        Limit(
            "contacts_waiting_beyond_threshold",
            "cc_contacts_waiting_beyond_threshold",
            "",
            5,
            False,
            LIVE,
            "contacts that wait for longer than T",
        ),
        Limit(
            "service_level_first_response",
            "cc_window_service_level_first_response_ratio",
            'window="day", state="open"',
            0.8,
            True,
            ANY,
            "first responses in time, the day so far",
        ),
        Limit(
            "contacts_unanswered_beyond_threshold",
            "cc_contacts_unanswered_beyond_threshold",
            "",
            5,
            False,
            ANY,
            "contacts without a first response for longer than the threshold",
        ),
        Limit(
            "oldest_in_backlog",
            "cc_oldest_in_backlog_seconds",
            "",
            7 * 86_400,
            False,
            ANY,
            "age of the oldest unsolved ticket, in seconds",
        ),
    )
}
"""KPI -> its limit."""

OBJECTIVE = 0.8
OBJECTIVE_VARIANT = "pos"
"""What is asked of the service level in a queue on a live channel that has no target for any."""


class Burn(NamedTuple):
    """Service level burns while both windows miss more than ``share`` of their contacts, or more
    than ``factor_max`` times what the objective allows, whichever is less (docs/adr/0020).

    ``contacts`` are the fewest offered in the long and in the short window.
    """

    long: str
    short: str
    share: float
    factor_max: float
    contacts: tuple[int, int]


FACTOR_MIN = 1.2
"""Nothing burns that misses less than a fifth more than it may."""
BURNS = {
    "fast": Burn("rolling_60m", "rolling_5m", 0.5, 14.4, (20, 3)),
    "medium": Burn("day", "rolling_30m", 0.3, 6, (50, 10)),
    "slow": Burn("day", "rolling_60m", 0, FACTOR_MIN, (50, 10)),
}


class Number(NamedTuple):
    """Any other number of the rules."""

    value: float
    unit: str
    meaning: str


ABANDONMENT_CONTACTS = Number(20, "contacts", "offered in 30 minutes, for abandonment to be judged")
FIRST_RESPONSE_CONTACTS = Number(20, "contacts", "arrived today, for first response to be judged")
OCCUPANCY = Number(0.9, "ratio", "time with contacts of the time at work, last hour, all agents")
OCCUPANCY_AGENTS = Number(5, "agents", "there now, for occupancy to be judged")
DATA_AGE = Number(120, "seconds", "age of results from which on nothing they say is believed")
MARK_BEHIND = Number(60, "seconds", "time of one board partition behind the clock")
LAG = Number(10_000, "records", "written to a partition and not absorbed")
REJECTED_RATIO = Number(0.05, "ratio", "rejected of what a stage read in 10 minutes")
REJECTED_COUNT = Number(20, "events", "rejected in 10 minutes, for the ratio to be judged")
REBALANCES = Number(5, "rebalances", "of one worker in 30 minutes")
SCRAPE = Number(5, "seconds", "to answer a scrape")


def _numbers() -> Iterable[tuple[str, Number]]:
    return ((name, value) for name, value in globals().items() if isinstance(value, Number))


def markdown() -> str:
    """The tables of docs/alerts.md."""
    lines = ["| KPI | without a target | channels | is |", "|---|---|---|---|"]
    for limit in LIMITS.values():
        word = "at least" if limit.at_least else "at most"
        channels = "all" if limit.channels == ANY else limit.channels.replace("|", ", ")
        lines.append(f"| `{limit.kpi}` | {word} {limit.value:g} | {channels} | {limit.meaning} |")
    lines += [
        "",
        "| burn | windows | misses more than | or, if that is less, | contacts, at least |",
    ]
    lines += ["|---|---|---|---|---|"]
    for name, burn in BURNS.items():
        share = f"{burn.share:.0%} of contacts" if burn.share else "-"
        lines.append(
            f"| {name} | `{burn.long}` and `{burn.short}` | {share} | {burn.factor_max:g} times "
            f"what the objective allows | {burn.contacts[0]} and {burn.contacts[1]} |"
        )
    lines += ["", "| number | value | is |", "|---|---|---|"]
    lines += [f"| {name} | {n.value:g} {n.unit} | {n.meaning} |" for name, n in _numbers()]
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown())
