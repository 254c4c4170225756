"""The project's own files: what is locked, and what must not stand in them."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import streams

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def requirements() -> Iterator[Requirement]:
    project = pyproject()["project"]
    for group in (project["dependencies"], *project["optional-dependencies"].values()):
        yield from map(Requirement, group)


def test_the_lock_has_a_fitting_version_of_everything_we_ask_for() -> None:
    locked = {canonicalize_name(name): pinned for name, pinned in PIN.findall(LOCK)}
    for requirement in requirements():
        pinned = locked.get(canonicalize_name(requirement.name))
        assert pinned is not None, f"{requirement.name} is not locked: make lock"
        assert pinned in requirement.specifier, f"{requirement} but {pinned} locked: make lock"


def test_every_locked_version_has_its_hashes() -> None:
    blocks = re.split(r"^(?=\S+==)", LOCK, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(PIN.findall(LOCK)) > 0
    assert all("--hash=sha256:" in block for block in blocks)


@pytest.mark.parametrize(
    "name", ["requirements.lock", "streams/kafka/jars.lock", "pyproject.toml", "Makefile"]
)
def test_no_registry_is_named(name: str) -> None:
    # Whoever installs chooses the index or the mirror; a host written here would overrule them.
    text = (ROOT / name).read_text("utf-8")
    assert not re.search(r"https?://|--index|--extra-index|--find-links\b(?!.*--no-emit)", text)


def test_the_installed_version_is_the_packages() -> None:
    assert version("contact-streams") == streams.__version__
