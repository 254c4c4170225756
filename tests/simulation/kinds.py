"""The kinds of scenarios that are searched: where the trouble is, and of which sort."""

from __future__ import annotations

from tests.simulation.script import Step
from tests.simulation.search import Kind, Scenario
from tests.simulation.world import Plan

ONE = Plan({"contacts": 1, "board": 1}, 3)
TWO_BOARDS = Plan({"contacts": 1, "board": 2}, 3)
FROM_RAW = Plan({"ingest": 1, "contacts": 1, "board": 1}, 3)
TWO_SOURCES = Plan({"ingest": 1, "contacts": 2, "board": 1}, 4)
CUSTOMERS = Plan({"ingest": 1, "contacts": 1, "customers": 1, "board": 1}, 3)
AGENTS = Plan({"staff": 1, "board": 1}, 3)
EVERYTHING = Plan({"ingest": 2, "contacts": 2, "staff": 1, "customers": 2, "board": 2}, 5)

CALLS = "qaeqaehr"
CALLS_AND_TICKS = "qaehtttt"
MINUTES = (0, 1, 5, 30, 60, 110)
"""Gaps in which contacts fall silent."""
LONG = (0, 1, 1, 10, 150, 420)
"""Gaps in which they are forgotten."""
_GO_ON = ("begin", "run", "flush", "run", "flush")
ZOMBIE = ("run", "write", "take", *_GO_ON, "zflush", "compact", "crash")
"""Another owner takes over and goes on; then the old one's write arrives; then all is read anew."""
LATE_SEAL = ("run", "run", "write", "run", "run", "write", "write", "write", "crash")
"""A seal is being written while the next segment is worked on."""


def contacts(*troubles: str, events: str = CALLS, plot: tuple[str, ...] = ()) -> Kind:
    return Kind((ONE, TWO_BOARDS), events, troubles, ("contacts",), plot=plot)


HANDOVERS = contacts("crash", "fail", "take")
ZOMBIES = contacts("take", "crash", "compact", plot=ZOMBIE)
ZOMBIES_UNCLEANED = contacts("take", "crash", plot=ZOMBIE)
RETURNS = contacts("take", "back", "crash", plot=("run", "flush", "take", *_GO_ON, "back", *_GO_ON))
FAILURES = contacts("fail", "crash", plot=("run", "write", "fail", "run", "flush", "run", "flush"))
REPEATED_READS = contacts("again", "crash")
SKIPPED_READS = contacts("skip", "crash")
SILENCE = contacts("crash", "take", events=CALLS_AND_TICKS)._replace(gaps=MINUTES, events_max=18)
FORGETTING = contacts("crash", "take", events=CALLS_AND_TICKS)._replace(gaps=LONG, events_max=20)
STAYS = contacts("stay", "crash", plot=("run", "flush", "stay", "again", *_GO_ON, "write", "stay"))
LETTERS = Kind(
    (FROM_RAW, ONE), "qaepp", ("crash", "take", "fail"), ("ingest", "contacts"),
    plot=("run", "write", "write", "write", "crash"),
)  # fmt: skip
LATE_LETTER = ("run", "write", "write", "take", *_GO_ON, "zwrite", "zflush", "crash")
"""Another owner takes over while a letter is on its way."""
DUPLICATES = Kind((FROM_RAW,), CALLS, ("crash", "take"), ("ingest", "contacts"))
BOARD = Kind(
    (ONE, TWO_BOARDS), CALLS, ("crash", "take"), ("board",),
    plot=("run", "write", "write", "write", "crash"),
)  # fmt: skip
STAFF = Kind(
    (Plan({"staff": 1, "board": 1}, 2),),
    "okf",
    ("crash", "take"),
    ("staff",),
    gaps=(5, 70),
    events_max=18,
    plot=LATE_SEAL,
)

_ALL_TROUBLES = (
    "stay", "fail", "told", "again", "skip", "take", "back", "crash", "compact", "hole",
)  # fmt: skip
ANYTHING = {
    "calls": Kind(
        (TWO_BOARDS, TWO_SOURCES), "qaeqaehrmdxp", _ALL_TROUBLES, ("contacts", "board", "ingest")
    ),
    "time": Kind(
        (TWO_BOARDS, TWO_SOURCES), "qaeqaehrmdxtttR", _ALL_TROUBLES, ("contacts", "board"),
        gaps=(0, 1, 5, 30, 110, 420), events_max=24, plot=LATE_SEAL,
    ),
    "customers": Kind(
        (CUSTOMERS,), "qaeqQaehrmdx", _ALL_TROUBLES, ("customers", "contacts"), events_max=24
    ),
    "agents": Kind(
        (AGENTS,), "iokfKFgwnyttdp", _ALL_TROUBLES, ("staff",), gaps=(0, 1, 5, 30, 110, 420),
        events_max=24,
    ),
    "everything": Kind(
        (EVERYTHING,), "qaeqaehrmdxtRiokfKFgwnyp", _ALL_TROUBLES,
        ("ingest", "contacts", "staff", "customers", "board"), gaps=(0, 1, 5, 30, 110, 420),
        events_max=30,
    ),
}  # fmt: skip
"""What the unbroken system is tried with."""


def dies_after(requests: int) -> Scenario:
    """A contact ends and is past its horizon in one segment; the worker dies while it writes that
    segment's seal, when so many of its requests have arrived."""
    steps: tuple[Step, ...] = (
        ("q", 0, 0, 0), ("m", 1, 0, 1), ("m", 1, 0, 1),
        ("e", 0, 0, 10), ("t", 0, 0, 420), ("m", 1, 0, 1),
    )  # fmt: skip
    first = (("feed", 0, 0, 9), ("begin", 0, 0, 0), ("run", 0, 0, 2), ("flush", 0, 0, 0))
    second = (("run", 0, 0, 2), *[("write", 0, 0, 0)] * (1 + requests), ("crash", 0, 0, 0))
    return Scenario(ONE, steps, (*first, *second), True)
