"""Job 3: the whole product, all stages and KPIs, on canonical events.  Ours only.

The worker as users start it.  What it has done is read from its group's commits, which come a
segment at a time, so a run must be many segments long.  Right is when the KPI topic says exactly as
many contacts offered as were queued.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping

from bench import voice_events
from bench.harness import (
    LAST_RATIO,
    Measurement,
    Run,
    Sample,
    Tell,
    end,
    last_words,
    measured,
    sample,
    start,
)
from bench.load import QUEUES
from streams.arrival import Offsets
from streams.deployment import Deployment
from streams.kafka import topics
from streams.results import read_latest
from streams.settings import load

LOOK_SECONDS = 0.2
STILL_SECONDS = 60.0
"""How long the worker may take for the last segment, or between two commits."""
SETTINGS = {"STREAMS_METRICS_PORT": "0", "STREAMS_PROCESSING_KEEP_DAYS": "0"}


SEGMENT_SIZES = (256, 16_384)
SEGMENTS, EVENTS_SMALL = 64, 600_000
"""A shorter run has smaller segments, at least so many, or it would be over before its first
commits.  Its figures are not those of the product."""


def prepare(bootstrap: str, events: int, name: str) -> tuple[Deployment, int]:
    """A deployment with its topics, the events in their log; and how many contacts are queued."""
    deployment = Deployment.of(load(_environment(bootstrap, name, events)))
    topics.apply(bootstrap, deployment.specs())
    topic = deployment.topic(voice_events.TOPIC)
    asyncio.run(voice_events.send(bootstrap, topic, voice_events.calls(events, QUEUES)))
    queued = sum(1 for _, _, value in voice_events.calls(events, QUEUES) if b".queued" in value)
    return deployment, queued


def _environment(bootstrap: str, name: str, events: int) -> dict[str, str]:
    return SETTINGS | {
        "STREAMS_PROCESSING_SEGMENT_SIZE": str(segment_size(events)),
        "STREAMS_KAFKA_BOOTSTRAP": bootstrap,
        "STREAMS_KAFKA_PREFIX": name,
        "STREAMS_KAFKA_APP_ID": name,
    }


def segment_size(events: int) -> int:
    """The product's, but for short runs: see ``EVENTS_SMALL``."""
    least, most = SEGMENT_SIZES
    if events >= EVENTS_SMALL:
        return most
    return max(least, min(most, 1 << (max(1, events // SEGMENTS).bit_length() - 1)))


def execute(run: Run, deployment: Deployment, queued: int, tell: Tell) -> Measurement:
    """One worker until it has said everything."""
    began = time.monotonic()
    environment = _environment(deployment.bootstrap, deployment.prefix, run.events)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as errors:
        process = start(command(), run.cores, folder, errors, environment)
        samples: list[Sample] = []
        try:
            problem = _follow(process, run, deployment, samples, tell)
            problem = problem or _check(deployment, queued)
        finally:
            end(process)
        problem = f"{problem}: {last_words(errors)}" if "finish" in problem else problem
    return measured(run, samples, began, problem)


def command() -> list[str]:
    """The worker's command line."""
    return [sys.executable, "-m", "streams", "worker"]


def _follow(
    process: subprocess.Popen[str],
    run: Run,
    deployment: Deployment,
    samples: list[Sample],
    tell: Tell,
) -> str:
    """Sample until nine tenths are committed; what went wrong."""
    topic, moved_at = deployment.topic(voice_events.TOPIC), time.monotonic()
    with Offsets(deployment) as offsets:
        while not samples or samples[-1].events < LAST_RATIO * run.events:
            done = sum(offsets.committed(topic).values())
            # Between two commits nothing is known of the events.
            if done > (samples[-1].events if samples else 0):
                samples.append(sample(process.pid, done))
                moved_at = time.monotonic()
                tell(done)
            if process.poll() is not None or time.monotonic() - moved_at > STILL_SECONDS:
                return "did not finish"
            time.sleep(LOOK_SECONDS)
    return ""


def _check(deployment: Deployment, queued: int) -> str:
    """Wait until the KPI topic says what is right; what it says otherwise."""
    deadline, found = time.monotonic() + STILL_SECONDS, 0
    while time.monotonic() < deadline:
        found = _offered(deployment)
        if found == queued:
            return ""
        time.sleep(1)
    return f"WRONG: {found} contacts offered, not {queued}"


def _offered(deployment: Deployment) -> int:
    latest = read_latest(deployment, ["contacts_offered"]).results()
    rows: list[Mapping[str, object]] = [
        result.fields
        for result in latest
        if result.kpi == "contacts_offered" and result.window == "hour" and "queue" in result.key
    ]
    return sum(int(str(row["value"])) for row in rows)
