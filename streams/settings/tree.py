"""All settings there are, as a tree of frozen dataclasses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from streams.core.kpi import WINDOWS
from streams.core.opening import ALWAYS, Opening
from streams.core.pseudonym import Pseudonymizer, no_pseudonym
from streams.core.source import Pseudonym
from streams.core.target import Target
from streams.core.terms import DAY_MS, HOUR_MS, Dated, Patience, QueueTerms, Terms
from streams.core.vocabulary import CHANNELS, Channel
from streams.settings.channels import FirstResponseSeconds, HorizonHours, SilenceSeconds
from streams.settings.kafka import Kafka
from streams.settings.options import did_you_mean, option
from streams.sources import SOURCES

__all__ = [
    "SECTIONS", "Defaults", "FirstResponseSeconds", "HorizonHours", "Ingest", "Kafka", "Metrics",
    "Output", "Privacy", "Processing", "Satisfaction", "Settings", "SilenceSeconds", "zone_problem",
]  # fmt: skip

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,16}")


def _key_id_problem(text: str) -> str:
    return "" if _KEY_ID.fullmatch(text) else "must be 1 to 16 characters of A-Z, a-z, 0-9, _ and -"


def _power_of_two_problem(number: int) -> str:
    return "" if number & (number - 1) == 0 else "must be a power of two"


def _host_problem(text: str) -> str:
    return "" if text and not text.isspace() else "must be a host name or an address"


def zone_problem(zone: str) -> str:
    """What is wrong with an IANA zone's name; empty if it exists."""
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, LookupError):
        return f"is not an IANA time zone{did_you_mean(zone, available_timezones())}"
    return ""


@dataclass(frozen=True, slots=True)
class Processing:
    """How events become results."""

    segment_size: int = option(
        16_384,
        "Offsets in a segment, the unit of commit. A power of two. Fixed for a deployment: with "
        "another size stored sums would be taken for those of other segments.",
        low=256,
        high=1_048_576,
        why="small segments commit for ever, large ones replay for long after a crash",
        check=_power_of_two_problem,
    )
    publish_ms: int = option(
        200,
        "How often changed sums are sent on: what a wallboard lags behind.",
        low=10,
        high=60_000,
        why="below, each publish carries next to nothing; above, nobody calls it live",
    )
    tick_ms: int = option(
        1_000,
        "How often time is written into each partition; 0: never. Without ticks nothing times out, "
        "and results of a quiet queue do not become final.",
        low=100,
        high=60_000,
        zero=True,
        why="ticks are records: below, they outnumber events; above, waits look frozen",
    )
    skew_ms: int = option(
        300_000,
        "How far ahead of its arrival an event may be dated; more is a wrong clock, and a dead "
        "letter. 0: anything goes.",
        low=1_000,
        high=86_400_000,
        zero=True,
        why="one clock a day ahead makes every result final a day early",
    )
    keep_days: int = option(
        35,
        "How long sums are kept for corrections; 0: for ever.",
        low=33,
        high=3_650,
        zero=True,
        why="a day is open for 25 hours, the grace and the 30 days that repeat contacts count, "
        "and must be whole until it is final",
    )
    grace_seconds: float = option(
        120,
        "How long after its end a window waits for late events before it is final.",
        low=0,
        high=86_400,
        why="later events still correct it: final only says that none are expected",
    )
    agent_silence_hours: float = option(
        24,
        "An agent who is logged in and silent for this long is taken for logged out.",
        low=1,
        high=8_760,
        why="below, a long shift ends too soon; above, who forgot to log out is there all week",
    )
    duration_max_hours: float = option(
        168,
        "Durations reported above this are not believed.",
        low=1,
        high=8_760,
        why="one wrong unit must not make a mean",
    )
    ingest: str = option(
        "on",
        "Whether raw topics are read. Off, only canonical events are: as while results are "
        "computed again beside the workers that read them.",
        choices=("on", "off"),
    )
    changed_history: str = option(
        "stop",
        "What to do when thresholds, zones or other terms were changed for a time that has been "
        "processed: stop, or accept that corrections of it are off by the difference. Give a "
        "change its date, or compute again: contact-streams replay --recompute.",
        choices=("stop", "accept"),
    )
    dead_letters_consecutive_max: int = option(
        0,
        "Stop a partition after this many dead letters without a good event between; 0: never. "
        "Guards against a bad release that rejects everything.",
        low=0,
        high=1_000_000,
    )
    lost_records: str = option(
        "stop",
        "What to do when records are gone that were never read, or state is (retention, a deleted "
        "head): stop, or accept the loss, log and count it, and go on with what is left.",
        choices=("stop", "accept"),
    )
    stall_seconds: float = option(
        120,
        "A worker that has work and does none for this long ends, to be started again; 0: never.",
        low=10,
        high=3_600,
        zero=True,
        why="below, a slow broker restarts workers; above, a stuck one is noticed by customers",
    )


