"""The venv of the peers: ``.venv-bench`` beside the project's own, made when it is needed.

Its packages would only get in the way of ours (other versions of the same clients), so they are
never installed together.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from streams.errors import StreamsError

ROOT = Path(__file__).parents[1]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
VENV = ROOT / ".venv-bench"
PYTHON = VENV / "bin" / "python"
_INSTALLED = VENV / "installed"
_SHOWN = ("bytewax", "confluent-kafka", "matplotlib", "orjson", "quixstreams")


def prepare(say: Callable[[str], None]) -> None:
    """Make it, unless it is there with exactly these requirements.

    Raises StreamsError when packages cannot be had.
    """
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if _INSTALLED.is_file() and _INSTALLED.read_text("ascii") == wanted:
        return
    say(f"making {VENV.name} for the peers (a minute, once)")
    _run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    (VENV / ".gitignore").write_text("*\n", "ascii")
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    _run([*pip, "--quiet", "-r", str(REQUIREMENTS)])
    _INSTALLED.write_text(wanted, "ascii")


def prepare_bytewax(say: Callable[[str], None]) -> None:
    """As ``prepare``; StreamsError too where there is no bytewax for this Python."""
    prepare(say)
    if "bytewax" not in versions():
        raise StreamsError(
            "bytewax cannot be measured: it has no wheel for this Python",
            next="make the project's venv with Python 3.11 or 3.12: make PYTHON=python3.12 install",
        )


def versions() -> dict[str, str]:
    """What is installed there of what matters."""
    program = (
        "import json, sys; from importlib.metadata import distributions;"
        "found = {each.name.lower(): each.version for each in distributions()};"
        "print(json.dumps({name: found[name] for name in sys.argv[1:] if name in found}))"
    )
    done = subprocess.run(
        [str(PYTHON), "-c", program, *_SHOWN], capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise StreamsError(
            "the peers cannot be installed",
            "\n".join(done.stdout.strip().splitlines()[-5:]),
            f"{PYTHON} -m pip install -r {REQUIREMENTS}",
        )
