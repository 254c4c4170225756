"""Faults, one after another and together, and whether every number is right: what ``make chaos``
runs."""

from __future__ import annotations

import secrets
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from streams.cli.parsing import Parser, UsageError
from streams.errors import StreamsError
from tests.chaos.faults import loud
from tests.chaos.plan import KINDS
from tests.chaos.report import Reporter
from tests.chaos.run import Order, run

PROG = "python -m tests.chaos"
SUMMARY = """\
Starts brokers and workers, sends a steady load, breaks things for a while by a plan that follows
from a seed, heals everything, and compares all results with what they must be.  Exit code 1 if
anything differs, 2 for a wrong command line, 3 if the brokers cannot be started."""
EXAMPLES = (
    f"{PROG}                                  # ten minutes of everything",
    f"{PROG} --seed 7 --seconds 60            # what a run with seed 7 did, for a minute",
    f"{PROG} --faults sigstop,cut_network     # only these",
    f"{PROG} --brokers 3 --faults all         # replication 3, leaders and coordinators move",
    f"{PROG} --faults head_deleted            # must stop loudly, and say why",
    f"{PROG} --list",
)
SEEDS = 1_000_000


def main(arguments: Sequence[str]) -> int:
    """Run the command; gives the exit code."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        return _run(_parser().parse_args(arguments))
    except StreamsError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 3
    except KeyboardInterrupt:
        return 130


def _run(options: object) -> int:
    given = vars(options)
    if given["list"]:
        print(listed(), end="")
        return 0
    reporter = Reporter(sys.stdout, given["json"])
    names = tuple(given["faults"].split(","))
    unknown = [name for name in names if name not in {"all", "none", *KINDS, *loud.SCENARIOS}]
    if unknown:
        raise UsageError(f"there is no fault {unknown[0]}", "", f"{PROG} --list")
    if set(names) & set(loud.SCENARIOS):
        return _loud(names, reporter)
    return _chaos(given, names, reporter)


def _chaos(given: dict[str, object], names: tuple[str, ...], reporter: Reporter) -> int:
    found = {name: given[name] for name in ("seed", "seconds", "workers", "brokers", "rate")}
    order = Order(**found, faults=names, keep=given["keep"])  # type: ignore[arg-type]
    needs_more = [name for name in names if name in KINDS and KINDS[name].brokers > order.brokers]
    if needs_more:
        raise UsageError(f"{needs_more[0]} needs three brokers", "", "add --brokers 3")
    if order.keep is not None and order.keep.is_dir() and any(order.keep.iterdir()):
        raise UsageError(f"{order.keep} is not empty", "", "name a new folder")
    outcome = run(order, reporter)
    if outcome.complaints:
        print(outcome.tails, file=sys.stderr)
    return 1 if outcome.complaints else 0


def _loud(names: Sequence[str], reporter: Reporter) -> int:
    """Each scenario for itself; they are not mixed with anything."""
    complaints = []
    for name in names:
        reporter.step(name)
        complaints += loud.play(name, reporter.step)
    reporter.verdict(0, complaints, {"scenarios": len(names)})
    return 1 if complaints else 0


def _parser() -> Parser:
    parser = Parser(prog=PROG, summary=SUMMARY, examples=EXAMPLES)
    add = parser.add_argument
    add("--seed", type=int, default=secrets.randbelow(SEEDS), help="repeats a run's plan and load")
    add("--seconds", type=int, default=600, help="how long faults last (600)")
    add("--workers", type=int, default=2, help="that are there all the time (2)")
    add("--brokers", type=int, default=1, choices=(1, 3), help="1 or 3 (1)")
    add("--rate", type=int, default=500, help="records a second (500)")
    add("--faults", default="all", metavar="NAMES", help="all, none, or some of --list")
    add("--json", action="store_true", help="one JSON object a line")
    add("--keep", type=Path, metavar="FOLDER", help="leave logs and the brokers' data there")
    add("--list", action="store_true", help="tell the faults there are")
    return parser


def listed() -> str:
    """All faults and what each tries, a line each."""
    lines = [f"  {name:<17} {kind.tries}{_condition(name)}" for name, kind in KINDS.items()]
    alone = [f"  {name:<17} {scenario.tries}" for name, scenario in loud.SCENARIOS.items()]
    heading = "\nmust stop loudly, and need an operator; each for itself:"
    return "\n".join(["faults:", *lines, heading, *alone]) + "\n"


def _condition(name: str) -> str:
    kind = KINDS[name]
    if kind.brokers > 1:
        return " (--brokers 3)"
    return "" if kind.mixed else " (not in all)"


def _terminated(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
