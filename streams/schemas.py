"""The public schema of the canonical events, generated from the structs.

``python -m streams.schemas`` writes ``schemas/events/<type>.json``, one JSON Schema (2020-12) per
event type; ``--check`` writes nothing, lists what differs and ends with 1 if anything does.  So a
platform that can publish canonical events itself needs none of our code, and a change of the
vocabulary shows as a change of these files.

Unknown fields are allowed by every schema, because readers ignore them.  Integers are written
without a fraction: to JSON Schema ``1.0`` is an integer, to our reader it is not.
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from streams.core.events import AGENT_EVENTS, CONTACT_EVENTS, SYSTEM_EVENTS, type_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).resolve().parent.parent / "schemas" / "events"
VERSION = "v1"

Json = dict[str, Any]


def event_schemas() -> dict[str, Json]:
    """The JSON Schema of every event, by wire name, in the order of the vocabulary."""
    structs: list[type[msgspec.Struct]] = [*CONTACT_EVENTS, *AGENT_EVENTS, *SYSTEM_EVENTS]
    _, bodies = msgspec.json.schema_components(structs)
    return {str(type_of[cls]): _schema(cls, bodies[cls.__name__]) for cls in structs}


def _schema(cls: type[msgspec.Struct], body: Json) -> Json:
    name = str(type_of[cls])
    return {
        "$schema": DIALECT,
        "$id": f"urn:contact-streams:events:{name}:{VERSION}",
        "title": name,
        "description": _described(cls),
        "type": "object",
        "properties": body["properties"],
        "required": body["required"],
    }


def _described(cls: type) -> str:
    """The struct's own docstring on one line; an event without one is a mistake of ours."""
    text = cls.__dict__.get("__doc__")
    assert text, f"{cls.__name__} has no docstring"
    return " ".join(inspect.cleandoc(text).replace("``", "`").split())


def schema_files() -> dict[str, str]:
    """File name -> contents of everything the folder must hold."""
    return {
        f"{name}.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in event_schemas().items()
    }


def differing(folder: Path) -> list[str]:
    """Names of the files in ``folder`` that are missing, stale or no longer an event's."""
    wanted = schema_files()
    found = {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.json"))}
    return sorted(n for n in wanted.keys() | found.keys() if wanted.get(n) != found.get(n))


def write(folder: Path) -> list[str]:
    """Make ``folder`` hold exactly the schemas; gives the names of the files it changed."""
    changed, wanted = differing(folder), schema_files()
    folder.mkdir(parents=True, exist_ok=True)
    for name in changed:
        if name in wanted:
            (folder / name).write_text(wanted[name], "utf-8")
        else:
            (folder / name).unlink()
    return changed


def main(arguments: Sequence[str] | None = None, folder: Path = FOLDER) -> int:
    """Write or check the schemas; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m streams.schemas", description=_FIRST_LINE)
    parser.add_argument("--check", action="store_true", help="write nothing, list what differs")
    only_check = parser.parse_args(arguments).check
    names = differing(folder) if only_check else write(folder)
    for name in names:
        sys.stdout.write(f"{'differs' if only_check else 'written'}: {folder.name}/{name}\n")
    if only_check and names:
        sys.stdout.write("Next: python -m streams.schemas\n")
    return 1 if only_check and names else 0


_FIRST_LINE = (__doc__ or "").partition("\n")[0]

if __name__ == "__main__":
    sys.exit(main())
