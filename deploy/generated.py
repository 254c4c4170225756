"""Every generated file below ``deploy/``, by path, from the modules that make them.

A module of ``MAKERS`` has ``files()``: path relative to ``deploy/`` -> the whole text.  What is
made is a function of the code alone (KPI definitions, metric names), so it can be checked.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).parent
MAKERS: tuple[str, ...] = ("deploy.dashboards", "deploy.manifests", "deploy.rules")


def files() -> dict[Path, str]:
    """Path -> text of everything that is generated; no two makers write one file."""
    made: dict[Path, str] = {}
    for maker in MAKERS:
        for name, text in import_module(maker).files().items():
            path = FOLDER / name
            if path in made:
                raise ValueError(f"{name} is made twice")
            made[path] = text
    return made


def differing() -> list[Path]:
    """The files that are missing or are not what would be made now."""
    return [
        path
        for path, text in files().items()
        if not path.exists() or path.read_text("utf-8") != text
    ]
