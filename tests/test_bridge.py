"""The bridge sends every line once or again, untouched, with the ids it always had."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient, NewTopic

from streams.bridge import Bridge, BridgeError, KafkaOutlet, Row
from streams.bridge.bridge import key_of
from streams.bridge.occurrences import WINDOW_LINES, Occurrences
from streams.bridge.tail import PIECE_BYTES
from streams.kafka.embedded import EmbeddedCluster
from streams.kafka.partition import partition_of
from tests.bridge_log import (
    PARTITIONS,
    Collected,
    append,
    line,
    once,
    text,
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "queue_log"


# --- one run over one file


def test_lines_are_sent_untouched_keyed_by_call_with_the_source_named(log: Path) -> None:
    log.write_bytes(text(line(1), line(2)))
    outlet = Collected()
    Bridge(log, outlet, source="pbx-1").run()
    assert sorted(outlet.rows) == sorted(
        (partition_of(key, PARTITIONS), Row(key, value, [("source", b"pbx-1")]))
        for key, value in ((b"1791183467.1", line(1)), (b"1791183468.2", line(2)))
    )


def test_a_partial_last_line_is_sent_at_the_end_of_a_run_that_does_not_follow(log: Path) -> None:
    log.write_bytes(text(line(1)) + line(2))
    assert once(log).lines() == [line(1), line(2)]


def test_a_partial_line_that_was_sent_is_sent_again_when_it_is_whole(log: Path) -> None:
    state = log.with_name("state")
    log.write_bytes(text(line(1)) + line(2)[:-3])
    assert once(log, state).lines() == [line(1), line(2)[:-3]]
    append(log, line(2)[-3:] + text(b"", line(3)))
    assert once(log, state).lines() == [line(2), line(3)]


def test_line_ends_of_either_kind_and_blank_lines_are_not_sent(log: Path) -> None:
    log.write_bytes(line(1) + b"\r\n\n\r\n" + text(line(2)))
    outlet = Collected()
    done = Bridge(log, outlet).run()
    assert outlet.lines() == [line(1), line(2)]
    assert (done.lines, done.blank, done.bytes_done) == (2, 2, done.bytes_total)


def test_identical_lines_get_ordinals_however_far_apart(log: Path) -> None:
    between = [line(n) for n in range(10, 2000)]
    log.write_bytes(text(line(1), line(1), *between, line(1)))
    outlet = Collected()
    done = Bridge(log, outlet).run()
    ordinals = [dict(row.headers).get("ordinal") for _, row in outlet.rows if row.value == line(1)]
    assert ordinals == [None, b"1", b"2"]
    assert done.repeats == 2


def test_an_empty_log_is_no_error(log: Path) -> None:
    log.touch()
    assert once(log).rows == []


def test_a_missing_log_is_told_with_its_name(log: Path) -> None:
    with pytest.raises(BridgeError, match="queue_log is no file"):
        once(log)


def test_a_source_without_a_name_is_refused(log: Path) -> None:
    with pytest.raises(BridgeError, match="1 to 120"):
        Bridge(log, Collected(), source="")


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (line(1), b"1791183467.1"),
        (b"1|NONE|sales|Agent/7|PAUSE|", b"Agent/7"),
        (b"1|REALTIME|sales|NONE|PENALTY|1", b"sales"),
        (b"1|NONE|NONE|NONE|QUEUESTART|", b"NONE"),
        (b"1|", b"NONE"),
        (b"", b"NONE"),
        (b"1|" + b"c" * 300, b"c" * 200),
    ],
)
def test_the_key_is_the_call_then_the_agent_then_the_queue(raw: bytes, key: bytes) -> None:
    assert key_of(raw) == key


# --- restarts


def test_a_second_run_sends_only_what_is_new(log: Path) -> None:
    state = log.with_name("state")
    log.write_bytes(text(line(1), line(2)))
    assert once(log, state).lines() == [line(1), line(2)]
    assert once(log, state).lines() == []
    append(log, text(line(3)))
    assert once(log, state).lines() == [line(3)]


def test_ordinals_are_counted_anew_from_the_file_after_a_restart(log: Path) -> None:
    state = log.with_name("state")
    log.write_bytes(text(line(1), line(2), line(1)))
    before = once(log, state).told_apart()
    append(log, text(line(1), line(2)))
    after = once(log, state).told_apart()
    assert before == {(line(1), b"0"), (line(2), b"0"), (line(1), b"1")}
    assert after == {(line(1), b"2"), (line(2), b"1")}


def test_what_was_not_acknowledged_is_sent_again_with_the_same_ordinals(log: Path) -> None:
    state = log.with_name("state")
    many = [line(n % 9_000, "x" * 100) for n in range(20_000)]
    log.write_bytes(text(*many))
    failed = Collected(failing_at=2)
    with pytest.raises(BridgeError, match="the broker is gone"):
        Bridge(log, failed, state=state).run()
    assert 0 < len(failed.rows) < len(many)
    rest = once(log, state)
    assert Counter(failed.lines()) + Counter(rest.lines()) == Counter(many)
    assert failed.told_apart() | rest.told_apart() == once(log).told_apart()
    assert not failed.told_apart() & rest.told_apart()


@pytest.mark.parametrize(
    "contents",
    [
        b"",
        b"{}",
        b"[1]",
        b'{"version":1,"offset":1}',
        b'{"version":2,"device":1,"inode":1,"offset":1,"head":"","head_bytes":1}',
        b'{"version":1,"device":1,"inode":1,"offset":-1,"head":"","head_bytes":1}',
    ],
)
def test_a_state_file_that_makes_no_sense_stops_the_run(log: Path, contents: bytes) -> None:
    log.write_bytes(text(line(1)))
    state = log.with_name("state")
    state.write_bytes(contents)
    with pytest.raises(BridgeError, match="cannot be used") as told:
        once(log, state)
    assert "rm " in str(told.value)


def test_the_state_is_never_half_written(log: Path) -> None:
    state = log.with_name("deep") / "state"
    log.write_bytes(text(line(1)))
    once(log, state)
    assert json.loads(state.read_text())["offset"] == len(text(line(1)))
    assert sorted(p.name for p in state.parent.iterdir()) == ["state"]


# --- the real broker


def read_back(bootstrap: str, topic: str, count: int) -> list[Any]:
    consumer = KafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=20_000
    )
    try:
        return list(islice(consumer, count))
    finally:
        consumer.close()


@pytest.mark.integration
def test_what_is_sent_to_kafka_is_what_the_log_holds(
    log: Path, broker: EmbeddedCluster, prefix: str
) -> None:
    topic = f"{prefix}.raw"
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    admin.close()
    longest = line(5) + b"x" * (2 * PIECE_BYTES - 1 - len(line(5)))
    log.write_bytes(text(line(1), line(1), b"\xff\0", line(2), longest))
    outlet = KafkaOutlet(topic, {"bootstrap_servers": broker.bootstrap})
    assert Bridge(log, outlet, source="pbx-1").run().lines == 5
    found = read_back(broker.bootstrap, topic, 5)
    expected = {
        (line(1), key_of(line(1)), (("source", b"pbx-1"),)),
        (line(1), key_of(line(1)), (("source", b"pbx-1"), ("ordinal", b"1"))),
        (b"\xff\0", b"NONE", (("source", b"pbx-1"),)),
        (line(2), key_of(line(2)), (("source", b"pbx-1"),)),
        (longest, key_of(longest), (("source", b"pbx-1"),)),
    }
    assert {(r.value, r.key, tuple(map(tuple, r.headers))) for r in found} == expected
    assert all(r.partition == partition_of(r.key, PARTITIONS) for r in found)


@pytest.mark.integration
def test_a_missing_topic_is_told_with_what_to_run(
    log: Path, broker: EmbeddedCluster, prefix: str
) -> None:
    log.write_bytes(text(line(1)))
    outlet = KafkaOutlet(f"{prefix}.none", {"bootstrap_servers": broker.bootstrap})
    with pytest.raises(BridgeError, match="has no such topic") as told:
        Bridge(log, outlet).run()
    assert told.value.next == "contact-streams topics apply"


@pytest.mark.integration
def test_lines_the_broker_refuses_are_sent_again_by_the_next_run(
    log: Path, broker: EmbeddedCluster, prefix: str
) -> None:
    topic, state = f"{prefix}.small", log.with_name("state")
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.create_topics([NewTopic(topic, 1, 1, topic_configs={"max.message.bytes": "100"})])
    admin.close()
    log.write_bytes(text(*(line(n) for n in range(9))))
    outlet = KafkaOutlet(topic, {"bootstrap_servers": broker.bootstrap})
    with pytest.raises(BridgeError, match="did not take the lines"):
        Bridge(log, outlet, state=state).run()
    assert once(log, state).lines() == [line(n) for n in range(9)]


def test_a_missing_broker_is_told(log: Path) -> None:
    log.write_bytes(text(line(1)))
    with pytest.raises(BridgeError, match="cannot be reached"):
        Bridge(log, KafkaOutlet("raw", {"bootstrap_servers": "127.0.0.1:1"})).run()


# --- occurrences


def test_a_window_remembers_the_latest_lines_and_no_more_than_that() -> None:
    counts = Occurrences(exact=False)
    assert [counts.ordinal(b"a") for _ in range(3)] == [0, 1, 2]
    for n in range(WINDOW_LINES):
        counts.ordinal(b"%d" % n)
    assert counts.ordinal(b"a") == 3
    for n in range(3 * WINDOW_LINES):
        counts.ordinal(b"later %d" % n)
    assert counts.ordinal(b"a") == 0


def test_an_exact_count_remembers_everything() -> None:
    counts = Occurrences(exact=True)
    for n in range(3 * WINDOW_LINES):
        counts.ordinal(b"%d" % n)
    assert counts.ordinal(b"0") == 1
