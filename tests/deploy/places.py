"""Where what is shipped for operators lies, and what is asked of it in several tests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
OURS = "contact-streams"
"""The one image that is built from this checkout: it has a tag, and a digest only when released."""
PINNED = re.compile(r"[a-z0-9./-]+:[A-Za-z0-9._-]+@sha256:[0-9a-f]{64}")


def documents(path: Path) -> list[dict[str, Any]]:
    """The documents of a YAML file."""
    return [one for one in yaml.safe_load_all(path.read_text("utf-8")) if one is not None]


def locked(path: Path) -> dict[str, str]:
    """Package -> version of a requirements file."""
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ;]+)", path.read_text("utf-8"), re.MULTILINE))


def digests(path: Path) -> set[str]:
    """All hashes of a requirements file."""
    return set(re.findall(r"--hash=(sha256:[0-9a-f]{64})", path.read_text("utf-8")))
