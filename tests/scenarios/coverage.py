"""Which scenario covers which edge case of which family; COVERAGE.md is made from this.

A file says so itself, in a ``covers`` line.  What can be seen in a file is looked for, so that a
claim does not outlive what it was about.  ``python -m tests.scenarios.coverage`` writes the page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from streams.kpis import FAMILIES
from tests.scenarios.language import Scenario

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*.txt"))
PAGE = FOLDER / "COVERAGE.md"

EDGES = {
    "transfer": "passed on between queues, and back",
    "re-entry": "into the same queue again",
    "consult": "an agent asks another one first, and ids are swapped",
    "missing-start": "the beginning was never told",
    "missing-end": "the end was never told",
    "zero": "something took no time",
    "negative": "a time that cannot be",
    "midnight": "from one local day into the next",
    "clock-change": "in the night in which the clocks change",
    "reopened": "solved and not solved after all, or back in a place that was given up",
    "changed-rating": "the customer says something else later",
    "late": "told out of order",
    "repeated": "told twice",
    "clock-skew": "clocks that differ, or are wrong",
}
_ALWAYS = "midnight late repeated clock-skew"
_LOST = "missing-start missing-end"
_CALLS = f"transfer re-entry {_LOST} clock-change {_ALWAYS}"
_DURATIONS = f"consult zero negative {_CALLS}"
APPLIES = {
    family: frozenset(edges.split())
    for family, edges in {
        "abandonment": f"reopened {_DURATIONS}",
        "adherence": f"{_LOST} zero clock-change {_ALWAYS}",
        "agents": f"transfer consult {_LOST} zero negative clock-change {_ALWAYS}",
        "backlog": f"transfer {_LOST} reopened {_ALWAYS}",
        "customers": f"consult reopened {_CALLS}",
        "escalation": f"transfer {_LOST} reopened clock-change {_ALWAYS}",
        "fcr": f"consult reopened changed-rating {_CALLS}",
        "first-response": f"transfer {_LOST} zero negative reopened clock-change {_ALWAYS}",
        "handle-time": _DURATIONS,
        "occupancy": f"{_LOST} zero negative clock-change {_ALWAYS}",
        "outcomes": f"consult reopened {_CALLS}",
        "resolution": f"transfer {_LOST} zero negative reopened clock-change {_ALWAYS}",
        "satisfaction": f"transfer {_LOST} reopened changed-rating clock-change {_ALWAYS}",
        "self-service": f"{_LOST} reopened changed-rating clock-change {_ALWAYS}",
        "service-level": f"reopened {_DURATIONS}",
        "speed": f"reopened {_DURATIONS}",
        "stages": f"zero negative reopened {_CALLS}",
        "transfers": f"consult {_CALLS}",
        "volume": f"consult reopened {_CALLS}",
        "waiting": f"transfer re-entry missing-end reopened {_ALWAYS}",
    }.items()
}
"""The edge cases that can make a family wrong.  What is now has no interval to be put into wrongly,
so no clock changes it; who was counted takes no time; who called gave no rating."""


class Seen(NamedTuple):
    """One thing that happens in a file.  ``who`` is the contact or the agent, ``queue`` the queue
    it is put into (of an agent: the contact), ``what`` the type of the event."""

    who: str
    what: str
    queue: str | None
    time_ms: int
    id: object
    said: Any


def seen(scenario: Scenario) -> list[Seen]:
    found = []
    for kind, value in scenario.steps:
        if kind == "line":
            clock, call, queue, _, verb = value.decode().split("|")[:5]
            into = queue if verb == "ENTERQUEUE" else None
            found.append(Seen(call, verb, into, round(float(clock) * 1000), value, None))
        elif kind == "event":
            what = value.__struct_config__.tag
            who = getattr(value, "contact", None) or value.agent
            into = getattr(value, "queue", None)
            if what.startswith("agent."):
                who, into = value.agent, None
            elif what not in ("contact.queued", "contact.assigned"):
                into = None
            said = value.id, getattr(value, "version", 0)
            found.append(Seen(who, what, into, value.time, said, value))
    return found


def by_who(scenario: Scenario) -> list[list[Seen]]:
    """What happens to each contact and agent, in the order of the file."""
    rows: dict[str, list[Seen]] = defaultdict(list)
    for row in seen(scenario):
        rows[row.who].append(row)
    return list(rows.values())


def _queues(rows: list[Seen]) -> list[str]:
    return [row.queue for row in sorted(rows, key=_when) if row.queue is not None]


def _when(row: Seen) -> int:
    return row.time_ms


def _passed_on_and_back(scenario: Scenario) -> bool:
    """A contact comes back to a queue from another one; or an agent to a contact that another
    agent had."""
    calls = [_queues(rows) for rows in by_who(scenario)]
    talks: dict[str, list[str]] = defaultdict(list)
    for row in sorted(seen(scenario), key=_when):
        if row.what == "agent.talking":
            talks[row.said.contact].append(row.who)
    return any(_comes_back(names) for names in (*calls, *talks.values()))


def _comes_back(names: list[str]) -> bool:
    return any(
        name in names[: number - 1] and names[number - 1] != name
        for number, name in enumerate(names)
    )


def _again_into_the_same(scenario: Scenario) -> bool:
    return any(
        len(names) > len(set(names)) for names in (_queues(rows) for rows in by_who(scenario))
    )


def _consulted(scenario: Scenario) -> bool:
    return any(
        row.what == "ATTENDEDTRANSFER" or getattr(row.said, "kind", "") == "attended"
        for row in seen(scenario)
    )


def _days(scenario: Scenario) -> bool:
    zone = ZoneInfo(scenario.zone)

    def day(time_ms: int) -> object:
        return datetime.fromtimestamp(time_ms / 1000, zone).date()

    later = [value for kind, value in scenario.steps if kind == "tick" and scenario.open]
    return any(
        len({day(time_ms) for time_ms in (*later, *(row.time_ms for row in rows))}) > 1
        for rows in by_who(scenario)
    )


def _clocks_change(scenario: Scenario) -> bool:
    zone, times = ZoneInfo(scenario.zone), [row.time_ms for row in seen(scenario)]
    around = (min(times) - 3_600_000, max(times) + 3_600_000)
    offsets = {datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).utcoffset() for at in around}
    return len(offsets) > 1


def _reopened(scenario: Scenario) -> bool:
    for rows in by_who(scenario):
        statuses = [
            row.said.status
            for row in sorted(rows, key=_when)
            if row.what == "contact.status_changed"
        ]
        if any(a in _DONE and b not in _DONE for a, b in pairwise(statuses)):
            return True
    return any(row.what == "contact.queue_resumed" for row in seen(scenario))


_DONE = ("solved", "closed")


def _said_otherwise(scenario: Scenario) -> bool:
    words = ("contact.rated", "contact.resolution_claimed")
    return any(sum(row.what in words for row in rows) > 1 for rows in by_who(scenario))


def _out_of_order(scenario: Scenario) -> bool:
    """Told after something later of the same contact or agent, or when time had gone on."""
    latest: dict[str, int] = {}
    ticked_ms = 0
    rows = iter(seen(scenario))
    for kind, value in scenario.steps:
        if kind == "tick":
            ticked_ms = value
            continue
        row = next(rows)
        if row.time_ms < max(ticked_ms, latest.get(row.who, 0)):
            return True
        latest[row.who] = row.time_ms
    return False


def _twice(scenario: Scenario) -> bool:
    ids = [(row.who, row.id) for row in seen(scenario)]
    return len(ids) > len(set(ids))


PROOFS: dict[str, Callable[[Scenario], bool]] = {
    "transfer": _passed_on_and_back,
    "re-entry": _again_into_the_same,
    "consult": _consulted,
    "midnight": _days,
    "clock-change": _clocks_change,
    "reopened": _reopened,
    "changed-rating": _said_otherwise,
    "late": _out_of_order,
    "repeated": _twice,
}
"""What can be seen of an edge case in a file that claims it."""


def families_of(path: Path) -> tuple[str, ...]:
    """The family a file is named after; none if it is named after an edge case."""
    name = path.stem.replace("_", "-")
    return tuple(sorted((f for f in FAMILIES if name.startswith(f)), key=len)[-1:])


def claims(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """(Family, edge case) of each claim of a file."""
    for edges, families in scenario.covers:
        for family in families or families_of(scenario.path):
            for edge in edges:
                yield family, edge


def covered() -> dict[tuple[str, str], list[str]]:
    """(Family, edge case) -> the files."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in FILES:
        for claim in claims(Scenario(path)):
            found[claim].append(path.name)
    return found


def page() -> str:
    """COVERAGE.md."""
    files = covered()
    out = [
        "# Edge cases of each family",
        "",
        "<!-- Made by `python -m tests.scenarios.coverage`; do not edit. -->",
        "",
        "Which file shows what becomes of it. A dash: it cannot make the family wrong.",
        "",
    ]
    for edge, meaning in EDGES.items():
        out += [f"## {edge}", "", f"{meaning[0].upper()}{meaning[1:]}.", "", "| family | files |"]
        out.append("|---|---|")
        for family in sorted(FAMILIES):
            names = files.get((family, edge), [])
            links = ", ".join(f"[{name[:-4]}]({name})" for name in names)
            out.append(f"| {family} | {links or '-'} |")
        out.append("")
    return "\n".join(out)


if __name__ == "__main__":
    PAGE.write_text(page())
