"""The Kafka Streams engine of the benchmark: a Java program, built with Maven.

    prepare()
    subprocess.run([*command(2, "kstreams-memory"), "--bootstrap", ..., "--job", "2", ...])

It needs a JDK of 17 or newer and Maven; the jars come from where the user's Maven fetches them.
``target/`` holds what is built, about 100 MB, most of it RocksDB.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from streams.errors import StreamsError

_HERE = Path(__file__).parent
_TARGET = _HERE / "target"
_BUILT = _TARGET / "built"
_BUILD_SECONDS_MAX = 600


class Variant(NamedTuple):
    """The Java program's ``--variant`` and the options of its JVM."""

    name: str
    jvm: tuple[str, ...] = ()


# The 256 MB cache and the contacts fit in 2 GB; twice the young space is half the collections.
_LARGE_HEAP = ("-XX:+UseParallelGC", "-Xms4g", "-Xmx4g", "-Xmn2g")
VARIANTS = {
    "kstreams-memory": Variant("memory"),
    "kstreams-memory-tuned": Variant("memory-tuned", _LARGE_HEAP),
    "kstreams-rocksdb": Variant("rocksdb"),
    "kstreams-eos": Variant("eos"),
}
"""By the name of the engine. Without options the JVM chooses its collector and heap itself."""


def prepare() -> None:
    """Builds the program, unless these sources have been built; a first time takes a minute.

    Raises StreamsError when there is no JDK or Maven, or the build fails.
    """
    built = _fingerprint()
    if _BUILT.is_file() and _BUILT.read_text("ascii") == built:
        return
    _java_program("javac")
    # Not `clean`: a jar of 70 MB need not be copied again.
    _run([_maven(), "-q", "-B", "-Dstyle.color=never", "package"])
    _BUILT.write_text(built, "ascii")


def command(job: int, variant: str) -> list[str]:
    """The command line of one engine, to which the harness adds the arguments of all engines.

    ``job`` changes nothing: one set of options serves all. Raises KeyError for a ``variant``
    that is not in VARIANTS, StreamsError without Java.
    """
    name, jvm = VARIANTS[variant]
    classpath = os.pathsep.join([str(_TARGET / "peer.jar"), str(_TARGET / "lib" / "*")])
    # Else a JVM that is killed leaves a file in the system's temporary folder.
    java = [_java_program("java"), "-XX:-UsePerfData", *jvm]
    return [*java, "-cp", classpath, "bench.Main", "--variant", name]


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in [_HERE / "pom.xml", *sorted((_HERE / "src").rglob("*.java"))]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _java_program(name: str) -> str:
    """``java`` or ``javac`` of JAVA_HOME, which Maven builds with, or else of the PATH."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(name, path=str(Path(home) / "bin") if home else None)
    if found is None:
        raise StreamsError(
            f"Kafka Streams cannot be measured: there is no {name}",
            "the engine is a Java program, built here",
            "install a JDK of 17 or newer (or set JAVA_HOME), then run the command again",
        )
    return found


def _maven() -> str:
    found = shutil.which("mvn")
    if found is None:
        raise StreamsError(
            "Kafka Streams cannot be measured: there is no mvn",
            "the engine is a Java program, built here",
            "install Apache Maven 3.6.3 or newer, then run the command again",
        )
    return found


def _run(build: list[str]) -> None:
    try:
        done = subprocess.run(
            build,
            cwd=_HERE,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_BUILD_SECONDS_MAX,
        )
    except subprocess.TimeoutExpired:
        raise _not_built(f"Maven did not end within {_BUILD_SECONDS_MAX} s") from None
    if done.returncode != 0:
        lines = done.stdout.strip().splitlines()
        raise _not_built(next((line for line in lines if "ERROR" in line), "Maven failed"))


def _not_built(why: str) -> StreamsError:
    return StreamsError(
        "Kafka Streams cannot be measured: its program could not be built",
        why,
        f"mvn -f {_HERE / 'pom.xml'} package",
    )
