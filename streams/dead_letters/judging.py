"""Would a dead letter be taken today?  Asked of the same decoders that the worker uses.

What a letter says is judged as of when its record was first appended: a record that was dated too
far ahead does not become right by waiting.  A stage that gets it again is never stricter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from streams import codec
from streams.core.events import AgentEvent, AgentScheduled, ContactEvent, Restarted, Tick
from streams.core.source import Event, PartlyRejected, Pseudonym, Rejected, Source
from streams.core.terms import Patience
from streams.core.vocabulary import Channel
from streams.dead_letters.letter import Letter
from streams.dead_letters.reasons import remedy_of
from streams.stages.dead_letter import as_first_told
from streams.stages.ingest import decode
from streams.stages.staff import impossible_schedule

ATTEMPTS_MAX = 3
RECORD_BYTES_MAX = 1_048_576 - 1_024
"""Of what a raw or event topic takes (``max.message.bytes``), without what Kafka adds."""

Word = Literal["passes", "refused", "late", "counted", "looped", "too_large", "unread", "never"]
WORDS: Mapping[Word, str] = {
    "passes": "taken today",
    "refused": "would be refused again",
    "late": "left out: too late (--late sends them)",
    "counted": "was counted in part, and would be again",
    "looped": f"sent back {ATTEMPTS_MAX} times already",
    "too_large": "too large for its topic with the headers of a replay",
    "unread": "from a topic that this deployment does not read",
    "never": "a notice: cannot be replayed",
}
MENDABLE: frozenset[Word] = frozenset(("refused", "counted", "looped", "too_large", "unread"))
"""Somebody has to do something about these."""


class Verdict(NamedTuple):
    """``reason`` and ``detail`` are those of today's decoder; ``dropped``: its sums are not kept
    any more; ``forgotten``: its contact may have left, so it may add a part of one only."""

    word: Word
    reason: str = ""
    detail: str = ""
    dropped: bool = False
    forgotten: bool = False


class Rules(NamedTuple):
    """What letters are judged by: raw topic -> platform, those that are read, the event topics;
    the rest as in the settings (0: no bound)."""

    sources: Mapping[str, Source]
    contacts_topic: str
    agents_topic: str
    pseudonym: Pseudonym
    skew_ms: int
    keep_ms: int
    settle_ms: int
    patience: Mapping[Channel, Patience]


Read = Sequence[Event] | Tick | Rejected


def judge(letter: Letter, rules: Rules, now_ms: int, *, late: bool = False) -> Verdict:
    """What would become of it; ``late`` ones pass too if asked for."""
    never = _never(letter, rules)
    if never is not None:
        return never
    read = _read(letter, rules)
    if isinstance(read, Tick):
        return Verdict("never", detail="a tick; there have been others since")
    refused = read if isinstance(read, Rejected) else _impossible(letter, read, rules.skew_ms)
    if refused is not None:
        return Verdict("refused", *refused)
    assert not isinstance(read, Rejected)
    dropped = bool(read) and all(_dropped(event, rules, now_ms) for event in read)
    forgotten = any(_forgotten(event, rules, now_ms) for event in read)
    return Verdict(_word(letter, dropped, forgotten, late), dropped=dropped, forgotten=forgotten)


def _never(letter: Letter, rules: Rules) -> Verdict | None:
    """What needs no decoder to be said."""
    remedy = remedy_of(letter.reason, letter.stage)
    if remedy == "notice":
        return Verdict("never", detail="it tells of what the worker itself has made")
    if remedy == "full":
        return Verdict("refused", letter.reason, "it is full, and a replay does not empty it")
    known = {*rules.sources, rules.contacts_topic, rules.agents_topic}
    if letter.record.topic not in known:
        return Verdict("unread", detail="see ingest.sources, kafka.prefix, kafka.computation")
    if letter.origin.attempts >= ATTEMPTS_MAX:
        return Verdict("looped")
    return Verdict("too_large") if letter.bytes > RECORD_BYTES_MAX else None


def _read(letter: Letter, rules: Rules) -> Read:
    """The events of it, by the decoder of its topic."""
    record = letter.record
    source = rules.sources.get(record.topic)
    if source is not None:
        found = decode(source, record, rules.pseudonym)
        return found.rejected[0] if isinstance(found, PartlyRejected) else found
    reads: Callable[[bytes | None], Event | Tick | Rejected] = (
        codec.decode_contact if record.topic == rules.contacts_topic else codec.decode_agent
    )
    event = reads(record.value)
    return event if isinstance(event, Tick | Rejected) else [event]


def _impossible(letter: Letter, events: Sequence[Event], skew_ms: int) -> Rejected | None:
    """What the next stage would refuse."""
    told_ms = as_first_told(letter.record).timestamp
    for event in events:
        if isinstance(event, Restarted):
            continue
        if skew_ms and event.time > told_ms + skew_ms:
            return Rejected("time.in_future", "event time is ahead of its append time")
        if isinstance(event, AgentScheduled) and (refused := impossible_schedule(event)):
            return refused
    return None


def _dropped(event: Event, rules: Rules, now_ms: int) -> bool:
    """Nothing would come of it: its minute is gone, or its agent's day is settled."""
    if rules.keep_ms and event.time < now_ms - rules.keep_ms:
        return True
    return isinstance(event, AgentEvent) and event.time < now_ms - rules.settle_ms


def _forgotten(event: Event, rules: Rules, now_ms: int) -> bool:
    """Whether the worker may not know its contact any more."""
    if not isinstance(event, ContactEvent):
        return False
    return event.time < now_ms - rules.patience[event.channel].horizon_ms


def _word(letter: Letter, dropped: bool, forgotten: bool, late: bool) -> Word:
    if letter.used and forgotten:
        return "counted"
    return "late" if (dropped or forgotten) and not late else "passes"
