"""Delivery rules that only a real broker can show.

The others are in ``tests/simulation/test_rules.py``.  What is broken on purpose is done here beside
what is right: the same producer without a fence, the same log without its last record.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import ProducerFenced

from streams.arrival import Offsets
from streams.kafka.consume import read_all
from streams.kafka.embedded import EmbeddedCluster
from streams.results import read_latest
from streams.runtime.writing import Writer, fenced_writer, plain_writer, settled
from tests.integration.runs import Run, a_run, stopping

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

OLD_MS = 1_500_000_000_000
SEGMENT = 256
"""The segment size of ``a_run``."""


def changelog(run: Run) -> str:
    return f"{run.flags['kafka.app_id']}-contacts-changelog"


def values(broker: EmbeddedCluster, topic: str, isolation: Any) -> list[bytes | None]:
    return [r.value for r in read_all(broker.bootstrap, [topic], isolation)]


async def using(*writers: Writer) -> AsyncExitStack:
    """Started, and stopped at the end however it ends."""
    stack = AsyncExitStack()
    for writer in writers:
        await writer.start()
        stack.push_async_callback(_stop, writer)
    return stack


async def _stop(writer: Writer) -> None:
    with_error = await asyncio.gather(writer.stop(), return_exceptions=True)
    assert all(e is None or isinstance(e, ProducerFenced) for e in with_error), with_error


# -- 4: fence


def test_rule_04_an_earlier_owner_is_refused_and_what_it_left_open_is_aborted(
    broker: EmbeddedCluster, prefix: str
) -> None:
    """The old owner stands still in the middle of a transaction; the new one takes over.  What the
    old one sends from now on is refused, also to commit what it had sent; a reader of committed
    records never sees any of it, and waits for nothing."""
    with a_run(broker, prefix) as run:
        topic = changelog(run)
        asyncio.run(_hand_over(broker.bootstrap, topic, fenced=True))
        assert values(broker, topic, "read_committed") == [b"new"]
        assert values(broker, topic, "read_uncommitted") == [b"old", b"new"]


def test_rule_04_without_a_fence_the_earlier_owner_overwrites(
    broker: EmbeddedCluster, prefix: str
) -> None:
    """Broken on purpose: each owner has a name of its own.  The old owner's seal arrives after the
    new one's and is the last word on its key."""
    with a_run(broker, prefix) as run:
        topic = changelog(run)
        asyncio.run(_hand_over(broker.bootstrap, topic, fenced=False))
        assert values(broker, topic, "read_committed") == [b"old", b"new", b"older still"]


async def _hand_over(bootstrap: str, topic: str, *, fenced: bool) -> None:
    names = ("owner", "owner") if fenced else ("owner one", "owner two")
    old, new = (fenced_writer(bootstrap, {}, f"{topic}-{name}") for name in names)
    async with await using(old):
        await old.producer.begin_transaction()
        await settled(await old.send(topic, 0, [(b"key", b"old", ())]))
        async with await using(new):
            async with new.producer.transaction():
                await settled(await new.send(topic, 0, [(b"key", b"new", ())]))
            if fenced:
                with pytest.raises(ProducerFenced):
                    await _go_on(old, topic)
            else:
                await _go_on(old, topic)


async def _go_on(old: Writer, topic: str) -> None:
    await settled(await old.send(topic, 0, [(b"key", b"older still", ())]))
    await old.producer.commit_transaction()


# -- 5: sentinel


def test_rule_05_a_log_that_ends_in_a_marker_makes_a_reader_wait_until_the_sentinel(
    broker: EmbeddedCluster, prefix: str
) -> None:
    """A transaction's marker takes the last offset and is delivered to nobody: who reads up to the
    last offset, as Faust's recovery does, waits for ever.  One record outside any transaction and
    the last offset is one that comes."""
    with a_run(broker, prefix) as run:
        asyncio.run(_read_to_the_end(broker.bootstrap, changelog(run)))


async def _read_to_the_end(bootstrap: str, topic: str) -> None:
    fence, plain = fenced_writer(bootstrap, {}, f"{topic}-seal"), plain_writer(bootstrap, {})
    async with await using(fence, plain):
        async with fence.producer.transaction():
            await settled(await fence.send(topic, 0, [(b"a", b"1", ()), (b"b", b"2", ())]))
        assert await _reaches_the_last_offset(bootstrap, topic, 2) is False
        await settled(await plain.send(topic, 0, [(b"", b"", ())]))
        assert await _reaches_the_last_offset(bootstrap, topic, 3) is True


