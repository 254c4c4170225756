"""A deployment that is monitored: workers at fixed addresses, as pods of a StatefulSet have them,
and everything an operations team looks at them with."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from streams.kafka.embedded import EmbeddedCluster
from streams.kafka.node import HOST, free_ports
from tests.integration.runs import Run, Told, a_run
from tests.live.monitoring import Monitoring, monitoring

JOB = "contact-streams"
"""The scrape job of the workers in ``deploy/prometheus/prometheus.yml``."""
ANSWER_SECONDS = 5


class Site(NamedTuple):
    """``addresses`` are those of the workers, by their number; ``brokers`` tells where a worker
    finds Kafka."""

    run: Run
    brokers: Callable[[int], str]
    addresses: tuple[str, ...]
    settings: Path
    watched: Monitoring

    @contextmanager
    def worker(self, number: int) -> Iterator[Told]:
        """A worker from its start to the end of the block, if it has not ended before."""
        port = self.addresses[number].rpartition(":")[2]
        worker = Told(
            self.run,
            STREAMS_METRICS_PORT=port,
            STREAMS_CONFIG=str(self.settings),
            STREAMS_KAFKA_BOOTSTRAP=self.brokers(number),
        )
        try:
            yield worker
        finally:
            worker.end(signal.SIGKILL)

    def shown(self, number: int, metric: str, **labels: str) -> list[Sample]:
        """What a worker itself shows of one gauge; nothing if it does not answer."""
        url = f"http://{self.addresses[number]}/metrics?name[]={metric}"
        with suppress(OSError), urlopen(url, timeout=ANSWER_SECONDS) as page:
            families = text_string_to_metric_families(page.read().decode())
            samples = [sample for family in families for sample in family.samples]
            return [one for one in samples if labels.items() <= one.labels.items()]
        return []


@contextmanager
def a_site(
    broker: EmbeddedCluster,
    prefix: str,
    folder: Path,
    *,
    settings: str,
    factor: float,
    workers: int = 1,
    partitions: int = 1,
    tick_ms: int = 0,
    brokers: Callable[[int], str] | None = None,
) -> Iterator[Site]:
    """Topics, Prometheus, Alertmanager and a receiver; workers begin with ``Site.worker``.

    ``settings`` is the text of their settings file; ``factor`` as in ``shipped``.
    """
    addresses = tuple(f"{HOST}:{port}" for port in free_ports(workers))
    file = folder / "contact-streams.toml"
    file.write_text(settings)
    with (
        a_run(broker, prefix, partitions=partitions) as run,
        monitoring(folder, {JOB: addresses}, factor) as watched,
    ):
        run.flags["processing.tick_ms"] = tick_ms
        yield Site(run, brokers or (lambda number: broker.bootstrap), addresses, file, watched)
