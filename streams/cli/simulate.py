"""``contact-streams simulate``: a contact centre that exists only in a seed, live or faster."""

from __future__ import annotations

import asyncio
import math
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

from streams.cli.parsing import PROG, Parser, UsageError
from streams.cli.terminal import Talk

if TYPE_CHECKING:
    from streams.bridge import Outlet, Row
    from streams.simulate import Centre

SUMMARY = """\
A contact centre that exists only in a seed: callers who arrive, wait, give up or are answered,
written as an Asterisk queue_log into its raw topic.  Times never lie in the future: a faster
simulation begins in the past and arrives in the present."""
EXAMPLES = (
    "contact-streams simulate --rate 600/h",
    "contact-streams simulate --speed 60 --duration 8h --seed 7",
    "contact-streams simulate --lines --duration 1h --start 2026-10-05T08:00Z > queue_log",
)
SOURCE = "asterisk_queue_log"
NAME = "simulator"
BATCH_LINES_MAX = 2_000
LOOK_SECONDS = 0.2
LAST_CALLS_MS = 3_600_000
_RATE = re.compile(r"(\d+(?:\.\d+)?)(?:/([hs]))?")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
Lines = Iterator[tuple[int, str]]


def main(arguments: Sequence[str]) -> int:
    """Run the command; gives the exit code."""
    options = _parser().parse_args(arguments)
    centre, plan = _centre(options), _plan(options)
    from streams.simulate import calls

    lines = calls(Random(options.seed), centre, plan.start_ms, plan.until_ms)
    if options.lines:
        for _, line in lines:
            sys.stdout.write(line + "\n")
        return 0
    return _into_kafka(lines, plan, Talk())


def _parser() -> Parser:
    parser = Parser(prog=f"{PROG} simulate", summary=SUMMARY, examples=EXAMPLES)
    parser.add_argument(
        "--rate", default="600/h", help="calls an hour (600/h) or lines a second (50/s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same centre (1)")
    parser.add_argument(
        "--queues", default="sales,support,billing", metavar="A,B", help="names of its queues"
    )
    parser.add_argument("--agents", type=int, default=0, help="default: as many as it takes")
    parser.add_argument("--speed", default="1", help="times faster than life, or max (default 1)")
    parser.add_argument("--duration", default="", help="simulated time: 90s, 30m, 8h, 2d")
    parser.add_argument("--start", default="", metavar="TIME", help="when it begins (for --lines)")
    parser.add_argument("--lines", action="store_true", help="print the lines, send nothing")
    return parser


def _centre(options: Any) -> Centre:
    from streams.simulate import LINES_PER_CALL, Centre

    rate = _RATE.fullmatch(options.rate)
    if rate is None:
        raise UsageError(f"--rate {options.rate}: a rate looks like 600/h or 50/s")
    per_hour = float(rate[1])
    if rate[2] == "s":
        per_hour *= 3600 / LINES_PER_CALL
    try:
        return Centre(tuple(options.queues.split(",")), per_hour, options.agents)
    except ValueError as error:
        raise UsageError(str(error)) from None


@dataclass(frozen=True)
class Plan:
    """``start_ms`` to ``until_ms`` (None: for ever) of simulated time, ``speed`` times faster."""

    start_ms: int
    until_ms: int | None
    speed: float


def _plan(options: Any) -> Plan:
    speed = math.inf if options.speed == "max" else _number(options.speed)
    length_ms = _length_ms(options.duration)
    if speed <= 0:
        raise UsageError("--speed: time only runs forward; give a number above 0, or max")
    if length_ms is None and (options.lines or speed > 1):
        raise UsageError("--duration is missing", "without it there would be no end, or a future")
    if options.start and not options.lines:
        raise UsageError("--start is for --lines only", "what is sent ends in the present")
    now_ms = int(time.time() * 1000)
    if length_ms is None:
        return Plan(now_ms, None, speed)
    # It arrives in the present when all of it has been told; or, at full speed, when the last
    # caller has hung up: nobody wants to wait for that.
    past_ms = length_ms + LAST_CALLS_MS if speed == math.inf else length_ms - length_ms / speed
    start_ms = now_ms - max(0, int(past_ms))
    if options.start:
        start_ms = _time_ms(options.start)
    return Plan(start_ms, start_ms + length_ms, speed)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"--speed {text}: not a number, and not max") from None


