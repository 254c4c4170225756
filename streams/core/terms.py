"""What a queue's contract says: thresholds and zones, effective-dated.

Terms are looked up by *event time*, so a change written with its date never rewrites what was
measured before it. Pure data: ``streams.settings`` reads it from the TOML file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from streams.core.opening import ALWAYS, Opening
from streams.core.vocabulary import CHANNELS, Channel

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000


class QueueTerms(NamedTuple):
    """One queue's terms in force: service threshold T, short-abandon limit S, IANA zone of its
    local day, opening hours, and the threshold of the first response (None: the channel's)."""

    threshold_ms: int = 20_000
    short_abandon_ms: int = 5_000
    zone: str = "UTC"
    opening: Opening = ALWAYS
    response_ms: int | None = None


RESPONSE_BY_CHANNEL: Mapping[Channel, int] = {
    "voice": 20 * SECOND_MS,
    "chat": MINUTE_MS,
    "email": 4 * HOUR_MS,
    "social": 5 * MINUTE_MS,
    "sms": 5 * MINUTE_MS,
    "ticket": 4 * HOUR_MS,
    "callback": HOUR_MS,
    "task": 4 * HOUR_MS,
    "video": 20 * SECOND_MS,
}
"""How soon a human should respond first.  Defaults of ours: there is no standard, contracts say."""

RESPONSE_BANDS_MS = (HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS, 24 * HOUR_MS)
"""Borders, inclusive, of the bands that first responses are told by; the last band has none."""


class Patience(NamedTuple):
    """How long a contact may be silent: an open one for ``silence_ms`` before it is lost, any for
    ``horizon_ms`` before it is forgotten."""

    silence_ms: int = 4 * HOUR_MS
    horizon_ms: int = DAY_MS


class Dated(NamedTuple):
    """Terms in force from ``since_ms`` (inclusive) until the next entry."""

    since_ms: int
    terms: QueueTerms


class Terms:
    """Terms of every queue at every time; ``default`` for queues that are not named.

    >>> dated = [Dated(0, QueueTerms(20_000)), Dated(1_000, QueueTerms(30_000))]
    >>> t = Terms(QueueTerms(), {"PS": dated})
    >>> t.at("PS", 999).threshold_ms, t.at("PS", 1_000).threshold_ms, t.at("other", 0).threshold_ms
    (20000, 30000, 20000)
    """

    __slots__ = (
        "_dated",
        "agent_silence_ms",
        "agents_named",
        "csat_10_positive_from",
        "default",
        "duration_max_ms",
        "grace_ms",
        "patience",
        "response_bands_ms",
        "response_by_channel",
    )

    def __init__(
        self,
        default: QueueTerms | None = None,
        queues: Mapping[str, Sequence[Dated]] | None = None,
        *,
        grace_ms: int = 2 * MINUTE_MS,
        patience: Mapping[Channel, Patience] | None = None,
        agent_silence_ms: int = DAY_MS,
        duration_max_ms: int = 7 * DAY_MS,
        agents_named: bool = False,
        response_by_channel: Mapping[Channel, int] | None = None,
        csat_10_positive_from: int = 9,
        response_bands_ms: tuple[int, ...] = RESPONSE_BANDS_MS,
    ) -> None:
        """``grace_ms`` after a window's end it becomes final; ``patience`` is by channel (a channel
        that is not named: as ``Patience`` says); an agent silent for ``agent_silence_ms`` is not
        there any more; durations over ``duration_max_ms`` are not believed; ``agents_named``: KPIs
        are also kept by agent; ``response_by_channel``: see ``response_ms`` (a channel that is not
        named: as RESPONSE_BY_CHANNEL says); on a scale of 1 to 10, CSAT counts answers from
        ``csat_10_positive_from`` on as positive (9 or 7 are usual; domain notes, 1.9);
        ``response_bands_ms``: as RESPONSE_BANDS_MS, as many, rising."""
        self.agents_named = agents_named
        self.default = default or QueueTerms()
        self.grace_ms = grace_ms
        self.patience = {channel: Patience() for channel in CHANNELS} | dict(patience or {})
        self.agent_silence_ms = agent_silence_ms
        self.duration_max_ms = duration_max_ms
        self.response_by_channel = {**RESPONSE_BY_CHANNEL, **(response_by_channel or {})}
        self.csat_10_positive_from = csat_10_positive_from
        self.response_bands_ms = response_bands_ms
        self._dated = {
            name: ([d.since_ms for d in rows], [d.terms for d in rows])
            for name, rows in ((n, sorted(r, key=_since)) for n, r in (queues or {}).items())
        }

    def at(self, queue: str, time_ms: int) -> QueueTerms:
        """The terms of ``queue`` in force at ``time_ms``; before its first entry, the default."""
        dated = self._dated.get(queue)
        if dated is None:
            return self.default
        index = bisect_right(dated[0], time_ms) - 1
        return dated[1][index] if index >= 0 else self.default

    def response_ms(self, queue: str, channel: Channel, time_ms: int) -> int:
        """Within how much open time, inclusive, a human should respond first to what came to
        ``queue`` at ``time_ms``: the queue's threshold, else the channel's."""
        named = self.at(queue, time_ms).response_ms
        return self.response_by_channel[channel] if named is None else named

    def believed(self, duration_ms: int | None) -> int | None:
        """The duration if it can be true, None otherwise."""
        if duration_ms is not None and 0 <= duration_ms <= self.duration_max_ms:
            return duration_ms
        return None

    def believable_ms(self, channel: Channel) -> int:
        """The longest time between two events of a contact that is believed: a mail may be
        answered after weeks, but not after it was forgotten."""
        return max(self.duration_max_ms, self.patience[channel].horizon_ms)


def _since(dated: Dated) -> int:
    return dated.since_ms
