"""What a measurement needs around it: a broker, topics, workers as users start them, and eyes on
them.

    with rig({"processing.keep_days": 0}) as it:
        it.wait_running()

Everything is thrown away at the end.  CPU and memory are read from /proc, so this needs Linux.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.error import URLError

from bench.load_shape import PARTITIONS
from bench.processes import Usage, usage
from streams.deployment import Deployment
from streams.errors import StateError
from streams.kafka import topics
from streams.kafka.embedded import EmbeddedCluster
from streams.kafka.topics import TopicSpec
from streams.worker_process import Flags, WorkerProcess, settings_of

EVENTS = "events.contact.v1"
AGENT_EVENTS = "events.agent.v1"
SCRAPE_SECONDS = 10.0
START_SECONDS = 60.0
STATE, LAG = "cc_worker_state", "cc_worker_lag_records"
Configure = Callable[[TopicSpec], Mapping[str, str]]
"""What a topic's configuration is to have beside, or instead of, what it says itself."""
_SERIES = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Rig:
    """``data`` is the broker's data folder, ``broker`` its process."""

    deployment: Deployment
    workers: Sequence[WorkerProcess]
    data: Path
    broker: int

    def wait_running(self) -> None:
        """Until all partitions are restored and processing; StateError if that does not come."""
        until = time.monotonic() + START_SECONDS
        while not all(self._running(worker) for worker in self.workers):
            if time.monotonic() > until:
                raise StateError(f"the workers were not running after {START_SECONDS:.0f} s")
            time.sleep(0.1)

    def _running(self, worker: WorkerProcess) -> bool:
        worker.check()
        url = worker.metrics_url()
        try:
            return bool(url) and value_of(scrape(url, STATE), STATE, state="running") == 1
        except URLError:
            return False

    def usage(self) -> Usage:
        """Of all workers together; StateError if one has ended."""
        for worker in self.workers:
            worker.check()
        return usage(*(worker.pid for worker in self.workers))

    def lag(self) -> dict[str, int]:
        """Topic -> records written and not absorbed, by the workers' own account."""
        found: dict[str, int] = {}
        for worker in self.workers:
            text = scrape(worker.metrics_url(), LAG)
            for labels, value in series(text, LAG):
                topic = labels["topic"].removeprefix(f"{self.deployment.prefix}.")
                found[topic] = found.get(topic, 0) + int(value)
        return found


@contextmanager
def rig(
    flags: Flags,
    *,
    workers: int = 1,
    broker: Mapping[str, str] | None = None,
    configure: Configure = lambda spec: {},
    release: bool = True,
) -> Iterator[Rig]:
    """``flags`` are settings, before nothing but the defaults; ``broker`` the broker's, and
    ``configure`` the topics'.  The workers begin at once, or by ``release_workers``."""
    with ExitStack() as stack:
        # They import while the broker starts.  Ended twice, because the second time is before the
        # broker's end and the first one if it does not start; repeats are harmless.
        started = [WorkerProcess() for _ in range(workers)]
        for worker in started:
            stack.callback(worker.stop, 0)
        cluster = stack.enter_context(EmbeddedCluster(settings=broker))
        for worker in started:
            stack.callback(worker.stop, 0)
        deployment = Deployment.of(settings_of(with_places(flags, cluster.bootstrap), True))
        specs = [
            replace(spec, config={**spec.config, **configure(spec)}) for spec in deployment.specs()
        ]
        topics.apply(deployment.bootstrap, specs)
        made = Rig(deployment, started, cluster.folders[1] / "data", cluster.pids[1])
        if release:
            release_workers(made, flags)
        yield made


def with_places(flags: Flags, bootstrap: str) -> Flags:
    places = {"kafka.bootstrap": bootstrap, "kafka.partitions": PARTITIONS, "metrics.port": 0}
    return {**places, **flags}


def release_workers(made: Rig, flags: Flags) -> None:
    """Let the workers begin, with these settings."""
    for worker in made.workers:
        worker.release(with_places(flags, made.deployment.bootstrap), True, made.data.parent)


# -- eyes


def scrape(url: str, name: str) -> str:
    """What /metrics says now about one metric.  All of them would cost the worker more time."""
    with urllib.request.urlopen(f"{url}?name[]={name}", timeout=SCRAPE_SECONDS) as answer:
        return str(answer.read().decode())


def series(text: str, name: str) -> Iterator[tuple[dict[str, str], float]]:
    """The samples of one metric: labels, value.

    >>> list(series('lag{topic="a"} 3.0\\nother 1\\n', "lag"))
    [({'topic': 'a'}, 3.0)]
    """
    start = text.find(f"\n{name}") if not text.startswith(name) else 0
    if start < 0:
        return
    for found in _SERIES.finditer(text, start):
        if found[1] == name:
            yield dict(_LABEL.findall(found[2] or "")), float(found[3])


def value_of(text: str, name: str, **labels: str) -> float | None:
    """The first sample of a metric with these labels, if there is one."""
    for found, value in series(text, name):
        if labels.items() <= found.items():
            return value
    return None


# -- what is asked, and saying it


def command_line(name: str, about: str | None, examples: str) -> argparse.ArgumentParser:
    """A command line with its text as it is written."""
    return argparse.ArgumentParser(
        prog=f"python -m bench.{name}",
        description=about,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def machine() -> str:
    """Where this was measured, in one line."""
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return f"{system}, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}"


def progress(text: str) -> None:
    """Tell how far the work is, beside the results."""
    print(text, file=sys.stderr, flush=True)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table.

    >>> print(table(["a", "b"], [[1, 2]]))
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    lines = [head, ["---"] * len(head), *rows]
    text = ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]
    text[1] = "|" + "---|" * len(head)
    return "\n".join(text)
