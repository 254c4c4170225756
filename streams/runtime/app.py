"""A worker: settings in, a running Faust application out."""

from __future__ import annotations

import logging
import sys
import tempfile
from typing import Any

import faust

from streams.runtime.folding import Folding
from streams.runtime.loop import Runtime, Timing
from streams.runtime.stages import Shape, stage_specs, targets
from streams.runtime.tables import Raw, stage_table

log = logging.getLogger("streams")


def build(shape: Shape, *, bootstrap: str, timing: Timing, session_ms: int = 6_000, instance_id: str | None = None,
          security: dict[str, Any] | None = None, datadir: str | None = None) -> tuple[faust.App, Runtime]:  # fmt: skip
    """The Faust app with a table per changelog and an agent per topic, and the runtime they call into."""
    app = faust.App(
        shape.app, broker=f"kafka://{bootstrap}", store="memory://", topic_partitions=shape.partitions,
        web_enabled=False, stream_wait_empty=False, datadir=datadir or tempfile.mkdtemp(prefix="contact-streams-"),
        ConsumerScheduler=Folding, consumer_max_fetch_size=1 << 20, broker_check_crcs=False, table_standby_replicas=0,
        broker_session_timeout=session_ms / 1000, broker_heartbeat_interval=session_ms / 6000,
        broker_commit_interval=3600.0, producer_acks=-1, consumer_auto_offset_reset="earliest",
        topic_disable_leader=True, topic_allow_declare=False, worker_redirect_stdouts=False,
        consumer_group_instance_id=instance_id, stream_recovery_delay=0.0, autodiscover=False,
    )  # fmt: skip
    specs = stage_specs(shape)
    runtime = Runtime(
        app, bootstrap=bootstrap, security=security or {}, group=shape.app, specs=specs, targets=targets(shape),
        segment_size=shape.segment_size, timing=timing,
    )  # fmt: skip
    for spec in specs:
        if spec.changelog:
            stage_table(app, spec.name, spec.changelog, shape.partitions, runtime)
        _agent(app, spec.topic, runtime)
    _tasks(app, runtime)
    return app, runtime


def _agent(app: faust.App, topic: str, runtime: Runtime) -> None:
    """One stream per topic; offsets are committed by seals, never by Faust."""

    async def drain(stream: Any) -> None:
        async for event in stream.noack().events():
            await runtime.take(event)

    source = app.topic(topic, schema=Raw(), acks=False)
    app.agent(source, name=f"drain-{topic}", concurrency=1)(drain)


def _tasks(app: faust.App, runtime: Runtime) -> None:
    async def publish() -> None:
        await runtime.publish_for_ever()

    async def tick() -> None:
        await runtime.start()
        await runtime.tick_for_ever()

    async def revoked(*args: Any, **kwargs: Any) -> None:
        runtime.drop()

    async def stopping(*args: Any, **kwargs: Any) -> None:
        await runtime.stop()

    app.task(publish)
    app.task(tick)
    app.on_partitions_revoked.connect(revoked, weak=False)
    app.on_before_shutdown.connect(stopping, weak=False)


def run_worker(app: faust.App, loglevel: str = "INFO") -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    logging.basicConfig(
        stream=sys.stderr, level="WARNING", format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True
    )
    log.setLevel(loglevel)
    for noisy in ("streams.runtime.tables", "aiokafka.consumer.group_coordinator"):
        logging.getLogger(noisy).setLevel("CRITICAL")  # services coming and going; a coordinator not chosen yet
    worker = faust.Worker(app, loglevel=None, quiet=True, redirect_stdouts=False, override_logging=False)
    try:
        worker.execute_from_commandline()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


