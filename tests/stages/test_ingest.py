"""The ingest stage: what is used of a record, what becomes a dead letter, and which are made."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from streams.core.events import ContactStarted
from streams.core.pseudonym import no_pseudonym
from streams.core.source import (
    Decoded,
    Event,
    PartlyRejected,
    Pseudonym,
    Record,
    Rejected,
    Source,
)
from streams.deployment import Deployment
from streams.runtime.app import shape_of
from streams.runtime.stages import stage_specs
from streams.settings import load
from streams.sources import SOURCES
from streams.stages.ingest import IngestStage

BAD, WORSE = Rejected("time.malformed", "soon"), Rejected("queue.missing")


def started(contact: str) -> Event:
    return ContactStarted(id=contact, source="s", contact=contact, time=1)


def stage(*answers: Decoded) -> IngestStage:
    """A stage whose platform gives these answers one after the other, with a record for each."""
    left = iter(answers)

    def decode(record: Record, pseudonym: Pseudonym) -> Decoded:
        return next(left)

    made = IngestStage(
        0,
        source=Source("s", "s", decode, ""),
        pseudonym=no_pseudonym,
        partitions=1,
        partition_of=lambda key, partitions: 0,
    )
    made.absorb([Record("raw", 0, offset, 7, b"k", b"v") for offset in range(len(answers))])
    return made


def test_what_can_be_used_of_a_record_is_used_and_the_record_is_one_dead_letter() -> None:
    made = stage(PartlyRejected([started("a"), started("b")], [BAD, WORSE]))
    assert dict(made.counts) | {"events": 1} == {
        "events": 1,
        "rejected.time.malformed": 1,
        "rejected.queue.missing": 1,
    }
    letter, *events = made.seal(9).outputs
    assert [event.key for event in events] == [b"a", b"b"]
    assert (letter.stream, letter.value) == ("dlq", b"v")
    headers = dict(letter.headers)
    assert (headers["cc_dlq_reason"], headers["cc_dlq_message"]) == (b"time.malformed", b"soon")


@pytest.mark.parametrize(
    ("answers", "in_a_row"),
    [
        ([BAD, BAD], 2),
        ([BAD, PartlyRejected([started("a")], [BAD])], 0),
        ([BAD, ()], 0),
        ([PartlyRejected([started("a")], [BAD]), BAD], 1),
    ],
)
def test_only_records_of_which_nothing_can_be_used_look_like_a_bad_release(
    answers: Sequence[Decoded], in_a_row: int
) -> None:
    assert stage(*answers).rejected_in_a_row == in_a_row


# --- which platforms are read


def read(sources: str) -> tuple[list[str], list[str]]:
    """(Raw topics, topics with an ingest stage) of a deployment with this setting."""
    settings = load({"STREAMS_INGEST_SOURCES": sources} if sources else {})
    topics = [spec.name for spec in Deployment.of(settings).specs() if ".raw." in spec.name]
    stages = [spec.topic for spec in stage_specs(shape_of(settings)) if spec.name == "ingest"]
    return topics, stages


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        ("", ["asterisk-queue-log"]),
        ("zendesk,amazon_connect", ["amazon-connect", "zendesk"]),
        ("zendesk,zendesk", ["zendesk"]),
        (",".join(SOURCES), sorted(source.topic for source in SOURCES.values())),
    ],
)
def test_a_platform_that_is_switched_on_has_a_raw_topic_and_a_stage(
    sources: str, names: list[str]
) -> None:
    wanted = [f"cc.raw.{name}.v1" for name in names]
    topics, stages = read(sources)
    assert topics == wanted
    assert sorted(stages) == wanted
