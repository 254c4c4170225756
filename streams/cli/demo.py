"""``contact-streams demo``: a real day through a real Kafka, then a living contact centre."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any

from streams.cli.parsing import PROG, Parser
from streams.cli.terminal import Talk, is_rich

if TYPE_CHECKING:
    from streams.arrival import Waiting
    from streams.results import Latest
    from streams.throwaway import Throwaway

SUMMARY = """\
Starts a Kafka and a worker, sends one real day of a bank's call centre through them, compares every
number with the known ones, and goes on with a simulated contact centre until Ctrl-C.  Nothing is
left afterwards."""
EXAMPLES = (
    "contact-streams demo",
    "contact-streams demo --once   # exit code 1 if a number differs",
)
SOURCE = "asterisk_queue_log"
METRICS_PORT = 9464
FLAGS = {
    "kafka.partitions": 2,
    # The day is long past; it is to be seen at /metrics all the same.
    "processing.keep_days": 0,
}
REFRESH_SECONDS = 2.0
REFRESH_SECONDS_UNSEEN = 30.0
SCRAPE_SECONDS = 10.0


def main(arguments: Sequence[str]) -> int:
    """Run the command; gives the exit code."""
    parser = Parser(prog=f"{PROG} demo", summary=SUMMARY, examples=EXAMPLES)
    parser.add_argument("--once", action="store_true", help="leave after the comparison")
    parser.add_argument("--seed", type=int, default=1, help="of the simulated centre (1)")
    parser.add_argument(
        "--metrics-port", type=int, metavar="PORT", help="of /metrics (9464 if free, else any)"
    )
    options = parser.parse_args(arguments)
    talk = Talk()
    try:
        return _demo(options, talk)
    finally:
        talk.settle()


def _demo(options: Any, talk: Talk) -> int:
    from streams.throwaway import Throwaway

    # Alone: the known numbers hold for the defaults, whatever the user has set.
    with Throwaway(FLAGS, "", talk.progress, alone=True) as run:
        _play_the_day(run, options.metrics_port, talk)
        url = run.worker.metrics_url()
        right = _compare(run, url, talk)
        _tell_addresses(run, url)
        if not options.once:
            _live(run, options.seed, talk)
    talk.say("everything is stopped, nothing is left behind")
    return 0 if right else 1


def _usual_port() -> int:
    """The usual one, so that examples fit, or 0 for any."""
    from streams.kafka.node import is_free

    return METRICS_PORT if is_free(METRICS_PORT) else 0


def _play_the_day(run: Throwaway, port: int | None, talk: Talk) -> None:
    """All of the day first, then the worker: while it has a backlog, events tell it the time, so
    the day's windows become final in their turn."""
    from streams.compute import send
    from streams.demo import LOG

    topic = run.deployment.raw_topic(SOURCE)
    lines = send([LOG], topic, run.deployment, talk.progress)
    talk.say(f"sent the queue_log of one day, {lines:,} lines, to {topic}")
    run.release({"metrics.port": _usual_port() if port is None else port})
    with _waiting(run) as waiting:
        waiting.ingested(topic, lambda done, total: talk.progress("processing", done, total))
        talk.progress("adding up", 0, 1)
        waiting.boarded(waiting.event_ends())
        talk.progress("adding up", 1, 1)


@contextmanager
def _waiting(run: Throwaway) -> Iterator[Waiting]:
    from streams.arrival import Follower, Offsets, Waiting

    with Follower(run.deployment) as follower, Offsets(run.deployment) as offsets:
        yield Waiting(run.deployment, offsets, follower, run.worker.check)


def _compare(run: Throwaway, url: str, talk: Talk) -> bool:
    """Print the table, and whether all numbers are right."""
    from streams import demo
    from streams.cli.tables import day_table
    from streams.results import read_latest

    results = read_latest(run.deployment).results()
    print(day_table(result for result in results if result.start.startswith(demo.DAY[:10])))
    of_topics, of_metrics = demo.expected(), demo.expected_of_metrics()
    wrong = [
        *demo.differences(of_topics, demo.of_results(results)),
        *(
            f"/metrics: {text}"
            for text in demo.differences(of_metrics, demo.of_metrics(scrape(url)))
        ),
    ]
    if wrong:
        talk.say("\n".join(["these numbers are NOT as they must be:", *wrong]))
        return False
    print(
        f"All {len(of_topics)} known numbers of the day are right in the KPI topics, "
        f"and {len(of_metrics)} of them at /metrics."
    )
    return True


