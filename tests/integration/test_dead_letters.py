"""Dead letters on a real Kafka: listed, shown, and sent back so that the totals are right, once,
though whoever sends them is interrupted and killed."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from streams import cli
from streams.arrival import Follower, Offsets, Waiting, tell_time
from streams.core.source import Record, Rejected
from streams.kafka.consume import read_all
from streams.kafka.embedded import EmbeddedCluster
from streams.results import read_latest
from streams.stages.dead_letter import dead_letter
from streams.worker_process import WorkerProcess
from tests.integration.commands import Command, run
from tests.integration.runs import SOURCE, Run, a_run, stopping

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

MINUTE, HOUR = 60, 3_600
BAD = ("no queue_log at all", "{now}|x|PS|NONE|NOSUCHVERB|secret")
CALLS = 40
"""Calls that a former release could not read, two letters each."""
GOOD = 130
"""Their events fill a segment, which is committed: what was refused in it is not read again."""
Ask = Callable[..., tuple[int, str, str]]


def call(name: str, at: int) -> list[str]:
    """A caller who gives up."""
    return [f"{at}|{name}|PS|NONE|ENTERQUEUE|||1", f"{at + 9}|{name}|PS|NONE|ABANDON|1|1|9"]


@pytest.fixture
def deployment(broker: EmbeddedCluster, prefix: str) -> Iterator[Run]:
    with a_run(broker, prefix) as made:
        made.flags["processing.skew_ms"] = 300_000
        made.flags["processing.keep_days"] = 35
        yield made


@pytest.fixture
def ask(deployment: Run, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Ask:
    """The command, in this process; (exit code, output, talk)."""
    for name, value in environment(deployment).items():
        monkeypatch.setenv(name, value)

    def asked(*words: str) -> tuple[int, str, str]:
        before = signal.getsignal(signal.SIGTERM)
        try:
            code = cli.main(["dlq", *words])
        finally:
            signal.signal(signal.SIGTERM, before)
        told = capsys.readouterr()
        return code, told.out, told.err

    return asked


def environment(of: Run) -> dict[str, str]:
    """The deployment's settings, but for a clock that may be two hours ahead."""
    flags = of.flags | {"processing.skew_ms": 2 * HOUR * 1000}
    return {f"STREAMS_{k.upper().replace('.', '_')}": str(v) for k, v in flags.items()}


def through(of: Run, worker: WorkerProcess) -> None:
    """Wait until everything is in the results."""
    with Follower(of.deployment) as follower, Offsets(of.deployment) as offsets:
        waiting = Waiting(of.deployment, offsets, follower, worker.check, 60)
        waiting.ingested(of.deployment.raw_topic(SOURCE), lambda *told: None)
        waiting.settled()
        waiting.boarded(tell_time(of.deployment, 0))


def offered(of: Run) -> int:
    results = read_latest(of.deployment, ["contacts_offered"]).results()
    days = [r for r in results if r.kpi == "contacts_offered" and r.window == "day"]
    return sum(r.value for r in days if r.key.get("queue") == "PS")


def of_a_former_release(of: Run, now: int) -> None:
    """Letters about lines that are read today."""
    raw = of.deployment.raw_topic(SOURCE)
    lines = [line for n in range(CALLS) for line in call(f"old-{n}", now - 30 * MINUTE + n)]
    producer = KafkaProducer(bootstrap_servers=of.deployment.bootstrap)
    for n, line in enumerate(lines):
        stood = Record(raw, 0, 1_000 + n, (now - MINUTE) * 1000, b"key", line.encode(), [])
        letter = dead_letter(stood, Rejected("verb.unknown", "ENTERQUEUE"), "ingest")
        topic = of.deployment.topic("dlq.events.v1")
        producer.send(topic, letter.value, letter.key, headers=list(letter.headers))
    producer.close()


def sent_back(of: Run) -> Counter[str]:
    """Where records in raw and event topics are from, if they were sent back."""
    topics = [of.deployment.raw_topic(SOURCE), of.deployment.topic("events.contact.v1")]
    found = [dict(r.headers) for r in read_all(of.deployment.bootstrap, topics, "read_uncommitted")]
    return Counter(h["cc_replayed_from"].decode() for h in found if "cc_replayed_from" in h)


def wait_for(of: Run, letters: int) -> None:
    deadline = time.monotonic() + 30
    while len(sent_back(of)) < letters:
        assert time.monotonic() < deadline


