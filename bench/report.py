"""What a session leaves behind: every raw number, the table and the chart, in one folder."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from bench import peers
from bench.catalogue import BY_NAME, JOBS
from bench.harness import Measurement
from bench.load import OPEN_CONTACTS, PARTITIONS, QUEUES
from bench.table import render, rows
from streams.errors import StreamsError

_POM = Path(__file__).parent / "kafka_streams" / "pom.xml"
_PROJECT = ("faust-streaming", "aiokafka", "msgspec")


def about(command: str, when: str, pinned: str) -> dict[str, str]:
    """What was run, where and with which versions."""
    return {
        "command": f"`{command}`",
        "date": when,
        "machine": machine(),
        "cores": pinned,
        "versions": ", ".join(f"{name} {number}" for name, number in _versions().items()),
        "load": f"{PARTITIONS} partitions, {QUEUES} queues, {OPEN_CONTACTS:,} contacts open at a "
        "time, JSON events of about 150 bytes, all in the log before the engine starts",
        "totals": "each engine's own, added up over its windows, and in jobs 1 and 2 every window "
        "in its output topic, against the exact ones",
    }


def machine() -> str:
    """Processor, cores, system; nothing that names the host."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, "
        f"{platform.system()} {platform.machine()}"
    )


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor() or "unknown processor"
    found = re.search(r"model name\s*:\s*(.+)", text)
    return found[1].strip() if found else "unknown processor"


def _versions() -> dict[str, str]:
    found = {"Python": platform.python_version()}
    found |= {name: version(name) for name in _PROJECT}
    if peers.PYTHON.exists():
        found |= peers.versions()
    found["Kafka Streams"] = _kafka_streams()
    found["broker"] = "embedded Apache Kafka " + _broker()
    return found


def _kafka_streams() -> str:
    text = _POM.read_text("utf-8") if _POM.exists() else ""
    found = re.search(r"<kafka.version>(.+?)</kafka.version>", text)
    return found[1] if found else "absent"


def _broker() -> str:
    from streams.kafka.jars import LOCK

    found = re.search(r"kafka_2\.13\S*?(\d+\.\d+\.\d+)", LOCK.read_text("utf-8"))
    return found[1] if found else ""


def write(folder: Path, results: Sequence[Measurement], said: dict[str, str]) -> None:
    """``results.json`` and ``results.md``; called after each run, so an interrupted session has
    what it had."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_bytes(as_json(results, said))
    (folder / "results.md").write_text(render(results, said), "utf-8")


def as_json(results: Sequence[Measurement], said: dict[str, str]) -> bytes:
    """Every raw number."""
    whole = {"about": said, "runs": [msgspec.to_builtins(result) for result in results]}
    return msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n"


def chart(path: Path, results: Sequence[Measurement], title: str) -> None:
    """Draw it; in another process, because matplotlib lives with the peers.

    Raises StreamsError when it cannot be drawn.
    """
    jobs = sorted({result.job for result in results})
    panels = [_panel(results, job) for job in jobs]
    with tempfile.NamedTemporaryFile("wb", suffix=".json") as file:
        file.write(msgspec.json.encode({"title": title, "panels": panels}))
        file.flush()
        done = subprocess.run(
            [str(peers.PYTHON), "-m", "bench.chart", file.name, str(path.absolute())],
            cwd=peers.ROOT,
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise StreamsError("the chart could not be drawn", done.stderr.strip()[-500:])


def _panel(results: Sequence[Measurement], job: int) -> dict[str, Any]:
    bars = [
        {
            "title": BY_NAME[row.engine].title,
            "kind": row.engine,
            "rate": row.rate,
            "low": row.rate_min,
            "high": row.rate_max,
        }
        for row in rows(results, job)
        if not row.problem
    ]
    return {"title": f"Job {job}: {JOBS[job]} (events/s)", "bars": bars}
