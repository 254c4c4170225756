"""``contact-streams bridge``: bring a platform's log file to Kafka."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streams.cli.parsing import PROG, Actions, Parser
from streams.cli.terminal import Talk

if TYPE_CHECKING:
    from streams.bridge import Progress

SUMMARY = "Bring a platform's log file to Kafka, line by line and untouched."
EXAMPLES = (
    "contact-streams bridge queue-log /var/log/asterisk/queue_log --follow \\",
    "    --state /var/lib/contact-streams/queue_log.json",
    "contact-streams bridge queue-log old_queue_log --name pbx-berlin",
)
SOURCE = "asterisk_queue_log"


def main(arguments: Sequence[str]) -> int:
    """Run the command; gives the exit code."""
    options = _parser().parse_args(arguments)
    talk = Talk()
    done = _run(options, talk)
    talk.say(
        f"{done.lines:,} lines sent"
        + (f", {done.blank:,} empty ones left out" if done.blank else "")
        + (f", {done.gaps:,} gaps: files vanished before their end was seen" if done.gaps else "")
    )
    return 1 if done.gaps else 0


def _parser() -> Parser:
    parser = Parser(prog=f"{PROG} bridge", summary=SUMMARY, examples=EXAMPLES)
    queue_log = Actions(parser).add("queue-log", "the queue_log of an Asterisk", EXAMPLES)
    queue_log.add_argument("file", type=Path, metavar="FILE", help="the log")
    queue_log.add_argument(
        "--follow", action="store_true", help="go on with what is written, through rotations"
    )
    queue_log.add_argument(
        "--from-end", action="store_true", help="begin with what is written from now on"
    )
    queue_log.add_argument(
        "--name", default="asterisk", metavar="SOURCE", help="the PBX's name (default: asterisk)"
    )
    queue_log.add_argument(
        "--state", type=Path, metavar="PATH", help="file that remembers how far it was sent"
    )
    return parser


def _run(options: Any, talk: Talk) -> Progress:
    from streams.bridge import Bridge, KafkaOutlet
    from streams.deployment import Deployment
    from streams.settings import load

    deployment = Deployment.of(load())
    outlet = KafkaOutlet(deployment.raw_topic(SOURCE), deployment.aiokafka_options())
    bridge = Bridge(
        options.file,
        outlet,
        source=options.name,
        state=options.state,
        follow=options.follow,
        from_start=not options.from_end,
    )
    stop = threading.Event()
    # What is under way is sent and noted before it ends.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    def tell(done: Progress) -> None:
        talk.progress("sending", done.bytes_done, max(1, done.bytes_total))

    return bridge.run(stop, tell)
