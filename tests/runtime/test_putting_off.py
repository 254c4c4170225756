"""What a worker that is behind its logs puts off."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from streams.runtime.loop import PUBLISH_BEHIND, may_wait
from streams.stages.contacts import ContactsStage
from streams.stages.ingest import IngestStage


@pytest.mark.parametrize(
    ("stage", "sealed", "written"),
    [
        (ContactsStage, [], 1),
        (ContactsStage, ["a seal"], PUBLISH_BEHIND),
        (IngestStage, [], PUBLISH_BEHIND),
    ],
    ids=["sums", "a_sealed_segment", "events"],
)
def test_only_sums_are_written_less_often(stage: Any, sealed: list[str], written: int) -> None:
    owner: Any = SimpleNamespace(stage=stage, shard=SimpleNamespace(sealed=sealed))
    assert sum(not may_wait(owner, turn) for turn in range(PUBLISH_BEHIND)) == written
