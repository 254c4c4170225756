"""Waiting until started brokers answer, and saying why when they do not."""

import socket
import time
from collections.abc import Callable, Collection, Sequence

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from streams.errors import BrokerError
from streams.kafka.connect import client_options, quiet_client
from streams.kafka.node import HOST, Node

_LOOK_EVERY_SECONDS = 0.02
_LOG_LINES = 6
# So that the death of a broker is noticed while a client still waits for its answer.
_SHORT = {"bootstrap_timeout_ms": 2_000, "request_timeout_ms": 5_000}


def wait_until_ready(
    nodes: Sequence[Node], alive: Callable[[], Collection[int]], seconds: float
) -> None:
    """Returns when each node is an unfenced broker of its cluster, by its own metadata.

    ``alive`` gives the numbers of the nodes whose process runs. Raises BrokerError when one has
    ended, with the end of its log, or when ``seconds`` have passed.
    """
    deadline = time.monotonic() + seconds
    wanted = {node.number for node in nodes}
    for node in nodes:
        _wait(node, _accepts, alive, deadline)
    for node in nodes:
        _wait(node, lambda one: wanted <= _unfenced(one), alive, deadline)


def _wait(
    node: Node, done: Callable[[Node], bool], alive: Callable[[], Collection[int]], deadline: float
) -> None:
    while not done(node):
        if node.number not in alive():
            raise _failed(node, "it ended")
        if time.monotonic() > deadline:
            raise _failed(node, "it did not answer in time")
        time.sleep(_LOOK_EVERY_SECONDS)


def _accepts(node: Node) -> bool:
    try:
        socket.create_connection((HOST, node.port), timeout=1).close()
    except OSError:
        return False
    return True


def _unfenced(node: Node) -> set[int]:
    try:
        with quiet_client(), KafkaAdminClient(**client_options(node.address, _SHORT)) as admin:
            brokers = admin.describe_cluster()["brokers"]
    except KafkaError:
        return set()
    return {broker["broker_id"] for broker in brokers if not broker["is_fenced"]}


def _failed(node: Node, how: str) -> BrokerError:
    try:
        lines = node.log.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    # Without the frames of Java's stack traces, which would push out the cause.
    told = [line for line in lines if line and not line[0].isspace()]
    return BrokerError(
        f"the embedded broker {node.number} did not start: {how}",
        "\n".join(["its log ends with:", *told[-_LOG_LINES:]]) if told else "",
    )
