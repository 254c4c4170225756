"""What a worker wants before it starts."""

from __future__ import annotations

import pytest

from streams.deployment import Deployment
from streams.runtime.app import topic_specs
from streams.settings import load
from streams.sources import SOURCES


@pytest.mark.parametrize("sources", ["asterisk_queue_log", ",".join(SOURCES), "zendesk,zendesk"])
def test_a_worker_verifies_the_topics_that_are_made(sources: str) -> None:
    settings = load({"STREAMS_INGEST_SOURCES": sources})
    assert topic_specs(settings) == Deployment.of(settings).specs()