@dataclass(frozen=True, slots=True)
class Metrics:
    """The worker's HTTP port: /metrics and /health."""

    host: str = option(
        "127.0.0.1",
        "Address to listen on; 0.0.0.0 for all. Queue names and volumes can be read there, by "
        "anybody unless there is a password.",
        check=_host_problem,
    )
    port: int = option(9464, "Port; 0: any free one.", low=0, high=65_535)
    username: str = option("prometheus", "Who may read /metrics, if there is a password.")
    password: str = option("", "Password for /metrics. Better in password_file.", secret=True)
    password_file: str = option("", "File with the password; a newline at its end does not count.")
    windows: tuple[str, ...] = option(
        WINDOWS, "Windows shown as gauges: fewer mean fewer series.", choices=WINDOWS
    )
    label_sets_max: int = option(
        100,
        "Most pairs of queue and channel shown; docs/kpis.md says what one costs. Those beyond are "
        "left out and counted in cc_exporter_series_dropped.",
        low=1,
        high=2_000,
        why="a scrape of 100,000 series takes a second of a worker's time",
    )


@dataclass(frozen=True, slots=True)
class Privacy:
    """What stands in for customers' numbers and addresses."""

    pseudonym_key_file: str = option(
        "",
        "File with 16 to 64 secret bytes; a newline at its end does not count. "
        "Empty: customers are left out, and repeat contacts are not known.",
    )
    pseudonym_key_id: str = option(
        "k1",
        "Name of the key, part of each pseudonym. Another key needs another name.",
        check=_key_id_problem,
    )


@dataclass(frozen=True, slots=True)
class Ingest:
    """Which platforms' payloads are read."""

    sources: tuple[str, ...] = option(
        ("asterisk_queue_log",),
        "Platforms that are read (docs/sources.md). Each has a raw topic, whose partitions are "
        "shared by the workers. The same for all workers: stop them all to change it.",
        choices=tuple(SOURCES),
    )


@dataclass(frozen=True, slots=True)
class Output:
    """Which results there are beyond those by queue."""

    agents: bool = option(
        False,
        "KPIs by agent are published. They are personal data: only where that is agreed.",
    )


def _border(default: int, help: str) -> Any:
    return option(
        default, help, low=0.01, high=8_760, why="it is hours, and a year is the most there is"
    )


@dataclass(frozen=True, slots=True)
class FirstResponseBands:
    """Borders of the five bands that first responses are told by, in hours, inclusive and rising.
    What was counted before a change stays in the bands of then."""

    first_hours: float = _border(1, "Band 1 is up to this, band 2 is over it.")
    second_hours: float = _border(6, "Band 2 is up to this, band 3 is over it.")
    third_hours: float = _border(12, "Band 3 is up to this, band 4 is over it.")
    fourth_hours: float = _border(24, "Band 4 is up to this, band 5 is over it.")

    def borders_ms(self) -> tuple[int, ...]:
        hours = (self.first_hours, self.second_hours, self.third_hours, self.fourth_hours)
        return tuple(_ms(border, HOUR_MS) for border in hours)


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """How answers to surveys are judged."""

    csat_10_positive_from: int = option(
        9,
        "On a scale of 1 to 10, CSAT counts answers from this one on as positive. There is no "
        "standard; 9 and 7 are usual.",
        low=2,
        high=10,
        why="from 1 on, every answer would be positive",
    )


