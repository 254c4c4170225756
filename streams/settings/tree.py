"""All settings there are, as a tree of frozen dataclasses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from streams.core.kpi import WINDOWS
from streams.core.terms import DAY_MS, HOUR_MS, Dated, Patience, QueueTerms, Terms
from streams.core.vocabulary import CHANNELS, Channel
from streams.settings.options import did_you_mean, option

_TOPIC_PART = re.compile(r"[a-z0-9]([a-z0-9.-]{0,58}[a-z0-9])?")
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/,\[\]]+):([0-9]{1,5})")
YEAR_SECONDS = 31_536_000
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,16}")


def _addresses_problem(text: str) -> str:
    for part in text.split(","):
        found = _ADDRESS.fullmatch(part.strip())
        if found is None or not 0 < int(found[2]) < 65_536:
            return "must be host:port, several separated by commas, each port 1 to 65535"
    return ""


def _topic_part_problem(text: str) -> str:
    if _TOPIC_PART.fullmatch(text):
        return ""
    return "must be 1 to 60 lower-case letters, digits, dots and hyphens: it begins topics' names"


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
class Kafka:
    """Where the cluster is, and what ours is called in it."""

    bootstrap: str = option(
        "127.0.0.1:9092",
        "Brokers to begin with: host:port, several separated by commas.",
        check=_addresses_problem,
    )
    prefix: str = option("cc", "First part of all topics' names.", check=_topic_part_problem)
    app_id: str = option(
        "contact-streams",
        "Consumer group, and first part of changelogs and transactional ids. "
        "Fixed for a deployment: another one begins from nothing.",
        check=_topic_part_problem,
    )
    partitions: int = option(
        4,
        "Partitions of the event and partials topics: the most workers that can share the work. "
        "Fixed for a deployment.",
        low=1,
        high=512,
        why="each one costs a shard, a transactional producer and a changelog partition",
    )
    replication: int = option(
        1,
        "Copies of each topic; 3 in production.",
        low=1,
        high=9,
        why="there cannot be more copies than brokers",
    )
    session_ms: int = option(
        6_000,
        "A worker not heard of for this long loses its partitions.",
        low=3_000,
        high=300_000,
        why="below, a pause moves partitions about; above, a dead worker's queues stand still",
    )
    instance_id: str = option(
        "",
        "Name of this worker in the group, the same after a restart (static membership): a restart "
        "shorter than session_ms then moves nothing. Empty: none.",
    )
    security_protocol: str = option(
        "PLAINTEXT",
        "How to talk to the brokers.",
        choices=("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
    )
    sasl_mechanism: str = option(
        "SCRAM-SHA-512",
        "How to log in, if security_protocol begins with SASL.",
        choices=("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
    )
    username: str = option("", "Who logs in (SASL).")
    password: str = option("", "Password (SASL). Better in password_file.", secret=True)
    password_file: str = option("", "File with the password; a newline at its end does not count.")
    cafile: str = option("", "File with the certificates to trust (SSL). Empty: the system's.")
    certfile: str = option("", "File with the client's certificate (SSL). Empty: none is shown.")
    keyfile: str = option("", "File with the key of certfile.")

    def client_options(self) -> dict[str, Any]:
        """Security as kafka-python's clients take it; nothing for a plain connection."""
        if self.security_protocol == "PLAINTEXT":
            return {}
        found = {"security_protocol": self.security_protocol}
        if self.security_protocol.startswith("SASL"):
            found["sasl_mechanism"] = self.sasl_mechanism
            found["sasl_plain_username"] = self.username
            found["sasl_plain_password"] = self.password
        files = {
            "ssl_cafile": self.cafile,
            "ssl_certfile": self.certfile,
            "ssl_keyfile": self.keyfile,
        }
        return found | {name: path for name, path in files.items() if path}


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
        low=3,
        high=3_650,
        zero=True,
        why="a day is open for 25 hours and the grace, and must be whole until it is final",
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


_FOR: Mapping[Channel, str] = {
    "voice": "For calls.",
    "chat": "For chats.",
    "email": "For mail threads.",
    "social": "For conversations on social networks and messengers.",
    "sms": "For text messages.",
    "ticket": "For tickets.",
    "callback": "For callbacks that were promised.",
    "task": "For tasks.",
    "video": "For video calls.",
}
_SILENCE: Mapping[str, Any] = {
    "low": 60,
    "high": YEAR_SECONDS,
    "why": "below, people on hold are lost; above, a lost event is a customer who waits for ever",
}
_HORIZON: Mapping[str, Any] = {
    "low": 1,
    "high": 2 * YEAR_SECONDS // 3_600,
    "why": "memory is contacts times this",
}


