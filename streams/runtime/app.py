"""A worker: settings in, a running Faust application out."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import faust

from streams.kafka.topics import TopicSpec, ids, load, verify_for_worker
from streams.kpis import FAMILIES, topic_of
from streams.runtime.adopting import adopt
from streams.runtime.failpoints import VARIABLE, fail_point
from streams.runtime.folding import Folding
from streams.runtime.history import check_history
from streams.runtime.loop import Runtime
from streams.runtime.losses import Losses
from streams.runtime.owner import Limits
from streams.runtime.quieting import Sparse
from streams.runtime.rounds import Rounds
from streams.runtime.security import aiokafka_options, faust_credentials
from streams.runtime.stages import Shape, StageSpec, stage_specs, targets
from streams.runtime.stall import watch
from streams.runtime.tables import Raw, Tables, stage_table
from streams.runtime.transport import PromptTransport
from streams.runtime.view import boards, health, worker_view
from streams.runtime.writing import Target
from streams.settings import Settings
from streams.sinks.prometheus import KpiCollector, registry
from streams.sinks.server import Login, MetricsServer, serve
from streams.sources import SOURCES

log = logging.getLogger("streams")


def run(settings: Settings, loglevel: str = "INFO") -> int:
    """Run a worker in the foreground until SIGTERM or SIGINT; the exit code.

    Raises TopicsError if a topic is missing or has the wrong number of partitions, BrokerError if
    Kafka cannot be reached, StateError if settings contradict what is processed, StreamsError if
    the metrics port is taken.
    """
    _logging(loglevel)
    _verify(settings)
    check_history(settings)
    adopt(settings)
    shape = shape_of(settings)
    return run_stages(settings, stage_specs(shape), targets(shape))


def run_stages(settings: Settings, specs: Sequence[StageSpec], where: Mapping[str, Target]) -> int:
    """Run a worker with stages of your own: what each reads, its changelog and how one of it is
    made; ``where`` is logical stream -> topic.  All topics exist.  Otherwise as ``run``, which is
    this with the product's stages."""
    _spare_the_collector()
    app, runtime = build(settings, specs, where)
    server = _serve(settings, runtime)
    log.info("metrics at %s", server.url)
    stop_watching = watch(runtime, settings.processing.stall_seconds)
    try:
        return _run(app)
    finally:
        stop_watching()
        server.close()


