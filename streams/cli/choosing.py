"""The options that choose results, shared by the commands that show some."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from streams.cli.parsing import Parser, UsageError, known
from streams.results import WINDOWS, Choice

_AGO = re.compile(r"(\d{1,6})([mhd])")
_MINUTES = {"m": 1, "h": 60, "d": 1440}


def add_choice(parser: Parser) -> None:
    """``--queue``, ``--window``, ``--since``."""
    parser.add_argument("--queue", default="", help="of this queue only")
    parser.add_argument("--window", default="", choices=WINDOWS, help="of this length only")
    parser.add_argument(
        "--since", default="", metavar="TIME",
        help="windows that began then or later: 2026-10-05, 2026-10-05T06:00Z, or 2h, 7d ago",
    )  # fmt: skip


def choice_of(kpis: list[str], options: Any) -> Choice:
    """What the options choose.  UsageError for a KPI nobody knows or a time that is none."""
    for name in kpis:
        check_kpi(name)
    return Choice(tuple(kpis), options.queue, options.window, time_of("--since", options.since))


def check_kpi(name: str) -> None:
    """UsageError, with the nearest there is, for a KPI that nobody knows."""
    from streams.kpis import ALL_KPIS

    known("KPI", name, (kpi.name for kpi in ALL_KPIS), "contact-streams kpi list")


def time_of(option: str, text: str, now: datetime | None = None) -> str:
    """ISO 8601 in UTC; a time without an offset is one in UTC.  "" for ""; UsageError, naming the
    option, for what is no time."""
    if not text:
        return ""
    ago = _AGO.fullmatch(text)
    if ago:
        minutes = int(ago[1]) * _MINUTES[ago[2]]
        time = (now or datetime.now(UTC)) - timedelta(minutes=minutes)
    else:
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            raise UsageError(
                f"{option} {text}: neither a time nor how long ago",
                "a time looks like 2026-10-05 or 2026-10-05T06:00Z, how long ago like 2h or 7d",
            ) from None
        time = time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
