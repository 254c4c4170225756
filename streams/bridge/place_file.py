"""The bridge's memory: one small file that says how far which log was sent."""

from __future__ import annotations

import json
import os
from pathlib import Path

from streams.bridge.log_file import Place
from streams.bridge.outlet import BridgeError

VERSION = 1


def load(path: Path) -> Place | None:
    """The place noted, None if there is no file yet; BridgeError if it cannot be understood."""
    try:
        noted = json.loads(path.read_bytes())
        version = noted.pop("version")
        place = Place(**noted)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise _unusable(path, type(error).__name__) from error
    if version != VERSION or not _plausible(place):
        raise _unusable(path, f"version {version!r}")
    return place


def save(path: Path, place: Place) -> None:
    """Note the place; after a crash the file holds either the old place or this one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    with beside.open("w", encoding="ascii") as file:
        json.dump({"version": VERSION, **place._asdict()}, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _plausible(place: Place) -> bool:
    numbers = (place.device, place.inode, place.offset, place.head_bytes)
    return all(type(n) is int and n >= 0 for n in numbers) and type(place.head) is str


def _unusable(path: Path, why: str) -> BridgeError:
    return BridgeError(
        f"the bridge's state file {path} cannot be used",
        f"{why}: it was not written by this version of the bridge",
        f"rm {path}; the log is then sent from its start, and repeats count once",
    )
