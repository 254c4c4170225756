"""``contact-streams``: results on standard output, talk on standard error.

Exit codes: 0 all is well, 1 a check failed or what was started could not go on, 2 the command line
or the settings are wrong, 3 Kafka cannot be reached, 130 Ctrl-C, 143 SIGTERM.

This module imports next to nothing, and a command's module is imported when it is called: help and
version answer at once.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from types import FrameType
from typing import NoReturn

from streams import __version__

COMMANDS = {
    "demo": "see it work: a real Kafka, one real day, live numbers",
    "compute": "every KPI of some log files, now",
    "worker": "process what comes in, until stopped",
    "bridge": "bring a platform's log file to Kafka",
    "simulate": "a contact centre that exists only in a seed",
    "kpi": "read results: kpi get, kpi watch, kpi explain",
    "targets": "which targets are breached: targets list, targets watch",
    "dlq": "dead letters: dlq list, dlq show, dlq replay",
    "replay": "compute everything again, beside what is in force",
    "topics": "create and check the topics: plan, apply, check",
    "broker": "a Kafka for this machine: start, stop, status",
    "doctor": "is everything well: settings, broker, topics, work, workers",
    "validate": "check the settings and the KPI definitions",
}
"""Command -> what it does in a line; ``streams.cli.<command>`` has its ``main(arguments)``."""

EXAMPLES = (
    "contact-streams demo",
    "contact-streams compute --source asterisk_queue_log /var/log/asterisk/queue_log",
    "contact-streams kpi get contacts_offered service_level_pos --window day",
)
SETTINGS_LINES = """\
settings: STREAMS_* in the environment, and the file that STREAMS_CONFIG names (TOML)
exit codes: 0 fine, 1 a check failed, 2 wrong usage or settings, 3 Kafka unreachable
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        code = _run(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing more can be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _run(words: list[str]) -> int:
    from streams.errors import StreamsError

    try:
        return _dispatch(words)
    except StreamsError as error:
        print(f"contact-streams: {error}", file=sys.stderr)
        return _code_of(error)


def _dispatch(words: list[str]) -> int:
    name = words[0] if words else ""
    if name in COMMANDS:
        return int(import_module(f"streams.cli.{name}").main(words[1:]))
    if name in ("-V", "--version", "version"):
        print(f"contact-streams {__version__}")
    elif name in ("", "-h", "--help", "help"):
        print(_help(), end="")
    else:
        raise _unknown(name)
    return 0


def _help() -> str:
    examples = "".join(f"  {example}\n" for example in EXAMPLES)
    commands = "".join(f"  {name:9} {summary}\n" for name, summary in COMMANDS.items())
    return (
        "Exact contact-centre KPIs from event streams on Apache Kafka.\n\n"
        f"examples:\n{examples}\n"
        "usage: contact-streams COMMAND [--help] ...\n\n"
        f"commands:\n{commands}\n"
        f"{SETTINGS_LINES}"
    )


def _unknown(name: str) -> Exception:
    from streams.cli.parsing import UsageError, did_you_mean

    hint = did_you_mean(name, COMMANDS)
    return UsageError(f"there is no command {name}{hint}", "", "contact-streams --help")


def _code_of(error: Exception) -> int:
    from streams import errors
    from streams.cli.parsing import UsageError

    if isinstance(error, UsageError | errors.SettingsError):
        return 2
    return 3 if isinstance(error, errors.BrokerError) else 1
