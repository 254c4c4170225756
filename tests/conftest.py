"""What all tests share: one real Kafka for the whole run, started when the first test asks."""

from collections.abc import Iterator
from itertools import count

import pytest

from streams.kafka.embedded import EmbeddedCluster

_serial = count(1)


def _tell(config: pytest.Config, text: str) -> None:
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        reporter.ensure_newline()
        reporter.write_line(text)


@pytest.fixture(scope="session")
def broker(pytestconfig: pytest.Config) -> Iterator[EmbeddedCluster]:
    """A running broker; ``broker.bootstrap`` is its address. Tests keep apart by ``prefix``."""

    def progress(step: str, done: int, total: int) -> None:
        # Only a download is worth a line: it is the one step that can take a while.
        if total > 1 and done == total:
            _tell(pytestconfig, f"{step}: {total} files")

    with EmbeddedCluster().start(progress) as cluster:
        yield cluster


@pytest.fixture
def prefix() -> str:
    """A topic prefix, and an application id, that no other test uses."""
    return f"test-{next(_serial)}"
