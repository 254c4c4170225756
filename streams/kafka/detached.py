"""One broker that outlives the command that started it: ``contact-streams broker start``.

It lies in the state folder: ``broker-1`` (data and log, kept between runs), ``broker.json`` (what
runs) and ``broker.lock``. The JVM inherits the open, locked lock file, so the kernel itself knows
whether it runs: no process id is ever trusted while nobody holds the lock.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from streams.errors import BrokerError
from streams.kafka.jars import Progress, silent
from streams.kafka.jvm import broker_command, environment, prepare
from streams.kafka.node import Node, cluster_id_of, free_ports, is_free, write_folder
from streams.kafka.places import cache_dir, state_dir
from streams.kafka.ready import wait_until_ready

# Where every Kafka client looks first, so that a started broker is found without a setting.
_USUAL_PORT = 9092
_GRACE_SECONDS = 20.0
_START_SECONDS = 60.0
_STARTING_SECONDS = 5.0


@dataclass(frozen=True)
class BrokerInfo:
    """A detached broker: where it listens, its JVM's process id, what it keeps and writes."""

    bootstrap: str
    pid: int
    data_dir: str
    log: str


def start_detached(
    progress: Progress = silent,
    port: int | None = None,
    settings: Mapping[str, str] | None = None,
    heap_mb: int = 512,
) -> BrokerInfo:
    """Starts the broker, or finds it running, and returns when it answers.

    Without a ``port``: the one of the last run, else 9092, else any; the first that is free.
    Raises BrokerError, with nothing left running, when it cannot be started.
    """
    kafka = prepare(cache_dir(), progress)
    folder = state_dir()
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder) as lock:
        if lock is None:
            return _found_running()
        last = _read(folder)
        (folder / "broker.json").unlink(missing_ok=True)
        node = _node(folder, port, last)
        write_folder(node, [node], cluster_id_of(node), kafka.checkpoint, settings or {})
        pid = _launch(broker_command(kafka, node, heap_mb, ()), node.log, lock)
        info = BrokerInfo(node.address, pid, str(node.data), str(node.log))
        (folder / "broker.json").write_text(json.dumps(asdict(info)) + "\n", "utf-8")
    progress("starting Kafka", 0, 1)
    _wait(node)
    progress("starting Kafka", 1, 1)
    return info


def stop_detached() -> bool:
    """Stops the broker and returns when it is gone; False if it did not run. Data stays."""
    info = status_detached()
    if info is None:
        return False
    if not _end(info.pid, signal.SIGTERM, _GRACE_SECONDS):
        _end(info.pid, signal.SIGKILL, _GRACE_SECONDS)
    return True


def status_detached() -> BrokerInfo | None:
    """The broker that runs (it may still be starting), or None."""
    folder = state_dir()
    return _read(folder) if _runs(folder) else None


def _found_running() -> BrokerInfo:
    """The running broker; another command may be about to write down what it started."""
    deadline = time.monotonic() + _STARTING_SECONDS
    while (info := status_detached()) is None:
        if time.monotonic() > deadline:
            raise BrokerError(
                "another command is starting or stopping the broker",
                f"{state_dir() / 'broker.lock'} is held",
                "contact-streams broker status",
            )
        time.sleep(0.05)
    return info


@contextmanager
def _lock(folder: Path) -> Iterator[int | None]:
    """The lock file's descriptor, locked, or None if somebody else holds it."""
    descriptor = os.open(folder / "broker.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        yield None
        return
    try:
        yield descriptor
    finally:
        # Closing, not unlocking: the lock belongs to the open file, which the JVM shares.
        os.close(descriptor)


def _runs(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / "broker.lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two who only ask do not take each other for the broker.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _read(folder: Path) -> BrokerInfo | None:
    try:
        return BrokerInfo(**json.loads((folder / "broker.json").read_text("utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        # Half a line after a power cut, or another version's: as good as none.
        return None


def _node(folder: Path, port: int | None, last: BrokerInfo | None) -> Node:
    free, controller = free_ports(2)
    if port is not None and not is_free(port):
        raise BrokerError(
            f"the broker cannot listen on port {port}",
            "another programme does",
            "contact-streams broker start, without a port, which takes a free one",
        )
    last_port = int(last.bootstrap.rpartition(":")[2]) if last else _USUAL_PORT
    usual = [one for one in (last_port, _USUAL_PORT) if is_free(one)]
    return Node(1, folder / "broker-1", port or (usual or [free])[0], controller)


def _launch(command: list[str], log: Path, lock: int) -> int:
    """Starts the JVM as nobody's child: the shell prints its process id and leaves."""
    done = subprocess.run(
        ["/bin/sh", "-c", '"$@" </dev/null >>"$0" 2>&1 & echo $!', str(log), *command],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
        pass_fds=[lock],
        start_new_session=True,
        check=True,
    )
    return int(done.stdout)


def _wait(node: Node) -> None:
    def alive() -> set[int]:
        return {node.number} if _runs(state_dir()) else set()

    try:
        wait_until_ready([node], alive, _START_SECONDS)
    except BaseException:
        stop_detached()
        raise


def _end(pid: int, how: signal.Signals, seconds: float) -> bool:
    """Sends the signal; whether the broker was gone within ``seconds``."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, how)
    deadline = time.monotonic() + seconds
    while _runs(state_dir()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
