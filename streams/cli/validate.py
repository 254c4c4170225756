"""``contact-streams validate``: are the settings and the KPI definitions right?"""

from __future__ import annotations

import json
from collections.abc import Sequence

from streams.cli.parsing import PROG, Parser, add_json
from streams.cli.terminal import Talk
from streams.errors import SettingsError

SUMMARY = "Check the settings and the KPI definitions; tells all problems at once (exit code 1)."
EXAMPLES = ("contact-streams validate", "STREAMS_CONFIG=new.toml contact-streams validate --json")


def main(arguments: Sequence[str]) -> int:
    """Run the command; gives the exit code."""
    parser = Parser(prog=f"{PROG} validate", summary=SUMMARY, examples=EXAMPLES)
    add_json(parser)
    parser.add_argument("--show", action="store_true", help="print the settings in force as well")
    options = parser.parse_args(arguments)
    problems = [*_settings_problems(options.show), *_kpi_problems()]
    for problem in problems:
        print(json.dumps({"problem": problem}) if options.json else f"- {problem}")
    count = len(problems)
    Talk().say(f"{count} problem{'s' * (count > 1)}" if count else "settings and KPIs are right")
    return 1 if problems else 0


def _settings_problems(show: bool) -> Sequence[str]:
    from streams.settings import describe, load

    try:
        settings = load()
    except SettingsError as error:
        return error.problems
    if show:
        Talk().say(describe(settings))
    return ()


def _kpi_problems() -> Sequence[str]:
    from streams.kpis import ALL_KPIS, ALL_MEASURES, check

    return check(ALL_KPIS, ALL_MEASURES)
