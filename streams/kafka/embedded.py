"""A real Apache Kafka for the demo, the tests and developers: no Docker, no Java on the host.

    with EmbeddedCluster() as kafka:
        connect_to(kafka.bootstrap)

The brokers are JVMs on a lead held by a small watchdog process, which ends them when this
process ends, however it ends. Without a ``data_dir`` everything is kept in a temporary folder
that is removed at the end, also when this process is killed.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.errors import BrokerError
from streams.kafka.jars import Progress, silent
from streams.kafka.jvm import Kafka, broker_command, prepare
from streams.kafka.lead import Lead
from streams.kafka.node import Node, cluster_id_of, free_ports, write_folder
from streams.kafka.places import cache_dir as default_cache_dir
from streams.kafka.ready import wait_until_ready

# A broker writes its state and leaves the quorum within a second; this is for a loaded machine.
_GRACE_SECONDS = 15.0
_START_ATTEMPTS = 3


class EmbeddedCluster:
    """One broker, or three with replication 3 and two in-sync replicas required.

    ``data_dir`` is kept, and used again, if given; ``ports`` are the brokers' client ports, free
    ones if not given; ``settings`` are added to each broker's ``server.properties`` and win;
    ``start_seconds`` bounds the time from the start of the JVMs to the first metadata answer.
    Brokers are numbered from 1. An object is for one thread at a time.
    """

    def __init__(
        self,
        brokers: int = 1,
        data_dir: Path | None = None,
        ports: Sequence[int] | None = None,
        settings: Mapping[str, str] | None = None,
        *,
        heap_mb: int = 512,
        jvm_options: Sequence[str] = (),
        cache_dir: Path | None = None,
        start_seconds: float = 60.0,
    ) -> None:
        if brokers not in (1, 3):
            raise ValueError(f"an embedded cluster has 1 or 3 brokers, not {brokers}")
        if ports is not None and len(ports) != brokers:
            raise ValueError(f"{brokers} brokers need {brokers} ports, not {len(ports)}")
        self._count = brokers
        self._data_dir = data_dir
        self._ports = ports
        self._settings = dict(settings or {})
        self._heap_mb = heap_mb
        self._jvm_options = tuple(jvm_options)
        self._cache_dir = cache_dir or default_cache_dir()
        self._start_seconds = start_seconds
        self._nodes: list[Node] = []
        self._commands: dict[int, list[str]] = {}
        self._pids: dict[int, int] = {}
        self._lead: Lead | None = None

    @property
    def bootstrap(self) -> str:
        """``host:port`` of every broker, comma separated, also of those that are down."""
        return ",".join(node.address for node in self._nodes)

    @property
    def pids(self) -> dict[int, int]:
        """The process id of each running broker's JVM, by broker number."""
        return dict(self._pids)

    @property
    def folders(self) -> dict[int, Path]:
        """Each broker's folder, with ``broker.log``, ``server.properties`` and ``data``."""
        return {node.number: node.folder for node in self._nodes}

    def start(self, progress: Progress = silent) -> Self:
        """Starts all brokers and returns when each answers. Fetches what is not cached.

        Raises BrokerError, with nothing left running, when that cannot be done.
        """
        if self._lead is not None:
            raise RuntimeError("this cluster has been started")
        kafka = prepare(self._cache_dir, progress)
        for attempt in range(1, _START_ATTEMPTS + 1):
            try:
                self._start_all(kafka, progress)
                return self
            except BrokerError as error:
                self.stop()
                if not self._may_try_again(error) or attempt == _START_ATTEMPTS:
                    raise
            except BaseException:
                self.stop()
                raise
        raise AssertionError("the last attempt returns or raises")

    def stop(self) -> None:
        """Stops every broker; repeats are harmless. A temporary folder is gone afterwards."""
        lead, self._lead = self._lead, None
        self._pids.clear()
        if lead is not None:
            lead.close()

    def kill(self, broker: int) -> None:
        """Kills one broker without warning, as a power cut would; its folder stays."""
        self._held().stop(broker, 0.0)
        del self._pids[broker]

    def restart(self, broker: int) -> None:
        """Starts one broker again, on its old ports and data; stops it before if it runs.

        Returns when it answers. Raises BrokerError when it does not in ``start_seconds``.
        """
        if broker in self._pids:
            self._held().stop(broker, _GRACE_SECONDS)
        node = self._nodes[broker - 1]
        self._spawn(node)
        self._wait([node])

    def __enter__(self) -> Self:
        return self.start() if self._lead is None else self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _may_try_again(self, error: BrokerError) -> bool:
        # Somebody took a free port between our looking and the broker's listening.
        return self._ports is None and "Address already in use" in error.why

    def _start_all(self, kafka: Kafka, progress: Progress) -> None:
        root = self._data_dir or Path(tempfile.mkdtemp(prefix="contact-streams-broker-"))
        # What is thrown away afterwards need not be closed properly.
        temporary = self._data_dir is None
        self._lead = Lead(0.0 if temporary else _GRACE_SECONDS, root if temporary else None)
        self._nodes = self._place(root.absolute())
        cluster_id = cluster_id_of(self._nodes[0])
        for node in self._nodes:
            write_folder(node, self._nodes, cluster_id, kafka.checkpoint, self._settings)
            self._commands[node.number] = broker_command(
                kafka, node, self._heap_mb, self._jvm_options
            )
            self._spawn(node)
        progress("starting Kafka", 0, 1)
        self._wait(self._nodes)
        progress("starting Kafka", 1, 1)

    def _place(self, root: Path) -> list[Node]:
        free = free_ports(2 * self._count)
        ports = zip(self._ports or free[: self._count], free[self._count :], strict=True)
        return [
            Node(number, root / f"broker-{number}", port, controller_port)
            for number, (port, controller_port) in enumerate(ports, start=1)
        ]

    def _spawn(self, node: Node) -> None:
        pid = self._held().start(node.number, self._commands[node.number], node.log)
        self._pids[node.number] = pid

    def _wait(self, some: Sequence[Node]) -> None:
        wait_until_ready(some, self._held().running, self._start_seconds)

    def _held(self) -> Lead:
        if self._lead is None:
            raise RuntimeError("this cluster has not been started")
        return self._lead
