"""deploy/Dockerfile and what goes into it, without Docker."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.deploy.places import DEPLOY, PINNED, ROOT, digests, locked
from tests.deploy.probing import exit_code, worker

TEXT = (DEPLOY / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
STEPS = [line.split(maxsplit=1) for line in TEXT.splitlines() if line and line[0] not in "# "]
LAST = STEPS[max(i for i, step in enumerate(STEPS) if step[0] == "FROM") :]


def _only(keyword: str) -> str:
    """What the last stage says after a keyword that it has once."""
    (said,) = [step[1] for step in LAST if step[0] == keyword]
    return said


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run(
        [hadolint, "--no-color", "--failure-threshold", "style", DEPLOY / "Dockerfile"],
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.returncode) == ("", 0)


def test_all_stages_have_one_pinned_base() -> None:
    (base,) = {step[1].split(" AS ")[0] for step in STEPS if step[0] == "FROM"}
    assert PINNED.fullmatch(base)
    assert base.split("@")[0] in _only("LABEL")


def test_it_runs_as_nobody_in_particular() -> None:
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", _only("USER"))
    assert _only("STOPSIGNAL") == "SIGTERM"
    assert json.loads(_only("ENTRYPOINT")) == ["contact-streams"]


def test_the_last_stage_runs_nothing_so_that_nothing_of_the_build_stays() -> None:
    assert "RUN" not in {step[0] for step in LAST}
    assert all("--from=build" in step[1] for step in LAST if step[0] == "COPY")


@pytest.mark.parametrize(("live", "code"), [(True, 0), (False, 1)])
def test_a_container_is_healthy_while_its_loop_turns(live: bool, code: int) -> None:
    command = json.loads(_only("HEALTHCHECK").split("CMD", 1)[1])
    with worker(live=live, ready=False) as port:
        assert exit_code(command, port) == code


def test_a_container_that_does_not_answer_is_not_healthy() -> None:
    with worker(live=True, ready=True) as port:
        pass
    assert exit_code(json.loads(_only("HEALTHCHECK").split("CMD", 1)[1]), port) == 1


def test_the_builder_gets_what_is_copied_and_no_more() -> None:
    copied = {
        source
        for keyword, said in STEPS
        if keyword == "COPY" and "--from" not in said
        for source in said.split()[:-1]
    }
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert lines[[line.startswith("#") for line in lines].index(False)] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == copied
    assert all((ROOT / source).exists() for source in copied)


def test_the_images_locks_are_part_of_the_one_lock() -> None:
    everything, hashes = locked(ROOT / "requirements.lock"), digests(ROOT / "requirements.lock")
    for name in ("requirements.lock", "build.lock"):
        for package, version in locked(DEPLOY / name).items():
            assert everything.get(package) == version, f"{package}: run make lock"
        assert digests(DEPLOY / name) <= hashes, "run make lock"


def test_the_image_has_what_the_package_needs_and_nothing_of_the_extras() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = _names(project["project"]["dependencies"])
    extras = project["project"]["optional-dependencies"]
    packages = locked(DEPLOY / "requirements.lock").keys()
    assert wanted <= packages
    assert not packages & (_names(extras["demo"]) | _names(extras["dev"]))
    assert _names(project["build-system"]["requires"]) <= locked(DEPLOY / "build.lock").keys()


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9.-]", one)[0].lower() for one in requirements}
