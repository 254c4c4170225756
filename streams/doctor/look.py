"""The thin shell: what there is to see of a deployment, each thing looked at once, when a judge
first wants it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.errors import KafkaConnectionError, KafkaError

from streams.deployment import DEAD_LETTERS, PARTIALS, Deployment
from streams.doctor import certificate, cluster, scrape
from streams.doctor.observed import (
    Answer,
    At,
    Certificate,
    Clock,
    Cluster,
    Commit,
    DeadLetters,
    Group,
    Span,
    Stage,
    Topic,
    Worker,
)  # fmt: skip
from streams.doctor.overhear import overhearing
from streams.errors import BrokerError
from streams.kafka import topics as kafka_topics
from streams.kafka.connect import client_options
from streams.settings import Settings, load

Seen = TypeVar("Seen")
AGES_MAX = 16
"""Partitions of a stage whose first unread record is looked at, those furthest behind."""
CLOCK_SECONDS_MAX = 5.0
ATTEMPTS = 3
AGAIN_SECONDS = 0.2


class seen(Generic[Seen]):
    """A property worked out once; what went wrong is kept as well, so that a broker that does not
    answer is waited for once."""

    def __init__(self, look: Callable[[Any], Seen]) -> None:
        self._look = look

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Seen:
        kept: dict[str, tuple[Seen | None, Exception | None]] = instance.kept
        if self._name not in kept:
            kept[self._name] = self._tried(instance)
        value, failed = kept[self._name]
        if failed is not None:
            raise failed
        return value  # type: ignore[return-value]

    def _tried(self, instance: Any) -> tuple[Seen | None, Exception | None]:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._look(instance), None
            except Exception as error:
                if not _elsewhere(error) or attempt == ATTEMPTS:
                    return None, error
                time.sleep(AGAIN_SECONDS)
        raise AssertionError("the last attempt returns")


def _elsewhere(error: Exception) -> bool:
    """Whether another broker may answer: the client asks any, also one that has just died."""
    return isinstance(error, KafkaConnectionError) or (
        isinstance(error.__cause__, KafkaConnectionError)
    )


class Look:
    """Attributes are what judges name.  ``urls`` are the workers' /metrics, empty: the one that the
    settings name; ``seconds`` bounds each question; ``read`` gives the settings.  SettingsError and
    BrokerError come from whatever needs settings or Kafka.  For one thread; ``close`` it."""

    def __init__(
        self,
        urls: Sequence[str] = (),
        seconds: float = 5.0,
        read: Callable[[], Settings] = load,
    ) -> None:
        self.kept: dict[str, Any] = {}
        self.named = bool(urls)
        self._urls = [scrape.completed(url) for url in urls]
        self._seconds = seconds
        self._read = read
        self._opened: KafkaAdminClient | None = None

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def now_ms(self) -> int:
        return round(time.time() * 1000)

    # -- settings

    @seen
    def settings(self) -> Settings:
        return self._read()

    @seen
    def deployment(self) -> Deployment:
        return Deployment.of(self.settings)

    @seen
    def specs(self) -> Sequence[kafka_topics.TopicSpec]:
        return self.deployment.specs()

    @seen
    def stages(self) -> Sequence[Stage]:
        """What a worker with these settings would run."""
        deployment, settings = self.deployment, self.settings
        segment = settings.processing.segment_size
        keyed = (
            ("contacts", "events.contact.v1"),
            ("staff", "events.agent.v1"),
            ("customers", "records.contact.v1"),
        )
        raw = deployment.sources if settings.processing.ingest == "on" else ()
        return [
            *(Stage("ingest", deployment.raw_topic(source)) for source in raw),
            *(self._stage(name, topic, segment) for name, topic in keyed),
            self._stage("board", PARTIALS, 0),
        ]

    def _stage(self, name: str, topic: str, slack: int) -> Stage:
        changelog = f"{self.deployment.group}-{name}-changelog"
        return Stage(name, self.deployment.topic(topic), changelog, slack)

    @seen
    def keep_ms(self) -> Mapping[str, int]:
        return {
            spec.name: int(spec.config["retention.ms"])
            for spec in self.specs
            if "delete" in spec.config.get("cleanup.policy", "") and "retention.ms" in spec.config
        }

    # -- the cluster

    @seen
    def addresses(self) -> Sequence[Answer]:
        named = self.deployment.bootstrap.split(",")
        return cluster.answers((address.strip() for address in named), self._seconds)

    @seen
    def reached(self) -> str:
        """Why the cluster cannot be asked; empty if it can."""
        try:
            self._admin  # noqa: B018
        except BrokerError as error:
            return error.why
        return ""

    @seen
    def _admin(self) -> KafkaAdminClient:
        what = f"cannot reach Kafka at {self.deployment.bootstrap}"
        if all(one.problem for one in self.addresses):
            raise BrokerError(what, "nobody answers")
        with overhearing() as heard:
            try:
                self._opened = KafkaAdminClient(**self._options())
            except (KafkaError, OSError) as error:
                raise BrokerError(what, heard.why() or "no answer in time") from error
        return self._opened

    def _options(self) -> dict[str, Any]:
        return client_options(self.deployment.bootstrap, self._client())

    def _client(self) -> dict[str, Any]:
        patience_ms = round(self._seconds * 1000)
        limits = {"bootstrap_timeout_ms": patience_ms, "request_timeout_ms": patience_ms}
        return {**self.deployment.client, **limits}

    @seen
    def cluster(self) -> Cluster:
        return cluster.cluster(self._admin, self._seconds)

    @seen
    def certificates(self) -> Sequence[Certificate]:
        kafka = self.settings.kafka
        if not kafka.security_protocol.endswith("SSL"):
            return []
        files = certificate.of_files(kafka)
        try:
            context = certificate.context_of(kafka)
        except OSError as error:
            why = error.strerror or str(error)
            return [*files, Certificate("kafka.certfile and keyfile", None, why)]
        where = dict.fromkeys([*(a.address for a in self.addresses), *self._advertised()])
        return [*files, *(certificate.of_server(at, context, self._seconds) for at in where)]

    def _advertised(self) -> list[str]:
        with suppress(Exception):  # the cluster's own checks say why
            return [broker.answer.address for broker in self.cluster.brokers]
        return []

    @seen
    def topics(self) -> Sequence[Topic]:
        return cluster.topics(self._admin, [spec.name for spec in self.specs])

    @seen
    def drift(self) -> Sequence[kafka_topics.Change]:
        self._admin  # noqa: B018 - a cluster that does not answer is waited for once
        return kafka_topics.check(self.deployment.bootstrap, self.specs, self._client())

    @seen
    def sizes(self) -> Mapping[At, int]:
        there = {topic.name for topic in self.topics}
        names = [stage.changelog for stage in self.stages if stage.changelog in there]
        return cluster.sizes(self._admin, names)

    @seen
    def clocks(self) -> Sequence[Clock]:
        wanted = {stage.topic for stage in self.stages if stage.name in ("contacts", "staff")}
        tick_seconds = self.settings.processing.tick_ms / 1000
        seconds = min(CLOCK_SECONDS_MAX, max(1.0, 2.5 * tick_seconds))
        chosen = [topic for topic in self.topics if topic.name in wanted]
        return cluster.clocks(self._admin, chosen, seconds)

    # -- the work

    @seen
    def group(self) -> Group:
        name = self.deployment.group
        return cluster.group(self._admin, name) if self._any_group() else Group(name, "Dead")

    @seen
    def commits(self) -> Mapping[At, Commit]:
        return cluster.commits(self._admin, self.deployment.group) if self._any_group() else {}

    def _any_group(self) -> bool:
        """Asking for one makes the topic that groups are kept in, if it is not there.  Who may not
        look at the cluster does not see whether it is."""
        seen = any(topic.name == cluster.OFFSETS_TOPIC for topic in self.topics)
        return seen or "DESCRIBE" not in self.cluster.operations

    @seen
    def spans(self) -> Mapping[At, Span]:
        """Commits lie between starts and ends: asked for between them, they really do."""
        where = [
            (topic.name, number)
            for topic in self.topics
            if not topic.internal
            for number, one in topic.partitions.items()
            if one.leader >= 0
        ]
        starts = cluster.offsets(self._admin, where, OffsetSpec.EARLIEST)
        with suppress(KafkaError):
            self.commits  # noqa: B018
        ends = cluster.offsets(self._admin, where, OffsetSpec.LATEST)
        stable = cluster.offsets(self._admin, where, OffsetSpec.LATEST, cluster.COMMITTED_ONLY)
        return {at: Span(starts[at], ends[at], stable[at]) for at in where}

    @seen
    def _unread(self) -> Mapping[At, int]:
        """The offset from which on nothing can have been absorbed.  Without members nothing is
        absorbed beyond the commit."""
        slack = {s.topic: s.slack if self.group.members else 0 for s in self.stages}
        nothing = Commit(-1)
        return {
            at: max(self.commits.get(at, nothing).offset, span.start) + slack[at[0]]
            for at, span in self.spans.items()
            if at[0] in slack
        }

    @seen
    def behind(self) -> Mapping[At, int]:
        return {at: max(0, self.spans[at].end - first) for at, first in self._unread.items()}

    @seen
    def unread_ms(self) -> Mapping[At, int]:
        late = sorted((at for at, count in self.behind.items() if count), key=self._most_first)
        chosen = [at for stage in self.stages for at in _of_topic(late, stage.topic)[:AGES_MAX]]
        return self._ages({at: self._unread[at] for at in chosen})

    def _most_first(self, at: At) -> int:
        return -self.behind[at]

    @seen
    def open_ms(self) -> Mapping[At, int]:
        return self._ages({at: s.stable for at, s in self.spans.items() if s.stable < s.end})

    def _ages(self, where: Mapping[At, int]) -> dict[At, int]:
        found = cluster.times(self._options(), where, self._seconds)
        return {at: max(0, self.now_ms - written_ms) for at, written_ms in found.items()}

    @seen
    def dead_letters(self) -> DeadLetters:
        topic = self.deployment.topic(DEAD_LETTERS)
        spans = {at: span for at, span in self.spans.items() if at[0] == topic}
        count = sum(span.end - span.start for span in spans.values())
        firsts = {at: span.start for at, span in spans.items() if span.end > span.start}
        found = cluster.times(self._options(), firsts, self._seconds)
        return DeadLetters(count, min(found.values(), default=None))

    # -- the workers

    @seen
    def workers(self) -> Sequence[Worker]:
        login = self.settings.metrics
        urls = self._urls or [url for url in [scrape.url_of(login)] if url]
        return [scrape.worker_at(url, login, self._seconds) for url in urls]


def _of_topic(where: Iterable[At], topic: str) -> list[At]:
    return [at for at in where if at[0] == topic]