async def _reaches_the_last_offset(bootstrap: str, topic: str, last: int) -> bool:
    """Whether the record at the log's last offset is delivered; False if none comes for long.  The
    marker is written soon after the commit was acknowledged, so the end is waited for."""
    at = TopicPartition(topic, 0)
    reader = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await reader.start()
    try:
        reader.assign([at])
        while (await reader.end_offsets([at]))[at] <= last:  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.02)
        while True:
            record = await asyncio.wait_for(reader.getone(at), 1.5)
            if record.offset == last:
                return True
    except TimeoutError:
        return False
    finally:
        await reader.stop()


# -- 9 and 11: segments and time

DAY = 1_791_183_466
CALL = (
    "{at}|call-{n}|PS|NONE|ENTERQUEUE|||1\n"
    "{later}|call-{n}|PS|Ann|CONNECT|10|x|0\n"
    "{later}|call-{n}|PS|Ann|COMPLETEAGENT|10|0|1\n"
)


def calls(count: int) -> str:
    return "".join(CALL.format(at=DAY + n, later=DAY + n + 10, n=n) for n in range(count))


def offered(run: Run) -> list[float]:
    return [
        result.value
        for result in read_latest(run.deployment).results()
        if result.kpi == "contacts_offered"
        and result.window == "day"
        and result.key.get("queue") == "PS"
    ]


def test_rule_09_only_seals_commit_and_only_at_the_borders_of_segments(
    broker: EmbeddedCluster, prefix: str, tmp_path: Path
) -> None:
    """Faust's own bookkeeping would commit wherever a folded batch ended, in the middle of
    segments; then a restart begins a segment's sums anew and they replace the whole."""
    log = tmp_path / "queue_log"
    log.write_text(calls(400))
    with a_run(broker, prefix) as run:
        run.send(log)
        with stopping(run.worker()) as worker:
            run.finish(worker)
        with Offsets(run.deployment) as offsets:
            for topic in ("events.contact.v1", "events.agent.v1"):
                name = run.deployment.topic(topic)
                ends, committed = offsets.ends(name), offsets.committed(name)
                for partition, end in ends.items():
                    assert committed[partition] % SEGMENT == 0
                    assert committed[partition] == end // SEGMENT * SEGMENT
        assert offered(run) == [400]


def test_rule_11_a_quiet_hour_is_shown_although_no_segment_is_full(
    broker: EmbeddedCluster, prefix: str, tmp_path: Path
) -> None:
    """Publishing is timed.  If only full segments were published, three calls would never show."""
    log = tmp_path / "queue_log"
    log.write_text(calls(3))
    with a_run(broker, prefix) as run:
        run.send(log)
        with stopping(run.worker()) as worker:
            run.finish(worker)
        with Offsets(run.deployment) as offsets:
            committed = offsets.committed(run.deployment.topic("events.contact.v1"))
        assert set(committed.values()) == {0}
        assert offered(run) == [3]


# -- 12 and 13: how it is written


def test_rule_12_records_bear_the_time_of_their_append(
    broker: EmbeddedCluster, prefix: str
) -> None:
    """A replayed year with its own timestamps would be deleted by retention within minutes.  Our
    topics overrule what the producer says; one without the setting (a changelog, from which nothing
    is deleted for its age) believes it."""
    with a_run(broker, prefix) as run:
        topic = run.deployment.topic("events.contact.v1")
        now_ms = time.time_ns() // 1_000_000
        assert asyncio.run(_dated(broker.bootstrap, topic)) >= now_ms - 1_000
        assert asyncio.run(_dated(broker.bootstrap, changelog(run))) == OLD_MS


async def _dated(bootstrap: str, topic: str) -> int:
    """The timestamp of a record that was sent with an old one."""
    plain, at = plain_writer(bootstrap, {}), TopicPartition(topic, 0)
    async with await using(plain):
        await plain.producer.send_and_wait(topic, b"x", key=b"x", partition=0, timestamp_ms=OLD_MS)
    reader = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await reader.start()
    try:
        reader.assign([at])
        return int((await reader.getone(at)).timestamp)
    finally:
        await reader.stop()


def test_rule_13_a_seal_is_written_as_few_batches(broker: EmbeddedCluster, prefix: str) -> None:
    """5,000 entities go as one batch, in order; one send a record takes a hundred times as long."""
    with a_run(broker, prefix) as run:
        topic = changelog(run)
        asyncio.run(_write_seal(broker.bootstrap, topic))
        written = [int(value or b"") for value in values(broker, topic, "read_committed")]
        assert written == list(range(5_000))


async def _write_seal(bootstrap: str, topic: str) -> None:
    fence = fenced_writer(bootstrap, {}, f"{topic}-seal")
    rows = [(b"%d" % n, b"%d" % n, ()) for n in range(5_000)]
    async with await using(fence), fence.producer.transaction():
        futures = await fence.send(topic, 0, rows)
        assert len(futures) == 1
        await settled(futures)
