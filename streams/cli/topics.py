"""``contact-streams topics``: how the topics must be, and whether they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from streams.cli.parsing import PROG, Actions, Parser, add_json
from streams.cli.terminal import Talk

if TYPE_CHECKING:
    from streams.kafka.topics import Change

SUMMARY = "Create the topics and check that they are as they must be."
EXAMPLES = (
    "contact-streams topics plan",
    "contact-streams topics apply",
    "contact-streams topics check --json   # exit code 1 if anything differs",
)


def main(arguments: Sequence[str]) -> int:
    """Run the command; gives the exit code."""
    parser = Parser(prog=f"{PROG} topics", summary=SUMMARY, examples=EXAMPLES)
    actions = Actions(parser)
    add_json(actions.add("plan", "what apply would change"))
    add_json(actions.add("apply", "create what is missing, mend what differs"))
    add_json(actions.add("check", "what differs; exit code 1 if anything does"))
    options = parser.parse_args(arguments)
    talk = Talk()
    changes = _changes(options.action, talk)
    for change in changes:
        print(json.dumps(asdict(change)) if options.json else _sentence(change))
    talk.say(_conclusion(options.action, len(changes)))
    return 1 if options.action == "check" and changes else 0


def _changes(action: str, talk: Talk) -> list[Change]:
    from streams.deployment import Deployment
    from streams.kafka import topics
    from streams.settings import load

    deployment = Deployment.of(load())
    specs = deployment.specs()
    if action != "apply":
        return topics.plan(deployment.bootstrap, specs, deployment.client)
    made = 0

    def done(change: Change) -> None:
        nonlocal made
        made += 1
        talk.progress("applying", min(made, len(specs) - 1), len(specs))

    changes = topics.apply(deployment.bootstrap, specs, deployment.client, done)
    talk.settle()
    return changes


def _sentence(change: Change) -> str:
    return f"{change.action:6} {change}"


def _conclusion(action: str, count: int) -> str:
    if not count:
        return "every topic is as it must be"
    what = "1 difference" if count == 1 else f"{count} differences"
    return f"{what} mended" if action == "apply" else f"{what}\nNext: contact-streams topics apply"
