"""``contact-streams doctor``: what is well, what is not, and what to do about it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from streams.cli.parsing import PROG, Parser, add_json, known
from streams.cli.terminal import Talk, is_coloured

if TYPE_CHECKING:
    from streams.doctor import Finding, Unmade

SUMMARY = """\
Check settings, broker, topics, work and workers; each check is ok, warn or fail, with what was
found and what to do next.  Nothing is written to Kafka.  docs/doctor.md explains each check."""
EXAMPLES = (
    "contact-streams doctor",
    "contact-streams doctor --metrics worker-1:9464 --metrics worker-2:9464",
    "contact-streams doctor --quick --json",
    "contact-streams doctor --only lag --only group",
)
EPILOG = """\
exit codes: 0 nothing failed (with --strict: nothing to warn of either), 1 a check failed,
2 wrong usage, 3 Kafka cannot be reached
"""
SECONDS, QUICK_SECONDS = 5.0, 2.0
"""Of waiting for an answer, unless told otherwise."""
COLOURS = {"ok": "\x1b[32m", "warn": "\x1b[33m", "fail": "\x1b[31m"}
PLAIN = "\x1b[0m"


def main(arguments: Sequence[str]) -> int:
    """Run the command; gives the exit code."""
    options = _parser().parse_args(arguments)
    from streams.doctor import Look, Unmade, chosen, examine

    _check_names([*options.only, *options.skip])
    checks = chosen(options.only, options.skip, options.quick)
    shown = _Json() if options.json else _Table()
    unmade, findings = Unmade(), []
    seconds = options.timeout or (QUICK_SECONDS if options.quick else SECONDS)
    with Look(options.metrics, seconds) as look:
        for finding in examine(checks, look, unmade):
            findings.append(finding)
            shown.show(finding)
    Talk().say(_conclusion(findings, unmade))
    return _code(findings, unmade, options.strict)


def _parser() -> Parser:
    parser = Parser(prog=f"{PROG} doctor", summary=SUMMARY, examples=EXAMPLES, epilog=EPILOG)
    parser.add_argument("--quick", action="store_true", help="settings, broker, topics, group only")
    for name, what in (("only", "make this check"), ("skip", "do not make this check")):
        parser.add_argument(
            f"--{name}",
            action="extend",
            type=_words,
            default=[],
            metavar="CHECK",
            help=f"{what}; again, or with commas, for more",
        )
    parser.add_argument(
        "--metrics",
        action="append",
        default=[],
        metavar="URL",
        help="a worker's /metrics; again for more (default: the one that the settings name)",
    )
    parser.add_argument("--strict", action="store_true", help="a warning is exit code 1, too")
    parser.add_argument(
        "--timeout",
        type=_seconds,
        metavar="SECONDS",
        help=f"how long to wait for each answer (default {SECONDS:g}, quick {QUICK_SECONDS:g})",
    )
    add_json(parser)
    return parser


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0.1 <= seconds <= 600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0.1 to 600")
    return seconds


def _check_names(names: Sequence[str]) -> None:
    from streams.doctor import NAMES

    for name in names:
        known("check", name, NAMES, f"{PROG} doctor --only, with one of: {', '.join(NAMES)}")


class _Json:
    """One object a line."""

    def show(self, finding: Finding) -> None:
        print(json.dumps(finding._asdict(), ensure_ascii=False), flush=True)


class _Table:
    """A line for each check under its subject, and one more for what to do.  Shown as they come."""

    def __init__(self) -> None:
        self._subject = ""
        self._colours = COLOURS if is_coloured(sys.stdout) else {}

    def show(self, finding: Finding) -> None:
        if finding.subject != self._subject:
            self._subject = finding.subject
            print(finding.subject)
        colour = self._colours.get(finding.status, "")
        status = f"{colour}{finding.status:4}{PLAIN if colour else ''}"
        print(f"  {status}  {finding.check:12}  {finding.found}")
        if finding.next:
            print(f"  {'':4}  {'':12}  Next: {finding.next}")
        sys.stdout.flush()


def _conclusion(findings: Sequence[Finding], unmade: Unmade) -> str:
    from streams.doctor import STATUSES

    counts = {status: sum(f.status == status for f in findings) for status in STATUSES}
    told = ", ".join(f"{count} {status}" for status, count in counts.items())
    for what, count in (("Kafka", unmade.kafka), ("right settings", unmade.settings)):
        if count:
            told += f"; {count} not made, for want of {what}"
    return told


def _code(findings: Sequence[Finding], unmade: Unmade, strict: bool) -> int:
    statuses = {finding.status for finding in findings}
    if unmade.kafka or any(f.check == "kafka" and f.status == "fail" for f in findings):
        return 3
    return 1 if "fail" in statuses or (strict and "warn" in statuses) else 0
