"""``contact-streams worker``: process what comes in, until stopped."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from streams.cli.parsing import PROG, Parser

SUMMARY = "Process what comes in, until Ctrl-C or SIGTERM.  Start as many as there are partitions."
EXAMPLES = (
    "contact-streams worker",
    "STREAMS_KAFKA_BOOTSTRAP=kafka-1:9092,kafka-2:9092 contact-streams worker",
)


def main(arguments: Sequence[str]) -> int:
    """Run the command; gives the exit code."""
    parser = Parser(prog=f"{PROG} worker", summary=SUMMARY, examples=EXAMPLES)
    # For compute and demo: see streams.worker_process.
    parser.add_argument("--leash", action="store_true", help=argparse.SUPPRESS)
    return _leashed() if parser.parse_args(arguments).leash else _free()


def _free() -> int:
    from streams.settings import load

    settings = load()
    # Wrong settings are told before a second is spent on imports.
    from streams.runtime.app import run

    return run(settings)


def _leashed() -> int:
    # Imported before the settings are waited for: that is what the leash is for.
    from streams.runtime.app import run
    from streams.worker_process import on_leash

    return run(on_leash())