def test_letters_are_told_and_sent_back_once_whoever_is_killed(
    deployment: Run, ask: Ask, tmp_path: Path
) -> None:
    now = int(time.time())
    bad = [*call("ahead", now + HOUR), *(line.format(now=now) for line in BAD)]
    good = [line for n in range(GOOD) for line in call(f"good-{n}", now - 10 * MINUTE)]
    for number, lines in enumerate((bad, good)):
        log = tmp_path / f"queue_log-{number}"
        log.write_text("\n".join(lines) + "\n")
        deployment.send(log)
    with stopping(deployment.worker()) as worker:
        through(deployment, worker)
    assert offered(deployment) == GOOD
    of_a_former_release(deployment, now)

    letters = told(ask)
    dry_run(ask, letters, deployment)
    interrupted(deployment, letters, tmp_path)
    finished(ask, letters, deployment)

    deployment.flags["processing.skew_ms"] = 2 * HOUR * 1000
    with stopping(deployment.worker()) as worker:
        through(deployment, worker)
    assert offered(deployment) == GOOD + 1 + CALLS
    _, out, _ = ask("list", "--json")
    assert sum(json.loads(line)["letters"] for line in out.splitlines()) == letters + len(BAD)


def told(ask: Ask) -> int:
    """What list and show say; how many letters can be mended."""
    code, out, _ = ask("list", "--json")
    counted = {row["reason"]: row for row in map(json.loads, out.splitlines())}
    assert code == 0
    # A worker that loses a partition for a moment decodes a line again; its event is refused again.
    ahead = counted["time.in_future"]["letters"]
    assert {reason: row["letters"] for reason, row in counted.items()} == {
        "line.malformed": 1, "verb.unknown": 1 + 2 * CALLS, "time.in_future": max(2, ahead),
    }  # fmt: skip
    assert all(row["open"] == row["letters"] for row in counted.values())
    code, out, _ = ask("list", "--records", "--reason", "time.*", "--topic", "events.contact.v1")
    assert len(out.splitlines()) == 1 + ahead
    assert "contacts" in out
    rows = [json.loads(r) for r in ask("list", "--records", "--json")[1].splitlines()]
    unknown = next(r for r in rows if r["message"] == "NOSUCHVERB")
    place = f"{unknown['partition']}:{unknown['offset']}"
    code, out, err = ask("show", place)
    assert "would be refused again: verb.unknown  NOSUCHVERB" in out
    assert "secret" not in out + err
    code, out, err = ask("show", unknown["id"], "--body")
    assert "|NOSUCHVERB|secret" in out
    assert "personal data" in err
    return ahead + 2 * CALLS


def dry_run(ask: Ask, letters: int, of: Run) -> None:
    """Nothing is sent, nothing is noted."""
    code, out, err = ask("replay", "--json")
    outcome = json.loads(out)
    assert (code, outcome["applied"]) == (1, False)
    assert (outcome["passes"], outcome["refused"], outcome["sent"]) == (letters, 2, 0)
    assert "nothing was sent" in err
    assert not sent_back(of)
    assert not list(read_all(of.deployment.bootstrap, [of.deployment.replays_topic]))


def interrupted(of: Run, letters: int, folder: Path) -> None:
    """Ended by another one; Ctrl-C behind a batch; killed behind a batch, and behind the note of
    one."""
    words = ["dlq", "replay", "--apply", "--json"]
    asked = environment(of)
    one = Command([*words, "--rate", "1/s"], folder, asked)
    wait_for(of, 1)
    other = Command([*words, "--rate", "1/s"], folder, asked)
    ended = one.wait()
    assert ended.code == 1
    assert "another replay of dead letters has begun" in ended.err
    wait_for(of, len(sent_back(of)) + 1)
    other.process.send_signal(signal.SIGINT)
    ran = other.wait()
    assert ran.code == 130, ran.err
    first = sum(sent_back(of).values())
    assert first > json.loads(ran.out)["sent"] > 0
    for failing, more in (("dlq.outputs#2:kill", 10), ("dlq.ahead:kill", 0)):
        ran = run([*words, "--rate", "25/s"], folder, asked | {"CONTACT_STREAMS_FAIL_AT": failing})
        assert ran.code == -signal.SIGKILL, ran.err
        first += more
        assert len(sent_back(of)) == first


def finished(ask: Ask, letters: int, of: Run) -> None:
    """The rest goes, no faster than it may, and then nothing more."""
    before = sum(sent_back(of).values())
    began = time.monotonic()
    code, out, _ = ask("replay", "--apply", "--json", "--rate", "50/s", "--reason", "verb.unknown",
                       "--reason", "time.in_future")  # fmt: skip
    outcome = json.loads(out)
    assert (code, outcome["sent"]) == (1, letters - before)  # a verb is still unknown
    assert time.monotonic() - began > (outcome["sent"] - 10) / 50
    assert set(sent_back(of).values()) == {1}
    assert sum(sent_back(of).values()) == letters
    code, out, _ = ask("replay", "--apply", "--json")
    assert json.loads(out)["sent"] == 0
    assert json.loads(out)["replayed_before"] == letters
    assert sum(sent_back(of).values()) == letters
    code, out, _ = ask("list", "--json", "--stage", "contacts")
    assert [json.loads(line)["open"] for line in out.splitlines()] == [0]
