"""``contact-streams demo``: what a new user sees first."""

import signal
import time
from pathlib import Path

import pytest

from streams import demo
from tests.integration.commands import Command, gone_within, run

pytestmark = pytest.mark.integration


def test_the_demo_shows_the_known_numbers_from_the_topics_and_from_metrics(tmp_path: Path) -> None:
    ran = run(["demo", "--once", "--metrics-port", "0"], tmp_path)
    assert ran.code == 0, ran.out + ran.err
    assert f"All {len(demo.expected())} known numbers of the day are right" in ran.out
    assert f"{len(demo.expected_of_metrics())} of them at /metrics" in ran.out
    rows = [line.split() for line in ran.out.splitlines() if line.startswith("2026-10-05")]
    assert [row[2:6] for row in rows] == [
        ["IN", "130", "68", "62"],
        ["NE", "140", "121", "19"],
        ["NW", "400", "177", "223"],
        ["PE", "13", "9", "4"],
        ["PS", "1,540", "1,120", "420"],
        ["TT", "16", "16", "0"],
        ["all", "2,239", "1,511", "728"],
    ]
    assert "/metrics" in ran.out
    assert list((tmp_path / "tmp").iterdir()) == []


def test_ctrl_c_ends_the_living_centre_and_everything_else(tmp_path: Path) -> None:
    command = Command(["demo", "--metrics-port", "0"], tmp_path)
    assert command.process.stderr is not None
    said = []
    for line in command.process.stderr:
        said.append(line)
        if "Ctrl-C" in line:
            break
    time.sleep(3)
    started = command.descendants()
    command.process.send_signal(signal.SIGINT)
    ran = command.wait()
    assert ran.code == 0, "".join(said) + ran.err
    assert ran.err.endswith("everything is stopped, nothing is left behind\n")
    assert gone_within(started, 5)
    assert list(command.folder.iterdir()) == []


def test_a_wrong_number_would_be_seen() -> None:
    """The comparison itself: each kind of mistake makes a sentence."""
    wanted = demo.expected()
    assert demo.differences(wanted, dict(wanted)) == []
    changed = {**wanted, ("PS", "offered"): 1541}
    assert demo.differences(wanted, changed) == ["PS: offered is 1541, must be 1540"]
    missing = {at: value for at, value in wanted.items() if at != ("NW", "talk_s")}
    assert demo.differences(wanted, missing) == ["NW: talk_s is 0, must be 22711"]
    extra = {**wanted, ("XX", "offered"): 1}
    assert demo.differences(wanted, extra) == ["XX: offered is 1, must be 0"]


def test_the_shipped_day_is_the_one_the_numbers_are_of() -> None:
    assert len(demo.LOG.read_bytes().splitlines()) == 5989
    hours = {at: n for (at, name), n in demo.expected().items() if at.startswith("2026-10-05T")}
    assert sum(hours.values()) == demo.expected()[demo.ALL, "offered"] == 2239
