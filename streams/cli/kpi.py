"""``contact-streams kpi``: read results."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from streams.cli import explain, profile
from streams.cli.choosing import add_choice, choice_of
from streams.cli.parsing import PROG, Actions, Parser, add_json, known
from streams.cli.tables import day_table, result_table, text_table
from streams.cli.terminal import Talk, redraw
from streams.results import Choice, Result

SUMMARY = "Read results from the KPI topics: the latest revision of each."
EXAMPLES = (
    "contact-streams kpi get --window day",
    "contact-streams kpi get service_level_pos --queue sales --since 2h --json",
    "contact-streams kpi watch contacts_waiting longest_wait",
    "contact-streams kpi list --family speed",
    "contact-streams kpi show service_level_neg",
    "contact-streams kpi explain contacts_abandoned queue=sales 2026-10-05",
    "contact-streams kpi profile abandonment_ratio --queue sales",
)


def main(arguments: Sequence[str]) -> int:
    """Run the command; gives the exit code."""
    options = _parser().parse_args(arguments)
    if options.action == "list":
        return _list(options.family, options.json)
    if options.action == "show":
        return _define(options.kpi, options.json)
    if options.action == "explain":
        return explain.main(options)
    if options.action == "profile":
        return profile.main(options)
    choice = choice_of(options.kpis, options)
    return _watch(choice, options.json) if options.action == "watch" else _get(choice, options.json)


def _parser() -> Parser:
    parser = Parser(prog=f"{PROG} kpi", summary=SUMMARY, examples=EXAMPLES)
    actions = Actions(parser)
    for name, summary in (("get", "what stands there now"), ("watch", "and what comes, for ever")):
        action = actions.add(name, summary, [e for e in EXAMPLES if f"kpi {name}" in e])
        action.add_argument("kpis", nargs="*", metavar="KPI", help="all, if none is named")
        add_choice(action)
        add_json(action)
    listing = actions.add("list", "every KPI there is, with its meaning", [EXAMPLES[3]])
    listing.add_argument("--family", metavar="NAME", help="only the KPIs of this family")
    add_json(listing)
    showing = actions.add("show", "one definition: formula, cuts, windows, names", [EXAMPLES[4]])
    showing.add_argument("kpi", metavar="KPI")
    add_json(showing)
    explain.add_explain(actions)
    profile.add_profile(actions)
    return parser


def _list(family: str | None, as_json: bool) -> int:
    import json

    from streams.kpis import ALL_KPIS, FAMILIES

    if family is not None:
        known("family", family, FAMILIES, "contact-streams kpi list")
    kpis = ALL_KPIS if family is None else FAMILIES[family]
    if as_json:
        for kpi in kpis:
            told = {"kpi": kpi.name, "family": kpi.family, "unit": kpi.unit, "help": kpi.help}
            print(json.dumps(told, ensure_ascii=False))
    else:
        rows = [[kpi.name, kpi.family, kpi.unit, kpi.help] for kpi in kpis]
        print(text_table(["kpi", "family", "unit", "meaning"], rows, left=4), end="")
    return 0


def _define(name: str, as_json: bool) -> int:
    import json

    from streams.definitions import described, plain
    from streams.kpis import ALL_KPIS

    kpis = {kpi.name: kpi for kpi in ALL_KPIS}
    known("KPI", name, kpis, "contact-streams kpi list")
    if as_json:
        print(json.dumps(plain(kpis[name]), ensure_ascii=False))
    else:
        print(described(kpis[name]), end="")
    return 0


def _get(choice: Choice, as_json: bool) -> int:
    from streams.deployment import Deployment
    from streams.results import read_latest
    from streams.settings import load

    latest = read_latest(Deployment.of(load()), choice.kpis)
    shown = show(choice.of(latest.results()), choice, as_json)
    if not shown:
        Talk().say(
            "there are no such results (yet)\nNext: contact-streams kpi get, without a choice"
        )
    return 0


def show(results: Iterable[Result], choice: Choice, as_json: bool) -> int:
    """Print results to standard output as the options say; how many there were."""
    found = list(results)
    if as_json:
        for result in found:
            print_line(result.line)
    elif choice.kpis:
        print(result_table(found), end="")
    else:
        print(day_table(found) or result_table(found), end="")
    return len(found)


def print_line(line: bytes) -> None:
    """The JSON just as it stands in the topic."""
    sys.stdout.buffer.write(line + b"\n")


def _watch(choice: Choice, as_json: bool) -> int:
    from streams.deployment import Deployment
    from streams.kafka.consume import tail
    from streams.results import Latest
    from streams.settings import load

    deployment = Deployment.of(load())
    topics, options = deployment.kpi_topics(choice.kpis), deployment.reader_options()
    latest = Latest(choice.has)
    for records in tail(deployment.bootstrap, topics, from_beginning=True, client=options):
        new = latest.take(records)
        if as_json:
            for line in new:
                print_line(line)
            sys.stdout.flush()
        elif records:
            redraw(result_table(latest.results()))
    return 0
