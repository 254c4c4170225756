"""Fail points: what the variable may say, and that a process really ends or stops there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from streams.errors import SettingsError
from streams.runtime.failpoints import VARIABLE, fail_point

PROGRAM = """
from streams.runtime.failpoints import fail_point
reach = fail_point("contacts.entities#2:{how}")
for n in range(3):
    for step in ("outputs", "entities"):
        print(n, step, flush=True)
        reach("contacts", step)
        reach("staff", step)
"""


def begun(how: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(how=how)], stdout=subprocess.PIPE, text=True
    )


def test_the_process_is_killed_at_the_nth_time() -> None:
    with begun("kill") as process:
        told, _ = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert told.splitlines()[-1] == "1 entities"


def test_the_process_stops_and_goes_on_when_it_is_continued() -> None:
    with begun("stop") as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        process.send_signal(signal.SIGCONT)
        told, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert told.splitlines()[-1] == "2 entities"


@pytest.mark.parametrize(
    "text", ["contacts.entities", "x.entities:kill", "board.x:stop", "board.results#0:kill", ":"]
)
def test_a_fail_point_that_cannot_be_understood_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=VARIABLE):
        fail_point(text)


@pytest.mark.parametrize("text", [None, ""])
def test_without_the_variable_nothing_fails(text: str | None) -> None:
    reach = fail_point(text)
    reach("contacts", "entities")
