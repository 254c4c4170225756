"""``contact-streams broker``: an Apache Kafka for this machine, without Docker or Java."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import asdict

from streams.cli.parsing import PROG, Actions, Parser, add_json
from streams.cli.terminal import Talk

SUMMARY = "An Apache Kafka for this machine, for trying things out: no Docker, no Java needed."
EXAMPLES = (
    "contact-streams broker start",
    "contact-streams broker status --json",
    "contact-streams broker run --brokers 3",
)


def main(arguments: Sequence[str]) -> int:
    """Run the command; gives the exit code."""
    options = _parser().parse_args(arguments)
    talk = Talk()
    if options.action == "start":
        return _start(options.port, talk)
    if options.action == "stop":
        return _stop(talk)
    if options.action == "run":
        return _run(options.brokers, options.port, talk)
    return _status(options.json, talk)


def _parser() -> Parser:
    parser = Parser(prog=f"{PROG} broker", summary=SUMMARY, examples=EXAMPLES)
    actions = Actions(parser)
    start = actions.add("start", "start it in the background; its data is kept")
    start.add_argument("--port", type=int, help="where it listens (default: 9092 if free)")
    actions.add("stop", "stop it; its data is kept")
    add_json(actions.add("status", "is it running, and where (exit code 1 if not)"))
    run = actions.add("run", "run it here until Ctrl-C, without keeping its data")
    run.add_argument("--brokers", type=int, choices=(1, 3), default=1, help="1 or 3 (default 1)")
    run.add_argument("--port", type=int, help="where the first one listens (default: a free one)")
    return parser


def _start(port: int | None, talk: Talk) -> int:
    from streams.kafka.detached import start_detached

    info = start_detached(talk.progress, port)
    talk.say(f"Kafka listens at {info.bootstrap}; its log is {info.log}")
    print(info.bootstrap)
    return 0


def _stop(talk: Talk) -> int:
    from streams.kafka.detached import stop_detached

    talk.say("stopped" if stop_detached() else "it was not running")
    return 0


def _status(as_json: bool, talk: Talk) -> int:
    from streams.kafka.detached import status_detached

    info = status_detached()
    if as_json:
        print(json.dumps({"running": info is not None, **(asdict(info) if info else {})}))
    elif info is None:
        talk.say("not running\nNext: contact-streams broker start")
    else:
        print(f"running at {info.bootstrap} (process {info.pid}, log {info.log})")
    return 0 if info else 1


def _run(brokers: int, port: int | None, talk: Talk) -> int:
    from streams.kafka.embedded import EmbeddedCluster

    ports = None if port is None else list(range(port, port + brokers))
    with EmbeddedCluster(brokers, ports=ports).start(talk.progress) as cluster:
        talk.say("Kafka listens at the address below; Ctrl-C ends it")
        print(cluster.bootstrap, flush=True)
        threading.Event().wait()
    return 0
