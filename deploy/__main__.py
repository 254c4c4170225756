"""``python -m deploy [--check]``: write the generated files, or tell which differ (exit code 1)."""

from __future__ import annotations

import sys

from deploy.generated import FOLDER, differing, files


def main(arguments: list[str]) -> int:
    """Run it; gives the exit code."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    stale = differing()
    for path in stale:
        print(f"{'differs' if arguments else 'written'}: {path.relative_to(FOLDER)}")
    if arguments:
        return 1 if stale else 0
    made = files()
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[path], "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
