"""The light way of unpacking on a real log: records inside and outside transactions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streams.kafka.embedded import EmbeddedCluster
from streams.runtime.fetching import Fetched, lighten
from streams.runtime.writing import fenced_writer, plain_writer, settled
from tests.integration.runs import a_run

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
COUNT = 3_000


def test_the_light_consumer_reads_what_the_stock_one_reads(
    broker: EmbeddedCluster, prefix: str
) -> None:
    with a_run(broker, prefix) as run:
        topic = run.deployment.topic("events.contact.v1")
        asyncio.run(_write(broker.bootstrap, topic))
        stock, light = asyncio.run(_read(broker.bootstrap, topic))
    assert len(stock) == 4 * COUNT
    assert [(r.offset, r.key, r.value, tuple(r.headers), r.timestamp) for r in light] == [
        (r.offset, r.key, r.value, tuple(r.headers), r.timestamp) for r in stock
    ]
    assert {type(record) for record in light} == {Fetched}


async def _write(bootstrap: str, topic: str) -> None:
    """Plain, committed, aborted, plain: 3,000 records each, with two markers between."""
    plain, fence = plain_writer(bootstrap, {}), fenced_writer(bootstrap, {}, topic)
    await asyncio.gather(plain.start(), fence.start())
    await settled(await plain.send(topic, 0, _rows(b"first")))
    producer: AIOKafkaProducer = fence.producer
    for name, end in (
        (b"kept", producer.commit_transaction),
        (b"lost", producer.abort_transaction),
    ):
        await producer.begin_transaction()
        await settled(await fence.send(topic, 0, _rows(name)))
        await end()
    await settled(await plain.send(topic, 0, _rows(b"last")))
    await asyncio.gather(plain.stop(), fence.stop())


def _rows(name: bytes) -> list[tuple[bytes, bytes, list[tuple[str, bytes]]]]:
    return [(b"%d" % n, name * 20, [("n", b"%d" % n)]) for n in range(COUNT)]


async def _read(bootstrap: str, topic: str) -> tuple[list[Any], list[Any]]:
    stock, light = _consumer(bootstrap), _consumer(bootstrap)
    tp = TopicPartition(topic, 0)
    try:
        for consumer in (stock, light):
            await consumer.start()
            consumer.assign([tp])
        lighten(light._fetcher)
        return await _to_end(stock, tp), await _to_end(light, tp)
    finally:
        await asyncio.gather(stock.stop(), light.stop())


def _consumer(bootstrap: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=64 * 1024,
    )


async def _to_end(consumer: AIOKafkaConsumer, tp: TopicPartition) -> list[Any]:
    end = (await consumer.end_offsets([tp]))[tp]
    records: list[Any] = []
    while await consumer.position(tp) < end:
        fetched = await consumer._fetcher.fetched_records({tp}, timeout=1.0)
        records += fetched.get(tp, [])
    return records
