"""``contact-streams replay``: compute everything again, beside what is in force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from streams.cli.parsing import PROG, Parser, UsageError, add_json
from streams.cli.tables import count, text_table
from streams.cli.terminal import Talk

if TYPE_CHECKING:
    from streams.replay import Compared

SUMMARY = """\
Compute everything again with today's settings, as far back as the events go, under a number of its
own.  What is in force goes on meanwhile and is not touched; at the end both are compared."""
EXAMPLES = (
    "contact-streams replay --recompute",
    "contact-streams replay --recompute --from raw",
    "contact-streams replay --recompute --number 2",
    "contact-streams replay --drop 2",
)


def main(arguments: Sequence[str]) -> int:
    """Run the command; gives the exit code."""
    parser = Parser(prog=f"{PROG} replay", summary=SUMMARY, examples=EXAMPLES)
    parser.add_argument("--recompute", action="store_true", help="compute again, then compare")
    parser.add_argument(
        "--from", default="events", choices=("events", "raw"), dest="origin",
        help="what is read again: the canonical events, or the platforms' own records",
    )  # fmt: skip
    parser.add_argument(
        "--number", type=int, default=0, metavar="N",
        help="go on with this computation, which was interrupted; else a new one",
    )  # fmt: skip
    parser.add_argument("--drop", type=int, default=0, metavar="N", help="remove this computation")
    add_json(parser)
    options = parser.parse_args(arguments)
    if options.recompute == bool(options.drop):
        raise UsageError("replay: --recompute or --drop N, one of them", "", EXAMPLES[0])
    return _drop(options.drop) if options.drop else _recompute(options)


def _recompute(options: Any) -> int:
    from streams.deployment import Deployment
    from streams.replay import compare, flags_of, next_number, recompute
    from streams.settings import load
    from streams.worker_process import settings_of

    settings = load()
    number = options.number or next_number(settings)
    if number == settings.kafka.computation or number < 2:
        raise UsageError(
            f"--number {number}: is in force, or the first; a new one has a number above"
        )
    talk = Talk()
    talk.say(f"computation {number}; if interrupted, go on with --recompute --number {number}")
    try:
        recompute(number, options.origin, talk.progress)
        new = Deployment.of(settings_of(flags_of(number, options.origin), False))
        compared = compare(Deployment.of(settings), new)
    finally:
        talk.settle()
    _show(compared, options.json)
    talk.say(next_steps(number, settings.kafka.computation, options.origin))
    return 0


def _show(compared: Sequence[Compared], as_json: bool) -> None:
    import json

    if as_json:
        for one in compared:
            print(json.dumps(one._asdict()))
        return
    headings = ["family", "same", "differ", "only old", "only new", "still running"]
    rows = [[one.family, *map(count, one[1:])] for one in compared]
    print(text_table(headings, rows), end="")


def next_steps(number: int, old: int, origin: str) -> str:
    """How to switch over, and how not to."""
    extra = ""
    if origin == "raw":
        extra = (
            f'and kafka.computed_from = "raw"; events that are published directly, to topics\n'
            f"whose names do not hold .r{number}., are not in it; "
        )
    return (
        f"to switch over: stop the workers, set kafka.computation = {number} "
        f"(STREAMS_KAFKA_COMPUTATION={number})\n{extra}everywhere, start the workers\n"
        f"then, or if you do not want it: contact-streams replay --drop {old}, or {number}"
    )


def _drop(number: int) -> int:
    from streams.replay import drop
    from streams.settings import load

    gone = drop(load(), number)
    Talk().say(f"{len(gone)} topics of computation {number} are gone" if gone else "there is none")
    return 0
