"""A deployment for one run: a broker, topics and a worker, and in the end none of them is left.

The broker is an embedded one, or a cluster that is there; in a cluster only this run's own topics
and group are touched.  Everything that takes time is begun at once: while the broker starts, the
worker's process imports what it needs, and so does this one.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from streams.deployment import Deployment
from streams.errors import BrokerError, StateError
from streams.kafka.embedded import EmbeddedCluster
from streams.kafka.jars import Progress
from streams.settings import Settings
from streams.worker_process import Flags, WorkerProcess, settings_of

LOCAL: Flags = {
    "kafka.replication": 1,
    "kafka.security_protocol": "PLAINTEXT",
    "kafka.username": "",
    "kafka.password_file": "",
    "kafka.cafile": "",
    "kafka.certfile": "",
    "kafka.keyfile": "",
}
"""An embedded broker is one, and knows no secrets."""
_IMPORTED_MEANWHILE = ("streams.bridge", "streams.arrival", "streams.kafka.topics")
NO_FLAGS: Flags = {}
GROUP_SECONDS_MAX = 10.0
"""A session (kafka.session_ms) lasts 6 s, unless the user wants a longer one."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Throwaway:
    """See the module; a context.  ``flags`` are this run's settings, before the user's own or, if
    ``alone``, before nothing but the defaults.

    Inside it the topics are there, and ``deployment`` says what they are called; the worker begins
    with ``release``.
    """

    deployment: Deployment
    settings: Settings
    worker: WorkerProcess

    def __init__(
        self, flags: Flags, bootstrap: str, progress: Progress, alone: bool = False
    ) -> None:
        self._flags = flags
        self._bootstrap = bootstrap
        self._progress = progress
        self._alone = alone
        self._folder: Path | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Throwaway:
        try:
            self._start()
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._clean_up()

    def release(self, flags: Flags = NO_FLAGS) -> None:
        """Let the worker begin, with these flags as well."""
        self.worker.release({**self._flags, **flags}, self._alone, self._folder)

    def _clean_up(self) -> None:
        """What has begun to be taken down is taken down: Ctrl-C has done its work."""
        with undisturbed():
            self._stack.close()

    def _start(self) -> None:
        # Wrong settings are told before anything is started.
        settings_of(self._flags, self._alone)
        self.worker = WorkerProcess()
        self._stack.callback(self.worker.stop, 0)
        local = {} if self._bootstrap else LOCAL
        self._flags = {**self._flags, **local, "kafka.bootstrap": self._broker()}
        self.settings = settings_of(self._flags, self._alone)
        self.deployment = Deployment.of(self.settings)
        self._create_topics()
        if self._bootstrap:
            self._stack.callback(remove, self.deployment)
            # Properly, so that the group is empty and can be removed.
            self._stack.callback(self.worker.stop)
        else:
            # Before its broker, or it would complain in its last moments.
            self._stack.callback(self.worker.stop, 0)

    def _broker(self) -> str:
        if self._bootstrap:
            return self._bootstrap
        threading.Thread(target=_import_meanwhile, daemon=True).start()
        cluster = self._stack.enter_context(EmbeddedCluster().start(self._progress))
        # Removed with the broker, even if this process is killed.
        self._folder = cluster.folders[1]
        return cluster.bootstrap

    def _create_topics(self) -> None:
        from streams.kafka.topics import apply

        try:
            apply(self.deployment.bootstrap, self.deployment.specs(), self.deployment.client)
        except BrokerError:
            # It was never reached: there is nothing to remove, and nobody to ask.
            raise
        except BaseException:
            if self._bootstrap:
                with undisturbed():
                    remove(self.deployment)
            raise


def _import_meanwhile() -> None:
    for name in _IMPORTED_MEANWHILE:
        import_module(name)


def remove(deployment: Deployment) -> None:
    """Delete the deployment's topics and its group, as far as they are there."""
    from kafka.admin import KafkaAdminClient
    from kafka.errors import KafkaError

    from streams.kafka.connect import client_options, unreachable
    from streams.kafka.groups import delete_from

    with unreachable(deployment.bootstrap):
        admin = KafkaAdminClient(**client_options(deployment.bootstrap, deployment.client))
    try:
        ours = {spec.name for spec in deployment.specs()}
        there = sorted(ours & {topic["name"] for topic in admin.describe_topics()})
        if there:
            admin.delete_topics(there)
        with suppress(KafkaError, StateError):
            # A worker that had to be killed is a member until its session is over.
            delete_from(admin, deployment.group, GROUP_SECONDS_MAX)
    finally:
        admin.close()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C and SIGTERM do nothing here; only in the main thread, where they are ours."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: list[Any] = [signal.signal(number, signal.SIG_IGN) for number in _SIGNALS]
    try:
        yield
    finally:
        for number, handler in zip(_SIGNALS, before, strict=True):
            signal.signal(number, handler)
