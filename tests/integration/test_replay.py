"""Explaining a number, and computing all of them again, on a real Kafka."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams import demo
from streams.deployment import Deployment
from streams.kafka import topics
from streams.kafka.embedded import EmbeddedCluster
from streams.kafka.groups import committed
from streams.reading import read_to_end
from streams.results import read_latest
from streams.worker_process import settings_of
from tests.integration.commands import Ran
from tests.integration.commands import run as command
from tests.integration.runs import Run, a_run, stopping

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

LINES = 600


def head(folder: Path, lines: int) -> Path:
    log = folder / f"queue_log-{lines}"
    log.write_bytes(b"".join(demo.LOG.read_bytes().splitlines(keepends=True)[:lines]))
    return log


def cli(run: Run, folder: Path, *words: str, **flags: object) -> Ran:
    """A command on the run's deployment."""
    wanted = run.flags | {name.replace("__", "."): value for name, value in flags.items()}
    names = {f"STREAMS_{k.upper().replace('.', '_')}": str(v) for k, v in wanted.items()}
    return command([*words], folder, names)


def other(run: Run, **flags: object) -> Run:
    """The same deployment with other settings."""
    found = object.__new__(Run)
    found.flags = run.flags | {name.replace("__", "."): value for name, value in flags.items()}
    found.deployment = Deployment.of(settings_of(found.flags, True))
    return found


@pytest.fixture(scope="module")
def processed(broker: EmbeddedCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A deployment that has processed the first calls of the day."""
    with a_run(broker, "test-replay") as run:
        run.send(head(tmp_path_factory.mktemp("log"), LINES))
        with stopping(run.worker()) as worker:
            run.finish(worker)
        yield run


def day_of(run: Run, kpi: str) -> dict[str, Any]:
    """The day's result over all queues."""
    (found,) = (
        r.fields
        for r in read_latest(run.deployment, [kpi]).results()
        if (r.kpi, r.window, dict(r.key)) == (kpi, "day", {"channel": "voice"})
    )
    return dict(found)


def event_ids(run: Run) -> list[str]:
    """Of the events of contacts in the order of the log; ticks have none."""
    found: list[Any] = []
    topic = run.deployment.topic("events.contact.v1")
    read_to_end(run.deployment, [topic], found.extend, "read_uncommitted")
    return [event["id"] for event in map(json.loads, (r.value for r in found)) if "id" in event]


def test_the_calls_behind_a_number_are_listed(processed: Run, tmp_path: Path) -> None:
    words = ("kpi", "explain", "abandonment_ratio", "channel=voice")
    ran = cli(processed, tmp_path, *words, "2026-10-05", "--limit", "0", "--json")
    assert ran.code == 0, ran.err
    told, *rows = map(json.loads, ran.out.splitlines())
    result = day_of(processed, "abandonment_ratio")
    assert told["agrees"]
    assert told["topic"]["revision"] == result["revision"]
    assert sum(row["numerator"] for row in rows) == result["numerator"] > 0
    assert sum(row["denominator"] for row in rows) == result["denominator"]

    latest = cli(processed, tmp_path, *words, "latest", "--only", "counted", "--window", "day")
    assert latest.code == 0, latest.err
    listed = latest.out.splitlines()
    assert sum(" abandoned " in line for line in listed) == result["numerator"]
    nobody = cli(processed, tmp_path, *words, "2020-01-01")
    assert (nobody.code, "no such result" in nobody.out) == (0, True)


def test_reading_can_begin_at_a_time(processed: Run) -> None:
    topic = processed.deployment.topic("events.contact.v1")
    everything: list[Any] = []
    read_to_end(processed.deployment, [topic], everything.extend, "read_uncommitted")
    assert len(everything) > LINES // 2
    middle_ms = everything[len(everything) // 2].timestamp
    later: list[Any] = []
    read_to_end(processed.deployment, [topic], later.extend, "read_uncommitted", middle_ms)
    assert [r.offset for r in later] == [r.offset for r in everything if r.timestamp >= middle_ms]
    none: list[Any] = []
    last_ms = everything[-1].timestamp
    read_to_end(processed.deployment, [topic], none.extend, "read_uncommitted", last_ms + 1)
    assert none == []


def test_history_is_computed_again_only_when_asked_and_beside_what_is_in_force(
    processed: Run, tmp_path: Path
) -> None:
    before = day_of(processed, "service_level_answered")
    stricter = {"defaults__service_level_threshold_seconds": 5}

    # A worker does not begin with a threshold that was another one when events were processed.
    refused = cli(processed, tmp_path, "worker", **stricter)
    assert refused.code == 1
    assert "threshold_ms was 20000, is 5000" in refused.err
    assert "replay --recompute" in refused.err

    ran = cli(processed, tmp_path, "replay", "--recompute", "--json", **stricter)
    assert ran.code == 0, ran.err
    families = {row["family"]: row for row in map(json.loads, ran.out.splitlines())}
    assert families["service-level"]["differ"] > 0
    assert families["service-level"]["same"] > 0
    volume = families["volume"]
    assert volume["same"] > 0
    assert volume["differ"] == volume["only_old"] == volume["only_new"] == 0
    assert "kafka.computation = 2" in ran.err

    second = other(processed, kafka__computation=2, **stricter)
    after = day_of(second, "service_level_answered")
    assert day_of(processed, "service_level_answered") == before
    assert after["numerator"] < before["numerator"]
    assert after["denominator"] == before["denominator"]

    # Switched over: the raw log is read on from where it was, and nothing counts twice.
    offered = day_of(processed, "contacts_offered")["value"]
    assert cli(second, tmp_path, "replay", "--drop", "1").code == 1
    events = second.deployment.topic("events.contact.v1")
    known = len(event_ids(processed))
    with stopping(second.worker()) as worker:
        second.send(head(tmp_path, LINES + 300))
        second.finish(worker)
    kafka = settings_of(second.flags, True).kafka
    raw = second.deployment.raw_topic("asterisk_queue_log")
    ours = {at.topic: found.offset for at, found in committed(kafka, kafka.group).items()}
    assert ours[raw] == 2 * LINES + 300
    new = event_ids(second)[known:]
    assert len(new) == len(set(new)) > known
    assert day_of(second, "contacts_offered")["value"] > offered
    assert day_of(processed, "contacts_offered")["value"] == offered

    # What is in force stays; the other goes, but for what is shared.
    assert cli(second, tmp_path, "replay", "--drop", "2").code == 1
    dropped = cli(second, tmp_path, "replay", "--drop", "1")
    assert dropped.code == 0, dropped.err
    there = topics.names(processed.deployment.bootstrap)
    assert {events, raw, second.deployment.topic("kpi.volume.v1")} <= set(there)
    assert processed.deployment.topic("kpi.volume.v1") not in there
    topics.remove(second.deployment.bootstrap, second.deployment.specs())
