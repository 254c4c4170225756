"""The secrets of a new stack, each in a file of the folder given: made once, then left alone.

Runs in the container ``secrets``.  Grafana reads its administrator's password there, workers the
key of the pseudonyms.  Nothing is printed, and nothing secret is in the repository.
"""

import secrets
import sys
from pathlib import Path

NAMES = ("grafana_admin_password", "pseudonym_key")
READABLE = 0o444
"""By all: the readers are different users, and the volume is theirs alone."""


def make(folder: Path) -> list[str]:
    """The names of those that were missing."""
    missing = [name for name in NAMES if not (folder / name).exists()]
    for name in missing:
        draft = folder / f".{name}"
        draft.write_text(secrets.token_urlsafe(24) + "\n", "ascii")
        draft.chmod(READABLE)
        draft.rename(folder / name)
    return missing


if __name__ == "__main__":
    made = make(Path(sys.argv[1]))
    print(f"made: {', '.join(made)}" if made else "all there")
