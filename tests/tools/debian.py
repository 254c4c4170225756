"""Prometheus and Alertmanager as Debian ships them, unpacked without root and without installing.

Whoever has them on the path uses those.  Else the packages are fetched by apt into the cache, with
lists of its own where the system's are missing, and unpacked there.  Where that is not possible
(no Debian, no network) the tests that need them are skipped and say why.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams.kafka.places import cache_dir

PACKAGES = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
}
"""Program -> the package it is in."""
FETCH_SECONDS_MAX = 300


class Unavailable(Exception):
    """The program cannot be had here; the text says why."""


def tool(program: str) -> Path:
    """The program, for a test; skips the test where it cannot be had."""
    try:
        return found(program)
    except Unavailable as error:
        pytest.skip(f"{program} is not to be had: {error}")


def started_in(program: str) -> tuple[Path, Path]:
    """The program, and the folder it has to be started in; skips as ``tool`` does.

    Debian's Alertmanager reads its templates from a fixed place, where they are only if it is
    installed.  An unpacked one gets a copy that looks for them below the folder it is started in:
    the same bytes but for that path, which stays as long as it was.
    """
    path, folder = tool(program), cache_dir() / "tools" / PACKAGES[program]
    if program != "prometheus-alertmanager" or not path.is_relative_to(folder):
        return path, Path.cwd()
    copy = path.with_name(f"{program}-unpacked")
    with _only_one(folder.parent):
        if not copy.exists():
            made = copy.with_suffix(".new")
            made.write_bytes(path.read_bytes().replace(b"/usr/share/prom", b"usr/share//prom"))
            made.chmod(0o755)
            made.rename(copy)
    return copy, folder


def found(program: str) -> Path:
    """Where the program is, after fetching it if need be."""
    installed = shutil.which(program)
    if installed is not None:
        return Path(installed)
    path = _folder(PACKAGES[program]) / "usr" / "bin" / program
    if not path.exists():
        raise Unavailable(f"Debian's package {PACKAGES[program]} has no {path.name}")
    return path


def _folder(package: str) -> Path:
    """Where the package is unpacked."""
    tools = cache_dir() / "tools"
    tools.mkdir(parents=True, exist_ok=True)
    folder = tools / package
    with _only_one(tools):
        if not folder.exists():
            _unpack(package, tools)
    return folder


@contextmanager
def _only_one(tools: Path) -> Iterator[None]:
    with (tools / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _unpack(package: str, tools: Path) -> None:
    for needed in ("apt-get", "dpkg-deb"):
        if shutil.which(needed) is None:
            raise Unavailable(f"there is no {needed} here, and {package} is not installed")
    scratch = tools / f".{package}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    _download(package, scratch)
    archive = next(scratch.glob("*.deb"))
    _run(["dpkg-deb", "-x", str(archive), "unpacked"], scratch)
    (scratch / "unpacked").rename(tools / package)
    shutil.rmtree(scratch)


def _download(package: str, scratch: Path) -> None:
    """With the system's lists, else with new ones that only we see."""
    try:
        _run(["apt-get", "download", package], scratch)
    except Unavailable:
        for folder in ("lists/partial", "archives/partial"):
            (scratch / "apt" / folder).mkdir(parents=True, exist_ok=True)
        own = ["-o", f"Dir::State={scratch / 'apt'}", "-o", f"Dir::Cache={scratch / 'apt'}"]
        own += ["-o", "Dir::State::status=/var/lib/dpkg/status"]
        _run(["apt-get", *own, "update"], scratch)
        _run(["apt-get", *own, "download", package], scratch)


def _run(command: Sequence[str], folder: Path) -> None:
    """Raises Unavailable with the last line of what it said, which names no host."""
    environ = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environ, capture_output=True, timeout=FETCH_SECONDS_MAX
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{command[0]} did not end in {FETCH_SECONDS_MAX} s") from error
    if done.returncode:
        raise Unavailable(f"{' '.join(command[:1])} ended with code {done.returncode}")
