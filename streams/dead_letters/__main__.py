"""``python -m streams.dead_letters``: writes the table of reasons anew in ``docs/dead-letters.md``,
which must be in the current folder."""

from __future__ import annotations

import re
from pathlib import Path

from streams.dead_letters.reasons import markdown

PATH = Path("docs/dead-letters.md")
_TABLE = re.compile(r"^\| reason \|.*?(?=\n\n)", re.MULTILINE | re.DOTALL)

if __name__ == "__main__":
    table = "\n".join(markdown())
    PATH.write_text(_TABLE.sub(lambda _: table, PATH.read_text("utf-8")), "utf-8")
