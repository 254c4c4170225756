"""``python -m streams.settings --docs | --example | --show``: the generated texts, or what is in
force."""

from __future__ import annotations

import sys

from streams.errors import SettingsError
from streams.settings import describe, example, load, markdown


def _in_force() -> str:
    return describe(load()) + "\n"


def main(arguments: list[str]) -> int:
    """Print one of the three to standard output; 2 for anything else or wrong settings."""
    texts = {"--docs": markdown, "--example": example, "--show": _in_force}
    if len(arguments) != 1 or arguments[0] not in texts:
        print(f"usage: python -m streams.settings {' | '.join(texts)}", file=sys.stderr)
        return 2
    try:
        sys.stdout.write(texts[arguments[0]]())
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