@dataclass(frozen=True, slots=True)
class Defaults:
    """The terms of every queue that is not named under [queues]."""

    service_level_threshold_seconds: float = option(
        20,
        "T: answered within this time is soon enough, inclusive.",
        low=0,
        high=604_800,
        why="it is seconds, and no queue promises more than a week",
    )
    short_abandon_seconds: float = option(
        5,
        "S: abandoned within this time is a short abandonment, inclusive.",
        low=0,
        high=604_800,
        why="it is seconds, and no queue promises more than a week",
    )
    zone: str = option("UTC", "IANA time zone of the queue's days and hours.", check=zone_problem)
    calendar: str = option(
        "",
        "Opening hours, in which first responses and resolutions are timed: the name of a table "
        "under [calendars]. Empty: open around the clock.",
    )
    first_response_threshold_seconds: float = option(
        0,
        "A first human response within this much open time is soon enough, inclusive. 0: as "
        "[first_response_seconds] says for the channel.",
        low=1,
        high=2_592_000,
        zero=True,
        why="it is seconds of open time, and nobody promises a first answer within a month",
    )

    def terms(self, calendars: Mapping[str, Opening]) -> QueueTerms:
        """A calendar that is not there is a problem that was told; here it is no calendar."""
        return QueueTerms(
            threshold_ms=_ms(self.service_level_threshold_seconds, 1_000),
            short_abandon_ms=_ms(self.short_abandon_seconds, 1_000),
            zone=self.zone,
            opening=calendars.get(self.calendar, ALWAYS),
            response_ms=_ms(self.first_response_threshold_seconds, 1_000) or None,
        )


SECTIONS: Mapping[str, type] = {
    "kafka": Kafka,
    "ingest": Ingest,
    "processing": Processing,
    "silence_seconds": SilenceSeconds,
    "horizon_hours": HorizonHours,
    "first_response_seconds": FirstResponseSeconds,
    "first_response_bands": FirstResponseBands,
    "satisfaction": Satisfaction,
    "output": Output,
    "metrics": Metrics,
    "privacy": Privacy,
    "defaults": Defaults,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is set, checked.  ``origins``: ``section.name`` -> who set it."""

    kafka: Kafka = field(default_factory=Kafka)
    ingest: Ingest = field(default_factory=Ingest)
    processing: Processing = field(default_factory=Processing)
    silence_seconds: SilenceSeconds = field(default_factory=SilenceSeconds)
    horizon_hours: HorizonHours = field(default_factory=HorizonHours)
    first_response_seconds: FirstResponseSeconds = field(default_factory=FirstResponseSeconds)
    first_response_bands: FirstResponseBands = field(default_factory=FirstResponseBands)
    satisfaction: Satisfaction = field(default_factory=Satisfaction)
    output: Output = field(default_factory=Output)
    metrics: Metrics = field(default_factory=Metrics)
    privacy: Privacy = field(default_factory=Privacy)
    defaults: Defaults = field(default_factory=Defaults)
    calendars: Mapping[str, Opening] = field(default_factory=dict)
    queues: Mapping[str, tuple[Dated, ...]] = field(default_factory=dict)
    """Queue -> its terms by the time they came into force, the first from the beginning of time."""
    targets: tuple[Target, ...] = ()
    pseudonym_key: bytes | None = field(default=None, repr=False)
    origins: Mapping[str, str] = field(default_factory=dict, repr=False)

    def terms(self) -> Terms:
        """The terms of all queues at all times, and the times of the processing."""
        processing = self.processing
        return Terms(
            self.defaults.terms(self.calendars),
            self.queues,
            grace_ms=_ms(processing.grace_seconds, 1_000),
            patience={channel: self._patience(channel) for channel in CHANNELS},
            agent_silence_ms=_ms(processing.agent_silence_hours, HOUR_MS),
            duration_max_ms=_ms(processing.duration_max_hours, HOUR_MS),
            agents_named=self.output.agents,
            response_by_channel={
                channel: _ms(getattr(self.first_response_seconds, channel), 1_000)
                for channel in CHANNELS
            },
            csat_10_positive_from=self.satisfaction.csat_10_positive_from,
            response_bands_ms=self.first_response_bands.borders_ms(),
        )

    def _patience(self, channel: Channel) -> Patience:
        return Patience(
            silence_ms=_ms(getattr(self.silence_seconds, channel), 1_000),
            horizon_ms=_ms(getattr(self.horizon_hours, channel), HOUR_MS),
        )

    def pseudonym(self) -> Pseudonym:
        """What customers are told apart by; without a key, nothing."""
        key = self.pseudonym_key
        return Pseudonymizer(key, self.privacy.pseudonym_key_id) if key else no_pseudonym

    @property
    def keep_ms(self) -> int:
        """How long the board keeps cells; 0: for ever."""
        return self.processing.keep_days * DAY_MS


def _ms(value: float, unit_ms: int) -> int:
    return round(value * unit_ms)