@dataclass(frozen=True, slots=True)
class SilenceSeconds:
    """A contact that is open and silent for this long is closed as lost, by its channel."""

    voice: float = option(14_400, _FOR["voice"], **_SILENCE)
    chat: float = option(86_400, _FOR["chat"], **_SILENCE)
    email: float = option(2_592_000, _FOR["email"], **_SILENCE)
    social: float = option(604_800, _FOR["social"], **_SILENCE)
    sms: float = option(604_800, _FOR["sms"], **_SILENCE)
    ticket: float = option(7_776_000, _FOR["ticket"], **_SILENCE)
    callback: float = option(86_400, _FOR["callback"], **_SILENCE)
    task: float = option(604_800, _FOR["task"], **_SILENCE)
    video: float = option(14_400, _FOR["video"], **_SILENCE)


@dataclass(frozen=True, slots=True)
class HorizonHours:
    """A contact silent for this long is forgotten, by its channel. What comes later about it begins
    a new one."""

    voice: float = option(24, _FOR["voice"], **_HORIZON)
    chat: float = option(72, _FOR["chat"], **_HORIZON)
    email: float = option(960, _FOR["email"], **_HORIZON)
    social: float = option(336, _FOR["social"], **_HORIZON)
    sms: float = option(336, _FOR["sms"], **_HORIZON)
    ticket: float = option(2_880, _FOR["ticket"], **_HORIZON)
    callback: float = option(72, _FOR["callback"], **_HORIZON)
    task: float = option(336, _FOR["task"], **_HORIZON)
    video: float = option(24, _FOR["video"], **_HORIZON)


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
        "Most pairs of queue and channel shown; one costs up to about 270 series. Those beyond are "
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

    def terms(self) -> QueueTerms:
        return QueueTerms(
            threshold_ms=_ms(self.service_level_threshold_seconds, 1_000),
            short_abandon_ms=_ms(self.short_abandon_seconds, 1_000),
            zone=self.zone,
        )


SECTIONS: Mapping[str, type] = {
    "kafka": Kafka,
    "processing": Processing,
    "silence_seconds": SilenceSeconds,
    "horizon_hours": HorizonHours,
    "metrics": Metrics,
    "privacy": Privacy,
    "defaults": Defaults,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is set, checked.  ``origins``: ``section.name`` -> who set it."""

    kafka: Kafka = field(default_factory=Kafka)
    processing: Processing = field(default_factory=Processing)
    silence_seconds: SilenceSeconds = field(default_factory=SilenceSeconds)
    horizon_hours: HorizonHours = field(default_factory=HorizonHours)
    metrics: Metrics = field(default_factory=Metrics)
    privacy: Privacy = field(default_factory=Privacy)
    defaults: Defaults = field(default_factory=Defaults)
    queues: Mapping[str, tuple[Dated, ...]] = field(default_factory=dict)
    """Queue -> its terms by the time they came into force, the first from the beginning of time."""
    pseudonym_key: bytes | None = field(default=None, repr=False)
    origins: Mapping[str, str] = field(default_factory=dict, repr=False)

    def terms(self) -> Terms:
        """The terms of all queues at all times, and the times of the processing."""
        processing = self.processing
        return Terms(
            self.defaults.terms(),
            self.queues,
            grace_ms=_ms(processing.grace_seconds, 1_000),
            patience={channel: self._patience(channel) for channel in CHANNELS},
            agent_silence_ms=_ms(processing.agent_silence_hours, HOUR_MS),
            duration_max_ms=_ms(processing.duration_max_hours, HOUR_MS),
        )

    def _patience(self, channel: Channel) -> Patience:
        return Patience(
            silence_ms=_ms(getattr(self.silence_seconds, channel), 1_000),
            horizon_ms=_ms(getattr(self.horizon_hours, channel), HOUR_MS),
        )

    @property
    def keep_ms(self) -> int:
        """How long the board keeps cells; 0: for ever."""
        return self.processing.keep_days * DAY_MS


def _ms(value: float, unit_ms: int) -> int:
    return round(value * unit_ms)
