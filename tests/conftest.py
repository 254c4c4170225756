"""What all tests share: one real Kafka for a whole run (in two processes, one for each), started
when the first test asks."""

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import count

import pytest

from streams.kafka.embedded import EmbeddedCluster
from tests.brokers import QUICK

_serial = count(1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With two processes (``make unit``) files are given out one after the other: first those with
    processes of their own, which take long, so that in the end both have something short to do."""
    if hasattr(config, "workerinput"):
        long = {item.path for item in items if item.get_closest_marker("integration")}
        items.sort(key=lambda item: item.path not in long)


def _tell(config: pytest.Config, text: str) -> None:
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        reporter.ensure_newline()
        reporter.write_line(text)
        return
    # One of two processes: what it reports is for the other one, its errors are for the terminal.
    capturing = config.pluginmanager.getplugin("capturemanager")
    with capturing.global_and_fixture_disabled() if capturing else nullcontext():
        print(f"\n{text}", file=sys.stderr, flush=True)


@pytest.fixture(scope="session")
def broker(pytestconfig: pytest.Config) -> Iterator[EmbeddedCluster]:
    """A running broker; ``broker.bootstrap`` is its address. Tests keep apart by ``prefix``."""

    def progress(step: str, done: int, total: int) -> None:
        # Only a download is worth a line: it is the one step that can take a while.
        if total > 1 and done == total:
            _tell(pytestconfig, f"{step}: {total} files")

    with EmbeddedCluster(jvm_options=QUICK).start(progress) as cluster:
        yield cluster


@pytest.fixture
def prefix() -> str:
    """A topic prefix, and an application id, that no other test uses."""
    return f"test-{next(_serial)}"