def _length_ms(text: str) -> int | None:
    if not text:
        return None
    found = _DURATION.fullmatch(text)
    if found is None:
        raise UsageError(f"--duration {text}: a duration looks like 90s, 30m, 8h or 2d")
    return int(float(found[1]) * _UNIT_MS[found[2]])


def _time_ms(text: str) -> int:
    try:
        begins = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--start {text}: a time looks like 2026-10-05T08:00Z") from None
    return int(begins.replace(tzinfo=begins.tzinfo or UTC).timestamp() * 1000)


def _into_kafka(lines: Lines, plan: Plan, talk: Talk) -> int:
    from streams.bridge import KafkaOutlet
    from streams.deployment import Deployment
    from streams.settings import load

    deployment = Deployment.of(load())
    outlet = KafkaOutlet(deployment.raw_topic(SOURCE), deployment.aiokafka_options())
    talk.say(f"sending to {deployment.raw_topic(SOURCE)} at {deployment.bootstrap}")
    sent = 0

    def tell(count: int) -> None:
        nonlocal sent
        sent = count
        talk.passing(f"{sent:,} lines sent; Ctrl-C ends it")

    try:
        feed(lines, outlet, Pace(plan.start_ms, plan.speed), threading.Event(), tell)
    finally:
        talk.settle()
        talk.say(f"{sent:,} lines sent")
    return 0


class Pace:
    """When a simulated time is due, by this machine's clock: never before it has come, whatever
    the speed, because an event from the future would be refused."""

    def __init__(self, start_ms: int, speed: float) -> None:
        self._began = time.monotonic()
        self._start_ms = start_ms
        self._speed = speed

    def due_in(self, time_ms: int) -> float:
        """Seconds from now; negative if it is over."""
        passed_s = (time_ms - self._start_ms) / 1000 / self._speed
        paced = self._began + passed_s - time.monotonic()
        return max(paced, time_ms / 1000 - time.time())


def feed(
    lines: Lines, outlet: Outlet, pace: Pace, stop: threading.Event, tell: Callable[[int], None]
) -> None:
    """Send the lines when they are due, until there are no more or ``stop`` is set.  ``tell`` gets
    the number of lines that the broker has."""
    asyncio.run(_feed(lines, outlet, pace, stop, tell))


async def _feed(
    lines: Lines, outlet: Outlet, pace: Pace, stop: threading.Event, tell: Callable[[int], None]
) -> None:
    partitions = await outlet.start()
    sent = 0
    waiting: list[str] = []
    try:
        for time_ms, line in lines:
            while (seconds := pace.due_in(time_ms)) > 0 and not stop.is_set():
                if waiting:
                    sent += await _flush(waiting, outlet, partitions)
                    tell(sent)
                await asyncio.sleep(min(seconds, LOOK_SECONDS))
            if stop.is_set():
                return
            waiting.append(line)
            if len(waiting) >= BATCH_LINES_MAX:
                sent += await _flush(waiting, outlet, partitions)
                tell(sent)
        tell(sent + await _flush(waiting, outlet, partitions))
    finally:
        await outlet.stop()


async def _flush(waiting: list[str], outlet: Outlet, partitions: int) -> int:
    from streams.bridge.bridge import key_of
    from streams.bridge.outlet import Row
    from streams.kafka.partition import partition_of

    rows: dict[int, list[Row]] = {}
    for line in waiting:
        value = line.encode()
        row = Row(key_of(value), value, [("source", NAME.encode())])
        rows.setdefault(partition_of(row.key, partitions), []).append(row)
    await outlet.send(rows)
    count = len(waiting)
    waiting.clear()
    return count
