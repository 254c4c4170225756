"""``contact-streams targets``: which targets are breached."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from streams.breaches import Latest, Wanted
from streams.cli.parsing import PROG, Actions, Parser, add_json
from streams.cli.tables import text_table, written
from streams.cli.terminal import Talk, redraw

SUMMARY = "Read from the breach topic which targets are breached, and since when."
EXAMPLES = (
    "contact-streams targets list",
    "contact-streams targets list --all --json",
    "contact-streams targets watch --queue sales",
)


def main(arguments: Sequence[str]) -> int:
    """Run the command; gives the exit code."""
    options = _parser().parse_args(arguments)
    wanted = Wanted(options.queue, options.all)
    return (_watch if options.action == "watch" else _list)(wanted, options.json)


def _parser() -> Parser:
    parser = Parser(prog=f"{PROG} targets", summary=SUMMARY, examples=EXAMPLES)
    actions = Actions(parser)
    for name, summary in (("list", "what stands now"), ("watch", "and what comes, for ever")):
        action = actions.add(name, summary, [e for e in EXAMPLES if f"targets {name}" in e])
        action.add_argument("--queue", default="", help="of this queue only")
        action.add_argument("--all", action="store_true", help="also what is met again")
        add_json(action)
    return parser


def _list(wanted: Wanted, as_json: bool) -> int:
    from streams.breaches import read_latest
    from streams.deployment import Deployment
    from streams.settings import load

    events = read_latest(Deployment.of(load())).events(wanted)
    if as_json:
        for event in events:
            print(json.dumps(event, ensure_ascii=False))
    else:
        print(table(events), end="")
    if not events:
        Talk().say("no target is breached, and there is no warning")
    return 0


def _watch(wanted: Wanted, as_json: bool) -> int:
    from streams.breaches import TOPIC
    from streams.deployment import Deployment
    from streams.kafka.consume import tail
    from streams.settings import load

    deployment = Deployment.of(load())
    topics, options = [deployment.topic(TOPIC)], deployment.reader_options()
    latest, everything = Latest(), Wanted(wanted.queue, met=True)
    for records in tail(deployment.bootstrap, topics, from_beginning=True, client=options):
        news = latest.take(records)
        if as_json:
            for event in filter(everything.has, news):  # also that it is well again
                print(json.dumps(event, ensure_ascii=False))
            sys.stdout.flush()
        elif records:
            redraw(table(latest.events(wanted)))
    return 0


def table(events: Sequence[Mapping[str, Any]]) -> str:
    """A row for each; "" without any."""
    headings = ["state", "target", "kpi", "key", "window", "since", "value", "wanted"]
    rows = [
        [
            event["state"],
            event["target"],
            event["kpi"],
            " ".join(f"{name}={value}" for name, value in event["key"].items()),
            event["window"]["kind"],
            event["since"],
            written(event["value"], event["unit"]),
            _wanted(event),
        ]
        for event in events
    ]
    return text_table(headings, rows, left=6) if rows else ""


def _wanted(event: Mapping[str, Any]) -> str:
    for side, sign in (("at_least", ">="), ("at_most", "<=")):
        if side in event:
            return f"{sign} {written(event[side], event['unit'])}"
    raise ValueError("an event has at_least or at_most")