def _spare_the_collector() -> None:
    """A worker holds millions of objects that are in no cycle; looking through them again and again
    for cycles took a third of its time, and held the loop for seconds.  What the event loop leaves
    behind is collected while it is young, in steps of some 20 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(30_000, 500, 1_000_000)


def _verify(settings: Settings) -> None:
    kafka = settings.kafka
    verify_for_worker(kafka.bootstrap, topic_specs(settings), kafka.client_options())


def topic_specs(settings: Settings) -> list[TopicSpec]:
    """The topics without which a worker does not start: those that ``topics apply`` makes."""
    kafka = settings.kafka
    return load(
        kafka.prefix,
        kafka.group,
        kafka.partitions,
        kafka.replication,
        [topic_of(family) for family in FAMILIES],
        [SOURCES[name].topic for name in sorted(set(settings.ingest.sources))],
        events=kafka.events_prefix,
        results=kafka.results_prefix,
    )


def shape_of(settings: Settings) -> Shape:
    """What of the settings decides how stages are built."""
    return Shape(
        prefix=settings.kafka.prefix,
        app=settings.kafka.group,
        sources=settings.ingest.sources,
        partitions=settings.kafka.partitions,
        segment_size=settings.processing.segment_size,
        skew_ms=settings.processing.skew_ms,
        keep_ms=settings.keep_ms,
        terms=settings.terms(),
        targets=settings.targets,
        pseudonym=settings.pseudonym(),
        events=settings.kafka.events_prefix,
        results=settings.kafka.results_prefix,
        ingest=settings.processing.ingest == "on",
    )


def build(
    settings: Settings, specs: Sequence[StageSpec], where: Mapping[str, Target]
) -> tuple[faust.App, Runtime]:
    """The Faust app with a table per changelog and an agent per topic, and the runtime they call
    into."""
    client = settings.kafka.client_options()
    partitions = settings.kafka.partitions
    app = _app(settings, client)
    app.transport = PromptTransport(app.conf.broker_consumer, app)
    runtime = Runtime(
        app,
        bootstrap=settings.kafka.bootstrap,
        security=aiokafka_options(client),
        group=settings.kafka.group,
        specs=specs,
        targets=dict(where),
        segment_size=settings.processing.segment_size,
        limits=Limits(
            settings.processing.publish_ms,
            settings.processing.tick_ms,
            settings.processing.dead_letters_consecutive_max,
        ),
        losses=Losses(settings.processing.lost_records == "accept", _ids(settings, specs)),
        reach=fail_point(os.environ.get(VARIABLE)),
    )
    for spec in specs:
        if spec.changelog:
            stage_table(app, spec.name, spec.changelog, partitions, runtime)
        _agent(app, spec.topic, runtime)
    _tasks(app, runtime)
    return app, runtime


def _ids(settings: Settings, specs: Sequence[StageSpec]) -> dict[str, str]:
    names = {name for spec in specs for name in (spec.topic, spec.changelog) if name}
    return ids(settings.kafka.bootstrap, sorted(names), settings.kafka.client_options())


BATCHES_WAITING_MAX = 8


class Folderless(faust.App):
    """Faust makes a folder for its tables; ours are in memory, and a folder would stay behind.

    ``pulse`` runs from the event loop's first moment on.  Faust's own tasks begin when the first
    restore is over, and a worker is alive while it restores.
    """

    pulse: Callable[[], Coroutine[Any, Any, None]]

    def _create_directories(self) -> None: ...

    async def on_start(self) -> None:
        await super().on_start()
        self.add_future(self.pulse())


def _app(settings: Settings, client: Mapping[str, Any]) -> Folderless:
    kafka = settings.kafka
    return Folderless(
        kafka.group,
        broker=[f"kafka://{address.strip()}" for address in kafka.bootstrap.split(",")],
        broker_credentials=faust_credentials(client),
        store="memory://",
        topic_partitions=kafka.partitions,
        web_enabled=False,
        stream_wait_empty=False,
        # Of folded batches, thousands of records each: what waits before a busy stage is memory.
        stream_buffer_maxsize=BATCHES_WAITING_MAX,
        ConsumerScheduler=Folding,
        TableManager=Tables,
        consumer_max_fetch_size=1 << 20,
        broker_check_crcs=False,
        table_standby_replicas=0,
        broker_session_timeout=kafka.session_ms / 1000,
        broker_heartbeat_interval=kafka.session_ms / 6000,
        broker_commit_interval=3600.0,
        producer_acks=-1,
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
        topic_allow_declare=False,
        worker_redirect_stdouts=False,
        consumer_group_instance_id=kafka.instance_id or None,
        stream_recovery_delay=0.0,
        autodiscover=False,
    )


def _agent(app: faust.App, topic: str, runtime: Runtime) -> None:
    """One stream per topic; offsets are committed by seals, never by Faust."""

    async def drain(stream: Any) -> None:
        async for event in stream.noack().events():
            await runtime.take(event)

    source = app.topic(topic, schema=Raw(), acks=False)
    app.agent(source, name=f"drain-{topic}", concurrency=1)(drain)


def _tasks(app: Folderless, runtime: Runtime) -> None:
    rounds = Rounds(runtime)
    app.pulse = runtime.turn_for_ever

    async def revoked(*args: Any, **kwargs: Any) -> None:
        runtime.assignment.hold()

    async def stopping(*args: Any, **kwargs: Any) -> None:
        await runtime.stop()

    app.task(rounds.publish_for_ever)
    app.task(rounds.tick_for_ever)
    app.on_partitions_revoked.connect(revoked, weak=False)
    app.on_before_shutdown.connect(stopping, weak=False)


def _serve(settings: Settings, runtime: Runtime) -> MetricsServer:
    wanted = settings.metrics
    collector = KpiCollector(
        lambda: boards(runtime),
        lambda: worker_view(runtime),
        settings.terms(),
        windows=wanted.windows,
        label_sets_max=wanted.label_sets_max,
    )
    login = Login(wanted.username, wanted.password) if wanted.password else None
    return serve(
        wanted.host, wanted.port, registry(collector), lambda: health(runtime), login=login
    )


def _logging(loglevel: str) -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level="WARNING",
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        force=True,
    )
    log.setLevel(loglevel)
    for handler in logging.getLogger().handlers:
        handler.addFilter(Sparse())
    for noisy in ("streams.runtime.tables", "aiokafka.consumer.group_coordinator"):
        logging.getLogger(noisy).setLevel(
            "CRITICAL"
        )  # services coming and going; a coordinator not chosen yet


def _run(app: faust.App) -> int:
    with open(
        os.devnull, "w"
    ) as nowhere:  # a spinner, and the cursor it hides, have no place in a log
        worker = faust.Worker(
            app,
            loglevel=None,
            quiet=True,
            redirect_stdouts=False,
            override_logging=False,
            stdout=nowhere,
        )
        try:
            worker.execute_from_commandline()
        except SystemExit as ended:
            return int(ended.code or 0)
