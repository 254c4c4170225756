"""What the logs no longer have: never passed over in silence.

Retention that was faster than the worker, a topic deleted and made again, a changelog whose head
somebody removed: each time what is stored and what can be read contradict each other.  The worker
stops and says so.  ``processing.lost_records = "accept"`` is the operator's word that what is gone
is gone; then the loss is logged and counted, and the worker goes on with what is left.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from streams.core.segment import Segments
from streams.errors import StateError

log = logging.getLogger("streams")
At = tuple[str, int]
"""Topic and partition."""
SENTINEL = b"\x00topics "
ACCEPT = "or set processing.lost_records = accept to go on without them"


class Committed(NamedTuple):
    """A commit of the group: the offset, and the ids of the topics it is about."""

    offset: int
    note: str = ""


class Span(NamedTuple):
    """What a log has: ``first`` is the offset of its first record, ``end`` that of the next."""

    first: int
    end: int


class Losses:
    """Judges starts and holes.  ``ids``: topic -> the id the cluster gave it when it was made."""

    def __init__(self, accept: bool, ids: Mapping[str, str]) -> None:
        self.records: Counter[str] = Counter()
        """Topic -> records (offsets) lost and passed over in this process."""
        self._accept = accept
        self._ids = ids

    def note(self, topic: str, changelog: str | None) -> str:
        """What goes with a commit: which incarnation of the topics it is about."""
        return " ".join(self._ids.get(t, "") for t in (topic, changelog) if t is not None)

    def sentinel(self, topic: str, changelog: str) -> bytes:
        """The key of the changelog record of a takeover.  With another incarnation of the topic it
        is another key, so the log cleaner keeps it."""
        return SENTINEL + self.note(topic, changelog).encode()

    def check_sentinel(self, at: At, key: bytes, expected: bytes) -> None:
        """A changelog tells which topic its state is of; the group's commits do not, when the topic
        was deleted and they with it."""
        if key.startswith(SENTINEL) and key != expected:
            raise StateError(
                f"{_named(at)} is not the topic that was processed before",
                "it was deleted and made again, and the state is of the one before",
                "restore the topic, or begin anew under a new kafka.app_id",
            )

    def start(
        self,
        at: At,
        committed: Committed | None,
        span: Span,
        *,
        segments: Segments | None,
        note: str,
    ) -> int:
        """Where to begin to read.  ``segments``: at whose borders commits are, if at any."""
        if committed is None:
            return span.first
        self._check_same(at, committed, span, note)
        if committed.offset < span.first:
            self._lost(at, committed.offset, span.first, "retention deleted them unread")
            return span.first
        if segments and committed.offset != segments.border(committed.offset):
            raise StateError(
                f"{_named(at)}: the commit, {committed.offset}, is not the start of a segment",
                "it was set by hand, or processing.segment_size was changed; sums would be wrong",
                "set both back, or begin anew under a new kafka.app_id",
            )
        return committed.offset

    def _check_same(self, at: At, committed: Committed, span: Span, note: str) -> None:
        other = bool(committed.note and note and committed.note != note)
        if other or committed.offset > span.end:
            raise StateError(
                f"{_named(at)} or its changelog is not the one that was processed before",
                "it was deleted and made again" if other else "it ends before what is processed",
                "restore the topics, or begin anew under a new kafka.app_id",
            )

    def changelog(self, at: At, span: Span) -> None:
        """A compacted log begins at 0, whatever the cleaner has dropped from it."""
        if span.first > 0:
            self._lost(at, 0, span.first, "the changelog's head was deleted, state with it")

    def passed(self, at: At, expected: int, found: int, span: Span) -> None:
        """While reading, nothing came between ``expected`` and ``found``, and nothing is there."""
        if span.first > expected:
            self._lost(at, expected, min(found, span.first), "retention deleted them unread")
        else:  # markers of a foreign producer's transactions
            log.warning("%s: no records from %d to %d", _named(at), expected, found)

    def shrunk(self, at: At, absorbed: int, end: int) -> None:
        """A log cannot end before what was read from it."""
        if end < absorbed:
            raise StateError(
                f"{_named(at)} ends at {end}, but {absorbed} were read from it",
                "the topic was deleted and made again, or brokers lost acknowledged records",
                "restore the topic, or begin anew under a new kafka.app_id",
            )

    def _lost(self, at: At, start: int, end: int, why: str) -> None:
        if not self._accept:
            raise StateError(
                f"{_named(at)}: offsets {start} to {end - 1} are gone",
                f"{why}; what they would have added is lost",
                f"restore the topic, begin anew under a new kafka.app_id, {ACCEPT}",
            )
        self.records[at[0]] += end - start
        log.error("%s: offsets %d to %d are lost: %s", _named(at), start, end - 1, why)


def _named(at: At) -> str:
    return f"{at[0]}[{at[1]}]"
