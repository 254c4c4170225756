"""What a worker does besides adding up: refuse, set aside, stop."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kafka import KafkaProducer

from streams.kafka import topics
from streams.kafka.consume import read_all
from streams.kafka.embedded import EmbeddedCluster
from streams.results import read_latest
from tests.integration.runs import SOURCE, Told, a_run, stopping

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

GOOD = """\
1791183466|1791183466.1|PS|NONE|ENTERQUEUE|||1
1791183476|1791183466.1|PS|Agent/18|CONNECT|10|1791183466.1|0
1791183486|1791183466.1|PS|Agent/18|COMPLETEAGENT|10|10|1
"""
BAD = (b"no queue_log at all", b"1791183467|1791183466.2|PS|NONE|NOSUCHVERB|x", b"\xff\xfe|||")


def test_what_cannot_be_decoded_is_set_aside_untouched_and_the_rest_goes_on(
    broker: EmbeddedCluster, prefix: str, tmp_path: Path
) -> None:
    log = tmp_path / "queue_log"
    good = GOOD.encode().splitlines()
    log.write_bytes(b"\n".join([BAD[0], good[0], BAD[1], good[1], BAD[2], good[2]]) + b"\n")
    with a_run(broker, prefix) as run:
        assert run.send(log) == 6
        with stopping(run.worker()) as worker:
            run.finish(worker)
        letters = list(read_all(broker.bootstrap, [run.deployment.topic("dlq.events.v1")]))
        offered = [
            r.value
            for r in read_latest(run.deployment).results()
            if r.kpi == "contacts_offered" and r.window == "day" and r.key.get("queue") == "PS"
        ]
        raw = run.deployment.raw_topic(SOURCE)
    assert sorted(letter.value or b"" for letter in letters) == sorted(BAD)
    assert offered == [1]
    for letter in letters:
        headers = dict(letter.headers)
        assert headers["cc_dlq_topic"].decode() == raw
        assert headers["cc_dlq_reason"] in (b"line.malformed", b"verb.unknown", b"time.malformed")
        assert {"cc_dlq_partition", "cc_dlq_offset", "cc_dlq_id", "cc_dlq_appended_at"} <= set(
            headers
        )


def test_rule_18_a_letter_is_written_once_though_its_writer_is_killed_behind_it(
    broker: EmbeddedCluster, prefix: str
) -> None:
    """The worker is killed when letters are written and not committed; the next one reads the same
    records again.  One of them is as large as the topic takes."""
    bad = [b"x" * 1_048_000, b"nonsense", None, b"\xff"]
    with a_run(broker, prefix) as run:
        raw = run.deployment.raw_topic(SOURCE)
        producer = KafkaProducer(bootstrap_servers=broker.bootstrap, max_request_size=2_000_000)
        for value in bad:
            producer.send(raw, key=b"key", value=value)
        producer.close()
        killed = Told(run, CONTACT_STREAMS_FAIL_AT="ingest.letters:kill")
        assert killed.process.wait(60) == -signal.SIGKILL, killed.lines
        with stopping(run.worker()) as worker:
            run.finish(worker)
        letters = list(read_all(broker.bootstrap, [run.deployment.topic("dlq.events.v1")]))
    assert [letter.value for letter in letters] == bad


def test_a_stopped_worker_ends_with_0(broker: EmbeddedCluster, prefix: str) -> None:
    with a_run(broker, prefix) as run:
        flags = {f"STREAMS_{k.upper().replace('.', '_')}": str(v) for k, v in run.flags.items()}
        worker = subprocess.Popen(
            [sys.executable, "-m", "streams", "worker"],
            env={"PATH": "", "HOME": "/", **flags},
            stderr=subprocess.PIPE,
        )
        assert worker.stderr is not None
        told = b""
        while b"rebalance" not in told:
            line = worker.stderr.readline()
            assert line, f"ended early: {told!r}"
            told += line
        worker.send_signal(signal.SIGTERM)
        _, rest = worker.communicate(timeout=30)
        assert worker.returncode == 0, (told + rest).decode()


def test_a_worker_refuses_to_start_on_a_wrong_number_of_partitions(
    broker: EmbeddedCluster, prefix: str
) -> None:
    with a_run(broker, prefix) as run:
        flags = {f"STREAMS_{k.upper().replace('.', '_')}": str(v) for k, v in run.flags.items()}
        ended = subprocess.run(
            [sys.executable, "-m", "streams", "worker"],
            env={"PATH": "", "HOME": "/", **flags, "STREAMS_KAFKA_PARTITIONS": "3"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode != 0
    assert "partitions" in ended.stderr
    assert "contact-streams topics" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_topics_of_a_deployment_are_as_specified(broker: EmbeddedCluster, prefix: str) -> None:
    with a_run(broker, prefix) as run:
        assert topics.check(broker.bootstrap, run.deployment.specs()) == []
