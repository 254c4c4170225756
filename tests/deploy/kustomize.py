"""What kustomize makes of the manifests, where there is one; and what can be told without."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.places import documents

Manifest = dict[str, Any]


@cache
def built(folder: Path) -> tuple[Manifest, ...]:
    """The documents of an overlay; skips the test where nothing can build it."""
    command = _command()
    if command is None:
        pytest.skip("there is no kustomize and no kubectl here to build the overlays with")
    done = subprocess.run([*command, folder], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return tuple(one for one in yaml.safe_load_all(done.stdout) if one is not None)


def _command() -> tuple[str, ...] | None:
    for command in (("kustomize", "build"), ("kubectl", "kustomize")):
        if shutil.which(command[0]):
            return command
    return None


def named(folder: Path) -> Iterator[Path]:
    """The files and folders that a kustomization names."""
    (kustomization,) = documents(folder / "kustomization.yaml")
    yield from (folder / name for name in kustomization.get("resources", ()))
    yield from (folder / name for name in kustomization.get("components", ()))
    for patch in kustomization.get("patches", ()):
        if "path" in patch:
            yield folder / patch["path"]
    for made in kustomization.get("configMapGenerator", ()):
        yield from (folder / name for name in made["files"])
