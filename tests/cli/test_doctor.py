"""``doctor`` without a Kafka: what it can still say, how it says it, how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.cli import doctor, main
from streams.cli.doctor import COLOURS, PLAIN
from streams.doctor import Finding

NOBODY = "127.0.0.1:1"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs the command in this process: (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STREAMS_CONFIG", raising=False)
    monkeypatch.setenv("STREAMS_KAFKA_BOOTSTRAP", NOBODY)
    monkeypatch.setenv("STREAMS_METRICS_PORT", "1")
    monkeypatch.setattr("signal.signal", lambda *_: None)

    def running(*words: str) -> tuple[int, str, str]:
        code = main(["doctor", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return running


def test_without_kafka_all_else_is_told_and_it_ends_with_3(run: Run) -> None:
    code, out, err = run()
    assert code == 3
    assert out.splitlines() == [
        "settings",
        "  ok    settings      valid; 2 of them given; the rest are defaults",
        "broker",
        f"  fail  kafka         nobody answers at {NOBODY} (Connection refused)",
        "                      Next: set kafka.bootstrap to your cluster, or: "
        "contact-streams broker start",
        "  ok    security      PLAINTEXT, on this machine",
        "workers",
        "  warn  metrics       http://127.0.0.1:1/metrics: does not answer (Connection refused)",
        "                      Next: contact-streams doctor --metrics http://HOST:9464/metrics, "
        "for each worker",
    ]
    assert err == "2 ok, 1 warn, 1 fail; 15 not made, for want of Kafka\n"


def test_a_worker_that_is_named_must_answer(run: Run) -> None:
    code, out, _ = run("--only", "metrics", "--metrics", NOBODY, "--json")
    (told,) = map(json.loads, out.splitlines())
    assert code == 1
    assert told == {
        "check": "metrics",
        "subject": "workers",
        "status": "fail",
        "found": f"http://{NOBODY}/metrics: does not answer (Connection refused)",
        "next": "look at that worker's log",
    }


def test_a_wrong_setting_is_told_with_the_command_that_tells_all(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMS_KAFKA_PARTITIONS", "0")
    code, out, err = run("--quick")
    assert code == 1
    assert "fail  settings      1 setting is wrong: kafka.partitions = '0'" in out
    assert "Next: contact-streams validate" in out
    assert err == "0 ok, 0 warn, 1 fail; 4 not made, for want of right settings\n"


def test_strict_takes_a_warning_for_a_failure(run: Run) -> None:
    assert run("--only", "settings,metrics")[0] == 0
    assert run("--only", "settings,metrics", "--strict")[0] == 1
    assert run("--only", "settings", "--strict")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--only", "lga"], "there is no check lga (did you mean lag?)"),
        (["--skip", "settings,topic"], "did you mean topics?"),
        (["--timeout", "soon"], "'soon' is no number of seconds"),
        (["--timeout", "0"], "'0' is no number of seconds"),
    ],
)
def test_wrong_usage_is_told(run: Run, words: list[str], said: str) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert said in err


def test_colours_are_for_terminals_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "is_coloured", lambda stream: True)
    doctor._Table().show(Finding("lag", "work", "warn", "late", ""))
    assert capsys.readouterr().out == f"work\n  {COLOURS['warn']}warn{PLAIN}  lag           late\n"
