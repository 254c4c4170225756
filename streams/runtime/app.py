"""A worker: settings in, a running Faust application out."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Mapping
from typing import Any

import faust

from streams.core.pseudonym import Pseudonymizer, no_pseudonym
from streams.kafka.topics import load, verify_for_worker
from streams.kpis import FAMILIES
from streams.runtime.folding import Folding
from streams.runtime.loop import Runtime
from streams.runtime.owner import Limits
from streams.runtime.rounds import Rounds
from streams.runtime.security import aiokafka_options, faust_credentials
from streams.runtime.stages import Shape, stage_specs, targets
from streams.runtime.tables import Raw, stage_table
from streams.runtime.transport import PromptTransport
from streams.runtime.view import boards, health, worker_view
from streams.settings import Settings
from streams.sinks.prometheus import KpiCollector, registry
from streams.sinks.server import Login, MetricsServer, serve
from streams.sources import SOURCES

log = logging.getLogger("streams")


def run(settings: Settings, loglevel: str = "INFO") -> int:
    """Run a worker in the foreground until SIGTERM or SIGINT; the exit code.

    Raises TopicsError if a topic is missing or has the wrong number of partitions, BrokerError if
    Kafka cannot be reached, StreamsError if the metrics port is taken.
    """
    _logging(loglevel)
    _spare_the_collector()
    _verify(settings)
    app, runtime = build(settings)
    server = _serve(settings, runtime)
    log.info("metrics at %s", server.url)
    try:
        return _run(app)
    finally:
        server.close()


def _spare_the_collector() -> None:
    """A worker holds millions of objects that are in no cycle; looking through them again and again
    for cycles took a third of its time.  What the event loop leaves behind is still collected."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def _verify(settings: Settings) -> None:
    kafka = settings.kafka
    sources = [source.topic for source in SOURCES.values()]
    specs = load(
        kafka.prefix, kafka.app_id, kafka.partitions, kafka.replication, list(FAMILIES), sources
    )
    verify_for_worker(kafka.bootstrap, specs, kafka.client_options())


def shape_of(settings: Settings) -> Shape:
    """What of the settings decides how stages are built."""
    key = settings.pseudonym_key
    return Shape(
        prefix=settings.kafka.prefix,
        app=settings.kafka.app_id,
        partitions=settings.kafka.partitions,
        segment_size=settings.processing.segment_size,
        skew_ms=settings.processing.skew_ms,
        keep_ms=settings.keep_ms,
        terms=settings.terms(),
        pseudonym=Pseudonymizer(key, settings.privacy.pseudonym_key_id) if key else no_pseudonym,
    )


def build(settings: Settings) -> tuple[faust.App, Runtime]:
    """The Faust app with a table per changelog and an agent per topic, and the runtime they call
    into."""
    shape, client = shape_of(settings), settings.kafka.client_options()
    app = _app(settings, client)
    app.transport = PromptTransport(app.conf.broker_consumer, app)
    specs = stage_specs(shape)
    runtime = Runtime(
        app,
        bootstrap=settings.kafka.bootstrap,
        security=aiokafka_options(client),
        group=shape.app,
        specs=specs,
        targets=targets(shape),
        segment_size=shape.segment_size,
        limits=Limits(
            settings.processing.publish_ms,
            settings.processing.tick_ms,
            settings.processing.dead_letters_consecutive_max,
        ),
    )
    for spec in specs:
        if spec.changelog:
            stage_table(app, spec.name, spec.changelog, shape.partitions, runtime)
        _agent(app, spec.topic, runtime)
    _tasks(app, runtime)
    return app, runtime


class Folderless(faust.App):
    """Faust makes a folder for its tables; ours are in memory, and a folder would stay behind."""

    def _create_directories(self) -> None: ...


def _app(settings: Settings, client: Mapping[str, Any]) -> faust.App:
    kafka = settings.kafka
    return Folderless(
        kafka.app_id,
        broker=[f"kafka://{address.strip()}" for address in kafka.bootstrap.split(",")],
        broker_credentials=faust_credentials(client),
        store="memory://",
        topic_partitions=kafka.partitions,
        web_enabled=False,
        stream_wait_empty=False,
        ConsumerScheduler=Folding,
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


def _tasks(app: faust.App, runtime: Runtime) -> None:
    rounds = Rounds(runtime)

    async def revoked(*args: Any, **kwargs: Any) -> None:
        runtime.drop()

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
