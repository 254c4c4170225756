"""A computation above 1 goes on reading raw topics where the one before it is.

It was made from the event topics, which the ones before it have filled.  A group of its own has no
commits on the raw topics; from their beginning, everything that is in the event topics would be
written there again.  What is read twice, because the workers before it went on for a while, has the
same event ids and changes nothing.
"""

from __future__ import annotations

import logging

from kafka import TopicPartition
from kafka.structs import OffsetAndMetadata

from streams.kafka.groups import commit, committed
from streams.runtime.stages import raw_topic
from streams.settings import Settings
from streams.sources import SOURCES

log = logging.getLogger("streams")


def adopt(settings: Settings) -> None:
    """Commit for this group, where it has no commit on a raw topic, what the groups of earlier
    computations have committed at most."""
    kafka = settings.kafka
    needed = settings.processing.ingest == "on" and kafka.computed_from == "events"
    if kafka.computation == 1 or not needed:
        return
    raw = {raw_topic(kafka.prefix, name) for name in SOURCES}
    ours = committed(kafka, kafka.group)
    best: dict[TopicPartition, OffsetAndMetadata] = {}
    for computation in range(1, kafka.computation):
        for at, found in committed(kafka, kafka.group_of(computation)).items():
            known = best.get(at)
            if (
                at.topic in raw
                and at not in ours
                and (known is None or found.offset > known.offset)
            ):
                best[at] = found
    if best:
        commit(kafka, kafka.group, best)
        log.info("raw topics are read on from where computations before %d are", kafka.computation)
