"""``contact-streams compute``: every KPI of some log files, now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from streams.cli.choosing import add_choice, choice_of
from streams.cli.parsing import PROG, Parser, UsageError, add_json, did_you_mean
from streams.cli.terminal import Talk

if TYPE_CHECKING:
    from streams.compute import Outcome

SUMMARY = """\
Every KPI of some log files, computed by the same worker that processes live events, on a Kafka that
is started for it and removed again.  Prints a row for each day and queue; --json and --kpi give
everything else."""
EXAMPLES = (
    "contact-streams compute --source asterisk_queue_log /var/log/asterisk/queue_log",
    "contact-streams compute --source asterisk_queue_log queue_log.* --json > results.jsonl",
    "contact-streams compute --source asterisk_queue_log queue_log --kpi answer_speed_mean \\",
    "    --window hour --queue sales",
)


def main(arguments: Sequence[str]) -> int:
    """Run the command; gives the exit code."""
    options = _parser().parse_args(arguments)
    choice = choice_of(options.kpi, options)
    _check_source(options.source)
    for file in options.files:
        if not file.is_file():
            raise UsageError(f"{file} is no file", "", "check the path")
    talk = Talk(quiet=options.quiet)
    from streams.cli.kpi import show
    from streams.compute import Order, compute

    try:
        outcome = compute(Order(options.source, options.files, options.bootstrap), talk.progress)
    finally:
        talk.settle()
    show(choice.of(outcome.results), choice, options.json)
    talk.say(summary_of(outcome))
    return 0


def _parser() -> Parser:
    parser = Parser(prog=f"{PROG} compute", summary=SUMMARY, examples=EXAMPLES)
    parser.add_argument("--source", required=True, metavar="NAME", help="the platform")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="its log files")
    parser.add_argument("--kpi", nargs="+", default=[], metavar="KPI", help="these KPIs only")
    add_choice(parser)
    add_json(parser)
    parser.add_argument("--quiet", action="store_true", help="say nothing but results and errors")
    parser.add_argument(
        "--bootstrap", default="", metavar="HOST:PORT",
        help="a Kafka that is there (topics of this run only are made, and deleted afterwards)",
    )  # fmt: skip
    return parser


def _check_source(name: str) -> None:
    from streams.sources import SOURCES

    if name not in SOURCES:
        known = ", ".join(SOURCES)
        hint = did_you_mean(name, SOURCES)
        raise UsageError(f"there is no source {name}{hint}", f"there is {known}")


def summary_of(outcome: Outcome) -> str:
    """What was done, in a line, and what was refused, in others."""
    lines = [
        f"{outcome.lines:,} lines, {outcome.events:,} events, {len(outcome.results):,} results "
        f"in {outcome.seconds:.1f} s"
    ]
    total = sum(outcome.rejected.values())
    if total:
        lines.append(f"{total:,} lines were rejected and are in no result:")
        lines += [f"  {reason}: {number:,}" for reason, number in outcome.rejected.items()]
    return "\n".join(lines)
