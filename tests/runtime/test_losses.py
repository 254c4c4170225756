"""What the logs no longer have is told, or accepted and counted; nothing else starts a shard."""

from __future__ import annotations

import logging

import pytest

from streams.core.segment import Segments
from streams.errors import StateError
from streams.runtime.losses import Committed, Losses, Span

AT = ("cc.events.contact.v1", 2)
LOG = ("app-contacts-changelog", 2)
IDS = {AT[0]: "id-of-events", LOG[0]: "id-of-log"}
SEGMENTS = Segments(256)
NOTE = "id-of-events id-of-log"


def start(
    losses: Losses, committed: Committed | None, span: Span, segments: Segments | None = SEGMENTS
) -> int:
    return losses.start(AT, committed, span, segments=segments, note=losses.note(AT[0], LOG[0]))


@pytest.mark.parametrize(
    ("committed", "span", "expected"),
    [
        (None, Span(0, 0), 0),
        (None, Span(70, 900), 70),
        (Committed(512), Span(0, 900), 512),
        (Committed(512, NOTE), Span(512, 512), 512),
        (Committed(0, NOTE), Span(0, 0), 0),
    ],
)
def test_a_shard_starts_at_the_commit_or_where_the_log_begins(
    committed: Committed | None, span: Span, expected: int
) -> None:
    losses = Losses(False, IDS)
    assert start(losses, committed, span) == expected
    assert not losses.records


@pytest.mark.parametrize(
    ("committed", "span", "says"),
    [
        (Committed(512, NOTE), Span(600, 900), "offsets 512 to 599 are gone"),
        (Committed(512, NOTE), Span(0, 100), "ends before what is processed"),
        (Committed(512, "other id-of-log"), Span(0, 900), "deleted and made again"),
        (Committed(512, "id-of-events other"), Span(0, 900), "deleted and made again"),
        (Committed(500, NOTE), Span(0, 900), "not the start of a segment"),
    ],
)
def test_a_start_that_contradicts_what_is_stored_stops_the_worker(
    committed: Committed, span: Span, says: str
) -> None:
    with pytest.raises(StateError) as raised:
        start(Losses(False, IDS), committed, span)
    assert says in str(raised.value)
    assert "cc.events.contact.v1[2]" in str(raised.value)


def test_a_stage_without_segments_starts_at_any_commit() -> None:
    assert start(Losses(False, IDS), Committed(501, NOTE), Span(0, 900), segments=None) == 501


def test_an_accepted_loss_is_counted_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    losses = Losses(True, IDS)
    with caplog.at_level(logging.ERROR, "streams"):
        assert start(losses, Committed(512, NOTE), Span(600, 900)) == 600
        losses.changelog(LOG, Span(40, 50))
    assert losses.records == {AT[0]: 88, LOG[0]: 40}
    assert [r.levelname for r in caplog.records] == ["ERROR", "ERROR"]


def test_a_topic_made_again_is_not_accepted_whatever_the_setting() -> None:
    """Its offsets begin anew; what is stored would take them for long past."""
    with pytest.raises(StateError, match="made again"):
        start(Losses(True, IDS), Committed(512, "other id-of-log"), Span(0, 900))


def test_a_changelog_begins_at_0_even_when_compacted() -> None:
    Losses(False, IDS).changelog(LOG, Span(0, 7))
    with pytest.raises(StateError, match="head was deleted"):
        Losses(False, IDS).changelog(LOG, Span(1, 7))


def test_a_hole_of_markers_is_passed_and_one_of_retention_is_not() -> None:
    losses = Losses(False, IDS)
    losses.passed(AT, 10, 12, Span(0, 40))
    assert not losses.records
    with pytest.raises(StateError, match="offsets 10 to 29 are gone"):
        losses.passed(AT, 10, 30, Span(30, 40))
    accepting = Losses(True, IDS)
    accepting.passed(AT, 10, 30, Span(28, 40))
    assert accepting.records == {AT[0]: 18}


def test_the_state_of_a_topic_that_was_made_again_is_refused() -> None:
    """Deleting a topic deletes the group's commits, so only the changelog knows."""
    losses = Losses(True, IDS)
    expected = losses.sentinel(AT[0], LOG[0])
    for key in (expected, b"", b"c1790000000.1"):
        losses.check_sentinel(AT, key, expected)
    other = Losses(True, IDS | {AT[0]: "another"}).sentinel(AT[0], LOG[0])
    with pytest.raises(StateError, match="made again"):
        losses.check_sentinel(AT, other, expected)


def test_a_log_that_ends_before_what_was_read_stops_the_worker() -> None:
    Losses(False, IDS).shrunk(AT, 40, 40)
    with pytest.raises(StateError, match="ends at 39, but 40 were read"):
        Losses(False, IDS).shrunk(AT, 40, 39)
