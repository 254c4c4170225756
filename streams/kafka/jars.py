"""The broker's jars: named and hashed in ``jars.lock``, fetched once, checked at every start.

A jar gets its name in the cache by one rename after its SHA-256 was compared, so a download
that is killed leaves nothing that looks like a jar. No repository address stands here: ``jgo``
knows Maven Central, and a mirror named in the user's jgo settings comes before it.
"""

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from streams.errors import BrokerError

Progress = Callable[[str, int, int], None]
"""Told what goes on: (step in plain words, done, of how many). Called from one thread."""

LOCK = Path(__file__).with_name("jars.lock")
_AT_ONCE = 8
_ATTEMPTS = 2
_PAUSE_SECONDS = 1.0


class Jar(NamedTuple):
    """One line of the lock: ``group:artifact:version sha256:<hex>``."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def silent(step: str, done: int, total: int) -> None:
    """The progress callback that says nothing."""


def locked(lock: Path = LOCK) -> list[Jar]:
    """The jars of the lock file, in its order."""
    return [_jar(line) for line in lock.read_text("ascii").splitlines() if line.strip()]


def fetch(cache: Path, progress: Progress = silent, lock: Path = LOCK) -> list[Path]:
    """The paths of all locked jars below ``cache``, after downloading those that are missing.

    Raises BrokerError when one cannot be had (network, repository) or is not the locked file.
    A cached jar whose bytes no longer match is fetched again.
    """
    jars = locked(lock)
    folder = cache / "jars"
    if _missing(jars, folder):
        folder.mkdir(parents=True, exist_ok=True)
        with _only_one(folder):
            # Another process may have fetched them while this one waited for its turn.
            _download(_missing(jars, folder), folder, progress)
    return [folder / jar.filename for jar in jars]


def _jar(line: str) -> Jar:
    coordinate, digest = line.split()
    group, artifact, version = coordinate.split(":")
    return Jar(group, artifact, version, digest.removeprefix("sha256:"))


def _missing(jars: Sequence[Jar], folder: Path) -> list[Jar]:
    # 46 jars of 45 MB in all hash in 35 ms: cheap enough to trust nothing.
    return [jar for jar in jars if _sha256(folder / jar.filename) != jar.sha256]


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """One downloading process at a time; the kernel frees the lock when it is killed."""
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _download(jars: Sequence[Jar], folder: Path, progress: Progress) -> None:
    scratch = folder / ".fetching"
    # Under the lock, whatever lies here is what a killed download left behind.
    shutil.rmtree(scratch, ignore_errors=True)
    threads = ThreadPoolExecutor(_AT_ONCE)
    try:
        running = [threads.submit(_fetch_one, jar, scratch, folder) for jar in jars]
        for done, future in enumerate(as_completed(running), start=1):
            future.result()
            progress("fetching Kafka", done, len(jars))
    finally:
        threads.shutdown(cancel_futures=True)
        shutil.rmtree(scratch, ignore_errors=True)


def _fetch_one(jar: Jar, scratch: Path, folder: Path) -> None:
    """Downloads one jar and gives it its name; tries twice, as one hiccup in 46 is likely."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            # A folder per attempt: jgo takes a half-written file for a finished one.
            path = _resolve(jar, scratch / str(attempt))
            _check(jar, path)
        except BrokerError:
            if attempt == _ATTEMPTS:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            os.replace(path, folder / jar.filename)
            return


def _resolve(jar: Jar, repo_cache: Path) -> Path:
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=repo_cache)
    context.remote_repos.update(GlobalSettings.load().repositories)
    try:
        return context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    except (OSError, RuntimeError) as error:
        # OSError covers every network failure of requests; jgo says "not found" by RuntimeError.
        raise BrokerError(
            f"cannot download {jar.filename}, a part of the embedded Kafka",
            str(error).partition("\n")[0],
            "check the network or the mirror in ~/.config/jgo.conf, then run the command again",
        ) from error


def _check(jar: Jar, path: Path) -> None:
    found = _sha256(path)
    if found != jar.sha256:
        raise BrokerError(
            f"{jar.filename} was downloaded but is not the locked file; it was not kept",
            f"its SHA-256 is {found}, jars.lock says {jar.sha256}",
            "check the mirror in ~/.config/jgo.conf, then run the command again",
        )
