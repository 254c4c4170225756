"""Faults of the brokers: killed, and with several of them, made to hand over what they lead."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from kafka import TopicPartition

from tests.chaos import cluster
from tests.chaos.faults.bed import Bed, Course, lasting_seconds, number
from tests.chaos.plan import Parameters

LOOK_SECONDS = 0.25
TOPICS = ("raw.asterisk-queue-log.v1", "events.contact.v1", "events.agent.v1")
TOPICS_BEHIND = ("records.contact.v1", "partials.v1", "kpi.volume.v1", "dlq.events.v1")


def kill(bed: Bed, parameters: Parameters) -> Course:
    """A power cut.  What was acknowledged by all in-sync replicas must still be there."""
    broker = number(parameters, "broker")
    return (yield from _down(bed, broker, lasting_seconds(parameters)))


def _down(bed: Bed, broker: int, seconds: float) -> Course:
    if bed.down:
        # Two of three down is no fault that anything could go on through.
        return f"broker {min(bed.down)} was down already"
    bed.down.add(broker)
    began = time.monotonic()
    bed.cluster.kill(broker)
    try:
        yield from _back_after(bed, broker, seconds)
    finally:
        bed.down.discard(broker)
    return f"broker {broker} was down for {time.monotonic() - began:.1f} s"


def _back_after(bed: Bed, broker: int, seconds: float) -> Course:
    """Other faults go on while it starts, which takes long when three have to agree.  The cluster
    is not for two threads, and is in nobody else's hands while a broker is down."""
    with ThreadPoolExecutor(1) as starting:
        try:
            yield seconds
        finally:
            back = starting.submit(bed.cluster.restart, broker)
        while not back.done():
            yield LOOK_SECONDS
    back.result()
    return ""


def move_leaders(bed: Bed, parameters: Parameters) -> Course:
    """Whoever writes or reads there is told to go elsewhere, in the middle of what it does."""
    pick = number(parameters, "pick")
    changelogs = [f"{bed.deployment.group}-{stage}-changelog" for stage in ("contacts", "board")]
    every = [*map(bed.deployment.topic, TOPICS + TOPICS_BEHIND), *changelogs]
    topic = every[pick % len(every)]
    if bed.down:
        return "a broker was down already"
    with cluster.admin_of(bed.deployment.bootstrap) as admin:
        places = {
            TopicPartition(topic, partition): replicas
            for partition, (_, replicas) in cluster.leaders(admin, topic).items()
        }
        cluster.turn(admin, places, 1 + pick % (bed.world.brokers - 1))
    yield 0.0
    return f"{topic} got other leaders"


def move_coordinator(bed: Bed, parameters: Parameters) -> Course:
    """Joins, heartbeats and commits, or the ends of transactions, find their broker gone."""
    of, how = str(parameters["of"]), str(parameters["how"])
    group = bed.deployment.group
    name = group if of == "group" else f"{group}-{bed.deployment.topic('partials.v1')}-0"
    if bed.down:
        return "a broker was down already"
    with cluster.admin_of(bed.deployment.bootstrap) as admin:
        topic = cluster.COORDINATORS[of]
        found = cluster.leaders(admin, topic)
        partition = cluster.coordinator_partition(name, len(found))
        leader, replicas = found[partition]
        if how == "move":
            cluster.turn(admin, {TopicPartition(topic, partition): replicas}, 1)
    if how == "kill":
        return f"coordinator of {name}: " + (
            yield from _down(bed, leader, lasting_seconds(parameters))
        )
    yield 0.0
    return f"coordinator of {name} moved from broker {leader}"
