"""``contact-streams compute`` on a real Kafka: the known day comes out exactly, however the log is
sent, and nothing is left behind, however it ends."""

import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient

from streams import demo
from streams.kafka.embedded import EmbeddedCluster
from streams.kpis import ALL_KPIS
from tests.integration.commands import Command, Ran, gone_within, results_of, run

pytestmark = pytest.mark.integration

BLOCK_LINES = 500
SECONDS_TOLERATED = 40
"""The promise is 20 s on a quiet machine; this only notices when something has gone wrong."""


def lines() -> list[bytes]:
    return demo.LOG.read_bytes().splitlines(keepends=True)


def compute(broker: EmbeddedCluster, folder: Path, files: Sequence[Path], *more: str) -> Ran:
    words = ["compute", "--source", "asterisk_queue_log", *map(str, files), *more]
    return run([*words, "--bootstrap", broker.bootstrap], folder)


def differences(ran: Ran) -> list[str]:
    assert ran.code == 0, ran.err
    return demo.differences(demo.expected(), demo.of_results(results_of(ran.out)))


@contextmanager
def leaving_nothing(broker: EmbeddedCluster) -> Iterator[None]:
    """The cluster has the same topics and groups afterwards."""

    def there() -> tuple[set[str], set[str]]:
        with KafkaAdminClient(bootstrap_servers=broker.bootstrap) as admin:
            groups = admin.list_groups()
            topics = admin.list_topics()
        names = {name for name in topics if not name.startswith("__")}
        return names, {str(group["group_id"]) for group in groups}

    before = there()
    yield
    assert there() == before


@pytest.fixture(scope="module")
def the_day(broker: EmbeddedCluster, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The day, computed once, with every result as JSON."""
    with leaving_nothing(broker):
        return compute(broker, tmp_path_factory.mktemp("day"), [demo.LOG], "--json")


def test_every_known_number_of_the_day_is_exact(the_day: Ran) -> None:
    assert differences(the_day) == []


def test_results_are_one_json_object_a_line_as_in_the_topic(the_day: Ran) -> None:
    found = {(r.kpi, r.window, tuple(r.key.values())): r.fields for r in results_of(the_day.out)}
    offered = found["contacts_offered", "day", ("PS", "voice")]
    assert list(offered)[:8] == [
        "kpi", "key", "window", "value", "numerator", "denominator", "unit", "status",
    ]  # fmt: skip
    assert offered["window"] == {
        "kind": "day", "start": "2026-10-05T00:00:00Z", "end": "2026-10-06T00:00:00Z",
    }  # fmt: skip
    assert (offered["value"], offered["unit"]) == (1540, "contacts")


def test_the_whole_day_is_over(the_day: Ran) -> None:
    """Final, or corrected if the log went on for longer than the grace before it told all of a
    window; provisional only what needs more time than a day."""
    kpis = {kpi.name: kpi for kpi in ALL_KPIS}
    of_the_day = [
        r
        for r in results_of(the_day.out)
        if r.window in ("day", "hour", "quarter_hour") and r.start < "2026-10-06"
    ]
    at_once = {r.fields["status"] for r in of_the_day if not kpis[r.kpi].matures_ms}
    later = {r.fields["status"] for r in of_the_day if kpis[r.kpi].matures_ms}
    assert at_once <= {"final", "corrected"}
    assert "final" in at_once
    assert later == {"provisional"}


def test_the_summary_stands_apart_from_the_results(the_day: Ran) -> None:
    assert "5,989 lines, 9,011 events" in the_day.err
    assert "rejected" not in the_day.err
    assert all(line.startswith("{") for line in the_day.out.splitlines())


def test_the_same_log_twice_counts_once(broker: EmbeddedCluster, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.write_bytes(b"".join(lines()))
    assert differences(compute(broker, tmp_path, [demo.LOG, again], "--json")) == []


def test_a_log_shuffled_in_blocks_gives_the_same(broker: EmbeddedCluster, tmp_path: Path) -> None:
    whole = lines()
    blocks = [whole[at : at + BLOCK_LINES] for at in range(0, len(whole), BLOCK_LINES)]
    random.Random(5).shuffle(blocks)
    shuffled = tmp_path / "shuffled"
    shuffled.write_bytes(b"".join(line for block in blocks for line in block))
    assert differences(compute(broker, tmp_path, [shuffled], "--json")) == []


def test_bad_lines_are_left_out_and_told_by_reason(broker: EmbeddedCluster, tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    bad = [b"1791183466|1|q\n", b"soon|1|q|NONE|ENTERQUEUE\n", b"1791183466|1|q|a|DANCE\n"]
    log.write_bytes(b"".join([*lines()[:300], *bad, *lines()[300:]]))
    ran = compute(broker, tmp_path, [log], "--json")
    assert differences(ran) == []
    assert "3 lines were rejected" in ran.err
    for reason in ("line.malformed", "time.malformed", "verb.unknown"):
        assert f"{reason}: 1" in ran.err


def test_an_empty_log_has_no_results(broker: EmbeddedCluster, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    ran = compute(broker, tmp_path, [empty])
    assert (ran.code, ran.out) == (0, "")
    assert "0 lines, 0 events, 0 results" in ran.err


def test_one_kpi_can_be_chosen(broker: EmbeddedCluster, tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    log.write_bytes(b"".join(lines()[:600]))
    choice = ("--kpi", "contacts_offered", "--window", "day", "--queue", "PS")
    ran = compute(broker, tmp_path, [log], *choice)
    assert ran.code == 0, ran.err
    heading, row = ran.out.splitlines()
    assert heading.split()[0] == "kpi"
    assert row.startswith("contacts_offered  queue=PS channel=voice  day")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_leave_nothing_behind(
    broker: EmbeddedCluster, tmp_path: Path, number: signal.Signals
) -> None:
    words = ["compute", "--source", "asterisk_queue_log", str(demo.LOG)]
    with leaving_nothing(broker):
        command = Command([*words, "--bootstrap", broker.bootstrap], tmp_path)
        assert command.has_started(1), "the worker"
        time.sleep(2)
        started = command.descendants()
        command.process.send_signal(number)
        ran = command.wait()
    assert ran.code == 128 + number, ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert started
    assert gone_within(started, 5)
    assert list(command.folder.iterdir()) == []


def test_a_broker_of_its_own_comes_and_goes(tmp_path: Path) -> None:
    command = Command(
        ["compute", "--source", "asterisk_queue_log", str(demo.LOG), "--json"], tmp_path
    )
    ran = command.wait()
    assert differences(ran) == []
    assert list(command.folder.iterdir()) == []
    assert ran.seconds < SECONDS_TOLERATED


def test_kill_9_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    command = Command(["compute", "--source", "asterisk_queue_log", str(demo.LOG)], tmp_path)
    assert command.has_started(3), "worker, watchdog and broker"
    time.sleep(4)
    started = command.descendants()
    command.process.kill()
    command.process.communicate()
    assert gone_within(started, 20)
    assert list(command.folder.iterdir()) == []