def scrape(url: str) -> str:
    """The text of /metrics."""
    from urllib.request import urlopen

    with urlopen(url, timeout=SCRAPE_SECONDS) as answer:
        return str(answer.read().decode())


SAMPLES = (
    "cc_contacts_offered_total",
    "cc_answer_wait_seconds_sum",
    "cc_window_talk_time_mean_seconds",
)
"""Metrics of which one line each is shown, for a queue of the day."""
SAMPLES_OF = re.compile(r'queue="PS"}|queue="PS",.*window="day"')


def _tell_addresses(run: Throwaway, url: str) -> None:
    lines = [line for line in scrape(url).splitlines() if SAMPLES_OF.search(line)]
    found = (next((line for line in lines if line.startswith(name)), "") for name in SAMPLES)
    print(f"\nmetrics: {url}")
    print("".join(f"  {line}\n" for line in found if line), end="")
    bootstrap = run.deployment.bootstrap
    print(f"kafka:   {bootstrap}; in another terminal:")
    print(
        f"  STREAMS_KAFKA_BOOTSTRAP={bootstrap} contact-streams kpi watch --queue sales", flush=True
    )


# -- the living centre


def _live(run: Throwaway, seed: int, talk: Talk) -> None:
    talk.say("\nA simulated contact centre calls in; Ctrl-C ends it.")
    stop = threading.Event()
    feeding = threading.Thread(target=_feed, args=(run, seed, stop), daemon=True)
    feeding.start()
    try:
        _show_for_ever(run, feeding, talk)
    except KeyboardInterrupt:
        talk.say("\nstopping")
    finally:
        stop.set()
        feeding.join(5)


def _feed(run: Throwaway, seed: int, stop: threading.Event) -> None:
    from streams.bridge import KafkaOutlet
    from streams.cli.simulate import Pace, feed
    from streams.simulate import Centre, calls

    # Short calls and many of them, so that something happens while one looks.
    centre = Centre(calls_per_hour=2400, talk_median_s=45, wrap_up_mean_s=10, patience_mean_s=60)
    start_ms = int(time.time() * 1000)
    lines = calls(Random(seed), centre, start_ms)
    deployment = run.deployment
    outlet = KafkaOutlet(deployment.raw_topic(SOURCE), deployment.aiokafka_options())
    feed(lines, outlet, Pace(start_ms, 1), stop, lambda sent: None)


def _show_for_ever(run: Throwaway, feeding: threading.Thread, talk: Talk) -> None:
    from streams.kafka.consume import tail
    from streams.results import Latest

    deployment = run.deployment
    every = REFRESH_SECONDS if is_rich(sys.stdout) else REFRESH_SECONDS_UNSEEN
    shown_at, latest, drawn = time.monotonic(), Latest(), 0
    for records in tail(
        deployment.bootstrap, deployment.kpi_topics(), client=deployment.reader_options()
    ):
        run.worker.check()
        if not feeding.is_alive():
            raise RuntimeError("the simulator has ended")
        latest.take(records)
        if time.monotonic() - shown_at >= every:
            shown_at = time.monotonic()
            drawn = _redraw(live_table(latest), drawn)


def _redraw(table: str, drawn: int) -> int:
    """Print the table, over the last one where that is possible; how many lines it has."""
    if drawn and is_rich(sys.stdout):
        sys.stdout.write(f"\x1b[{drawn}A\x1b[J")
    sys.stdout.write(table)
    sys.stdout.flush()
    return table.count("\n")


def live_table(latest: Latest) -> str:
    """What goes on in each queue now, and what its day is like so far."""
    from streams.cli.tables import count, percent, seconds, text_table

    columns = (
        ("now", "contacts_waiting", "waiting", count),
        ("now", "longest_wait", "longest", seconds),
        ("now", "contacts_handling", "talking", count),
        ("day", "contacts_offered", "offered", count),
        ("day", "contacts_answered", "answered", count),
        ("day", "contacts_abandoned", "abandoned", count),
        ("day", "service_level_pos", "SL pos", percent),
        ("day", "answer_speed_mean", "ASA", seconds),
    )
    by_queue: dict[str, dict[tuple[str, str], Any]] = {}
    # In the order of their windows, so that the newest day stays.
    for result in latest.results():
        if "queue" in result.key:
            found = by_queue.setdefault(result.key["queue"], {})
            found[result.window, result.kpi] = result.value
    rows = [
        [queue, *(cell(found[w, k]) if (w, k) in found else "-" for w, k, _, cell in columns)]
        for queue, found in sorted(by_queue.items())
    ]
    return text_table(["queue", *(heading for _, _, heading, _ in columns)], rows)
