"""``contact-streams dlq``: what was refused and why, and sending it back when that was mended."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from streams.cli.choosing import time_of
from streams.cli.letters import (
    count_table,
    told_count,
    told_letter,
    told_outcome,
    told_shown,
    written_letters,
    written_outcome,
    written_shown,
)
from streams.cli.parsing import PROG, Actions, Parser, UsageError, add_json, known
from streams.cli.terminal import Talk

if TYPE_CHECKING:
    from streams.dead_letters.choosing import Wanted
    from streams.dead_letters.counting import Counts
    from streams.dead_letters.letter import Letter
    from streams.dead_letters.replaying import Order, Outcome
    from streams.deployment import Deployment
    from streams.settings import Settings

SUMMARY = """\
The dead letters: records that could not be used, untouched, each with a reason
(docs/dead-letters.md)."""
EXAMPLES = (
    "contact-streams dlq list --since 1d",
    "contact-streams dlq list --reason verb.unknown --records --limit 20",
    "contact-streams dlq show 0:1234",
    "contact-streams dlq replay --reason verb.unknown            # a dry run",
    "contact-streams dlq replay --reason verb.unknown --apply --rate 200/s",
)
LIMIT = 1_000
STAGES = ("ingest", "contacts", "staff", "customers", "board")
RATE = "500/s"
REPLAY_NOTES = """\
Letters are judged again by today's decoders, and only what passes is sent, to the topic and
partition it came from, once, however often the command is run.
exit codes: 0 nothing is left that could be mended, 1 some would be refused again"""
_PLACE = re.compile(r"(\d{1,9}):(\d{1,18})")


def main(arguments: Sequence[str]) -> int:
    """Run the command; gives the exit code."""
    options = _parser().parse_args(arguments)
    actions = {"list": _list, "show": _show, "replay": _replay}
    return actions[options.action](options)


def _parser() -> Parser:
    parser = Parser(prog=f"{PROG} dlq", summary=SUMMARY, examples=EXAMPLES)
    actions = Actions(parser)
    listing = _action(actions, "list", "how many there are, by reason, stage and topic")
    _add_filters(listing)
    listing.add_argument("--records", action="store_true", help="a line for each; never what is in")
    listing.add_argument(
        "--limit", type=int, default=LIMIT, metavar="N", help=f"lines; 0: all; else {LIMIT}"
    )
    showing = _action(actions, "show", "one letter, and what the decoder says of it today")
    showing.add_argument("letter", metavar="LETTER", help="PARTITION:OFFSET, or TOPIC/PART/OFFSET")
    showing.add_argument(
        "--body", action="store_true", help="key, payload and headers too: personal data"
    )
    replaying = _action(actions, "replay", "send letters back; a dry run without --apply")
    replaying.epilog = REPLAY_NOTES
    _add_filters(replaying)
    replaying.add_argument("--apply", action="store_true", help="do it")
    replaying.add_argument("--rate", default=RATE, help=f"at most so many, 20/m or 500/s; {RATE}")
    replaying.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many")
    replaying.add_argument(
        "--late", action="store_true",
        help="also those whose windows are not kept any more, or whose contacts may be forgotten",
    )  # fmt: skip
    for action in (listing, showing, replaying):
        add_json(action)
    return parser


def _action(actions: Actions, name: str, summary: str) -> Parser:
    return actions.add(name, summary, [e for e in EXAMPLES if f" dlq {name}" in e])


def _add_filters(parser: Parser) -> None:
    parser.add_argument(
        "--reason", action="append", default=[], help="refused for it; time.* for all of a kind"
    )
    parser.add_argument(
        "--stage", action="append", default=[], choices=STAGES, help="refused by this one"
    )
    parser.add_argument(
        "--topic", action="append", default=[], help="came from it, with or without the prefix"
    )
    for name, what in (("since", "then or later"), ("until", "before then")):
        parser.add_argument(
            f"--{name}", default="", metavar="TIME",
            help=f"refused {what}: 2026-10-05, 2026-10-05T06:00Z, or 2h, 7d ago",
        )  # fmt: skip


def wanted_of(options: Any, deployment: Deployment) -> Wanted:
    """What the options choose; UsageError for what is none."""
    from streams.dead_letters.choosing import Wanted
    from streams.dead_letters.reasons import REASONS

    families = {f"{code.partition('.')[0]}.*" for code in REASONS}
    for reason in options.reason:
        known("reason", reason, [*REASONS, *families], "contact-streams dlq list")
    topics = [_topic(name, deployment) for name in options.topic]
    since, until = (_ms(f"--{n}", getattr(options, n)) for n in ("since", "until"))
    return Wanted(options.reason, options.stage, topics, since, until)


def _topic(name: str, deployment: Deployment) -> str:
    prefixes = (deployment.prefix, deployment.events_prefix, deployment.results_prefix)
    full = any(prefix and name.startswith(f"{prefix}.") for prefix in prefixes)
    return name if full else deployment.topic(name)


def _ms(option: str, text: str) -> int:
    time = time_of(option, text)
    return round(datetime.fromisoformat(time).timestamp() * 1000) if time else 0


def _settings() -> tuple[Settings, Deployment]:
    from streams.deployment import Deployment
    from streams.settings import load

    settings = load()
    return settings, Deployment.of(settings)


def _list(options: Any) -> int:
    from streams.dead_letters.counting import Counts
    from streams.dead_letters.reading import read_ledger, read_letters

    _, deployment = _settings()
    wanted = wanted_of(options, deployment)
    _check_limit(options.limit)
    talk, counts, shown = Talk(), Counts(), list[tuple["Letter", bool]]()
    replayed = read_ledger(deployment).replayed

    def take(letter: Letter | None) -> None:
        if letter is None:
            counts.foreign += 1
        elif wanted.has(letter):
            sent = letter.replay in replayed
            counts.add(letter, sent)
            if options.records and (not options.limit or len(shown) < options.limit):
                shown.append((letter, sent))

    read_letters(deployment, take, _telling(talk), wanted.since_ms)
    talk.settle()
    if options.records:
        _show_records(shown, options.json)
    else:
        _show_counts(counts, options.json)
    _conclude(counts, len(shown) if options.records else None, talk)
    return 0


def _telling(talk: Talk) -> Any:
    return lambda done, total: talk.progress("reading dead letters", done, max(total, 2))


def _show_records(shown: Sequence[tuple[Letter, bool]], as_json: bool) -> None:
    if as_json:
        for letter, sent in shown:
            print(json.dumps(told_letter(letter, sent)))
    else:
        print(written_letters(shown), end="")


def _show_counts(counts: Counts, as_json: bool) -> None:
    if as_json:
        for kind, count in counts.rows():
            print(json.dumps(told_count(kind, count)))
    else:
        print(count_table(counts), end="")


def _conclude(counts: Counts, shown: int | None, talk: Talk) -> None:
    found = sum(count.letters for count in counts.by_kind.values())
    if not found:
        talk.say("there is no such dead letter")
    elif shown is not None and shown < found:
        talk.say(f"... and {found - shown:,} more: --limit 0 shows all")
    if counts.foreign:
        talk.say(f"{counts.foreign:,} records of the topic are no letters of ours")


def _show(options: Any) -> int:
    import time

    from streams.dead_letters.judging import judge
    from streams.dead_letters.reading import read_ledger, rules_of

    settings, deployment = _settings()
    talk = Talk()
    letter = _letter(options.letter, deployment, talk)
    sent = letter.replay in read_ledger(deployment).replayed
    verdict = judge(letter, rules_of(settings), time.time_ns() // 1_000_000)
    if options.body:
        talk.say("what follows may be personal data: it is not for tickets, chats or logs")
    if options.json:
        print(json.dumps(told_shown(letter, verdict, sent, options.body)))
    else:
        print(written_shown(letter, verdict, sent, options.body), end="")
    return 0


def _letter(text: str, deployment: Deployment, talk: Talk) -> Letter:
    from streams.dead_letters.reading import letter_at, letter_named

    place = _PLACE.fullmatch(text)
    if place:
        return letter_at(deployment, int(place[1]), int(place[2]))
    if text.count("/") != 2:
        raise UsageError(
            f"{text}: neither PARTITION:OFFSET nor TOPIC/PARTITION/OFFSET", "", EXAMPLES[2]
        )
    try:
        return letter_named(deployment, text, _telling(talk))
    finally:
        talk.settle()


def _replay(options: Any) -> int:
    from streams.dead_letters.judging import MENDABLE
    from streams.dead_letters.replaying import replay

    settings, deployment = _settings()
    order = _order(options, deployment)
    talk = Talk()
    try:
        outcome = replay(settings, order, _telling(talk))
    finally:
        talk.settle()
    if options.json:
        print(json.dumps(told_outcome(outcome, order.apply)))
    else:
        print(written_outcome(outcome), end="")
    for line in _next_steps(outcome, order):
        talk.say(line)
    if outcome.signal:
        return 128 + outcome.signal
    return 1 if any(outcome.words[word] for word in MENDABLE) else 0


def _order(options: Any, deployment: Deployment) -> Order:
    from streams.dead_letters.pace import rate_of
    from streams.dead_letters.replaying import Order

    rate = rate_of(options.rate)
    if rate is None:
        raise UsageError(f"--rate {options.rate}: is not like 500/s or 20/m", "", EXAMPLES[-1])
    _check_limit(options.limit)
    wanted = wanted_of(options, deployment)
    return Order(wanted, options.apply, rate, options.limit, options.late)


def _check_limit(limit: int) -> None:
    if limit < 0:
        raise UsageError(f"--limit {limit}: is below 0", "", EXAMPLES[1])


def _next_steps(outcome: Outcome, order: Order) -> list[str]:
    lines = []
    if outcome.dropped:
        lines.append(f"{outcome.dropped:,} tell of windows that are not kept any more")
    if outcome.forgotten:
        lines.append(
            f"{outcome.forgotten:,} tell of contacts that may be forgotten (horizon_hours): with "
            "--late each counts as a contact that begins there"
        )
    if outcome.limited:
        lines.append("--limit was reached; there may be more")
    if outcome.doubtful:
        lines.append(
            f"{outcome.doubtful:,} were going when a replay ended; --apply looks where they are"
        )
    if not order.apply:
        passes = outcome.words["passes"]
        lines.append(f"a dry run: nothing was sent; --apply sends {passes:,}")
    elif outcome.signal:
        lines.append("interrupted; the same command goes on where it ended")
    return lines
