"""The command line: what it answers, how it fails, and how fast it is."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streams import __version__
from streams.cli import COMMANDS, main
from streams.cli.choosing import time_of
from streams.cli.parsing import UsageError
from streams.cli.tables import day_table, result_table, text_table
from streams.kpis import FAMILIES
from streams.results import Choice, Latest, Result

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "streams")
NOBODY = "127.0.0.1:1"
"""An address where no broker listens."""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process: (exit code, standard output, standard error)."""

    def running(*words: str) -> tuple[int, str, str]:
        try:
            code = main(words)
        except SystemExit as left:
            code = int(left.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return running


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever is set on this machine, these tests begin from the defaults."""
    monkeypatch.chdir(tmp_path)
    for name in ("STREAMS_CONFIG", "STREAMS_KAFKA_BOOTSTRAP", "STREAMS_KAFKA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    # main() takes SIGTERM for itself; pytest does not mind, but gets it back.
    monkeypatch.setattr("signal.signal", lambda *_: None)


# -- help and version


def test_no_word_gives_the_help_with_examples_before_commands(run: Run) -> None:
    code, out, err = run()
    assert (code, err) == (0, "")
    assert out.index("examples:") < out.index("usage:") < out.index("commands:")
    assert all(f"\n  {name} " in out for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples_before_options(run: Run, command: str) -> None:
    code, out, err = run(command, "--help")
    assert (code, err) == (0, "")
    assert f"contact-streams {command}" in out
    assert out.index("examples:") < out.index("--help")
    assert "--leash" not in out


@pytest.mark.parametrize("word", ["--version", "-V", "version"])
def test_version(run: Run, word: str) -> None:
    assert run(word) == (0, f"contact-streams {__version__}\n", "")


@pytest.mark.parametrize("word", ["--version", "--help"])
def test_help_and_version_answer_at_once(word: str) -> None:
    def seconds() -> float:
        began = time.perf_counter()
        subprocess.run([*COMMAND, word], check=True, capture_output=True, cwd=ROOT)
        return time.perf_counter() - began

    # The best of some: on a busy machine the others measure something else.
    assert min(seconds() for _ in range(5)) < 0.15


# -- errors


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["tpoics"], "did you mean topics?"),
        (["broker", "strat"], "did you mean start?"),
        (["topics", "check", "--jsno"], "did you mean --json?"),
        (["kpi", "get", "contact_offered"], "did you mean contacts_offered?"),
        (["kpi", "get", "--window", "dya"], "did you mean day?"),
        (["kpi", "show", "talk_time_maen"], "did you mean talk_time_mean?"),
        (["kpi", "list", "--family", "sped"], "did you mean speed?"),
        (["compute", "--source", "asterisk_queuelog", "f"], "did you mean asterisk_queue_log?"),
    ],
)
def test_a_slip_of_the_finger_brings_the_word_that_was_meant(
    run: Run, words: list[str], hint: str
) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert hint in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "words",
    [
        ["broker"],
        ["bridge", "queue-log"],
        ["compute", "file"],
        ["compute", "--source", "asterisk_queue_log", "no-such-file"],
        ["kpi", "get", "--since", "yesterday"],
        ["simulate", "--rate", "many", "--lines", "--duration", "1h"],
        ["simulate", "--lines"],
        ["simulate", "--speed", "60"],
        ["simulate", "--speed", "0"],
        ["simulate", "--queues", "a,a", "--lines", "--duration", "1h"],
        ["simulate", "--duration", "soon"],
        ["worker", "now"],
    ],
)
def test_wrong_usage_is_exit_code_2_and_one_message(run: Run, words: list[str]) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith("contact-streams: ")
    assert err.count("\n") <= 3


@pytest.mark.parametrize(
    "words",
    [["topics", "check"], ["topics", "apply"], ["kpi", "get"], ["kpi", "get", "--json"]],
)
def test_kafka_out_of_reach_is_exit_code_3_and_says_what_to_do(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setenv("STREAMS_KAFKA_BOOTSTRAP", NOBODY)
    monkeypatch.setattr("streams.kafka.connect._BOOTSTRAP_MS", 300)
    code, out, err = run(*words)
    assert (code, out) == (3, "")
    assert NOBODY in err
    assert "Next: " in err
    assert "Traceback" not in err


def test_wrong_settings_are_all_told_at_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMS_KAFKA_PARTITIONS", "none")
    monkeypatch.setenv("STREAMS_PROCESSING_PUBLISH_MS", "1")
    code, out, err = run("topics", "plan")
    assert (code, out) == (2, "")
    assert "kafka.partitions" in err
    assert "processing.publish_ms" in err


def test_ctrl_c_is_no_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(words: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("streams.cli.validate.main", interrupted)
    assert run("validate") == (130, "", "")


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = [*COMMAND, "simulate", "--lines", "--duration", "24h"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


# -- validate


def test_validate_says_that_all_is_well(run: Run) -> None:
    assert run("validate") == (0, "", "settings and KPIs are right\n")


def test_validate_lists_every_problem_and_fails(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMS_KAFKA_PARTITIONS", "0")
    monkeypatch.setenv("STREAMS_NONSENSE", "1")
    code, out, err = run("validate")
    assert (code, err) == (1, "2 problems\n")
    assert len(re.findall(r"^- ", out, re.MULTILINE)) == 2
    code, out, _ = run("validate", "--json")
    assert code == 1
    assert [list(json.loads(line)) for line in out.splitlines()] == [["problem"], ["problem"]]


# -- simulate


def test_simulated_lines_are_the_same_for_the_same_seed(run: Run) -> None:
    words = ("simulate", "--lines", "--duration", "10m", "--start", "2026-10-05T08:00Z")
    code, first, err = run(*words, "--seed", "5")
    assert (code, err) == (0, "")
    assert first.startswith("1791187200|NONE|NONE|NONE|QUEUESTART|\n")
    assert run(*words, "--seed", "5")[1] == first
    assert run(*words, "--seed", "6")[1] != first


def test_simulated_queues_and_rates_are_those_asked_for(run: Run) -> None:
    words = ("simulate", "--lines", "--duration", "1h", "--rate", "10/s", "--queues", "a,b")
    lines = [line.split("|") for line in run(*words)[1].splitlines()]
    assert {parts[2] for parts in lines} == {"NONE", "a", "b"}
    assert len(lines) == pytest.approx(36_000, rel=0.1)


def test_a_definition_is_shown_to_people_and_programs(run: Run) -> None:
    code, out, _ = run("kpi", "show", "service_level_neg")
    assert code == 0
    assert out.startswith("service_level_neg: Answered within T, over answered and abandoned")
    assert "([answered visits] + [abandoned visits])" in out
    told = json.loads(run("kpi", "show", "service_level_neg", "--json")[1])
    assert told["formula"].startswith("cohort_answered_in_threshold / (")
    assert (told["topic"], told["version"]) == ("kpi.service-level.v1", 1)


def test_a_list_may_be_of_one_family(run: Run) -> None:
    code, out, _ = run("kpi", "list", "--family", "waiting", "--json")
    names = [json.loads(line)["kpi"] for line in out.splitlines()]
    assert (code, names) == (0, [kpi.name for kpi in FAMILIES["waiting"]])
    assert len(run("kpi", "list", "--json")[1].splitlines()) > len(names)


# -- results


def record(
    value: object, queue: str = "PS", kpi: str = "contacts_offered", window: str = "day"
) -> tuple[bytes, bytes]:
    """Key and value of a result."""
    start = "" if window == "now" else "2026-10-05T00:00:00Z"
    told = {
        "kpi": kpi, "key": {"queue": queue, "channel": "voice"},
        "window": {"kind": window, "start": start or None}, "value": value, "unit": "contacts",
        "status": "final", "revision": 3,
    }  # fmt: skip
    name: list[object] = [kpi, "queue", queue, "voice", window]
    return json.dumps(name + ([1] if start else [])).encode(), json.dumps(told).encode()


class Rec:
    """A record, as far as results need one."""

    def __init__(self, key: bytes, value: bytes | None) -> None:
        self.key: bytes | None = key
        self.value = value


def test_the_latest_record_of_a_key_wins_and_a_tombstone_withdraws() -> None:
    latest = Latest()
    latest.take([Rec(*record(1)), Rec(*record(7, queue="NW")), Rec(*record(2))])
    assert [(r.key["queue"], r.value) for r in latest.results()] == [("NW", 7), ("PS", 2)]
    latest.take([Rec(record(0)[0], None)])
    assert [r.key["queue"] for r in latest.results()] == ["NW"]


def test_a_choice_restricts_by_what_it_names_only() -> None:
    results = [
        Result(*record(1)),
        Result(*record(2, queue="NW")),
        Result(*record(3, window="now")),
        Result(*record(4, kpi="contacts_answered")),
    ]

    def chosen(**named: object) -> list[int]:
        return [r.value for r in Choice(**named).of(results)]  # type: ignore[arg-type]

    assert chosen() == [1, 2, 3, 4]
    assert chosen(queue="NW") == [2]
    assert chosen(window="now") == [3]
    assert chosen(kpis=("contacts_answered",)) == [4]
    assert chosen(since="2026-10-05T00:00:00Z") == [1, 2, 3, 4]
    assert chosen(since="2026-10-05T00:00:01Z") == [3]


@pytest.mark.parametrize(
    ("text", "time_utc"),
    [
        ("", ""),
        ("2026-10-05", "2026-10-05T00:00:00Z"),
        ("2026-10-05T08:00+02:00", "2026-10-05T06:00:00Z"),
        ("2026-10-05T06:00Z", "2026-10-05T06:00:00Z"),
    ],
)
def test_since_is_a_time_in_any_offset(text: str, time_utc: str) -> None:
    assert time_of("--since", text) == time_utc


def test_since_is_how_long_ago() -> None:
    from datetime import UTC, datetime

    now = datetime(2026, 10, 5, 12, tzinfo=UTC)
    assert [time_of("--since", text, now)[:16] for text in ("30m", "2h", "7d")] == [
        "2026-10-05T11:30", "2026-10-05T10:00", "2026-09-28T12:00",
    ]  # fmt: skip
    with pytest.raises(UsageError, match="neither a time nor"):
        time_of("--since", "2 hours")


def test_tables() -> None:
    assert text_table(["a", "b"], [["x", "10"], ["yy", "9"]]) == "a    b\nx   10\nyy   9\n"
    results = [Result(*record(1234)), Result(*record(0, queue="NW", kpi="contacts_answered"))]
    table = day_table(results).splitlines()
    assert table[1].split()[:6] == ["2026-10-05", "voice", "NW", "-", "0", "-"]
    assert table[2].split()[:5] == ["2026-10-05", "voice", "PS", "1,234", "-"]
    assert day_table([]) == result_table([]) == ""
    assert "1,234 contacts" in result_table(results)
